package claims_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/module/moduletest"
	"aver/trust/claims"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// switched is a claim that holds as long as the switch says so.
type switched struct {
	holds bool
	fault error
	runs  int
}

func (s *switched) probe(context.Context) (claim.Evidence, error) {
	s.runs++
	e := claim.Evidence{Holds: true}
	e.Figure("n", "%d", s.runs)
	e.See(s.holds, "the lock", "%v", s.holds)
	return e, s.fault
}

func (s *switched) claim(id string) claim.Claim {
	return claim.Claim{ID: id, Theme: "Tests", Wording: "It was looked at {n} times", Predicate: "the lock is shut", Method: "looking", Owner: "Tests",
		Kind: claim.Measured, Every: time.Hour, FreshFor: 3 * time.Hour, Check: "aver claims verify " + id, Probe: s.probe, On: []string{"lock."},
		Fixtures: []claim.Fixture{{Name: "an open lock", Probe: (&switched{}).probe}}}
}

func each(t *testing.T, test func(*testing.T, *vaulttest.Kit, *claims.Service)) {
	t.Parallel()
	vaulttest.Each(t, moduletest.Config(t, claims.New(nil, 0, slog.Default()).Module()), func(t *testing.T, k *vaulttest.Kit) {
		test(t, k, claims.New(k.Vault, 0, slog.New(slog.DiscardHandler)))
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func board(t testing.TB, s *claims.Service, id string) claims.Standing {
	t.Helper()
	b, err := s.Board(t.Context())
	must(t, err)
	st, ok := b.Find(id)
	if !ok {
		t.Fatalf("%s is not on the board", id)
	}
	return st
}

func run(t testing.TB, s *claims.Service, id string) claims.Run {
	t.Helper()
	r, err := s.Run(t.Context(), id)
	must(t, err)
	return r
}

func TestAPromiseIsShownAsItWasMeasuredLast(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		lock := &switched{holds: true}
		s.Add(lock.claim("tst-1"))
		if st := board(t, s, "tst-1"); st.State != claim.Unknown || !st.Last.At.IsZero() {
			t.Errorf("before the first run it is %s", st.State)
		}
		run(t, s, "tst-1")
		if st := board(t, s, "tst-1"); st.State != claim.Holds || st.Claim.Sentence(st.Last.Evidence) != "It was looked at 1 times" {
			t.Errorf("after a good run it is %s: %s", st.State, st.Claim.Sentence(st.Last.Evidence))
		}
		k.Clock.Advance(time.Hour)
		lock.holds = false
		run(t, s, "tst-1")
		if st := board(t, s, "tst-1"); st.State != claim.Failing || !st.Since.Equal(k.Clock.Now()) || st.Days[claims.Days-1] != claim.Failing {
			t.Errorf("after a bad run it is %s since %s", st.State, st.Since)
		}
		k.Clock.Advance(time.Hour)
		lock.holds = true
		run(t, s, "tst-1")
		if st := board(t, s, "tst-1"); st.State != claim.Holds || st.Days[claims.Days-1] != claim.Failing {
			t.Errorf("mended it is %s, and the day is shown as %s", st.State, st.Days[claims.Days-1])
		}
		k.Clock.Advance(4 * time.Hour)
		if st := board(t, s, "tst-1"); st.State != claim.Stale {
			t.Errorf("four hours later it is %s", st.State)
		}
		lock.fault = errors.New("the lock cannot be seen")
		run(t, s, "tst-1")
		if st := board(t, s, "tst-1"); st.State != claim.Unknown || st.Last.Fault == "" {
			t.Errorf("when it cannot be measured it is %s", st.State)
		}
	})
}

func TestChangesOfStateAreNewsAndRunsAreInTheLog(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		lock := &switched{holds: true}
		s.Add(lock.claim("tst-1"))
		run(t, s, "tst-1")
		run(t, s, "tst-1")
		lock.holds = false
		r := run(t, s, "tst-1")
		entries, err := k.Vault.Entries(t.Context(), ids.Installation, 0, 1000)
		must(t, err)
		kinds := map[string]int{}
		for _, e := range entries {
			for _, ev := range e.Events {
				kinds[ev.Kind]++
			}
		}
		if kinds["claim.measured"] != 3 || kinds["claim.held"] != 1 || kinds["claim.failed"] != 1 {
			t.Errorf("the log says %v", kinds)
		}
		e, err := s.Entry(t.Context(), r)
		must(t, err)
		if e.Action != "claim.measure" || e.Commit == [32]byte{} {
			t.Errorf("the run's entry is %s with commitment %x", e.Action, e.Commit)
		}
	})
}

