package vault

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/column"
	"aver/vault/postings"
	"aver/vault/table"
)

// What an export, a sweep and the record of processing need to know of a table follows from its tags, so a table is
// part of them by being declared.

// Cell is one value of a row, opened, in the words of an export.
type Cell struct {
	Column   Column
	Value    any // string, int64, bool, time.Time, json.RawMessage or []byte; nil for nothing
	Personal bool
}

// EachRow reads a person's rows of one table in the order of their keys. Secrets are left out. The table is given as
// the catalogue lists it.
func (v *Vault) EachRow(tx *Tx, of AnyTable, subject ids.Subject, each func([]Cell) error) error {
	t := of.core()
	if t.Subject < 0 {
		return nil
	}
	s := tx.sql(t)
	tail := t.Columns[t.Subject].Name + " = ? ORDER BY " + s.Key
	err := tx.conn.Query(table.WithTail(s.Find, tail), tx.within(t, []any{subject[:]}), func(values []any) error {
		cells, err := tx.cells(t, values)
		if err != nil {
			return err
		}
		return each(cells)
	})
	if err != nil {
		return fmt.Errorf("read a person's rows of %s: %w", t.Name, err)
	}
	return nil
}

// EachRowOf reads rows of one table, whomever they are about, in the order of their keys: at most so many after the one whose
// key is given, nil for the first. It returns the last one's key, nil after the end. Secrets are left out, and so is who is
// being erased.
func (v *Vault) EachRowOf(tx *Tx, of AnyTable, after []any, limit int, each func([]Cell) error) (last []any, err error) {
	t := of.core()
	s := tx.sql(t)
	tail, args, n := "ORDER BY "+s.Key+" LIMIT ?", append(slices.Clone(after), int64(limit)), 0
	if after != nil {
		tail = "(" + s.Key + ") > (?" + strings.Repeat(", ?", len(after)-1) + ") " + tail
	}
	err = tx.conn.Query(table.WithTail(s.Find, tail), tx.within(t, args), func(values []any) error {
		n, last = n+1, t.KeyOf(values)
		cells, err := tx.cells(t, values)
		if errs.Is(err, errs.Gone) {
			return nil
		}
		if err != nil {
			return err
		}
		return each(cells)
	})
	if err != nil {
		return nil, fmt.Errorf("read rows of %s: %w", t.Name, err)
	}
	if n < limit {
		return nil, nil
	}
	return last, nil
}

func (tx *Tx) cells(t *table.Shape, values []any) ([]Cell, error) {
	key := column.KeyBytes(t.KeyOf(values))
	var subject ids.Subject
	if t.Subject >= 0 {
		if b, ok := values[t.Subject].([]byte); ok {
			copy(subject[:], b)
		}
	}
	out := make([]Cell, 0, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Class == column.Secret {
			continue
		}
		cell := Cell{Column: *c, Personal: c.Class == column.Personal}
		sealed, _ := values[i].([]byte)
		switch {
		case !c.Sealed:
			cell.Value = c.Show(values[i])
		case sealed != nil:
			b, err := tx.open(t, c, subject, key, sealed)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, erasedError(err))
			}
			cell.Value = c.ShowClear(b)
		}
		out = append(out, cell)
	}
	return out, nil
}

// Spare is a condition for the tail of a sweep that leaves rows about some people alone, with its values: the column
// names whom a row is about. Without people it is empty.
func Spare(column string, people []ids.Subject) (condition string, values []any) {
	for some := range slices.Chunk(people, table.ValuesAtOnce) {
		condition += " AND (" + column + " IS NULL OR NOT " + table.Among(column) + ")"
		values = append(values, table.Padded(some)...)
	}
	return condition, values
}

// spare is Spare for a table, which may be about nobody.
func spare(t *table.Shape, people []ids.Subject) (condition string, values []any) {
	if t.Subject < 0 {
		return "", nil
	}
	return Spare(t.Columns[t.Subject].Name, people)
}

