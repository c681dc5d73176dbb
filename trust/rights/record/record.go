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
	"aver/trust/rights/proof"
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
func ParseID(text string) (ID, error) {
	return ids.Parse[dsr](text)
}

// Via is where it was asked.
type Via string

// The places.
const (
	Portal  Via = "portal"
	Widget  Via = "widget"
	Console Via = "console" // by somebody who works here, on their own
	Letter  Via = "letter"  // and from here on, by somebody who works here because they were asked
	Mail    Via = "mail"
	Phone   Via = "phone"
	Person  Via = "person"
)

// Brought lists the ways on which somebody who works here takes a request.
var Brought = []Via{Letter, Mail, Phone, Person}

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
	Codes       int            `vault:"codes,state"`       // that were asked for since CodesSince
	CodesSince  time.Time      `vault:"codes_since,state"` // at most a day ago when the last was asked for
	AskedAt     time.Time      `vault:"asked_at,state"`
	EnteredAt   time.Time      `vault:"entered_at,state"` // when somebody who works here wrote it down
	Proof       state.Proof    `vault:"proof,state"`      // how who asked proves who they are, or has
	ProofAt     time.Time      `vault:"proof_at,state"`   // since when they are asked to
	ProveUntil  time.Time      `vault:"prove_until,state"`
	CodeUntil   time.Time      `vault:"code_until,state"` // the newest code or link; another may be asked for
	ProvedAt    time.Time      `vault:"proved_at,state"`
	ConfirmBy   time.Time      `vault:"confirm_by,state"` // where the law wants receipt confirmed
	ConfirmedAt time.Time      `vault:"confirmed_at,state"`
	DueAt       time.Time      `vault:"due_at,state"`   // as promised, or as extended
	LegalAt     time.Time      `vault:"legal_at,state"` // as the law has it, or as extended
	AlarmAt     time.Time      `vault:"alarm_at,state"`
	AlarmedAt   time.Time      `vault:"alarmed_at,state"`
	Delay       state.Delay    `vault:"delay,state"` // why it takes longer; it does once the person was told
	ExtendedAt  time.Time      `vault:"extended_at,state"`
	EndedAt     time.Time      `vault:"ended_at,state,keep"`          // an open request is never too old
	Reason      state.Reason   `vault:"reason,state"`                 // of a denial
	DecidedBy   ids.User       `vault:"decided_by,state"`             // who decided it, or else
	Policy      state.Policy   `vault:"policy,state"`                 // by what it was decided beforehand
	File        ids.Object     `vault:"file,state"`                   // the archive, until it is removed
	Owed        Letters        `vault:"owed,state"`                   // that have not gone yet
	Returned    Letters        `vault:"returned,state"`               // that could not be delivered
	Entry       int64          `vault:"entry,state"`                  // the erasure's entry in the tenant's log
	Kept        []legal.Kept   `vault:"kept,tenant:tenant.content"`   // what an erasure spared, by class and ground
	Counts      map[string]int `vault:"counts,tenant:tenant.content"` // rows of each class that were copied or erased
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
	Email    string // the address to be proved, or what is known of who asked
	Session  string // of the browser on the public page, if it has one from an earlier request
	Handover string // of a browser for whose owner the tenant's site has signed
	Text     string
	Language string // of the letters

	// What somebody who works here adds to a request that reached them.
	Via      Via
	Received string      // the day, as 2027-01-31; today when empty
	Proof    state.Proof // Seen, or Link to have one sent; Seen when empty
	Waits    bool        // an erasure is not carried out before somebody who works here says so once more
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
	asked, err := w.check(tx.Now(), deadline.PlaceOf(set.Place))
	if err != nil {
		return Request{}, err
	}
	r := Request{ID: NewID(tx.Now()), Kind: w.Kind.Under(w.Regime), Regime: w.Regime, Via: via, Language: w.Language, AskedAt: asked}
	if via != Portal && via != Widget {
		r.EnteredAt = tx.Now()
	}
	due, err := r.Due(tx)
	if err != nil {
		return Request{}, err
	}
	r.DueAt, r.LegalAt, r.AlarmAt, r.ConfirmBy = due.Promised, due.Legal, due.Alarm, due.Confirm
	return r, nil
}