func TestAResultThatIsTakenAwayIsNoticed(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		lock := &switched{}
		s.Add(lock.claim("tst-1"))
		run(t, s, "tst-1")
		k.Clock.Advance(time.Minute)
		lock.holds = true
		run(t, s, "tst-1")
		k.Clock.Advance(time.Minute)
		lock.holds = false
		run(t, s, "tst-1")
		remove := vault.Act("test.remove", purpose.Storage, vault.System())
		must(t, k.Vault.Do(t.Context(), vaulttest.System(ids.Installation), remove, func(tx *vault.Tx) error {
			return claims.Runs.Delete(tx, "tst-1", int64(3))
		}))
		later := claims.New(k.Vault, 0, slog.New(slog.DiscardHandler)) // as after a restart
		later.Add(lock.claim("tst-1"))
		must(t, later.ReadLog(t.Context()))
		if st := board(t, later, "tst-1"); st.State != claim.Failing || st.Removed != 1 {
			t.Errorf("it is %s, %d removed", st.State, st.Removed)
		}
		if r := run(t, later, "tst-1"); r.Seq != 4 {
			t.Errorf("the next run is number %d", r.Seq)
		}
	})
}

func TestOldResultsThinOutToTheWorstOfTheDay(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		lock := &switched{holds: true}
		s.Add(lock.claim("tst-1"))
		for day := range 4 {
			for range 6 {
				lock.holds = day != 1 || lock.runs != 8
				run(t, s, "tst-1")
				k.Clock.Advance(4 * time.Hour)
			}
		}
		before := board(t, s, "tst-1").Days
		must(t, s.KeepHouse(t.Context()))
		if after := board(t, s, "tst-1"); after.Days != before || after.Removed != 0 {
			t.Errorf("the days were %v and are %v, %d removed", before[85:], after.Days[85:], after.Removed)
		}
		runs, err := s.LastRuns(t.Context(), "tst-1", 100)
		must(t, err)
		if len(runs) >= 24 || len(runs) < 8 {
			t.Errorf("%d of 24 runs are left", len(runs))
		}
		k.Clock.Advance(100 * 24 * time.Hour)
		must(t, s.KeepHouse(t.Context()))
		if runs, _ := s.LastRuns(t.Context(), "tst-1", 100); len(runs) != 0 {
			t.Errorf("%d runs are left after 100 days", len(runs))
		}
		if st := board(t, s, "tst-1"); st.State != claim.Unknown || st.Removed != 0 {
			t.Errorf("after 100 days without a run it is %s, %d removed", st.State, st.Removed)
		}
	})
}

func TestDueClaimsAreMeasuredByTheirClock(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		lock := &switched{holds: true}
		s.Add(lock.claim("tst-1"))
		must(t, s.RunDue(t.Context()))
		must(t, s.RunDue(t.Context()))
		if lock.runs != 1 {
			t.Errorf("it ran %d times at once", lock.runs)
		}
		k.Clock.Advance(time.Hour)
		must(t, s.RunDue(t.Context()))
		if lock.runs != 2 {
			t.Errorf("after an hour it ran %d times", lock.runs)
		}
	})
}

