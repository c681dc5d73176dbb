package rights

import (
	"context"
	"errors"
	"time"

	"aver/base/errs"
	"aver/base/personal"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
)

// Decision is what somebody who works here says about a request.
type Decision struct {
	Reason state.Reason // of a denial
	Delay  state.Delay  // of an extension
	Words  string       // for the person; sealed, and part of the letter
}

// Deny ends a request without doing what it asks for. The person is told why, and where they can complain (GDPR Art. 12(4)).
func (s *Service) Deny(ctx context.Context, actor vault.Actor, id RequestID, d Decision) (Request, error) {
	return s.decide(ctx, actor, actDeny, id, record.DeniedLetter, d.Words, func(r *Request, tx *vault.Tx) error {
		if err := state.CheckDenial(r.Kind, d.Reason, d.Words); err != nil {
			return err
		}
		r.Reason = d.Reason
		r.Decided(actor)
		tx.Emit(vault.Event{Kind: "dsr.completed", Object: r.ID.String(), Subject: r.Contact}, nil)
		return r.End(state.Denied, tx.Now())
	})
}

// Fulfil says that what an open request asks for was done, or that it was answered.
func (s *Service) Fulfil(ctx context.Context, actor vault.Actor, id RequestID, d Decision) (Request, error) {
	return s.decide(ctx, actor, actFulfil, id, record.DoneLetter, d.Words, func(r *Request, tx *vault.Tx) error {
		if r.State != state.Open {
			return errs.New(errs.Conflict, "This request does not wait for you.")
		}
		r.Decided(actor)
		tx.Emit(vault.Event{Kind: "dsr.completed", Object: r.ID.String(), Subject: r.Contact}, nil)
		return r.End(state.Fulfilled, tx.Now())
	})
}

// Extend takes the longer time that the law allows, for a reason that it knows. It holds from the moment when the letter to
// the person has gone, which must be within the first time.
func (s *Service) Extend(ctx context.Context, actor vault.Actor, id RequestID, d Decision) (Request, error) {
	return s.decide(ctx, actor, actExtend, id, record.ExtendedLetter, d.Words, func(r *Request, tx *vault.Tx) error {
		due, err := r.Due(tx)
		to, toErr := s.writeTo(tx, *r)
		switch {
		case err != nil || toErr != nil:
			return errors.Join(err, toErr)
		case d.Delay != state.Complex && d.Delay != state.Many:
			return errs.New(errs.Invalid, "The time is extended for a reason that the law knows.", errs.Field{Field: "delay", Code: "required", Message: "Choose one."})
		case r.State.Over() || due.Extended.IsZero() || r.Delay != "":
			return errs.New(errs.Conflict, "The time for this request cannot be extended.")
		case tx.Now().After(r.LegalAt):
			return errs.New(errs.Conflict, "The person had to be told within the first time, which is over.")
		case to.IsZero() || s.mail == nil:
			return errs.New(errs.Conflict, "The person cannot be told by mail, so the time cannot be extended.")
		}
		r.Delay = d.Delay
		return nil
	})
}

// Retry takes up again what failed.
func (s *Service) Retry(ctx context.Context, actor vault.Actor, id RequestID) (Request, error) {
	r, err := s.decide(ctx, actor, actRetry, id, 0, "", func(r *Request, tx *vault.Tx) error {
		if r.Contact.IsZero() || r.Kind.Deed() == state.Amend {
			return errs.New(errs.Conflict, "This request is not one that is carried out by itself.")
		}
		r.Decided(actor)
		return r.State.Move(state.Running)
	})
	if err != nil {
		return r, err
	}
	return r, s.carryOut(ctx, actor, r)
}

// decide changes a request by hand, keeps what was said, and has the letter written that tells the person.
func (s *Service) decide(ctx context.Context, actor vault.Actor, action *vault.Action, id RequestID, letter record.Letters, words string, set func(*Request, *vault.Tx) error) (Request, error) {
	if err := state.CheckWords(words); err != nil {
		return Request{}, err
	}
	var r Request
	err := s.vault.Do(ctx, actor, action, func(tx *vault.Tx) (err error) {
		if r, err = Requests.Get(tx, id); err != nil {
			return err
		}
		tx.About(r.Contact)
		if err := errors.Join(set(&r, tx), s.answer(tx, &r, words)); err != nil {
			return err
		}
		s.owe(&r, letter)
		return Requests.Put(tx, r)
	})
	if err != nil {
		return r, err
	}
	return r, s.write(ctx, actor.Tenant(), r)
}

// answer adds what the person is told to what was typed. Where the person is gone there is nobody to tell.
func (s *Service) answer(tx *vault.Tx, r *Request, words string) error {
	if words == "" {
		return nil
	}
	w, err := Typed.Get(tx, r.ID)
	if errs.Is(err, errs.NotFound) && !r.Contact.IsZero() {
		w, err = Words{Asker: r.Contact}, nil
	}
	if err != nil {
		return ignoreAbsent(err)
	}
	w.Answer = personal.Of(words)
	return s.note(tx, r, w)
}

// carryOut does what a request that runs asks for, or has it done.
func (s *Service) carryOut(ctx context.Context, actor vault.Actor, r Request) error {
	switch r.Kind.Deed() {
	case state.Copy:
		return s.queue.Enqueue(ctx, copyKind, actor.Tenant(), r.ID.String(), time.Time{})
	case state.Erase:
		why := "request of the person"
		if actor.Kind() == vault.AsUser || actor.Kind() == vault.AsKey {
			why = "order of the controller"
		}
		_, err := s.erase(ctx, actor, r, why)
		return err
	case state.Hold:
		return s.hold(ctx, actor, r)
	}
	return nil
}

// hold sets what the request asks for on everybody it speaks for, and ends it. Repeating it after a crash does no harm.
func (s *Service) hold(ctx context.Context, actor vault.Actor, r Request) error {
	if actor.Kind() == vault.AsPerson { // who has asked, and does not do it themselves
		actor = system(actor.Tenant())
	}
	for _, person := range r.People {
		if err := s.people.Limit(ctx, actor, person, r.Kind.Limit()); err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Gone) {
			return err
		}
	}
	r, err := s.change(ctx, actor.Tenant(), r.ID, func(r *Request, tx *vault.Tx) (bool, error) {
		many, err := record.FloodsUnproved(tx, *r)
		if err != nil || r.State != state.Running {
			return false, err
		}
		if !r.Contact.IsZero() && !many {
			s.owe(r, record.DoneLetter)
		}
		tx.Emit(vault.Event{Kind: "dsr.completed", Object: r.ID.String(), Subject: r.Contact}, nil)
		return true, r.End(state.Fulfilled, tx.Now())
	})
	if err != nil {
		return err
	}
	return s.write(ctx, actor.Tenant(), r)
}
