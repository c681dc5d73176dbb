package journal

import (
	"errors"
	"fmt"
	"time"

	"aver/base/tlog"
	"aver/vault/engine"
)

// Head is the right edge of a tenant's log while entries are appended to it.
type Head struct {
	tlog.Frontier
	LastAt time.Time
	first  int64
	count  int64
	chunk  []byte
	buf    []byte
	fresh  bool
}

// LockHead reads the head so that nobody else appends before this transaction ends.
func LockHead(conn engine.Conn) (*Head, error) {
	if _, err := conn.Exec("UPDATE journal_head SET size = size WHERE id = 1"); err != nil {
		return nil, fmt.Errorf("lock the journal: %w", err)
	}
	return ReadHead(conn)
}

// ReadHead reads the head as it stands.
func ReadHead(conn engine.Conn) (*Head, error) {
	h := &Head{fresh: true}
	err := conn.Query("SELECT frontier, last_at FROM journal_head WHERE id = 1", nil, func(row []any) error {
		var err error
		h.fresh = false
		h.LastAt = time.UnixMicro(row[1].(int64)).UTC()
		h.Frontier, err = tlog.ParseFrontier(row[0].([]byte))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal's head: %w", err)
	}
	h.first = h.Size()
	return h, nil
}

// Add gives an entry its index and a time that is never before its predecessor's, and makes it a leaf.
func (h *Head) Add(e *Entry) {
	e.Index = h.Size()
	if e.At.Before(h.LastAt) {
		e.At = h.LastAt
	}
	h.LastAt = e.At
	h.buf = e.Append(h.buf[:0])
	h.Append(tlog.LeafHash(h.buf))
	h.chunk = AppendChunk(h.chunk, h.buf)
	h.count++
}

// Store writes what was added as one chunk.
func (h *Head) Store(conn engine.Conn) error {
	if _, err := conn.Exec("INSERT INTO journal (first, count, body) VALUES (?, ?, ?)", h.first, h.count, h.chunk); err != nil {
		return raced(err)
	}
	query := "UPDATE journal_head SET size = ?, last_at = ?, frontier = ? WHERE id = 1"
	if h.fresh {
		query = "INSERT INTO journal_head (size, last_at, frontier, id) VALUES (?, ?, ?, 1)"
	}
	_, err := conn.Exec(query, h.Size(), h.LastAt.UnixMicro(), h.Bytes())
	return raced(err)
}

// raced turns a collision into a reason to try again: two processes wrote a tenant's first entry at the same time.
func raced(err error) error {
	if errors.Is(err, engine.ErrUnique) {
		return errors.Join(engine.ErrRetry, err)
	}
	return err
}

var errEnough = errors.New("enough")

// Scan calls each for the raw entries from index on, at most limit of them, and returns how many there were.
func Scan(conn engine.Conn, from, limit int64, each func(entry []byte) error) (int64, error) {
	start := int64(0)
	err := conn.Query("SELECT first FROM journal WHERE first <= ? ORDER BY first DESC LIMIT 1", []any{from}, func(row []any) error {
		start = row[0].(int64)
		return nil
	})
	if err != nil {
		return 0, err
	}
	var seen int64
	err = conn.Query("SELECT first, body FROM journal WHERE first >= ? AND first < ? ORDER BY first", []any{start, from + limit}, func(row []any) error {
		at := row[0].(int64)
		return Chunk(row[1].([]byte), func(entry []byte) error {
			at++
			if at <= from {
				return nil
			}
			if seen == limit {
				return errEnough
			}
			seen++
			return each(entry)
		})
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return seen, err
}

// Cursor is how far a follower has read.
func Cursor(conn engine.Conn, name string) (at int64, err error) {
	err = conn.Query("SELECT position FROM journal_cursors WHERE name = ?", []any{name}, func(row []any) error {
		at = row[0].(int64)
		return nil
	})
	return at, err
}

// MoveCursor notes how far a follower has read. It never goes back.
func MoveCursor(conn engine.Conn, name string, to int64) error {
	n, err := conn.Exec("UPDATE journal_cursors SET position = ? WHERE name = ? AND position < ?", to, name, to)
	if err != nil || n > 0 {
		return err
	}
	exists := false
	err = conn.Query("SELECT 1 FROM journal_cursors WHERE name = ?", []any{name}, func([]any) error {
		exists = true
		return nil
	})
	if err != nil || exists {
		return err
	}
	_, err = conn.Exec("INSERT INTO journal_cursors (name, position) VALUES (?, ?)", name, to)
	return raced(err)
}

// Rewind lets a follower read everything again.
func Rewind(conn engine.Conn, name string) error {
	_, err := conn.Exec("UPDATE journal_cursors SET position = 0 WHERE name = ?", name)
	return err
}
