// Package jobs does what is due, at least once: now, at a time, again after a failure, or every so often.
//
// It is a thin layer over River, whose tables lie in the embedded store's jobs.db or in PostgreSQL's schema
// aver_jobs. A job carries identifiers and nothing else, because its row is plain text to whoever reads the database:
// the work itself opens the vault and reads what it needs. Do not use jobs for deadlines that a law sets (24 hours,
// one month): those are rows of the module that owes them, swept by one periodic job, so that they can be seen and
// proved. Do not use them either to tell open browsers something; that is frame/live.
//
// At least once means that work may run twice: after a crash, after a lost answer of the database, after a shutdown
// that could not wait. Work is written so that the second time does no harm.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"aver/base/errs"
	"aver/base/ids"
)

// Dialect says which database the queue lies in.
type Dialect int

// The dialects. A SQLite queue belongs to one process at a time; the caller sees to that.
const (
	SQLite Dialect = iota + 1
	PostgreSQL
)

// Kind is one sort of work. Its name is stored with every job and must not change its meaning between versions.
type Kind struct {
	Name    string                           // lower case with dots: "webhook.deliver"
	Work    func(context.Context, Job) error // returns soon after its context ends
	Retry   []time.Duration                  // how long to wait after the first failure, the second, and so on; then the job is dead
	OnDead  func(context.Context, Job) error // called when the last attempt has failed; itself at least once
	Timeout time.Duration                    // of one attempt; one minute if zero
	Unique  bool                             // see Enqueue
	Outward bool                             // waits for machines of others: such work has workers of its own, so that a slow host delays nobody else

	every time.Duration // periodic work: repeated by the clock, never retried
}

// Job is one piece of work. ID names what it is about and is never words; see ValidID.
type Job struct {
	Tenant  ids.Tenant
	ID      string
	Attempt int // 1 the first time
}

// Jobs is the queue. Kinds and periodic work are declared before Start.
type Jobs struct {
	db      *sql.DB
	dialect Dialect
	log     *slog.Logger
	counts  counts

	mu       sync.Mutex
	kinds    map[string]Kind
	ending   atomic.Bool // Stop was called
	stopping atomic.Bool // a shutdown no longer waits: interrupted work goes back unpunished

	idle   *river.Client[*sql.Tx]                // adds, never works
	client atomic.Pointer[river.Client[*sql.Tx]] // idle, or the one that works
}

