package enginetest

import (
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"aver/base/ids"
	"aver/vault/engine"
)

var isolationTests = map[string]func(*testing.T, *fixture){
	"a read keeps its snapshot while others commit":             snapshotHolds,
	"a read neither waits for a write nor sees it early":        readPassesWrite,
	"a read refuses to write":                                   readRefusesWrites,
	"a tenant sees only its own rows":                           tenantsApart,
	"the same key may exist at two tenants":                     sameKeyTwice,
	"a tenant cannot change or delete another's rows":           noReachAcross,
	"a row cannot be written under another tenant":              noForeignTenantColumn,
	"two tenants write at the same time":                        tenantsInParallel,
	"no more transactions of a tenant write than lanes":         lanesHold,
	"counting up from many goroutines loses nothing":            countingUp,
	"many readers and writers see whole transactions, not half": wholeTransactions,
}

func snapshotHolds(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	f.read(t, f.a, func(c engine.Conn) error {
		before, err := numbers(c)
		if err != nil {
			return err
		}
		f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 2) })
		after, err := numbers(c)
		if !reflect.DeepEqual(before, after) {
			t.Errorf("the snapshot moved from %v to %v", before, after)
		}
		return err
	})
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{1, 2}) {
		t.Errorf("a later read got %v", got)
	}
}

func readPassesWrite(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error {
		if err := f.add(c, f.a, newID(), 1); err != nil {
			return err
		}
		if got := f.numbers(t, f.a); got != nil {
			t.Errorf("saw %v before it was committed", got)
		}
		return nil
	})
}

func readRefusesWrites(t *testing.T, f *fixture) {
	err := f.e.Read(t.Context(), f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	if err == nil {
		t.Error("the read wrote")
	}
	if got := f.numbers(t, f.a); got != nil {
		t.Errorf("%v was written", got)
	}
}

func tenantsApart(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	f.write(t, f.b, func(c engine.Conn) error { return f.add(c, f.b, newID(), 2) })
	for tenant, want := range map[ids.Tenant]int64{f.a: 1, f.b: 2} {
		if got := f.numbers(t, tenant); !reflect.DeepEqual(got, []int64{want}) { // the statement names no tenant on purpose
			t.Errorf("got %v, want [%d]", got, want)
		}
	}
}

func sameKeyTwice(t *testing.T, f *fixture) {
	id := newID()
	for _, tenant := range []ids.Tenant{f.a, f.b} {
		f.write(t, tenant, func(c engine.Conn) error {
			return f.insert(c, tenant, "things", "id, n, label", id.Bytes(), int64(1), "same")
		})
	}
}

func noReachAcross(t *testing.T, f *fixture) {
	id := newID()
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, id, 1) })
	f.write(t, f.b, func(c engine.Conn) error {
		for _, query := range []string{"UPDATE things SET n = 9 WHERE id = ?", "DELETE FROM things WHERE id = ?"} {
			if n, err := c.Exec(query, id.Bytes()); n != 0 || err != nil {
				t.Errorf("%s: %d rows, %v", query, n, err)
			}
		}
		return nil
	})
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{1}) {
		t.Errorf("got %v, want [1]", got)
	}
}

func noForeignTenantColumn(t *testing.T, f *fixture) {
	if !f.e.TenantColumn() {
		return // there is no column that could lie
	}
	err := f.e.Write(t.Context(), f.b, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	if err == nil {
		t.Error("a row was written under another tenant")
	}
	f.write(t, f.b, func(c engine.Conn) error { return f.add(c, f.b, newID(), 2) })
	err = f.e.Write(t.Context(), f.b, func(c engine.Conn) error {
		_, err := c.Exec("UPDATE things SET tenant_id = ?", f.a.Bytes())
		return err
	})
	if err == nil {
		t.Error("a row was moved to another tenant")
	}
	if got := f.numbers(t, f.a); got != nil {
		t.Errorf("tenant a holds %v", got)
	}
}

func tenantsInParallel(t *testing.T, f *fixture) {
	var inside, all sync.WaitGroup
	inside.Add(2)
	for _, tenant := range []ids.Tenant{f.a, f.b} {
		all.Go(func() {
			err := f.e.Write(t.Context(), tenant, func(c engine.Conn) error {
				err := f.add(c, tenant, newID(), 1)
				inside.Done()
				inside.Wait() // returns only when both hold a transaction
				return err
			})
			if err != nil {
				t.Errorf("write: %v", err)
			}
		})
	}
	all.Wait()
}

func lanesHold(t *testing.T, f *fixture) {
	var inside, most atomic.Int64
	var all sync.WaitGroup
	for range 4 * f.e.Lanes() {
		all.Go(func() {
			err := f.tryWrite(t.Context(), f.a, func(c engine.Conn) error {
				defer inside.Add(-1)
				if now := inside.Add(1); now > most.Load() {
					most.Store(now)
				}
				for range 100 {
					runtime.Gosched()
				}
				return f.add(c, f.a, newID(), 1)
			})
			if err != nil {
				t.Errorf("write: %v", err)
			}
		})
	}
	all.Wait()
	if got := most.Load(); got > int64(f.e.Lanes()) {
		t.Errorf("%d transactions at once with %d lanes", got, f.e.Lanes())
	}
	if got := f.numbers(t, f.a); len(got) != 4*f.e.Lanes() {
		t.Errorf("%d rows, want %d", len(got), 4*f.e.Lanes())
	}
}

func countingUp(t *testing.T, f *fixture) {
	const workers, times = 8, 10
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 0) })
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range times {
				err := f.tryWrite(t.Context(), f.a, func(c engine.Conn) error {
					_, err := c.Exec("UPDATE things SET n = n + 1")
					return err
				})
				if err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	all.Wait()
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{workers * times}) {
		t.Errorf("got %v, want [%d]", got, workers*times)
	}
}

// wholeTransactions writes pairs of rows that must always be seen together.
func wholeTransactions(t *testing.T, f *fixture) {
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for round := range 10 {
				n := int64(worker*100 + round)
				err := f.tryWrite(t.Context(), f.a, func(c engine.Conn) error {
					if err := f.add(c, f.a, newID(), n); err != nil {
						return err
					}
					return f.add(c, f.a, newID(), n)
				})
				if err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
		all.Go(func() {
			for range 20 {
				err := f.e.Read(t.Context(), f.a, func(c engine.Conn) error {
					return c.Query("SELECT n, COUNT(*) FROM things GROUP BY n HAVING COUNT(*) <> 2", nil, func(row []any) error {
						t.Errorf("saw half of transaction %v", row[0])
						return nil
					})
				})
				if err != nil {
					t.Errorf("read: %v", err)
				}
			}
		})
	}
	all.Wait()
}
