package inbox_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/frame/module/moduletest"
	"aver/trust/consent"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/inbox"
)

// house is a vault with the inbox and its neighbours in it.
type house struct {
	*vaulttest.Kit
	inbox    *inbox.Service
	consent  *consent.Service
	contacts *contacts.Service
	hub      *live.Hub
	queue    *queue
	operator vault.Actor
}

// queue notes what is due instead of doing it.
type queue struct {
	mu  sync.Mutex
	due []string
}

func (q *queue) Enqueue(_ context.Context, kind string, _ ids.Tenant, id string, at time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.due = append(q.due, fmt.Sprint(kind, " ", id, " ", at.Format(time.RFC3339)))
	return nil
}

func config(tb testing.TB) vaulttest.Config {
	tb.Helper()
	return moduletest.Config(tb, identity.New(nil).Module(), consent.New(nil).Module(), restriction.New(nil, nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module(), inbox.New(nil, nil, nil, nil).Module())
}

func furnish(tb testing.TB, k *vaulttest.Kit) *house {
	h := &house{Kit: k, hub: live.New(live.Options{}), queue: &queue{}, consent: consent.New(k.Vault), contacts: contacts.New(k.Vault)}
	tb.Cleanup(func() { _ = h.hub.Drain(context.Background()) })
	h.inbox = inbox.New(k.Vault, h.hub, h.queue, h.contacts)
	h.operator = h.user(tb, k.Tenant, "Ines Moreau", vault.Operator)
	return h
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, furnish(t, k)) })
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func refused(tb testing.TB, what string, err error, kind errs.Kind) {
	tb.Helper()
	if !errs.Is(err, kind) {
		tb.Errorf("%s: got %v, want %s", what, err, kind)
	}
}

var actSeed = vault.Act("test.seed", purpose.Storage, vault.System())

// user makes somebody who works for a tenant.
func (h *house) user(tb testing.TB, tenant ids.Tenant, name string, roles ...vault.Role) vault.Actor {
	tb.Helper()
	actor := vaulttest.User(tenant, roles...)
	person, err := h.Vault.NewSubject(tb.Context(), vaulttest.System(tenant))
	must(tb, err)
	must(tb, h.Vault.Do(tb.Context(), vaulttest.System(tenant), actSeed, func(tx *vault.Tx) error {
		return identity.Users.Add(tx, identity.User{ID: actor.User(), Person: person, Name: personal.Of(name), Email: personal.Of(actor.User().String()), Roles: string(vault.Operator), CreatedAt: tx.Now()})
	}))
	return actor
}

// visitor makes somebody who has agreed to write.
func (h *house) visitor(tb testing.TB, tenant ids.Tenant) vault.Actor {
	tb.Helper()
	c, err := h.contacts.NewVisitor(tb.Context(), tenant, contacts.Draft{Name: "Maria Kowal"})
	must(tb, err)
	actor := vaulttest.Visitor(tenant, c.ID)
	must(tb, h.consent.Record(tb.Context(), actor, c.ID, consent.Choice{Purpose: consent.Support, Version: "1", Language: "en", Granted: true}))
	return actor
}

// clientID is an identifier as the widget makes them for messages.
func clientID() string { return uuid.Must(uuid.NewV7()).String() }

func (h *house) receive(tb testing.TB, visitor vault.Actor, text string) inbox.Ack {
	tb.Helper()
	ack, err := h.inbox.Receive(tb.Context(), visitor, inbox.Incoming{ClientID: clientID(), Text: personal.Of(text)})
	must(tb, err)
	return ack
}

func (h *house) reply(tb testing.TB, conv ids.Conversation, text string) inbox.Ack {
	tb.Helper()
	ack, err := h.inbox.Reply(tb.Context(), h.operator, conv, inbox.Outgoing{ClientID: clientID(), Text: personal.Of(text)})
	must(tb, err)
	return ack
}

func (h *house) note(tb testing.TB, conv ids.Conversation, text string) inbox.Ack {
	tb.Helper()
	ack, err := h.inbox.Reply(tb.Context(), h.operator, conv, inbox.Outgoing{Text: personal.Of(text), Note: true})
	must(tb, err)
	return ack
}

// assigned is the change that gives a conversation to both.
func assigned(user ids.User, team inbox.TeamID) inbox.Assignment {
	return inbox.Assignment{User: &user, Team: &team}
}

// transcript is what an actor reads of a conversation, as "seq kind text".
func (h *house) transcript(tb testing.TB, actor vault.Actor, conv ids.Conversation) []string {
	tb.Helper()
	list, _, err := h.inbox.History(tb.Context(), actor, conv, 0, 100)
	must(tb, err)
	return lines(list)
}

func lines(list []inbox.Message) []string {
	var out []string
	for _, m := range list {
		out = append(out, strconv.FormatInt(m.Seq, 10)+" "+string(m.From)+" "+m.Text.Reveal())
	}
	return out
}

func TestMain(m *testing.M) { pgtest.Main(m) }
