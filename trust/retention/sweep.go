package retention

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
)

// Sweep deletes what is too old in a tenant, in small changes that each say so in the journal. It deletes nothing when
// the clock cannot be trusted. A class that fails does not hold up the others: all errors are returned, and the page names
// the classes. A sweep that was stopped in the middle loses nothing: the next one finds what is left.
func (s *Service) Sweep(ctx context.Context, tenant ids.Tenant) error {
	trusted, err := s.TrustClock(ctx, tenant)
	if err != nil || !trusted {
		return err
	}
	defer s.note(tenant, nil)
	classes, err := s.Oldest(ctx, tenant)
	if err != nil {
		return err
	}
	removed, failed, err := s.sweepClasses(ctx, tenant, classes)
	_, orphans := s.vault.SweepBlobs(ctx, tenant)
	err = errors.Join(err, s.tidy(ctx, tenant), orphans)
	if removed == 0 && failed == nil {
		return err
	}
	return errors.Join(err, s.update(ctx, tenant, func(r *run, _ time.Time) {
		r.Removed, r.Failed = cmp.Or(removed, r.Removed), failed
	}))
}

// sweepClasses sweeps what is over its limit, and tells what failed.
func (s *Service) sweepClasses(ctx context.Context, tenant ids.Tenant, classes []Class) (removed int, failed []string, err error) {
	for _, c := range classes {
		if c.Over(s.vault.Now()) == 0 {
			continue
		}
		n, fault := s.sweepClass(ctx, tenant, c, removed)
		removed += n
		if ctx.Err() != nil {
			return removed, failed, errors.Join(err, fault)
		}
		if fault != nil {
			failed, err = append(failed, c.Name), errors.Join(err, fmt.Errorf("sweep %s: %w", c.Name, fault))
		}
	}
	return removed, failed, err
}

// tidy ends what the sweep has left of the words.
func (s *Service) tidy(ctx context.Context, tenant ids.Tenant) error {
	for p := newPace(); ; {
		began := time.Now()
		more, err := s.vault.Tidy(ctx, tenant, p.size)
		if err != nil || !more {
			return err
		}
		p.worked(time.Since(began))
	}
}

// TrustClock decides whether to believe the clock, for a tenant's sweep and whatever else cannot be undone. One that went
// further than a day since the last run, because somebody set it or because nothing ran, or further than time went by while
// this process ran, is believed by the second run that finds the same: also one that went back, or a clock that was ahead by
// years would end all sweeps for as long. One that went back by less is waited for. That it was set by less than a day while
// nothing ran cannot be told from as long a rest.
func (s *Service) TrustClock(ctx context.Context, tenant ids.Tenant) (bool, error) {
	trusted := false
	seen := look{s.vault.Now(), s.vault.Ran()}
	set := s.wasSet(tenant, seen)
	err := s.update(ctx, tenant, func(r *run, now time.Time) {
		passed, doubt := now.Sub(r.Last), now.Sub(r.Doubted)
		switch {
		case r.Last.IsZero(), passed >= 0 && passed <= jump && !set && (r.Doubted.IsZero() || doubt < 0):
			trusted = true
		case passed < 0 && passed >= -jump:
			trusted = false
			return // as if it had not run
		case !set && !r.Doubted.IsZero() && doubt >= secondRun && doubt <= jump:
			trusted = true
		case set || r.Doubted.IsZero() || doubt > jump || doubt < 0:
			trusted, r.Doubted = false, now
			return
		default: // too soon after the first doubt
			trusted = false
			return
		}
		r.Last, r.Doubted, r.Failed = now, time.Time{}, nil
	})
	if err == nil {
		s.mu.Lock()
		s.looks[tenant] = seen
		s.mu.Unlock()
	}
	return trusted, err
}

// wasSet tells whether the clock went further than time did since this process last looked.
func (s *Service) wasSet(tenant ids.Tenant, now look) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, looked := s.looks[tenant]
	return looked && now.at.Sub(before.at)-(now.ran-before.ran) > astray
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

// errPostponed ends a batch whose class may be kept longer than the sweep believed.
var errPostponed = errors.New("the limit became longer")

// sweepClass removes batch after batch. The limit is read again with each: it may have become longer meanwhile, and who is
// held may have changed.
func (s *Service) sweepClass(ctx context.Context, tenant ids.Tenant, c Class, already int) (int, error) {
	removed := 0
	for p := newPace(); ; {
		var gone swept
		var began time.Time
		size := p.size
		err := s.vault.Do(ctx, identity.System(tenant, "retention"), actSweep, func(tx *vault.Tx) error {
			if limit, err := s.limit(tx, c.Name); err != nil || limit != c.Limit {
				return cmp.Or(err, errPostponed)
			}
			held, err := s.spared(tx)
			if err != nil {
				return err
			}
			began = time.Now()
			gone, err = c.stored.sweep(tx, tx.Now().Add(-c.Limit), size, held)
			tx.Emit(vault.Event{Kind: "retention.swept", Object: c.Name, N: int64(gone.rows)}, nil)
			return err
		})
		if errors.Is(err, errPostponed) {
			return removed, nil
		}
		if err != nil {
			return removed, err
		}
		removed += gone.rows
		s.note(tenant, &Stage{Class: c.Name, Removed: already + removed})
		for _, b := range gone.files {
			if err := s.vault.DropBlob(identity.System(tenant, "retention"), b); err != nil {
				return removed, err
			}
		}
		if gone.rows < size {
			return removed, nil
		}
		p.worked(time.Since(began))
	}
}

// limit is how long a class is kept as the transaction sees it.
func (s *Service) limit(tx *vault.Tx, class string) (time.Duration, error) {
	classes, err := s.scheduled(tx)
	for _, c := range classes {
		if c.Name == class {
			return c.Limit, err
		}
	}
	return 0, err
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
	Failed  []string  // classes that the last sweep could not end
	Held    int       // people whose data a legal hold keeps
	Now     *Stage    // a sweep runs in this process
}

// LastRun tells of the sweeps of the actor's tenant.
func (s *Service) LastRun(ctx context.Context, actor vault.Actor) (Run, error) {
	var out Run
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		r, err := runs.Get(tx, runName)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		held, err := s.held(tx)
		out = Run{Last: r.Last, Doubted: r.Doubted, Removed: r.Removed, Failed: r.Failed, Held: len(held)}
		return err
	})
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
