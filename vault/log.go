package vault

import (
	"context"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/tlog"
	"aver/vault/engine"
	"aver/vault/follow"
	"aver/vault/group"
	"aver/vault/journal"
)

// Committed is what one commit brought, told after it is durable.
type Committed struct {
	Tenant   ids.Tenant
	Entries  []journal.Entry
	Payloads [][]any // per entry, per event; nil where there was none, or when another process committed
}

// OnCommit calls the listener after each commit of this process, in the order of commits of one tenant. It must not
// block: the next commit waits for it.
func (v *Vault) OnCommit(listener func(Committed)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.listeners = append(v.listeners, listener)
}

// appendJournal writes the entries of a transaction's tasks as one chunk, before its commit.
func (v *Vault) appendJournal(tenant ids.Tenant, conn engine.Conn, done []*group.Task) (func(), error) {
	head, err := journal.LockHead(conn)
	if err != nil {
		return nil, err
	}
	news := Committed{Tenant: tenant}
	for _, task := range done {
		tx, ok := task.Note.(*Tx)
		if !ok {
			continue
		}
		tx.entry.At = tx.now
		head.Add(&tx.entry)
		news.Entries = append(news.Entries, tx.entry)
		news.Payloads = append(news.Payloads, tx.payloads)
	}
	if len(news.Entries) == 0 {
		return nil, nil
	}
	if err := head.Store(conn); err != nil {
		return nil, fmt.Errorf("append to the journal: %w", err)
	}
	return func() { v.tell(news) }, nil
}

func (v *Vault) tell(news Committed) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, listener := range v.listeners {
		listener(news)
	}
	v.followers.Wake(news.Tenant)
}

// Head is a tenant's log as it stands: how many entries, their Merkle root and the time of the last.
func (v *Vault) Head(ctx context.Context, tenant ids.Tenant) (size int64, root tlog.Hash, at time.Time, err error) {
	err = v.engine.Read(ctx, tenant, func(conn engine.Conn) error {
		h, err := journal.ReadHead(conn)
		if err == nil {
			size, root, at = h.Size(), h.Root(), h.LastAt
		}
		return err
	})
	return size, root, at, err
}

// Journal calls each for the raw entries from index on, at most limit of them, and returns how many there were. The
// bytes are what was hashed into the log.
func (v *Vault) Journal(ctx context.Context, tenant ids.Tenant, from, limit int64, each func(entry []byte) error) (seen int64, err error) {
	err = v.engine.Read(ctx, tenant, func(conn engine.Conn) (err error) {
		seen, err = journal.Scan(conn, from, limit, each)
		return err
	})
	if err != nil {
		return seen, fmt.Errorf("read the journal: %w", err)
	}
	return seen, nil
}

// Entries reads decoded journal entries from index on, at most limit.
func (v *Vault) Entries(ctx context.Context, tenant ids.Tenant, from, limit int64) ([]journal.Entry, error) {
	var out []journal.Entry
	_, err := v.Journal(ctx, tenant, from, limit, func(raw []byte) error {
		e, err := journal.Parse(raw)
		out = append(out, e)
		return err
	})
	return out, err
}

// Follower reads a tenant's journal in order, at least once; see package follow.
type Follower = follow.Follower

// Follow starts a follower. Tenants given are looked at at once, all others when they next change.
func (v *Vault) Follow(f Follower, tenants ...ids.Tenant) { v.followers.Start(f, tenants...) }

// Catch makes every follower look at these tenants, as after a start.
func (v *Vault) Catch(tenants ...ids.Tenant) {
	for _, t := range tenants {
		v.followers.Wake(t)
	}
}

// source is where followers read.
func (v *Vault) source() follow.Source {
	return follow.Source{Entries: v.Entries, Log: v.log,
		Cursor: func(ctx context.Context, tenant ids.Tenant, name string) (int64, error) {
			if errs.Is(v.atHome(ctx, tenant), errs.NotFound) {
				return 0, follow.ErrGone
			}
			return v.cursor(ctx, tenant, name)
		},
		Move: func(ctx context.Context, tenant ids.Tenant, name string, to int64) error {
			return v.maintain(ctx, tenant, func(tx *Tx) error { return journal.MoveCursor(tx.conn, name, to) })
		}}
}

// cursor is how far a follower has read a tenant's journal.
func (v *Vault) cursor(ctx context.Context, tenant ids.Tenant, name string) (at int64, err error) {
	err = v.engine.Read(ctx, tenant, func(conn engine.Conn) (err error) {
		at, err = journal.Cursor(conn, name)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read cursor %s: %w", name, err)
	}
	return at, nil
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