// check tells when a wish was received, or all that is wrong with it.
func (w Wish) check(now time.Time, at deadline.Place) (time.Time, error) {
	var bad []errs.Field
	if !w.Kind.Known() {
		bad = append(bad, errs.Field{Field: "kind", Code: "required", Message: "Choose one."})
	}
	if !slices.Contains(state.Regimes, w.Regime) {
		bad = append(bad, errs.Field{Field: "regime", Code: "unknown", Message: "Choose one of those there are."})
	}
	asked, err := received(w.Received, now, at)
	bad = append(bad, errs.AsProblem(err).Errors...)
	bad = append(bad, errs.AsProblem(state.CheckWords(w.Text)).Errors...)
	if len(bad) > 0 {
		return asked, errs.New(errs.Invalid, "The request cannot be taken like this.", bad...)
	}
	return asked, nil
}

// oldest is how long ago a request may have been received that is written down now.
const oldest = 366 * 24 * time.Hour

// received is a moment of the day on which a request came, in the tenant's place; now where no day is given.
func received(day string, now time.Time, at deadline.Place) (time.Time, error) {
	noon, err := at.Day(day)
	var wrong string
	switch {
	case day == "":
		return now, nil
	case err != nil:
		wrong = "Write a day, such as 2027-01-31."
	case day > at.Today(now):
		wrong = "This day is yet to come."
	case now.Sub(noon) > oldest:
		wrong = "This is more than a year ago."
	case day == at.Today(now):
		return now, nil
	default:
		return noon, nil
	}
	return noon, errs.New(errs.Invalid, "The day on which it was received cannot be right.", errs.Field{Field: "received", Code: "malformed", Message: wrong})
}

// How long somebody may take to prove who they are. A code is short and typed into the page that asked; a link is long, and
// opens the request where it is followed.
const (
	proveLife = 30 * 24 * time.Hour
	CodeLife  = 10 * time.Minute
	LinkLife  = 7 * 24 * time.Hour
)

// Verify waits for a proof of who asked, from now on.
func (r *Request) Verify(by state.Proof, address string, now time.Time) {
	r.State, r.Proof, r.ProofAt, r.ProveUntil, r.Address = state.Verifying, by, now, now.Add(proveLife), proof.OfAddress(r.ID, address)
	r.Renew(now)
}

// Provable tells whether who asked may still prove who they are.
func (r Request) Provable(now time.Time) bool {
	return r.State == state.Verifying && now.Before(r.ProveUntil)
}

// Renew makes room for another code or link, of which there may be a few each day.
func (r *Request) Renew(now time.Time) {
	if now.Sub(r.CodesSince) > 24*time.Hour {
		r.Codes, r.CodesSince = 0, now
	}
	r.Codes, r.Tries, r.Code, r.CodeUntil = r.Codes+1, 0, Nothing, now.Add(CodeLife)
	if r.Proof == state.Link {
		r.CodeUntil = now.Add(LinkLife)
	}
}

// Proved notes that it is proved now who asked, and counts the days once more: where the law says so the clock stood still.
func (r *Request) Proved(tx *vault.Tx) error {
	r.Code, r.ProvedAt = Nothing, tx.Now()
	due, err := r.Due(tx)
	if err != nil {
		return err
	}
	r.DueAt, r.LegalAt, r.AlarmAt = due.Promised, due.Legal, due.Alarm
	if !r.ExtendedAt.IsZero() {
		r.DueAt, r.LegalAt = due.Extended, due.Extended
	}
	return nil
}

// Stopped tells whether the law's clock stands still, because it is to be proved who asked.
func (r Request) Stopped() bool {
	law, err := deadline.Of(r.Kind.Clock(r.Regime), r.AskedAt)
	return err == nil && r.State == state.Verifying && law.Pauses
}

// Touched is when somebody last brought the request on.
func (r Request) Touched() time.Time {
	return slices.MaxFunc([]time.Time{r.AskedAt, r.EnteredAt, r.ProvedAt}, time.Time.Compare)
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

// Drop ends a request by what was decided beforehand. Of one that nobody proved in time it does not stay whom it spoke for.
func (r *Request) Drop(next state.State, why state.Reason, by state.Policy, at time.Time) error {
	if next == state.Expired && r.ProvedAt.IsZero() {
		r.Contact, r.People = ids.Contact{}, nil
	}
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
	if !r.ProofAt.IsZero() && !r.ProvedAt.IsZero() {
		proving = r.ProvedAt.Sub(r.ProofAt)
	}
	return law.Due(r.AskedAt, deadline.PlaceOf(set.Place), proving), nil
}

// Nothing cannot be matched by any code or address.
var Nothing = personal.OfBytes(nil)
