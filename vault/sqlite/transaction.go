package sqlite

import (
	"errors"
	"slices"
	"strings"
)

var (
	errOver         = errors.New("the transaction is over")
	errOneStatement = errors.New("not exactly one statement")
	errNotAllowed   = errors.New("only statements on rows and savepoints may run in a transaction")
)

// A transaction is what Write and Read hand to their function.
type transaction struct {
	conn *conn
	over error // set when no statement may follow
}

// Exec implements engine.Conn.
func (t *transaction) Exec(query string, args ...any) (int64, error) {
	s, err := t.start(query, args)
	if err != nil {
		return 0, t.failed(query, err)
	}
	err = s.Exec() // and reset
	s.running = false
	if !s.kept {
		_ = s.Close()
	}
	if err != nil {
		return 0, t.failed(query, err)
	}
	if !s.changes {
		return 0, nil
	}
	return t.conn.db.Changes(), nil
}

// Query implements engine.Conn.
func (t *transaction) Query(query string, args []any, each func(row []any) error) error {
	s, err := t.start(query, args)
	if err != nil {
		return t.failed(query, err)
	}
	defer s.end()
	for s.Step() {
		clear(s.row) // or the driver would write this row's bytes over those of the row before
		if err := s.Columns(s.row...); err != nil {
			return t.failed(query, err)
		}
		for i, v := range s.row {
			if b, isBytes := v.([]byte); isBytes && b == nil {
				s.row[i] = []byte{}
			}
		}
		if err := each(s.row); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return t.failed(query, err)
	}
	return nil
}

// start finds the statement and binds its arguments. A text that is running already, because a row function uses it
// too, gets a second statement of its own.
func (t *transaction) start(query string, args []any) (*statement, error) {
	if t.over != nil {
		return nil, t.over
	}
	s, known := t.conn.statements[query]
	if !known {
		if !allowed(query) {
			return nil, errNotAllowed
		}
		var err error
		if s, err = t.conn.prepare(query); err != nil {
			return nil, err
		}
	}
	if s.running {
		var err error
		if s, err = t.conn.make(query, 0); err != nil {
			return nil, err
		}
	}
	s.running = true
	if err := s.bind(args); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// end makes the statement ready for the next use. Errors it met were told when they happened.
func (s *statement) end() {
	clear(s.row)
	s.running = false
	if !s.kept {
		_ = s.Close()
		return
	}
	_ = s.Reset()
}

// failed translates an error. Some errors (a full disk, an I/O error, an interruption) make the database give up the
// whole transaction; then no statement may follow, or it would commit by itself.
func (t *transaction) failed(query string, err error) error {
	if t.over != nil {
		return t.over
	}
	err = t.conn.failed(shorten(query), err)
	if t.conn.db.GetAutocommit() {
		t.over = err
	}
	return err
}

// allowed refuses what would end the transaction, change the connection's safety or reach another file.
func allowed(query string) bool {
	words := strings.Fields(strings.ToUpper(query[:min(len(query), 64)]))
	if len(words) == 0 {
		return false
	}
	switch words[0] {
	case "ROLLBACK":
		return slices.Contains(words, "TO")
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "SAVEPOINT", "RELEASE", "EXPLAIN":
		return true
	}
	return false
}

// blank tells whether nothing follows the first statement.
func blank(tail string) bool { return strings.Trim(tail, " \t\r\n;") == "" }

// shorten keeps enough of a statement's text to recognise it. The text is the program's; values are never part of it.
func shorten(query string) string {
	const enough = 80
	query = strings.Join(strings.Fields(query), " ")
	if len(query) <= enough {
		return query
	}
	return query[:enough] + "…"
}