// Oldest tells the age-relevant time of a table's oldest row, zero when there is none or the table has no age limit. Rows
// about the spared are not looked at.
func (v *Vault) Oldest(tx *Tx, of AnyTable, spared ...ids.Subject) (time.Time, error) {
	t := of.core()
	if t.Keep < 0 {
		return time.Time{}, nil
	}
	var oldest time.Time
	s, keep := tx.sql(t), t.Columns[t.Keep].Name
	others, values := spare(t, spared)
	query := table.WithTail("SELECT "+keep+strings.TrimPrefix(s.Count, "SELECT count(*)"), keep+" IS NOT NULL"+others+" ORDER BY "+keep+" LIMIT 1")
	err := tx.conn.Query(query, tx.within(t, values), func(values []any) error {
		oldest = time.UnixMicro(values[0].(int64)).UTC()
		return nil
	})
	if err != nil {
		return oldest, fmt.Errorf("find the oldest row of %s: %w", t.Name, err)
	}
	return oldest, nil
}

// Sweep deletes up to limit rows of a table whose time is before the given one, as part of a change that says so in the
// journal. It returns how many there were. No search finds them any more; Tidy ends what is left of their words. Rows about
// the spared, such as people under a legal hold, stay.
func (v *Vault) Sweep(tx *Tx, of AnyTable, before time.Time, limit int, spared ...ids.Subject) (int, error) {
	t := of.core()
	if t.Keep < 0 {
		return 0, nil
	}
	others, values := spare(t, spared)
	args := append(append([]any{before.UnixMicro()}, values...), int64(limit))
	if err := tx.write(t); err != nil {
		return 0, err
	}
	keys, err := tx.removeWhere(t, t.Columns[t.Keep].Name+" < ?"+others+" LIMIT ?", args)
	if err != nil || len(keys) == 0 || len(t.Searched) == 0 {
		return len(keys), err
	}
	return len(keys), postings.Drop(tx.conn, t.Name, keys)
}

// Tidy takes some of what Sweep has left in the index of words out of it: up to so many words of a tenant. It tells whether
// there is more.
func (v *Vault) Tidy(ctx context.Context, tenant ids.Tenant, words int) (more bool, err error) {
	err = v.peek(ctx, tenant, func(tx *Tx) (err error) {
		more, err = postings.Stale(tx.conn)
		return err
	})
	if err != nil || !more {
		return false, err
	}
	return true, v.maintainLater(ctx, tenant, func(tx *Tx) error { return postings.Tidy(tx.conn, words) })
}

// Totals counts a person's rows by table, for the page that shows what is held.
func (v *Vault) Totals(tx *Tx, subject ids.Subject) (map[string]int, error) {
	out := map[string]int{}
	for _, of := range v.order {
		t := of.core()
		if t.Subject < 0 {
			continue
		}
		s := tx.sql(t)
		err := tx.conn.Query(table.WithTail(s.Count, t.Columns[t.Subject].Name+" = ?"), tx.within(t, []any{subject[:]}), func(values []any) error {
			out[t.Name] = int(values[0].(int64))
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("count a person's rows of %s: %w", t.Name, err)
		}
	}
	return out, nil
}

// Filed counts what the index of words holds about a person.
func (v *Vault) Filed(tx *Tx, subject ids.Subject) (int, error) {
	n, err := postings.CountSubject(tx.conn, subject[:])
	if err != nil {
		return 0, fmt.Errorf("count a person's words: %w", err)
	}
	return n, nil
}

// Snapshot writes a consistent copy of a tenant's store for a backup, while writers go on: of an embedded store the file,
// still under its page key, of PostgreSQL the rows as package dump reads them.
func (v *Vault) Snapshot(ctx context.Context, tenant ids.Tenant, to io.Writer) error {
	return v.engine.Snapshot(ctx, tenant, to)
}

// Scrub makes deleted rows unrecoverable from a tenant's live files.
func (v *Vault) Scrub(ctx context.Context, tenant ids.Tenant) error {
	return v.engine.Scrub(ctx, tenant)
}
