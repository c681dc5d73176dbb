// Package promises measures every promise of a whole installation, as it would measure itself.
package promises

import (
	"io"
	"testing"

	"aver/cmd/aver/app"
	"aver/frame/claim"
	"aver/vault/postgres/pgtest"
)

func open(t *testing.T, c app.Config) *app.App {
	t.Helper()
	c.Data, c.Listen, c.Plain, c.Admin, c.Log = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", io.Discard
	a, err := app.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	stop, err := a.Alive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return a
}

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestEveryPromiseHolds(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		everyPromiseHolds(t, app.Config{})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		db := pgtest.NewCluster(t).NewDatabase(t, nil) // one that fsyncs: durability is one of the promises
		if err := app.Migrate(t.Context(), db.Owner, "", pgtest.App); err != nil {
			t.Fatal(err)
		}
		everyPromiseHolds(t, app.Config{Database: db.App})
	})
}

func everyPromiseHolds(t *testing.T, c app.Config) {
	a := open(t, c)
	lines, err := a.Claims.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		t.Logf("%-8s %-11s %4d ms %s", l.State, l.ID, l.Took, l.Sentence)
		if l.State == claim.Holds {
			continue
		}
		t.Errorf("%s %s: %s %s", l.ID, l.State, l.Sentence, l.Fault)
		for _, o := range l.Saw {
			if !o.Holds {
				t.Errorf("    %s: %s", o.What, o.Saw)
			}
		}
	}
}
