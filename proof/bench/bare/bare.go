// Package bare is what the bench compares Aver with: the SQLite driver alone, with the same durability, page encryption
// and group commit, storing rows of the same size that nobody permits, seals, audits or tells of.
package bare

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
	_ "github.com/ncruces/go-sqlite3/vfs/xts" // what the driver itself brings

	"aver/vault/sqlite/pages"
)

// RowBytes is how large the body of a raw row is: a message of 120 bytes, sealed, and the beginning of it that lists show.
const RowBytes = 228

// table lies in the order of writing, with one index by which a conversation is read: the least that could be used.
const table = `CREATE TABLE messages (id INTEGER PRIMARY KEY, conversation BLOB NOT NULL, seq INTEGER NOT NULL, contact BLOB NOT NULL, body BLOB,
	sent_at INTEGER NOT NULL) STRICT; CREATE UNIQUE INDEX messages_by_conversation ON messages (conversation, seq)`

const insertRow = "INSERT INTO messages (conversation, seq, contact, body, sent_at) VALUES (?, ?, ?, ?, ?)"

// SQLite is one connection and a goroutine that commits for all callers who came at the same time.
type SQLite struct {
	db     *sqlite3.Conn
	insert *sqlite3.Stmt
	queue  chan Row
	ended  chan error
}

// Row is a message as it would be stored.
type Row struct {
	Who  []byte
	Seq  int64
	Body []byte
	done chan error
}

var pagesLayer = sync.OnceFunc(func() { vfs.Register("bench", pages.Wrap(vfs.Find(""))) })

// Open opens an encrypted file on the driver's own file layer, or on ours.
func Open(folder string, ours bool) (*SQLite, error) {
	layer := "xts"
	if ours {
		pagesLayer()
		layer = "bench"
	}
	db, err := sqlite3.Open("file:" + filepath.Join(folder, layer+".db") + "?vfs=" + layer)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 64)
	_, _ = rand.Read(key)
	err = db.Exec("PRAGMA hexkey='" + hex.EncodeToString(key) + "'; PRAGMA journal_mode=wal; PRAGMA synchronous=full; PRAGMA secure_delete=on; " +
		"PRAGMA temp_store=memory; PRAGMA cache_size=-16384; " + table)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	insert, _, err := db.Prepare(insertRow)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r := &SQLite{db: db, insert: insert, queue: make(chan Row, most), ended: make(chan error, 1)}
	go func() { r.ended <- r.work() }()
	return r, nil
}

const most = 256 // rows in one commit

func (r *SQLite) work() error {
	for row := range r.queue {
		batch := []Row{row}
		for more := true; more && len(batch) < most; {
			select {
			case next, open := <-r.queue:
				if more = open; open {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		err := r.Commit(batch)
		for _, b := range batch {
			b.done <- err
		}
	}
	return errors.Join(r.insert.Close(), r.db.Close())
}

// Commit stores rows in one transaction.
func (r *SQLite) Commit(batch []Row) error {
	if err := r.db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, b := range batch {
		err := errors.Join(r.insert.BindBlob(1, b.Who), r.insert.BindInt64(2, b.Seq), r.insert.BindBlob(3, b.Who),
			r.insert.BindBlob(4, b.Body), r.insert.BindInt64(5, time.Now().UnixMicro()))
		if err == nil {
			err = r.insert.Exec()
		}
		if err != nil {
			return errors.Join(err, r.db.Exec("ROLLBACK"))
		}
	}
	return r.db.Exec("COMMIT")
}

// Add stores a row, together with whoever comes at the same time.
func (r *SQLite) Add(_ context.Context, who []byte, seq int64, body []byte) error {
	done := make(chan error, 1)
	r.queue <- Row{who, seq, body, done}
	return <-done
}

// Delete removes up to limit rows.
func (r *SQLite) Delete(limit int) error {
	return r.db.Exec(fmt.Sprintf("DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE sent_at < 9000000000000000 LIMIT %d)", limit))
}

// Close commits what waits and closes the file.
func (r *SQLite) Close() error {
	close(r.queue)
	return <-r.ended
}
