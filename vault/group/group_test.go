package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aver/base/ids"
	"aver/vault/engine"
)

// slow is an engine whose commits take a millisecond. It notes when each began and whose tasks were in it.
type slow struct {
	engine.Engine
	mu      sync.Mutex
	begun   []time.Time
	commits [][]string
}

func (s *slow) Lanes() int { return 1 }

func (s *slow) Write(_ context.Context, _ ids.Tenant, fn func(engine.Conn) error) error {
	s.mu.Lock()
	s.begun, s.commits = append(s.begun, time.Now()), append(s.commits, nil)
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
			company := func(callers int) {
				for range callers {
					come(t, c, s.task("", false))
				}
			}
			company(1)
			company(test.company)
			time.Sleep(3 * time.Millisecond / 2)
			company(1)
			time.Sleep(time.Second)
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.begun) != 3 || s.begun[2].Sub(s.begun[1]) != test.wait {
				t.Errorf("%s: commits began at %v, want the third %v after the second", test.name, s.begun, test.wait)
			}
		})
	}
}

// task notes in which commit it was.
func (s *slow) task(name string, patient bool) *Task {
	return &Task{Patient: patient, Run: func(engine.Conn) error {
		last := &s.commits[len(s.commits)-1]
		*last = append(*last, name)
		return nil
	}}
}

func come(t *testing.T, c *Committer, task *Task) {
	go func() {
		if err := c.Do(t.Context(), ids.Tenant{}, task); err != nil {
			t.Error(err)
		}
	}()
	synctest.Wait()
}

// end waits until everything is committed.
func end() {
	time.Sleep(time.Second)
	synctest.Wait()
}

func TestWhatIsPatientGoesAfterWhoWaitsAndInATransactionOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		c := &Committer{Engine: s}
		come(t, c, s.task("first", false))
		come(t, c, s.task("sweep", true))
		come(t, c, s.task("one", false))
		come(t, c, s.task("two", false))
		end()
		if got := fmt.Sprint(s.commits); got != "[[first] [one two] [sweep]]" {
			t.Errorf("committed %s", got)
		}
	})
}

func TestWhatIsPatientIsDoneInTheEndThoughOthersNeverCease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		c := &Committer{Engine: s}
		come(t, c, s.task("first", false))
		come(t, c, s.task("sweep", true))
		for range 100 {
			come(t, c, s.task("one", false))
			time.Sleep(pace / 10)
		}
		end()
		at := slices.IndexFunc(s.commits, func(names []string) bool { return names[0] == "sweep" })
		if at < 5 || at > 25 {
			t.Errorf("of %d commits the sweep's was number %d, want it after about %v", len(s.commits), at, patience)
		}
	})
}

func TestWhoIsPatientMayStillLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		c := &Committer{Engine: s}
		come(t, c, s.task("first", false))
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			left <- c.Do(ctx, ids.Tenant{}, s.task("sweep", true))
		}()
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		end()
		if got := fmt.Sprint(s.commits); got != "[[first]]" {
			t.Errorf("committed %s", got)
		}
	})
}
