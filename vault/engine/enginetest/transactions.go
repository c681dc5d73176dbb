package enginetest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"aver/vault/engine"
)

var transactionTests = map[string]func(*testing.T, *fixture){
	"what is committed is still there after reopening":           committedStays,
	"an error rolls back and is returned as it is":               errorRollsBack,
	"a panic rolls back and goes on":                             panicRollsBack,
	"a savepoint undoes only its own part":                       savepoints,
	"savepoints nest":                                            savepointsNest,
	"a row whose key exists is ErrUnique":                        uniqueIsTold,
	"after ErrUnique the transaction goes on":                    uniqueLeavesUsable,
	"after ErrUnique inside a savepoint the rest is kept":        uniqueInSavepoint,
	"another broken rule is not ErrUnique":                       notNullIsNotUnique,
	"a cancelled context writes nothing":                         cancelledBefore,
	"a context cancelled on the way: the answer tells the truth": cancelledOnTheWay,
}

func committedStays(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 7) })
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{7}) {
		t.Fatalf("before reopening: %v", got)
	}
	f.reopen(t, schema)
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{7}) {
		t.Errorf("after reopening: %v", got)
	}
}

func errorRollsBack(t *testing.T, f *fixture) {
	wrong := errors.New("changed my mind")
	err := f.e.Write(t.Context(), f.a, func(c engine.Conn) error {
		if err := f.add(c, f.a, newID(), 1); err != nil {
			return err
		}
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	if got := f.numbers(t, f.a); got != nil {
		t.Errorf("rolled back, but %v is there", got)
	}
}

func panicRollsBack(t *testing.T, f *fixture) {
	func() {
		defer func() {
			if r := recover(); r != any("a bug") {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = f.e.Write(t.Context(), f.a, func(c engine.Conn) error {
			if err := f.add(c, f.a, newID(), 1); err != nil {
				return err
			}
			panic("a bug")
		})
		t.Error("the panic was swallowed")
	}()
	f.write(t, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 2) })
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{2}) {
		t.Errorf("got %v, want [2]", got)
	}
}

// run executes statements without arguments.
func run(c engine.Conn, statements ...string) error {
	for _, statement := range statements {
		if _, err := c.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}

func savepoints(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error {
		for n := range int64(6) {
			if err := run(c, "SAVEPOINT s"); err != nil {
				return err
			}
			if err := f.add(c, f.a, newID(), n); err != nil {
				return err
			}
			if n%2 == 1 {
				if err := run(c, "ROLLBACK TO s"); err != nil {
					return err
				}
			}
			if err := run(c, "RELEASE s"); err != nil {
				return err
			}
		}
		return nil
	})
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{0, 2, 4}) {
		t.Errorf("got %v, want [0 2 4]", got)
	}
}

func savepointsNest(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error {
		return errors.Join(
			run(c, "SAVEPOINT outer_one"), f.add(c, f.a, newID(), 1),
			run(c, "SAVEPOINT inner_one"), f.add(c, f.a, newID(), 2),
			run(c, "RELEASE inner_one", "ROLLBACK TO outer_one", "RELEASE outer_one"), f.add(c, f.a, newID(), 3),
		)
	})
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{3}) {
		t.Errorf("got %v, want [3]", got)
	}
}

func uniqueIsTold(t *testing.T, f *fixture) {
	id := newID()
	f.write(t, f.a, func(c engine.Conn) error {
		return errors.Join(
			f.insert(c, f.a, "things", "id, n, label", id.Bytes(), int64(1), "taken"),
			f.insert(c, f.a, "pairs", "owner, seq, note", id.Bytes(), int64(1), "first"))
	})
	cases := map[string]func(c engine.Conn) error{
		"primary key": func(c engine.Conn) error { return f.add(c, f.a, id, 2) },
		"composite key": func(c engine.Conn) error {
			return f.insert(c, f.a, "pairs", "owner, seq, note", id.Bytes(), int64(1), "again")
		},
		"unique index": func(c engine.Conn) error {
			return f.insert(c, f.a, "things", "id, n, label", newID().Bytes(), int64(2), "taken")
		},
		"update": func(c engine.Conn) error {
			if err := f.insert(c, f.a, "things", "id, n, label", newID().Bytes(), int64(3), "free"); err != nil {
				return err
			}
			_, err := c.Exec("UPDATE things SET label = ? WHERE label = ?", "taken", "free")
			return err
		},
	}
	for name, violate := range cases {
		if err := f.tryWrite(t.Context(), f.a, violate); !errors.Is(err, engine.ErrUnique) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func uniqueLeavesUsable(t *testing.T, f *fixture) {
	id := newID()
	f.write(t, f.a, func(c engine.Conn) error {
		if err := f.add(c, f.a, id, 1); err != nil {
			return err
		}
		if err := f.add(c, f.a, id, 2); !errors.Is(err, engine.ErrUnique) {
			t.Errorf("got %v", err)
		}
		if got, err := numbers(c); err != nil || !reflect.DeepEqual(got, []int64{1}) {
			t.Errorf("inside the transaction: %v, %v", got, err)
		}
		return f.add(c, f.a, newID(), 3)
	})
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{1, 3}) {
		t.Errorf("got %v, want [1 3]", got)
	}
}

func uniqueInSavepoint(t *testing.T, f *fixture) {
	id := newID()
	f.write(t, f.a, func(c engine.Conn) error {
		if err := errors.Join(f.add(c, f.a, id, 1), run(c, "SAVEPOINT s"), f.add(c, f.a, newID(), 2)); err != nil {
			return err
		}
		if err := f.add(c, f.a, id, 3); !errors.Is(err, engine.ErrUnique) {
			t.Errorf("got %v", err)
		}
		return errors.Join(run(c, "ROLLBACK TO s", "RELEASE s"), f.add(c, f.a, newID(), 4))
	})
	if got := f.numbers(t, f.a); !reflect.DeepEqual(got, []int64{1, 4}) {
		t.Errorf("got %v, want [1 4]", got)
	}
}

func notNullIsNotUnique(t *testing.T, f *fixture) {
	err := f.e.Write(t.Context(), f.a, func(c engine.Conn) error {
		return f.insert(c, f.a, "things", "id, n", newID().Bytes(), nil)
	})
	if err == nil || errors.Is(err, engine.ErrUnique) {
		t.Errorf("got %v", err)
	}
}

func cancelledBefore(t *testing.T, f *fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := f.e.Write(ctx, f.a, func(c engine.Conn) error { return f.add(c, f.a, newID(), 1) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := f.numbers(t, f.a); got != nil {
		t.Errorf("%v was written", got)
	}
}

func cancelledOnTheWay(t *testing.T, f *fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	err := f.tryWrite(ctx, f.a, func(c engine.Conn) error {
		if err := f.add(c, f.a, newID(), 1); err != nil {
			return err
		}
		cancel()
		return nil
	})
	got := f.numbers(t, f.a)
	if err == nil && len(got) != 1 {
		t.Errorf("answered as committed, but the row is not there")
	}
	if err != nil && len(got) != 0 {
		t.Errorf("answered %v, but the row is there", err)
	}
}
