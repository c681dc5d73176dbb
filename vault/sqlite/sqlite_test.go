package sqlite_test

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"testing"
	"time"

	"aver/base/clock"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/engine/enginetest"
	"aver/vault/sqlite"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(t *testing.T) enginetest.Open {
		root := t.TempDir()
		return func(migrations []engine.Migration) (engine.Engine, error) {
			return sqlite.Open(sqlite.Config{Root: root, PageKey: pageKey, Migrations: migrations})
		}
	})
}

// pageKey gives every tenant a key of its own.
func pageKey(_ context.Context, tenant ids.Tenant) ([]byte, error) {
	key := sha512.Sum512(tenant.Bytes())
	return key[:], nil
}

// notes is the table that tests of this engine alone write to.
var notes = []engine.Migration{{Version: 1, Name: "notes", SQL: `
CREATE TABLE notes (
    id INT NOT NULL,
    body SEALED,
    PRIMARY KEY (id)
);
`}}

// open opens an engine with a store for one tenant, and closes it when the test ends.
func open(t *testing.T, cfg sqlite.Config) (*sqlite.Engine, ids.Tenant) {
	t.Helper()
	var tenant ids.Tenant
	_, _ = rand.Read(tenant[:])
	return reopen(t, cfg, tenant), tenant
}

func reopen(t *testing.T, cfg sqlite.Config, tenant ids.Tenant) *sqlite.Engine {
	t.Helper()
	if cfg.PageKey == nil {
		cfg.PageKey = pageKey
	}
	cfg.Migrations = notes
	e, err := sqlite.Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := e.Create(t.Context(), tenant); err != nil {
		t.Fatalf("create: %v", err)
	}
	return e
}

// put stores a note, or replaces it.
func put(ctx context.Context, e *sqlite.Engine, tenant ids.Tenant, id int64, body []byte) error {
	return e.Write(ctx, tenant, func(c engine.Conn) error {
		_, err := c.Exec("INSERT INTO notes (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body", id, body)
		return err
	})
}

func remove(ctx context.Context, e *sqlite.Engine, tenant ids.Tenant, id int64) error {
	return e.Write(ctx, tenant, func(c engine.Conn) error {
		_, err := c.Exec("DELETE FROM notes WHERE id = ?", id)
		return err
	})
}

func count(t *testing.T, e *sqlite.Engine, tenant ids.Tenant) (n int64) {
	t.Helper()
	err := e.Read(t.Context(), tenant, func(c engine.Conn) error {
		return c.Query("SELECT COUNT(*) FROM notes", nil, func(row []any) error {
			n = row[0].(int64)
			return nil
		})
	})
	if err != nil {
		t.Fatalf("count: %v", err)
	}
	return n
}

func TestOpenRefusesWithoutAFolderOrAKey(t *testing.T) {
	t.Parallel()
	for _, cfg := range []sqlite.Config{{}, {Root: t.TempDir()}, {PageKey: pageKey}} {
		if _, err := sqlite.Open(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg.Root)
		}
	}
}

