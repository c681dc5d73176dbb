package jobs_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aver/base/ids"
	"aver/frame/jobs"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
	"aver/vault/sqlite"
)

// store is a queue's database that can be opened again.
type store struct {
	dialect jobs.Dialect
	address string // a file, or PostgreSQL's for the role that serves
	table   string
}

func (s store) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := openDB(s.dialect, s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func openDB(dialect jobs.Dialect, address string) (*sql.DB, error) {
	if dialect == jobs.PostgreSQL {
		return postgres.OpenDB(address)
	}
	return sqlite.OpenDB(address, bytes.Repeat([]byte("k"), 64))
}

func sqliteStore(t *testing.T) store {
	return store{dialect: jobs.SQLite, address: filepath.Join(t.TempDir(), "jobs.db"), table: "river_job"}
}

func postgresStore(t *testing.T) store {
	t.Helper()
	db := pgtest.Start(t).NewDatabase(t, nil)
	if err := postgres.MigrateJobs(t.Context(), db.Owner, pgtest.App); err != nil {
		t.Fatal(err)
	}
	return store{dialect: jobs.PostgreSQL, address: db.App, table: "aver_jobs.river_job"}
}

// onEach runs a test on every database the product supports.
func onEach(t *testing.T, test func(t *testing.T, s store)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, sqliteStore(t)) })
	t.Run("postgresql", func(t *testing.T) { t.Parallel(); test(t, postgresStore(t)) })
}

func opened(t *testing.T, s store) *jobs.Jobs {
	t.Helper()
	j, err := jobs.Open(t.Context(), s.open(t), s.dialect)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func handle(t *testing.T, j *jobs.Jobs, kinds ...jobs.Kind) {
	t.Helper()
	for _, kind := range kinds {
		if err := j.Handle(kind); err != nil {
			t.Fatal(err)
		}
	}
}

func start(t *testing.T, j *jobs.Jobs) {
	t.Helper()
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, j) })
}

func stop(t *testing.T, j *jobs.Jobs) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := j.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func enqueue(t *testing.T, j *jobs.Jobs, kind, id string) {
	t.Helper()
	if err := j.Enqueue(t.Context(), kind, tenant, id, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came within a minute")
		panic("unreachable")
	}
}

var tenant = ids.NewTenant(time.Now())

func newID() string { return ids.NewObject(time.Now()).String() }

func TestAJobRunsWithItsIdentifiersSoonAfterItIsAdded(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, ran := opened(t, s), make(chan jobs.Job, 1)
		handle(t, j, jobs.Kind{Name: "test.run", Work: func(_ context.Context, job jobs.Job) error { ran <- job; return nil }})
		start(t, j)
		id := newID()
		enqueue(t, j, "test.run", id)
		if got, want := next(t, ran), (jobs.Job{Tenant: tenant, ID: id, Attempt: 1}); got != want {
			t.Fatalf("ran %+v, want %+v", got, want)
		}
		quickest := time.Minute
		for tries := 0; tries < 50 && quickest > 500*time.Millisecond; tries++ { // a busy machine makes some slow, not all
			began := time.Now()
			enqueue(t, j, "test.run", id)
			next(t, ran)
			quickest = min(quickest, time.Since(began))
		}
		if quickest > 500*time.Millisecond {
			t.Errorf("took %s: the queue waits for its next poll instead of being woken", quickest)
		}
	})
}

func TestAJobWaitsForItsTime(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, ran := opened(t, s), make(chan time.Time, 1)
		handle(t, j, jobs.Kind{Name: "test.later", Work: func(context.Context, jobs.Job) error { ran <- time.Now(); return nil }})
		start(t, j)
		due := time.Now().Add(1500 * time.Millisecond)
		if err := j.Enqueue(t.Context(), "test.later", tenant, newID(), due); err != nil {
			t.Fatal(err)
		}
		if at := next(t, ran); at.Before(due.Add(-time.Millisecond)) { // SQLite keeps milliseconds
			t.Errorf("ran %s early", due.Sub(at))
		}
	})
}

