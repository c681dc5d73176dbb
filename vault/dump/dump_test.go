package dump_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"aver/base/ids"
	"aver/vault/dump"
	"aver/vault/engine"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
	"aver/vault/sqlite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

var schema = []engine.Migration{{Version: 1, Name: "things/0001.sql", SQL: `CREATE TABLE things (
    id ID NOT NULL,
    n INT,
    open BOOL,
    words TEXT,
    body SEALED,
    at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE others (
    id ID NOT NULL,
    PRIMARY KEY (id)
);
`}}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func shared(t *testing.T) engine.Engine {
	t.Helper()
	return pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: schema}).Open(t, postgres.StoreSchema, schema)
}

func empty(t *testing.T) engine.Engine {
	t.Helper()
	return pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: schema}).Empty(t, postgres.StoreSchema, schema)
}

func files(t *testing.T) engine.Engine {
	t.Helper()
	e, err := sqlite.Open(sqlite.Config{Root: filepath.Join(t.TempDir(), "data"), Migrations: schema,
		PageKey: func(context.Context, ids.Tenant) ([]byte, error) { return bytes.Repeat([]byte{7, 8}, 32), nil }})
	must(t, err)
	t.Cleanup(func() { must(t, e.Close()) })
	return e
}

func fill(t *testing.T, e engine.Engine, tenant ids.Tenant, rows int) {
	t.Helper()
	must(t, e.Write(t.Context(), tenant, func(c engine.Conn) error {
		for i := range rows {
			id := ids.NewObject(start)
			args := []any{id[:], int64(i), i%2 == 0, "wörds\n\"'\\ " + fmt.Sprint(i), bytes.Repeat([]byte{0, byte(i), 255}, i%50), start.UnixMicro()}
			if i%7 == 0 {
				args[1], args[2], args[3], args[4] = nil, nil, nil, nil
			}
			if _, err := c.Exec("INSERT INTO things (id, n, open, words, body, at) VALUES (?, ?, ?, ?, ?, ?)", args...); err != nil {
				return err
			}
		}
		return nil
	}))
}

// read prints every row; whether a truth came as a number or a truth is the engine's affair.
func read(t *testing.T, e engine.Engine, tenant ids.Tenant) (out []string) {
	t.Helper()
	must(t, e.Read(t.Context(), tenant, func(c engine.Conn) error {
		return c.Query("SELECT id, n, open, words, body, at FROM things ORDER BY id", nil, func(row []any) error {
			if b, ok := row[2].(bool); ok {
				row[2] = map[bool]int64{true: 1}[b]
			}
			out = append(out, fmt.Sprintf("%x %v %v %q %x %v", row...))
			return nil
		})
	}))
	return out
}

func TestRowsAreTheSameWhereverTheyAreLoaded(t *testing.T) {
	t.Parallel()
	from := shared(t)
	tenant, stranger := ids.NewTenant(start), ids.NewTenant(start)
	fill(t, from, tenant, 12_345)
	fill(t, from, stranger, 3)
	want := read(t, from, tenant)
	var text bytes.Buffer
	must(t, from.Snapshot(t.Context(), tenant, &text))
	for name, into := range map[string]engine.Engine{"files": files(t), "PostgreSQL": shared(t), "PostgreSQL, as its owner": empty(t)} {
		must(t, into.Create(t.Context(), tenant))
		n, err := dump.Load(t.Context(), into, tenant, bytes.NewReader(text.Bytes()))
		must(t, errors.Join(err, settled(t, into)))
		got := read(t, into, tenant)
		if n != 12_345 || len(got) != len(want) {
			t.Fatalf("%s: %d rows of %d, %d told", name, len(got), len(want), n)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s: row %d is %s, want %s", name, i, got[i], want[i])
			}
		}
	}
	for name, into := range map[string]engine.Engine{"files": files(t), "PostgreSQL": shared(t), "PostgreSQL, as its owner": empty(t)} {
		must(t, into.Create(t.Context(), tenant))
		var errs [2]error
		for i := range errs {
			_, errs[i] = dump.Load(t.Context(), into, tenant, bytes.NewReader(text.Bytes()))
		}
		must(t, errs[0])
		if err := cmp.Or(errs[1], settled(t, into)); !errors.Is(err, engine.ErrUnique) {
			t.Errorf("%s: loaded twice: %v", name, err)
		}
	}
}

// settled ends the filling of an engine that wants that.
func settled(t *testing.T, e engine.Engine) error {
	if f, fills := e.(dump.Filler); fills {
		return f.Settle(t.Context())
	}
	return nil
}

// swallower takes in what COPY would.
type swallower struct{ engine.Engine }

func (swallower) Lanes() int { return 1 }

func (swallower) Fill(context.Context, ids.Tenant, dump.Table, []byte) error { return nil }

func (swallower) Settle(context.Context) error { return nil }

