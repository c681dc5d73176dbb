package rights_test

import (
	"strings"
	"testing"
	"time"

	"aver/base/deadline"
	"aver/base/eventually"
	"aver/base/personal"
	"aver/trust/rights"
	"aver/trust/rights/state"
	"aver/vault"
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
