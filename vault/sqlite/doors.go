package sqlite

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"aver/base/ids"
	"aver/vault/engine"
)

// enter finds the tenant's store, opens it if need be, and keeps it open until leave.
func (e *Engine) enter(ctx context.Context, tenant ids.Tenant) (*store, error) {
	s, err := e.hold(ctx, tenant)
	if err != nil {
		return nil, err
	}
	err = s.open(ctx)
	if errors.Is(err, engine.ErrFull) { // even reading needs a little room, for the memory that connections share
		if err = e.ReleaseReserve(); err == nil {
			err = s.open(ctx)
		}
	}
	if err != nil {
		e.leave(s)
		return nil, err
	}
	return s, nil
}

// hold counts the caller in. A store that is just being closed is waited for: two sets of connections to one file would
// do no harm, but the old ones delete the log by its name when they go.
func (e *Engine) hold(ctx context.Context, tenant ids.Tenant) (*store, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, surplus, err := e.tryHold(tenant)
		for _, idle := range surplus {
			e.shut(idle)
		}
		if err != nil || s.ending == nil {
			return s, err
		}
		if err := wait(ctx, s.ending); err != nil {
			return nil, err
		}
	}
}

// tryHold returns the store, and idle ones that the caller must shut because too many are open. A store with a channel
// ending has not been held.
func (e *Engine) tryHold(tenant ids.Tenant) (held *store, surplus []*store, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, nil, errClosed
	}
	if tenant.IsZero() { // its folder would be that of all stores
		return nil, nil, engine.ErrNoTenant
	}
	s := e.stores[tenant]
	if s == nil {
		surplus = e.takeIdle(len(e.stores)-e.cfg.MaxOpen+1, e.cfg.Clock.Now())
		s = newStore(e, tenant)
		e.stores[tenant] = s
	}
	if s.doomed {
		return nil, surplus, engine.ErrNoTenant
	}
	if s.ending == nil {
		s.users++
		e.working.Add(1)
	}
	return s, surplus, nil
}

// again counts a second use of a store that the caller holds already.
func (e *Engine) again(s *store) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.users++
	e.working.Add(1)
}

// leave counts the caller out.
func (e *Engine) leave(s *store) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.working.Done()
	s.users--
	if s.users > 0 {
		return
	}
	s.used = e.cfg.Clock.Now()
	if s.doomed {
		close(s.drained) // once: nobody enters any more
		return
	}
	if !s.ready.Load() {
		delete(e.stores, s.tenant) // there is none, or it could not be opened
	}
}

// takeIdle marks up to most stores that nobody has used after the given time, the longest unused first. The caller
// holds e.mu, and shuts them after letting go of it.
func (e *Engine) takeIdle(most int, unusedAfter time.Time) []*store {
	var taken []*store
	for len(taken) < most {
		var oldest *store
		for _, s := range e.stores {
			if s.users == 0 && s.ending == nil && !s.doomed && (oldest == nil || s.used.Before(oldest.used)) {
				oldest = s
			}
		}
		if oldest == nil || oldest.used.After(unusedAfter) {
			break
		}
		oldest.ending = make(chan struct{})
		e.working.Add(1)
		taken = append(taken, oldest)
	}
	return taken
}

// shut closes a store that takeIdle marked. All its commits are durable, so an error loses nothing; what is wrong with
// the file shows when it is opened again.
func (e *Engine) shut(s *store) {
	defer e.working.Done()
	_ = s.close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.stores, s.tenant)
	close(s.ending)
}

// closeIdle closes every store that nobody has used for Config.Idle, and of the others the readers. A store in use is never
// closed.
func (e *Engine) closeIdle() {
	unusedAfter := e.cfg.Clock.Now().Add(-e.cfg.Idle)
	e.mu.Lock()
	var idle []*store
	if !e.closed {
		idle = e.takeIdle(len(e.stores), unusedAfter)
	}
	open := slices.Collect(maps.Values(e.stores))
	e.mu.Unlock()
	for _, s := range idle {
		e.shut(s)
	}
	for _, s := range open {
		s.closeReaders(unusedAfter)
	}
}

// change lets one caller at a time make, place or remove a tenant's store. The returned function ends it.
func (e *Engine) change(ctx context.Context, tenant ids.Tenant) (done func(), err error) {
	for {
		other, err := e.tryChange(tenant)
		if err != nil {
			return nil, err
		}
		if other == nil {
			break
		}
		if err := wait(ctx, other); err != nil {
			return nil, err
		}
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		close(e.changing[tenant])
		delete(e.changing, tenant)
		e.working.Done()
	}, nil
}

func (e *Engine) tryChange(tenant ids.Tenant) (other chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	if tenant.IsZero() {
		return nil, engine.ErrNoTenant
	}
	if other := e.changing[tenant]; other != nil {
		return other, nil
	}
	e.changing[tenant] = make(chan struct{})
	e.working.Add(1)
	return nil, nil
}

// wait returns when the channel closes or the context ends.
func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
