package enginetest

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"aver/vault/engine"
)

var storeTests = map[string]func(*testing.T, *fixture){
	"creating twice keeps what is there":                     createTwice,
	"a tenant without a store has nothing":                   unknownTenant,
	"removing destroys one store and no other":               removeDestroys,
	"scrubbing keeps what was not deleted":                   scrubKeeps,
	"a snapshot can be taken while others write":             snapshotWhileWriting,
	"closing waits for what runs, then refuses":              closeWaits,
	"new migrations reach old stores, in any module's order": newMigrations,
	"a failing migration is named and changes nothing":       failingMigration,
}

func createTwice(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	f.create(t, f.a)
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{1}) {
		t.Errorf("got %v, want [1]", got)
	}
}

func unknownTenant(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	err := f.e.Read(t.Context(), newTenant(), func(c engine.Conn) error {
		got, err := numbers(c)
		if got != nil {
			t.Errorf("got %v", got)
		}
		return err
	})
	if err != nil && !errors.Is(err, engine.ErrNoTenant) {
		t.Errorf("got %v", err)
	}
}

func removeDestroys(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	f.write(t, f.b, func(c engine.Conn) error { return f.add(c, f.b, newID(), 2) })
	for range 2 { // the second time there is nothing left, which is no error: an erasure that was cut off is run again
		if err := f.e.Remove(t.Context(), f.a); err != nil {
			t.Fatalf("remove: %v", err)
		}
	}
	unknown := f.e.Read(t.Context(), f.a, func(c engine.Conn) error {
		got, err := numbers(c)
		if got != nil {
			t.Errorf("removed, but %v is there", got)
		}
		return err
	})
	if unknown != nil && !errors.Is(unknown, engine.ErrNoTenant) {
		t.Errorf("read after remove: %v", unknown)
	}
	f.create(t, f.a)
	if got := f.numbers(t, f.a); got != nil {
		t.Errorf("created anew, but %v is there", got)
	}
	if got := f.numbers(t, f.b); !reflect.DeepEqual(got, []int64{2}) {
		t.Errorf("the other tenant has %v, want [2]", got)
	}
}

func scrubKeeps(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error {
		return errors.Join(f.add(c, f.a, newID(), 1), f.add(c, f.a, newID(), 2))
	})
	f.write(t, f.a, func(c engine.Conn) error {
		_, err := c.Exec("DELETE FROM things WHERE n = ?", int64(1))
		return err
	})
	if err := f.e.Scrub(t.Context(), f.a); err != nil {
		t.Fatalf("scrub: %v", err)
	}
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{2}) {
		t.Errorf("got %v, want [2]", got)
	}
}

func snapshotWhileWriting(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	f.write(t, f.a, func(c engine.Conn) error { // the snapshot is taken while this transaction is open
		if err := f.add(c, f.a, newID(), 2); err != nil {
			return err
		}
		var copied bytes.Buffer
		err := f.e.Snapshot(t.Context(), f.a, &copied)
		if err == nil && copied.Len() == 0 {
			t.Error("the snapshot is empty")
		}
		return err
	})
}

func closeWaits(t *testing.T, f *fixture) {
	closed := make(chan error, 1)
	var finished atomic.Bool
	f.write(t, f.a, func(c engine.Conn) error {
		started := make(chan struct{})
		go func() {
			close(started)
			err := f.e.Close()
			if !finished.Load() {
				t.Error("closed while a transaction was running")
			}
			closed <- err
		}()
		<-started
		for range 1000 {
			runtime.Gosched()
		}
		err := f.add(c, f.a, newID(), 1)
		finished.Store(true)
		return err
	})
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	if err := f.e.Write(t.Context(), f.a, func(engine.Conn) error { return nil }); err == nil {
		t.Error("a closed engine wrote")
	}
	if err := f.e.Read(t.Context(), f.a, func(engine.Conn) error { return nil }); err == nil {
		t.Error("a closed engine read")
	}
	f.e = nil
	f.reopen(t, schema)
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{1}) {
		t.Errorf("got %v, want [1]", got)
	}
}

func newMigrations(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	more := append([]engine.Migration{
		{Version: 1002, Name: "first/0002_rank.sql", SQL: "ALTER TABLE things ADD COLUMN rank INT;\n"},
		{Version: 500, Name: "zeroth/0001_notes.sql", SQL: "CREATE TABLE notes (\n    id ID NOT NULL,\n    body SEALED,\n    PRIMARY KEY (id)\n);\n"},
	}, schema...)
	f.reopen(t, more)
	f.write(t, f.a, func(c engine.Conn) error {
		if _, err := c.Exec("UPDATE things SET rank = ?", int64(5)); err != nil {
			return err
		}
		return f.insert(c, f.a, "notes", "id, body", newID().Bytes(), []byte("x"))
	})
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{1}) {
		t.Errorf("got %v, want [1]", got)
	}
	f.reopen(t, more)
	f.write(t, f.b, func(c engine.Conn) error { return f.insert(c, f.b, "notes", "id, body", newID().Bytes(), nil) })
}

func failingMigration(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	bad := engine.Migration{Version: 3001, Name: "third/0001_wrong.sql", SQL: `
CREATE TABLE half (
    id ID NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX nowhere ON no_such_table (id);
`}
	if err := f.e.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	e, err := f.open(append(schema[:len(schema):len(schema)], bad))
	if err == nil { // an engine may find out when it opens, or when it first meets a store
		err = e.Read(t.Context(), f.a, func(engine.Conn) error { return nil })
		_ = e.Close()
	}
	if err == nil || !strings.Contains(err.Error(), bad.Name) {
		t.Errorf("the error does not name the migration: %v", err)
	}
	f.e = nil
	good := engine.Migration{Version: 3001, Name: "third/0001_right.sql", SQL: strings.Split(bad.SQL, "CREATE INDEX")[0]}
	f.reopen(t, append(schema[:len(schema):len(schema)], good)) // the table half must not be there yet
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{1}) {
		t.Errorf("got %v, want [1]", got)
	}
}
