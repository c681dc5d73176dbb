package claims

import (
	"context"
	"fmt"
	"time"

	"aver/frame/claim"
	"aver/vault"
)

// Days is how far back the board looks.
const Days = 90

// fresh is how old the board may be that readers are given. A run of this process makes a new one at once.
const fresh = 5 * time.Second

// Board is how all promises stand at a moment.
type Board struct {
	At        time.Time
	Standings []Standing // in the order of the claims
	Removed   int        // results that the log knows and the store does not
}

// Standing is how one promise stands.
type Standing struct {
	Claim   claim.Claim
	State   claim.State
	Last    Run               // zero if it was never measured
	Since   time.Time         // since when the state is what it is
	Days    [Days]claim.State // the worst of each day, today last
	Removed int               // results of it that the log knows and the store does not
}

// Summary is the board in four figures.
type Summary struct {
	Holding, Total int
	Failing        int
	Oldest         time.Time // the oldest evidence that a state rests on; zero while something was never measured
}

// Summary counts.
func (b Board) Summary() Summary {
	sum := Summary{Total: len(b.Standings)}
	for i, st := range b.Standings {
		switch st.State {
		case claim.Holds:
			sum.Holding++
		case claim.Failing:
			sum.Failing++
		}
		if i == 0 || st.Last.At.Before(sum.Oldest) {
			sum.Oldest = st.Last.At
		}
	}
	return sum
}

// Find returns the standing of a claim.
func (b Board) Find(id string) (Standing, bool) {
	for _, st := range b.Standings {
		if st.Claim.ID == id {
			return st, true
		}
	}
	return Standing{}, false
}

// Summary is how many promises hold, for the mark that every page shows. It is at most a few seconds old, and zero
// while the store cannot be read.
func (s *Service) Summary(ctx context.Context) Summary {
	b, err := s.Board(ctx)
	if err != nil {
		return Summary{}
	}
	return b.Summary()
}

// Board tells how all promises stand.
func (s *Service) Board(ctx context.Context) (Board, error) {
	now := s.vault.Now()
	s.mu.Lock()
	kept := s.board
	s.mu.Unlock()
	if kept != nil && now.Sub(kept.At) < fresh && !now.Before(kept.At) {
		return *kept, nil
	}
	var runs []Run
	err := s.view(ctx, func(tx *vault.Tx) (err error) {
		runs, err = Runs.Find(tx, "measured_at > ? ORDER BY claim, seq", now.Add(-keepRuns))
		return err
	})
	if err != nil {
		return Board{}, fmt.Errorf("read results: %w", err)
	}
	b := s.draw(now, runs)
	s.mu.Lock()
	s.board = &b
	s.mu.Unlock()
	return b, nil
}

// draw makes the board of what the store holds and of what the log knows besides.
func (s *Service) draw(now time.Time, runs []Run) Board {
	byClaim := map[string][]Run{}
	for _, r := range runs {
		byClaim[r.Claim] = append(byClaim[r.Claim], r)
	}
	b := Board{At: now}
	for _, c := range s.All() {
		all, removed := s.history.complete(c.ID, byClaim[c.ID])
		st := standing(c, now, all)
		st.Removed = removed
		b.Removed += removed
		b.Standings = append(b.Standings, st)
	}
	return b
}

// standing judges a claim by its runs, oldest first.
func standing(c claim.Claim, now time.Time, runs []Run) Standing {
	st := Standing{Claim: c, State: claim.Unknown}
	for i := range st.Days {
		st.Days[i] = claim.Unknown
	}
	for _, r := range runs {
		if day := Days - 1 - (dayOf(now) - dayOf(r.At)); day >= 0 && day < Days && worse(r.State, st.Days[day]) {
			st.Days[day] = r.State
		}
		if r.Changed || st.Since.IsZero() {
			st.Since = r.At
		}
		st.Last = r
	}
	st.State = c.StateAt(now, st.Last.At, st.Last.Evidence, st.Last.State == claim.Unknown)
	if st.Last.State == claim.Failing { // also when its evidence was taken away
		st.State = claim.Failing
	}
	return st
}

func dayOf(t time.Time) int { return int(t.Unix() / 86400) }

// rank orders what can be said of a day from nothing to bad news.
var rank = map[claim.State]int{claim.Holds: 1, claim.Failing: 2}

func worse(a, b claim.State) bool { return rank[a] > rank[b] }

// LastRuns reads the last results of a claim, newest first.
func (s *Service) LastRuns(ctx context.Context, id string, limit int) ([]Run, error) {
	var runs []Run
	err := s.view(ctx, func(tx *vault.Tx) (err error) {
		runs, err = Runs.Find(tx, "claim = ? ORDER BY seq DESC LIMIT ?", id, int64(limit))
		return err
	})
	return runs, err
}

// OneRun reads one result; errs.NotFound if it is not, or no longer, there.
func (s *Service) OneRun(ctx context.Context, id string, seq int64) (Run, error) {
	var run Run
	err := s.view(ctx, func(tx *vault.Tx) (err error) {
		run, err = Runs.Get(tx, id, seq)
		return err
	})
	return run, err
}
