package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/vault/engine"
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
	head, err := lockHead(conn)
	if err != nil {
		return nil, err
	}
	first := head.frontier.Size()
	news := Committed{Tenant: tenant}
	var chunk, buf []byte
	for _, task := range done {
		tx, ok := task.Note.(*Tx)
		if !ok {
			continue
		}
		tx.entry.Index = head.frontier.Size()
		tx.entry.At = later(tx.now, head.lastAt)
		head.lastAt = tx.entry.At
		buf = tx.entry.Append(buf[:0])
		head.frontier.Append(tlog.LeafHash(buf))
		chunk = journal.AppendChunk(chunk, buf)
		news.Entries = append(news.Entries, tx.entry)
		news.Payloads = append(news.Payloads, tx.payloads)
	}
	if len(news.Entries) == 0 {
		return nil, nil
	}
	if err := head.store(conn, first, int64(len(news.Entries)), chunk); err != nil {
		return nil, fmt.Errorf("append to the journal: %w", err)
	}
	return func() { v.tell(news) }, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (v *Vault) tell(news Committed) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, listener := range v.listeners {
		listener(news)
	}
	v.followers.wake(news.Tenant)
}

// head is the right edge of a tenant's log.
type head struct {
	frontier tlog.Frontier
	lastAt   time.Time
	fresh    bool
}

// lockHead reads the head so that nobody else appends before this transaction ends.
func lockHead(conn engine.Conn) (*head, error) {
	if _, err := conn.Exec("UPDATE journal_head SET size = size WHERE id = 1"); err != nil {
		return nil, fmt.Errorf("lock the journal: %w", err)
	}
	return readHead(conn)
}

func readHead(conn engine.Conn) (*head, error) {
	h := &head{fresh: true}
	err := conn.Query("SELECT frontier, last_at FROM journal_head WHERE id = 1", nil, func(row []any) error {
		var err error
		h.fresh = false
		h.lastAt = time.UnixMicro(row[1].(int64)).UTC()
		h.frontier, err = tlog.ParseFrontier(row[0].([]byte))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal's head: %w", err)
	}
	return h, nil
}

func (h *head) store(conn engine.Conn, first, count int64, chunk []byte) error {
	if _, err := conn.Exec("INSERT INTO journal (first, count, body) VALUES (?, ?, ?)", first, count, chunk); err != nil {
		if errors.Is(err, engine.ErrUnique) { // two processes wrote a tenant's first entry at the same time
			return errors.Join(engine.ErrRetry, err)
		}
		return err
	}
	query := "UPDATE journal_head SET size = ?, last_at = ?, frontier = ? WHERE id = 1"
	if h.fresh {
		query = "INSERT INTO journal_head (size, last_at, frontier, id) VALUES (?, ?, ?, 1)"
	}
	_, err := conn.Exec(query, h.frontier.Size(), h.lastAt.UnixMicro(), h.frontier.Bytes())
	if errors.Is(err, engine.ErrUnique) {
		return errors.Join(engine.ErrRetry, err)
	}
	return err
}

// Head is a tenant's log as it stands: how many entries, their Merkle root and the time of the last.
func (v *Vault) Head(ctx context.Context, tenant ids.Tenant) (size int64, root tlog.Hash, at time.Time, err error) {
	err = v.engine.Read(ctx, tenant, func(conn engine.Conn) error {
		h, err := readHead(conn)
		if err == nil {
			size, root, at = h.frontier.Size(), h.frontier.Root(), h.lastAt
		}
		return err
	})
	return size, root, at, err
}

// Journal calls each for the raw entries from index on, at most limit of them, and returns how many there were. The
// bytes are what was hashed into the log.
func (v *Vault) Journal(ctx context.Context, tenant ids.Tenant, from, limit int64, each func(entry []byte) error) (int64, error) {
	var seen int64
	err := v.engine.Read(ctx, tenant, func(conn engine.Conn) error {
		start := int64(0)
		err := conn.Query("SELECT first FROM journal WHERE first <= ? ORDER BY first DESC LIMIT 1", []any{from}, func(row []any) error {
			start = row[0].(int64)
			return nil
		})
		if err != nil {
			return err
		}
		var stop = errors.New("enough")
		err = conn.Query("SELECT first, body FROM journal WHERE first >= ? AND first < ? ORDER BY first", []any{start, from + limit}, func(row []any) error {
			at := row[0].(int64)
			return journal.Chunk(row[1].([]byte), func(entry []byte) error {
				at++
				if at <= from {
					return nil
				}
				if seen == limit {
					return stop
				}
				seen++
				return each(entry)
			})
		})
		if errors.Is(err, stop) {
			return nil
		}
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
