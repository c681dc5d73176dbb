package children

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/children/age"
	"aver/vault"
	"aver/vault/journal"
)

// Follow begins to listen to what people say of themselves, from where it last stopped.
func (s *Service) Follow(tenants ...ids.Tenant) {
	s.vault.Follow(vault.Follower{Name: "children", Each: s.hear}, tenants...)
}

// fieldsPlace is the place of what a contact's own fields say.
const fieldsPlace = "fields"

// known are the events after which a contact's own fields may say something else.
var known = []string{"contact.created", "contact.updated", "contact.verified"}

// hear opens a review for each person who says to be a child. Seeing the same entries again changes nothing.
func (s *Service) hear(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	var found []Review
	err := s.vault.View(ctx, system(tenant), actLook, func(tx *vault.Tx) error {
		found = nil
		for _, entry := range entries {
			for _, event := range entry.Events {
				r, err := s.listen(tx, entry, event)
				if err != nil {
					return err
				}
				if r.Age > 0 {
					found = append(found, r)
				}
			}
		}
		return nil
	})
	for _, r := range found {
		if err == nil {
			err = s.suspect(ctx, tenant, r)
		}
	}
	return err
}

// listen reads what an event is about.
func (s *Service) listen(tx *vault.Tx, entry journal.Entry, event journal.Event) (Review, error) {
	r := Review{Contact: event.Subject}
	switch {
	case entry.Outcome != journal.Done || event.Subject.IsZero():
	case event.Kind == "message.created" && vault.ActorKind(entry.ActorKind) == vault.AsPerson:
		text, err := s.config.Message(tx, event.Subject, event.Object, event.N)
		if err != nil {
			return r, fmt.Errorf("read a message for an age: %w", err)
		}
		r.Place = fmt.Sprintf("%s.%d", event.Object, event.N)
		r.Age, _ = age.Said(text.Reveal(), tx.Now())
	case slices.Contains(known, event.Kind):
		values, err := s.config.Fields(tx, event.Subject)
		if err != nil {
			return r, fmt.Errorf("read a person's fields for an age: %w", err)
		}
		r.Place, r.Age = fieldsPlace, youngest(values, tx.Now())
	}
	return r, nil
}

// youngest is the age that fields say of a child, or zero.
func youngest(values map[string]any, now time.Time) int {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if years, child := age.Held(name, values[name], now); child {
			return years
		}
	}
	return 0
}

// suspect opens a review, unless one is open or the same words were decided before, and has done what follows from it.
func (s *Service) suspect(ctx context.Context, tenant ids.Tenant, r Review) error {
	var open ID
	err := s.vault.Do(ctx, system(tenant), actSuspect, func(tx *vault.Tx) error {
		open = ID{}
		old, err := Reviews.Find(tx, "contact = ? AND (place = ? OR state = ?) ORDER BY opened_at DESC LIMIT 2", r.Contact, r.Place, string(Open))
		if err != nil {
			return err
		}
		for _, o := range old {
			if o.State == Open {
				open = o.ID // what follows may not have happened yet
			}
		}
		if len(old) > 0 {
			return errSeen
		}
		r.ID, r.State, r.OpenedAt = ids.New[review](tx.Now()), Open, tx.Now()
		open = r.ID
		tx.Emit(vault.Event{Kind: "child.suspected", Object: r.ID.String(), Subject: r.Contact, N: int64(r.Age)}, nil)
		return Reviews.Add(tx, r)
	})
	if errors.Is(err, errSeen) || errs.Is(err, errs.Conflict) || errs.Is(err, errs.Gone) { // seen before, by another process, or erased meanwhile
		err = nil
	}
	if err != nil || open.IsZero() {
		return err
	}
	return s.queue.RunNow(ctx, actKind, tenant, open.String())
}

// errSeen leaves a change undone that has nothing to change.
var errSeen = errors.New("seen before")

// conversation is where it was said, or empty.
func (r Review) conversation() string {
	where, _, inMessage := strings.Cut(r.Place, ".")
	if !inMessage {
		return ""
	}
	return where
}
