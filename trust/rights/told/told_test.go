package told_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/frame/mail"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/frame/page/pagetest"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/identity"
	"aver/trust/rights/told"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/postgres/pgtest"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// relay takes letters, unless it is away.
type relay struct {
	mu   sync.Mutex
	away bool
	sent []mail.Message
}

func (r *relay) Send(_ context.Context, m mail.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return errors.New("the relay is away")
	}
	r.sent = append(r.sent, m)
	return nil
}

func (r *relay) letters() []mail.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]mail.Message(nil), r.sent...)
}

// program is one of the tenant's, which takes an event when it is there.
type program struct {
	mu       sync.Mutex
	taken    time.Time
	failed   bool
	insisted int
}

func (p *program) hooks() told.Webhooks {
	return told.Webhooks{
		Deliveries: func(_ *vault.Tx, _ journal.Entry, _ int) ([]told.Delivery, error) {
			return []told.Delivery{{Webhook: "whk_1", Name: "CRM", Message: "msg_1"}}, nil
		},
		Taken: func(*vault.Tx, string) (time.Time, bool, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.taken, p.failed, nil
		},
		Again: func(context.Context, ids.Tenant, string, string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.insisted++
			return nil
		},
	}
}

func (p *program) set(taken time.Time, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken, p.failed = taken, failed
}

type world struct {
	*vaulttest.Kit
	told    *told.Service
	relay   *relay
	program *program
	owner   vault.Actor
}

func settle(t testing.TB, k *vaulttest.Kit) *world {
	t.Helper()
	w := &world{Kit: k, relay: &relay{}, program: &program{}, owner: vaulttest.User(k.Tenant, vault.Owner)}
	w.told = told.New(k.Vault, w.program.hooks(), w.relay)
	queue := moduletest.Queue(t)
	must(t, w.told.Module().Jobs(queue))
	must(t, queue.Start(t.Context()))
	w.told.Follow(k.Tenant)
	return w
}

func each(t *testing.T, test func(*testing.T, *world)) {
	t.Parallel()
	c := moduletest.Config(t, identity.New(nil).Module(), told.New(nil, told.Webhooks{}, nil).Module())
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) { test(t, settle(t, k)) })
}

var act = vault.Act("test.happen", purpose.Storage, vault.System())

func (w *world) happen(t testing.TB, event string, who ids.Contact) {
	t.Helper()
	must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: event, Object: who.String(), Subject: who}, nil)
		return nil
	}))
}

// until waits for so many tellings about a person of which so many were acknowledged.
func (w *world) until(t testing.TB, who ids.Contact, all, acknowledged int) []told.Telling {
	t.Helper()
	var list []told.Telling
	eventually.Must(t, "the recipients are told", func() bool {
		must(t, w.told.Tell(t.Context(), w.Tenant))
		var err error
		list, err = w.told.Of(t.Context(), w.owner, who)
		must(t, err)
		n := 0
		for _, one := range list {
			if one.State == told.Acknowledged {
				n++
			}
		}
		return len(list) == all && n == acknowledged
	})
	return list
}

func TestRecipientsAreToldUntilTheyHaveTakenIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.told.Add(t.Context(), w.owner, "Kowal Logistics", "privacy@logistics.example")
		must(t, err)
		w.relay.away = true
		ada := ids.NewSubject(vaulttest.Start)
		w.happen(t, "contact.erased", ada)
		w.happen(t, "contact.updated", ada) // nobody must hear of that
		w.until(t, ada, 2, 0)

		w.relay.mu.Lock()
		w.relay.away = false
		w.relay.mu.Unlock()
		w.Clock.Advance(time.Hour)
		w.until(t, ada, 2, 1)
		w.program.set(time.Time{}, true) // given up: it is asked to go on
		w.Clock.Advance(25 * time.Hour)
		w.until(t, ada, 2, 1)
		eventually.Must(t, "the webhook is sent again", func() bool {
			w.program.mu.Lock()
			defer w.program.mu.Unlock()
			return w.program.insisted > 0
		})
		w.program.set(w.Clock.Now(), false)
		w.Clock.Advance(25 * time.Hour)
		for _, one := range w.until(t, ada, 2, 2) {
			if one.ToldAt.IsZero() || one.Attempts == 0 {
				t.Errorf("told %s by %s after %d tries", one.ToldAt, one.Via, one.Attempts)
			}
		}
		sent := w.relay.letters()
		if len(sent) != 1 || !strings.Contains(sent[0].Text, ada.String()) || !strings.Contains(sent[0].Text, "Erase what you have got") || sent[0].To.Reveal() != "privacy@logistics.example" {
			t.Errorf("letters: %v", len(sent))
		}
	})
}

func TestWhoWasNotThereIsNeverCalledTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.relay.away = true
		gone, err := w.told.Add(t.Context(), w.owner, "Removed before", "privacy@logistics.example")
		must(t, err)
		_, err = w.told.Add(t.Context(), w.owner, "Nowhere", "privacy@logistics.invalid")
		must(t, err)
		ada := ids.NewSubject(vaulttest.Start)
		w.happen(t, "contact.erased", ada)
		w.until(t, ada, 3, 0)
		must(t, w.told.Remove(t.Context(), w.owner, gone.ID))
		w.Clock.Advance(25 * time.Hour)
		lost := 0
		for _, one := range w.until(t, ada, 3, 0) {
			if !one.ToldAt.IsZero() {
				t.Errorf("%s was told %s", one.Name, one.ToldAt)
			}
			if one.State == told.Lost {
				lost++
			}
		}
		if lost != 2 {
			t.Errorf("%d are said to be lost", lost)
		}
	})
}

func TestThePersonMayAskWhoWasToldAndNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ada, bob := ids.NewSubject(vaulttest.Start), ids.NewSubject(vaulttest.Start)
		w.happen(t, "contact.rectified", ada)
		w.until(t, ada, 1, 0)
		if list, err := w.told.Of(t.Context(), vaulttest.Visitor(w.Tenant, ada), ada); err != nil || len(list) != 1 || list[0].Name != "CRM" {
			t.Errorf("the person sees %v, %v", list, err)
		}
		if _, err := w.told.Of(t.Context(), vaulttest.Visitor(w.Tenant, bob), ada); !errs.Is(err, errs.NotFound) {
			t.Errorf("another visitor: %v", err)
		}
		for name, ask := range map[string]func(vault.Actor) error{
			"the list":  func(a vault.Actor) error { _, err := w.told.List(t.Context(), a); return err },
			"the log":   func(a vault.Actor) error { _, err := w.told.Lately(t.Context(), a); return err },
			"a new one": func(a vault.Actor) error { _, err := w.told.Add(t.Context(), a, "me", "me@example.org"); return err },
		} {
			if err := ask(vaulttest.Visitor(w.Tenant, ada)); !errs.Is(err, errs.Forbidden) {
				t.Errorf("a visitor asks for %s: %v", name, err)
			}
		}
		if list, err := w.told.Of(t.Context(), vaulttest.User(w.Other, vault.Owner), ada); err != nil || len(list) != 0 {
			t.Errorf("another workspace sees %v, %v", list, err)
		}
	})
}

func TestARecipientThatCannotBeToldIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			actor       vault.Actor
			name, email string
			want        errs.Kind
		}{
			"without a name":   {w.owner, " ", "a@b.example", errs.Invalid},
			"without address":  {w.owner, "Kowal", "not an address", errs.Invalid},
			"by an operator":   {vaulttest.User(w.Tenant, vault.Operator), "Kowal", "a@b.example", errs.Forbidden},
			"by an auditor":    {vaulttest.User(w.Tenant, vault.Auditor), "Kowal", "a@b.example", errs.Forbidden},
			"by a weak key":    {vaulttest.Key(w.Tenant, "privacy:read"), "Kowal", "a@b.example", errs.Forbidden},
			"as they ought to": {w.owner, "Kowal", "a@b.example", ""},
		} {
			if _, err := w.told.Add(t.Context(), c.actor, c.name, c.email); errs.Of(err) != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestThePageOfRecipientsIsLegible(t *testing.T) {
	t.Parallel()
	w := settle(t, vaulttest.Embedded(t, moduletest.Config(t, identity.New(nil).Module(), told.New(nil, told.Webhooks{}, nil).Module())))
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		moduletest.Edge(moduletest.Mux(w.told.Module()), w.owner, page.View{Tenant: "Acme", Region: "eu", User: "Ada Kowal", Role: "Owner"}).ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	tab := browser.New(t)
	tab.Goto(server.URL + "/privacy/recipients")
	axe.Look(t, tab, "recipients-empty")
	tab.Type(`input[name="name"]`, "Kowal Logistics")
	tab.Type(`input[name="email"]`, "privacy@logistics.example")
	tab.Click(`form.form button[type="submit"]`)
	tab.WaitText("body", "privacy@logistics.example")
	ada := ids.NewSubject(vaulttest.Start)
	w.happen(t, "contact.erased", ada)
	w.until(t, ada, 2, 1)
	tab.Goto(server.URL + "/privacy/recipients")
	axe.Look(t, tab, "recipients")
	res, err := server.Client().Get(server.URL + "/privacy/recipients")
	must(t, err)
	defer res.Body.Close()
	pagetest.Check(t, text(t, res))
}

func text(t testing.TB, res *http.Response) string {
	t.Helper()
	var out strings.Builder
	_, err := io.Copy(&out, res.Body)
	must(t, err)
	return out.String()
}
