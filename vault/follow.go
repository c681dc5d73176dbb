package vault

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/journal"
)

// Follower reads a tenant's journal in order, at least once: what it missed while the process was down comes first. It
// keeps its place per tenant. Each is called with at most Batch entries; an error makes it see the same entries again later.
type Follower struct {
	Name  string
	Batch int64 // default 256
	Each  func(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error
}

const (
	defaultBatch = 256
	retryAfter   = 2 * time.Second
)

// follow runs the followers: one goroutine per follower, woken per tenant.
type follow struct {
	v      *Vault
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

func (f *follow) init(v *Vault) {
	f.v = v
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.start(Follower{Name: "words", Each: v.indexWords})
}

// Follow starts a follower. Tenants given are looked at at once, all others when they next change.
func (v *Vault) Follow(f Follower, tenants ...ids.Tenant) {
	r := v.followers.start(f)
	for _, t := range tenants {
		r.wake(t)
	}
}

func (f *follow) start(fl Follower) *runner {
	if fl.Batch == 0 {
		fl.Batch = defaultBatch
	}
	r := &runner{Follower: fl, dirty: map[ids.Tenant]struct{}{}, bell: make(chan struct{}, 1)}
	f.mu.Lock()
	f.all = append(f.all, r)
	f.mu.Unlock()
	f.done.Add(1)
	go func() {
		defer f.done.Done()
		f.run(r)
	}()
	return r
}

// Catch makes every follower look at these tenants, as after a start.
func (v *Vault) Catch(tenants ...ids.Tenant) {
	for _, t := range tenants {
		v.followers.wake(t)
	}
}

func (f *follow) wake(tenant ids.Tenant) {
	f.mu.Lock()
	all := f.all
	f.mu.Unlock()
	for _, r := range all {
		r.wake(tenant)
	}
}

func (f *follow) stop() {
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

func (f *follow) run(r *runner) {
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-r.bell:
		}
		for _, tenant := range r.take() {
			if err := f.catchUp(r, tenant); err != nil && f.ctx.Err() == nil {
				f.v.log.Error("follow the journal", "follower", r.Name, "error", err)
				time.AfterFunc(retryAfter, func() { r.wake(tenant) })
			}
		}
	}
}

func (f *follow) catchUp(r *runner, tenant ids.Tenant) error {
	for f.ctx.Err() == nil {
		at, err := f.v.cursor(f.ctx, tenant, r.Name)
		if err != nil {
			return err
		}
		entries, err := f.v.Entries(f.ctx, tenant, at, r.Batch)
		if err != nil || len(entries) == 0 {
			return err
		}
		if err := r.Each(f.ctx, tenant, entries); err != nil {
			return err
		}
		if err := f.v.moveCursor(f.ctx, tenant, r.Name, at+int64(len(entries))); err != nil {
			return err
		}
	}
	return nil
}

// cursor is how far a follower has read a tenant's journal.
func (v *Vault) cursor(ctx context.Context, tenant ids.Tenant, name string) (int64, error) {
	var at int64
	err := v.engine.Read(ctx, tenant, func(conn engine.Conn) error {
		return conn.Query("SELECT position FROM journal_cursors WHERE name = ?", []any{name}, func(row []any) error {
			at = row[0].(int64)
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("read cursor %s: %w", name, err)
	}
	return at, nil
}

func (v *Vault) moveCursor(ctx context.Context, tenant ids.Tenant, name string, to int64) error {
	return v.maintain(ctx, tenant, func(tx *Tx) error {
		n, err := tx.conn.Exec("UPDATE journal_cursors SET position = ? WHERE name = ? AND position < ?", to, name, to)
		if err != nil || n > 0 {
			return err
		}
		exists := false
		err = tx.conn.Query("SELECT 1 FROM journal_cursors WHERE name = ?", []any{name}, func([]any) error {
			exists = true
			return nil
		})
		if err != nil || exists {
			return err
		}
		_, err = tx.conn.Exec("INSERT INTO journal_cursors (name, position) VALUES (?, ?)", name, to)
		return err
	})
}

// Lag is how many entries a follower has still to read.
func (v *Vault) Lag(ctx context.Context, tenant ids.Tenant, name string) (int64, error) {
	at, err := v.cursor(ctx, tenant, name)
	if err != nil {
		return 0, err
	}
	size, _, _, err := v.Head(ctx, tenant)
	return size - at, err
}
