package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"aver/vault/engine"
)

// maxStatements is how many prepared statements a connection keeps. Statement texts are constants of the program; the
// limit only guards against a caller that builds them.
const maxStatements = 512

// A conn is one connection to one tenant's file. One goroutine uses it at a time.
type conn struct {
	db         *sqlite3.Conn
	statements map[string]*statement
	pages      int       // in the write-ahead log after the last commit of this connection
	broken     bool      // an I/O error left it in a state that nobody should trust
	rested     time.Time // when it was last used, while nobody uses it
}

// A statement is prepared once per connection.
type statement struct {
	*sqlite3.Stmt
	params  int
	changes bool // it changes rows, so it has a count of them
	running bool // between start and end
	kept    bool // in the connection's statements
	row     []any
}

// dial opens a connection and proves that it is as safe as it must be.
func dial(file database, more ...pragma) (*conn, error) {
	if err := file.shield(); err != nil {
		return nil, translateFile("open the store", err)
	}
	db, err := sqlite3.OpenFlags(file.uri(), file.flags)
	if err != nil {
		return nil, translate("open the store", err)
	}
	c := &conn{db: db, statements: map[string]*statement{}}
	if err := secure(db, file.key, more...); err != nil {
		return nil, errors.Join(err, c.close())
	}
	// Having a hook of ours also keeps SQLite from moving the log by itself, which is the keeper's work.
	db.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		c.pages = pages
		return nil
	})
	return c, nil
}

// close ends every statement and the connection. The last connection of a file empties its write-ahead log.
func (c *conn) close() error {
	for _, s := range c.statements {
		_ = s.Close() // repeats the statement's last error, which was reported then
	}
	c.statements = nil
	if err := c.db.Close(); err != nil {
		return translate("close the store", err)
	}
	return nil
}

// transact runs fn between begin and COMMIT. Whatever ends fn other than nil (an error, a panic, runtime.Goexit) rolls
// back. The context interrupts statements, but never the commit.
func (c *conn) transact(ctx context.Context, begin string, fn func(engine.Conn) error) (err error) {
	c.db.SetInterrupt(ctx)
	t := &transaction{conn: c}
	committed := false
	defer func() {
		c.db.SetInterrupt(context.Background())
		t.over = errOver
		if committed {
			return
		}
		if undo := c.rollback(); undo != nil {
			err = errors.Join(err, undo)
		}
	}()
	if err := c.run(begin); err != nil {
		return interrupted(ctx, err)
	}
	if err := fn(t); err != nil {
		return interrupted(ctx, err)
	}
	if t.over != nil { // a statement failed so badly that the database gave up the transaction, and fn went on
		return t.over
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("before the commit: %w", err)
	}
	c.db.SetInterrupt(context.Background())
	if err := c.run("COMMIT"); err != nil {
		return err
	}
	committed = true
	return nil
}

// run executes a statement that takes and gives nothing.
func (c *conn) run(query string) error {
	s, err := c.prepare(query)
	if err == nil {
		err = s.Exec()
	}
	if err != nil {
		return c.failed(query, err)
	}
	return nil
}

// rollback ends the transaction if there still is one. When even that fails the connection is given up, and with it
// the transaction.
func (c *conn) rollback() error {
	if c.db.GetAutocommit() {
		return nil
	}
	if err := c.run("ROLLBACK"); err != nil {
		c.broken = true
		return err
	}
	return nil
}

// failed translates an error and notes whether the connection may be used again.
func (c *conn) failed(doing string, err error) error {
	var code sqlite3.ErrorCode
	if errors.As(err, &code) {
		switch code {
		case sqlite3.IOERR, sqlite3.CANTOPEN, sqlite3.CORRUPT, sqlite3.NOTADB, sqlite3.PROTOCOL:
			c.broken = true
		}
	}
	return translate(doing, err)
}

// prepare finds the statement or makes it.
func (c *conn) prepare(query string) (*statement, error) {
	if s, known := c.statements[query]; known {
		return s, nil
	}
	if len(c.statements) >= maxStatements {
		c.forget()
	}
	s, err := c.make(query, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	s.kept = true
	c.statements[query] = s
	return s, nil
}

// forget closes the statements that are not running just now.
func (c *conn) forget() {
	for query, s := range c.statements {
		if !s.running {
			_ = s.Close()
			delete(c.statements, query)
		}
	}
}

func (c *conn) make(query string, flags sqlite3.PrepareFlag) (*statement, error) {
	stmt, tail, err := c.db.PrepareFlags(query, flags)
	if err != nil {
		return nil, err
	}
	if stmt == nil || !blank(tail) {
		_ = stmt.Close()
		return nil, errOneStatement
	}
	return &statement{
		Stmt:    stmt,
		params:  stmt.BindCount(),
		changes: !stmt.ReadOnly(),
		row:     make([]any, stmt.ColumnCount()),
	}, nil
}

// bind sets every parameter, so that nothing stays from the call before.
func (s *statement) bind(args []any) error {
	if len(args) != s.params {
		return fmt.Errorf("%d arguments for %d placeholders", len(args), s.params)
	}
	for i, arg := range args {
		if err := s.bindOne(i+1, arg); err != nil {
			return err
		}
	}
	return nil
}

func (s *statement) bindOne(param int, arg any) error {
	switch v := arg.(type) {
	case []byte:
		if v == nil {
			return s.BindNull(param)
		}
		return s.BindBlob(param, v)
	case int64:
		return s.BindInt64(param, v)
	case string:
		return s.BindText(param, v)
	case nil:
		return s.BindNull(param)
	case bool:
		return s.BindBool(param, v)
	case float64:
		return s.BindFloat(param, v)
	}
	return fmt.Errorf("argument %d has type %T, which cannot be stored", param, arg)
}
