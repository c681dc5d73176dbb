package record

import (
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/trust/rights/state"
	"aver/vault"
)

const (
	copiesPerDay = 5 // that one visitor may ask for in the widget

	// CodesPerDay is how many codes or links one request may bring a day, and in mails one person, so that nobody's mailbox
	// is flooded through us.
	CodesPerDay = 5
)

// Floods tells whether a person was sent too many codes and links within a day.
func Floods(tx *vault.Tx, contact ids.Contact) (bool, error) {
	lately, err := Requests.Find(tx, "contact = ? AND codes_since > ? LIMIT 100", contact, tx.Now().Add(-24*time.Hour))
	n := 0
	for _, r := range lately {
		n += r.Codes
	}
	return n > CodesPerDay, err
}

// NotTooMany keeps a visitor from filling the disk with copies, and colleagues' days with requests. Nobody is kept from an
// erasure. Requests by other ways do not count: the public page takes anybody's word for an address, and a stranger must not
// use somebody's copies up.
func NotTooMany(tx *vault.Tx, kind state.Kind, via Via, contact ids.Contact) error {
	if kind.Deed() == state.Erase || via != Widget {
		return nil
	}
	lately, err := Requests.Count(tx, "contact = ? AND via = ? AND asked_at > ?", contact, string(Widget), tx.Now().Add(-24*time.Hour))
	if err != nil || lately < copiesPerDay {
		return err
	}
	refused := errs.New(errs.TooMany, "Five requests were made within a day. Wait for an answer, or ask again tomorrow.")
	refused.RetryAfter = int(time.Hour.Seconds())
	return refused
}

// FloodsUnproved tells whether so many requests that take no proof speak for a person lately that no more letters about them are
// sent: whoever knows an address could have its mailbox flooded through us.
func FloodsUnproved(tx *vault.Tx, r Request) (bool, error) {
	lately, err := Requests.Count(tx, "contact = ? AND asked_at > ? AND policy = ?", r.Contact, tx.Now().Add(-24*time.Hour), string(state.Harmless))
	return r.Policy == state.Harmless && lately > CodesPerDay, err
}

const passedPerDay = 3 // requests under one unknown address that are passed on within a day

// PassedLately tells whether so many requests under an address that nobody has were passed on lately that no more are.
func PassedLately(tx *vault.Tx, address personal.Text) (bool, error) {
	typed, err := Typed.Lookup(tx, "address", address.Reveal())
	if err != nil {
		return false, err
	}
	n := 0
	for _, w := range typed {
		r, err := Requests.Get(tx, w.Request)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return false, err
		}
		if err == nil && r.Passed && tx.Now().Sub(r.AskedAt) < 24*time.Hour {
			n++
		}
	}
	return n >= passedPerDay, nil
}

// CheckEntry refuses what cannot be written down of a request that came another way, and says all that is wrong at once.
// sought is what came of looking for who asked, and mails whether letters can be sent. An identifier of nobody alone is not
// refused here.
func CheckEntry(tx *vault.Tx, w Wish, contact ids.Contact, sought error, mails bool) error {
	var bad []errs.Field
	unknown := errs.Is(sought, errs.NotFound)
	if sought != nil && !unknown {
		return sought
	}
	if contact.IsZero() == (w.Email == "") || w.Email != "" && !mail.IsAddress(strings.TrimSpace(w.Email)) {
		bad = append(bad, errs.Field{Field: "person", Code: "malformed", Message: "Write a mail address, or the identifier of a contact."})
	}
	if w.Via != "" && !slices.Contains(Brought, w.Via) {
		bad = append(bad, errs.Field{Field: "via", Code: "unknown", Message: "Choose one."})
	}
	switch {
	case w.Proof == state.Link && !mails:
		bad = append(bad, errs.Field{Field: "proof", Code: "no-mail", Message: "No mail relay is set, so no link can be sent."})
	case w.Proof != "" && w.Proof != state.Seen && w.Proof != state.Link:
		bad = append(bad, errs.Field{Field: "proof", Code: "unknown", Message: "Choose one."})
	}
	_, err := Begin(tx, w, w.Via)
	if err != nil && !errs.Is(err, errs.Invalid) {
		return err
	}
	if bad = append(bad, errs.AsProblem(err).Errors...); len(bad) == 0 {
		return err
	}
	if unknown {
		bad = append([]errs.Field{Nobody}, bad...)
	}
	return errs.New(errs.Invalid, "The request was not written down.", bad...)
}

// Nobody says at the field of who asked that there is no such person.
var Nobody = errs.Field{Field: "person", Code: "unknown", Message: "There is no such person here."}
