package rights

import (
	"context"
	"errors"
	"slices"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
)

// Enter writes down a request that reached the tenant another way: by letter, mail, telephone or in person. Who asked is a
// contact or, where that is zero, whoever has the wish's address. Its time counts from the day on which it was received. It is
// proved already, or by a link that is mailed to the address on file. What is asked under an address that nobody here has is
// the tenant's own to answer.
func (s *Service) Enter(ctx context.Context, actor vault.Actor, w Wish, contact ids.Contact) (RequestID, error) {
	var found []ids.Contact
	err := s.vault.View(ctx, actor, actAsk, func(tx *vault.Tx) (err error) {
		if contact.IsZero() {
			found, err = s.people.Covered(tx, w.Email)
		} else {
			_, err = s.people.Show(tx, contact)
		}
		return record.CheckEntry(tx, w, contact, err, s.Mails())
	})
	switch {
	case err != nil:
		return RequestID{}, err
	case len(found) > 0:
		contact = found[0]
	case contact.IsZero():
		return s.enterUnknown(ctx, actor, w)
	}
	return s.Start(ctx, actor, w, contact)
}

// enterUnknown writes down what is asked by somebody whom nobody here knows.
func (s *Service) enterUnknown(ctx context.Context, actor vault.Actor, w Wish) (RequestID, error) {
	asker, err := s.vault.NewSubject(ctx, system(actor.Tenant()))
	if err != nil {
		return RequestID{}, err
	}
	var r Request
	err = s.vault.Do(ctx, actor, actAsk, func(tx *vault.Tx) (err error) {
		if r, err = record.Begin(tx, w, viaOf(actor, w)); err != nil {
			return err
		}
		r.State, r.Passed = state.Open, true
		typed := Words{Asker: asker, Address: personal.Of(strings.TrimSpace(w.Email)), Text: personal.Of(w.Text)}
		return errors.Join(s.note(tx, &r, typed), Requests.Add(tx, r))
	})
	if err != nil {
		return RequestID{}, errors.Join(err, s.destroyOwn(ctx, actor.Tenant(), asker))
	}
	return r.ID, nil
}

// toProve has a request wait for a link that is mailed to the address that the contact has.
func (s *Service) toProve(tx *vault.Tx, r *Request, contact ids.Contact, shown Shown) error {
	email := shown.Email.Reveal()
	if email != "" {
		if err := s.people.SpeakFor(tx, r, email); err != nil {
			return err
		}
	}
	if !slices.Contains(r.People, contact) { // none, or that of somebody for whom the tenant's site has signed
		return errs.New(errs.Invalid, "The request was not written down.", errs.Field{Field: "proof", Code: "no-address", Message: "No link can be sent: this person has no address of their own here."})
	}
	r.Verify(state.Link, email, tx.Now())
	return nil
}
