package dump

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"aver/base/ids"
	"aver/vault/engine"
)

// Load puts a dump's rows into a tenant's empty store. Rows that are there already are an error (engine.ErrUnique), and
// so is a table that the store does not have. It commits as it goes: what it left after an error is to be removed.
func Load(ctx context.Context, e engine.Engine, tenant ids.Tenant, from io.Reader) (rows int64, err error) {
	l := loader{ctx: ctx, engine: e, tenant: tenant}
	err = Read(from, l.begin, l.add)
	if err == nil {
		err = l.flush()
	}
	return l.rows, err
}

// loader gathers rows of one table and stores them some at a time.
type loader struct {
	ctx    context.Context
	engine engine.Engine
	tenant ids.Tenant

	table   Table
	waiting [][]any
	bytes   int64
	rows    int64
}

// name is what tables and columns of the schema are called; a dump is not trusted to hold nothing else.
var name = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

func (l *loader) begin(t Table) error {
	if err := l.flush(); err != nil {
		return err
	}
	for _, c := range t.Columns {
		if !name.MatchString(c.Name) {
			return fmt.Errorf("%w: a column's name", ErrDamaged)
		}
	}
	if !name.MatchString(t.Name) || len(t.Columns) == 0 {
		return fmt.Errorf("%w: a table's name", ErrDamaged)
	}
	l.table = t
	return nil
}

// A transaction has at most so many rows or bytes: a large row makes a batch by itself.
const (
	rowsAtOnce  = 5000
	bytesAtOnce = 8 << 20
	together    = 20 // rows of one statement
)

func (l *loader) add(row []any) error {
	l.waiting = append(l.waiting, row)
	for _, v := range row {
		l.bytes += size(v)
	}
	if len(l.waiting) < rowsAtOnce && l.bytes < bytesAtOnce {
		return nil
	}
	return l.flush()
}

func size(v any) int64 {
	switch v := v.(type) {
	case []byte:
		return int64(len(v))
	case string:
		return int64(len(v))
	}
	return 8
}

func (l *loader) flush() error {
	if len(l.waiting) == 0 {
		return nil
	}
	err := l.engine.Write(l.ctx, l.tenant, func(c engine.Conn) error {
		for some := range slices.Chunk(l.waiting, together) {
			if err := l.insert(c, some); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load rows of %s: %w", l.table.Name, err)
	}
	l.rows += int64(len(l.waiting))
	l.waiting, l.bytes = nil, 0
	return nil
}

func (l *loader) insert(c engine.Conn, rows [][]any) error {
	var names []string
	for _, column := range l.table.Columns {
		names = append(names, column.Name)
	}
	one := "(?" + strings.Repeat(", ?", len(names)-1) + ")"
	text := "INSERT INTO " + l.table.Name + " (" + strings.Join(names, ", ") + ") VALUES " + one + strings.Repeat(", "+one, len(rows)-1)
	args := slices.Concat(rows...)
	if q, ok := c.(engine.Queuer); ok {
		q.Queue(text, args...)
		return nil
	}
	_, err := c.Exec(text, args...)
	return err
}
