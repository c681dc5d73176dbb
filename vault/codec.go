package vault

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"aver/base/aead"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault/keyring"
)

// form is how a Go value becomes a stored one.
type form uint8

const (
	formID form = iota + 1
	formSubject
	formTime
	formInt
	formBool
	formString
	formText
	formBytes
	formRaw
	formJSON
)

var errForm = errors.New("type cannot be stored")

func formOf(t reflect.Type) (form, error) {
	switch {
	case t == typeSubj:
		return formSubject, nil
	case t == typeText:
		return formText, nil
	case t == typeBytes:
		return formBytes, nil
	case t == typeTime:
		return formTime, nil
	}
	switch t.Kind() {
	case reflect.Array:
		if t.Len() == 16 && t.Elem().Kind() == reflect.Uint8 {
			return formID, nil
		}
	case reflect.Int, reflect.Int64, reflect.Int32:
		return formInt, nil
	case reflect.Bool:
		return formBool, nil
	case reflect.String:
		return formString, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return formRaw, nil
		}
	}
	return 0, fmt.Errorf("%s: %w", t, errForm)
}

// plain turns a field into the engine's value. Zero identifiers and times are NULL.
func plain(v reflect.Value, f form) any {
	switch f {
	case formID, formSubject:
		if v.IsZero() {
			return nil
		}
		out := make([]byte, 16)
		reflect.Copy(reflect.ValueOf(out), v)
		return out
	case formTime:
		t := v.Interface().(time.Time)
		if t.IsZero() {
			return nil
		}
		return t.UnixMicro()
	case formInt:
		return v.Int()
	case formBool:
		return v.Bool()
	default:
		return v.String()
	}
}

// clear gives the bytes that are to be sealed; nil for an empty value, which is stored as NULL.
func clearBytes(v reflect.Value, f form) ([]byte, error) {
	switch f {
	case formText:
		if s := v.Interface().(personal.Text).Reveal(); s != "" {
			return []byte(s), nil
		}
		return nil, nil
	case formBytes:
		return v.Interface().(personal.Bytes).Reveal(), nil
	case formString:
		if s := v.String(); s != "" {
			return []byte(s), nil
		}
		return nil, nil
	case formRaw:
		return v.Bytes(), nil
	default:
		if v.IsZero() {
			return nil, nil
		}
		return json.Marshal(v.Interface())
	}
}

// fill is the reverse of plain.
func fill(v reflect.Value, f form, stored any) error {
	if stored == nil {
		v.SetZero()
		return nil
	}
	switch f {
	case formID, formSubject:
		b, ok := stored.([]byte)
		if !ok || len(b) != 16 {
			return ids.ErrMalformed
		}
		reflect.Copy(v, reflect.ValueOf(b))
	case formTime:
		v.Set(reflect.ValueOf(time.UnixMicro(stored.(int64)).UTC()))
	case formInt:
		v.SetInt(stored.(int64))
	case formBool:
		switch b := stored.(type) {
		case bool:
			v.SetBool(b)
		case int64:
			v.SetBool(b != 0)
		}
	default:
		v.SetString(stored.(string))
	}
	return nil
}

// fillClear is the reverse of clearBytes.
func fillClear(v reflect.Value, f form, b []byte) error {
	switch f {
	case formText:
		v.Set(reflect.ValueOf(personal.Of(string(b))))
	case formBytes:
		v.Set(reflect.ValueOf(personal.OfBytes(b)))
	case formString:
		v.SetString(string(b))
	case formRaw:
		v.SetBytes(b)
	default:
		return json.Unmarshal(b, v.Addr().Interface())
	}
	return nil
}

// argument turns a value of a tail (WHERE …) into the engine's.
func argument(a any) any {
	switch v := a.(type) {
	case nil, int64, bool, string, []byte, float64:
		return v
	case time.Time:
		return v.UnixMicro()
	}
	v := reflect.ValueOf(a)
	f, err := formOf(v.Type())
	if err != nil || f == formText || f == formBytes || f == formRaw {
		panic(fmt.Sprintf("vault: a %T cannot be compared in a query", a)) // a mistake of the caller's source text, found by its first test
	}
	return plain(v, f)
}

func arguments(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = argument(a)
	}
	return out
}

// keyBytes encodes the primary key for journal entries and for sealing: unambiguous, the same on both databases.
func keyBytes(parts []any) []byte {
	out := make([]byte, 0, 48)
	for _, p := range parts {
		var b []byte
		switch v := p.(type) {
		case []byte:
			b = v
		case int64:
			b = binary.BigEndian.AppendUint64(nil, uint64(v))
		case string:
			b = []byte(v)
		}
		out = append(append(out, byte(len(b))), b...)
	}
	return out
}

