// Package record keeps what people have asked for: who is meant, how far it is, by when it is due, and who decided it.
//
// A request outlives what was asked for, to show that it was done; so it names people by identifier only. What was typed in
// lies apart, in Words, under a key that goes once the request has been answered. How a request is carried out is the
// business of package rights.
package record

import (
	"slices"
	"time"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	legal "aver/trust/holds"
	"aver/trust/rights/settings"
	"aver/trust/rights/state"
	"aver/vault"
)

// dsr is what the events call a request of a data subject.
type dsr struct{}

func (dsr) Prefix() string { return "req" }

// ID names a request.
type ID = ids.Of[dsr]

// NewID draws one.
func NewID(now time.Time) ID { return ids.New[dsr](now) }

// ParseID reads one.
func ParseID(text string) (ID, error) { return ids.Parse[dsr](text) }

// Via is where it was asked.
type Via string

// The places.
const (
	Portal  Via = "portal"
	Widget  Via = "widget"
	Console Via = "console"
)

// Request is what somebody wants done with their data. It names people by identifier only: it must outlive an erasure
// to show that it was done, so nothing in it may tell who that was.
type Request struct {
	ID          ID             `vault:"id,key"`
	Kind        state.Kind     `vault:"kind,state"`
	Regime      string         `vault:"regime,state"` // of package deadline: under which law it is answered
	State       state.State    `vault:"state,state"`
	Via         Via            `vault:"via,state"`
	Contact     ids.Contact    `vault:"contact,state"` // the first of People; zero when nobody has the address
	People      []ids.Contact  `vault:"people,tenant:user.unique_id"`
	Asker       ids.Subject    `vault:"asker,state"`  // whose key seals the Words; zero when there are none
	Passed      bool           `vault:"passed,state"` // about nobody who is known here: the tenant must answer it
	Language    string         `vault:"language,state"`
	Code        personal.Bytes `vault:"code,secret"`    // SHA-256 of the request's id and the mailed code
	Session     personal.Bytes `vault:"session,secret"` // SHA-256 of the cookie of the browser that asked
	Address     personal.Bytes `vault:"address,secret"` // SHA-256 of the request's id and the typed address, while that is still to be proved
	Tries       int            `vault:"tries,state"`
	AskedAt     time.Time      `vault:"asked_at,state"`
	CodeUntil   time.Time      `vault:"code_until,state"`
	ProvedAt    time.Time      `vault:"proved_at,state"`
	ConfirmBy   time.Time      `vault:"confirm_by,state"` // where the law wants receipt confirmed
	ConfirmedAt time.Time      `vault:"confirmed_at,state"`
	DueAt       time.Time      `vault:"due_at,state"`   // as promised, or as extended
	LegalAt     time.Time      `vault:"legal_at,state"` // as the law has it, or as extended
	AlarmAt     time.Time      `vault:"alarm_at,state"`
	AlarmedAt   time.Time      `vault:"alarmed_at,state"`
	Delay       state.Delay    `vault:"delay,state"` // why it takes longer; it does once the person was told
	ExtendedAt  time.Time      `vault:"extended_at,state"`
	EndedAt     time.Time      `vault:"ended_at,state,keep"`        // an open request is never too old
	Reason      state.Reason   `vault:"reason,state"`               // of a denial
	DecidedBy   ids.User       `vault:"decided_by,state"`           // who decided it, or else
	Policy      state.Policy   `vault:"policy,state"`               // by what it was decided beforehand
	File        ids.Object     `vault:"file,state"`                 // the archive, until it is removed
	Entry       int64          `vault:"entry,state"`                // the erasure's entry in the tenant's log
	Kept        []legal.Kept   `vault:"kept,tenant:tenant.content"` // what an erasure spared, by class and ground
}

// Requests lists them. California wants them kept for 24 months at least (11 CCR § 7101).
var Requests = vault.Define[Request]("rights_requests", vault.Purpose("answering people's requests in time and being able to show it"), vault.KeepFor(732*24*time.Hour))

