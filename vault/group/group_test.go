package group

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"aver/base/ids"
	"aver/vault/engine"
)

// slow is an engine whose commits take a millisecond. It notes when each began.
type slow struct {
	engine.Engine
	begun []time.Time
}

func (s *slow) Lanes() int { return 1 }

func (s *slow) Write(_ context.Context, _ ids.Tenant, fn func(engine.Conn) error) error {
	s.begun = append(s.begun, time.Now())
	time.Sleep(time.Millisecond)
	return fn(silent{})
}

type silent struct{ engine.Conn }

func (silent) Exec(string, ...any) (int64, error) { return 0, nil }

// come lets so many callers come at the same time and returns how long the last of them waited.
func come(t *testing.T, c *Committer, callers int) time.Duration {
	t.Helper()
	begun := time.Now()
	for range callers {
		go func() {
			if err := c.Do(t.Context(), ids.Tenant{}, &Task{Run: func(engine.Conn) error { return nil }}); err != nil {
				t.Error(err)
			}
		}()
	}
	synctest.Wait()
	for {
		c.mu.Lock()
		idle := len(c.queues) == 0
		c.mu.Unlock()
		if idle {
			return time.Since(begun)
		}
		time.Sleep(time.Millisecond / 10)
		synctest.Wait()
	}
}

func TestACommitKeepsAPaceOnlyWhereAFewComeTogether(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		callers int
		want    time.Duration
	}{
		{"alone", 1, time.Millisecond},
		{"a few, of whom the first went ahead", few, 4 * time.Millisecond},
		{"many, of whom the first went ahead", few + 1, 2 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &slow{}
			if took := come(t, &Committer{Engine: s}, test.callers); took.Round(time.Millisecond) != test.want {
				t.Errorf("%s: the worker was done after %v, want %v", test.name, took, test.want)
			}
		})
	}
}

func TestAfterAFewTheNextCommitWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		c := &Committer{Engine: s}
		for _, after := range []time.Duration{0, 100 * time.Microsecond, 200 * time.Microsecond, 1500 * time.Microsecond} { // the last while the few commit
			go func() {
				time.Sleep(after)
				if err := c.Do(t.Context(), ids.Tenant{}, &Task{Run: func(engine.Conn) error { return nil }}); err != nil {
					t.Error(err)
				}
			}()
		}
		time.Sleep(time.Second)
		if len(s.begun) != 3 || s.begun[2].Sub(s.begun[1]) != pace {
			t.Errorf("commits began at %v; the third is due %v after the second", s.begun, pace)
		}
	})
}
