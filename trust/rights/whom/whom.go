// Package whom finds those for whom a proof speaks: who has an address, or is called so by the tenant's site, and those merged
// into them.
package whom

import (
	"context"
	"slices"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/rights/proof"
	"aver/trust/rights/record"
	"aver/vault"
)

// Shown is what a page or a letter needs to know of a person.
type Shown struct {
	Name              personal.Text
	Email             personal.Text
	Phone, ExternalID personal.Text
	Verified          bool // the tenant's site signed who this is
}

// People finds persons, whom work/contacts knows, and closes what their data is used for, which trust/restriction does.
type People struct {
	WithEmail func(tx *vault.Tx, email string) ([]ids.Contact, error)
	WithID    func(tx *vault.Tx, external string) ([]ids.Contact, error)     // whom the tenant's site calls so
	Linked    func(tx *vault.Tx, contact ids.Contact) ([]ids.Contact, error) // itself first
	Show      func(tx *vault.Tx, contact ids.Contact) (Shown, error)         // errs.NotFound when there is none
	Known     func(tx *vault.Tx, text string) ([]ids.Contact, error)         // who has this address or number, as somebody wrote it
	Provided  func(table string, cells []vault.Cell) bool                    // whether the person themselves provided a row (GDPR Art. 20(1))
	Handed    func(tx *vault.Tx, file ids.Object) (bool, error)              // and a file
	Limit     func(ctx context.Context, actor vault.Actor, contact ids.Contact, kind string) error
}

// Covered lists whom a code to this address speaks for.
func (p People) Covered(tx *vault.Tx, email string) ([]ids.Contact, error) {
	found, err := p.WithEmail(tx, email)
	if err != nil {
		return nil, err
	}
	var signed, claimed []ids.Contact
	for _, contact := range found {
		shown, err := p.Show(tx, contact)
		if errs.Is(err, errs.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if shown.Verified {
			signed = append(signed, contact)
		} else {
			claimed = append(claimed, contact)
		}
	}
	if len(signed) == 0 {
		signed = claimed
	}
	return p.withMerged(tx, signed)
}

// withMerged lists people and those merged into them, each once: a merged contact may have the address, too.
func (p People) withMerged(tx *vault.Tx, people []ids.Contact) (out []ids.Contact, err error) {
	for _, contact := range people {
		linked, err := p.Linked(tx, contact)
		if err != nil {
			return nil, err
		}
		out = append(out, linked...)
	}
	return withoutTwice(out), nil
}

func withoutTwice(all []ids.Contact) (out []ids.Contact) {
	for _, one := range all {
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

// Signed lists whom a signed identity speaks for: whom the site calls so, and those who have the address that it signed, which
// may be empty.
func (p People) Signed(tx *vault.Tx, external, email string) ([]ids.Contact, error) {
	found, err := p.WithID(tx, external)
	if err != nil {
		return nil, err
	}
	out, err := p.withMerged(tx, found)
	if err != nil || email == "" {
		return out, err
	}
	more, err := p.Covered(tx, email)
	return withoutTwice(append(out, more...)), err
}

// SpeakFor lets a request speak for those who have the address, or for nobody.
func (p People) SpeakFor(tx *vault.Tx, r *record.Request, email string) (err error) {
	r.Contact = ids.Contact{}
	if r.People, err = p.Covered(tx, email); err == nil && len(r.People) > 0 {
		r.Contact = r.People[0]
	}
	return err
}

// Recheck lets a request speak for those who have the typed address now, and tells where a letter to it goes. Whoever
// has changed their address since takes no part, whether the letter would go to the new one or they would be erased by
// somebody who can read the old one. Zero when nobody of those who had the address has it any more.
func (p People) Recheck(tx *vault.Tx, r *record.Request) (to personal.Text, err error) {
	for _, person := range r.People {
		shown, err := p.Show(tx, person)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return to, err
		}
		if email := shown.Email.Reveal(); proof.Same(proof.OfAddress(r.ID, email), r.Address) {
			return shown.Email, p.SpeakFor(tx, r, email)
		}
	}
	r.People, r.Contact = nil, ids.Contact{}
	return to, nil
}
