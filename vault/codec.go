package vault

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"aver/base/aead"
	"aver/base/ids"
	"aver/vault/column"
	"aver/vault/keyring"
	"aver/vault/purpose"
)

// encode turns a row into the values of its columns, sealed where the class says so, in the order of statements.columns.
func (tx *Tx) encode(t *table, row reflect.Value) (values []any, key []byte, err error) {
	keys := make([]any, len(t.keys))
	for i, k := range t.keys {
		c := &t.columns[k]
		keys[i] = c.Plain(row)
		if keys[i] == nil || keys[i] == "" {
			return nil, nil, fmt.Errorf("store %s: key column %s is empty", t.name, c.Name)
		}
	}
	key = column.KeyBytes(keys)
	subject := t.subjectOf(row)
	if err := tx.alive(t, subject); err != nil {
		return nil, nil, err
	}
	values = make([]any, 0, len(t.columns)+4)
	for i := range t.columns {
		c := &t.columns[i]
		if values, err = tx.encodeColumn(values, t, c, row, subject, key); err != nil {
			return nil, nil, err
		}
	}
	return values, key, nil
}

// encodeColumn appends what is stored of a column's value: as it is, or sealed and with its blind index if it has one.
func (tx *Tx) encodeColumn(to []any, t *table, c *Column, row reflect.Value, subject ids.Subject, key []byte) ([]any, error) {
	if !c.Sealed {
		return append(to, c.Plain(row)), nil
	}
	b, err := c.Clear(row)
	if err != nil {
		return nil, fmt.Errorf("store %s: encode column %s: %w", t.name, c.Name, err)
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

func (t *table) subjectOf(row reflect.Value) ids.Subject {
	if t.subject < 0 {
		return ids.Subject{}
	}
	return t.columns[t.subject].Of(row).Interface().(ids.Subject)
}

func (tx *Tx) place(t *table, c *Column, key []byte) []byte {
	tenant := tx.actor.is.Tenant
	return aead.Place(tenant[:], []byte(t.name), key, []byte(c.Name))
}

func (tx *Tx) blind(t *table, c *Column, b []byte) any {
	if b == nil {
		return nil
	}
	return aead.BlindIndex(tx.keys.Blind(t.name+"."+c.Name), c.Normal(b), 16)
}

func (tx *Tx) seal(t *table, c *Column, subject ids.Subject, key, b []byte) (any, error) {
	if b == nil {
		return nil, nil
	}
	where := tx.place(t, c, key)
	if c.Class != column.Personal {
		return tx.keys.Seal().Seal(nil, b, where), nil
	}
	if subject.IsZero() {
		return nil, fmt.Errorf("store %s: column %s is personal and the row names no person", t.name, c.Name)
	}
	k, err := tx.v.keys.Subject(tx.ctx, tx.actor.is.Tenant, subject)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", t.name, erasedError(err))
	}
	return k.Seal(make([]byte, 0, len(b)+aead.Overhead), b, where), nil
}

// alive refuses a row about somebody who was erased, also where nothing in it is sealed for them. Most answers come from
// memory, where sealing finds the key too.
func (tx *Tx) alive(t *table, subject ids.Subject) error {
	if subject.IsZero() {
		return nil
	}
	_, err := tx.v.keys.Subject(tx.ctx, tx.actor.is.Tenant, subject)
	if err == nil || errors.Is(err, keyring.ErrNoKey) {
		return nil
	}
	return fmt.Errorf("store %s: %w", t.name, erasedError(err))
}

// decode fills a row from stored values. Columns of a person whose key is destroyed come back empty.
func (tx *Tx) decode(t *table, values []any, row reflect.Value) error {
	keys := make([]any, 0, len(t.keys))
	for i := range t.columns {
		c := &t.columns[i]
		if c.Sealed {
			continue
		}
		if err := c.Fill(row, values[i]); err != nil {
			return fmt.Errorf("read %s: column %s: %w", t.name, c.Name, err)
		}
	}
	for _, k := range t.keys {
		keys = append(keys, values[k])
	}
	key, subject := column.KeyBytes(keys), t.subjectOf(row)
	for i := range t.columns {
		c := &t.columns[i]
		sealed, _ := values[i].([]byte)
		if !c.Sealed || sealed == nil {
			continue
		}
		b, err := tx.open(t, c, subject, key, sealed)
		if errors.Is(err, keyring.ErrErased) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: column %s: %w", t.name, c.Name, err)
		}
		if err := c.FillClear(row, b); err != nil {
			return fmt.Errorf("read %s: decode column %s: %w", t.name, c.Name, err)
		}
	}
	return nil
}