// normal is how text is compared by a blind index: without surrounding space, in lower case, unless the column is exact.
func (c *Column) normal(b []byte) []byte {
	if c.Exact {
		return b
	}
	return []byte(strings.ToLower(strings.TrimSpace(string(b))))
}

// encode turns a row into the values of its columns, sealed where the class says so, in the order of statements.columns.
func (tx *Tx) encode(t *table, row reflect.Value) (values []any, key []byte, err error) {
	keys := make([]any, len(t.keys))
	for i, k := range t.keys {
		c := &t.columns[k]
		keys[i] = plain(row.FieldByIndex(c.field), c.form)
		if keys[i] == nil || keys[i] == "" {
			return nil, nil, fmt.Errorf("store %s: key column %s is empty", t.name, c.Name)
		}
	}
	key = keyBytes(keys)
	subject := t.subjectOf(row)
	if err := tx.alive(t, subject); err != nil {
		return nil, nil, err
	}
	values = make([]any, 0, len(t.columns)+4)
	for i := range t.columns {
		c := &t.columns[i]
		if values, err = tx.encodeColumn(values, t, c, row.FieldByIndex(c.field), subject, key); err != nil {
			return nil, nil, err
		}
	}
	return values, key, nil
}

// encodeColumn appends what is stored of a column's value: as it is, or sealed and with its blind index if it has one.
func (tx *Tx) encodeColumn(to []any, t *table, c *Column, v reflect.Value, subject ids.Subject, key []byte) ([]any, error) {
	if !c.Sealed {
		return append(to, plain(v, c.form)), nil
	}
	b, err := clearBytes(v, c.form)
	if err != nil {
		return nil, fmt.Errorf("store %s: encode column %s: %w", t.name, c.Name, err)
	}
	sealed, err := tx.seal(t, c, subject, key, b)
	if err != nil {
		return nil, err
	}
	if to = append(to, sealed); c.blind != "" {
		to = append(to, tx.blind(t, c, b))
	}
	return to, nil
}

func (t *table) subjectOf(row reflect.Value) ids.Subject {
	if t.subject < 0 {
		return ids.Subject{}
	}
	return row.FieldByIndex(t.columns[t.subject].field).Interface().(ids.Subject)
}

func (tx *Tx) place(t *table, c *Column, key []byte) []byte {
	tenant := tx.actor.is.Tenant
	return aead.Place(tenant[:], []byte(t.name), key, []byte(c.Name))
}

func (tx *Tx) blind(t *table, c *Column, b []byte) any {
	if b == nil {
		return nil
	}
	return aead.BlindIndex(tx.keys.Blind(t.name+"."+c.Name), c.normal(b), 16)
}

func (tx *Tx) seal(t *table, c *Column, subject ids.Subject, key, b []byte) (any, error) {
	if b == nil {
		return nil, nil
	}
	where := tx.place(t, c, key)
	if c.isClass != classPersonal {
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
		if err := fill(row.FieldByIndex(c.field), c.form, values[i]); err != nil {
			return fmt.Errorf("read %s: column %s: %w", t.name, c.Name, err)
		}
	}
	for _, k := range t.keys {
		keys = append(keys, values[k])
	}
	key, subject := keyBytes(keys), t.subjectOf(row)
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
		if err := fillClear(row.FieldByIndex(c.field), c.form, b); err != nil {
			return fmt.Errorf("read %s: decode column %s: %w", t.name, c.Name, err)
		}
	}
	return nil
}

func (tx *Tx) open(t *table, c *Column, subject ids.Subject, key, sealed []byte) ([]byte, error) {
	where := tx.place(t, c, key)
	if c.isClass != classPersonal {
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
	erase   string // some of several people's rows
	tenant  bool
}

func render(t *table, tenant bool) statements {
	var names, keys, reads []string
	for i := range t.columns {
		c := &t.columns[i]
		names, reads = append(names, c.Name), append(reads, c.Name)
		if c.blind != "" {
			names = append(names, c.blind)
		}
	}
	for _, k := range t.keys {
		keys = append(keys, t.columns[k].Name)
	}
	s := statements{columns: len(names), tenant: tenant, key: strings.Join(keys, ", ")}
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
	s.find = "SELECT " + strings.Join(reads, ", ") + " FROM " + from + " WHERE "
	s.get = "SELECT " + strings.Join(reads, ", ") + " FROM " + t.name + " WHERE " + mine + byKey
	s.count = "SELECT count(*) FROM " + from + " WHERE "
	s.keys = "SELECT " + s.key + " FROM " + from + " WHERE "
	s.delete = "DELETE FROM " + t.name + " WHERE " + mine + byKey
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
