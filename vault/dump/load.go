package dump

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"aver/base/ids"
	"aver/vault/engine"
)

// Filler is implemented by engines that take whole tables in as COPY wrote them.
type Filler interface {
	// Fill stores some rows of a table, in one transaction. As many of one tenant run at once as the engine has lanes.
	Fill(ctx context.Context, tenant ids.Tenant, t Table, rows []byte) error
	// Settle ends the filling of all stores: before it, they are not fit to be used.
	Settle(ctx context.Context) error
}

// Load puts a dump's rows into a tenant's empty store. Rows that are there already are an error (engine.ErrUnique; of a
// Filler perhaps only when it settles), and so is a table that the store does not have. It commits as it goes: what it left
// after an error is to be removed.
func Load(ctx context.Context, e engine.Engine, tenant ids.Tenant, from io.Reader) (rows int64, err error) {
	if f, fills := e.(Filler); fills {
		return fill(ctx, f, e.Lanes(), tenant, from)
	}
	l := loader{ctx: ctx, store: func(ctx context.Context, t Table, rows [][]any) error { return insert(ctx, e, tenant, t, rows) }}
	l.next(e.Lanes())
	err = Read(from, l.begin, l.add)
	if err == nil {
		err = l.flush()
	}
	if failed := l.running.Wait(); failed != nil {
		err = failed
	}
	return l.rows, err
}

// pieceBytes is how much of a table is handed over at a time.
const pieceBytes = 2 << 20

// fill hands tables over in pieces, several at a time; a table waits for the one before.
func fill(ctx context.Context, f Filler, lanes int, tenant ids.Tenant, from io.Reader) (all int64, err error) {
	spare := make(chan []byte, lanes+1)
	for range cap(spare) {
		spare <- nil
	}
	err = read(from, func(r *bufio.Reader, t Table) error {
		if err := errors.Join(t.sound(), readHead(r)); err != nil {
			return err
		}
		work, halted := errgroup.WithContext(ctx)
		for more := true; more && halted.Err() == nil; {
			piece, rows, follow, err := cut(r, t, pieceBytes, (<-spare)[:0])
			if err != nil {
				return errors.Join(err, work.Wait())
			}
			work.Go(func() error {
				defer func() { spare <- piece }()
				if rows == 0 {
					return nil
				}
				return f.Fill(halted, tenant, t, piece)
			})
			all, more = all+rows, follow
		}
		return cmp.Or(work.Wait(), ctx.Err()) // what was given up between two pieces has not come to the table's end
	})
	return all, err
}

// loader gathers rows of one table and stores them some at a time, while it reads on.
type loader struct {
	ctx   context.Context
	store func(context.Context, Table, [][]any) error

	table   Table
	waiting [][]any
	bytes   int64
	rows    int64

	lanes   int
	running *errgroup.Group // stores rows of this table
	halted  context.Context // done when one of them failed
}

// next begins a table's transactions.
func (l *loader) next(lanes int) {
	l.lanes = lanes
	l.running, l.halted = errgroup.WithContext(l.ctx)
	l.running.SetLimit(lanes)
}

// name is what tables and columns of the schema are called; a dump is not trusted to hold nothing else.
var name = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// begin waits for the table before: a row may refer to one of it.
func (l *loader) begin(t Table) error {
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.running.Wait(); err != nil {
		return err
	}
	l.next(l.lanes)
	l.table = t
	return t.sound()
}

// sound refuses names that no schema has.
func (t Table) sound() error {
	for _, c := range t.Columns {
		if !name.MatchString(c.Name) {
			return fmt.Errorf("%w: a column's name", ErrDamaged)
		}
	}
	if !name.MatchString(t.Name) || len(t.Columns) == 0 {
		return fmt.Errorf("%w: a table's name", ErrDamaged)
	}
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

// flush hands the rows that wait to whoever is free next, and tells of one that failed before.
func (l *loader) flush() error {
	if len(l.waiting) == 0 {
		return nil
	}
	table, rows := l.table, l.waiting
	l.running.Go(func() error {
		if err := l.store(l.halted, table, rows); err != nil {
			return fmt.Errorf("load rows of %s: %w", table.Name, err)
		}
		return nil
	})
	l.rows += int64(len(rows))
	l.waiting, l.bytes = nil, 0
	if l.halted.Err() != nil {
		return l.running.Wait()
	}
	return nil
}

// insert stores rows by statements, some in each.
func insert(ctx context.Context, e engine.Engine, tenant ids.Tenant, t Table, rows [][]any) error {
	var names []string
	for _, column := range t.Columns {
		names = append(names, column.Name)
	}
	one := "(?" + strings.Repeat(", ?", len(names)-1) + ")"
	return e.Write(ctx, tenant, func(c engine.Conn) error {
		for some := range slices.Chunk(rows, together) {
			text := "INSERT INTO " + t.Name + " (" + strings.Join(names, ", ") + ") VALUES " + one + strings.Repeat(", "+one, len(some)-1)
			if _, err := c.Exec(text, slices.Concat(some...)...); err != nil {
				return err
			}
		}
		return nil
	})
}
