package retention

import (
	"context"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
)

// Sweep deletes what is too old in a tenant, in small changes that each say so in the journal. It deletes nothing when
// the clock cannot be trusted.
func (s *Service) Sweep(ctx context.Context, tenant ids.Tenant) error {
	trusted, err := s.trust(ctx, tenant)
	if err != nil || !trusted {
		return err
	}
	defer s.note(tenant, nil)
	classes, err := s.Oldest(ctx, tenant)
	if err != nil {
		return err
	}
	removed := 0
	for _, c := range classes {
		n, err := s.sweepClass(ctx, tenant, c, removed)
		removed += n
		if err != nil {
			return fmt.Errorf("sweep %s: %w", c.Name, err)
		}
		if c.Name == s.files {
			n, err := s.sweepFiles(ctx, tenant, c)
			removed += n
			if err != nil {
				return fmt.Errorf("sweep files: %w", err)
			}
		}
	}
	if _, err := s.vault.SweepBlobs(ctx, tenant); err != nil {
		return err
	}
	if removed == 0 {
		return nil
	}
	return s.update(ctx, tenant, func(r *run, _ time.Time) { r.Removed = removed })
}

// trust decides whether to believe the clock. One that went further than a day since the last run, forward because
// somebody set it or because nothing ran, is believed by the second run that finds the same; one that went back is not.
func (s *Service) trust(ctx context.Context, tenant ids.Tenant) (bool, error) {
	trusted := false
	err := s.update(ctx, tenant, func(r *run, now time.Time) {
		passed, doubt := now.Sub(r.Last), now.Sub(r.Doubted)
		switch {
		case r.Last.IsZero(), passed >= 0 && passed <= jump:
			trusted = true
		case passed < 0:
			trusted = false
			return // as if it had not run
		case !r.Doubted.IsZero() && doubt >= secondRun && doubt <= jump:
			trusted = true
		case r.Doubted.IsZero() || doubt > jump || doubt < 0:
			trusted, r.Doubted = false, now
			return
		default: // too soon after the first doubt
			trusted = false
			return
		}
		r.Last, r.Doubted = now, time.Time{}
	})
	return trusted, err
}

const runName = "sweep"

func (s *Service) update(ctx context.Context, tenant ids.Tenant, change func(*run, time.Time)) error {
	return s.vault.Do(ctx, identity.System(tenant, "retention"), actRun, func(tx *vault.Tx) error {
		r, err := runs.Get(tx, runName)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		r.Name = runName
		change(&r, tx.Now())
		return runs.Put(tx, r)
	})
}

func (s *Service) table(name string) vault.AnyTable {
	for _, t := range s.vault.Tables() {
		if t.Name() == name {
			return t
		}
	}
	return nil
}

func (s *Service) sweepClass(ctx context.Context, tenant ids.Tenant, c Class, already int) (int, error) {
	if c.Limit == 0 || c.Oldest.IsZero() || !c.Oldest.Before(s.vault.Now().Add(-c.Limit)) {
		return 0, nil
	}
	table := s.table(c.Name)
	return s.batches(ctx, tenant, c.Name, already, func(tx *vault.Tx) (int, error) {
		return s.vault.Sweep(tx, table, tx.Now().Add(-c.Limit), batch)
	})
}

// sweepFiles removes the lines of files that are as old as what they were attached to may get; SweepBlobs removes the
// files themselves.
func (s *Service) sweepFiles(ctx context.Context, tenant ids.Tenant, c Class) (int, error) {
	before := s.vault.Now().Add(-c.Limit)
	old := 0
	err := s.vault.View(ctx, identity.System(tenant, "retention"), actRead, func(tx *vault.Tx) (err error) {
		old, err = vault.Blobs.Count(tx, "created_at < ?", before)
		return err
	})
	if err != nil || old == 0 || c.Limit == 0 {
		return 0, err
	}
	return s.batches(ctx, tenant, vault.Blobs.Name(), 0, func(tx *vault.Tx) (int, error) {
		return vault.Blobs.DeleteWhere(tx, "created_at < ? LIMIT ?", before, batch)
	})
}

func (s *Service) batches(ctx context.Context, tenant ids.Tenant, class string, already int, some func(*vault.Tx) (int, error)) (int, error) {
	removed := 0
	for {
		n := 0
		err := s.vault.Do(ctx, identity.System(tenant, "retention"), actSweep, func(tx *vault.Tx) (err error) {
			n, err = some(tx)
			tx.Emit(vault.Event{Kind: "retention.swept", Object: class, N: int64(n)}, nil)
			return err
		})
		if err != nil {
			return removed, err
		}
		removed += n
		s.note(tenant, &Stage{Class: class, Removed: already + removed})
		if n < batch {
			return removed, nil
		}
	}
}

func (s *Service) note(tenant ids.Tenant, stage *Stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stage == nil {
		delete(s.stage, tenant)
		return
	}
	s.stage[tenant] = *stage
}

// Run tells of the sweeps of the actor's tenant.
type Run struct {
	Last    time.Time // when it was last swept
	Doubted time.Time // the clock jumped then; the next run decides
	Removed int       // rows, by the last sweep that removed any
	Now     *Stage    // a sweep runs in this process
}

// LastRun tells of the sweeps of the actor's tenant.
func (s *Service) LastRun(ctx context.Context, actor vault.Actor) (Run, error) {
	var r run
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		if r, err = runs.Get(tx, runName); errs.Is(err, errs.NotFound) {
			err = nil
		}
		return err
	})
	out := Run{Last: r.Last, Doubted: r.Doubted, Removed: r.Removed}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stage, working := s.stage[actor.Tenant()]; working {
		out.Now = &stage
	}
	return out, err
}

// SweepSoon starts a sweep of the actor's tenant. The log says who asked for it; what is swept, the sweep's own entries say.
func (s *Service) SweepSoon(ctx context.Context, actor vault.Actor) error {
	if err := s.vault.Do(ctx, actor, actAsk, func(*vault.Tx) error { return nil }); err != nil {
		return err
	}
	return s.queue.RunNow(ctx, sweepKind, actor.Tenant(), "")
}
