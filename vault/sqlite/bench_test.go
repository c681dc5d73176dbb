package sqlite_test

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/vfs/xts"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/sqlite"
)

// messages is the table the benchmarks write to: a composite key and one index, as conversations have them.
var messages = []engine.Migration{{Version: 1, Name: "messages", SQL: `
CREATE TABLE messages (
    conversation ID NOT NULL,
    seq INT NOT NULL,
    contact ID NOT NULL,
    body SEALED,
    sent_at TIME NOT NULL,
    PRIMARY KEY (conversation, seq)
);
CREATE INDEX messages_by_contact ON messages (contact);
`}}

const (
	insertMessage = "INSERT INTO messages (conversation, seq, contact, body, sent_at) VALUES (?, ?, ?, ?, ?)"
	group         = 256 // callers that share a commit
)

// A feed makes rows: a thousand conversations with a contact each, and bodies of 250 bytes that no page can compress.
type feed struct {
	who  [1000][16]byte
	body [250]byte
	n    int64
}

func newFeed() *feed {
	f := &feed{}
	for i := range f.who {
		_, _ = rand.Read(f.who[i][:])
	}
	_, _ = rand.Read(f.body[:])
	return f
}

func (f *feed) next() (conversation []byte, seq int64, contact, body []byte, sent int64) {
	f.n++
	who := f.who[f.n*7919%int64(len(f.who))][:]
	return who, f.n, who, f.body[:], f.n
}

func openBench(b *testing.B, vfs string) (*sqlite.Engine, ids.Tenant) {
	b.Helper()
	e, err := sqlite.Open(sqlite.Config{Root: benchFolder(b), PageKey: pageKey, Migrations: messages, VFS: vfs})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	if err := e.Create(b.Context(), ids.Installation); err != nil {
		b.Fatal(err)
	}
	return e, ids.Installation
}

