package sqlite_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/sqlite"
	"aver/vault/sqlite/disktest"
)

func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	acknowledged := 0
	for seed := range uint64(40) {
		acknowledged += powerCut(t, seed)
	}
	if acknowledged < 300 {
		t.Errorf("only %d writes came before the cuts: they prove little", acknowledged)
	}
}

// powerCut writes until the power goes and looks at what is there afterwards. It returns how many writes were
// acknowledged.
func powerCut(t *testing.T, seed uint64) int {
	random := rand.New(rand.NewPCG(seed, 1))
	m := disktest.Boot(nil)
	e := start(t, m, seed)
	m.Power(random.IntN(1500))
	var acknowledged int64
	for {
		err := e.Write(context.Background(), ids.Installation, func(c engine.Conn) error {
			for range 3 { // rows of one transaction stay together
				size := random.IntN(6000)
				if _, err := c.Exec("INSERT INTO notes (id, body) VALUES ((SELECT COUNT(*) FROM notes), ?)", bytes.Repeat([]byte{byte(size)}, size)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			break
		}
		acknowledged++
	}
	found := m.Cut(random)
	_ = e.Close() // has no power either
	after := start(t, disktest.Boot(found), seed)
	defer after.Close()
	rows := count(t, after, ids.Installation)
	if rows < 3*acknowledged || rows > 3*acknowledged+3 || rows%3 != 0 {
		t.Errorf("seed %d: %d rows after %d acknowledged writes of three", seed, rows, acknowledged)
	}
	whole(t, after, seed)
	return int(acknowledged)
}

// start opens an engine on the machine in a new folder.
func start(t *testing.T, m *disktest.Machine, seed uint64) *sqlite.Engine {
	t.Helper()
	t.Cleanup(m.Scrap)
	e, err := sqlite.Open(sqlite.Config{Root: t.TempDir(), PageKey: pageKey, Migrations: notes, VFS: m.Name})
	if err != nil {
		t.Fatal(err)
	}
	e.ShortenLogs(20, 100)
	if err := e.Create(t.Context(), ids.Installation); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return e
}

// whole wants every row to read as it was written.
func whole(t *testing.T, e *sqlite.Engine, seed uint64) {
	t.Helper()
	err := e.Read(t.Context(), ids.Installation, func(c engine.Conn) error {
		return c.Query("SELECT id, body FROM notes", nil, func(row []any) error {
			body := row[1].([]byte)
			if len(body) != bytes.Count(body, []byte{byte(len(body))}) {
				t.Errorf("seed %d: row %v is damaged", seed, row[0])
			}
			return nil
		})
	})
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
}