// Words are what was typed with a request, and what was answered: the only part of it that tells who it was. They lie
// under the person's own key or, when nobody has proved to be that person, under one that was made for this request alone.
type Words struct {
	Request ID            `vault:"request,key"`
	Asker   ids.Subject   `vault:"asker,subject"`
	Address personal.Text `vault:"address,personal:user.contact.email,lookup"` // as typed; empty when the contact has it
	Text    personal.Text `vault:"text,personal:user.content"`
	Answer  personal.Text `vault:"answer,personal:user.content"`
}

// Typed lists the words.
var Typed = vault.Define[Words]("rights_words", vault.Purpose("answering people's requests"), vault.KeepWhile("until 30 days after the answer, then their key is destroyed"))

// KeepWords is how long after the answer what was typed stays.
const KeepWords = 30 * 24 * time.Hour

// Wish is what somebody wants, as they put it.
type Wish struct {
	Kind     state.Kind
	Regime   string // of package deadline; the workspace's own when empty
	Email    string // on the public page: the address to be proved
	Text     string
	Language string // of the letters
}

// Begin makes a request of a wish, with its days. What it is called follows from the law under which it is answered.
func Begin(tx *vault.Tx, w Wish, via Via) (Request, error) {
	set, err := settings.In(tx)
	if err != nil {
		return Request{}, err
	}
	if w.Regime == "" {
		w.Regime = set.Regime
	}
	switch {
	case !w.Kind.Known():
		return Request{}, errs.New(errs.Invalid, "Choose what you would like.", errs.Field{Field: "kind", Code: "required", Message: "Choose one."})
	case !slices.Contains(state.Regimes, w.Regime):
		return Request{}, errs.New(errs.Invalid, "This law is not known here.", errs.Field{Field: "regime", Code: "unknown", Message: "Choose one of those there are."})
	}
	r := Request{ID: NewID(tx.Now()), Kind: w.Kind.Under(w.Regime), Regime: w.Regime, Via: via, Language: w.Language, AskedAt: tx.Now()}
	law, err := deadline.Of(r.Kind.Clock(r.Regime), r.AskedAt)
	if err != nil {
		return Request{}, err
	}
	due := law.Due(r.AskedAt, deadline.PlaceOf(set.Place), 0)
	r.DueAt, r.LegalAt, r.AlarmAt, r.ConfirmBy = due.Promised, due.Legal, due.Alarm, due.Confirm
	return r, state.CheckWords(w.Text)
}

// Decided writes down by whom the request was decided: a person, by name, or what was decided beforehand for a case like
// this (GDPR Art. 22: nobody is turned down by a program that thought of it by itself).
func (r *Request) Decided(actor vault.Actor) {
	r.DecidedBy, r.Policy = actor.User(), ""
	if r.DecidedBy.IsZero() {
		r.Policy = state.OwnRequest
	}
	if actor.Kind() == vault.AsKey {
		r.Policy = state.Program
	}
}

// End moves the request to a state in which it is over; nothing proves it any more.
func (r *Request) End(next state.State, at time.Time) error {
	if err := r.State.Move(next); err != nil {
		return err
	}
	r.EndedAt, r.Code, r.Address = at, Nothing, Nothing
	return nil
}

// Drop ends a request by what was decided beforehand.
func (r *Request) Drop(next state.State, why state.Reason, by state.Policy, at time.Time) error {
	r.Reason, r.Policy, r.DecidedBy = why, by, ids.User{}
	return r.End(next, at)
}

// Waits tells whether a request waits for the tenant or for Aver, rather than for the person.
func (r Request) Waits() bool { return r.State == state.Open || r.State == state.Running }

// Late tells whether somebody waits for an answer that was promised by now.
func (r Request) Late(now time.Time) bool { return r.Waits() && now.After(r.DueAt) }

// Due counts a request's days once more.
func (r Request) Due(tx *vault.Tx) (deadline.Due, error) {
	set, err := settings.In(tx)
	if err != nil {
		return deadline.Due{}, err
	}
	law, err := deadline.Of(r.Kind.Clock(r.Regime), r.AskedAt)
	if err != nil {
		return deadline.Due{}, err
	}
	var proving time.Duration
	if !r.ProvedAt.IsZero() {
		proving = r.ProvedAt.Sub(r.AskedAt)
	}
	return law.Due(r.AskedAt, deadline.PlaceOf(set.Place), proving), nil
}

// Nothing cannot be matched by any code or address.
var Nothing = personal.OfBytes(nil)
