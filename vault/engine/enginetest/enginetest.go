// Package enginetest holds the promises of engine.Engine as tests that every engine must pass.
//
// An engine's own tests call Run. What only one engine can show (a wrong page key, a policy that is missing) is tested
// beside that engine.
package enginetest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"aver/base/ids"
	"aver/vault/engine"
)

// Open opens an engine with these migrations over one place. Called again after Close, it finds what was stored.
type Open func(migrations []engine.Migration) (engine.Engine, error)

// Run tests every promise. place gives each test a fresh, empty place of its own, which it clears when the test ends.
func Run(t *testing.T, place func(t *testing.T) Open) {
	groups := []struct {
		name  string
		tests map[string]func(*testing.T, *fixture)
	}{
		{"values", valueTests}, {"transactions", transactionTests}, {"isolation", isolationTests}, {"stores", storeTests},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, start(t, place(t)))
				})
			}
		})
	}
}

// schema is what the tests store: every neutral type, a plain key, a composite key and a unique index.
var schema = []engine.Migration{
	{Version: 1001, Name: "first/0001_things.sql", SQL: `
-- every type there is
CREATE TABLE things (
    id ID NOT NULL,
    n INT NOT NULL,
    made TIME,
    done BOOL,
    label TEXT,
    body SEALED,
    label_index BLIND,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX things_by_label ON things (label);
CREATE INDEX things_by_n ON things (n, id);
`},
	{Version: 2001, Name: "second/0001_pairs.sql", SQL: `
CREATE TABLE pairs (
    owner ID NOT NULL,
    seq INT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (owner, seq)
);
`},
}

type fixture struct {
	open Open
	e    engine.Engine
	a, b ids.Tenant
}

func start(t *testing.T, open Open) *fixture {
	t.Helper()
	f := &fixture{open: open, a: newTenant(), b: newTenant()}
	f.reopen(t, schema)
	t.Cleanup(func() {
		if f.e != nil {
			_ = f.e.Close()
		}
	})
	f.create(t, f.a)
	f.create(t, f.b)
	return f
}

func (f *fixture) reopen(t *testing.T, migrations []engine.Migration) {
	t.Helper()
	if f.e != nil {
		if err := f.e.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	e, err := f.open(migrations)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	f.e = e
}

func (f *fixture) create(t *testing.T, tenant ids.Tenant) {
	t.Helper()
	if err := f.e.Create(t.Context(), tenant); err != nil {
		t.Fatalf("create: %v", err)
	}
}

// write commits or ends the test; like every caller of an engine it runs again what met ErrRetry.
func (f *fixture) write(t *testing.T, tenant ids.Tenant, fn func(engine.Conn) error) {
	t.Helper()
	if err := f.tryWrite(t.Context(), tenant, fn); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func (f *fixture) tryWrite(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	for {
		err := f.e.Write(ctx, tenant, fn)
		if !errors.Is(err, engine.ErrRetry) {
			return err
		}
	}
}

func (f *fixture) read(t *testing.T, tenant ids.Tenant, fn func(engine.Conn) error) {
	t.Helper()
	if err := f.e.Read(t.Context(), tenant, fn); err != nil {
		t.Fatalf("read: %v", err)
	}
}

// insert writes one row and names the tenant where the engine wants it named.
func (f *fixture) insert(c engine.Conn, tenant ids.Tenant, table, columns string, values ...any) error {
	if f.e.TenantColumn() {
		columns, values = "tenant_id, "+columns, append([]any{tenant.Bytes()}, values...)
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
	_, err := c.Exec("INSERT INTO "+table+" ("+columns+") VALUES ("+marks+")", values...)
	return err
}

func (f *fixture) add(c engine.Conn, tenant ids.Tenant, id ids.Object, n int64) error {
	return f.insert(c, tenant, "things", "id, n", id.Bytes(), n)
}

// numbers returns the column n of every row of things, as the tenant sees them, in order.
func (f *fixture) numbers(t *testing.T, tenant ids.Tenant) []int64 {
	t.Helper()
	var out []int64
	f.read(t, tenant, func(c engine.Conn) (err error) {
		out, err = numbers(c)
		return err
	})
	return out
}

func numbers(c engine.Conn) ([]int64, error) {
	var out []int64
	err := c.Query("SELECT n FROM things ORDER BY n", nil, func(row []any) error {
		out = append(out, row[0].(int64))
		return nil
	})
	return out, err
}

func newTenant() (tenant ids.Tenant) {
	_, _ = rand.Read(tenant[:]) // never fails, see crypto/rand
	return tenant
}

func newID() (id ids.Object) {
	_, _ = rand.Read(id[:])
	return id
}
