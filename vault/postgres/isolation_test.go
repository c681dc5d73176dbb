package postgres_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

// people is the schema most tests here use.
var people = []engine.Migration{{Version: 1001, Name: "test/0001_people.sql", SQL: `
CREATE TABLE people (
    id ID NOT NULL,
    n INT NOT NULL,
    label TEXT,
    body SEALED,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX people_by_label ON people (label);
CREATE TABLE notes (
    person ID NOT NULL,
    seq INT NOT NULL,
    PRIMARY KEY (person, seq),
    FOREIGN KEY (person) REFERENCES people (id)
);
`}}

func newDatabase(t testing.TB) pgtest.Database {
	t.Helper()
	return pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
}

func newTenant() ids.Tenant { return ids.Tenant(random()) }

func add(c engine.Conn, tenant ids.Tenant, id []byte, n int64) error {
	_, err := c.Exec("INSERT INTO people (tenant_id, id, n) VALUES (?, ?, ?)", tenant[:], id, n)
	return err
}

func write(t testing.TB, e engine.Engine, tenant ids.Tenant, fn func(engine.Conn) error) {
	t.Helper()
	if err := e.Write(t.Context(), tenant, fn); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func count(t testing.TB, e engine.Engine, tenant ids.Tenant) (n int64) {
	t.Helper()
	err := e.Read(t.Context(), tenant, func(c engine.Conn) error {
		return c.Query("SELECT COUNT(*) FROM people", nil, func(row []any) error { n = row[0].(int64); return nil })
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return n
}

// twoTenants stores three people of one tenant and two of another, and gives a raw connection of the serving role:
// nothing of the application's own checks is between it and the rows.
func twoTenants(t *testing.T) (conn *pgx.Conn, a, b ids.Tenant) {
	t.Helper()
	db := newDatabase(t)
	e := db.Open(t, postgres.StoreSchema, people)
	a, b = newTenant(), newTenant()
	for tenant, n := range map[ids.Tenant]int64{a: 3, b: 2} {
		write(t, e, tenant, func(c engine.Conn) error {
			for i := range n {
				if err := add(c, tenant, random(), i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	conn, err := pgx.Connect(t.Context(), db.App+" search_path=aver")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn, a, b
}

// as runs fn in a transaction with the setting, as a statement injected into the application could.
func as(t *testing.T, conn *pgx.Conn, setting string, fn func(pgx.Tx)) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if setting != "" {
		if _, err := tx.Exec(t.Context(), "SELECT set_config('app.tenant', $1, true)", setting); err != nil {
			t.Fatal(err)
		}
	}
	fn(tx)
}

func total(t *testing.T, tx pgx.Tx) (n int) {
	t.Helper()
	if err := tx.QueryRow(t.Context(), "SELECT COUNT(*) FROM people").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPoliciesAloneShowATenantOnlyItsRows(t *testing.T) {
	t.Parallel()
	conn, a, b := twoTenants(t)
	for setting, want := range map[string]int{hex.EncodeToString(a[:]): 3, hex.EncodeToString(b[:]): 2, hex.EncodeToString(random()): 0, "": 0} {
		as(t, conn, setting, func(tx pgx.Tx) {
			if got := total(t, tx); got != want {
				t.Errorf("as %q: %d rows, want %d", setting, got, want)
			}
		})
	}
}

// After a transaction that named a tenant the setting is empty and no longer absent.
func TestPoliciesAloneShowNothingWithoutATenant(t *testing.T) {
	t.Parallel()
	conn, a, _ := twoTenants(t)
	as(t, conn, hex.EncodeToString(a[:]), func(tx pgx.Tx) {
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	as(t, conn, "", func(tx pgx.Tx) {
		if got := total(t, tx); got != 0 {
			t.Errorf("%d rows without a tenant", got)
		}
	})
}

func TestPoliciesAloneKeepWritesAtHome(t *testing.T) {
	t.Parallel()
	conn, a, b := twoTenants(t)
	as(t, conn, hex.EncodeToString(b[:]), func(tx pgx.Tx) {
		for _, query := range []string{"UPDATE people SET n = 9 WHERE tenant_id = $1", "DELETE FROM people WHERE tenant_id = $1"} {
			tag, err := tx.Exec(t.Context(), query, a[:])
			if err != nil || tag.RowsAffected() != 0 {
				t.Errorf("%s: %v, %v", query, tag, err)
			}
		}
	})
	for _, query := range []string{
		"INSERT INTO people (tenant_id, id, n) VALUES ($1, gen_random_uuid(), 1)",
		"UPDATE people SET tenant_id = $1",
		"INSERT INTO notes (tenant_id, person, seq) SELECT $1, id, 1 FROM people",
	} {
		as(t, conn, hex.EncodeToString(b[:]), func(tx pgx.Tx) {
			if _, err := tx.Exec(t.Context(), query, a[:]); err == nil || !strings.Contains(err.Error(), "row-level security") {
				t.Errorf("%s: %v", query, err)
			}
		})
	}
}

func TestPoliciesAloneRefuseWhatBypassesThem(t *testing.T) {
	t.Parallel()
	conn, _, b := twoTenants(t)
	for _, query := range []string{
		"TRUNCATE people", "ALTER TABLE people DISABLE ROW LEVEL SECURITY", "DROP POLICY tenant ON people", "CREATE TEMP TABLE copy AS SELECT 1",
		"CREATE VIEW aver.v AS SELECT 1", "SET row_security = off; SELECT * FROM people", "COPY people FROM STDIN", "SET session_replication_role = replica",
		"DELETE FROM migrations", "CREATE FUNCTION aver.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SET ROLE aver_owner",
	} {
		as(t, conn, hex.EncodeToString(b[:]), func(tx pgx.Tx) {
			if _, err := tx.Conn().PgConn().Exec(t.Context(), query).ReadAll(); err == nil {
				t.Errorf("accepted: %s", query)
			}
		})
	}
}

// A row of one tenant cannot point at a row of another, and an existing key of another tenant is no conflict.
func TestKeysAreTheTenantsOwn(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	a, b, id := newTenant(), newTenant(), random()
	write(t, e, a, func(c engine.Conn) error { return add(c, a, id, 1) })
	err := e.Write(t.Context(), b, func(c engine.Conn) error {
		_, err := c.Exec("INSERT INTO notes (tenant_id, person, seq) VALUES (?, ?, 1)", b[:], id)
		return err
	})
	if err == nil {
		t.Error("a note of b points at a person of a")
	}
	write(t, e, b, func(c engine.Conn) error { return add(c, b, id, 1) })
}

func TestRemoveDeletesAllOfATenantAndNothingElse(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	a, b, id := newTenant(), newTenant(), random()
	for _, tenant := range []ids.Tenant{a, b} {
		write(t, e, tenant, func(c engine.Conn) error {
			_, err := c.Exec("INSERT INTO notes (tenant_id, person, seq) VALUES (?, ?, 1)", tenant[:], id)
			if err == nil {
				t.Error("a note without its person")
			}
			if err := add(c, tenant, id, 1); err != nil {
				return err
			}
			_, err = c.Exec("INSERT INTO notes (tenant_id, person, seq) VALUES (?, ?, 1)", tenant[:], id)
			return err
		})
	}
	if err := e.Remove(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got := count(t, e, a); got != 0 {
		t.Errorf("%d rows are left", got)
	}
	if got := count(t, e, b); got != 1 {
		t.Errorf("the other tenant has %d rows, want 1", got)
	}
}

func TestNoTenantIsNobody(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	if err := e.Write(t.Context(), ids.Tenant{}, func(engine.Conn) error { return nil }); !errors.Is(err, engine.ErrNoTenant) {
		t.Errorf("got %v", err)
	}
}

// TestConnectionsKeepNothing runs thousands of transactions of many tenants over few connections, and ends many of
// them badly: with an error, with a panic, with a panic in the middle of an answer, cancelled while they wait.
func TestConnectionsKeepNothing(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	e, err := postgres.Open(t.Context(), postgres.Config{URL: db.App, Migrations: people, MaxConns: 4, UnsafeForTests: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const workers, rounds = 16, 200
	var all sync.WaitGroup
	for range workers {
		tenant := newTenant()
		all.Go(func() {
			var committed, unknown int64
			for round := range rounds {
				switch err := endBadly(t, e, tenant, round); {
				case err == nil:
					committed++
				case errors.Is(err, engine.ErrAway): // cut off in its commit
					unknown++
				}
			}
			if got := count(t, e, tenant); got < committed || got > committed+unknown {
				t.Errorf("%d rows, %d transactions committed and perhaps %d more", got, committed, unknown)
			}
		})
	}
	all.Wait()
	clean(t, e.Pool())
}

var errChanged = errors.New("changed my mind")

// endBadly runs one transaction, which ends well in one round of six.
func endBadly(t *testing.T, e engine.Engine, tenant ids.Tenant, round int) (err error) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
		if (err == nil) != (round%6 == 0) && round%6 != 5 {
			t.Errorf("round %d: %v", round, err)
		}
	}()
	return e.Write(ctx, tenant, func(c engine.Conn) error {
		if err := add(c, tenant, random(), int64(round)); err != nil {
			return err
		}
		switch round % 6 {
		case 1:
			return errChanged
		case 2:
			panic("a bug")
		case 3:
			return c.Query("SELECT n FROM people", nil, func([]any) error { panic("a bug in the middle of an answer") })
		case 4:
			cancel()
			return c.Query("SELECT n FROM people", nil, func([]any) error { return nil })
		case 5:
			c.(engine.Queuer).Queue("SELECT pg_sleep(0.05)")
			go cancel() // while the server is busy
		}
		return nil
	})
}

// clean looks at every connection the pool keeps.
func clean(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for _, conn := range pool.AcquireAllIdle(t.Context()) {
		var setting string
		var cursors int
		err := conn.QueryRow(t.Context(), "SELECT coalesce(current_setting('app.tenant', true), ''), (SELECT COUNT(*) FROM pg_cursors WHERE is_holdable)").Scan(&setting, &cursors)
		if err != nil || setting != "" || cursors != 0 || conn.Conn().PgConn().TxStatus() != 'I' {
			t.Errorf("a connection is kept with setting %q, %d cursors, state %c, %v", setting, cursors, conn.Conn().PgConn().TxStatus(), err)
		}
		conn.Release()
	}
}

// Should a bug set a tenant for a whole session, the connection is found out before it serves anybody.
func TestAConnectionWithAnOldTenantIsRefused(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	e, err := postgres.Open(t.Context(), postgres.Config{URL: db.App, Migrations: people, MaxConns: 1, UnsafeForTests: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	a := newTenant()
	write(t, e, a, func(c engine.Conn) error { return add(c, a, random(), 1) })
	if _, err := e.Pool().Exec(t.Context(), "SELECT set_config('app.tenant', $1, false)", hex.EncodeToString(a[:])); err != nil {
		t.Fatal(err)
	}
	b := newTenant()
	err = e.Write(t.Context(), b, func(c engine.Conn) error { return add(c, b, random(), 1) })
	if err == nil || !strings.Contains(err.Error(), "app.tenant") {
		t.Errorf("got %v", err)
	}
	if got := count(t, e, b); got != 0 { // on a new connection
		t.Errorf("%d rows were written over it", got)
	}
}
