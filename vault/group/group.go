// Package group lets concurrent callers share one durable commit.
//
// A commit costs an fsync and an fsync costs the same for one change as for two hundred. So callers queue, and a worker
// runs what is queued in one transaction, each caller in a savepoint of its own: one that fails undoes only itself. No
// caller waits for company; whoever is alone is committed alone.
package group

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"aver/base/ids"
	"aver/vault/engine"
)

// Max is how many callers share a commit at most.
const Max = 256

// Task is one caller's part of a transaction.
type Task struct {
	Run  func(engine.Conn) error
	Note any // the caller's, for Seal

	err error
	end chan struct{}
}

// Committer runs tasks on an engine. Seal, if set, runs after the tasks of a transaction that succeeded and before the
// commit; what it returns runs after the commit and before the callers are answered.
type Committer struct {
	Engine engine.Engine
	Seal   func(tenant ids.Tenant, conn engine.Conn, done []*Task) (committed func(), err error)

	mu     sync.Mutex
	queues map[ids.Tenant]*queue
}

type queue struct {
	pending []*Task
	workers int
}

// Do runs a task and returns once it is durable or has failed. A caller whose context ends while its task is still
// queued leaves; one whose task is running is told how it ended.
func (c *Committer) Do(ctx context.Context, tenant ids.Tenant, task *Task) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	task.end = make(chan struct{})
	c.enqueue(tenant, task)
	select {
	case <-task.end:
		return task.err
	case <-ctx.Done():
	}
	if c.withdraw(tenant, task) {
		return ctx.Err()
	}
	<-task.end
	return task.err
}

func (c *Committer) enqueue(tenant ids.Tenant, task *Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queues == nil {
		c.queues = map[ids.Tenant]*queue{}
	}
	q := c.queues[tenant]
	if q == nil {
		q = &queue{}
		c.queues[tenant] = q
	}
	q.pending = append(q.pending, task)
	if q.workers < c.Engine.Lanes() && (q.workers == 0 || len(q.pending) > 1) {
		q.workers++
		go c.work(tenant, q)
	}
}

func (c *Committer) withdraw(tenant ids.Tenant, task *Task) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queues[tenant]
	if q == nil {
		return false
	}
	for i, t := range q.pending {
		if t == task {
			q.pending = append(q.pending[:i:i], q.pending[i+1:]...)
			return true
		}
	}
	return false
}

// take gives a worker its share: all there is with one lane, a fair part with several.
func (c *Committer) take(tenant ids.Tenant, q *queue) []*Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(q.pending) == 0 {
		q.workers--
		if q.workers == 0 {
			delete(c.queues, tenant)
		}
		return nil
	}
	share := (len(q.pending) + c.Engine.Lanes() - 1) / c.Engine.Lanes()
	n := min(max(share, 1), Max)
	batch := q.pending[:n:n]
	q.pending = q.pending[n:]
	return batch
}

func (c *Committer) work(tenant ids.Tenant, q *queue) {
	for batch := c.take(tenant, q); batch != nil; batch = c.take(tenant, q) {
		c.commit(tenant, batch)
		for _, t := range batch {
			close(t.end)
		}
	}
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
