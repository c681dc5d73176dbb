package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

// messages is what a chat stores: a message in a conversation, and a journal.
var messages = []engine.Migration{{Version: 1001, Name: "bench/0001_messages.sql", SQL: `
CREATE TABLE conversations (
    id ID NOT NULL,
    last_seq INT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE messages (
    conversation ID NOT NULL,
    seq INT NOT NULL,
    contact ID,
    body SEALED,
    sent_at TIME NOT NULL,
    PRIMARY KEY (conversation, seq)
);
CREATE INDEX messages_by_contact ON messages (contact);
CREATE TABLE journal (
    id ID NOT NULL,
    entries SEALED,
    PRIMARY KEY (id)
);
`}}

// BenchmarkWrite compares, on a durable server, raw single-row inserts under row-level security, pipelined with their
// tenant, to what a message costs through the engine: savepoint, two reads, three writes. "shared" commits 64 messages
// per transaction, as package group does. ns/op is per message.
func BenchmarkWrite(b *testing.B) {
	db := pgtest.NewCluster(b).NewDatabase(b, pgtest.Schemas{postgres.StoreSchema: messages})
	e, err := postgres.Open(b.Context(), postgres.Config{URL: db.App, Migrations: messages, MaxConns: 64})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("raw/%d", callers), func(b *testing.B) { benchmarkRaw(b, db, callers) })
		b.Run(fmt.Sprintf("engine/%d", callers), func(b *testing.B) { benchmarkEngine(b, e, callers, 1) })
	}
	for _, lanes := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("shared/%d", lanes), func(b *testing.B) { benchmarkEngine(b, e, lanes, 64) })
	}
}

func benchmarkRaw(b *testing.B, db pgtest.Database, callers int) {
	settings, err := pgxpool.ParseConfig(db.App + " search_path=aver")
	if err != nil {
		b.Fatal(err)
	}
	settings.MaxConns = int32(callers)
	pool, err := pgxpool.NewWithConfig(b.Context(), settings)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	tenant := random()
	body := make([]byte, 200)
	inParallel(b, callers, b.N, func() error {
		batch := &pgx.Batch{}
		batch.Queue("SELECT set_config('app.tenant', $1, true)", hex.EncodeToString(tenant))
		batch.Queue("INSERT INTO messages (tenant_id, conversation, seq, contact, body, sent_at) VALUES ($1, $2, $3, $4, $5, $6)",
			tenant, random(), int64(1), random(), body, int64(1))
		return pool.SendBatch(context.Background(), batch).Close()
	})
}

func benchmarkEngine(b *testing.B, e *postgres.Engine, callers, share int) {
	tenants := make([]ids.Tenant, (callers+3)/4) // four lanes each
	for i := range tenants {
		tenants[i] = ids.Tenant(random())
	}
	var next atomic.Int64
	body := make([]byte, 200)
	inParallel(b, callers, (b.N+share-1)/share, func() error {
		tenant := tenants[int(next.Add(1))%len(tenants)]
		return e.Write(context.Background(), tenant, func(c engine.Conn) error {
			for range share {
				if err := message(c, tenant, body); err != nil {
					return err
				}
			}
			c.(engine.Queuer).Queue("INSERT INTO journal (tenant_id, id, entries) VALUES (?, ?, ?)", tenant[:], random(), body)
			return nil
		})
	})
}

func message(c engine.Conn, tenant ids.Tenant, body []byte) error {
	q := c.(engine.Queuer)
	conversation := random()
	q.Queue("SAVEPOINT task")
	for range 2 {
		err := c.Query("SELECT last_seq FROM conversations WHERE tenant_id = ? AND id = ?", []any{tenant[:], conversation}, func([]any) error { return nil })
		if err != nil {
			return err
		}
	}
	q.Queue("INSERT INTO conversations (tenant_id, id, last_seq) VALUES (?, ?, ?)", tenant[:], conversation, int64(1))
	q.Queue("INSERT INTO messages (tenant_id, conversation, seq, contact, body, sent_at) VALUES (?, ?, ?, ?, ?, ?)",
		tenant[:], conversation, int64(1), random(), body, int64(1))
	q.Queue("UPDATE conversations SET last_seq = ? WHERE tenant_id = ? AND id = ?", int64(2), tenant[:], conversation)
	q.Queue("RELEASE task")
	return q.Flush()
}

func inParallel(b *testing.B, callers, times int, do func() error) {
	var left atomic.Int64
	left.Store(int64(times))
	var all sync.WaitGroup
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func random() []byte {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails, see crypto/rand
	return id
}
