package restriction_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// end reads how far it is with the end of somebody's restriction.
func (h *house) end(t *testing.T, who ids.Contact) restriction.Limit {
	t.Helper()
	list, err := h.limits.List(t.Context(), h.dpo, who)
	must(t, err)
	for _, l := range list {
		if l.Kind == restriction.Restrict {
			return l
		}
	}
	return restriction.Limit{}
}

// restricted is somebody whose data is restricted, and the one who is shown as one with them.
func (h *house) restricted(t *testing.T, address string) (who, twin ids.Contact) {
	t.Helper()
	who, twin = h.person(t), h.person(t)
	h.twins[who] = twin
	h.addresses[twin] = address
	must(t, h.limits.Set(t.Context(), vaulttest.System(h.Tenant), who, restriction.Restrict, ""))
	return who, twin
}

func TestARestrictionEndsOnlyAWeekAfterThePersonWasToldOfIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, twin := h.restricted(t, "ada@example.org")
		must(t, h.limits.Lift(t.Context(), h.dpo, who, restriction.Restrict, ""))
		h.Clock.Advance(30 * 24 * time.Hour) // in which no letter goes
		must(t, h.limits.Due(t.Context()))
		if l := h.end(t, who); l.Announced.IsZero() || !l.Opens.IsZero() || l.Untold || h.works(t, who, purpose.Sync) != errs.Restricted {
			t.Errorf("before the letter: %+v", l)
		}
		h.start()
		eventually.Must(t, "the letter", func() bool { return !h.end(t, who).Opens.IsZero() })
		opens := h.end(t, who).Opens
		sent := h.letters()
		if len(sent) != 1 || sent[0].To.Reveal() != "ada@example.org" || sent[0].Text != opens.Format(time.DateOnly) || !opens.Equal(h.Clock.Now().Add(restriction.Notice)) {
			t.Errorf("told of %v by %+v", opens, sent)
		}
		h.Clock.Advance(restriction.Notice - time.Second)
		must(t, h.limits.Due(t.Context()))
		for _, one := range []ids.Contact{who, twin} {
			if h.works(t, one, purpose.Sync) != errs.Restricted {
				t.Error("it ended before its day")
			}
		}
		h.Clock.Advance(time.Second)
		must(t, h.limits.Due(t.Context()))
		h.Clock.Advance(time.Minute)
		for _, one := range []ids.Contact{who, twin} {
			if got := h.works(t, one, purpose.Sync); got != "" {
				t.Errorf("it did not end on its day: %q", got)
			}
		}
		all, err := h.limits.History(t.Context(), h.dpo, who)
		must(t, err)
		if len(all) != 3 || all[1].Placed || all[1].Kind != restriction.Restrict || all[1].How != restriction.ByOperator { // the newest is the test's own work
			t.Errorf("on record: %+v", all)
		}
	})
}

func TestARestrictionOfWhichNobodyCanBeToldByMailEndsWhenSomebodySaysThatTheyKnow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.start()
		h.refused = "gone@example.org"
		nowhere, _ := h.restricted(t, "")
		gone, _ := h.restricted(t, h.refused)
		for _, who := range []ids.Contact{nowhere, gone} {
			must(t, h.limits.Lift(t.Context(), h.dpo, who, restriction.Restrict, ""))
			eventually.Must(t, "that no letter reaches them", func() bool { return h.end(t, who).Untold })
			h.Clock.Advance(365 * 24 * time.Hour)
			must(t, h.limits.Due(t.Context()))
			if got := h.works(t, who, purpose.Sync); got != errs.Restricted {
				t.Errorf("it ended untold: %q", got)
			}
			must(t, h.limits.LiftTold(t.Context(), h.dpo, who))
			if got := h.works(t, who, purpose.Sync); got != "" || !h.end(t, who).Since.IsZero() {
				t.Errorf("it did not end: %q", got)
			}
		}
		if sent := h.letters(); len(sent) != 0 {
			t.Errorf("sent: %v", sent)
		}
		entries, err := h.Vault.Entries(t.Context(), h.Tenant, 0, 200)
		must(t, err)
		var acts []string
		for _, e := range entries {
			if e.Action == "restriction.announce_lift" || e.Action == "restriction.lift_told" || e.Action == "restriction.lift" {
				acts = append(acts, e.Action)
			}
		}
		if want := []string{"restriction.announce_lift", "restriction.lift_told", "restriction.announce_lift", "restriction.lift_told"}; !slices.Equal(acts, want) {
			t.Errorf("the log says %v", acts)
		}
	})
}

func TestARestrictionThatIsPlacedAgainStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.start()
		who, twin := h.restricted(t, "ada@example.org")
		must(t, h.limits.Lift(t.Context(), h.dpo, who, restriction.Restrict, ""))
		eventually.Must(t, "the letter", func() bool { return !h.end(t, who).Opens.IsZero() })
		must(t, h.limits.Set(t.Context(), vaulttest.System(h.Tenant), who, restriction.Restrict, "")) // they do not agree
		h.Clock.Advance(2 * restriction.Notice)
		must(t, h.limits.Due(t.Context()))
		for _, one := range []ids.Contact{who, twin} {
			if l := h.end(t, one); !l.Announced.IsZero() || h.works(t, one, purpose.Sync) != errs.Restricted {
				t.Errorf("%+v", l)
			}
		}
	})
}

func TestAProgramsEndOfARestrictionIsAnnouncedToo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who, _ := h.restricted(t, "ada@example.org")
		program := vaulttest.Key(h.Tenant, "contacts:write", "contacts:read")
		must(t, h.limits.Lift(t.Context(), program, who, restriction.Restrict, ""))
		if l := h.end(t, who); l.Announced.IsZero() || h.works(t, who, purpose.Sync) != errs.Restricted {
			t.Errorf("%+v", l)
		}
		other := vaulttest.User(h.Other, vault.DPO)
		if err := h.limits.LiftTold(t.Context(), other, who); !errs.Is(err, errs.NotFound) {
			t.Errorf("another workspace: %v", err)
		}
	})
}

func TestWhoBecomesOnePersonWithSomebodyUnrestrictedIsToldAllTheSame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.start()
		who, into := h.person(t), h.person(t)
		h.addresses[who] = "ada@example.org"
		must(t, h.limits.Set(t.Context(), vaulttest.System(h.Tenant), who, restriction.Restrict, ""))
		h.twins[into] = who // merged afterwards: the first of them was never restricted
		must(t, h.limits.Lift(t.Context(), h.dpo, who, restriction.Restrict, ""))
		eventually.Must(t, "the letter", func() bool { return !h.end(t, who).Opens.IsZero() })
		if sent := h.letters(); len(sent) != 1 || sent[0].To.Reveal() != "ada@example.org" {
			t.Errorf("told by %+v", sent)
		}
	})
}

func TestWhatIsAnnouncedAndEndedAtTheSameMomentIsOver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 20 {
			who, twin := h.restricted(t, "ada@example.org")
			var both errgroup.Group // of different people, whose transactions run side by side
			both.Go(func() error {
				return h.limits.Lift(t.Context(), vaulttest.User(h.Tenant, vault.DPO), who, restriction.Restrict, "")
			})
			both.Go(func() error { return h.limits.LiftTold(t.Context(), h.dpo, who) })
			must(t, both.Wait())
			must(t, h.Vault.View(t.Context(), vaulttest.System(h.Tenant), vault.Act("test.look", purpose.Storage, vault.System()), func(tx *vault.Tx) error {
				announced, err := restriction.Liftings.Count(tx, "contact IN (?, ?)", who, twin)
				stand, failed := vault.Standings.Count(tx, "person IN (?, ?)", who, twin)
				if announced+stand > 0 {
					t.Errorf("%d restrictions stand, and of %d an end is announced", stand, announced)
				}
				return errors.Join(err, failed)
			}))
		}
	})
}
