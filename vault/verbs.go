package vault

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"aver/base/aead"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/column"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/vault/table"
)

var notFound = errs.New(errs.NotFound, "There is no such thing here.")

// sql are the table's statements, with the condition under which the action may see its rows.
func (tx *Tx) sql(t *table.Shape) *table.Statements {
	mode := purpose.Free
	if tx.reads(t) {
		mode = tx.guard.Mode
	}
	return t.SQL(tx.v.engine.TenantColumn(), mode)
}

// Add stores a new row. A row with the same key, or the same value in a unique index, is errs.Conflict.
func (tb *Table[T]) Add(tx *Tx, row T) error {
	err := tx.store(tb.t, reflect.ValueOf(&row).Elem(), tx.sql(tb.t).Insert, journal.Added)
	if errors.Is(err, engine.ErrUnique) {
		return errs.New(errs.Conflict, "This exists already.").Because(err)
	}
	return err
}

// Put stores a row, in place of the one with the same key if there is one.
func (tb *Table[T]) Put(tx *Tx, row T) error {
	err := tx.store(tb.t, reflect.ValueOf(&row).Elem(), tx.sql(tb.t).Upsert, journal.Put)
	if errors.Is(err, engine.ErrUnique) {
		return errs.New(errs.Conflict, "Another one like this exists already.").Because(err)
	}
	return err
}

// Append stores a new row like Add, for callers who expect its key to be free and drop the whole change when it is not: a
// conflict may come only from Do itself. Where statements travel, that saves a journey.
func (tb *Table[T]) Append(tx *Tx, row T) error {
	err := tx.hand(tb.t, reflect.ValueOf(&row).Elem(), tx.sql(tb.t).Insert, journal.Added, true)
	if errors.Is(err, engine.ErrUnique) {
		return errs.New(errs.Conflict, "This exists already.").Because(err)
	}
	return err
}

func (tx *Tx) store(t *table.Shape, row reflect.Value, query string, op journal.Op) error {
	return tx.hand(t, row, query, op, op == journal.Put)
}

// hand gives a row to the engine; one that waits goes with the next statement that does not.
func (tx *Tx) hand(t *table.Shape, row reflect.Value, query string, op journal.Op, waits bool) error {
	if err := tx.write(t); err != nil {
		return err
	}
	subject := t.SubjectOf(row)
	if err := tx.mind(t, subject); err != nil {
		return err
	}
	values, key, err := tx.encode(t, row)
	if err != nil {
		return err
	}
	if op == journal.Put {
		if err := tx.mindRow(t, column.SplitKey(t.KeyColumns(), key)); err != nil {
			return err
		}
	}
	args := tx.sql(t).Own(tx.actor.is.Tenant, values)
	if q, ok := tx.conn.(engine.Queuer); ok && waits {
		q.Queue(query, args...)
	} else if _, err := tx.conn.Exec(query, args...); err != nil {
		return fmt.Errorf("store %s: %w", t.Name, err)
	}
	if tx.entry.Subject.IsZero() {
		tx.entry.Subject = subject
	}
	tx.touch(t, op, key, values)
	return nil
}

// Get reads the row with this key, in the order of the fields tagged key; errs.NotFound if there is none.
func (tb *Table[T]) Get(tx *Tx, key ...any) (T, error) {
	var out T
	found, err := tx.visible(tb.t, column.Arguments(key), func(values []any) error {
		return tx.decode(tb.t, values, reflect.ValueOf(&out).Elem())
	})
	if err == nil && !found {
		err = notFound
	}
	return out, err
}

// Find reads the rows that the tail selects: SQL from WHERE on, over plain columns, with ? for values. The table, the
// columns and the tenant are written by the vault; the tail is constant text and never made from input.
func (tb *Table[T]) Find(tx *Tx, tail string, args ...any) ([]T, error) {
	return tb.Later(tx, tail, args...)()
}

// Later is Find for rows that are needed a little later: found returns them. Where statements travel, the question goes
// with the one that is asked next.
func (tb *Table[T]) Later(tx *Tx, tail string, args ...any) (found func() ([]T, error)) {
	var out []T
	s := tx.sql(tb.t)
	answer := tx.ask(tx.hold(table.WithTail(s.Find, tail)), tx.within(tb.t, column.Arguments(args)), func(values []any) error {
		var row T
		if err := tx.decode(tb.t, values, reflect.ValueOf(&row).Elem()); err != nil {
			return err
		}
		out = append(out, row)
		return nil
	})
	return func() ([]T, error) {
		if err := answer(); err != nil {
			return nil, fmt.Errorf("find %s: %w", tb.t.Name, err)
		}
		return out, nil
	}
}