func TestAFailingJobFollowsItsScheduleAndThenIsGivenUp(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j := opened(t, s)
		schedule := []time.Duration{300 * time.Millisecond, 600 * time.Millisecond}
		ran, buried := make(chan time.Time, 9), make(chan jobs.Job, 9)
		handle(t, j, jobs.Kind{
			Name:   "test.fail",
			Work:   func(context.Context, jobs.Job) error { ran <- time.Now(); return errors.New("no answer") },
			Retry:  schedule,
			OnDead: func(_ context.Context, job jobs.Job) error { buried <- job; return nil },
		})
		start(t, j)
		enqueue(t, j, "test.fail", newID())
		last := next(t, ran)
		for i, wait := range schedule {
			at := next(t, ran)
			if waited := at.Sub(last); waited < wait-time.Millisecond {
				t.Errorf("attempt %d came after %s, want at least %s", i+2, waited, wait)
			}
			last = at
		}
		if job := next(t, buried); job.Attempt != len(schedule)+1 {
			t.Errorf("given up at attempt %d, want %d", job.Attempt, len(schedule)+1)
		}
		stop(t, j)
		if len(ran) != 0 || len(buried) != 0 {
			t.Errorf("%d attempts and %d burials after the end", len(ran), len(buried))
		}
		var text strings.Builder
		j.WriteMetrics(&text)
		for _, line := range []string{`outcome="failed"} 2`, `outcome="dead"} 1`} {
			if !strings.Contains(text.String(), line) {
				t.Errorf("%s is not counted in:\n%s", line, text.String())
			}
		}
	})
}

func TestADeadJobStaysUntilItsModuleHasTakenTheNews(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, told := opened(t, s), make(chan int, 9)
		var calls atomic.Int32
		handle(t, j, jobs.Kind{
			Name:  "test.news",
			Work:  func(context.Context, jobs.Job) error { return errors.New("no answer") },
			Retry: []time.Duration{time.Millisecond},
			OnDead: func(_ context.Context, job jobs.Job) error {
				told <- job.Attempt
				if calls.Add(1) == 1 {
					return errors.New("database away")
				}
				return nil
			},
		})
		start(t, j)
		enqueue(t, j, "test.news", newID())
		if a, b := next(t, told), next(t, told); a != 2 || b != 3 {
			t.Errorf("told at attempts %d and %d, want 2 and 3", a, b)
		}
	})
}

func TestAJobThatKeepsKillingItsProcessIsGivenUp(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, buried := opened(t, s), make(chan jobs.Job, 1)
		handle(t, j, jobs.Kind{
			Name:   "test.poison",
			Work:   func(context.Context, jobs.Job) error { t.Error("ran once more"); return nil },
			OnDead: func(_ context.Context, job jobs.Job) error { buried <- job; return nil },
		})
		enqueue(t, j, "test.poison", newID())
		if _, err := s.open(t).ExecContext(t.Context(), "UPDATE "+s.table+" SET attempt = 4"); err != nil { // four runs, none of which ended
			t.Fatal(err)
		}
		start(t, j)
		next(t, buried)
	})
}

func TestAPanicIsAFailureLikeAnyOther(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, buried := opened(t, s), make(chan jobs.Job, 1)
		handle(t, j, jobs.Kind{
			Name:   "test.panic",
			Work:   func(context.Context, jobs.Job) error { panic("anna@example.org") },
			OnDead: func(_ context.Context, job jobs.Job) error { buried <- job; return nil },
		})
		start(t, j)
		enqueue(t, j, "test.panic", newID())
		next(t, buried)
	})
}

