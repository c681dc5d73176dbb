// Package ids makes identifiers that are random, sort by the time they were made, and say nothing about a person.
//
// An identifier has a kind: a Contact and a Conversation are different types although both are sixteen bytes, so
// that one cannot be handed over in place of the other. In text an identifier is its kind's prefix, an underscore
// and 26 letters of Crockford's base32 (con_01jd…).
package ids

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"time"
)

// ErrMalformed is returned for text that is not an identifier of the kind asked for. It does not repeat the text.
var ErrMalformed = errors.New("malformed identifier")

var alphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Kind is implemented by the empty types that tell identifiers apart.
type Kind interface{ Prefix() string }

// Of is an identifier of one kind: 48 bits of Unix milliseconds, then 80 random bits (the layout of RFC 9562
// UUID version 7). The zero value means "none".
type Of[K Kind] [16]byte

// New makes an identifier for the given moment.
func New[K Kind](now time.Time) Of[K] {
	var id Of[K]
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16)
	if _, err := rand.Read(id[6:]); err != nil {
		panic("ids: no randomness: " + err.Error()) // never happens on Go 1.24+: crypto/rand aborts the process itself
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Parse reads the text form and refuses another kind's prefix.
func Parse[K Kind](s string) (Of[K], error) {
	var id Of[K]
	var kind K
	body, found := strings.CutPrefix(s, kind.Prefix()+"_")
	if !found || len(body) != 26 {
		return Of[K]{}, ErrMalformed
	}
	raw, err := alphabet.DecodeString(body)
	if err != nil || len(raw) != 16 {
		return Of[K]{}, ErrMalformed
	}
	copy(id[:], raw)
	if id.String() != s { // the last letter has two spare bits: only one spelling is accepted
		return Of[K]{}, ErrMalformed
	}
	return id, nil
}

// IsZero tells whether the identifier names nothing.
func (id Of[K]) IsZero() bool { return id == Of[K]{} }

// Bytes returns the stored form, sixteen bytes.
func (id Of[K]) Bytes() []byte { return id[:] }

// String returns the text form; the zero identifier is the empty string.
func (id Of[K]) String() string {
	if id.IsZero() {
		return ""
	}
	var kind K
	return kind.Prefix() + "_" + alphabet.EncodeToString(id[:])
}

// Reference names what kind of thing the identifier refers to ("contact"), as the API's description calls it: the name
// of the kind's type.
func (id Of[K]) Reference() string { return reflect.TypeFor[K]().Name() }

// Prefix is what the text form starts with, without the underscore.
func (id Of[K]) Prefix() string {
	var kind K
	return kind.Prefix()
}

// MarshalText makes an identifier readable in JSON and in logs.
func (id Of[K]) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText accepts the text form, and the empty string as the zero identifier.
func (id *Of[K]) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = Of[K]{}
		return nil
	}
	parsed, err := Parse[K](string(b))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Value stores the identifier as bytes wherever database/sql is used.
func (id Of[K]) Value() (driver.Value, error) { return id[:], nil }
