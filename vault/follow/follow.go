// Package follow lets parts of the product read a tenant's journal in order, at least once, while it grows.
//
// One goroutine a follower, woken per tenant. Whoever follows hears of a change at once and then rests a moment, so that
// a busy tenant's entries come in batches and a message does not cost a transaction for each follower. A follower that
// fails sees the same entries again a moment later; what it missed while the process was down comes first.
package follow

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"aver/base/ids"
	"aver/vault/journal"
)

// Follower reads a tenant's journal. Each is called with at most Batch entries; an error makes it see the same entries
// again later.
type Follower struct {
	Name  string
	Batch int64 // 256 if 0
	Each  func(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error
}

// ErrGone is what a Source says of a tenant that is closed: nobody reads on until the tenant is woken again.
var ErrGone = errors.New("the tenant is closed")

// Source is where followers read and keep their place.
type Source struct {
	Cursor  func(ctx context.Context, tenant ids.Tenant, name string) (int64, error)
	Move    func(ctx context.Context, tenant ids.Tenant, name string, to int64) error
	Entries func(ctx context.Context, tenant ids.Tenant, from, limit int64) ([]journal.Entry, error)
	Log     *slog.Logger
}

const (
	defaultBatch = 256
	retryAfter   = 2 * time.Second
	rest         = 50 * time.Millisecond // between two looks
)

// Followers runs them. Make it with New and end it with Stop.
type Followers struct {
	source Source
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup
	mu     sync.Mutex
	all    []*runner
}

type runner struct {
	Follower
	mu    sync.Mutex
	dirty map[ids.Tenant]struct{}
	bell  chan struct{}
}

// New makes an empty set of followers.
func New(source Source) *Followers {
	f := &Followers{source: source}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Start starts a follower. Tenants given are looked at at once, all others when they next change.
func (f *Followers) Start(fl Follower, tenants ...ids.Tenant) {
	if fl.Batch == 0 {
		fl.Batch = defaultBatch
	}
	r := &runner{Follower: fl, dirty: map[ids.Tenant]struct{}{}, bell: make(chan struct{}, 1)}
	f.mu.Lock()
	f.all = append(f.all, r)
	f.mu.Unlock()
	f.done.Go(func() { f.run(r) })
	for _, t := range tenants {
		r.wake(t)
	}
}

// Wake makes every follower look at a tenant.
func (f *Followers) Wake(tenant ids.Tenant) {
	f.mu.Lock()
	all := f.all
	f.mu.Unlock()
	for _, r := range all {
		r.wake(tenant)
	}
}

// Stop ends them; each finishes the entries it has.
func (f *Followers) Stop() {
	f.cancel()
	f.done.Wait()
}

func (r *runner) wake(tenant ids.Tenant) {
	r.mu.Lock()
	r.dirty[tenant] = struct{}{}
	r.mu.Unlock()
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

func (r *runner) take() []ids.Tenant {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []ids.Tenant
	for t := range r.dirty {
		out = append(out, t)
	}
	clear(r.dirty)
	return out
}

func (f *Followers) run(r *runner) {
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-r.bell:
		}
		for _, tenant := range r.take() {
			if err := f.catchUp(r, tenant); err != nil && !errors.Is(err, ErrGone) && f.ctx.Err() == nil {
				f.source.Log.Error("follow the journal", "follower", r.Name, "error", err)
				time.AfterFunc(retryAfter, func() { r.wake(tenant) })
			}
		}
		select {
		case <-f.ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}

func (f *Followers) catchUp(r *runner, tenant ids.Tenant) error {
	for f.ctx.Err() == nil {
		at, err := f.source.Cursor(f.ctx, tenant, r.Name)
		if err != nil {
			return err
		}
		entries, err := f.source.Entries(f.ctx, tenant, at, r.Batch)
		if err != nil || len(entries) == 0 {
			return err
		}
		if err := r.Each(f.ctx, tenant, entries); err != nil {
			return err
		}
		if err := f.source.Move(f.ctx, tenant, r.Name, at+int64(len(entries))); err != nil {
			return err
		}
		if int64(len(entries)) < r.Batch {
			return nil // whatever was written since has woken this follower again
		}
	}
	return nil
}
