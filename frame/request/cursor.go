package request

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// ErrCursor is returned for text that is not a cursor. It does not repeat the text.
var ErrCursor = errors.New("malformed cursor")

// Cursor is the place in a list after which the next page starts: the time the list is ordered by, and the
// identifier that orders rows of the same time. It works as a query parameter of an API operation
// (starting_after). The zero Cursor is the start of the list. It holds no secret and grants nothing: what lies
// behind it is still read by the caller's own tenant and rights.
type Cursor[ID Identifier] struct {
	At time.Time // UTC, whole microseconds
	ID ID
}

// Identifier is any identifier of package ids.
type Identifier interface {
	~[16]byte
	Reference() string
}

// lastTime is the end of the year 9999, beyond which RFC 3339 cannot write a time.
const lastTime = 253402300799999999

// IsZero tells whether the list starts at its beginning.
func (c Cursor[ID]) IsZero() bool { return c.ID == *new(ID) }

// String is the text form; the zero Cursor is the empty string.
func (c Cursor[ID]) String() string {
	if c.IsZero() {
		return ""
	}
	id := [16]byte(c.ID)
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, 24), uint64(c.At.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(raw, id[:]...))
}

// MarshalText is for JSON.
func (c Cursor[ID]) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText accepts exactly what String writes.
func (c *Cursor[ID]) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Cursor[ID]{}
		return nil
	}
	var raw [24]byte
	if len(text) != base64.RawURLEncoding.EncodedLen(len(raw)) {
		return ErrCursor
	}
	if _, err := base64.RawURLEncoding.Decode(raw[:], text); err != nil {
		return ErrCursor
	}
	micros := binary.BigEndian.Uint64(raw[:8])
	read := Cursor[ID]{At: time.UnixMicro(int64(micros)).UTC(), ID: ID(raw[8:])}
	if micros > lastTime || read.String() != string(text) { // the decoder skips line feeds
		return ErrCursor
	}
	*c = read
	return nil
}

// Reference names what the cursor points at, for the API's description.
func (c Cursor[ID]) Reference() string { return c.ID.Reference() + "_cursor" }

// Cut cuts a list that was read with one row more than the limit, and tells where its next page starts: nowhere if that
// row is missing.
func Cut[T any, ID Identifier](list []T, limit int, place func(T) Cursor[ID]) ([]T, Cursor[ID]) {
	if len(list) <= limit {
		return list, Cursor[ID]{}
	}
	list = list[:limit]
	return list, place(list[limit-1])
}