func (tx *Tx) ask(query string, args []any, each func([]any) error) (answer func() error) {
	if q, ok := tx.conn.(engine.Queuer); ok {
		return q.Ask(query, args, each)
	}
	err := tx.conn.Query(query, args, each)
	return func() error { return err }
}

// Lookup reads the rows whose sealed column equals the text, by its blind index. Text is compared without surrounding
// space and in lower case, unless the column is tagged exact.
func (tb *Table[T]) Lookup(tx *Tx, column, text string) ([]T, error) {
	for i := range tb.t.Columns {
		if c := &tb.t.Columns[i]; c.Name == column && c.Lookup {
			mark := aead.BlindIndex(tx.keys.Blind(tb.t.Name+"."+c.Name), c.Normal([]byte(text)), 16)
			return tb.Find(tx, c.Blind()+" = ?", mark)
		}
	}
	return nil, fmt.Errorf("look up %s: column %s has no blind index", tb.t.Name, column)
}

// Count tells how many rows the tail selects.
func (tb *Table[T]) Count(tx *Tx, tail string, args ...any) (int, error) {
	n := 0
	s := tx.sql(tb.t)
	err := tx.conn.Query(table.WithTail(s.Count, tail), tx.within(tb.t, column.Arguments(args)), func(values []any) error {
		n = int(values[0].(int64))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", tb.t.Name, err)
	}
	return n, nil
}

// Delete removes the row with this key; errs.NotFound if there is none.
func (tb *Table[T]) Delete(tx *Tx, key ...any) error {
	if err := tx.write(tb.t); err != nil {
		return err
	}
	s := tx.sql(tb.t)
	parts := column.Arguments(key)
	n := 0
	err := tx.gone(tb.t, s.Delete, tx.byKey(tb.t, parts), s.Key, func([]any) { n++ })
	if err != nil {
		return fmt.Errorf("delete %s: %w", tb.t.Name, err)
	}
	if n == 0 {
		return notFound
	}
	tx.touch(tb.t, journal.Deleted, column.KeyBytes(parts), nil)
	return tx.forgetWords(tb.t, column.KeyBytes(parts))
}

// DeleteWhere removes the rows that the tail selects and tells how many. A LIMIT in the tail bounds a sweep.
func (tb *Table[T]) DeleteWhere(tx *Tx, tail string, args ...any) (int, error) {
	return tx.deleteWhere(tb.t, tail, column.Arguments(args))
}

func (tx *Tx) deleteWhere(t *table.Shape, tail string, args []any) (int, error) {
	if err := tx.write(t); err != nil {
		return 0, err
	}
	keys, err := tx.removeWhere(t, tail, args)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	return len(keys), tx.forgetWords(t, keys...)
}

// removeWhere removes the rows that the tail selects, but not their words, and returns their keys.
func (tx *Tx) removeWhere(t *table.Shape, tail string, args []any) (keys [][]byte, err error) {
	s := tx.sql(t)
	selected := s.Own(tx.actor.is.Tenant, tx.within(t, args)) // the tenant twice: of what is deleted, and of what is looked at
	err = tx.gone(t, table.WithTail(s.Remove, tail)+")", selected, s.Key, func(values []any) {
		keys = append(keys, column.KeyBytes(values))
	})
	if err != nil {
		return nil, fmt.Errorf("sweep %s: %w", t.Name, err)
	}
	if len(keys) > 0 {
		tx.touch(t, journal.Swept, fmt.Appendf(nil, "%d", len(keys)), nil)
	}
	return keys, nil
}

// Blank empties a sealed column in up to limit rows, without opening what is in them, and tells in how many. The column
// may be none that is looked up or searched. Rows about the spared stay as they are.
func (tb *Table[T]) Blank(tx *Tx, column string, limit int, spared ...ids.Subject) (int, error) {
	t := tb.t
	if err := tx.write(t); err != nil {
		return 0, err
	}
	at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column && c.Sealed && !c.Lookup && !c.Search })
	if at < 0 {
		return 0, fmt.Errorf("blank %s: column %s cannot be emptied by itself", t.Name, column)
	}
	s := tx.sql(t)
	others, values := spare(t, spared)
	some := table.WithTail(s.Keys, column+" IS NOT NULL"+others+" LIMIT ?")
	n := 0
	err := tx.gone(t, "UPDATE "+t.Name+" SET "+column+" = NULL WHERE ("+s.Key+") IN ("+some+")", tx.within(t, append(values, int64(limit))), s.Key, func([]any) { n++ })
	if err != nil {
		return 0, fmt.Errorf("blank %s: %w", t.Name, err)
	}
	if n > 0 {
		tx.touch(t, journal.Swept, fmt.Appendf(nil, "%d", n), nil)
	}
	return n, nil
}
