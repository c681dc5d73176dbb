package postgres_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/dump"
	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

// copied are rows of people as COPY writes them.
func copied(t *testing.T, e *postgres.Engine, n int) []byte {
	t.Helper()
	tenant := newTenant()
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
		for i := range n {
			if _, err := c.Exec("INSERT INTO people (id, n) VALUES (?, ?)", random(), int64(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := e.Snapshot(t.Context(), tenant, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// parts are the indexes and constraints of a database's schema.
func parts(t *testing.T, db pgtest.Database) []string {
	t.Helper()
	boss, err := pgx.Connect(t.Context(), db.Boss)
	if err != nil {
		t.Fatal(err)
	}
	defer boss.Close(t.Context())
	rows, _ := boss.Query(t.Context(), `SELECT indexdef FROM pg_indexes WHERE schemaname = 'aver' UNION ALL
		SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'aver'::regnamespace ORDER BY 1`)
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(out) < 2 {
		t.Fatal(out, err)
	}
	return out
}

func TestADatabaseIsFilledTenantByTenantAndHasAllItsIndexesAndPoliciesWhenItHasSettled(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Start(t)
	from := cluster.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people}).Open(t, postgres.StoreSchema, people)
	db := cluster.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	before, into, one, two, stranger := parts(t, db), db.Empty(t, postgres.StoreSchema, people), newTenant(), newTenant(), newTenant()
	loaded := make(chan error, 2) // both at once
	for tenant, n := range map[ids.Tenant]int{one: 30_000, two: 25_000} {
		text := copied(t, from, n)
		go func() {
			_, err := dump.Load(t.Context(), into, tenant, bytes.NewReader(text))
			loaded <- err
		}()
	}
	if err := errors.Join(<-loaded, <-loaded); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(parts(t, db), before) {
		t.Error("the indexes were there all the time")
	}
	if err := into.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := parts(t, db); !slices.Equal(after, before) {
		t.Errorf("afterwards there are %q, before %q", after, before)
	}
	e := db.Open(t, postgres.StoreSchema, people)
	if found, err := e.Lint(t.Context()); len(found) > 0 || err != nil {
		t.Errorf("holes: %v, %v", found, err)
	}
	for tenant, want := range map[ids.Tenant]int64{one: 30_000, two: 25_000, stranger: 0} {
		if n := count(t, e, tenant); n != want {
			t.Errorf("%d rows of %d", n, want)
		}
	}
}

func TestADatabaseThatHasRowsOfAnybodyIsNotFilled(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Start(t)
	db := cluster.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	e, before := db.Open(t, postgres.StoreSchema, people), parts(t, db)
	text := copied(t, e, 5000)
	if _, err := dump.Load(t.Context(), db.Empty(t, postgres.StoreSchema, people), newTenant(), bytes.NewReader(text)); !errs.Is(err, errs.Conflict) {
		t.Errorf("got %v", err)
	}
	if after := parts(t, db); !slices.Equal(after, before) {
		t.Errorf("there are %q, want %q", after, before)
	}
	if found, err := e.Lint(t.Context()); len(found) > 0 || err != nil {
		t.Errorf("holes: %v, %v", found, err)
	}
}

func TestWhenATableCannotBeFilledItsPolicyHoldsAndNothingIsInIt(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	into, tenant := db.Empty(t, postgres.StoreSchema, people), newTenant()
	ofPeople := dump.Table{Name: "people", Columns: []dump.Column{{Name: "id", Kind: dump.UUID}, {Name: "n", Kind: dump.Int}}}
	for name, rows := range map[string]string{"a row that breaks off": "\x00\x02\x00\x00\x00\x10half", "a row of one value": "\x00\x01\xff\xff\xff\xff\xff\xff"} {
		if err := into.Fill(t.Context(), tenant, ofPeople, []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"+rows)); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	if err := into.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := db.Open(t, postgres.StoreSchema, people)
	if found, err := e.Lint(t.Context()); len(found) > 0 || err != nil || count(t, e, tenant) != 0 {
		t.Errorf("holes: %v, %v", found, err)
	}
}

func TestADatabaseWhoseServerFellMeanwhileDoesNotSettle(t *testing.T) {
	t.Parallel()
	cluster := pgtest.NewCluster(t)
	db := cluster.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	text := copied(t, db.Open(t, postgres.StoreSchema, people), 500)
	to := cluster.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	into := to.Empty(t, postgres.StoreSchema, people)
	load := func() {
		t.Helper()
		if _, err := dump.Load(t.Context(), into, newTenant(), bytes.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	load()
	cluster.Stop(t) // what it had not written yet is lost
	cluster.Restart(t)
	load() // the next store does not notice
	if err := into.Settle(t.Context()); !errors.Is(err, engine.ErrAway) {
		t.Errorf("it has settled: %v", err)
	}
}

func TestOnlyTheOwnerFillsADatabase(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	e, err := postgres.OpenEmpty(t.Context(), postgres.Config{URL: db.App, Migrations: people, UnsafeForTests: true})
	if err == nil {
		t.Error("the serving role may", e.Close())
	}
}
