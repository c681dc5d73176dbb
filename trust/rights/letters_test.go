package rights_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aver/base/deadline"
	"aver/base/eventually"
	"aver/base/personal"
	"aver/trust/rights"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/vaulttest"
)

// allWritten waits until no letter is owed any more.
func (w *world) allWritten(t *testing.T) {
	t.Helper()
	eventually.Must(t, "every letter to be written", func() bool {
		owed := 0
		must(t, w.Vault.View(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) (err error) {
			owed, err = rights.Requests.Count(tx, "owed <> 0")
			return err
		}))
		return owed == 0
	})
}

// The first process stores what is decided and stops before anything reaches the queue: its queue never works, and is not the
// one that the second process has.
func TestNoLetterIsLostWhenTheProcessStopsAfterTheDecisionIsStored(t *testing.T) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) {
		first := idle(t, k)
		first.staffed(t)
		start := func(name, regime string, kind state.Kind) rights.RequestID {
			who := first.add(t, k.Tenant, person{Email: personal.Of(name + "@example.org")}, "words")
			id, err := first.rights.Start(t.Context(), first.owner, rights.Wish{Kind: kind, Regime: regime, Text: "please"}, who)
			must(t, err)
			return id
		}
		_, err := first.rights.Deny(t.Context(), first.owner, start("denied", deadline.GDPR, state.Rectification), rights.Decision{Reason: state.NoMatch})
		must(t, err)
		_, err = first.rights.Fulfil(t.Context(), first.owner, start("fulfilled", deadline.GDPR, state.Rectification), rights.Decision{})
		must(t, err)
		longer := start("extended", deadline.GDPR, state.Rectification)
		_, err = first.rights.Extend(t.Context(), first.owner, longer, rights.Decision{Delay: state.Many})
		must(t, err)
		_, err = first.rights.ConfirmReceipt(t.Context(), first.owner, start("confirmed", deadline.CCPA, state.Rectification))
		must(t, err)
		start("objected", deadline.GDPR, state.Objection) // carried out at once
		visitor := first.add(t, k.Tenant, person{Name: personal.Of("Bo")}, "words")
		waits, err := first.rights.Start(t.Context(), vaulttest.Visitor(k.Tenant, visitor), rights.Wish{Kind: state.Rectification, Text: "please"}, visitor)
		must(t, err)
		first.ask(t, rights.Wish{Kind: state.Access, Email: "unknown@example.net", Text: "Tell me everything"})
		k.Clock.Advance(11 * time.Minute)

		second := settle(t, k)
		passed := second.passed(t)
		second.allWritten(t)
		must(t, second.rights.Due(t.Context())) // finds nothing that was written already
		second.allWritten(t)
		got := map[string]int{}
		for range len(second.post.sent) {
			m := <-second.post.sent
			to := m.To.Reveal()
			if to == officer {
				to = ""
				for name, id := range map[string]rights.RequestID{"of the visitor": waits, "of a stranger": passed.ID} {
					if strings.Contains(m.Text, id.String()) {
						to = name
					}
				}
			}
			got[to]++
		}
		for _, want := range []string{"denied@example.org", "fulfilled@example.org", "extended@example.org", "confirmed@example.org", "objected@example.org", "of the visitor", "of a stranger"} {
			if got[want] != 1 {
				t.Errorf("%d letters to %s", got[want], want)
			}
			delete(got, want)
		}
		if len(got) != 0 {
			t.Errorf("letters to nobody who was owed one: %v", got)
		}
		if r := second.request(t, longer); r.ExtendedAt.IsZero() {
			t.Error("the person was told that it takes longer, and it does not")
		}
	})
}

func TestNoAlarmIsLostWhenTheProcessStopsAfterItIsStored(t *testing.T) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) {
		first := idle(t, k)
		first.staffed(t)
		who := first.add(t, k.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		id, err := first.rights.Start(t.Context(), first.owner, rights.Wish{Kind: state.Rectification, Text: "please"}, who)
		must(t, err)
		k.Clock.Advance(29 * day)
		must(t, first.rights.Due(t.Context()))
		if first.request(t, id).AlarmedAt.IsZero() {
			t.Fatal("there was no alarm")
		}
		second := settle(t, k)
		if m := second.letter(t, officer); !strings.Contains(m.Text, id.String()) {
			t.Errorf("the officer is told %q", m.Text)
		}
	})
}

