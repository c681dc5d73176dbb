package pgtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"aver/vault/engine"
	"aver/vault/postgres"
)

// A Database of one test. The addresses are for the cluster's three roles.
type Database struct {
	Name             string
	Boss, Owner, App string
}

// Schemas says which schemas a database should have: their names with their migrations.
type Schemas map[string][]engine.Migration

var databases atomic.Int64

func (c *Cluster) url(role, database string) string {
	return fmt.Sprintf("host=%s user=%s dbname=%s", c.dir, role, database)
}

func (c *Cluster) addRoles() error {
	return c.run("postgres", "CREATE ROLE "+Owner+" LOGIN", "CREATE ROLE "+App+" LOGIN")
}

// run executes statements as the superuser.
func (c *Cluster) run(database string, statements ...string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.url(Boss, database))
	if err != nil {
		return fmt.Errorf("connect to the test cluster: %w", err)
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// NewDatabase makes a database for the test and drops it at its end. The first with the same schemas migrates; the
// others are copies of it.
func (c *Cluster) NewDatabase(t testing.TB, schemas Schemas) Database {
	t.Helper()
	template := "template0"
	if len(schemas) > 0 {
		var err error
		if template, err = c.template(schemas); err != nil {
			t.Fatal(err)
		}
	}
	db, err := c.copy(template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.run("postgres", "DROP DATABASE "+db.Name+" WITH (FORCE)") }) // fails when the test stopped the cluster
	return db
}

func (c *Cluster) copy(template string) (Database, error) {
	name := fmt.Sprintf("test_%d", databases.Add(1))
	db := Database{name, c.url(Boss, name), c.url(Owner, name), c.url(App, name)}
	return db, c.run("postgres", "CREATE DATABASE "+name+" OWNER "+Owner+" TEMPLATE "+template,
		"REVOKE TEMPORARY ON DATABASE "+name+" FROM PUBLIC") // a copy does not have its template's rights
}

// template returns the name of a database with these schemas, which nobody is connected to.
func (c *Cluster) template(schemas Schemas) (string, error) {
	fingerprint := sha256.New()
	fmt.Fprintf(fingerprint, "%v", map[string][]engine.Migration(schemas)) // maps print in order of their keys
	once, _ := c.templates.LoadOrStore(string(fingerprint.Sum(nil)), sync.OnceValues(func() (string, error) {
		db, err := c.copy("template0")
		for schema, migrations := range schemas {
			err = errors.Join(err, postgres.Migrate(context.Background(), db.Owner, App, schema, migrations))
		}
		return db.Name, err
	}))
	return once.(func() (string, error))()
}

// Open opens an engine over one schema of the database, as the serving role, and closes it when the test ends.
func (db Database) Open(t testing.TB, schema string, migrations []engine.Migration) *postgres.Engine {
	t.Helper()
	e, err := postgres.Open(t.Context(), postgres.Config{URL: db.App, Schema: schema, Migrations: migrations, UnsafeForTests: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// Empty opens the database as its owner, to fill it, and closes it when the test ends.
func (db Database) Empty(t testing.TB, schema string, migrations []engine.Migration) *postgres.Empty {
	t.Helper()
	e, err := postgres.OpenEmpty(t.Context(), postgres.Config{URL: db.Owner, Schema: schema, Migrations: migrations, UnsafeForTests: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// Exec runs statements as one of the database's roles, to set up what a test then looks at.
func Exec(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", strings.TrimSpace(statement), err)
		}
	}
}

// Kill ends every connection of the serving role on the server, as a restart does, and tells nobody.
func (d Database) Kill(t testing.TB) {
	t.Helper()
	killed := d.count(t, `(SELECT pg_terminate_backend(pid, 20000) AS gone FROM pg_stat_activity WHERE datname = $1 AND usename = '`+App+`') AS all_of_them WHERE gone`)
	if killed == 0 {
		t.Fatal("there was no connection to end")
	}
}

// Waiting tells how many transactions wait for a lock.
func (d Database) Waiting(t testing.TB) int {
	t.Helper()
	return d.count(t, "pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'")
}

// count counts rows of something about the database, whose name is $1.
func (d Database) count(t testing.TB, from string) (n int) {
	t.Helper()
	boss, err := pgx.Connect(t.Context(), d.Boss)
	if err != nil {
		t.Fatal(err)
	}
	defer boss.Close(t.Context())
	if err := boss.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+from, d.Name).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