func (tx *Tx) open(t *table, c *Column, subject ids.Subject, key, sealed []byte) ([]byte, error) {
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

// statements is a table's SQL, written once.
type statements struct {
	columns int // how many values encode gives
	insert  string
	upsert  string
	get     string
	find    string // up to WHERE
	count   string // up to WHERE
	key     string // the names of the key columns
	keys    string // key columns, up to WHERE
	delete  string
	remove  string // of rows that a tail selects, up to the WHERE of the selection
	erase   string // some of several people's rows
	tenant  bool
}

// render writes a table's statements. Where the purpose is guarded, a row that may not be seen is none for all of them but
// get, which reads whether it may be.
func render(t *table, tenant bool, mode purpose.Mode) *statements {
	var names, keys, reads []string
	for i := range t.columns {
		c := &t.columns[i]
		names, reads = append(names, c.Name), append(reads, c.Name)
		if c.Lookup {
			names = append(names, c.Blind())
		}
	}
	for _, k := range t.keys {
		keys = append(keys, t.columns[k].Name)
	}
	s := &statements{columns: len(names), tenant: tenant, key: strings.Join(keys, ", ")}
	from, mine, target := t.name, "", s.key
	all := names
	if tenant {
		from, mine = "(SELECT * FROM "+t.name+" WHERE tenant_id = ?) AS "+t.name, "tenant_id = ? AND "
		target = "tenant_id, " + target
		all = append([]string{"tenant_id"}, names...)
	}
	var sets []string
	for _, n := range names {
		sets = append(sets, n+" = excluded."+n)
	}
	byKey := strings.Join(keys, " = ? AND ") + " = ?"
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(all)), ", ")
	s.insert = "INSERT INTO " + t.name + " (" + strings.Join(all, ", ") + ") VALUES (" + marks + ")"
	s.upsert = s.insert + " ON CONFLICT (" + target + ") DO UPDATE SET " + strings.Join(sets, ", ")
	also, told := "", ""
	if t.subject >= 0 && mode.Reads() {
		may := mode.Reading(t.name+"."+t.columns[t.subject].Name, tenant)
		from, also, told = "(SELECT * FROM "+t.name+" WHERE "+mine+may+") AS "+t.name, " AND "+may, ", "+may
	}
	s.find = "SELECT " + strings.Join(reads, ", ") + " FROM " + from + " WHERE "
	s.get = "SELECT " + strings.Join(reads, ", ") + told + " FROM " + t.name + " WHERE " + mine + byKey
	s.count = "SELECT count(*) FROM " + from + " WHERE "
	s.keys = "SELECT " + s.key + " FROM " + from + " WHERE "
	s.delete = "DELETE FROM " + t.name + " WHERE " + mine + byKey + also
	s.remove = "DELETE FROM " + t.name + " WHERE " + mine + "(" + s.key + ") IN (" + s.keys
	if t.subject >= 0 {
		some := "SELECT " + s.key + " FROM " + t.name + " WHERE " + mine + among(t.columns[t.subject].Name) + " LIMIT ?"
		s.erase = "DELETE FROM " + t.name + " WHERE (" + s.key + ") IN (" + some + ")"
	}
	return s
}

// valuesAtOnce is how many values one statement compares a column with.
const valuesAtOnce = 500

// among is the condition that a column has one of these values.
func among(column string) string {
	return column + " IN (?" + strings.Repeat(", ?", valuesAtOnce-1) + ")"
}

// padded are the values for it; what is too few is filled up with the last.
func padded[T ~[16]byte](values []T) []any {
	args := make([]any, valuesAtOnce)
	for i := range args {
		args[i] = values[min(i, len(values)-1)][:]
	}
	return args
}

// own puts the tenant in front of a statement's values where the engine's rows carry it.
func (s *statements) own(tenant ids.Tenant, args []any) []any {
	if !s.tenant {
		return args
	}
	return append([]any{tenant[:]}, args...)
}

// hold keeps what a changing transaction read as it is until it ends, where several of them run at once.
func (tx *Tx) hold(query string) string {
	if tx.readonly || tx.v.engine.Lanes() == 1 {
		return query
	}
	return withTail(query, " FOR UPDATE")
}