func TestTheZeroTenantHasNoStore(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	var none ids.Tenant
	for name, err := range map[string]error{
		"create": e.Create(t.Context(), none), "remove": e.Remove(t.Context(), none),
		"write": put(t.Context(), e, none, 1, nil), "scrub": e.Scrub(t.Context(), none),
	} {
		if !errors.Is(err, engine.ErrNoTenant) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := count(t, e, tenant); got != 0 {
		t.Errorf("the other store has %d rows", got)
	}
}

func TestAnUnusedStoreIsClosedAndOpensAgain(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	e, tenant := open(t, sqlite.Config{Root: t.TempDir(), Clock: now, Idle: time.Minute})
	if err := put(t.Context(), e, tenant, 1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	now.Advance(59 * time.Second)
	e.CloseIdle()
	if got := e.OpenStores(); got != 1 {
		t.Fatalf("after 59 seconds %d stores are open, want 1", got)
	}
	now.Advance(time.Second)
	e.CloseIdle()
	if got := e.OpenStores(); got != 0 {
		t.Fatalf("after a minute %d stores are open, want 0", got)
	}
	if got := count(t, e, tenant); got != 1 {
		t.Errorf("reopened, there are %d rows, want 1", got)
	}
}

func TestAStoreInUseIsNotClosed(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	e, tenant := open(t, sqlite.Config{Root: t.TempDir(), Clock: now, Idle: time.Minute})
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
		now.Advance(time.Hour)
		e.CloseIdle()
		if got := e.OpenStores(); got != 1 {
			t.Errorf("%d stores are open, want 1", got)
		}
		_, err := c.Exec("INSERT INTO notes (id) VALUES (1)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadersThatNobodyUsesAreClosedThoughTheirStoreIsInUse(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	e, tenant := open(t, sqlite.Config{Root: t.TempDir(), Clock: now, Idle: time.Minute})
	twoAtOnce := func(engine.Conn) error {
		return e.Read(t.Context(), tenant, func(engine.Conn) error { return nil })
	}
	if err := e.Read(t.Context(), tenant, twoAtOnce); err != nil {
		t.Fatal(err)
	}
	now.Advance(time.Minute)
	count(t, e, tenant)
	now.Advance(time.Second)
	e.CloseIdle()
	if got := e.RestingReaders(); got != 1 || e.OpenStores() != 1 {
		t.Errorf("%d readers rest in %d stores, want the one that was used a second ago", got, e.OpenStores())
	}
}

func TestNoMoreStoresStayOpenThanAllowed(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	e, first := open(t, sqlite.Config{Root: t.TempDir(), Clock: now, MaxOpen: 2})
	for i := range byte(4) {
		now.Advance(time.Second)
		tenant := ids.Tenant{0: 1, 1: i}
		if err := e.Create(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		if err := put(t.Context(), e, tenant, int64(i), nil); err != nil {
			t.Fatal(err)
		}
		if got := e.OpenStores(); got > 2 {
			t.Errorf("%d stores are open, want 2 at most", got)
		}
	}
	if got := count(t, e, first); got != 0 {
		t.Errorf("the first store has %d rows", got)
	}
}

func TestTransactionsRefuseWhatIsNotAboutRows(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	for _, query := range []string{
		"COMMIT", "END", "ROLLBACK", " rollback ", "BEGIN", "PRAGMA synchronous = off", "ATTACH 'x' AS y", "VACUUM",
		"DROP TABLE notes", "CREATE TABLE x (y)", "SELECT 1; COMMIT", "/* */ COMMIT", "",
	} {
		err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
			_, err := c.Exec(query)
			return err
		})
		if err == nil {
			t.Errorf("%q was accepted", query)
		}
	}
}

func TestAFinishedTransactionRefusesStatements(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	var kept engine.Conn
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
		kept = c
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Exec("INSERT INTO notes (id) VALUES (1)"); err == nil {
		t.Error("a statement ran outside a transaction")
	}
}

func TestARowFunctionMayRunStatements(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	const query = "SELECT id FROM notes ORDER BY id"
	pairs := 0
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
		if _, err := c.Exec("INSERT INTO notes (id) VALUES (1), (2), (3)"); err != nil {
			return err
		}
		return c.Query(query, nil, func([]any) error {
			return c.Query(query, nil, func([]any) error { // the same text inside itself
				pairs++
				return nil
			})
		})
	})
	if err != nil || pairs != 9 {
		t.Errorf("saw %d pairs, want 9; %v", pairs, err)
	}
}

func TestAContextEndsALongStatement(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := e.Read(ctx, tenant, func(c engine.Conn) error { return c.Query(endless, nil, func([]any) error { return nil }) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if got := count(t, e, tenant); got != 0 {
		t.Errorf("%d rows", got)
	}
}

func TestAnUnsuitableValueIsRefused(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	for _, value := range []any{1, uint8(1), time.Now(), tenant, struct{}{}} {
		err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
			_, err := c.Exec("INSERT INTO notes (id, body) VALUES (1, ?)", value)
			return err
		})
		if err == nil {
			t.Errorf("a %T was stored", value)
		}
	}
}
