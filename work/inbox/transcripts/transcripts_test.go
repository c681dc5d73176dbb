package transcripts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/frame/page/pagetest"
	"aver/trust/consent"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/trust/improvement"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/inbox"
	"aver/work/inbox/transcripts"
)

// house is a vault with people who write, those who answer, and improvement sets.
type house struct {
	*vaulttest.Kit
	inbox    *inbox.Service
	contacts *contacts.Service
	consent  *consent.Service
	service  *improvement.Service
	owner    vault.Actor
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	c := moduletest.Config(t, identity.New(nil).Module(), consent.New(nil).Module(), holds.New(nil, nil).Module(), contacts.New(nil).Module(), inbox.New(nil, nil, nil, nil).Module(),
		improvement.New(nil, nil, nil, nil).Module())
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) { test(t, furnish(t, k)) })
}

func furnish(t *testing.T, k *vaulttest.Kit) *house {
	t.Helper()
	hub, queue := live.New(live.Options{}), moduletest.Queue(t)
	t.Cleanup(func() { _ = hub.Drain(context.Background()) })
	h := &house{Kit: k, contacts: contacts.New(k.Vault), consent: consent.New(k.Vault), owner: vaulttest.User(k.Tenant, vault.Owner)}
	h.inbox = inbox.New(k.Vault, hub, queue, h.contacts)
	h.service = improvement.New(k.Vault, transcripts.Read, identity.New(k.Vault), queue)
	must(t, h.inbox.Module().Jobs(queue))
	must(t, h.service.Module().Jobs(queue))
	person, err := k.Vault.NewSubject(t.Context(), vaulttest.System(k.Tenant))
	must(t, err)
	h.do(t, func(tx *vault.Tx) error {
		return identity.Users.Add(tx, identity.User{ID: h.owner.User(), Person: person, Name: personal.Of("Qadira Xenophontos"), Email: personal.Of("qadira@bees.example"), Roles: string(vault.Owner), CreatedAt: tx.Now()})
	})
	return h
}

var actSeed = vault.Act("test.seed", purpose.Storage, vault.System())

func (h *house) do(t testing.TB, what func(*vault.Tx) error) {
	t.Helper()
	must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), actSeed, what))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// said notes what a person has said about improvement.
func (h *house) said(t testing.TB, person ids.Contact, kind purpose.Kind, name string) {
	t.Helper()
	h.do(t, func(tx *vault.Tx) error {
		return vault.Standings.Put(tx, vault.Standing{Person: person, Kind: kind, Purpose: name, Since: tx.Now()})
	})
}

// writes lets somebody write, whom the operator answers. Everybody says the same but who they are.
func (h *house) writes(t testing.TB, n int) ids.Contact {
	t.Helper()
	name := fmt.Sprintf("Zorblax%c Quuxington", 'a'+n)
	c, err := h.contacts.NewVisitor(t.Context(), h.Tenant, contacts.Draft{Name: name, Email: fmt.Sprintf("zorb%d@hive.example", n), Company: "Hive & Sons Ltd"})
	must(t, err)
	visitor := vaulttest.Visitor(h.Tenant, c.ID)
	must(t, h.consent.Record(t.Context(), visitor, c.ID, consent.Choice{Purpose: consent.Support, Version: "1", Language: "en", Granted: true}))
	texts := []string{"My order is late, says zorblax" + string(rune('a'+n)), "Write to " + fmt.Sprintf("zorb%d@hive.example or my sister Wilhelmina Unobtainius, 1%d Baker Street, London NW1 6XE", n, n)}
	var conversation ids.Conversation
	for _, text := range texts {
		ack, err := h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: uuid.Must(uuid.NewV7()).String(), Text: personal.Of(text)})
		must(t, err)
		conversation = ack.Conversation
	}
	_, err = h.inbox.Reply(t.Context(), h.owner, conversation, inbox.Outgoing{Text: personal.Of("Hello zorblax" + string(rune('a'+n)) + ", your order is on its way. Qadira")})
	must(t, err)
	_, err = h.inbox.Reply(t.Context(), h.owner, conversation, inbox.Outgoing{Text: personal.Of("a note that is for us alone"), Note: true})
	must(t, err)
	return c.ID
}

