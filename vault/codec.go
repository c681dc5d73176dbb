package vault

import (
	"errors"
	"fmt"
	"reflect"

	"aver/base/aead"
	"aver/base/ids"
	"aver/vault/column"
	"aver/vault/keyring"
	"aver/vault/table"
)

// encode turns a row into the values of its columns, sealed where the class says so, in the order of statements.columns.
func (tx *Tx) encode(t *table.Shape, row reflect.Value) (values []any, key []byte, err error) {
	keys := make([]any, len(t.Keys))
	for i, k := range t.Keys {
		c := &t.Columns[k]
		keys[i] = c.Plain(row)
		if keys[i] == nil || keys[i] == "" {
			return nil, nil, fmt.Errorf("store %s: key column %s is empty", t.Name, c.Name)
		}
	}
	key = column.KeyBytes(keys)
	subject := t.SubjectOf(row)
	if err := tx.alive(t, subject); err != nil {
		return nil, nil, err
	}
	values = make([]any, 0, len(t.Columns)+4)
	for i := range t.Columns {
		c := &t.Columns[i]
		if values, err = tx.encodeColumn(values, t, c, row, subject, key); err != nil {
			return nil, nil, err
		}
	}
	return values, key, nil
}

// encodeColumn appends what is stored of a column's value: as it is, or sealed and with its blind index if it has one.
func (tx *Tx) encodeColumn(to []any, t *table.Shape, c *Column, row reflect.Value, subject ids.Subject, key []byte) ([]any, error) {
	if !c.Sealed {
		return append(to, c.Plain(row)), nil
	}
	b, err := c.Clear(row)
	if err != nil {
		return nil, fmt.Errorf("store %s: encode column %s: %w", t.Name, c.Name, err)
	}
	sealed, err := tx.seal(t, c, subject, key, b)
	if err != nil {
		return nil, err
	}
	if to = append(to, sealed); c.Lookup {
		to = append(to, tx.blind(t, c, b))
	}
	return to, nil
}

func (tx *Tx) place(t *table.Shape, c *Column, key []byte) []byte {
	tenant := tx.actor.is.Tenant
	return aead.Place(tenant[:], []byte(t.Name), key, []byte(c.Name))
}

func (tx *Tx) blind(t *table.Shape, c *Column, b []byte) any {
	if b == nil {
		return nil
	}
	return aead.BlindIndex(tx.keys.Blind(t.Name+"."+c.Name), c.Normal(b), 16)
}

func (tx *Tx) seal(t *table.Shape, c *Column, subject ids.Subject, key, b []byte) (any, error) {
	if b == nil {
		return nil, nil
	}
	where := tx.place(t, c, key)
	if c.Class != column.Personal {
		return tx.keys.Seal().Seal(nil, b, where), nil
	}
	if subject.IsZero() {
		return nil, fmt.Errorf("store %s: column %s is personal and the row names no person", t.Name, c.Name)
	}
	k, err := tx.v.keys.Subject(tx.ctx, tx.actor.is.Tenant, subject)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", t.Name, erasedError(err))
	}
	return k.Seal(make([]byte, 0, len(b)+aead.Overhead), b, where), nil
}

// alive refuses a row about somebody who was erased, also where nothing in it is sealed for them. Most answers come from
// memory, where sealing finds the key too.
func (tx *Tx) alive(t *table.Shape, subject ids.Subject) error {
	if subject.IsZero() {
		return nil
	}
	_, err := tx.v.keys.Subject(tx.ctx, tx.actor.is.Tenant, subject)
	if err == nil || errors.Is(err, keyring.ErrNoKey) {
		return nil
	}
	return fmt.Errorf("store %s: %w", t.Name, erasedError(err))
}

// decode fills a row from stored values. Columns of a person whose key is destroyed come back empty.
func (tx *Tx) decode(t *table.Shape, values []any, row reflect.Value) error {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Sealed {
			continue
		}
		if err := c.Fill(row, values[i]); err != nil {
			return fmt.Errorf("read %s: column %s: %w", t.Name, c.Name, err)
		}
	}
	key, subject := column.KeyBytes(t.KeyOf(values)), t.SubjectOf(row)
	for i := range t.Columns {
		c := &t.Columns[i]
		sealed, _ := values[i].([]byte)
		if !c.Sealed || sealed == nil {
			continue
		}
		b, err := tx.open(t, c, subject, key, sealed)
		if errors.Is(err, keyring.ErrErased) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: column %s: %w", t.Name, c.Name, err)
		}
		if err := c.FillClear(row, b); err != nil {
			return fmt.Errorf("read %s: decode column %s: %w", t.Name, c.Name, err)
		}
	}
	return nil
}

func (tx *Tx) open(t *table.Shape, c *Column, subject ids.Subject, key, sealed []byte) ([]byte, error) {
	where := tx.place(t, c, key)
	if c.Class != column.Personal {
		return tx.openOwn(sealed, where)
	}
	k, err := tx.v.keys.Subject(tx.ctx, tx.actor.is.Tenant, subject)
	if err != nil {
		return nil, err
	}
	return k.Open(sealed, where)
}

// openOwn opens what is the tenant's own, also if another process has rotated the keys since ours were read.
func (tx *Tx) openOwn(sealed, where []byte) ([]byte, error) {
	b, err := tx.keys.Open(sealed, where)
	if !errors.Is(err, keyring.ErrNoKey) {
		return b, err
	}
	tx.v.keys.Forget(tx.actor.is.Tenant)
	if tx.keys, err = tx.v.keys.Tenant(tx.ctx, tx.actor.is.Tenant); err != nil {
		return nil, err
	}
	return tx.keys.Open(sealed, where)
}

// hold keeps what a changing transaction read as it is until it ends, where several of them run at once.
func (tx *Tx) hold(query string) string {
	if tx.readonly || tx.v.engine.Lanes() == 1 {
		return query
	}
	return table.WithTail(query, " FOR UPDATE")
}
