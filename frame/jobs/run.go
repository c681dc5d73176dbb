package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
)

const (
	insideLane  = "inside"
	outwardLane = "outward"
	workers     = 25 // per lane and process

	poll     = time.Second           // how soon another process's or a due job is noticed
	cooldown = 20 * time.Millisecond // a job added by this process starts at once, a burst at most this much later

	// A run whose process vanished is taken up again this long after its timeout (PostgreSQL; SQLite does it at start).
	rescueAfter = 75 * time.Second
	overrun     = 15 * time.Second // what work gets, over its timeout, to notice that its context has ended

	// spareRuns is how many more times a job may run than its schedule says because runs were cut off by a crash. Then
	// the job itself is taken for the cause and counts as dead.
	spareRuns = 3

	deadTimeout = time.Minute
	lastRetry   = time.Minute // between attempts of a kind without a schedule
)

// The errors River stores and logs. What went wrong is in our own log line, because River's table is no place for it.
var (
	errFailed = errors.New("failed")
	errDead   = errors.New("dead")
)

func lane(kind Kind) string {
	if kind.Outward {
		return outwardLane
	}
	return insideLane
}

// Start begins to work. The context is for starting only; Stop ends the work.
func (j *Jobs) Start(ctx context.Context) error {
	if j.dialect == SQLite {
		if err := j.takeBack(ctx); err != nil {
			return err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.kinds) == 0 {
		return nil
	}
	kinds, turns := river.NewWorkers(), []*river.PeriodicJob(nil)
	for name, kind := range j.kinds {
		river.AddWorkerArgs(kinds, args{kind: name}, river.Worker[args](&worker{jobs: j, kind: kind}))
		if kind.every > 0 {
			turns = append(turns, river.NewPeriodicJob(river.PeriodicInterval(kind.every), func() (river.JobArgs, *river.InsertOpts) {
				return args{kind: name}, insertOpts(kind, time.Time{})
			}, &river.PeriodicJobOpts{RunOnStart: true}))
		}
	}
	j.ending.Store(false)
	j.stopping.Store(false)
	client, err := river.NewClient(j.driver(), &river.Config{
		Schema: j.schema(), Logger: j.riverLog(), Workers: kinds, PeriodicJobs: turns,
		Queues:            map[string]river.QueueConfig{insideLane: {MaxWorkers: workers}, outwardLane: {MaxWorkers: workers}},
		FetchPollInterval: poll, FetchCooldown: cooldown,
		RescueStuckJobsAfter:        rescueAfter,
		CompletedJobRetentionPeriod: time.Hour,
		CancelledJobRetentionPeriod: 7 * 24 * time.Hour,
		ReindexerSchedule:           river.NeverSchedule(), // needs to own the indexes, which the role that serves does not
		TestOnly:                    true,                  // in 0.31.0 it only leaves out seconds of random pauses before a new leader's first periodic work
	})
	if err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return unavailable("start the queue", err)
	}
	j.client.Store(client)
	return nil
}

// Stop takes no further jobs and waits for those that run. When ctx ends first, their contexts are cancelled and they
// go back to the queue without counting as an attempt; Stop then waits a little longer and says if work is still running.
// Adding jobs goes on working after Stop.
func (j *Jobs) Stop(ctx context.Context) error {
	client := j.client.Swap(j.idle)
	if client == j.idle {
		return nil
	}
	j.ending.Store(true)
	if err := client.Stop(ctx); err == nil {
		return nil
	}
	j.stopping.Store(true)
	// What computes for a moment before it looks at its context takes seconds on a busy machine.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := client.StopAndCancel(last); err != nil {
		return fmt.Errorf("stop the queue: work ignores that its context has ended and will be repeated: %w", err)
	}
	return nil
}

// takeBack returns to the queue what a process that died left behind. Only one process works a SQLite queue, so whatever
// is marked as running, or as leading, belongs to a dead one.
func (j *Jobs) takeBack(ctx context.Context) error {
	for _, statement := range []string{
		`UPDATE river_job SET state = 'cancelled', finalized_at = datetime('now', 'subsec') WHERE state = 'running' AND json_extract(metadata, '$.cancel_attempted_at') IS NOT NULL`,
		`UPDATE river_job SET state = 'available' WHERE state = 'running'`,
		`DELETE FROM river_leader`,
	} {
		if _, err := j.db.ExecContext(ctx, statement); err != nil {
			return unavailable("take back interrupted work", err)
		}
	}
	return nil
}

// worker is how River meets one kind.
type worker struct {
	river.WorkerDefaults[args]
	jobs *Jobs
	kind Kind
}

func (w *worker) Timeout(*river.Job[args]) time.Duration { return w.kind.Timeout + overrun }

func (w *worker) NextRetry(row *river.Job[args]) time.Time {
	wait := lastRetry
	if n := len(w.kind.Retry); n > 0 {
		wait = w.kind.Retry[min(row.Attempt, n)-1]
	}
	return time.Now().Add(wait)
}

// Work makes one attempt and decides what comes after it.
func (w *worker) Work(ctx context.Context, row *river.Job[args]) error {
	job, err := row.Args.job(row.Attempt)
	if err != nil {
		return river.JobCancel(errDead) // not ours: the table was written by somebody else
	}
	attempts := len(w.kind.Retry) + 1
	if row.Attempt > attempts+spareRuns {
		return w.bury(ctx, job, errors.New("every attempt ended with the process"))
	}
	attempt, cancel := context.WithTimeout(ctx, w.kind.Timeout)
	defer cancel()
	err = w.guarded(attempt, job, w.kind.Work)
	switch {
	case err == nil:
		w.jobs.counts.add(w.kind.Name, done)
		return nil
	case ctx.Err() != nil && w.jobs.stopping.Load():
		w.jobs.counts.add(w.kind.Name, returned)
		return river.JobSnooze(0)
	case w.kind.every > 0:
		w.jobs.report(ctx, slog.LevelWarn, "periodic work failed", w.kind.Name, job, err)
		w.jobs.counts.add(w.kind.Name, failed)
		return nil
	case row.Attempt < attempts:
		w.jobs.report(ctx, slog.LevelWarn, "job failed, will be tried again", w.kind.Name, job, err)
		w.jobs.counts.add(w.kind.Name, failed)
		return errFailed
	}
	return w.bury(ctx, job, err)
}

// bury gives the job up and tells its module. If the module cannot take the news, the job stays and is tried again.
func (w *worker) bury(ctx context.Context, job Job, cause error) error {
	if w.kind.OnDead != nil {
		// The attempt's context may be what ended; the news has its own time.
		news, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadTimeout)
		defer cancel()
		if err := w.guarded(news, job, w.kind.OnDead); err != nil {
			w.jobs.report(ctx, slog.LevelError, "job cannot be given up", w.kind.Name, job, err)
			w.jobs.counts.add(w.kind.Name, failed)
			return errFailed
		}
	}
	w.jobs.report(ctx, slog.LevelError, "job given up", w.kind.Name, job, cause)
	w.jobs.counts.add(w.kind.Name, dead)
	return river.JobCancel(errDead)
}

// guarded turns a panic into an error.
func (w *worker) guarded(ctx context.Context, job Job, work func(context.Context, Job) error) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = &panicked{caught, debug.Stack()}
		}
	}()
	return work(ctx, job)
}

// panicked is a panic as an error. The value of a panic may be anything, so only its type is told, unless the Go runtime
// made it.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string {
	if fault, ok := p.value.(runtime.Error); ok {
		return "panic: " + fault.Error()
	}
	return fmt.Sprintf("panic with a %T", p.value)
}
