package enginetest

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"aver/vault/engine"
)

var valueTests = map[string]func(*testing.T, *fixture){
	"values come back as they were written":              valuesComeBack,
	"truth comes back as a bool or as 0 and 1":           truthComesBack,
	"floats are exact":                                   floatsAreExact,
	"absent bytes are NULL and empty bytes are not":      emptyIsNotNull,
	"a question mark inside a literal is text":           questionMarkIsText,
	"exec tells how many rows were affected":             rowsAffected,
	"what a row held may be kept":                        rowsMayBeKept,
	"a query without rows calls nobody":                  noRows,
	"an error of the row function ends the query":        rowErrorEnds,
	"a malformed statement is an error and not a panic":  malformed,
	"one statement text serves many different arguments": statementsAreReusable,
}

func valuesComeBack(t *testing.T, f *fixture) {
	id := newID()
	large := bytes.Repeat([]byte{0, 1, 2, 0xff}, 1<<18)
	rows := [][]any{
		{int64(math.MinInt64), int64(math.MaxInt64), "zażółć gęślą 🦊 'quoted' -- ; \n", []byte{0, 255, 0}, []byte("x")},
		{int64(0), nil, nil, nil, nil},
		{int64(-1), int64(0), "", large, []byte{0}},
	}
	for _, want := range rows {
		var got []any
		f.write(t, f.a, func(c engine.Conn) error {
			if _, err := c.Exec("DELETE FROM things WHERE id = ?", id.Bytes()); err != nil {
				return err
			}
			return f.insert(c, f.a, "things", "id, n, made, label, body, label_index", append([]any{id.Bytes()}, want...)...)
		})
		f.read(t, f.a, func(c engine.Conn) error {
			return c.Query("SELECT id, n, made, label, body, label_index FROM things WHERE id = ?", []any{id.Bytes()}, func(row []any) error {
				got = append(got, row...)
				return nil
			})
		})
		if !reflect.DeepEqual(got, append([]any{id.Bytes()}, want...)) {
			t.Errorf("wrote %.80v, read %.80v", want, got)
		}
	}
}

func truthComesBack(t *testing.T, f *fixture) {
	for _, want := range []bool{true, false} {
		id := newID()
		f.write(t, f.a, func(c engine.Conn) error {
			return f.insert(c, f.a, "things", "id, n, done", id.Bytes(), int64(1), want)
		})
		f.read(t, f.a, func(c engine.Conn) error {
			return c.Query("SELECT done FROM things WHERE id = ? AND done = ?", []any{id.Bytes(), want}, func(row []any) error {
				if row[0] != any(want) && row[0] != any(map[bool]int64{true: 1}[want]) {
					t.Errorf("wrote %v, read %#v", want, row[0])
				}
				id = newID() // seen
				return nil
			})
		})
		if !gone(t, f, id) {
			t.Errorf("the row with done = %v was not found by it", want)
		}
	}
}

// gone tells whether no row has this id.
func gone(t *testing.T, f *fixture, id interface{ Bytes() []byte }) bool {
	t.Helper()
	var n int64
	f.read(t, f.a, func(c engine.Conn) error {
		return c.Query("SELECT COUNT(*) FROM things WHERE id = ?", []any{id.Bytes()}, func(row []any) error {
			n = row[0].(int64)
			return nil
		})
	})
	return n == 0
}

func floatsAreExact(t *testing.T, f *fixture) {
	f.read(t, f.a, func(c engine.Conn) error {
		return c.Query("SELECT CAST(? AS DOUBLE PRECISION)", []any{0.1}, func(row []any) error {
			if row[0] != any(0.1) {
				t.Errorf("sent 0.1, read %#v", row[0])
			}
			return nil
		})
	})
}

func emptyIsNotNull(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error {
		if err := f.insert(c, f.a, "things", "id, n, body", newID().Bytes(), int64(1), []byte(nil)); err != nil {
			return err
		}
		return f.insert(c, f.a, "things", "id, n, body", newID().Bytes(), int64(2), []byte{})
	})
	f.read(t, f.a, func(c engine.Conn) error {
		return c.Query("SELECT body, body IS NULL, n FROM things ORDER BY n", nil, func(row []any) error {
			if row[2] == any(int64(1)) && row[0] != nil {
				t.Errorf("absent bytes read as %#v", row[0])
			}
			if b, isBytes := row[0].([]byte); row[2] == any(int64(2)) && (!isBytes || b == nil || len(b) != 0) {
				t.Errorf("empty bytes read as %#v", row[0])
			}
			return nil
		})
	})
}

