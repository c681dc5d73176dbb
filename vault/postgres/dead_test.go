package postgres_test

import (
	"errors"
	"sync"
	"testing"

	"aver/vault/engine"
	"aver/vault/postgres"
)

// crowd lets an engine have three pooled connections, all idle.
func crowd(t *testing.T, e *postgres.Engine) {
	t.Helper()
	var all, met sync.WaitGroup
	met.Add(3)
	for range 3 {
		all.Go(func() {
			err := e.Read(t.Context(), newTenant(), func(c engine.Conn) error {
				met.Done()
				met.Wait()
				return c.Query("SELECT 1", nil, func([]any) error { return nil })
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestWhatComesAfterConnectionsDiedIsAnswered(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	e := db.Open(t, postgres.StoreSchema, people)
	tenant := newTenant()
	write(t, e, tenant, func(c engine.Conn) error { return add(c, tenant, random(), 1) })
	for round := range int64(3) { // at first statements are prepared, later they are known
		crowd(t, e)
		db.Kill(t)
		if got := count(t, e, tenant); got != 1+round {
			t.Errorf("%d rows are read, want %d", got, 1+round)
		}
		db.Kill(t)
		write(t, e, tenant, func(c engine.Conn) error { return add(c, tenant, random(), 1) })
		if got := count(t, e, tenant); got != 2+round {
			t.Errorf("%d rows after one more was written, want %d", got, 2+round)
		}
	}
}

// Nobody knows whether the server got as far as the commit, so what was to be written may be there already.
func TestACommitOfWhichNobodyKnowsIsNotRepeated(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	e := db.Open(t, postgres.StoreSchema, people)
	tenant := newTenant()
	runs := 0
	queued := func(c engine.Conn) error { runs++; return queueAll(c, tenant[:], 2) } // sent together with COMMIT
	write(t, e, tenant, queued)
	db.Kill(t)
	if err := e.Write(t.Context(), tenant, queued); !errors.Is(err, engine.ErrAway) {
		t.Errorf("got %v", err)
	}
	if runs != 2 {
		t.Errorf("it ran %d times", runs-1)
	}
}

// A transaction that has read something before its connection dies is not begun again behind its back.
func TestATransactionThatHasReadIsNotRepeated(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	e := db.Open(t, postgres.StoreSchema, people)
	tenant := newTenant()
	runs := 0
	err := e.Read(t.Context(), tenant, func(c engine.Conn) error {
		runs++
		if err := c.Query("SELECT COUNT(*) FROM people", nil, func([]any) error { return nil }); err != nil {
			return err
		}
		db.Kill(t)
		return c.Query("SELECT COUNT(*) FROM people", nil, func([]any) error { return nil })
	})
	if !errors.Is(err, engine.ErrAway) || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
}
