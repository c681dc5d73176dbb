package postgres_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
)

// A message costs what performance.md §1.4 says is the price: round trips. Tenant, savepoint, questions that can wait and
// queued writes ride along, so what is read and the commit make two.
func TestQueuedStatementsShareRoundTrips(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	wire := listenIn(t, db.App)
	e, err := postgres.Open(t.Context(), postgres.Config{URL: wire.url, Migrations: people, MaxConns: 1, UnsafeForTests: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	tenant := newTenant()
	for name, test := range map[string]struct {
		want int64
		fn   func(engine.Conn) error
	}{
		"nothing to say":             {0, func(engine.Conn) error { return nil }},
		"queued writes and a commit": {1, func(c engine.Conn) error { return queueAll(c, tenant[:], 3) }},
		"a write that may conflict":  {2, func(c engine.Conn) error { return add(c, tenant, random(), 1) }},
		"a message": {2, func(c engine.Conn) error {
			q, look := c.(engine.Queuer), func([]any) error { return nil }
			q.Queue("SAVEPOINT task")
			allowed := q.Ask("SELECT n FROM people WHERE tenant_id = ? AND id = ?", []any{tenant[:], random()}, look)
			if err := c.Query("SELECT n FROM people WHERE tenant_id = ? AND n = ?", []any{tenant[:], int64(1)}, look); err != nil {
				return err
			}
			err := errors.Join(allowed(), queueAll(c, tenant[:], 3))
			q.Queue("RELEASE task")
			return err
		}},
	} {
		write(t, e, tenant, test.fn) // the first time statements are prepared
		before := wire.trips.Load()
		write(t, e, tenant, test.fn)
		if got := wire.trips.Load() - before; got != test.want {
			t.Errorf("%s: %d round trips, want %d", name, got, test.want)
		}
	}
}

func queueAll(c engine.Conn, tenant []byte, n int64) error {
	for i := range n {
		c.(engine.Queuer).Queue("INSERT INTO people (tenant_id, id, n) VALUES (?, ?, ?)", tenant, random(), i)
	}
	return nil
}

func TestAQueuedConflictSurfacesAndASavepointSavesTheRest(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	tenant, id := newTenant(), random()
	insert := "INSERT INTO people (tenant_id, id, n) VALUES (?, ?, ?)"
	for name, surface := range map[string]func(engine.Conn) error{
		"at Flush": func(c engine.Conn) error { return c.(engine.Queuer).Flush() },
		"at Exec":  func(c engine.Conn) error { _, err := c.Exec("DELETE FROM notes"); return err },
		"at Query": func(c engine.Conn) error {
			return c.Query("SELECT n FROM people", nil, func([]any) error { return nil })
		},
	} {
		write(t, e, tenant, func(c engine.Conn) error {
			_, err := c.Exec("DELETE FROM people")
			if err != nil {
				return err
			}
			q := c.(engine.Queuer)
			q.Queue(insert, tenant[:], id, int64(1))
			q.Queue("SAVEPOINT task")
			q.Queue(insert, tenant[:], random(), int64(2))
			if err := q.Flush(); err != nil {
				return err
			}
			q.Queue(insert, tenant[:], id, int64(3))
			q.Queue(insert, tenant[:], random(), int64(4))
			if err := surface(c); !errors.Is(err, engine.ErrUnique) {
				t.Errorf("%s: %v", name, err)
			}
			q.Queue("ROLLBACK TO task")
			q.Queue("RELEASE task")
			q.Queue(insert, tenant[:], random(), int64(5))
			return nil
		})
		if got := count(t, e, tenant); got != 2 {
			t.Errorf("%s: %d rows, want 2", name, got)
		}
	}
}

// An answer that never came must not pass for no rows: somebody's permission may hang on it.
func TestAQuestionThatTravelledWithAFailureHasNoAnswer(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	tenant, id := newTenant(), random()
	write(t, e, tenant, func(c engine.Conn) error { return add(c, tenant, id, 7) })
	write(t, e, tenant, func(c engine.Conn) error {
		q, seen := c.(engine.Queuer), []int64{}
		ask := func() func() error {
			return q.Ask("SELECT n FROM people WHERE id = ?", []any{id}, func(row []any) error { seen = append(seen, row[0].(int64)); return nil })
		}
		first, second := ask(), ask()
		if err := errors.Join(second(), first(), first()); err != nil || !slices.Equal(seen, []int64{7, 7}) {
			t.Errorf("asked twice: %v, %v", seen, err)
		}
		q.Queue("SAVEPOINT task")
		q.Queue("INSERT INTO people (tenant_id, id, n) VALUES (?, ?, ?)", tenant[:], id, int64(1))
		lost := ask()
		if err := q.Flush(); !errors.Is(err, engine.ErrUnique) {
			t.Errorf("flush: %v", err)
		}
		q.Queue("ROLLBACK TO task")
		q.Queue("RELEASE task")
		if err := lost(); err == nil || len(seen) != 2 {
			t.Errorf("a question that was never put is answered: %v, %v", seen, err)
		}
		return nil
	})
}

func TestAQueuedConflictFailsTheCommit(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	tenant, id := newTenant(), random()
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
		for range 2 {
			c.(engine.Queuer).Queue("INSERT INTO people (tenant_id, id, n) VALUES (?, ?, ?)", tenant[:], id, int64(1))
		}
		return nil
	})
	if !errors.Is(err, engine.ErrUnique) || count(t, e, tenant) != 0 {
		t.Errorf("%v, %d rows", err, count(t, e, tenant))
	}
}