func TestADumpThatWasCutOrAlteredIsNoDump(t *testing.T) {
	t.Parallel()
	from, tenant := shared(t), ids.NewTenant(start)
	fill(t, from, tenant, 20)
	var whole bytes.Buffer
	must(t, from.Snapshot(t.Context(), tenant, &whole))
	nothing := func([]any) error { return nil }
	for n := range whole.Len() {
		err := dump.Read(bytes.NewReader(whole.Bytes()[:n]), func(dump.Table) error { return nil }, nothing)
		if !errors.Is(err, dump.ErrDamaged) {
			t.Fatalf("cut off after %d bytes: %v", n, err)
		}
		if _, err := dump.Load(t.Context(), swallower{}, tenant, bytes.NewReader(whole.Bytes()[:n])); !errors.Is(err, dump.ErrDamaged) {
			t.Fatalf("handed on, cut off after %d bytes: %v", n, err)
		}
		if _, err := dump.Load(t.Context(), swallower{}, tenant, io.MultiReader(bytes.NewReader(whole.Bytes()[:n]), iotest.ErrReader(errDisk))); !errors.Is(err, errDisk) {
			t.Fatalf("the disk gives %d bytes: %v", n, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := bytes.Clone(whole.Bytes())
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] ^= rapid.Byte().Draw(t, "with")
		}
		_ = dump.Read(bytes.NewReader(text), func(dump.Table) error { return nil }, nothing) // it may be one still; it must end, and soon
	})
}

// quitter takes rows in, and gives up all the same.
type quitter struct {
	swallower
	quit func()
}

func (q quitter) Fill(context.Context, ids.Tenant, dump.Table, []byte) error { q.quit(); return nil }

func TestALoadThatIsGivenUpDoesNotSayThatTheDumpIsDamaged(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	text.WriteString(dump.Format)
	must(t, dump.WriteTable(&text, dump.Table{Name: "things", Columns: []dump.Column{{Name: "body", Kind: dump.Bytea}}}))
	text.WriteString("PGCOPY\n\xff\r\n\x00" + string(make([]byte, 8)))
	text.WriteString(strings.Repeat("\x00\x01\x00\x00\x04\x00"+strings.Repeat("w", 1024), 20_000))
	text.WriteString("\xff\xff")
	must(t, dump.WriteTable(&text, dump.Table{}))
	if n, err := dump.Load(t.Context(), swallower{}, ids.NewTenant(start), bytes.NewReader(text.Bytes())); n != 20_000 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	ctx, quit := context.WithCancel(t.Context())
	if _, err := dump.Load(ctx, quitter{quit: quit}, ids.NewTenant(start), &text); !errors.Is(err, context.Canceled) || errors.Is(err, dump.ErrDamaged) {
		t.Errorf("given up: %v", err)
	}
}

// full takes some bytes and no more.
type full struct{ room int }

var errFull, errDisk = errors.New("the disk is full"), errors.New("the disk does not answer")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestASnapshotThatCannotBeWrittenFails(t *testing.T) {
	t.Parallel()
	e, tenant := shared(t), ids.NewTenant(start)
	fill(t, e, tenant, 50_000)
	var whole bytes.Buffer
	must(t, e.Snapshot(t.Context(), tenant, &whole))
	for _, room := range []int{0, 1000, whole.Len() / 2, whole.Len() - 1} {
		if err := e.Snapshot(t.Context(), tenant, &full{room}); !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: %v", room, whole.Len(), err)
		}
	}
}

func TestADumpNamesTablesAndNothingElse(t *testing.T) {
	t.Parallel()
	e, tenant := files(t), ids.NewTenant(start)
	must(t, e.Create(t.Context(), tenant))
	for _, line := range []string{
		`{"table":"things; DROP TABLE others","columns":[{"name":"id","kind":"uuid"}]}`,
		`{"table":"things","columns":[{"name":"id) VALUES (1); --","kind":"uuid"}]}`,
		`{"table":"things"}`,
	} {
		text := dump.Format + line + "\nPGCOPY\n\xff\r\n\x00" + string(make([]byte, 8)) + "\xff\xff" + `{"table":""}` + "\n"
		if _, err := dump.Load(t.Context(), e, tenant, bytes.NewReader([]byte(text))); !errors.Is(err, dump.ErrDamaged) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestASnapshotTakenWhileWritersWorkIsOneMoment(t *testing.T) {
	t.Parallel()
	e, tenant := shared(t), ids.NewTenant(start)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			id := ids.NewObject(start)
			err := e.Write(context.WithoutCancel(t.Context()), tenant, func(c engine.Conn) error { // both rows or none
				_, err1 := c.Exec("INSERT INTO things (id, at) VALUES (?, ?)", id[:], int64(1))
				_, err2 := c.Exec("INSERT INTO others (id) VALUES (?)", id[:])
				return errors.Join(err1, err2)
			})
			if err != nil {
				stopped <- err
				return
			}
		}
	}()
	for range 20 {
		var text bytes.Buffer
		must(t, e.Snapshot(t.Context(), tenant, &text))
		rows, table := map[string]int{}, ""
		must(t, dump.Read(&text, func(t dump.Table) error { table = t.Name; return nil }, func([]any) error { rows[table]++; return nil }))
		if rows["things"] != rows["others"] {
			t.Fatalf("half of a transaction is in it: %v", rows)
		}
	}
	close(stop)
	must(t, <-stopped)
}