// benchFolder is on a real disk: the folder for temporary files may be memory, where fsync costs nothing.
func benchFolder(b *testing.B) string {
	b.Helper()
	folder, err := os.MkdirTemp(os.Getenv("AVER_BENCH_FOLDER"), "aver-bench-*")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// BenchmarkGroupedInserts is the engine's part of taking in messages: 256 rows and one fsync for each Write.
func BenchmarkGroupedInserts(b *testing.B) { benchInserts(b, "", false) }

// BenchmarkGroupedInsertsInSavepoints has each row in a savepoint of its own, as group commit wants it.
func BenchmarkGroupedInsertsInSavepoints(b *testing.B) { benchInserts(b, "", true) }

// BenchmarkGroupedInsertsStockXTS is the same over the driver's own encrypting file layer.
func BenchmarkGroupedInsertsStockXTS(b *testing.B) { benchInserts(b, "xts", false) }

func benchInserts(b *testing.B, vfs string, savepoints bool) {
	e, tenant := openBench(b, vfs)
	f := newFeed()
	var inside time.Duration
	busy := processorTime(b)
	b.ReportAllocs()
	for b.Loop() {
		err := e.Write(b.Context(), tenant, func(c engine.Conn) error {
			begin := time.Now()
			for range group {
				if err := insertOne(c, f, savepoints); err != nil {
					return err
				}
			}
			inside += time.Since(begin)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	rows := float64(b.N * group)
	b.ReportMetric(rows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(inside.Nanoseconds())/rows, "exec-ns/row")
	b.ReportMetric((processorTime(b)-busy).Seconds()*1e6/rows, "cpu-µs/row")
}

func insertOne(c engine.Conn, f *feed, savepoint bool) error {
	if savepoint {
		if _, err := c.Exec("SAVEPOINT s"); err != nil {
			return err
		}
	}
	conversation, seq, contact, body, sent := f.next()
	if _, err := c.Exec(insertMessage, conversation, seq, contact, body, sent); err != nil {
		return err
	}
	if savepoint {
		_, err := c.Exec("RELEASE s")
		return err
	}
	return nil
}

// BenchmarkRawGroupedInserts is what the engine is measured against: the driver alone, its own encrypting file layer,
// one connection, prepared statements, 256 rows and one fsync for each transaction.
func BenchmarkRawGroupedInserts(b *testing.B) {
	db := openRaw(b)
	insert := prepare(b, db, insertMessage)
	f := newFeed()
	busy := processorTime(b)
	b.ReportAllocs()
	for b.Loop() {
		must(b, db.Exec("BEGIN IMMEDIATE"))
		for range group {
			conversation, seq, contact, body, sent := f.next()
			must(b, insert.BindBlob(1, conversation))
			must(b, insert.BindInt64(2, seq))
			must(b, insert.BindBlob(3, contact))
			must(b, insert.BindBlob(4, body))
			must(b, insert.BindInt64(5, sent))
			must(b, insert.Exec())
		}
		must(b, db.Exec("COMMIT"))
	}
	rows := float64(b.N * group)
	b.ReportMetric(rows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric((processorTime(b)-busy).Seconds()*1e6/rows, "cpu-µs/row")
}

// processorTime is what the process has used so far. On a busy machine it says more than the clock.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func openRaw(b *testing.B) *sqlite3.Conn {
	b.Helper()
	key, _ := pageKey(b.Context(), ids.Installation)
	db, err := sqlite3.Open("file:" + filepath.Join(benchFolder(b), "raw.db") + "?vfs=xts")
	must(b, err)
	b.Cleanup(func() { _ = db.Close() })
	must(b, db.Exec("PRAGMA hexkey='"+hex.EncodeToString(key)+"'; PRAGMA journal_mode=wal; PRAGMA synchronous=full; "+
		"PRAGMA secure_delete=on; PRAGMA foreign_keys=on; PRAGMA temp_store=memory"))
	must(b, db.Exec("CREATE TABLE messages (conversation BLOB NOT NULL, seq INTEGER NOT NULL, contact BLOB NOT NULL, body BLOB, "+
		"sent_at INTEGER NOT NULL, PRIMARY KEY (conversation, seq)) STRICT, WITHOUT ROWID; CREATE INDEX messages_by_contact ON messages (contact)"))
	return db
}

func prepare(b *testing.B, db *sqlite3.Conn, query string) *sqlite3.Stmt {
	b.Helper()
	s, _, err := db.Prepare(query)
	must(b, err)
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkExec is one statement that touches no page: what the engine itself adds to each.
func BenchmarkExec(b *testing.B) {
	e, tenant := openBench(b, "")
	must(b, e.Write(b.Context(), tenant, func(c engine.Conn) error {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Exec("UPDATE messages SET seq = ? WHERE conversation = ? AND seq = ?", int64(1), tenant.Bytes(), int64(2)); err != nil {
				return err
			}
		}
		return nil
	}))
}

// BenchmarkSavepoint is a savepoint that is released again.
func BenchmarkSavepoint(b *testing.B) {
	e, tenant := openBench(b, "")
	must(b, e.Write(b.Context(), tenant, func(c engine.Conn) error {
		for b.Loop() {
			if _, err := c.Exec("SAVEPOINT s"); err != nil {
				return err
			}
			if _, err := c.Exec("RELEASE s"); err != nil {
				return err
			}
		}
		return nil
	}))
}

// BenchmarkReadTwenty reads the last rows of a conversation among a hundred thousand rows.
func BenchmarkReadTwenty(b *testing.B) { benchRead(b, "") }

// BenchmarkReadTwentyStockXTS is the same over the driver's own encrypting file layer.
func BenchmarkReadTwentyStockXTS(b *testing.B) { benchRead(b, "xts") }

func benchRead(b *testing.B, vfs string) {
	e, tenant := openBench(b, vfs)
	f := newFeed()
	for range 100_000 / 1000 {
		must(b, e.Write(b.Context(), tenant, func(c engine.Conn) error {
			for range 1000 {
				if err := insertOne(c, f, false); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	query := "SELECT seq, contact, body, sent_at FROM messages WHERE conversation = ? ORDER BY seq DESC LIMIT 20"
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		must(b, e.Read(b.Context(), tenant, func(c engine.Conn) error {
			return c.Query(query, []any{f.who[i%1000][:]}, func([]any) error { return nil })
		}))
	}
}

// BenchmarkOpen is the first use of a store whose schema is current.
func BenchmarkOpen(b *testing.B) {
	root := benchFolder(b)
	for b.Loop() {
		e, err := sqlite.Open(sqlite.Config{Root: root, PageKey: pageKey, Migrations: messages})
		must(b, err)
		must(b, e.Create(b.Context(), ids.Installation))
		must(b, e.Close())
	}
}
