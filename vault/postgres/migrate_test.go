package postgres_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

func migrate(t *testing.T, db pgtest.Database, migrations []engine.Migration) error {
	return postgres.Migrate(t.Context(), db.Owner, pgtest.App, postgres.StoreSchema, migrations)
}

func open(t *testing.T, url string, migrations []engine.Migration) error {
	e, err := postgres.Open(t.Context(), postgres.Config{URL: url, Migrations: migrations, UnsafeForTests: true})
	if err == nil {
		_ = e.Close()
	}
	return err
}

// wants fails the test unless the error says all of this.
func wants(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

func TestThreeProcessesMigrateAtOnceAndOneApplies(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, nil)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := migrate(t, db, people); err != nil {
				t.Error(err)
			}
			if err := postgres.MigrateJobs(t.Context(), db.Owner, pgtest.App); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := open(t, db.App, people); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesASchemaThatIsNotCurrent(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, nil)
	wants(t, open(t, db.App, people), "migrate as the owner")
	if err := migrate(t, db, people); err != nil {
		t.Fatal(err)
	}
	more := append(people[:1:1], engine.Migration{Version: 1002, Name: "test/0002_rank.sql", SQL: "ALTER TABLE people ADD COLUMN rank INT;\n"})
	wants(t, open(t, db.App, more), "lacks", "test/0002_rank.sql", "migrate as the owner")
	if err := migrate(t, db, more); err != nil {
		t.Fatal(err)
	}
	wants(t, open(t, db.App, people), "newer than this program", "1002")
	if err := open(t, db.App, more); err != nil {
		t.Error(err)
	}
}

func TestKeysHaveASchemaOfTheirOwn(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people, postgres.KeySchema: people})
	stores, keys := db.Open(t, postgres.StoreSchema, people), db.Open(t, postgres.KeySchema, people)
	tenant := newTenant()
	write(t, keys, tenant, func(c engine.Conn) error { return add(c, tenant, random(), 1) })
	if s, k := count(t, stores, tenant), count(t, keys, tenant); s != 0 || k != 1 {
		t.Errorf("%d rows in the stores, %d in the keys, want 0 and 1", s, k)
	}
	if err := stores.Remove(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if got := count(t, keys, tenant); got != 1 {
		t.Errorf("removing the store left %d keys, want 1", got)
	}
}

func TestMigrateRefusesTheServingRoleAsOwner(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, nil)
	wants(t, postgres.Migrate(t.Context(), db.Owner, pgtest.Owner, postgres.StoreSchema, people), "must not be able to become the owner")
	wants(t, postgres.Migrate(t.Context(), db.Owner, "nobody_here", postgres.StoreSchema, people), `CREATE ROLE "nobody_here" LOGIN`)
	wants(t, postgres.Migrate(t.Context(), db.Owner, pgtest.App, "aver; DROP", people), "malformed")
}

func TestOpenRefusesARoleThatGetsRoundThePolicies(t *testing.T) {
	t.Parallel()
	c := pgtest.NewCluster(t) // roles belong to a whole cluster
	db := c.NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	wants(t, open(t, db.Boss, people), "unsafe database", "do not bind: boss")
	wants(t, open(t, db.Owner, people), "unsafe database", "the serving role owns")
	for _, step := range []struct{ plant, remove, want string }{
		{"ALTER ROLE aver_app BYPASSRLS", "ALTER ROLE aver_app NOBYPASSRLS", "do not bind: aver_app"},
		{"ALTER ROLE aver_app CREATEROLE", "ALTER ROLE aver_app NOCREATEROLE", "do not bind: aver_app"},
		{"GRANT boss TO aver_app", "REVOKE boss FROM aver_app", "do not bind: boss"},
		{"GRANT aver_owner TO aver_app", "REVOKE aver_owner FROM aver_app", "the serving role owns"},
		{"ALTER TABLE aver.people OWNER TO aver_app", "ALTER TABLE aver.people OWNER TO aver_owner", "the serving role owns"},
	} {
		pgtest.Exec(t, db.Boss, step.plant)
		wants(t, open(t, db.App, people), "unsafe database", step.want)
		pgtest.Exec(t, db.Boss, step.remove)
	}
	if err := open(t, db.App, people); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesAServerThatForgets(t *testing.T) {
	t.Parallel()
	forgetful := newDatabase(t) // the shared cluster does not fsync
	_, err := postgres.Open(t.Context(), postgres.Config{URL: forgetful.App, Migrations: people})
	wants(t, err, "unsafe database", "fsync = off", "full_page_writes = off", "synchronous_commit = off")

	durable := pgtest.NewCluster(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: people})
	e, err := postgres.Open(t.Context(), postgres.Config{URL: durable.App, Migrations: people})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
	pgtest.Exec(t, durable.Boss, "ALTER ROLE aver_app SET synchronous_commit = off")
	e.Pool().Reset() // connections made from now on are checked too
	err = e.Write(t.Context(), newTenant(), func(engine.Conn) error { return nil })
	wants(t, err, "unsafe database", "synchronous_commit = off")
	pgtest.Exec(t, durable.Boss, "ALTER ROLE aver_app RESET synchronous_commit")
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
	pgtest.Exec(t, durable.Boss, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
	for { // the server reloads when it gets round to it
		if err := e.Check(t.Context()); err != nil {
			wants(t, err, "unsafe database", "fsync = off")
			return
		}
	}
}

func TestOpenDoesNotRepeatAPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://aver:s3cret@host:port/x", "postgres://aver:s3cret@127.0.0.1:1/x"} {
		_, err := postgres.Open(t.Context(), postgres.Config{URL: url, Migrations: people})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v", err)
		}
	}
}

type job struct {
	Tenant string `json:"tenant"`
}

func (job) Kind() string { return "test_job" }

type worker struct {
	river.WorkerDefaults[job]
	done chan string
}

func (w *worker) Work(_ context.Context, j *river.Job[job]) error {
	w.done <- j.Args.Tenant
	return nil
}

func TestJobsRunAsTheServingRole(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).NewDatabase(t, nil)
	for range 2 { // the second time there is nothing to do
		if err := postgres.MigrateJobs(t.Context(), db.Owner, pgtest.App); err != nil {
			t.Fatal(err)
		}
	}
	handle, err := postgres.OpenDB(db.App)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handle.Close() }) // after River has stopped
	w := &worker{done: make(chan string, 1)}
	client := startRiver(t, handle, w)
	if _, err := client.Insert(t.Context(), job{Tenant: "ten_x"}, nil); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-w.done:
		if got != "ten_x" {
			t.Errorf("got %q", got)
		}
	case <-time.After(time.Minute):
		t.Error("the job has not run")
	}
}

func startRiver(t *testing.T, handle *sql.DB, w *worker) *river.Client[*sql.Tx] {
	t.Helper()
	workers := river.NewWorkers()
	river.AddWorker(workers, w)
	client, err := river.NewClient(riverdatabasesql.New(handle), &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}}, Workers: workers, FetchPollInterval: 50 * time.Millisecond,
		FetchCooldown: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Stop(context.Background()) })
	return client
}