func questionMarkIsText(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error {
		if err := f.insert(c, f.a, "things", "id, n, label", newID().Bytes(), int64(1), "?"); err != nil {
			return err
		}
		return f.insert(c, f.a, "things", "id, n, label", newID().Bytes(), int64(2), "it's ?")
	})
	var got []int64
	f.read(t, f.a, func(c engine.Conn) error {
		return c.Query("SELECT n FROM things WHERE label <> 'it''s ?' AND n < ? AND label = '?'", []any{int64(9)}, func(row []any) error {
			got = append(got, row[0].(int64))
			return nil
		})
	})
	if !reflect.DeepEqual(got, []int64{1}) {
		t.Errorf("got %v, want [1]", got)
	}
}

func rowsAffected(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error {
		for n := range int64(5) {
			if err := f.add(c, f.a, newID(), n); err != nil {
				return err
			}
		}
		steps := []struct {
			query string
			want  int64
		}{
			{"UPDATE things SET n = n + 10 WHERE n >= ?", 3},
			{"DELETE FROM things WHERE n > ?", 3},
			{"DELETE FROM things WHERE n > ?", 0},
		}
		for _, step := range steps {
			n, err := c.Exec(step.query, int64(2))
			if err != nil {
				return err
			}
			if n != step.want {
				t.Errorf("%s: %d rows, want %d", step.query, n, step.want)
			}
		}
		if n, err := c.Exec("SAVEPOINT s"); err != nil || n != 0 {
			t.Errorf("SAVEPOINT: %d rows, %v", n, err)
		}
		return nil
	})
}

func rowsMayBeKept(t *testing.T, f *fixture) {
	words := []string{"alpha", "beta", "gamma"}
	f.write(t, f.a, func(c engine.Conn) error {
		for n, word := range words {
			if err := f.insert(c, f.a, "things", "id, n, label, body", newID().Bytes(), int64(n), word, []byte(word)); err != nil {
				return err
			}
		}
		return nil
	})
	var labels []string
	var bodies [][]byte
	f.read(t, f.a, func(c engine.Conn) error {
		return c.Query("SELECT label, body FROM things ORDER BY n", nil, func(row []any) error {
			labels, bodies = append(labels, row[0].(string)), append(bodies, row[1].([]byte))
			return nil
		})
	})
	if !reflect.DeepEqual(labels, words) || string(bytes.Join(bodies, []byte(" "))) != strings.Join(words, " ") {
		t.Errorf("kept %q and %q", labels, bodies)
	}
}

func noRows(t *testing.T, f *fixture) {
	f.read(t, f.a, func(c engine.Conn) error {
		return c.Query("SELECT n FROM things WHERE n = ?", []any{int64(-5)}, func([]any) error {
			t.Error("called for a row that is not there")
			return nil
		})
	})
}

func rowErrorEnds(t *testing.T, f *fixture) {
	stop := errors.New("enough")
	f.write(t, f.a, func(c engine.Conn) error {
		for n := range int64(3) {
			if err := f.add(c, f.a, newID(), n); err != nil {
				return err
			}
		}
		calls := 0
		err := c.Query("SELECT n FROM things", nil, func([]any) error {
			calls++
			return stop
		})
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("%d calls, error %v", calls, err)
		}
		return f.add(c, f.a, newID(), 3) // and the connection still works
	})
	if got := f.numbers(t, f.a); len(got) != 4 {
		t.Errorf("got %v", got)
	}
}

func malformed(t *testing.T, f *fixture) {
	for _, query := range []string{"SELECT FROM WHERE", "", "SELECT no_such_column FROM things"} {
		err := f.e.Read(t.Context(), f.a, func(c engine.Conn) error {
			return c.Query(query, nil, func([]any) error { return nil })
		})
		if err == nil {
			t.Errorf("%q was accepted", query)
		}
	}
}

func statementsAreReusable(t *testing.T, f *fixture) {
	f.write(t, f.a, func(c engine.Conn) error {
		for n := range int64(50) {
			var label any // absent, then present, then absent: nothing may stick from the call before
			if n%2 == 1 {
				label = strings.Repeat("x", int(n))
			}
			if err := f.insert(c, f.a, "things", "id, n, label", newID().Bytes(), n, label); err != nil {
				return err
			}
		}
		return nil
	})
	f.read(t, f.a, func(c engine.Conn) error {
		return c.Query("SELECT n, label FROM things", nil, func(row []any) error {
			label, present := row[1].(string)
			if n := row[0].(int64); present != (n%2 == 1) || present && len(label) != int(n) {
				t.Errorf("row %d has label %q", n, label)
			}
			return nil
		})
	})
}
