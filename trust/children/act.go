package children

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/trust/children/ui"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/purpose"
)

// act does what follows from an open review: in strict mode the person is erased; otherwise programs are kept away from
// them, their conversation is marked and somebody is told. Each step may be repeated.
func (s *Service) act(ctx context.Context, tenant ids.Tenant, text string) error {
	id, err := ids.Parse[review](text)
	if err != nil {
		return err
	}
	actor := system(tenant)
	r, strict, err := s.read(ctx, actor, id)
	if err != nil || r.State != Open {
		return err
	}
	if strict {
		return s.erase(ctx, actor, r)
	}
	if err := s.keepAway(ctx, actor, r); err != nil {
		return err
	}
	if where := r.conversation(); where != "" {
		if err := s.config.Flag(ctx, tenant, r.Contact, where, true); err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Gone) {
			return err
		}
	}
	return s.tell(ctx, actor, r)
}

// read reads a review and whether the tenant is strict.
func (s *Service) read(ctx context.Context, actor vault.Actor, id ID) (r Review, strict bool, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		if r, err = Reviews.Get(tx, id); err != nil {
			return err
		}
		strict, err = isStrict(tx)
		return err
	})
	return r, strict, err
}

func isStrict(tx *vault.Tx) (bool, error) {
	set, err := table.Get(tx, int64(1))
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return set.Strict, err
}

// change changes an open review; one that was decided meanwhile is errs.Conflict.
func (s *Service) change(ctx context.Context, actor vault.Actor, action *vault.Action, id ID, set func(*Review, *vault.Tx)) error {
	return s.vault.Do(ctx, actor, action, func(tx *vault.Tx) error {
		r, err := Reviews.Get(tx, id)
		if err != nil {
			return err
		}
		if r.State != Open {
			return errs.New(errs.Conflict, "This was decided already.")
		}
		set(&r, tx)
		return Reviews.Put(tx, r)
	})
}

// keepAway closes every automated purpose for the person, if they have not done so themselves.
func (s *Service) keepAway(ctx context.Context, actor vault.Actor, r Review) error {
	closed := false
	err := s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		limits, err := restriction.Of(tx, r.Contact)
		closed = slices.ContainsFunc(limits, func(l restriction.Limit) bool { return l.Kind == restriction.Object && l.Purpose == purpose.All })
		return err
	})
	if err != nil || closed {
		return err
	}
	if err := s.change(ctx, actor, actSuspect, r.ID, func(r *Review, _ *vault.Tx) { r.Closed = true }); err != nil {
		return err
	}
	err = s.config.Restriction.Set(ctx, actor, r.Contact, restriction.Object, purpose.All)
	if errs.Is(err, errs.NotFound) { // erased meanwhile
		return nil
	}
	return err
}

// tell mails those who look after data protection; where there is nobody, the owners.
func (s *Service) tell(ctx context.Context, actor vault.Actor, r Review) error {
	if s.config.Mail == nil || !r.ToldAt.IsZero() {
		return nil
	}
	var to []personal.Text
	err := s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		all, err := identity.Users.Find(tx, "disabled_at IS NULL ORDER BY id LIMIT 1000")
		to = addresses(all, vault.DPO)
		if len(to) == 0 {
			to = addresses(all, vault.Owner)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, address := range to {
		subject, words := ui.Letter("https://" + s.config.Host() + "/settings/children")
		if err := s.config.Mail.Send(ctx, mail.Message{To: address, Subject: subject, Text: words}); err != nil && !errs.Is(err, errs.Invalid) { // an address that takes no letter must not hold back the others
			return fmt.Errorf("tell of a child: %w", err)
		}
	}
	return s.change(ctx, actor, actSuspect, r.ID, func(r *Review, tx *vault.Tx) { r.ToldAt = tx.Now() })
}

func addresses(all []identity.User, role vault.Role) (out []personal.Text) {
	for _, u := range all {
		if u.HasRole(role) {
			out = append(out, u.Email)
		}
	}
	return out
}

// Confirm says that it is a child: the person and all their data are erased.
func (s *Service) Confirm(ctx context.Context, actor vault.Actor, id ID) error {
	if err := s.vault.Permit(ctx, actor, actErase); err != nil {
		return err
	}
	r, _, err := s.read(ctx, actor, id)
	if err != nil {
		return err
	}
	if r.State != Open {
		return errs.New(errs.Conflict, "This was decided already.")
	}
	return s.erase(ctx, actor, r)
}

// erase erases the person and ends the review. What was begun is repeated by whoever tries again.
func (s *Service) erase(ctx context.Context, actor vault.Actor, r Review) error {
	if _, err := s.config.Rights.Erase(ctx, actor, r.Contact, "child"); err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return s.change(ctx, actor, actErase, r.ID, func(r *Review, tx *vault.Tx) {
		r.State, r.EndedAt, r.DecidedBy = Erased, tx.Now(), actor.User()
		tx.Emit(vault.Event{Kind: "child.erased", Object: r.ID.String(), Subject: r.Contact}, nil)
	})
}

// Dismiss says that it is no child: programs may go on, and the same words open no review again.
func (s *Service) Dismiss(ctx context.Context, actor vault.Actor, id ID) error {
	r, _, err := s.read(ctx, actor, id)
	if err != nil {
		return err
	}
	err = s.change(ctx, actor, actDismiss, id, func(r *Review, tx *vault.Tx) {
		r.State, r.EndedAt, r.DecidedBy = Dismissed, tx.Now(), actor.User()
		tx.Emit(vault.Event{Kind: "child.dismissed", Object: r.ID.String(), Subject: r.Contact}, nil)
	})
	if err != nil {
		return err
	}
	own := system(actor.Tenant())
	var lifted, unmarked error
	if r.Closed {
		lifted = s.config.Restriction.Lift(ctx, own, r.Contact, restriction.Object, purpose.All)
	}
	if where := r.conversation(); where != "" {
		unmarked = s.config.Flag(ctx, actor.Tenant(), r.Contact, where, false)
	}
	err = errors.Join(lifted, unmarked)
	if errs.Is(err, errs.NotFound) { // erased meanwhile
		return nil
	}
	return err
}

// SetStrict decides whether somebody who says to be a child is erased at once, without a person's look.
func (s *Service) SetStrict(ctx context.Context, actor vault.Actor, strict bool) error {
	return s.vault.Do(ctx, actor, actSet, func(tx *vault.Tx) error {
		n := int64(0)
		if strict {
			n = 1
		}
		tx.Emit(vault.Event{Kind: "child_settings.changed", N: n}, nil)
		return table.Put(tx, settings{ID: 1, Strict: strict, ChangedAt: tx.Now()})
	})
}

// List reads the reviews, open ones first, then the newest, and whether the tenant is strict.
func (s *Service) List(ctx context.Context, actor vault.Actor) (list []Review, strict bool, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		if list, err = Reviews.Find(tx, "state = ? ORDER BY opened_at LIMIT 200", string(Open)); err != nil {
			return err
		}
		ended, err := Reviews.Find(tx, "ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 50")
		if err != nil {
			return err
		}
		list = append(list, ended...)
		strict, err = isStrict(tx)
		return err
	})
	return list, strict, err
}

// Of tells of the review that is open about a person; the zero value when there is none.
func (s *Service) Of(ctx context.Context, actor vault.Actor, contact ids.Contact) (r Review, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		found, err := Reviews.Find(tx, "contact = ? AND state = ? LIMIT 1", contact, string(Open))
		if len(found) > 0 {
			r = found[0]
		}
		return err
	})
	return r, err
}
