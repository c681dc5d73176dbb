package webchat

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/base/strictjson"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/channels/webchat/widget"
	"aver/work/contacts"
	"aver/work/inbox"
)

func handle(fn func(http.ResponseWriter, *http.Request) error) http.Handler {
	return request.Handler(fn)
}

// visitor names who calls by the bearer token; the token alone decides.
func (s *Service) visitor(fn func(http.ResponseWriter, *http.Request, vault.Actor) error) http.Handler {
	return handle(func(w http.ResponseWriter, r *http.Request) error {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			return errs.New(errs.Unauthenticated, "Start the chat first.")
		}
		actor, err := s.identity.Visitor(r.Context(), token)
		if err == nil && request.OptsOut(r) {
			err = s.limits.Signal(r.Context(), actor)
		}
		if err != nil {
			return err
		}
		return fn(w, r, actor)
	})
}

const maxBody = 64 << 10

func decode(r *http.Request, v any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		return errs.New(errs.TooLarge, "This is larger than allowed.")
	}
	return strictjson.Decode(body, v, strictjson.MaxDepth)
}

func answer(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a visitor who went away is nobody's mistake
	return nil
}

// file serves what the widget consists of. With the version that the loader names it may be kept for ever.
func file(w http.ResponseWriter, r *http.Request) {
	f, found := widget.At(r.URL.Path)
	if !found {
		request.Fail(w, r, errs.New(errs.NotFound, "There is no such file."))
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("ETag", f.ETag)
	h.Set("Vary", "Accept-Encoding")
	switch {
	case r.URL.Path == "/l.js":
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	case r.URL.Query().Get("v") == widget.Version():
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	default:
		h.Set("Cache-Control", "no-cache")
	}
	if r.Header.Get("If-None-Match") == f.ETag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.Body
	if f.Zipped != nil && page.AcceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = f.Zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// frame is the document that the tenant's site shows in an iframe.
func (s *Service) frame(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tenantOf(r.Context(), r.URL.Query().Get("w"))
	if err != nil {
		return err
	}
	set, err := s.Settings(r.Context(), identity.System(t.ID, "webchat"))
	if err != nil {
		return err
	}
	ancestors := "*"
	if len(set.AllowedHosts) > 0 {
		ancestors = "'self' " + strings.Join(set.AllowedHosts, " ")
	}
	h := w.Header()
	h.Set("Content-Security-Policy", widget.FramePolicy+"; frame-ancestors "+ancestors)
	h.Del("X-Frame-Options")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	file(w, r)
	return nil
}

type answeredBy struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

type noticeConfig struct {
	Required  bool   `json:"required"`
	Purpose   string `json:"purpose"`
	Version   string `json:"version"`
	Text      string `json:"text"`
	Language  string `json:"language"`
	NoticeURL string `json:"notice_url,omitempty"`
}

type filesConfig struct {
	MaxBytes int64    `json:"max_bytes"`
	Types    []string `json:"types"`
}

type identityConfig struct {
	Enforced bool `json:"enforced"`
}

// sharedConfig is the part that is the same for every visitor, whatever their language. Open widgets are told when it
// changes.
type sharedConfig struct {
	Name           string         `json:"name"`
	Accent         string         `json:"accent"`
	ColorScheme    string         `json:"color_scheme"`
	Online         bool           `json:"online"`
	Until          string         `json:"until"` // when Online changes by the office hours; empty: never
	OfflineMessage string         `json:"offline_message"`
	ReplyTimeText  string         `json:"reply_time_text"`
	Attachments    filesConfig    `json:"attachments"`
	Identity       identityConfig `json:"identity"`
	AnsweredBy     answeredBy     `json:"answered_by"`
}

// Config is what the widget must know before anybody writes.
type Config struct {
	sharedConfig
	Website   string       `json:"website"`
	Language  string       `json:"language"`
	Consent   noticeConfig `json:"consent"`
	Region    string       `json:"region"`
	MyDataURL string       `json:"my_data_url,omitempty"`
	GPC       bool         `json:"gpc,omitempty"` // the browser sent Global Privacy Control, and it is honoured
}

const defaultAccent = "#0f5f5c"

// config identifies nobody and stores nothing.
func (s *Service) config(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tenantOf(r.Context(), r.URL.Query().Get("w"))
	if err != nil {
		return err
	}
	c, err := s.Configuration(r.Context(), t, r.URL.Query().Get("lang"))
	if err != nil {
		return err
	}
	c.GPC = request.OptsOut(r)
	w.Header().Set("Cache-Control", "no-store")
	return answer(w, c)
}

// Configuration is the configuration of a tenant's widget for a visitor who prefers a language.
func (s *Service) Configuration(ctx context.Context, t vault.Tenant, lang string) (Config, error) {
	actor := identity.System(t.ID, "webchat")
	set, err := s.Settings(ctx, actor)
	if err != nil {
		return Config{}, err
	}
	c := Config{Website: Website(t.ID), Language: supported(orElse(set.Language, lang)), Region: t.Region, MyDataURL: "/my-data/" + t.Slug}
	if c.sharedConfig, err = s.shared(ctx, t, set); err != nil {
		return c, err
	}
	notice, err := s.consent.Current(ctx, t.ID, c.Language)
	if err != nil {
		return c, err
	}
	c.Consent = noticeConfig{Required: true, Purpose: notice.Purpose, Version: version(notice.Version), Text: notice.Text, Language: notice.Language, NoticeURL: orElse(notice.URL, "/my-data/"+t.Slug+"/notice?lang="+c.Language)}
	return c, nil
}

func (s *Service) shared(ctx context.Context, t vault.Tenant, set Settings) (sharedConfig, error) {
	name, now := orElse(set.Name, t.Name), s.vault.Now()
	c := sharedConfig{Name: name, Accent: orElse(set.Accent, defaultAccent), ColorScheme: orElse(set.ColorScheme, "auto"), ReplyTimeText: set.ReplyTime,
		Attachments: set.files(), Identity: identityConfig{set.Enforced}, AnsweredBy: answeredBy{"team", name}}
	hours, err := s.inbox.Hours(ctx, identity.System(t.ID, "webchat"))
	c.Online, c.OfflineMessage = hours.Open(now), orElse(set.Offline, hours.Away)
	if next := hours.Changes(now); !next.IsZero() {
		c.Until = next.Format(time.RFC3339)
	}
	return c, err
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func supported(lang string) string {
	first, _, _ := strings.Cut(strings.ToLower(lang), "-")
	for _, l := range widget.Languages() {
		if l == first {
			return l
		}
	}
	return "en"
}

type pageUser struct {
	Token   string            `json:"token"`
	Email   string            `json:"email"`
	Name    string            `json:"name"`
	Phone   string            `json:"phone"`
	Grounds []identity.Ground `json:"grounds"`
}

type agreement struct {
	Purpose  string `json:"purpose"`
	Version  string `json:"version"`
	Language string `json:"language"`
	Source   string `json:"source"`
	Granted  bool   `json:"granted"`
}

type newSession struct {
	Website       string     `json:"website"`
	Language      string     `json:"language"`
	PageURLOrigin string     `json:"page_url_origin"`
	Consent       *agreement `json:"consent"`
	User          pageUser   `json:"user"`
}

type conversationView struct {
	ID     ids.Conversation `json:"id"`
	State  inbox.State      `json:"state"`
	Epoch  string           `json:"epoch"`
	Offset int64            `json:"offset"`
	Unread int              `json:"unread"`
}

func viewOf(c inbox.Conversation) conversationView {
	return conversationView{c.ID, c.State, c.Epoch.String(), c.LastSeq, c.ContactUnread}
}

var errNotice = errs.New(errs.ConsentRequired, "Please read and agree to the notice first.")

// session makes a contact of a visitor at the first consented act, and gives the token that is the visitor's from then on.
func (s *Service) session(w http.ResponseWriter, r *http.Request) error {
	var in newSession
	if err := decode(r, &in); err != nil {
		return err
	}
	ctx := r.Context()
	t, err := s.tenantOf(ctx, in.Website)
	if err != nil {
		return err
	}
	if in.Consent == nil {
		return errNotice
	}
	actor, err := s.admit(ctx, t.ID, in)
	if err != nil {
		return err
	}
	if err := s.consent.Record(ctx, actor, actor.Subject(), in.Consent.choice(true)); err != nil {
		return err
	}
	if request.OptsOut(r) {
		if err := s.limits.Signal(ctx, actor); err != nil {
			return err
		}
	}
	token, err := s.identity.IssueVisitor(ctx, t.ID, actor.Subject(), actor.Verified())
	if err != nil {
		return err
	}
	list, err := s.inbox.Of(ctx, actor, actor.Subject())
	if err != nil {
		return err
	}
	views := []conversationView{}
	for _, c := range list {
		views = append(views, viewOf(c))
	}
	return answer(w, map[string]any{"token": token, "contact": actor.Subject(), "verified": actor.Verified(), "conversations": views})
}

// admit finds or makes the contact: by the site's signature if there is one, else a new visitor whose words are claims.
func (s *Service) admit(ctx context.Context, tenant ids.Tenant, in newSession) (vault.Actor, error) {
	set, err := s.Settings(ctx, identity.System(tenant, "webchat"))
	if err != nil {
		return vault.Actor{}, err
	}
	if len(set.AllowedHosts) > 0 && !slices.Contains(set.AllowedHosts, in.PageURLOrigin) {
		return vault.Actor{}, errs.New(errs.Forbidden, "The chat is not meant for this site.")
	}
	if in.User.Token == "" && set.Enforced {
		return vault.Actor{}, errs.New(errs.Unauthenticated, unsigned.Message, unsigned)
	}
	notice, err := s.consent.Current(ctx, tenant, in.Consent.Language)
	if err != nil {
		return vault.Actor{}, err
	}
	if in.Consent.Purpose != notice.Purpose || in.Consent.Version != version(notice.Version) {
		return vault.Actor{}, errNotice // before anything about the visitor is stored
	}
	in.Consent.Language = notice.Language // whose words were shown
	if in.User.Token == "" {
		draft := contacts.Draft{Email: in.User.Email, Name: in.User.Name, Phone: in.User.Phone, Language: in.Language, Grounds: in.User.Grounds}
		c, err := s.contacts.NewVisitor(ctx, tenant, draft)
		return s.identity.AsVisitor(tenant, c.ID, false), err
	}
	claims, err := s.identity.VerifyToken(ctx, tenant, in.User.Token, in.Website)
	if err != nil {
		return vault.Actor{}, err
	}
	id, err := s.contacts.Identify(ctx, tenant, ids.Contact{}, claims)
	return s.identity.AsVisitor(tenant, id, true), err
}

func (a agreement) choice(granted bool) consent.Choice {
	c := consent.Choice{Purpose: a.Purpose, Version: a.Version, Language: a.Language, Granted: granted}
	if a.Source == "page" {
		c.How = consent.BySite
	}
	return c
}

func (s *Service) agree(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	var in agreement
	if err := decode(r, &in); err != nil {
		return err
	}
	if err := s.consent.Record(r.Context(), actor, actor.Subject(), in.choice(in.Granted)); err != nil {
		return err
	}
	return answer(w, struct{}{})
}

func (s *Service) upload(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	set, err := s.Settings(r.Context(), identity.System(actor.Tenant(), "webchat"))
	if err != nil {
		return err
	}
	if err := s.mayWrite(r.Context(), actor); err != nil {
		return err
	}
	name, err := url.PathUnescape(r.Header.Get("X-File-Name"))
	if err != nil || set.NoFiles {
		return errs.New(errs.Invalid, "This file cannot be sent.")
	}
	up, err := s.inbox.Upload(r.Context(), actor, actor.Subject(), personal.Of(name), r.Body)
	if err != nil {
		return err
	}
	return answer(w, map[string]any{"id": up.ID, "name": up.Name.Reveal(), "type": up.Kind, "size": up.Size})
}

func (s *Service) attachment(w http.ResponseWriter, r *http.Request, actor vault.Actor) error {
	id, err := request.PathID[ids.Object](r, "id", "file")
	if err != nil {
		return err
	}
	f, content, err := s.inbox.Attachment(r.Context(), actor, id)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", f.Kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name.Reveal()}))
	w.Header().Set("Content-Length", strconv.FormatInt(f.Size, 10)) // a file that ends before is seen to be broken
	_, _ = io.Copy(w, content)                                      // a visitor who went away is nobody's mistake
	return nil
}
