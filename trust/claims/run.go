package claims

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sort"
	"sync"
	"time"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/vault"
	"aver/vault/journal"
)

// atOnce is how many probes run at the same time. Few, so that measuring never gets in the way of what is measured.
const atOnce = 2

// settle is how long news may gather before the claims that it concerns are measured.
const settle = 3 * time.Second

// startFor is how long one turn goes on to start probes; what is left over comes first in the next turn.
const startFor = 20 * time.Second

// RunDue measures the claims whose time has come, at most atOnce at a time.
func (s *Service) RunDue(ctx context.Context) error {
	due, err := s.due(ctx)
	if err != nil {
		return err
	}
	err = s.runAll(ctx, due)
	if len(due) >= many {
		debug.FreeOSMemory() // probes read files and restore backups; what that took is not needed again soon
	}
	return err
}

// many claims are due at once after a start.
const many = 8

func (s *Service) runAll(ctx context.Context, list []claim.Claim) error {
	var wait sync.WaitGroup
	places := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var faults []error
	until := time.Now().Add(startFor)
	for _, c := range list {
		places <- struct{}{}
		if ctx.Err() != nil || time.Now().After(until) || !s.take(c.ID) {
			<-places
			continue
		}
		wait.Go(func() {
			defer func() { <-places }()
			defer s.give(c.ID)
			if _, err := s.Run(ctx, c.ID); err != nil && !errs.Is(err, errs.Conflict) && ctx.Err() == nil {
				mu.Lock()
				defer mu.Unlock()
				faults = append(faults, err)
			}
		})
	}
	wait.Wait()
	return errors.Join(faults...)
}

// take keeps a claim from being measured twice at the same time in this process. Another process that measures it
// loses the race for the next number, and its result is dropped.
func (s *Service) take(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] {
		return false
	}
	s.busy[id] = true
	return true
}

func (s *Service) give(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, id)
}

// due lists the claims whose clock has run out, those measured longest ago first.
func (s *Service) due(ctx context.Context) ([]claim.Claim, error) {
	board, err := s.Board(ctx)
	if err != nil {
		return nil, err
	}
	board.Standings = slices.Clone(board.Standings)
	sort.SliceStable(board.Standings, func(i, j int) bool { return board.Standings[i].Last.At.Before(board.Standings[j].Last.At) })
	var out []claim.Claim
	for _, st := range board.Standings {
		every := s.every(st.Claim)
		if st.Claim.Probe != nil && !clock.Within(s.vault.Now(), st.Last.At, every-jitter(st.Claim, every)) {
			out = append(out, st.Claim)
		}
	}
	return out, nil
}

// Start watches for news that concerns claims, until the context ends. tenants are watched for what happened meanwhile;
// news of the canaries does not count, since probes cause it.
func (s *Service) Start(ctx context.Context, isCanary func(ids.Tenant) bool) {
	s.vault.OnCommit(func(c vault.Committed) {
		if c.Tenant != ids.Installation && !isCanary(c.Tenant) {
			s.hear(c.Entries)
		}
	})
	go s.listen(ctx)
}

// hear notes which claims the news concerns. It must not wait: the next commit waits for it.
func (s *Service) hear(entries []journal.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := false
	for _, e := range entries {
		for _, ev := range e.Events {
			for _, c := range s.claims {
				if concerns(c, ev.Kind) {
					s.urgent[c.ID], heard = true, true
				}
			}
		}
	}
	if !heard {
		return
	}
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// listen measures the claims that news concerns, after it has settled and not more often than a fifth of their clock.
func (s *Service) listen(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.bell:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(settle):
		}
		list, err := s.concerned(ctx)
		if err == nil {
			err = s.runAll(ctx, list)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("measure claims after news", "error", err)
		}
	}
}

func (s *Service) concerned(ctx context.Context) ([]claim.Claim, error) {
	board, err := s.Board(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []claim.Claim
	for _, st := range board.Standings {
		if s.urgent[st.Claim.ID] && !clock.Within(s.vault.Now(), st.Last.At, st.Claim.Every/5) {
			out = append(out, st.Claim)
		}
		delete(s.urgent, st.Claim.ID)
	}
	return out, nil
}
