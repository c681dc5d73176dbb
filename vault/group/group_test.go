package group

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aver/base/ids"
	"aver/vault/engine"
)

// slow is an engine whose commits take a millisecond. It notes when each began.
type slow struct {
	engine.Engine
	mu    sync.Mutex
	begun []time.Time
}

func (s *slow) Lanes() int { return 1 }

func (s *slow) Write(_ context.Context, _ ids.Tenant, fn func(engine.Conn) error) error {
	s.mu.Lock()
	s.begun = append(s.begun, time.Now())
	s.mu.Unlock()
	time.Sleep(time.Millisecond)
	return fn(silent{})
}

type silent struct{ engine.Conn }

func (silent) Exec(string, ...any) (int64, error) { return 0, nil }

// One caller comes first, the company while it is committed, and one more while the company is.
func TestCommitsKeepAPaceOnlyWhereAFewComeTogether(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		company int
		wait    time.Duration // from the company's commit to the next
	}{
		{"one", 1, time.Millisecond},
		{"two", 2, pace},
		{"a few", few - 1, pace},
		{"many", few, time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &slow{}
			c := &Committer{Engine: s}
			come := func(callers int) {
				for range callers {
					go func() {
						if err := c.Do(t.Context(), ids.Tenant{}, &Task{Run: func(engine.Conn) error { return nil }}); err != nil {
							t.Error(err)
						}
					}()
				}
				synctest.Wait()
			}
			come(1)
			come(test.company)
			time.Sleep(3 * time.Millisecond / 2)
			come(1)
			time.Sleep(time.Second)
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.begun) != 3 || s.begun[2].Sub(s.begun[1]) != test.wait {
				t.Errorf("%s: commits began at %v, want the third %v after the second", test.name, s.begun, test.wait)
			}
		})
	}
}
