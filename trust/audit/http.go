package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/request"
	"aver/vault"
	"aver/vault/journal"
)

const perPage = 50

// entryID is any identifier an entry may be about, whatever its kind.
type entryID string

// Reference marks the type in the API's description.
func (entryID) Reference() string { return "object" }

// auditActivity is an entry in the API; the names follow the field's usage.
type auditActivity struct {
	Index       int64          `json:"index"`
	Type        string         `json:"activity_type"`
	Outcome     string         `json:"outcome" enum:"done,denied"`
	PerformedBy auditPerformer `json:"performed_by"`
	Person      entryID        `json:"person,omitempty"`
	Touched     []auditTouched `json:"touched"`
	Events      []auditEvent   `json:"events"`
	Commitment  string         `json:"commitment,omitempty" doc:"SHA-256 over the sealed rows as written, in hex"`
	CreatedAt   time.Time      `json:"created_at"`
}

type auditPerformer struct {
	Type string  `json:"type" enum:"user,key,visitor,system,nobody"`
	ID   entryID `json:"id,omitempty"`
	Part string  `json:"part,omitempty" doc:"Which part of Aver, when the system acts"`
}

type auditTouched struct {
	Table string `json:"table"`
	Op    string `json:"op" enum:"added,put,deleted,swept,read"`
	Key   string `json:"key" doc:"The row's key, in hex"`
}

type auditEvent struct {
	Kind   string  `json:"kind"`
	Object entryID `json:"object,omitempty"`
	N      int64   `json:"n,omitempty"`
}

func activityOf(e journal.Entry) auditActivity {
	a := auditActivity{Index: e.Index, Type: e.Action, Outcome: outcome(e), CreatedAt: e.At, Touched: []auditTouched{}, Events: []auditEvent{},
		PerformedBy: auditPerformer{Type: kindWord(e), Part: e.ActorName, ID: entryID(actorText(e))}, Person: entryID(e.Subject.String())}
	if e.Commit != ([32]byte{}) {
		a.Commitment = hex.EncodeToString(e.Commit[:])
	}
	for _, t := range e.Touched {
		a.Touched = append(a.Touched, auditTouched{Table: t.Table, Op: opWords[t.Op], Key: hex.EncodeToString(t.Key)})
	}
	for _, ev := range e.Events {
		a.Events = append(a.Events, auditEvent{Kind: ev.Kind, Object: entryID(ev.Object), N: ev.N})
	}
	return a
}

var opWords = map[journal.Op]string{journal.Added: "added", journal.Put: "put", journal.Deleted: "deleted", journal.Swept: "swept", journal.Read: "read"}

func outcome(e journal.Entry) string {
	if e.Outcome == journal.Denied {
		return "denied"
	}
	return "done"
}

var kindWords = map[vault.ActorKind]string{vault.AsUser: "user", vault.AsKey: "key", vault.AsPerson: "visitor", vault.AsSystem: "system"}

func kindWord(e journal.Entry) string {
	if word := kindWords[vault.ActorKind(e.ActorKind)]; word != "" {
		return word
	}
	return "nobody"
}

func actorText(e journal.Entry) string {
	switch vault.ActorKind(e.ActorKind) {
	case vault.AsUser:
		return ids.User(e.Actor).String()
	case vault.AsKey:
		return ids.Credential(e.Actor).String()
	case vault.AsPerson:
		return ids.Contact(e.Actor).String()
	}
	return ""
}

// filterOf reads a filter from an address; what cannot be read is refused by name.
func filterOf(q url.Values) (Filter, error) {
	f := Filter{Action: q.Get("action"), Table: q.Get("table"), Part: q.Get("part"), Denied: q.Get("outcome") == "denied"}
	wrong := func(field, message string) error {
		return errs.New(errs.Invalid, "The filter cannot be used.", errs.Field{Field: field, Code: "malformed", Message: message})
	}
	for kind, word := range kindWords {
		if q.Get("by") == word {
			f.Kind = kind
		}
	}
	var ok bool
	for name, into := range map[string]*[16]byte{"actor": &f.Actor, "person": (*[16]byte)(&f.Person), "object": &f.Object} {
		if text := strings.TrimSpace(q.Get(name)); text != "" {
			if *into, ok = anyID(text); !ok {
				return f, wrong(name, "This is not an identifier.")
			}
		}
	}
	if f.Kind == vault.Nobody && f.Actor != [16]byte{} {
		f.Kind = kindOfID(q.Get("actor"))
	}
	for name, into := range map[string]*time.Time{"since": &f.From, "until": &f.To} {
		if text := q.Get(name); text != "" {
			at, err := when(text)
			if err != nil {
				return f, wrong(name, "Give a date such as 2026-11-22, or a time as RFC 3339.")
			}
			*into = at
		}
	}
	if text := q.Get("before"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return f, wrong("before", "This is not a place in the log.")
		}
		f.Before = n
	}
	return f, nil
}

