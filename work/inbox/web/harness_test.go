package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/consent"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/inbox"
	"aver/work/inbox/web"
)

func TestMain(m *testing.M) { moduletest.Main(m) }

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
	return moduletest.Config(t, identity.New(nil).Module(), consent.New(nil).Module(), restriction.New(nil, nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module(), inbox.New(nil, nil, nil, nil).Module())
}

func furnish(t *testing.T, k *vaulttest.Kit) *house {
	t.Helper()
	h := &house{Kit: k, hub: live.New(live.Options{}), consent: consent.New(k.Vault), contacts: contacts.New(k.Vault), identity: identity.New(k.Vault)}
	t.Cleanup(func() { _ = h.hub.Drain(context.Background()) })
	h.inbox = inbox.New(k.Vault, h.hub, idle{}, h.contacts)
	h.handler = moduletest.Mux(web.New(h.inbox, h.hub, h.identity).Module())
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

// ServeHTTP finds out who calls.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := h.identity.Authenticate(r)
	if err != nil {
		moduletest.Fail(w, r, err)
		return
	}
	h.as(a).ServeHTTP(w, r)
}

// as is the house for one caller.
func (h *house) as(who vault.Actor) http.Handler {
	view := page.View{Tenant: "Praxis am Park", Region: "eu", Role: "Operator", Claims: page.Claims{Holding: 41, Total: 41}}
	if u, err := h.identity.Me(context.Background(), who); err == nil {
		view.User = u.Name.Reveal()
	}
	return moduletest.Edge(h.handler, who, view)
}

func (h *house) get(path string) moduletest.Answer {
	return moduletest.Get(h.as(h.operator.Actor), path)
}

func (h *house) post(path string, pairs ...string) moduletest.Answer {
	return moduletest.Post(h.as(h.operator.Actor), path, pairs...)
}

func (h *house) call(t testing.TB, who vault.Actor, method, path string, in, out any) moduletest.Answer {
	t.Helper()
	return moduletest.Call(t, h.as(who), method, path, in, out)
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

// clientID is an identifier as the widget makes them for messages.
func clientID() string { return uuid.Must(uuid.NewV7()).String() }

func (h *house) receive(t testing.TB, visitor vault.Actor, text string, files ...ids.Object) ids.Conversation {
	t.Helper()
	ack, err := h.inbox.Receive(context.Background(), visitor, inbox.Incoming{ClientID: clientID(), Text: personal.Of(text), Attachments: files})
	must(t, err)
	return ack.Conversation
}

func (h *house) reply(t testing.TB, who vault.Actor, conv ids.Conversation, text string, note bool) {
	t.Helper()
	_, err := h.inbox.Reply(context.Background(), who, conv, inbox.Outgoing{Text: personal.Of(text), Note: note})
	must(t, err)
}
