package claims

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/vault"
	"aver/vault/journal"
)

// allKept is how long every run is kept; after it, the worst of each day and every change of state.
const allKept = 26 * time.Hour

// history is what the log knows of the runs: which ones must be in the store. It is read from the log once and then
// kept up to date, so that nobody can take a result away by changing rows.
type history struct {
	mu   sync.Mutex
	read int64            // entries of the log seen so far
	runs map[string][]Run // by claim, oldest first; without evidence
}

func newHistory() history { return history{runs: map[string][]Run{}} }

// next is the number after the last one that the log knows.
func (h *history) next(id string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if all := h.runs[id]; len(all) > 0 {
		return all[len(all)-1].Seq + 1
	}
	return 0
}

// complete puts runs that the log knows and the store has lost back among those that the store has, without evidence.
func (h *history) complete(id string, stored []Run) (all []Run, removed int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	have := map[int64]bool{}
	for _, r := range stored {
		have[r.Seq] = true
	}
	all = slices.Clone(stored)
	for _, r := range h.runs[id] {
		if have[r.Seq] {
			continue
		}
		r.Fault = "This result was removed from the store. The log shows that it was made."
		all = append(all, r)
		removed++
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Seq < all[j].Seq })
	return all, removed
}

// note takes what a log entry says about runs.
func (h *history) note(e journal.Entry) {
	for _, ev := range e.Events {
		id, state, ok := strings.Cut(ev.Object, "/")
		if ev.Kind != measured || !ok {
			continue
		}
		known := h.runs[id]
		r := Run{Claim: id, Seq: ev.N, At: e.At, State: claim.State(state), Changed: len(known) == 0 || known[len(known)-1].State != claim.State(state)}
		h.runs[id] = append(known, r)
	}
}

// thin drops what the store may have dropped too.
func (h *history) thin(now time.Time) {
	for id, runs := range h.runs {
		dropped := superfluous(now, runs)
		h.runs[id] = slices.DeleteFunc(runs, func(r Run) bool { return dropped[r.Seq] })
	}
}

// superfluous says which of a claim's runs need not be kept: all older than 90 days; of the days before yesterday
// all but the worst run and the changes of state. Runs come oldest first.
func superfluous(now time.Time, runs []Run) map[int64]bool {
	best := map[int]Run{}
	for _, r := range runs {
		kept, seen := best[dayOf(r.At)]
		if !seen || !worse(kept.State, r.State) {
			best[dayOf(r.At)] = r
		}
	}
	out := map[int64]bool{}
	for _, r := range runs {
		age := now.Sub(r.At)
		if age > keepRuns || age > allKept && !r.Changed && best[dayOf(r.At)].Seq != r.Seq {
			out[r.Seq] = true
		}
	}
	return out
}

// KeepHouse reads what the log says since it last did, and drops results that need not be kept.
func (s *Service) KeepHouse(ctx context.Context) error {
	if err := s.ReadLog(ctx); err != nil {
		return err
	}
	now := s.vault.Now()
	return s.vault.Do(ctx, system(), actThin, func(tx *vault.Tx) error {
		old, err := Runs.Find(tx, "measured_at < ? ORDER BY claim, seq LIMIT 5000", now.Add(-allKept))
		if err != nil {
			return err
		}
		byClaim := map[string][]Run{}
		for _, r := range old {
			byClaim[r.Claim] = append(byClaim[r.Claim], r)
		}
		for id, runs := range byClaim {
			for seq := range superfluous(now, runs) {
				if err := Runs.Delete(tx, id, seq); err != nil && !errs.Is(err, errs.NotFound) {
					return err
				}
			}
		}
		return nil
	})
}

const logBatch = 2000

// ReadLog compares with the installation's log: results that it knows and the store does not are shown as removed from
// then on. It reads what is new since the last time, and the last 90 days the first time.
func (s *Service) ReadLog(ctx context.Context) error {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	if s.history.read == 0 {
		from, err := s.entryAt(ctx, s.vault.Now().Add(-keepRuns))
		if err != nil {
			return err
		}
		s.history.read = from
	}
	for {
		entries, err := s.vault.Entries(ctx, ids.Installation, s.history.read, logBatch)
		if err != nil {
			return fmt.Errorf("read what the log says of claims: %w", err)
		}
		for _, e := range entries {
			s.history.note(e)
		}
		s.history.read += int64(len(entries))
		if len(entries) < logBatch {
			break
		}
	}
	s.history.thin(s.vault.Now())
	s.mu.Lock()
	s.board = nil
	s.mu.Unlock()
	return nil
}

// entryAt finds the first entry of the installation's log at or after a moment.
func (s *Service) entryAt(ctx context.Context, at time.Time) (int64, error) {
	high, _, _, err := s.vault.Head(ctx, ids.Installation)
	if err != nil {
		return 0, err
	}
	low := int64(0)
	for low < high {
		middle := (low + high) / 2
		found, err := s.vault.Entries(ctx, ids.Installation, middle, 1)
		if err != nil {
			return 0, fmt.Errorf("search the log: %w", err)
		}
		if len(found) == 1 && found[0].At.Before(at) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// Entry finds where in the installation's log a run stands. errs.NotFound if the log does not know it.
func (s *Service) Entry(ctx context.Context, r Run) (journal.Entry, error) {
	at, err := s.entryAt(ctx, r.At)
	if err != nil {
		return journal.Entry{}, err
	}
	const near = 200 // entries that one commit or one moment may hold
	entries, err := s.vault.Entries(ctx, ids.Installation, at, near)
	if err != nil {
		return journal.Entry{}, err
	}
	want := r.Claim + "/" + string(r.State)
	for _, e := range entries {
		for _, ev := range e.Events {
			if ev.Kind == measured && ev.Object == want && ev.N == r.Seq {
				return e, nil
			}
		}
	}
	return journal.Entry{}, errs.New(errs.NotFound, "The log does not know this result.")
}
