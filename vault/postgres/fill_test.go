package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"aver/vault/dump"
	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

var ofPeople = dump.Table{Name: "people", Columns: []dump.Column{{Name: "id", Kind: dump.UUID}, {Name: "n", Kind: dump.Int}}}

func TestRowsThatFillOneStoreAreOfThatTenantAndOnTheDiskOnceItHasSettled(t *testing.T) {
	t.Parallel()
	db := pgtest.NewCluster(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	e := db.Open(t, postgres.StoreSchema, people)
	tenant, stranger := newTenant(), newTenant()
	rows := make([][]any, 20_000)
	for i := range rows {
		rows[i] = []any{random(), int64(i)}
	}
	if err := e.Fill(t.Context(), tenant, ofPeople, rows); err != nil {
		t.Fatal(err)
	}
	boss, err := pgx.Connect(t.Context(), db.Boss)
	if err != nil {
		t.Fatal(err)
	}
	defer boss.Close(t.Context())
	var written string
	var flushed bool
	if err := boss.QueryRow(t.Context(), "SELECT pg_current_wal_insert_lsn()::text").Scan(&written); err != nil {
		t.Fatal(err)
	}
	if err := e.Settle(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if err := boss.QueryRow(t.Context(), "SELECT pg_current_wal_flush_lsn() >= $1::text::pg_lsn", written).Scan(&flushed); err != nil || !flushed {
		t.Errorf("what filled the store may still be lost (%v)", err)
	}
	if n := count(t, e, tenant); n != int64(len(rows)) {
		t.Errorf("the tenant has %d rows of %d", n, len(rows))
	}
	if n := count(t, e, stranger); n != 0 {
		t.Errorf("a stranger has %d of them", n)
	}
	if err := e.Fill(t.Context(), tenant, ofPeople, rows[:1]); !errors.Is(err, engine.ErrUnique) {
		t.Errorf("the same row again: %v", err)
	}
	wrong := dump.Table{Name: "people", Columns: []dump.Column{{Name: "id", Kind: "regclass"}}}
	if err := e.Fill(t.Context(), tenant, wrong, rows[:1]); !errors.Is(err, dump.ErrDamaged) {
		t.Errorf("a type that no dump has: %v", err)
	}
}