// Whoever overlooks an error must not be told that the transaction was committed.
func TestAnOverlookedErrorFailsTheCommit(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	tenant := newTenant()
	for name, overlook := range map[string]func(engine.Conn){
		"a broken rule":     func(c engine.Conn) { _, _ = c.Exec("DELETE FROM people WHERE n / 0 = 1") },
		"a malformed text":  func(c engine.Conn) { _, _ = c.Exec("SELECT FROM WHERE") },
		"a value too large": func(c engine.Conn) { _, _ = c.Exec("DELETE FROM people WHERE id = ?", []byte("short")) },
		"a queued bad text": func(c engine.Conn) { c.(engine.Queuer).Queue("COMMIT") },
		"a queued bad value": func(c engine.Conn) {
			c.(engine.Queuer).Queue("DELETE FROM people WHERE n = ?", struct{}{})
		},
	} {
		err := e.Write(t.Context(), tenant, func(c engine.Conn) error {
			if err := add(c, tenant, random(), 1); err != nil {
				return err
			}
			overlook(c)
			return nil
		})
		if got := count(t, e, tenant); err == nil || got != 0 {
			t.Errorf("%s: %v, %d rows", name, err, got)
		}
	}
}

// A rule that is checked at the commit makes the commit fail, and that is an error and not silence.
func TestACommitThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	e := db.Open(t, postgres.StoreSchema, people)
	pgtest.Exec(t, db.Boss, `CREATE FUNCTION aver.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$`,
		`CREATE CONSTRAINT TRIGGER full_at_commit AFTER INSERT ON aver.people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION aver.full()`)
	tenant := newTenant()
	err := e.Write(t.Context(), tenant, func(c engine.Conn) error { return add(c, tenant, random(), 1) })
	if !errors.Is(err, engine.ErrFull) || count(t, e, tenant) != 0 {
		t.Errorf("%v, %d rows", err, count(t, e, tenant))
	}
}

func TestADeadlockIsErrRetry(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	e := db.Open(t, postgres.StoreSchema, people)
	pgtest.Exec(t, db.Boss, "ALTER DATABASE "+db.Name+" SET deadlock_timeout = '20ms'")
	e.Pool().Reset()
	tenant, ids := newTenant(), [][]byte{random(), random()}
	write(t, e, tenant, func(c engine.Conn) error { return errors.Join(add(c, tenant, ids[0], 0), add(c, tenant, ids[1], 0)) })
	var locked, all sync.WaitGroup
	locked.Add(2)
	results := make([]error, 2)
	for i := range 2 {
		all.Go(func() {
			results[i] = e.Write(t.Context(), tenant, func(c engine.Conn) error {
				_, err := c.Exec("UPDATE people SET n = n + 1 WHERE id = ?", ids[i])
				locked.Done()
				locked.Wait() // each has one row and wants the other
				if err != nil {
					return err
				}
				_, err = c.Exec("UPDATE people SET n = n + 1 WHERE id = ?", ids[1-i])
				return err
			})
		})
	}
	all.Wait()
	if (results[0] == nil) == (results[1] == nil) || !errors.Is(errors.Join(results...), engine.ErrRetry) {
		t.Errorf("got %v", results)
	}
}

