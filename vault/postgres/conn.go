package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aver/vault/engine"
)

// setTenant is the second statement of every transaction. It tells what the setting was before, because a connection
// on which it has a value outside of a transaction has been tampered with.
const setTenant = `SELECT coalesce(current_setting('app.tenant', true), ''), set_config('app.tenant', $1, true)`

var (
	errStale = errors.New("a pooled connection carried the setting app.tenant; it was closed")
	errOver  = errors.New("the transaction is over")

	errUnanswered = errors.New("a statement that travelled with this one failed")
)

// conn is a transaction. Nothing is sent before the first statement; then BEGIN and the tenant go with it.
type conn struct {
	ctx    context.Context
	pg     *pgx.Conn
	texts  *texts
	begin  string
	tenant string // as hexadecimal digits

	waiting  *pgx.Batch // goes with the next round trip
	begun    bool       // BEGIN has been sent
	answered bool       // and the server has begun
	ending   bool       // COMMIT may have been sent
	lost     error      // why this transaction can neither go on nor commit
}

var (
	_ engine.Queuer  = (*conn)(nil)
	_ engine.Teller  = (*conn)(nil)
	_ engine.Orderer = (*conn)(nil)
)

// batch is what waits to be sent.
func (c *conn) batch() *pgx.Batch {
	if c.waiting != nil {
		return c.waiting
	}
	c.waiting = &pgx.Batch{}
	if c.begun {
		return c.waiting
	}
	c.waiting.Queue(c.begin)
	c.waiting.Queue(setTenant, c.tenant).QueryRow(func(row pgx.Row) error {
		var before, now string
		if err := row.Scan(&before, &now); err != nil {
			return err
		}
		c.answered = true
		if before != "" {
			return errStale
		}
		return nil
	})
	return c.waiting
}

// Queue is for engine.Queuer.
func (c *conn) Queue(query string, args ...any) {
	s, err := c.statement(query, args)
	if err != nil {
		c.lost = errors.Join(c.lost, err)
		return
	}
	c.batch().Queue(s.text, args...)
	if s.undoes && c.begun && c.pg.PgConn().TxStatus() == 'E' { // until it has run, what follows could not even be prepared
		c.lost = errors.Join(c.lost, c.Flush())
	}
}

// Exec is for engine.Conn. An INSERT or UPDATE that breaks a rule leaves the transaction usable.
func (c *conn) Exec(query string, args ...any) (int64, error) {
	s, err := c.statement(query, args)
	if err != nil {
		return 0, err
	}
	var affected int64
	count := func(tag pgconn.CommandTag) error {
		if tag.Insert() || tag.Update() || tag.Delete() {
			affected = tag.RowsAffected()
		}
		return nil
	}
	if !s.alone {
		c.batch().Queue(s.text, args...).Exec(count)
		err := c.Flush()
		return affected, err
	}
	saved := false
	c.batch().Queue("SAVEPOINT aver_exec").Exec(func(pgconn.CommandTag) error { saved = true; return nil })
	c.batch().Queue(s.text, args...).Exec(count)
	c.batch().Queue("RELEASE aver_exec")
	err = c.Flush()
	if err != nil && saved && c.lost == nil {
		c.batch().Queue("ROLLBACK TO aver_exec")
		err = errors.Join(err, c.Flush())
		c.batch().Queue("RELEASE aver_exec") // in a failed transaction it cannot even be prepared, so it goes with the next
	}
	return affected, err
}

// Query is for engine.Conn.
func (c *conn) Query(query string, args []any, each func(row []any) error) error {
	return c.Ask(query, args, each)()
}

// Ask is for engine.Queuer.
func (c *conn) Ask(query string, args []any, each func(row []any) error) func() error {
	s, err := c.statement(query, args)
	if err != nil {
		return func() error { return err }
	}
	answered := false
	var stopped error // kept from the library: it would take every statement of the round trip for a bad one
	c.batch().Queue(s.text, args...).Query(func(rows pgx.Rows) error {
		answered, stopped = true, read(rows, each)
		return nil
	})
	return func() error {
		if answered {
			return stopped
		}
		if err := c.Flush(); err != nil || answered {
			return errors.Join(err, stopped)
		}
		return errUnanswered
	}
}

// Flush is for engine.Queuer. It is the only place that speaks to the server inside a transaction.
func (c *conn) Flush() error {
	if c.lost != nil {
		return c.lost
	}
	if c.begun && c.pg.PgConn().TxStatus() == 'I' {
		c.lost = errOver
		return c.lost
	}
	if c.waiting == nil {
		return nil
	}
	sent := c.waiting
	c.waiting, c.begun = nil, true
	err := c.pg.SendBatch(c.ctx, sent).Close()
	if err == nil {
		return nil
	}
	told := translate(c.ctx, err, c.pg.IsClosed())
	if !c.canGoOn(err) {
		c.lost = told
	}
	return told
}

// canGoOn tells whether the server has answered and waits for ROLLBACK TO. Otherwise it is not known which of the
// statements that travelled together have run, and the whole transaction fails.
func (c *conn) canGoOn(err error) bool {
	var preparing pgx.ErrPreprocessingBatch
	var answer *pgconn.PgError
	return errors.As(err, &answer) && !errors.As(err, &preparing) && c.pg.PgConn().TxStatus() == 'E'
}

// Order is for engine.Orderer.
func (c *conn) Order(matter int64, share bool) {
	if share {
		c.Queue("SELECT pg_advisory_xact_lock_shared(?)", matter)
		return
	}
	c.Queue("SELECT pg_advisory_xact_lock(?)", matter)
}

// Tell is for engine.Teller.
func (c *conn) Tell(channel, text string) error {
	_, err := c.Exec("SELECT pg_notify(?, ?)", channel, text)
	return err
}

func (c *conn) statement(query string, args []any) (statement, error) {
	s, err := c.texts.statement(query)
	if err != nil {
		return s, err
	}
	return s, s.fit(args)
}

// commit sends what waits and COMMIT in one round trip. Its answer must be COMMIT: the server answers ROLLBACK, and no
// error, when an earlier statement failed.
func (c *conn) commit() error {
	if c.lost != nil {
		return c.lost
	}
	if c.waiting == nil && !c.begun {
		return nil
	}
	var answer string
	c.ending = true
	c.batch().Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error { answer = tag.String(); return nil })
	err := c.Flush()
	if err != nil {
		if c.ctx.Err() != nil && c.pg.IsClosed() {
			return fmt.Errorf("commit: %w: %w", engine.ErrAway, err) // cut off on the way: nobody knows
		}
		return fmt.Errorf("commit: %w", err)
	}
	if answer != "COMMIT" {
		return errors.New("commit: a statement had failed, nothing was committed")
	}
	return nil
}

// end undoes what was not committed. A connection that cannot be brought back is closed, never handed on.
func (c *conn) end() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), 5*time.Second)
	defer cancel()
	pg, stale := c.pg.PgConn(), errors.Is(c.lost, errStale)
	c.lost = errOver // whoever kept this conn must not reach the connection, which will be somebody else's
	switch {
	case c.pg.IsClosed():
	case pg.IsBusy() || stale: // busy: somebody's panic came in the middle of an answer
		_ = c.pg.Close(ctx)
	case pg.TxStatus() != 'I':
		if _, err := c.pg.Exec(ctx, "ROLLBACK"); err != nil || pg.TxStatus() != 'I' {
			_ = c.pg.Close(ctx)
		}
	}
}
