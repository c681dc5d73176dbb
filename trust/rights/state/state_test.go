package state_test

import (
	"slices"
	"testing"
	"time"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/trust/rights/state"
)

// allowed is the whole table once more, drawn by hand: a row for each state, a column for where it may go.
var allowed = map[state.State]string{
	//                 op ve co ru fu re ex de
	state.Open:       " .  .  .  x  x  x  .  x",
	state.Verifying:  " x  .  x  x  x  x  x  x",
	state.Confirming: " .  .  .  x  .  x  x  x",
	state.Running:    " x  .  .  .  x  .  .  x",
	state.Fulfilled:  " .  .  .  .  .  .  .  .",
	state.Revoked:    " .  .  .  .  .  .  .  .",
	state.Expired:    " .  .  .  .  .  .  .  .",
	state.Denied:     " .  .  .  .  .  .  .  .",
}

func TestARequestGoesOnlyWhereTheTableAllows(t *testing.T) {
	t.Parallel()
	for _, from := range append(slices.Clone(state.States), "nowhere") {
		for i, to := range state.States {
			want := from != "nowhere" && allowed[from][3*i+1] == 'x'
			s := from
			if err := s.Move(to); (err == nil) != want || err != nil && (!errs.Is(err, errs.Conflict) || s != from) {
				t.Errorf("from %s to %s: %v, and it is %s then", from, to, err, s)
			}
		}
	}
}

func TestEveryStateCanBeReachedAndEveryRequestCanEnd(t *testing.T) {
	t.Parallel()
	reached := slices.Clone(state.Begins)
	for i := 0; i < len(reached); i++ {
		for _, next := range state.States {
			if reached[i].May(next) && !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
		}
	}
	for _, s := range state.States {
		if !slices.Contains(reached, s) {
			t.Errorf("%s cannot be reached", s)
		}
		if !s.Over() && !s.May(state.Denied) {
			t.Errorf("a request that is %s cannot be denied", s)
		}
	}
}

func TestEveryKindHasADeedAClockAndAWordUnderEitherLaw(t *testing.T) {
	t.Parallel()
	for _, k := range state.Kinds {
		if k.Deed() == "" || (k.Deed() == state.Hold) != (k.Limit() != "") {
			t.Errorf("%s: deed %q, limit %q", k, k.Deed(), k.Limit())
		}
		for _, regime := range state.Regimes {
			under := k.Under(regime)
			if !under.Known() || under.Deed() != k.Deed() || under.Under(regime) != under {
				t.Errorf("%s under %s is %s", k, regime, under)
			}
			if _, err := deadline.Of(under.Clock(regime), time.Time{}); err != nil {
				t.Errorf("%s under %s: %v", k, regime, err)
			}
		}
	}
	if state.Kind("copy").Known() {
		t.Error("a kind that does not exist is known")
	}
}

func TestADenialFitsItsRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   state.Kind
		reason state.Reason
		words  string
		fits   bool
	}{
		{state.Erasure, state.Exempt, "", true},
		{state.Delete, state.Exempt, "", true},
		{state.Access, state.Exempt, "", false},
		{state.Access, state.Excessive, "", true},
		{state.Access, state.Other, "", false},
		{state.Access, state.Other, "because", true},
		{state.Access, "we do not feel like it", "because", false},
		{state.Access, state.NoMatch, string(make([]byte, 5000)), false},
	} {
		if err := state.CheckDenial(c.kind, c.reason, c.words); (err == nil) != c.fits {
			t.Errorf("%s, %s: %v", c.kind, c.reason, err)
		}
	}
}