func TestAnAttemptEndsAtItsTimeout(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, ended := opened(t, s), make(chan error, 1)
		handle(t, j, jobs.Kind{
			Name:    "test.slow",
			Timeout: 50 * time.Millisecond,
			Work:    func(ctx context.Context, _ jobs.Job) error { <-ctx.Done(); ended <- ctx.Err(); return ctx.Err() },
		})
		start(t, j)
		enqueue(t, j, "test.slow", newID())
		if err := next(t, ended); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestAUniqueJobWaitsOnceAndOneMoreIsAddedWhileItRuns(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, ran, hold := opened(t, s), make(chan string, 9), make(chan struct{})
		handle(t, j, jobs.Kind{Name: "test.unique", Unique: true, Work: func(_ context.Context, job jobs.Job) error {
			ran <- job.ID
			<-hold
			return nil
		}})
		one, other := newID(), newID()
		for range 3 {
			enqueue(t, j, "test.unique", one)
		}
		enqueue(t, j, "test.unique", other)
		start(t, j)
		got := map[string]int{next(t, ran): 1}
		got[next(t, ran)]++
		if got[one] != 1 || got[other] != 1 {
			t.Fatalf("ran %v, want each once", got)
		}
		enqueue(t, j, "test.unique", one) // it runs now, and may have read what was there before
		if id := next(t, ran); id != one {
			t.Fatalf("ran %s again", id)
		}
		close(hold)
		stop(t, j)
		if len(ran) != 0 {
			t.Errorf("%d more runs", len(ran))
		}
	})
}

func TestPeriodicWorkRunsAtStartAndAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, ran := opened(t, s), make(chan struct{}, 9)
		err := j.Every("test.sweep", time.Second, func(context.Context) error { ran <- struct{}{}; return errors.New("failing does not end it") })
		if err != nil {
			t.Fatal(err)
		}
		start(t, j)
		next(t, ran)
		next(t, ran)
		next(t, ran)
	})
}

func TestJobsSurviveARestart(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		id, ran := newID(), make(chan string, 1)
		kind := jobs.Kind{Name: "test.restart", Work: func(_ context.Context, job jobs.Job) error { ran <- job.ID; return nil }}

		before := opened(t, s)
		handle(t, before, kind)
		enqueue(t, before, "test.restart", id)

		after := opened(t, s)
		handle(t, after, kind)
		start(t, after)
		if got := next(t, ran); got != id {
			t.Errorf("ran %q, want %q", got, id)
		}
	})
}

func TestStopWaitsForWorkThatRuns(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, began, finish := opened(t, s), make(chan struct{}), make(chan struct{})
		var finished atomic.Bool
		handle(t, j, jobs.Kind{Name: "test.wait", Work: func(context.Context, jobs.Job) error {
			close(began)
			<-finish
			finished.Store(true)
			return nil
		}})
		start(t, j)
		enqueue(t, j, "test.wait", newID())
		next(t, began)
		stopped := make(chan error, 1)
		go func() { stopped <- j.Stop(context.Background()) }()
		enqueue(t, j, "test.wait", newID()) // still accepted, for the next process
		close(finish)
		if err := next(t, stopped); err != nil || !finished.Load() {
			t.Errorf("stop: %v, finished %v", err, finished.Load())
		}
	})
}

func TestAShutdownThatCannotWaitGivesWorkBackWithoutCountingIt(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		attempts := make(chan int, 2)
		kind := jobs.Kind{Name: "test.cut", Work: func(ctx context.Context, job jobs.Job) error {
			attempts <- job.Attempt
			<-ctx.Done()
			return ctx.Err()
		}}
		j := opened(t, s)
		handle(t, j, kind)
		start(t, j)
		enqueue(t, j, "test.cut", newID())
		next(t, attempts)
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		if err := j.Stop(impatient); err != nil {
			t.Fatal(err)
		}

		again := opened(t, s)
		kind.Work = func(_ context.Context, job jobs.Job) error { attempts <- job.Attempt; return nil }
		handle(t, again, kind)
		start(t, again)
		if n := next(t, attempts); n != 1 {
			t.Errorf("came back as attempt %d, want 1", n)
		}
	})
}

func TestRunNowBringsAWaitingJobForward(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, ran := opened(t, s), make(chan string, 9)
		handle(t, j, jobs.Kind{Name: "test.now", Work: func(_ context.Context, job jobs.Job) error { ran <- job.ID; return nil }})
		start(t, j)
		id := newID()
		if err := j.Enqueue(t.Context(), "test.now", tenant, id, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := j.RunNow(t.Context(), "test.now", tenant, id); err != nil {
			t.Fatal(err)
		}
		next(t, ran)
		if err := j.RunNow(t.Context(), "test.now", tenant, id); err != nil { // nothing waits any more: a new one
			t.Fatal(err)
		}
		next(t, ran)
		stop(t, j)
		if len(ran) != 0 {
			t.Errorf("%d more runs", len(ran))
		}
	})
}

