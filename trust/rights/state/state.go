// Package state says what people can ask for, how far a request is, where it can go from there and on what grounds it may
// be refused.
//
// The states and reasons are those of the Data Rights Protocol 1.0, extended to what the GDPR knows and that protocol does
// not: the confirmation of an erasure, and the grounds of Art. 12(5) and 17(3). Everything here is data and pure functions;
// what happens on the way from one state to another is the business of package rights.
package state

import (
	"slices"

	"aver/base/errs"
)

// State is how far a request is.
type State string

// The states.
const (
	Open       State = "open"       // somebody who works here must decide
	Verifying  State = "verifying"  // the person must prove who they are: in_progress, need_user_verification
	Confirming State = "confirming" // proved; an erasure waits for the person's last word
	Running    State = "running"    // being carried out: in_progress, expected
	Fulfilled  State = "fulfilled"
	Revoked    State = "revoked" // whoever asked took it back
	Expired    State = "expired" // nobody proved anything in time
	Denied     State = "denied"  // see Reason
)

// States lists them in the order of a request's life.
var States = []State{Open, Verifying, Confirming, Running, Fulfilled, Revoked, Expired, Denied}

// moves is where a request can go from each state. From a state that is not in it there is no way on.
var moves = map[State][]State{
	Open:       {Running, Fulfilled, Denied, Revoked},
	Verifying:  {Open, Confirming, Running, Fulfilled, Expired, Denied, Revoked},
	Confirming: {Running, Expired, Denied, Revoked},
	Running:    {Open, Fulfilled, Denied},
}

// Begins lists the states in which a request can begin.
var Begins = []State{Open, Verifying, Running}

// Begin is where a request goes on once it is proved who asked: an erasure waits for the person's last word, and for a correction
// somebody must look.
func Begin(k Kind) State {
	switch k.Deed() {
	case Erase:
		return Confirming
	case Amend:
		return Open
	}
	return Running
}

// Over tells whether the request has ended.
func (s State) Over() bool { return len(moves[s]) == 0 }

// May tells whether a request can go from here to there in one step.
func (s State) May(next State) bool { return slices.Contains(moves[s], next) }

// errMove names neither state: whoever sees it looks at the request, which does.
var errMove = errs.New(errs.Conflict, "The request is not in a state that allows this. Look at it again.")

// Move goes to the next state, or says why that is impossible.
func (s *State) Move(next State) error {
	if !s.May(next) {
		return errMove
	}
	*s = next
	return nil
}

// Protocol is the state in the words of the Data Rights Protocol: its status, and the reason that goes with it.
func (s State) Protocol() (status, reason string) {
	switch s {
	case Verifying:
		return "in_progress", "need_user_verification"
	case Confirming:
		return "in_progress", "need_user_confirmation"
	case Running:
		return "in_progress", "expected"
	}
	return string(s), ""
}

// Reason is why a request was denied.
type Reason string

// The reasons of the protocol, and of the GDPR.
const (
	Fraud      Reason = "suspected_fraud"
	Unverified Reason = "insuf_verification"
	NoMatch    Reason = "no_match"
	NotCovered Reason = "claim_not_covered"
	Elsewhere  Reason = "outside_jurisdiction"
	TooMany    Reason = "too_many_requests"
	Other      Reason = "other"
	Unfounded  Reason = "manifestly_unfounded" // GDPR Art. 12(5)
	Excessive  Reason = "excessive"            // GDPR Art. 12(5)
	Exempt     Reason = "exempt_17_3"          // GDPR Art. 17(3)
)

// Reasons lists those on which somebody who works here may deny a request of this kind.
func Reasons(k Kind) []Reason {
	out := []Reason{Fraud, Unverified, NoMatch, NotCovered, Elsewhere, TooMany, Unfounded, Excessive}
	if k.Deed() == Erase {
		out = append(out, Exempt)
	}
	return append(out, Other)
}

// CheckDenial refuses a reason that does not fit, and "other" without a word why.
func CheckDenial(k Kind, r Reason, words string) error {
	if !slices.Contains(Reasons(k), r) {
		return errs.New(errs.Invalid, "A request of this kind cannot be denied on this ground.", errs.Field{Field: "reason", Code: "unknown", Message: "Choose a ground."})
	}
	if r == Other && words == "" {
		return errs.New(errs.Invalid, "Say why.", errs.Field{Field: "words", Code: "required", Message: "The person must be told why."})
	}
	return CheckWords(words)
}

const longestWords = 4000 // bytes

// CheckWords refuses a text that is too long.
func CheckWords(words string) error {
	if len(words) > longestWords {
		return errs.New(errs.Invalid, "This is too long.", errs.Field{Field: "words", Code: "too-long", Message: "Use at most 4,000 bytes."})
	}
	return nil
}

// Delay is why the time for an answer was extended (GDPR Art. 12(3)).
type Delay string

// The reasons that the law knows.
const (
	Complex Delay = "complex"
	Many    Delay = "many"
)

// Delays lists them.
var Delays = []Delay{Complex, Many}

// Policy is a decision that was taken beforehand, for all cases of one sort. Whoever does not decide a request by hand
// decides it by one of these; there is no other way to an answer.
type Policy string

// The policies.
const (
	OwnRequest Policy = "own_request"        // who proved that the address, or the visit, is theirs gets what they asked for
	Unproved   Policy = "unproved"           // who did not prove it gets nothing
	Nobody     Policy = "nobody"             // a request about nobody who is here ends
	Harmless   Policy = "harmless"           // opting out takes no proof (11 CCR § 7026(d), § 7027(e))
	Program    Policy = "order_of_a_program" // a program of the tenant's ordered it, with a key that a person made
)

// Policies lists them.
var Policies = []Policy{OwnRequest, Unproved, Nobody, Harmless, Program}

// Proof is how somebody proves that a request is theirs.
type Proof string

// The ways.
const (
	Code   Proof = "code"   // mailed to the address on file, typed into the page that asked
	Link   Proof = "link"   // mailed to the address on file
	Signed Proof = "signed" // the tenant's site signed who it is
	Visit  Proof = "visit"  // the token of the chat's visitor
	Seen   Proof = "seen"   // somebody who works for the tenant has seen it
)
