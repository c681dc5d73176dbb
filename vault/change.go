package vault

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"aver/base/errs"
	"aver/vault/column"
	"aver/vault/engine"
	"aver/vault/journal"
)

// mostColumns is how many columns Change can tell apart.
const mostColumns = 64

// Change stores what differs between a row as it was read in this transaction and as it shall be: those columns alone,
// so that neither seals nor indexes of the others are made anew. The key cannot differ. Where the row may not exist, use
// Put.
func (tb *Table[T]) Change(tx *Tx, from, to T) error {
	t := tb.t
	if err := tx.write(t); err != nil {
		return err
	}
	before, after := reflect.ValueOf(&from).Elem(), reflect.ValueOf(&to).Elem()
	keys, err := t.sameKey(before, after)
	if err != nil || len(t.columns) > mostColumns {
		return errors.Join(err, tooWide(t))
	}
	key := column.KeyBytes(keys)
	changed, err := t.differ(before, after)
	if err != nil || changed == 0 {
		return err
	}
	was, is := t.subjectOf(before), t.subjectOf(after)
	if err := errors.Join(tx.mind(t, was), tx.mind(t, is)); err != nil {
		return err
	}
	if was != is {
		if err := tx.alive(t, is); err != nil {
			return err
		}
	}
	args, written, err := tx.changes(t, after, key, changed)
	if err != nil {
		return err
	}
	if tx.sql(t).tenant {
		args = append(args, tx.actor.is.Tenant[:])
	}
	if err := tx.update(t, t.changeSQL(changed, tx.sql(t).tenant), append(args, keys...)); err != nil {
		return err
	}
	if tx.entry.Subject.IsZero() {
		tx.entry.Subject = is
	}
	tx.touch(t, journal.Put, key, written)
	return nil
}

func tooWide(t *table) error {
	if len(t.columns) <= mostColumns {
		return nil
	}
	return fmt.Errorf("change %s: more than %d columns", t.name, mostColumns)
}

func (tx *Tx) update(t *table, query string, args []any) error {
	if q, ok := tx.conn.(engine.Queuer); ok {
		q.Queue(query, args...)
		return nil
	}
	n, err := tx.conn.Exec(query, args...)
	switch {
	case errors.Is(err, engine.ErrUnique):
		return errs.New(errs.Conflict, "Another one like this exists already.").Because(err)
	case err != nil:
		return fmt.Errorf("change %s: %w", t.name, err)
	case n == 0:
		return notFound
	}
	return nil
}

// sameKey returns the parts of the rows' key.
func (t *table) sameKey(before, after reflect.Value) ([]any, error) {
	keys := make([]any, len(t.keys))
	for i, k := range t.keys {
		c := &t.columns[k]
		if !c.Of(before).Equal(c.Of(after)) {
			return nil, fmt.Errorf("change %s: the key column %s differs", t.name, c.Name)
		}
		keys[i] = c.Plain(after)
	}
	return keys, nil
}

// differ returns the columns that differ, as bits. A row whose person differs is sealed anew, all of it.
func (t *table) differ(before, after reflect.Value) (changed uint64, err error) {
	all := t.subject >= 0 && t.subjectOf(before) != t.subjectOf(after)
	for i := range t.columns {
		c := &t.columns[i]
		same, err := c.Same(before, after)
		if err != nil {
			return 0, fmt.Errorf("change %s: %w", t.name, err)
		}
		if c.Class != column.Key && (!same || all && c.Sealed) {
			changed |= 1 << i
		}
	}
	return changed, nil
}

// changes gives the values of the changed columns for the statement, and with their names for the commitment.
func (tx *Tx) changes(t *table, row reflect.Value, key []byte, changed uint64) (args, written []any, err error) {
	subject := t.subjectOf(row)
	for i := range t.columns {
		if changed&(1<<i) == 0 {
			continue
		}
		c := &t.columns[i]
		before := len(args)
		if args, err = tx.encodeColumn(args, t, c, row, subject, key); err != nil {
			return nil, nil, err
		}
		written = append(append(written, c.Name), args[before:]...)
	}
	return args, written, nil
}

// changeSQL is the statement that writes these columns; a table has few different ones.
func (t *table) changeSQL(changed uint64, tenant bool) string {
	type statement struct {
		changed uint64
		tenant  bool
	}
	if known, ok := t.changing.Load(statement{changed, tenant}); ok {
		return known.(string)
	}
	var sets, where []string
	for i := range t.columns {
		if c := &t.columns[i]; changed&(1<<i) != 0 {
			sets = append(sets, c.Name+" = ?")
			if c.Lookup {
				sets = append(sets, c.Blind()+" = ?")
			}
		}
	}
	if tenant {
		where = append(where, "tenant_id = ?")
	}
	for _, k := range t.keys {
		where = append(where, t.columns[k].Name+" = ?")
	}
	text := "UPDATE " + t.name + " SET " + strings.Join(sets, ", ") + " WHERE " + strings.Join(where, " AND ")
	t.changing.Store(statement{changed, tenant}, text)
	return text
}
