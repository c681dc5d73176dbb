package holds

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/request"
	"aver/vault"
)

const (
	maxReason = 1000                 // characters
	maxReview = 366 * 24 * time.Hour // a hold that nobody looks at again is kept for its own sake
	mostParts = 50                   // classes or conversations of one hold
)

// Draft is a hold that somebody wishes to place.
type Draft struct {
	Contact       ids.Contact
	Ground        Ground
	Reason        string
	ReviewAt      time.Time
	Classes       []string
	Conversations []ids.Conversation
}

func invalid(field, code, message string) error {
	return errs.New(errs.Invalid, "This hold cannot be placed. Nothing was changed.", errs.Field{Field: field, Code: code, Message: message})
}

// check tells what is wrong with a draft, and masks card numbers in its reason.
func (s *Service) check(d *Draft) error {
	d.Reason, _ = cards.Mask(strings.TrimSpace(d.Reason))
	switch {
	case !slices.Contains(Grounds, d.Ground):
		return invalid("ground", "required", "Choose the exemption that the law gives.")
	case d.Reason == "":
		return invalid("reason", "required", "Say why this must be kept: an erasure is a right, and a hold is the exception.")
	case utf8.RuneCountInString(d.Reason) > maxReason || !utf8.ValidString(d.Reason):
		return invalid("reason", "too-long", "Use at most 1,000 characters.")
	case len(d.Classes) > mostParts || len(d.Conversations) > mostParts:
		return invalid("classes", "too-many", "Name at most fifty, or hold everything.")
	}
	for _, class := range d.Classes {
		if !slices.ContainsFunc(s.vault.Tables(), func(t vault.AnyTable) bool { return t.Name() == class && aboutPeople(t) }) {
			return invalid("classes", "unknown", "Choose classes of the data catalogue that are about people.")
		}
	}
	return s.checkReview(d.ReviewAt)
}

func (s *Service) checkReview(at time.Time) error {
	now := s.vault.Now()
	if !at.After(now) || at.Sub(now) > maxReview {
		return invalid("review_at", "out-of-range", "Choose a day within the next year on which somebody looks at this again.")
	}
	return nil
}

// aboutPeople tells whether a person's rows may be in a table. What holds keep themselves is not held again.
func aboutPeople(t vault.AnyTable) bool {
	return slices.ContainsFunc(t.Columns(), func(c vault.Column) bool { return c.Class == "subject" || c.Class == "personal" }) && !strings.HasPrefix(t.Name(), "legal_hold")
}

