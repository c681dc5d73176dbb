package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
	_ "github.com/ncruces/go-sqlite3/vfs/xts" // what the driver itself brings

	"aver/vault/sqlite/pages"
)

// What ours is compared with: the driver alone, with the same durability, page encryption and group commit, storing
// rows of the same size that nobody permits, seals, audits or tells of.

// rowBytes is how large the body of a raw row is: a message of 120 bytes, sealed, and the beginning of it that lists show.
const rowBytes = 228

// rawTable lies in the order of writing, with one index by which a conversation is read: the least that could be used.
const rawTable = `CREATE TABLE messages (id INTEGER PRIMARY KEY, conversation BLOB NOT NULL, seq INTEGER NOT NULL, contact BLOB NOT NULL, body BLOB,
	sent_at INTEGER NOT NULL) STRICT; CREATE UNIQUE INDEX messages_by_conversation ON messages (conversation, seq)`

const rawInsert = "INSERT INTO messages (conversation, seq, contact, body, sent_at) VALUES (?, ?, ?, ?, ?)"

// people are the conversations that rows belong to, as many as there are callers.
func people(n int) [][16]byte {
	out := make([][16]byte, n)
	for i := range out {
		_, _ = rand.Read(out[i][:])
	}
	return out
}

// rawSQLite is one connection and a goroutine that commits for all callers who came at the same time.
type rawSQLite struct {
	db     *sqlite3.Conn
	insert *sqlite3.Stmt
	queue  chan rawRow
	ended  chan error
}

type rawRow struct {
	who  []byte
	seq  int64
	body []byte
	done chan error
}

var pagesLayer = sync.OnceFunc(func() { vfs.Register("bench", pages.Wrap(vfs.Find(""))) })

// openRawSQLite opens an encrypted file on the driver's own file layer, or on ours.
func openRawSQLite(folder string, ours bool) (*rawSQLite, error) {
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
		"PRAGMA temp_store=memory; PRAGMA cache_size=-16384; " + rawTable)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	insert, _, err := db.Prepare(rawInsert)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r := &rawSQLite{db: db, insert: insert, queue: make(chan rawRow, most), ended: make(chan error, 1)}
	go func() { r.ended <- r.work() }()
	return r, nil
}

const most = 256 // rows in one commit

func (r *rawSQLite) work() error {
	for row := range r.queue {
		batch := []rawRow{row}
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
		err := r.commit(batch)
		for _, b := range batch {
			b.done <- err
		}
	}
	return errors.Join(r.insert.Close(), r.db.Close())
}

func (r *rawSQLite) commit(batch []rawRow) error {
	if err := r.db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, b := range batch {
		err := errors.Join(r.insert.BindBlob(1, b.who), r.insert.BindInt64(2, b.seq), r.insert.BindBlob(3, b.who),
			r.insert.BindBlob(4, b.body), r.insert.BindInt64(5, time.Now().UnixMicro()))
		if err == nil {
			err = r.insert.Exec()
		}
		if err != nil {
			return errors.Join(err, r.db.Exec("ROLLBACK"))
		}
	}
	return r.db.Exec("COMMIT")
}

func (r *rawSQLite) add(_ context.Context, who []byte, seq int64, body []byte) error {
	done := make(chan error, 1)
	r.queue <- rawRow{who, seq, body, done}
	return <-done
}

func (r *rawSQLite) close() error {
	close(r.queue)
	return <-r.ended
}

// rawLoad lets callers add rows for a while, each to a conversation of its own, and tells how many.
func rawLoad(ctx context.Context, callers int, lasting time.Duration, add func(ctx context.Context, who []byte, seq int64, body []byte) error) load {
	who := people(callers)
	body := make([]byte, rowBytes)
	_, _ = rand.Read(body)
	seq := rawFrom.Add(1_000_000)
	return drive(callers, lasting, func(caller int, n int64) error {
		return add(ctx, who[caller][:], seq+n, body)
	})
}

var rawFrom atomic.Int64
