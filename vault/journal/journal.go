// Package journal writes down what was done: the entry of a change, as bytes that are at once a leaf of the tenant's
// audit log and an item of its outbox.
//
// An entry holds identifiers, names of actions and a commitment to the rows written. It never holds personal data, so
// that an erasure need not touch the log.
package journal

import (
	"encoding/binary"
	"errors"
	"time"

	"aver/base/ids"
)

// Outcome tells how an attempt ended.
type Outcome uint8

// The outcomes.
const (
	Done   Outcome = 1
	Denied Outcome = 2
)

// Op is what happened to a row.
type Op uint8

// The operations.
const (
	Added   Op = 'a'
	Put     Op = 'p'
	Deleted Op = 'd'
	Swept   Op = 's' // several rows at once; the key is their number
	Read    Op = 'r'
)

// Ref names a row that was touched.
type Ref struct {
	Table string
	Key   []byte // the primary key's parts, each preceded by one byte of length
	Op    Op
}

// Event is news for followers: names and numbers only.
type Event struct {
	Kind    string      // dotted: message.created
	Object  string      // identifier in its text form
	Subject ids.Subject // whom it concerns, if anyone
	N       int64       // a number that belongs to the kind: a sequence, a count
}

// Entry is one thing done, or refused.
type Entry struct {
	Index     int64
	At        time.Time
	Outcome   Outcome
	ActorKind uint8
	Actor     [16]byte
	ActorName string // which part of the system, when the system acts
	Action    string
	Subject   ids.Subject
	Commit    [32]byte // SHA-256 over the sealed rows as written
	Touched   []Ref
	Events    []Event
}

// MaxTouched is how many rows an entry names; further ones are still part of the commitment.
const MaxTouched = 32

// ErrMalformed says that bytes are not an entry.
var ErrMalformed = errors.New("malformed journal entry")

// Append encodes the entry: index and time first, as base/tlog expects, then fields with lengths before them.
func (e *Entry) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.Index))
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.At.UnixMicro()))
	dst = append(dst, byte(e.Outcome), e.ActorKind)
	dst = append(dst, e.Actor[:]...)
	dst = append(dst, e.Subject[:]...)
	dst = append(dst, e.Commit[:]...)
	dst = appendString(dst, e.ActorName)
	dst = appendString(dst, e.Action)
	dst = append(dst, byte(len(e.Touched)))
	for _, t := range e.Touched {
		dst = append(appendString(dst, t.Table), byte(t.Op))
		dst = appendString(dst, string(t.Key))
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(e.Events)))
	for _, ev := range e.Events {
		dst = appendString(appendString(dst, ev.Kind), ev.Object)
		dst = append(dst, ev.Subject[:]...)
		dst = binary.BigEndian.AppendUint64(dst, uint64(ev.N))
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	s = s[:min(len(s), 255)]
	return append(append(dst, byte(len(s))), s...)
}

// reader takes fields off the front and remembers the first failure.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) int() int64     { return int64(binary.BigEndian.Uint64(r.take(8))) }
func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) string() string { return string(r.take(int(r.byte()))) }

// Parse decodes an entry and refuses bytes that Append would not have written.
func Parse(b []byte) (Entry, error) {
	r := &reader{b: b}
	e := Entry{Index: r.int(), At: time.UnixMicro(r.int()).UTC(), Outcome: Outcome(r.byte()), ActorKind: r.byte()}
	copy(e.Actor[:], r.take(16))
	copy(e.Subject[:], r.take(16))
	copy(e.Commit[:], r.take(32))
	e.ActorName, e.Action = r.string(), r.string()
	for range int(r.byte()) {
		e.Touched = append(e.Touched, Ref{Table: r.string(), Op: Op(r.byte()), Key: []byte(r.string())})
		if r.bad {
			return Entry{}, ErrMalformed
		}
	}
	for range int(r.uint16()) {
		ev := Event{Kind: r.string(), Object: r.string()}
		copy(ev.Subject[:], r.take(16))
		ev.N = r.int()
		e.Events = append(e.Events, ev)
		if r.bad {
			return Entry{}, ErrMalformed
		}
	}
	if r.bad || len(r.b) != 0 {
		return Entry{}, ErrMalformed
	}
	return e, nil
}

// AppendChunk adds an entry to a chunk: two bytes of length, then the entry (the bundle format of C2SP tlog-tiles).
func AppendChunk(chunk, entry []byte) []byte {
	chunk = binary.BigEndian.AppendUint16(chunk, uint16(len(entry)))
	return append(chunk, entry...)
}

// Chunk calls each for every entry of a chunk, in order. The bytes are shared with the chunk.
func Chunk(chunk []byte, each func(entry []byte) error) error {
	for len(chunk) > 0 {
		if len(chunk) < 2 {
			return ErrMalformed
		}
		n := int(binary.BigEndian.Uint16(chunk))
		if len(chunk) < 2+n {
			return ErrMalformed
		}
		if err := each(chunk[2 : 2+n]); err != nil {
			return err
		}
		chunk = chunk[2+n:]
	}
	return nil
}
