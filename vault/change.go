package vault

import (
	"errors"
	"fmt"
	"reflect"

	"aver/base/errs"
	"aver/vault/column"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/table"
)

// Change stores what differs between a row as it was read in this transaction and as it shall be: those columns alone,
// so that neither seals nor indexes of the others are made anew. The key cannot differ. Where the row may not exist, use
// Put.
func (tb *Table[T]) Change(tx *Tx, from, to T) error {
	t := tb.t
	if err := tx.write(t); err != nil {
		return err
	}
	before, after := reflect.ValueOf(&from).Elem(), reflect.ValueOf(&to).Elem()
	keys, err := t.SameKey(before, after)
	if err != nil {
		return err
	}
	key := column.KeyBytes(keys)
	changed, err := t.Differ(before, after)
	if err != nil || changed == 0 {
		return err
	}
	was, is := t.SubjectOf(before), t.SubjectOf(after)
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
	if tx.sql(t).Tenant {
		args = append(args, tx.actor.is.Tenant[:])
	}
	if err := tx.update(t, t.ChangeSQL(changed, tx.sql(t).Tenant), append(args, keys...)); err != nil {
		return err
	}
	if tx.entry.Subject.IsZero() {
		tx.entry.Subject = is
	}
	tx.touch(t, journal.Put, key, written)
	return nil
}

func (tx *Tx) update(t *table.Shape, query string, args []any) error {
	if q, ok := tx.conn.(engine.Queuer); ok {
		q.Queue(query, args...)
		return nil
	}
	n, err := tx.conn.Exec(query, args...)
	switch {
	case errors.Is(err, engine.ErrUnique):
		return errs.New(errs.Conflict, "Another one like this exists already.").Because(err)
	case err != nil:
		return fmt.Errorf("change %s: %w", t.Name, err)
	case n == 0:
		return notFound
	}
	return nil
}

// changes gives the values of the changed columns for the statement, and with their names for the commitment.
func (tx *Tx) changes(t *table.Shape, row reflect.Value, key []byte, changed uint64) (args, written []any, err error) {
	subject := t.SubjectOf(row)
	for i := range t.Columns {
		if changed&(1<<i) == 0 {
			continue
		}
		c := &t.Columns[i]
		before := len(args)
		if args, err = tx.encodeColumn(args, t, c, row, subject, key); err != nil {
			return nil, nil, err
		}
		written = append(append(written, c.Name), args[before:]...)
	}
	return args, written, nil
}
