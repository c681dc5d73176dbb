// Package personal holds what is about a person in a type that will not print, log or marshal itself.
//
// Code that truly needs the words says Reveal, which is easy to find in a review.
package personal

import (
	"errors"
	"log/slog"
)

const mask = "[personal]"

// ErrMarshal is returned by every encoder that meets personal data unrevealed.
var ErrMarshal = errors.New("personal data does not marshal itself: call Reveal where it is meant to leave")

// Text is words about a person or from one. The zero value is the empty text.
type Text struct{ s string }

// Of takes words in.
func Of(s string) Text { return Text{s} }

// Reveal gives the words out.
func (t Text) Reveal() string { return t.s }

// IsZero tells whether there are no words.
func (t Text) IsZero() bool { return t.s == "" }

// Len is the length in bytes.
func (t Text) Len() int { return len(t.s) }

func (t Text) String() string               { return mask }
func (t Text) GoString() string             { return mask }
func (t Text) LogValue() slog.Value         { return slog.StringValue(mask) }
func (t Text) MarshalText() ([]byte, error) { return nil, ErrMarshal }
func (t Text) MarshalJSON() ([]byte, error) { return nil, ErrMarshal }

// Bytes is a file, a picture or a structured value about a person.
type Bytes struct{ b []byte }

// OfBytes takes bytes in; the caller gives them up.
func OfBytes(b []byte) Bytes { return Bytes{b} }

// Reveal gives the bytes out; they are shared, not copied.
func (t Bytes) Reveal() []byte { return t.b }

// IsZero tells whether there are no bytes.
func (t Bytes) IsZero() bool { return len(t.b) == 0 }

func (t Bytes) String() string               { return mask }
func (t Bytes) GoString() string             { return mask }
func (t Bytes) LogValue() slog.Value         { return slog.StringValue(mask) }
func (t Bytes) MarshalText() ([]byte, error) { return nil, ErrMarshal }
func (t Bytes) MarshalJSON() ([]byte, error) { return nil, ErrMarshal }