var validKind = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`)

// Open attaches to the queue in db. A SQLite queue is brought to the current schema; a PostgreSQL one must be there
// already (vault/postgres.MigrateJobs), because the role that serves may not change tables. The caller keeps db and closes it after Stop.
func Open(ctx context.Context, db *sql.DB, dialect Dialect) (*Jobs, error) {
	j := &Jobs{db: db, dialect: dialect, log: slog.Default(), kinds: map[string]Kind{}, counts: newCounts()}
	if err := j.prepare(ctx); err != nil {
		return nil, err
	}
	idle, err := river.NewClient(j.driver(), &river.Config{Schema: j.schema(), Logger: j.riverLog()})
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	j.idle = idle
	j.client.Store(idle)
	return j, nil
}

// Handle declares a kind of work. A mistake in the declaration is a mistake of the program and comes back as an error
// for main to stop on.
func (j *Jobs) Handle(kind Kind) error {
	if !validKind.MatchString(kind.Name) {
		return fmt.Errorf("declare job kind %q: want lower case words joined by dots", kind.Name)
	}
	if kind.Work == nil {
		return fmt.Errorf("declare job kind %q: no Work", kind.Name)
	}
	if kind.Timeout == 0 {
		kind.Timeout = time.Minute
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, taken := j.kinds[kind.Name]; taken {
		return fmt.Errorf("declare job kind %q: declared twice", kind.Name)
	}
	if j.client.Load() != j.idle {
		return fmt.Errorf("declare job kind %q: the queue has started", kind.Name)
	}
	j.kinds[kind.Name] = kind
	return nil
}

// Every declares work that runs soon after Start and then at the interval (one second at least). With several processes on
// one database each turn runs in one of them. A run that takes longer than the interval is not joined by a second; a run
// that fails is logged and waits for its next turn.
func (j *Jobs) Every(name string, interval time.Duration, work func(context.Context) error) error {
	if interval < time.Second {
		return fmt.Errorf("declare periodic work %q: interval %s is under a second", name, interval)
	}
	return j.Handle(Kind{
		Name:    name,
		Work:    func(ctx context.Context, _ Job) error { return work(ctx) },
		Timeout: max(interval, time.Minute),
		Unique:  true,
		every:   interval,
	})
}

// Enqueue adds a job that is due at the given moment; the zero time means now, and a moment up to five seconds ahead may
// come a few seconds late. The job is durable when Enqueue returns nil.
//
// Of a Unique kind there is one waiting job per tenant and id: adding it again changes nothing, not even its time. When
// the existing one runs already it may have read what there was before, so one more is added.
func (j *Jobs) Enqueue(ctx context.Context, kind string, tenant ids.Tenant, id string, at time.Time) error {
	declared, err := j.declared(kind)
	if err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	if !ValidID(id) {
		return fmt.Errorf("enqueue %s: %w", kind, ErrID)
	}
	a := args{kind: kind, Tenant: tenant.String(), ID: id}
	for {
		res, err := j.client.Load().Insert(ctx, a, insertOpts(declared, at))
		if err != nil {
			return unavailable("enqueue "+kind, err)
		}
		if !res.UniqueSkippedAsDuplicate || res.Job.State != running {
			return nil
		}
		a.Turn++
	}
}

// RunNow makes the waiting jobs of this kind, tenant and id due at once (within about a second), or adds one if none waits. It is for
// pages where a person says "try again now".
func (j *Jobs) RunNow(ctx context.Context, kind string, tenant ids.Tenant, id string) error {
	rows, err := j.find(ctx, kind, tenant, id, waiting...)
	if err != nil {
		return fmt.Errorf("run %s now: %w", kind, err)
	}
	for _, row := range rows {
		if _, err := j.client.Load().JobRetry(ctx, row.ID); err != nil && !errors.Is(err, river.ErrNotFound) {
			return unavailable("run "+kind+" now", err)
		}
	}
	if len(rows) > 0 {
		return nil
	}
	return j.Enqueue(ctx, kind, tenant, id, time.Time{})
}

// Cancel takes the jobs of this kind, tenant and id out of the queue and returns how many there were. One that runs at
// this moment is not interrupted, but it is not repeated either.
func (j *Jobs) Cancel(ctx context.Context, kind string, tenant ids.Tenant, id string) (int, error) {
	rows, err := j.find(ctx, kind, tenant, id, unfinished...)
	if err != nil {
		return 0, fmt.Errorf("cancel %s: %w", kind, err)
	}
	for _, row := range rows {
		if _, err := j.client.Load().JobCancel(ctx, row.ID); err != nil && !errors.Is(err, river.ErrNotFound) {
			return 0, unavailable("cancel "+kind, err)
		}
	}
	return len(rows), nil
}

func (j *Jobs) declared(kind string) (Kind, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	k, found := j.kinds[kind]
	if !found {
		return Kind{}, fmt.Errorf("job kind %q is not declared", kind)
	}
	return k, nil
}

func (j *Jobs) driver() riverdriver.Driver[*sql.Tx] {
	if j.dialect == SQLite {
		return riversqlite.New(j.db)
	}
	return riverdatabasesql.New(j.db)
}

func (j *Jobs) schema() string {
	if j.dialect == SQLite {
		return ""
	}
	return schemaName
}

func unavailable(doing string, cause error) error {
	return errs.New(errs.Unavailable, "The queue of background work cannot be reached. Nothing was added; try again.").Because(fmt.Errorf("%s: %w", doing, cause))
}