func kindOfID(text string) vault.ActorKind {
	switch text[:min(len(text), 4)] {
	case "usr_":
		return vault.AsUser
	case "crd_":
		return vault.AsKey
	default:
		return vault.AsPerson
	}
}

func when(text string) (time.Time, error) {
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	return time.Parse(time.RFC3339, text)
}

type auditQuery struct {
	Action  string  `query:"activity_type" maxLength:"60"`
	By      string  `query:"by" enum:"user,key,visitor,system"`
	Actor   entryID `query:"actor" maxLength:"40"`
	Person  entryID `query:"person" maxLength:"40"`
	Object  entryID `query:"object" maxLength:"40"`
	Table   string  `query:"table" maxLength:"60"`
	Part    string  `query:"part" maxLength:"60"`
	Outcome string  `query:"outcome" enum:"done,denied"`
	Since   string  `query:"created_at_after" maxLength:"40"`
	Until   string  `query:"created_at_before" maxLength:"40"`
	Before  int64   `query:"starting_after" minimum:"0" doc:"The index that the last page ended with"`
	PerPage int     `query:"per_page" minimum:"1" maximum:"150" default:"50"`
}

func (a auditQuery) values() url.Values {
	q := url.Values{"action": {a.Action}, "by": {a.By}, "actor": {string(a.Actor)}, "person": {string(a.Person)}, "object": {string(a.Object)},
		"table": {a.Table}, "part": {a.Part}, "outcome": {a.Outcome}, "since": {a.Since}, "until": {a.Until}}
	if a.Before > 0 {
		q.Set("before", strconv.FormatInt(a.Before, 10))
	}
	return q
}

type auditList struct {
	Body struct {
		Data []auditActivity `json:"activity_logs"`
		Next int64           `json:"next,omitempty" doc:"starting_after of the next page; absent at the end"`
	}
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/admins/activity_logs", func(ctx context.Context, in *auditQuery) (*auditList, error) {
		f, err := filterOf(in.values())
		if err != nil {
			return nil, err
		}
		found, err := s.Search(ctx, request.Actor(ctx), f, in.PerPage)
		if err != nil {
			return nil, err
		}
		out := &auditList{}
		out.Body.Next, out.Body.Data = found.Next, answer.Each(found.Entries, activityOf)
		return out, nil
	})
}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /security", request.Handler(s.keysPage))
	mux.Handle("GET /security/rotation", request.Handler(s.rotationPart))
	mux.Handle("POST /security/rotate", request.Handler(s.rotateNow))
	mux.Handle("GET /security/log", request.Handler(s.logPage))
	mux.Handle("GET /security/log/{index}", request.Handler(s.entryPage))
	mux.Handle("POST /security/log/export", request.Handler(s.exportLog))
	mux.Handle("GET /trust/log/checkpoint", request.Handler(s.latestText))
	mux.Handle("GET /trust/log/checkpoints", request.Handler(s.allText))
	mux.Handle("GET /trust/log/key", request.Handler(s.keyText))
}

// exportLog sends the bundle as it is made. What fails after the first byte shows as a bundle without an end.
func (s *Service) exportLog(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	since, err := strconv.ParseInt(cmp.Or(strings.TrimSpace(form.Get("size")), "0"), 10, 64)
	if err != nil || since < 0 {
		return errs.New(errs.Invalid, "The size of a checkpoint is a whole number: its second line.")
	}
	out := &lazy{w: w, name: fmt.Sprintf("audit-log-%s.bundle", s.vault.Now().Format(time.DateOnly))}
	if err := s.Export(r.Context(), request.Actor(r.Context()), out, since); err != nil && !out.begun {
		return err
	}
	return nil
}

// lazy sends the headers with the first byte, so that a refusal can still be a page.
type lazy struct {
	w     http.ResponseWriter
	name  string
	begun bool
}

func (l *lazy) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", "application/octet-stream")
		l.w.Header().Set("Content-Disposition", `attachment; filename="`+l.name+`"`)
		l.w.Header().Set("Cache-Control", "no-store")
	}
	return l.w.Write(p)
}

func text(w http.ResponseWriter, body []byte) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_, err := w.Write(body)
	return err
}

// latestText is the newest checkpoint as C2SP tlog-checkpoint has it.
func (s *Service) latestText(w http.ResponseWriter, r *http.Request) error {
	signed, err := s.Latest(r.Context())
	if err != nil {
		return err
	}
	return text(w, []byte(signed.Note))
}

// allText is the kept checkpoints, newest first, with an empty line between them.
func (s *Service) allText(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Published(r.Context(), 1000)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for _, c := range list {
		out.WriteString(c.Note + "\n")
	}
	return text(w, out.Bytes())
}

func (s *Service) keyText(w http.ResponseWriter, r *http.Request) error {
	key, err := s.VerifierKey(r.Context())
	if err != nil {
		return err
	}
	return text(w, []byte(key+"\n"))
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