// A row read with FOR UPDATE stays as it was read until the commit, across processes.
func TestReadingForUpdateLosesNoChange(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	processes := []engine.Engine{db.Open(t, postgres.StoreSchema, people), db.Open(t, postgres.StoreSchema, people)}
	tenant, id := newTenant(), random()
	write(t, processes[0], tenant, func(c engine.Conn) error { return add(c, tenant, id, 0) })
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 10 {
				err := processes[i%2].Write(t.Context(), tenant, func(c engine.Conn) error {
					var n int64
					err := c.Query("SELECT n FROM people WHERE id = ? FOR UPDATE", []any{id}, func(row []any) error { n = row[0].(int64); return nil })
					c.(engine.Queuer).Queue("UPDATE people SET n = ? WHERE id = ?", n+1, id)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	err := processes[0].Read(t.Context(), tenant, func(c engine.Conn) error {
		return c.Query("SELECT n FROM people", nil, func(row []any) error {
			if row[0] != any(int64(80)) {
				t.Errorf("counted %v, want 80", row[0])
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}

func TestEveryKindOfColumnComesBack(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	var got []any
	err := e.Read(t.Context(), newTenant(), func(c engine.Conn) error {
		return c.Query(`SELECT 1::int2, -2::int4, 3::int8, 1.5::float8, true, 'x', 'y'::varchar, ?::bytea, NULL, SUM(v), SUM(v) / 4.0 FROM (VALUES (5), (6)) AS s (v)`,
			[]any{[]byte{7}}, func(row []any) error { got = append(got, row...); return nil })
	})
	want := []any{int64(1), int64(-2), int64(3), 1.5, true, "x", "y", []byte{7}, nil, int64(11), 2.75}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got, err)
	}
	err = e.Read(t.Context(), newTenant(), func(c engine.Conn) error {
		return c.Query("SELECT now()", nil, func([]any) error { return nil })
	})
	wants(t, err, "column now")
}

// What goes wrong with a value is told without the value.
func TestErrorsCarryNoValues(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	const secret = "anna@kowalska.example"
	tenant := newTenant()
	insert := func(c engine.Conn, label any) error {
		_, err := c.Exec("INSERT INTO people (tenant_id, id, n, label) VALUES (?, ?, 1, ?)", tenant[:], random(), label)
		return err
	}
	for name, fn := range map[string]func(engine.Conn) error{
		"unique":     func(c engine.Conn) error { return errors.Join(insert(c, secret), insert(c, secret)) },
		"wrong type": func(c engine.Conn) error { _, err := c.Exec("DELETE FROM people WHERE id = ?", secret); return err },
		"wrong bytes": func(c engine.Conn) error {
			_, err := c.Exec("DELETE FROM people WHERE id = ?", []byte(secret))
			return err
		},
		"wrong cast": func(c engine.Conn) error {
			_, err := c.Exec("DELETE FROM people WHERE n = ?::text::int8", secret)
			return err
		},
		"not a number": func(c engine.Conn) error { _, err := c.Exec("DELETE FROM people WHERE n = ?", secret); return err },
		"null byte":    func(c engine.Conn) error { return insert(c, secret+"\x00") },
		"not UTF-8":    func(c engine.Conn) error { return insert(c, secret+"\xff") },
	} {
		err := e.Write(t.Context(), tenant, fn)
		if err == nil || strings.Contains(err.Error(), "anna") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAQueryInsideAQueryIsAnError(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	tenant := newTenant()
	write(t, e, tenant, func(c engine.Conn) error { return add(c, tenant, random(), 1) })
	err := e.Write(context.Background(), tenant, func(c engine.Conn) error {
		return c.Query("SELECT n FROM people", nil, func([]any) error {
			_, err := c.Exec("DELETE FROM people")
			return err
		})
	})
	if err == nil || errors.Is(err, engine.ErrAway) || count(t, e, tenant) != 1 {
		t.Errorf("%v, %d rows", err, count(t, e, tenant))
	}
}

// A conn that somebody kept must not reach the connection, which by then serves another tenant.
func TestAConnIsOfNoUseAfterItsTransaction(t *testing.T) {
	t.Parallel()
	e := newDatabase(t).Open(t, postgres.StoreSchema, people)
	tenant := newTenant()
	var kept engine.Conn
	write(t, e, tenant, func(c engine.Conn) error { kept = c; return add(c, tenant, random(), 1) })
	write(t, e, newTenant(), func(c engine.Conn) error {
		if _, err := c.Exec("DELETE FROM people"); err != nil { // now the connection is in another transaction
			return err
		}
		if _, err := kept.Exec("DELETE FROM people"); err == nil {
			t.Error("a statement was run after its transaction")
		}
		return nil
	})
	if got := count(t, e, tenant); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}