func TestAClockThatWasOnceAheadFreezesNothing(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		lock := &switched{holds: true}
		s.Add(lock.claim("tst-1"))
		k.Clock.Advance(1000 * time.Hour)
		run(t, s, "tst-1")
		k.Clock.Advance(-1000 * time.Hour)
		if st := board(t, s, "tst-1"); st.State != claim.Stale {
			t.Errorf("measured in the future it is %s", st.State)
		}
		lock.holds = false
		must(t, s.RunDue(t.Context()))
		if st := board(t, s, "tst-1"); st.State != claim.Failing {
			t.Errorf("after the next turn it is %s", st.State)
		}
	})
}

func TestNewsMakesTheClaimsThatItConcernsRun(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		ran := make(chan struct{}, 10)
		lock := &switched{holds: true}
		c := lock.claim("tst-1")
		c.Every = 0
		c.Probe = func(ctx context.Context) (claim.Evidence, error) {
			ran <- struct{}{}
			return claim.Evidence{Holds: true}, nil
		}
		s.Add(c)
		s.Start(t.Context(), func(tenant ids.Tenant) bool { return tenant == k.Other })
		act := vault.Act("lock.open", purpose.Storage, vault.System())
		emit := func(tenant ids.Tenant, kind string) {
			must(t, k.Vault.Do(t.Context(), vaulttest.System(tenant), act, func(tx *vault.Tx) error {
				tx.Emit(vault.Event{Kind: kind}, nil)
				return nil
			}))
		}
		emit(k.Other, "lock.opened")
		emit(k.Tenant, "door.opened")
		select {
		case <-ran:
			t.Error("it ran after news that does not concern it")
		case <-time.After(10 * time.Millisecond):
		}
		emit(k.Tenant, "lock.opened")
		select {
		case <-ran:
		case <-time.After(time.Minute):
			t.Error("it did not run")
		}
	})
}

func TestAProbeThatPanicsHasNotMeasured(t *testing.T) {
	t.Parallel()
	r := claims.Measure(t.Context(), claim.Claim{ID: "tst-1", Probe: func(context.Context) (claim.Evidence, error) { panic("oh") }})
	if r.State != claim.Unknown || r.Fault == "" {
		t.Errorf("got %s %q", r.State, r.Fault)
	}
}

func TestMutationsShowWhetherAProbeNotices(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		blind := (&switched{}).claim("tst-2")
		blind.Fixtures = []claim.Fixture{{Name: "an open lock", Probe: (&switched{holds: true}).probe}}
		bare := (&switched{}).claim("tst-3")
		bare.Fixtures = nil
		s.Add((&switched{}).claim("tst-1"), blind, bare)
		got, err := s.Mutate(t.Context())
		must(t, err)
		if len(got) != 3 || !got[0].Noticed || got[0].Saw != "the lock: false" || got[1].Noticed || got[2].Noticed {
			t.Errorf("got %+v", got)
		}
	})
}

func TestCommandsTellHowPromisesStand(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *claims.Service) {
		s.Add((&switched{holds: true}).claim("tst-1"), (&switched{}).claim("tst-2"))
		lines, err := s.Verify(t.Context())
		must(t, err)
		if len(lines) != 2 || lines[0].State != claim.Holds || lines[1].State != claim.Failing || len(lines[1].Saw) != 1 {
			t.Errorf("got %+v", lines)
		}
		if sum := s.Summary(t.Context()); sum.Holding != 1 || sum.Total != 2 || sum.Failing != 1 || sum.Oldest.IsZero() {
			t.Errorf("the summary is %+v", sum)
		}
		if _, err := s.Show(t.Context(), "tst-9"); !errs.Is(err, errs.NotFound) {
			t.Errorf("an unknown claim gives %v", err)
		}
		listed, err := s.List(t.Context())
		must(t, err)
		if len(listed) != 2 || listed[0].State != claim.Holds {
			t.Errorf("the list is %+v", listed)
		}
	})
}
