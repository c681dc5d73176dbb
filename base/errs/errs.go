// Package errs names the few ways a request can go wrong, each with words that are safe for the caller.
//
// An error made here says what happened, what was kept and what to do, and never carries personal data. Anything
// else that fails inside Aver is wrapped with what was being done and reaches the caller as Internal, without its text.
package errs

import (
	"errors"
	"fmt"
)

// Kind is a meaning that callers may act on. One table in edge turns it into a status and an RFC 9457 type.
type Kind string

// The meanings. A foreign identifier is NotFound, never Forbidden: the answer must equal that for one that does not exist.
const (
	Invalid         Kind = "invalid"          // the request is malformed or fails a rule; see Fields
	Unauthenticated Kind = "unauthenticated"  // nobody proved who calls
	Forbidden       Kind = "forbidden"        // the caller is known and may not do this
	NotFound        Kind = "not-found"        // no such thing, as far as this caller can know
	Conflict        Kind = "conflict"         // it exists already, or changed meanwhile
	TooLarge        Kind = "too-large"        // over a stated limit
	TooMany         Kind = "too-many"         // over a rate; see RetryAfter
	Gone            Kind = "gone"             // it was erased and will not come back
	ConsentRequired Kind = "consent-required" // the person has not agreed to this yet
	Misdirected     Kind = "misdirected"      // it is kept and served elsewhere; see Region
	Restricted      Kind = "restricted"       // the person objected, or had the processing restricted
	NoSpace         Kind = "no-space"         // the disk is full; nothing was changed
	Unavailable     Kind = "unavailable"      // a part that is needed is away; try again
	Away            Kind = "away"             // a relay does not reach the region; whether the request did is not known
	Internal        Kind = "internal"         // our fault
)

// Field is one refused part of a request.
type Field struct {
	Field   string `json:"field"`   // a JSON path or form name, never a value
	Code    string `json:"code"`    // for programs: required, too-long, unknown, …
	Message string `json:"message"` // for people
}

// Error is a meaning with words for the caller.
type Error struct {
	Kind       Kind
	Message    string  // one sentence, safe to show
	Fields     []Field // which parts were refused
	RetryAfter int     // seconds, with TooMany and Unavailable
	Region     string  // where it is, with Misdirected
	cause      error
}

// New makes an error with words for the caller.
func New(kind Kind, message string, fields ...Field) *Error {
	return &Error{Kind: kind, Message: message, Fields: fields}
}

// Because attaches the inner error for the log; the caller never sees it.
func (e *Error) Because(cause error) *Error {
	out := *e
	out.cause = cause
	return &out
}

func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Kind, e.Message, e.cause)
	}
	return string(e.Kind) + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.cause }

// Of returns the meaning of an error; an error without one is Internal, and nil is the empty Kind.
func Of(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is tells whether the error has this meaning.
func Is(err error, kind Kind) bool { return err != nil && Of(err) == kind }