func TestACancelledJobDoesNotRun(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, ran := opened(t, s), make(chan string, 9)
		handle(t, j, jobs.Kind{Name: "test.cancel", Work: func(_ context.Context, job jobs.Job) error { ran <- job.ID; return nil }})
		gone, kept := newID(), newID()
		enqueue(t, j, "test.cancel", gone)
		enqueue(t, j, "test.cancel", kept)
		other := ids.NewTenant(time.Now())
		if n, err := j.Cancel(t.Context(), "test.cancel", other, gone); err != nil || n != 0 {
			t.Fatalf("cancelled %d of another tenant: %v", n, err)
		}
		if n, err := j.Cancel(t.Context(), "test.cancel", tenant, gone); err != nil || n != 1 {
			t.Fatalf("cancelled %d: %v", n, err)
		}
		start(t, j)
		if id := next(t, ran); id != kept {
			t.Errorf("ran %s", id)
		}
		stop(t, j)
		if len(ran) != 0 {
			t.Errorf("%d more runs", len(ran))
		}
	})
}

func TestASlowOutwardJobDoesNotHoldUpTheRest(t *testing.T) {
	onEach(t, func(t *testing.T, s store) {
		j, ran, hold := opened(t, s), make(chan struct{}, 1), make(chan struct{})
		handle(t, j,
			jobs.Kind{Name: "test.outward", Outward: true, Work: func(context.Context, jobs.Job) error { <-hold; return nil }},
			jobs.Kind{Name: "test.inside", Work: func(context.Context, jobs.Job) error { ran <- struct{}{}; return nil }})
		start(t, j)
		defer close(hold)
		for range 60 {
			enqueue(t, j, "test.outward", newID())
		}
		enqueue(t, j, "test.inside", newID())
		next(t, ran)
	})
}

func TestNothingButIdentifiersIsStored(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"anna@example.org", "Anna", "+48 601 234 567", "48601234567", "con_short", newID() + ":anna", newID() + " "} {
		if jobs.ValidID(id) {
			t.Errorf("%q passes for an identifier", id)
		}
	}
	for _, id := range []string{"", newID(), newID() + ":17", newID() + ":17:999999999"} {
		if !jobs.ValidID(id) {
			t.Errorf("%q is refused", id)
		}
	}

	s := sqliteStore(t)
	j, buried := opened(t, s), make(chan struct{})
	handle(t, j, jobs.Kind{
		Name:   "test.residue",
		Work:   func(context.Context, jobs.Job) error { return errors.New("mailbox anna.kowalska@example.org is full") },
		OnDead: func(context.Context, jobs.Job) error { close(buried); return nil },
	})
	start(t, j)
	if err := j.Enqueue(t.Context(), "test.residue", tenant, "anna.kowalska@example.org", time.Time{}); !errors.Is(err, jobs.ErrID) || strings.Contains(err.Error(), "anna") {
		t.Errorf("words as an id: %v", err)
	}
	enqueue(t, j, "test.residue", newID())
	next(t, buried)
	stop(t, j)
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(s.address), "*"))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("kowalska")) {
			t.Errorf("%s holds words of an error", filepath.Base(file))
		}
	}
}

func TestWrongDeclarationsAreRefused(t *testing.T) {
	t.Parallel()
	j, work := opened(t, sqliteStore(t)), func(context.Context, jobs.Job) error { return nil }
	handle(t, j, jobs.Kind{Name: "test.twice", Work: work})
	for why, kind := range map[string]jobs.Kind{
		"declared twice":       {Name: "test.twice", Work: work},
		"no work":              {Name: "test.idle"},
		"a name without a dot": {Name: "test", Work: work},
		"a name with a space":  {Name: "test. x", Work: work},
	} {
		if j.Handle(kind) == nil {
			t.Errorf("%s: accepted", why)
		}
	}
	if j.Every("test.often", time.Millisecond, func(context.Context) error { return nil }) == nil {
		t.Error("a millisecond's interval: accepted")
	}
	if j.Enqueue(t.Context(), "test.unknown", tenant, newID(), time.Time{}) == nil {
		t.Error("an undeclared kind: accepted")
	}
}