// classes lists the classes of data of which something is kept about a person.
func (s *Service) classes(tx *vault.Tx, contact ids.Contact) (out []string, err error) {
	people, err := s.linked(tx, contact)
	for _, person := range people {
		totals, err := s.vault.Totals(tx, person)
		if err != nil {
			return nil, err
		}
		for name, n := range totals {
			if n > 0 && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out, err
}

// errAgain says that another changed the same gate first.
var errAgain = errors.New("another was first")

// unhurried repeats a change that lost the race for a gate.
func (s *Service) unhurried(ctx context.Context, actor vault.Actor, action *vault.Action, fn func(*vault.Tx) error) error {
	for {
		if err := s.vault.Do(ctx, actor, action, fn); !errors.Is(err, errAgain) {
			return err
		}
	}
}

// gate reads a person's gate and keeps it as it is until the change ends. The first who needs one makes it.
func gate(tx *vault.Tx, contact ids.Contact) (Gate, error) {
	g, err := Gates.Get(tx, ids.Object(contact))
	if !errs.Is(err, errs.NotFound) {
		return g, err
	}
	g = Gate{Person: ids.Object(contact), At: tx.Now()}
	if err = Gates.Add(tx, g); errs.Is(err, errs.Conflict) {
		err = errAgain
	}
	return g, err
}

// Place holds what is kept about a person. errs.Conflict once an erasure has begun.
func (s *Service) Place(ctx context.Context, actor vault.Actor, d Draft) (Hold, error) {
	if err := s.check(&d); err != nil {
		return Hold{}, errors.Join(s.vault.Permit(ctx, actor, actPlace), err)
	}
	if err := s.vault.View(ctx, actor, actPlace, func(tx *vault.Tx) error { return s.known(tx, d) }); err != nil {
		return Hold{}, err
	}
	keeper, err := s.vault.NewSubject(ctx, actor)
	if err != nil {
		return Hold{}, err
	}
	var h Hold
	err = s.unhurried(ctx, actor, actPlace, func(tx *vault.Tx) error {
		h = Hold{ID: ids.New[hold](tx.Now()), Contact: d.Contact, Ground: d.Ground, Classes: d.Classes, Conversations: d.Conversations,
			Keeper: keeper, Author: actor.User(), PlacedAt: tx.Now(), ReviewAt: d.ReviewAt}
		people, err := s.linked(tx, d.Contact)
		if err != nil {
			return err
		}
		tx.About(d.Contact)
		tx.Emit(vault.Event{Kind: "hold.placed", Object: h.ID.String(), Subject: d.Contact}, nil)
		if err := cover(tx, h, people); err != nil {
			return err
		}
		return errors.Join(Holds.Add(tx, h), Reasons.Add(tx, Reason{Hold: h.ID, Keeper: keeper, Text: personal.Of(d.Reason)}))
	})
	return h, err
}

func cover(tx *vault.Tx, h Hold, people []ids.Contact) error {
	for _, person := range people {
		g, err := gate(tx, person)
		if err != nil {
			return err
		}
		if g.Erasing {
			return errs.New(errs.Conflict, "This person is being erased. A hold comes too late.")
		}
		if err := People.Add(tx, Covered{Contact: person, Hold: h.ID}); err != nil {
			return err
		}
	}
	return nil
}

// known refuses a hold on somebody who is not there, or on a conversation in which they have no part.
func (s *Service) known(tx *vault.Tx, d Draft) error {
	people, err := s.linked(tx, d.Contact)
	if err != nil {
		return err
	}
	for _, id := range d.Conversations {
		one := Hold{Conversations: []ids.Conversation{id}}
		found := false
		err := s.each(tx, people, one, func(string, []vault.Cell) error {
			found = true
			return errFound
		})
		if err != nil && !errors.Is(err, errFound) {
			return err
		}
		if !found {
			return errs.New(errs.NotFound, "This person has no such conversation.")
		}
	}
	return nil
}

var errFound = errors.New("found")

// Extend sets another day on which somebody looks at the hold again.
func (s *Service) Extend(ctx context.Context, actor vault.Actor, id HoldID, review time.Time) (Hold, error) {
	if err := s.checkReview(review); err != nil {
		return Hold{}, errors.Join(s.vault.Permit(ctx, actor, actReview), err)
	}
	return s.change(ctx, actor, actReview, id, func(tx *vault.Tx, h *Hold) error {
		h.ReviewAt = review
		return nil
	})
}

// Release ends a hold. What it kept of people who were erased meanwhile is unreadable when this returns.
func (s *Service) Release(ctx context.Context, actor vault.Actor, id HoldID) (Hold, error) {
	h, err := s.change(ctx, actor, actRelease, id, func(tx *vault.Tx, h *Hold) error {
		h.ReleasedAt, h.ReleasedBy = tx.Now(), actor.User()
		tx.Emit(vault.Event{Kind: "hold.released", Object: id.String(), Subject: h.Contact}, nil)
		_, err := People.DeleteWhere(tx, "hold = ?", id)
		return err
	})
	if err != nil {
		return h, err
	}
	return h, s.destroy(ctx, actor, h)
}

func (s *Service) change(ctx context.Context, actor vault.Actor, action *vault.Action, id HoldID, set func(*vault.Tx, *Hold) error) (Hold, error) {
	var h Hold
	err := s.vault.Do(ctx, actor, action, func(tx *vault.Tx) (err error) {
		if h, err = Holds.Get(tx, id); err != nil {
			return err
		}
		if !h.ReleasedAt.IsZero() {
			return errs.New(errs.Conflict, "This hold was released.")
		}
		tx.About(h.Contact)
		if err := set(tx, &h); err != nil {
			return err
		}
		return Holds.Put(tx, h)
	})
	return h, err
}

// destroy destroys the key of a released hold. Repeating it does no harm.
func (s *Service) destroy(ctx context.Context, actor vault.Actor, h Hold) error {
	has, err := s.vault.HasKey(ctx, actor, h.Keeper)
	if err == nil && has {
		err = s.vault.EraseSubject(ctx, actor, actDestroy, h.Keeper, "hold released")
	}
	if err == nil {
		_, err = s.vault.FinishErasures(ctx, actor.Tenant())
	}
	return err
}

// Get reads a hold and why it was placed. The reason is empty once the hold is released.
func (s *Service) Get(ctx context.Context, actor vault.Actor, id HoldID) (h Hold, reason personal.Text, err error) {
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		if h, err = Holds.Get(tx, id); err != nil {
			return err
		}
		r, err := Reasons.Get(tx, id)
		if errs.Is(err, errs.NotFound) {
			err = nil
		}
		reason = r.Text
		return err
	})
	return h, reason, err
}

// List lists holds, newest first.
func (s *Service) List(ctx context.Context, actor vault.Actor, from request.Cursor[HoldID], limit int) (list []Hold, next request.Cursor[HoldID], err error) {
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		if from.IsZero() {
			list, err = Holds.Find(tx, "ORDER BY placed_at DESC, id DESC LIMIT ?", limit+1)
			return err
		}
		list, err = Holds.Find(tx, "(placed_at, id) < (?, ?) ORDER BY placed_at DESC, id DESC LIMIT ?", from.At, from.ID, limit+1)
		return err
	})
	list, next = request.Cut(list, limit, func(h Hold) request.Cursor[HoldID] { return request.Cursor[HoldID]{At: h.PlacedAt, ID: h.ID} })
	return list, next, err
}
