// Package promises measures every promise of a whole installation, as it would measure itself.
package promises

import (
	"io"
	"testing"

	"aver/cmd/aver/app"
	"aver/frame/claim"
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

func TestEveryPromiseHolds(t *testing.T) {
	t.Parallel()
	a := open(t, app.Config{})
	lines, err := a.Claims.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		t.Logf("%-8s %-11s %s", l.State, l.ID, l.Sentence)
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
