package column

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"aver/base/cards"
	"aver/base/ids"
	"aver/base/personal"
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

var (
	typeText  = reflect.TypeFor[personal.Text]()
	typeBytes = reflect.TypeFor[personal.Bytes]()
	typeTime  = reflect.TypeFor[time.Time]()
	typeSubj  = reflect.TypeFor[ids.Subject]()
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

// Of is the column's field of a row.
func (c *Column) Of(row reflect.Value) reflect.Value { return row.FieldByIndex(c.field) }

// Plain turns the column's field of a row into the engine's value. Zero identifiers and times are NULL.
func (c *Column) Plain(row reflect.Value) any { return plain(c.Of(row), c.form) }

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

// Clear gives the bytes of the column's field that are to be sealed; nil for an empty value, which is stored as NULL.
func (c *Column) Clear(row reflect.Value) ([]byte, error) {
	v := c.Of(row)
	switch c.form {
	case formText:
		if s := v.Interface().(personal.Text).Reveal(); s != "" {
			return []byte(c.kept(s)), nil
		}
		return nil, nil
	case formBytes:
		return v.Interface().(personal.Bytes).Reveal(), nil
	case formString:
		if s := v.String(); s != "" {
			return []byte(c.kept(s)), nil
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

// kept is a text as it may be stored: what people write holds no card's number (promise rgt-10), also where a module
// forgot to mask it. Identifiers, addresses and settings would be others without their digits: those the modules refuse.
func (c *Column) kept(text string) string {
	if c.Class == Secret {
		return text
	}
	for _, exact := range []string{"user.unique_id", "user.contact", "user.device", "tenant.settings", "system"} {
		if strings.HasPrefix(c.Category, exact) {
			return text
		}
	}
	text, _ = cards.Mask(text)
	return text
}

// Same tells whether the column's field is the same in two rows of a table.
func (c *Column) Same(before, after reflect.Value) (bool, error) {
	was, is := c.Of(before), c.Of(after)
	switch {
	case c.Sealed:
		a, err1 := c.Clear(before)
		b, err2 := c.Clear(after)
		if err := errors.Join(err1, err2); err != nil {
			return false, fmt.Errorf("encode column %s: %w", c.Name, err)
		}
		return bytes.Equal(a, b), nil
	case c.form == formTime:
		return was.Interface().(time.Time).Equal(is.Interface().(time.Time)), nil
	default:
		return was.Equal(is), nil
	}
}

// Fill is the reverse of Plain.
func (c *Column) Fill(row reflect.Value, stored any) error {
	v := c.Of(row)
	if stored == nil {
		v.SetZero()
		return nil
	}
	switch c.form {
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

// FillClear is the reverse of Clear.
func (c *Column) FillClear(row reflect.Value, b []byte) error {
	v := c.Of(row)
	switch c.form {
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

// Arguments turns the values of a tail into the engine's.
func Arguments(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = argument(a)
	}
	return out
}

// KeyBytes encodes the primary key for journal entries and for sealing: unambiguous, the same on both databases.
func KeyBytes(parts []any) []byte {
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

// Normal is how text is compared by a blind index: without surrounding space, in lower case, unless the column is exact.
func (c *Column) Normal(b []byte) []byte {
	if c.Exact {
		return b
	}
	return []byte(strings.ToLower(strings.TrimSpace(string(b))))
}

// Show gives a plain stored value its meaning back.
func (c *Column) Show(stored any) any {
	switch v := stored.(type) {
	case []byte:
		v2 := ids.Object{}
		copy(v2[:], v)
		return c.idText(v2)
	case int64:
		switch c.form {
		case formTime:
			return time.UnixMicro(v).UTC()
		case formBool:
			return v != 0
		}
	}
	return stored
}

// idText writes an identifier with the prefix of its Go type.
func (c *Column) idText(raw [16]byte) string {
	v := reflect.New(c.goType).Elem()
	reflect.Copy(v, reflect.ValueOf(raw))
	if s, ok := v.Interface().(fmt.Stringer); ok {
		return s.String()
	}
	return ids.Object(raw).String()
}

// ShowClear gives an opened value its meaning back.
func (c *Column) ShowClear(b []byte) any {
	switch c.form {
	case formText, formString:
		return string(b)
	case formJSON:
		return json.RawMessage(b)
	default:
		return b
	}
}

// SplitKey undoes KeyBytes for the columns of a table's key.
func SplitKey(of []Column, key []byte) []any {
	var out []any
	for i := range of {
		n := int(key[0])
		part := key[1 : 1+n]
		key = key[1+n:]
		switch of[i].form {
		case formInt:
			out = append(out, int64(binary.BigEndian.Uint64(part)))
		case formString:
			out = append(out, string(part))
		default:
			out = append(out, part)
		}
	}
	return out
}