// made makes a set and returns it with its lines.
func (h *house) made(t testing.TB) (improvement.Set, []string) {
	t.Helper()
	one, err := h.service.Make(t.Context(), h.owner)
	must(t, err)
	must(t, h.service.Build(t.Context(), h.Tenant, one.ID))
	one, err = h.service.Get(t.Context(), h.owner, one.ID)
	must(t, err)
	text, err := h.service.Take(t.Context(), h.owner, one.ID)
	must(t, err)
	return one, strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

func (h *house) crowd(t testing.TB, n int) (out []ids.Contact) {
	t.Helper()
	must(t, h.service.Switch(t.Context(), h.owner, true))
	for i := range n {
		person := h.writes(t, i)
		h.said(t, person, purpose.Granted, purpose.Improvement)
		out = append(out, person)
	}
	return out
}

func TestNothingIsMadeUnlessTheTenantSwitchedItOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if _, err := h.service.Make(t.Context(), h.owner); !errs.Is(err, errs.Conflict) {
			t.Errorf("got %v", err)
		}
	})
}

func TestASetHoldsWhatWasSaidAndNobodyWhoSaidIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		people := h.crowd(t, 6)
		one, lines := h.made(t)
		if one.Label() != improvement.Anonymised || one.People != 6 || one.Transcripts != 6 || one.Messages != 18 || one.Alike != 6 || one.Shared != 6 || len(lines) != 6 {
			t.Errorf("%s: %+v with %d lines", one.Label(), one, len(lines))
		}
		all := strings.ToLower(strings.Join(lines, "\n"))
		for _, word := range []string{"zorb", "quux", "hive", "qadira", "xenophontos", "wilhelmina", "unobtainius", "baker", "nw1", "note", people[0].String()} {
			if strings.Contains(all, word) {
				t.Errorf("the set says %q:\n%s", word, all)
			}
		}
		var first struct {
			Period, Channel, Company string
			Messages                 []struct{ From, Text string }
		}
		must(t, json.Unmarshal([]byte(lines[0]), &first))
		if first.Period != h.Vault.Now().UTC().Format(time.DateOnly) || first.Channel != "webchat" || first.Company != "company 1" {
			t.Errorf("%+v", first)
		}
		if m := first.Messages; len(m) != 3 || m[0].From != "visitor" || m[0].Text != "My order is late, says [NAME_1]" || m[2].From != "operator" || m[2].Text != "Hello [NAME_1], your order is on its way. [NAME_2]" && m[2].Text != "Hello [NAME_1], your order is on its way. [NAME_3]" {
			t.Errorf("%+v", m)
		}
	})
}

func TestWhoDidNotAgreeObjectedOrWasRestrictedIsNotInTheNextSet(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		people := h.crowd(t, 8)
		h.writes(t, 9) // did not agree
		h.said(t, people[0], purpose.Restrict, purpose.All)
		h.said(t, people[1], purpose.Object, purpose.Improvement)
		one, lines := h.made(t)
		if one.Looked != 6 || len(lines) != 6 {
			t.Errorf("looked at %d, %d in the set", one.Looked, len(lines))
		}
		must(t, h.Vault.EraseSubject(t.Context(), vaulttest.System(h.Tenant), actSeed, people[2], "test"))
		must(t, h.service.Remove(t.Context(), h.owner, one.ID))
		if next, _ := h.made(t); next.Looked != 5 {
			t.Errorf("after an erasure looked at %d", next.Looked)
		}
	})
}

func TestTooFewPeopleMakeAnEmptySet(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.crowd(t, 4)
		one, lines := h.made(t)
		if one.Looked != 4 || len(lines) != 0 || one.Label() != improvement.Pseudonymised {
			t.Errorf("%s: %+v with %d lines", one.Label(), one, len(lines))
		}
	})
}

func TestASetIsNotTakenBeforeItIsDoneNorAfterItWasRemovedOrSwitchedOff(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.crowd(t, 5)
		one, err := h.service.Make(t.Context(), h.owner)
		must(t, err)
		if _, err = h.service.Take(t.Context(), h.owner, one.ID); !errs.Is(err, errs.Conflict) {
			t.Errorf("before it was done: %v", err)
		}
		if _, err = h.service.Make(t.Context(), h.owner); !errs.Is(err, errs.Conflict) {
			t.Errorf("two at once: %v", err)
		}
		must(t, h.service.Build(t.Context(), h.Tenant, one.ID))
		must(t, h.service.Build(t.Context(), h.Tenant, one.ID)) // a job that runs twice
		if lines, err := h.service.Take(t.Context(), h.owner, one.ID); err != nil || strings.Count(string(lines), "\n") != 5 {
			t.Errorf("made twice: %d lines, %v", strings.Count(string(lines), "\n"), err)
		}
		must(t, h.service.Switch(t.Context(), h.owner, false))
		if _, err = h.service.Get(t.Context(), h.owner, one.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("after it was switched off: %v", err)
		}
		if err := h.service.Build(t.Context(), h.Tenant, one.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("made after it was removed: %v", err)
		}
	})
}