// marked waits until one of the letters about a request is known not to be deliverable.
func (w *world) marked(t *testing.T, id rights.RequestID) rights.Request {
	t.Helper()
	eventually.Must(t, "the letter to be given up", func() bool { return w.request(t, id).Returned != 0 })
	return w.request(t, id)
}

func TestALetterThatIsRefusedForGoodIsGivenUpAuditedAndShownToThoseWhoAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.staffed(t)
		w.post.refuses.Store("ada@example.org")
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		id, err := w.rights.Start(t.Context(), w.owner, rights.Wish{Kind: state.Rectification, Text: "please"}, ada)
		must(t, err)
		_, err = w.rights.Deny(t.Context(), w.owner, id, rights.Decision{Reason: state.NoMatch})
		must(t, err)
		if m := w.letter(t, officer); !strings.Contains(m.Text, "cannot be delivered") || !strings.Contains(m.Text, id.String()) || strings.Contains(m.Text, "ada@") {
			t.Errorf("the officer is told %q", m.Text)
		}
		if names := w.marked(t, id).Returned.Names(); !slices.Equal(names, []string{"denied"}) {
			t.Errorf("not delivered: %v", names)
		}
		w.allWritten(t)
		must(t, w.rights.Due(t.Context()))
		w.allWritten(t)
		if n := w.post.refused.Load(); n != 1 {
			t.Errorf("it was sent %d times", n)
		}
		entries, err := w.Vault.Entries(t.Context(), w.Tenant, 0, 200)
		must(t, err)
		if n := len(slices.DeleteFunc(entries, func(e journal.Entry) bool { return e.Action != "privacy_request.return" || e.Subject != ada })); n != 1 {
			t.Errorf("%d entries in the log", n)
		}
	})
}

func TestALinkThatIsRefusedForGoodIsShownAndACodeIsNotSentAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.staffed(t)
		w.post.refuses.Store("ada@example.org")
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		id, err := w.rights.Enter(t.Context(), w.owner, rights.Wish{Kind: state.Access, Via: "letter", Proof: state.Link}, ada)
		must(t, err)
		if m := w.letter(t, officer); !strings.Contains(m.Text, id.String()) {
			t.Errorf("the officer is told %q", m.Text)
		}
		ticket := w.ask(t, rights.Wish{Kind: state.Access, Email: "ada@example.org"})
		if names := w.marked(t, ticket.Request).Returned.Names(); !slices.Equal(names, []string{"code"}) || w.post.refused.Load() != 2 {
			t.Errorf("not delivered: %v, after %d tries of both", names, w.post.refused.Load())
		}
		w.allWritten(t)
		for len(w.post.sent) > 0 { // that about the link may have gone twice: what was due is looked for at the start, too
			if m := <-w.post.sent; strings.Contains(m.Text, ticket.Request.String()) {
				t.Errorf("a letter to officers about a code that a stranger had sent: %s", m.Text)
			}
		}
		w.post.refuses.Store("") // the mailbox takes letters again
		must(t, w.rights.Another(t.Context(), w.Tenant, ticket))
		w.letter(t, "ada@example.org")
		eventually.Must(t, "the mark to go", func() bool { return w.request(t, ticket.Request).Returned == 0 })
	})
}

func TestAnExtensionOfWhichNobodyCouldBeToldDoesNotHold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.post.refuses.Store("ada@example.org")
		ada := w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		id, err := w.rights.Start(t.Context(), w.owner, rights.Wish{Kind: state.Rectification, Text: "please"}, ada)
		must(t, err)
		before, err := w.rights.Extend(t.Context(), w.owner, id, rights.Decision{Delay: state.Many})
		must(t, err)
		if r := w.marked(t, id); !r.ExtendedAt.IsZero() || !r.LegalAt.Equal(before.LegalAt) {
			t.Errorf("it is due by %s", r.LegalAt)
		}
		must(t, w.rights.GiveUp(t.Context(), w.Tenant, record.NewID(w.Clock.Now()), record.DoneLetter)) // of a request that is gone
	})
}
