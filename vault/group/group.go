// Package group lets concurrent callers share one durable commit.
//
// A commit costs an fsync and an fsync costs the same for one change as for two hundred. So callers queue, and a worker
// runs what is queued in one transaction, each caller in a savepoint of its own: one that fails undoes only itself. Who
// is alone is committed alone and at once; where a few come together again and again, commits keep a pace, because a
// commit of three costs nearly as much processor as one of ten. Work that can wait, such as a sweep's, is done between
// the others' commits and never in them, so that nobody waits for more than one part of it.
package group

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"aver/base/ids"
	"aver/vault/engine"
)

// How many callers share a commit at most. Where several transactions of a tenant run at once (PostgreSQL), more than 64
// savepoints in one overflow the server's cache of subtransactions and cost 15–20 %.
const (
	most           = 256
	mostConcurrent = 64
)

// After a commit of at least two callers and less than few, the next one begins no sooner than pace after it did.
const (
	few  = 16
	pace = 3 * time.Millisecond
)

// A patient task goes first all the same when it has waited for so long: work that waits for ever is never done.
const patience = 20 * time.Millisecond

// Task is one caller's part of a transaction.
type Task struct {
	Run     func(engine.Conn) error
	Note    any    // the caller's, for Seal
	Lane    uint32 // tasks of the same lane never run at the same time; give those that touch the same rows the same one
	Patient bool   // whoever else waits goes first, and it gets a transaction of its own

	came time.Time
	err  error
	end  chan struct{}
}

// Committer runs tasks on an engine. Seal, if set, runs after the tasks of a transaction that succeeded and before the
// commit; what it returns runs after the commit and before the callers are answered.
type Committer struct {
	Engine engine.Engine
	Seal   func(tenant ids.Tenant, conn engine.Conn, done []*Task) (committed func(), err error)

	mu     sync.Mutex
	queues map[lane]*queue
}

type lane struct {
	tenant ids.Tenant
	n      uint32
}

type queue struct{ pending, patient []*Task }

// Do runs a task and returns once it is durable or has failed. A caller whose context ends while its task is still
// queued leaves; one whose task is running is told how it ended.
func (c *Committer) Do(ctx context.Context, tenant ids.Tenant, task *Task) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	task.came, task.end = time.Now(), make(chan struct{})
	at := lane{tenant, task.Lane % uint32(c.Engine.Lanes())}
	c.enqueue(at, task)
	select {
	case <-task.end:
		return task.err
	case <-ctx.Done():
	}
	if c.withdraw(at, task) {
		return ctx.Err()
	}
	<-task.end
	return task.err
}

// enqueue adds a task and starts the lane's worker if it has none: a lane's queue exists while its worker runs.
func (c *Committer) enqueue(at lane, task *Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queues == nil {
		c.queues = map[lane]*queue{}
	}
	q := c.queues[at]
	if q == nil {
		q = &queue{}
		c.queues[at] = q
		go c.work(at, q)
	}
	if task.Patient {
		q.patient = append(q.patient, task)
		return
	}
	q.pending = append(q.pending, task)
}

func (c *Committer) withdraw(at lane, task *Task) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queues[at]
	if q == nil {
		return false
	}
	from := &q.pending
	if task.Patient {
		from = &q.patient
	}
	i := slices.Index(*from, task)
	if i < 0 {
		return false
	}
	*from = append((*from)[:i:i], (*from)[i+1:]...)
	return true
}

// take gives the worker what is queued, or ends the queue.
func (c *Committer) take(at lane, q *queue) []*Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(q.patient) > 0 && (len(q.pending) == 0 || time.Since(q.patient[0].came) > patience) {
		first := q.patient[:1:1]
		q.patient = q.patient[1:]
		return first
	}
	if len(q.pending) == 0 {
		delete(c.queues, at)
		return nil
	}
	limit := most
	if c.Engine.Lanes() > 1 {
		limit = mostConcurrent
	}
	n := min(len(q.pending), limit)
	batch := q.pending[:n:n]
	q.pending = q.pending[n:]
	return batch
}

func (c *Committer) work(at lane, q *queue) {
	for batch := c.take(at, q); batch != nil; batch = c.take(at, q) {
		begun := time.Now()
		c.commit(at.tenant, batch)
		for _, t := range batch {
			close(t.end)
		}
		if n := len(batch); n > 1 && n < few && !c.waited(q) {
			<-time.After(pace - time.Since(begun))
		}
	}
}

// waited tells whether something patient can be done in a pause.
func (c *Committer) waited(q *queue) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(q.patient) > 0
}

// commit runs a batch. A transaction that lost against another one is repeated, task by task so that they do not
// stand in each other's way again.
func (c *Committer) commit(tenant ids.Tenant, batch []*Task) {
	err := c.try(tenant, batch)
	if !errors.Is(err, engine.ErrRetry) {
		return
	}
	for _, t := range batch {
		for range 5 {
			if err := c.try(tenant, []*Task{t}); !errors.Is(err, engine.ErrRetry) {
				break
			}
		}
	}
}

var errNothing = errors.New("nothing to commit")

func (c *Committer) try(tenant ids.Tenant, batch []*Task) error {
	var done []*Task
	var committed func()
	err := c.Engine.Write(context.Background(), tenant, func(conn engine.Conn) error {
		done, committed = done[:0], nil
		for _, t := range batch {
			t.err = runOne(conn, t, len(batch) > 1)
			if errors.Is(t.err, engine.ErrRetry) || errors.Is(t.err, engine.ErrAway) {
				return t.err
			}
			if t.err == nil {
				done = append(done, t)
			}
		}
		if len(done) == 0 {
			return errNothing
		}
		if c.Seal == nil {
			return nil
		}
		var err error
		committed, err = c.Seal(tenant, conn, done)
		return err
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		for _, t := range batch {
			if t.err == nil || errors.Is(err, engine.ErrRetry) || errors.Is(err, engine.ErrAway) {
				t.err = err
			}
		}
		return err
	}
	if committed != nil {
		committed()
	}
	return nil
}

// runOne runs a task so that its failure, even a panic, is its own.
func runOne(conn engine.Conn, t *Task, shared bool) error {
	if shared {
		if err := savepoint(conn); err != nil {
			return fmt.Errorf("open savepoint: %w", err)
		}
	}
	err := guard(conn, t)
	if !shared {
		return err
	}
	if err == nil { // held-back statements may fail only now
		if _, err = conn.Exec("RELEASE task"); err == nil {
			return nil
		}
	}
	if _, e := conn.Exec("ROLLBACK TO task"); e != nil {
		return fmt.Errorf("undo: %w", errors.Join(engine.ErrRetry, e))
	}
	if _, e := conn.Exec("RELEASE task"); e != nil {
		return fmt.Errorf("release savepoint: %w", errors.Join(engine.ErrRetry, e))
	}
	return err
}

func savepoint(conn engine.Conn) error {
	if q, ok := conn.(engine.Queuer); ok {
		q.Queue("SAVEPOINT task")
		return nil
	}
	_, err := conn.Exec("SAVEPOINT task")
	return err
}

func guard(conn engine.Conn, t *Task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %T\n%s", p, debug.Stack())
		}
	}()
	return t.Run(conn)
}