// rows counts the transcripts of all sets.
func (h *house) rows(t testing.TB) (n int) {
	t.Helper()
	for _, table := range h.Vault.Tables() {
		if table.Name() != "improvement_transcripts" {
			continue
		}
		must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), actSeed, func(tx *vault.Tx) error {
			n = 0
			_, err := h.Vault.EachRowOf(tx, table, nil, 100, func([]vault.Cell) error { n++; return nil })
			return err
		}))
	}
	return n
}

func TestASetThatIsSwitchedOffWhileItIsMadeLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.crowd(t, 5)
		h.made(t)
		if n := h.rows(t); n != 5 {
			t.Fatalf("a set of 5 has %d transcripts", n)
		}
		one, err := h.service.Make(t.Context(), h.owner)
		must(t, err)
		late := improvement.New(h.Vault, func(tx *vault.Tx, before ids.Conversation, most int) ([]improvement.Conversation, error) {
			some, err := transcripts.Read(tx, before, most)
			if len(some) == 0 { // all was read, nothing is written
				err = errors.Join(err, h.service.Switch(t.Context(), h.owner, false))
			}
			return some, err
		}, identity.New(h.Vault), nil)
		if err := late.Build(t.Context(), h.Tenant, one.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("made after it was removed: %v", err)
		}
		if n := h.rows(t); n != 0 {
			t.Errorf("%d transcripts are left", n)
		}
	})
}

func (h *house) pages(actor vault.Actor) http.Handler {
	return moduletest.Edge(moduletest.Mux(h.service.Module()), actor, page.View{})
}

func TestThePagesSayWhatASetMayBeCalledAndWhy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		pages := h.pages(h.owner)
		const home = "/settings/improvement"
		if a := moduletest.Get(pages, home); a.Status != http.StatusOK || !strings.Contains(a.Body, "Switched off") || !strings.Contains(a.Body, "No sets yet") {
			t.Errorf("status %d:\n%s", a.Status, a.Body)
		}
		if a := moduletest.Post(pages, home, "enabled", "yes"); a.Status != http.StatusSeeOther {
			t.Errorf("switch: %d", a.Status)
		}
		h.crowd(t, 5)
		one, _ := h.made(t)
		for path, words := range map[string][]string{
			home:                              {"Anonymised", one.ID.String(), "Make a set"},
			home + "/sets/" + one.ID.String(): {"Can somebody be singled out?", "At least 5 people", "used by at least 5 people", "/settings/improvement/download/"},
			home + "/sets/" + one.ID.String() + "?sample": {"[NAME_1]", "webchat"},
		} {
			a := moduletest.Get(pages, path)
			pagetest.Check(t, a.Body)
			for _, w := range words {
				if !strings.Contains(a.Body, w) {
					t.Errorf("%s does not say %q", path, w)
				}
			}
		}
		a := moduletest.Get(pages, "/settings/improvement/download/"+one.ID.String())
		if a.Status != http.StatusOK || !strings.Contains(a.Header.Get("Content-Disposition"), "anonymised.jsonl") || strings.Count(a.Body, "\n") != 5 {
			t.Errorf("download: %d %s", a.Status, a.Header.Get("Content-Disposition"))
		}
		if a := moduletest.Get(h.pages(vaulttest.User(h.Tenant, vault.Operator)), "/settings/improvement/download/"+one.ID.String()); a.Status != http.StatusForbidden {
			t.Errorf("an operator took it: %d", a.Status)
		}
		if a := moduletest.Post(pages, home+"/sets/"+one.ID.String()+"/remove"); a.Status != http.StatusSeeOther {
			t.Errorf("remove: %d", a.Status)
		}
	})
}

func TestOfWhoeverAsksForASetAtTheSameMomentOneIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		must(t, h.service.Switch(t.Context(), h.owner, true))
		for round := range 5 {
			var made atomic.Int32
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					_, err := h.service.Make(t.Context(), vaulttest.User(h.Tenant, vault.Owner)) // transactions of different people run side by side
					if err == nil {
						made.Add(1)
					} else if !errs.Is(err, errs.Conflict) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if made.Load() != 1 {
				t.Errorf("round %d: %d sets", round, made.Load())
			}
			h.Clock.Advance(2 * time.Hour)
		}
	})
}
