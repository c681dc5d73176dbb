package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/postgres/pgtest"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/inbox"
	"aver/work/inbox/web"
)

func TestMain(m *testing.M) {
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, causes ...error) huma.StatusError {
		p := problem{Problem: errs.Problem{Status: status, Detail: message}}
		for _, cause := range causes {
			if kind := errs.Of(cause); kind != errs.Internal {
				p.Problem = errs.AsProblem(cause)
			} else {
				p.Detail += ": " + cause.Error()
			}
		}
		return p
	}
	huma.NewError = func(status int, message string, causes ...error) huma.StatusError {
		return huma.NewErrorWithContext(nil, status, message, causes...)
	}
	pgtest.Main(m)
}

// problem answers an error as the edge does, which is on a floor above.
type problem struct{ errs.Problem }

func (p problem) Error() string  { return p.Detail }
func (p problem) GetStatus() int { return p.Status }

// house is the inbox with its pages, its API and its socket behind a door that knows sessions.
type house struct {
	*vaulttest.Kit
	inbox    *inbox.Service
	consent  *consent.Service
	contacts *contacts.Service
	identity *identity.Service
	hub      *live.Hub
	handler  http.Handler
	owner    user
	operator user
}

// user is somebody who is signed in.
type user struct {
	vault.Actor
	session string
}

type idle struct{}

func (idle) Enqueue(context.Context, string, ids.Tenant, string, time.Time) error { return nil }

func config(t testing.TB) vaulttest.Config {
	t.Helper()
	modules := []module.Module{identity.New(nil).Module(), consent.New(nil).Module(), contacts.New(nil).Module(), inbox.New(nil, nil, nil, nil).Module()}
	migrations, err := module.Migrations(modules)
	must(t, err)
	c := vaulttest.Config{Migrations: migrations}
	for _, m := range modules {
		c.Tables = append(c.Tables, m.Tables...)
	}
	return c
}

func furnish(t *testing.T, k *vaulttest.Kit) *house {
	t.Helper()
	h := &house{Kit: k, hub: live.New(live.Options{}), consent: consent.New(k.Vault), contacts: contacts.New(k.Vault), identity: identity.New(k.Vault)}
	t.Cleanup(func() { _ = h.hub.Drain(context.Background()) })
	h.inbox = inbox.New(k.Vault, h.hub, idle{}, h.contacts)
	mux := http.NewServeMux()
	m := web.New(h.inbox, h.hub, h.identity).Module()
	m.Routes(mux)
	settings := huma.DefaultConfig("test", "1")
	settings.RejectUnknownQueryParameters = true
	m.API(humago.New(mux, settings))
	mux.Handle("GET "+page.AssetsPath(), page.Assets())
	h.handler = mux
	h.owner = h.join(t, "Ines Moreau", vault.Owner)
	h.operator = h.join(t, "Ben Okafor", vault.Operator)
	return h
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, furnish(t, k)) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// join makes somebody who works here and signs them in.
func (h *house) join(t testing.TB, name string, role vault.Role) user {
	t.Helper()
	ctx := context.Background()
	email := strings.ReplaceAll(strings.ToLower(name), " ", ".") + "@aver.example"
	token, err := h.identity.Invite(ctx, identity.System(h.Tenant, "test"), email, role)
	must(t, err)
	session, err := h.identity.Accept(ctx, token, email, name, "correct horse battery staple 9")
	must(t, err)
	a, err := h.identity.Session(ctx, session)
	must(t, err)
	return user{a, session}
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	p := errs.AsProblem(err)
	if p.Code == errs.Internal {
		p.Detail = err.Error() // so that a test says why it fails
	}
	if strings.Contains(r.Header.Get("Accept"), "json") {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(p.Status)
		_ = json.NewEncoder(w).Encode(p)
		return
	}
	_ = page.Render(w, r, p.Status, page.ErrorPage(p))
}

// ServeHTTP does for the handlers what the edge does: it finds out who calls.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := h.identity.Authenticate(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	h.serve(w, r, a)
}

func (h *house) serve(w http.ResponseWriter, r *http.Request, a vault.Actor) {
	ctx := request.With(r.Context(), &request.Info{ID: "req_test", Actor: a, Fail: fail})
	view := page.View{Path: r.URL.Path, Tenant: "Praxis am Park", Region: "eu", Role: "Operator", Claims: page.Claims{Holding: 41, Total: 41}, Flash: page.TakeFlash(w, r)}
	if u, err := h.identity.Me(ctx, a); err == nil {
		view.User = u.Name.Reveal()
	}
	h.handler.ServeHTTP(w, r.WithContext(page.With(ctx, view)))
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (h *house) do(t testing.TB, who vault.Actor, method, path, kind, body string) answer {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.serve(w, r, who)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func (h *house) get(t testing.TB, path string) answer {
	t.Helper()
	return h.do(t, h.operator.Actor, "GET", path, "", "")
}

func (h *house) post(t testing.TB, path string, pairs ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return h.do(t, h.operator.Actor, "POST", path, "application/x-www-form-urlencoded", form.Encode())
}

// call calls the API and reads the answer into out unless that is nil.
func (h *house) call(t testing.TB, who vault.Actor, method, path string, in, out any) answer {
	t.Helper()
	var body bytes.Buffer
	if in != nil {
		must(t, json.NewEncoder(&body).Encode(in))
	}
	a := h.do(t, who, method, path, "application/json", body.String())
	if out != nil && a.status < 300 {
		if err := json.NewDecoder(strings.NewReader(a.body)).Decode(out); err != nil && err != io.EOF {
			t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
	return a
}

// visitor makes somebody who has agreed to write.
func (h *house) visitor(t testing.TB, name string) vault.Actor {
	t.Helper()
	ctx := context.Background()
	d := contacts.Draft{Name: name}
	if first, _, found := strings.Cut(strings.ToLower(name), " "); found {
		d.Email = first + "@kowal.example"
	}
	c, err := h.contacts.NewVisitor(ctx, h.Tenant, d)
	must(t, err)
	actor := vaulttest.Visitor(h.Tenant, c.ID)
	must(t, h.consent.Record(ctx, actor, c.ID, consent.Choice{Purpose: consent.Support, Version: "1", Language: "en", Granted: true}))
	return actor
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	binary.BigEndian.PutUint64(b[:8], uint64(time.Now().UnixMilli())<<16|0x7000|uint64(b[7]))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (h *house) receive(t testing.TB, visitor vault.Actor, text string, files ...ids.Object) ids.Conversation {
	t.Helper()
	ack, err := h.inbox.Receive(context.Background(), visitor, inbox.Incoming{ClientID: uuid(), Text: personal.Of(text), Attachments: files})
	must(t, err)
	return ack.Conversation
}

func (h *house) reply(t testing.TB, who vault.Actor, conv ids.Conversation, text string, note bool) {
	t.Helper()
	_, err := h.inbox.Reply(context.Background(), who, conv, inbox.Outgoing{Text: personal.Of(text), Note: note})
	must(t, err)
}
