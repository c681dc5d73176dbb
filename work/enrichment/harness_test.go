package enrichment_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/egress"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/frame/module/moduletest"
	"aver/trust/consent"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/enrichment"
)

func TestMain(m *testing.M) { moduletest.MainTLS(m) }

// house is a vault with people in it, a source that knows some of them, and a post.
type house struct {
	*vaulttest.Kit
	service  *enrichment.Service
	contacts *contacts.Service
	queue    *jobs.Jobs
	owner    vault.Actor
	source   *source
	post     *post
	listed   bool // the register has the source
}

// source is a service that is asked about people, over HTTPS on this machine.
type source struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []*http.Request
	answer func(http.ResponseWriter, *http.Request)
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r)
	answer := s.answer
	s.mu.Unlock()
	answer(w, r)
}

func (s *source) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func says(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// post keeps letters instead of sending them; broken, it takes none.
type post struct {
	sent   []mail.Message
	broken error
}

func (p *post) Send(_ context.Context, m mail.Message) error {
	if p.broken != nil {
		return p.broken
	}
	p.sent = append(p.sent, m)
	return nil
}

func config(t testing.TB) vaulttest.Config {
	t.Helper()
	return moduletest.Config(t, identity.New(nil).Module(), consent.New(nil).Module(), restriction.New(nil, nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module(), enrichment.New(enrichment.Config{}).Module())
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, furnish(t, k)) })
}

func furnish(t *testing.T, k *vaulttest.Kit) *house {
	t.Helper()
	h := &house{Kit: k, contacts: contacts.New(k.Vault), queue: moduletest.Queue(t), owner: vaulttest.User(k.Tenant, vault.Owner), post: &post{}, listed: true}
	h.source = &source{answer: says(http.StatusNotFound, "")}
	h.source.Server = httptest.NewTLSServer(h.source)
	t.Cleanup(h.source.Close)
	at, err := url.Parse(h.source.URL)
	must(t, err)
	door := &egress.Door{Loopback: map[string]bool{at.Host: true}, Register: func(_ context.Context, purpose, host string) (egress.Entry, bool) {
		return egress.Entry{Name: "a source", Grade: egress.SubProcessor}, h.listed && purpose == enrichment.Purpose && host == at.Hostname()
	}}
	h.service = enrichment.New(enrichment.Config{Vault: k.Vault, Queue: h.queue, Client: door.Client(enrichment.Purpose), Mail: h.post,
		Registered: func(_ context.Context, host string) bool { return h.listed && host == at.Hostname() }, Host: func() string { return "aver.example" },
		Object: func(ctx context.Context, actor vault.Actor, contact ids.Contact) error {
			return restriction.New(k.Vault, alone).Set(ctx, actor, contact, restriction.Object, purpose.Enrichment)
		}})
	must(t, h.service.Module().Jobs(h.queue))
	return h
}

// alone is somebody who is shown as one with nobody else.
func alone(_ *vault.Tx, contact ids.Contact) ([]ids.Contact, error) {
	return []ids.Contact{contact}, nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t testing.TB, what string, err error, kind errs.Kind) {
	t.Helper()
	if errs.Of(err) != kind {
		t.Errorf("%s: got %v, want %s", what, err, kind)
	}
}

func (h *house) person(t testing.TB, email string) ids.Contact {
	t.Helper()
	c, err := h.contacts.Create(t.Context(), h.owner, contacts.Draft{Name: "Ada Kowalska", Email: email})
	must(t, err)
	return c.ID
}

// profiles switches profiles on.
func (h *house) profiles(t testing.TB) {
	t.Helper()
	_, err := h.service.Set(t.Context(), h.owner, enrichment.Source{Kind: enrichment.Profile, On: true, URL: h.source.URL + "/v1?email={email}",
		Fields: map[string]string{"job_title": "/person/title", "team_size": "/person/teams/0/size"}, Token: personal.Of("s3cret")})
	must(t, err)
}

func (h *house) look(t testing.TB, contact ids.Contact) error {
	t.Helper()
	return h.service.Look(t.Context(), h.Tenant, contact)
}

// found is what is kept about a person: field to words.
func (h *house) found(t testing.TB, contact ids.Contact) map[string]string {
	t.Helper()
	all, err := h.service.Of(t.Context(), h.owner, contact)
	must(t, err)
	out := map[string]string{}
	for _, v := range all.Values {
		out[v.Field] = v.Words.Reveal()
		if v.Source == "" || v.FoundAt.IsZero() {
			t.Errorf("%s is kept without where it comes from, or when", v.Field)
		}
	}
	return out
}

// kept is how many values are stored about a person, whoever may see them.
func (h *house) kept(t testing.TB, contact ids.Contact) (n int) {
	t.Helper()
	must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), actSay, func(tx *vault.Tx) error {
		all, err := h.Vault.Totals(tx, contact)
		n = all["enrichment_values"]
		return err
	}))
	return n
}

// asksForConsent puts looking people up on the ground of their consent.
func (h *house) asksForConsent(t testing.TB) {
	t.Helper()
	_, err := consent.New(h.Vault).SetPurpose(t.Context(), h.owner, consent.Definition{ID: purpose.Enrichment, Basis: purpose.Consent, Automated: true,
		Names: map[string]string{"en": "Looking people up"}, Keep: "a year"})
	must(t, err)
}

// agree has a person say yes to that.
func (h *house) agree(t testing.TB, contact ids.Contact) {
	t.Helper()
	h.asksForConsent(t)
	s, visitor := consent.New(h.Vault), vaulttest.Visitor(h.Tenant, contact)
	notice, err := s.SetNotice(t.Context(), h.owner, consent.Notice{Purpose: purpose.Enrichment, Language: "en", Text: "We look you up in public sources."})
	must(t, err)
	must(t, s.Record(t.Context(), visitor, contact, consent.Choice{Purpose: consent.Support, Version: "1", Language: "en", Granted: true}))
	must(t, s.Record(t.Context(), visitor, contact, consent.Choice{Purpose: purpose.Enrichment, Version: "1", Language: notice.Language, Granted: true}))
}

func (h *house) notify(t testing.TB) error {
	t.Helper()
	tenant, err := h.Vault.Tenant(t.Context(), h.Tenant)
	must(t, err)
	return h.service.Notify(t.Context(), tenant)
}
