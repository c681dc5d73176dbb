package contacts

import (
	"context"
	"errors"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/holds"
	"aver/vault"
)

// A merge is a link: the merged contact keeps its own key and rows and is shown with the one it went into. So a merge
// can be undone without loss, and an erasure still finds every row. Links have one level: whoever others are merged
// into is merged into nobody.

const (
	undoWindow = 30 * 24 * time.Hour
	mostLinked = 50 // so that a person's page reads them all
)

// Merge shows one contact with another from now on. An unverified contact is never merged with a verified one, nor are
// two that the tenant's site knows by different names. The reason is optional.
func (s *Service) Merge(ctx context.Context, actor vault.Actor, from, into ids.Contact, reason string) error {
	if into.IsZero() {
		return errs.New(errs.Invalid, "Choose somebody.", errs.Field{Field: "into", Code: "required", Message: "Choose whom to merge into."})
	}
	if from == into {
		return errs.New(errs.Invalid, "Choose two different people.", errs.Field{Field: "into", Code: "same", Message: "This is the same person."})
	}
	if utf8.RuneCountInString(reason) > maxField || !utf8.ValidString(reason) {
		return errs.New(errs.Invalid, "The reason is too long.", errs.Field{Field: "reason", Code: "too-long", Message: "Use at most 250 characters."})
	}
	reason, _ = cards.Mask(strings.TrimSpace(reason))
	return s.vault.Do(ctx, actor, actMerge, func(tx *vault.Tx) error {
		a, err := Contacts.Get(tx, from)
		if err != nil {
			return err
		}
		b, err := Contacts.Get(tx, into)
		if err != nil {
			return err
		}
		if err := mergeable(tx, a, b); err != nil {
			return err
		}
		a.MergedInto, a.UpdatedAt = into, tx.Now()
		tx.About(into)
		tx.Emit(vault.Event{Kind: "contact.merged", Object: from.String(), Subject: into}, nil)
		m := Merging{Contact: from, ID: ids.NewObject(tx.Now()), Into: into, Author: actor.User(), Reason: personal.Of(reason), At: tx.Now()}
		return errors.Join(Mergings.Add(tx, m), holds.Merged(tx, from, into), Contacts.Put(tx, a))
	})
}

func mergeable(tx *vault.Tx, a, b Contact) error {
	switch {
	case !a.MergedInto.IsZero() || !b.MergedInto.IsZero():
		return errs.New(errs.Conflict, "One of them is merged already. Undo that first.")
	case a.Verified != b.Verified:
		return errs.New(errs.Conflict, "One identity is verified and the other is a claim. They stay apart, so that nobody gets at somebody else's data by claiming to be them.")
	case !a.ExternalID.IsZero() && !b.ExternalID.IsZero() && a.ExternalID != b.ExternalID:
		return errs.New(errs.Conflict, "Your site knows these as two different people.")
	}
	n, err := Contacts.Count(tx, "merged_into = ?", a.ID)
	if err == nil && n > 0 {
		return errs.New(errs.Conflict, "Others are merged into this person. Merge in the other direction.")
	}
	if err != nil {
		return err
	}
	if n, err = Contacts.Count(tx, "merged_into = ?", b.ID); err == nil && n >= mostLinked {
		return errs.New(errs.TooLarge, "Fifty people are merged into this one already.")
	}
	return err
}

// Unmerge takes a merge back within 30 days.
func (s *Service) Unmerge(ctx context.Context, actor vault.Actor, from ids.Contact) error {
	return s.vault.Do(ctx, actor, actUnmerge, func(tx *vault.Tx) error {
		c, err := Contacts.Get(tx, from)
		if err != nil {
			return err
		}
		if c.MergedInto.IsZero() {
			return errs.New(errs.Conflict, "This person is not merged into another.")
		}
		last, err := latestMerge(tx, from)
		if err != nil {
			return err
		}
		if tx.Now().Sub(last.At) > undoWindow {
			return errs.New(errs.Conflict, "A merge can be undone for 30 days.")
		}
		return undo(tx, c, last)
	})
}

func latestMerge(tx *vault.Tx, from ids.Contact) (Merging, error) {
	found, err := Mergings.Find(tx, "contact = ? AND undone_at IS NULL ORDER BY id DESC LIMIT 1", from)
	if err != nil {
		return Merging{}, err
	}
	if len(found) == 0 {
		return Merging{}, errs.New(errs.NotFound, "There is no such merge.")
	}
	return found[0], nil
}

func undo(tx *vault.Tx, c Contact, m Merging) error {
	m.UndoneAt, m.UndoneBy = tx.Now(), tx.Actor().User()
	if err := errors.Join(Mergings.Put(tx, m), holds.Unmerged(tx, c.ID, m.Into)); err != nil {
		return err
	}
	c.MergedInto, c.UpdatedAt = ids.Contact{}, tx.Now()
	return put(tx, c)
}

// unlink takes back every merge that a contact is part of, without a time limit: what was a claim has become known.
func unlink(tx *vault.Tx, c *Contact) error {
	linked, err := Contacts.Find(tx, "merged_into = ? ORDER BY id LIMIT 50", c.ID)
	for _, other := range linked {
		m, err := latestMerge(tx, other.ID)
		if err != nil {
			return err
		}
		if err := undo(tx, other, m); err != nil {
			return err
		}
	}
	if err != nil || c.MergedInto.IsZero() {
		return err
	}
	m, err := latestMerge(tx, c.ID)
	if err != nil {
		return err
	}
	m.UndoneAt = tx.Now()
	c.MergedInto = ids.Contact{}
	return errors.Join(Mergings.Put(tx, m), holds.Unmerged(tx, c.ID, m.Into))
}

// MergeHistory lists the merges that a contact was part of, newest first.
func (s *Service) MergeHistory(ctx context.Context, actor vault.Actor, id ids.Contact) ([]Merging, error) {
	var all []Merging
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		if _, err = Contacts.Get(tx, id); err == nil {
			all, err = mergesOf(tx, id)
		}
		return err
	})
	return all, err
}

func mergesOf(tx *vault.Tx, id ids.Contact) ([]Merging, error) {
	went, err := Mergings.Find(tx, "contact = ? ORDER BY id DESC LIMIT 100", id)
	if err != nil {
		return nil, err
	}
	came, err := Mergings.Find(tx, "into_contact = ? ORDER BY id DESC LIMIT 100", id)
	all := append(went, came...)
	sort.Slice(all, func(i, j int) bool { return all[i].At.After(all[j].At) })
	return all, err
}

// Block stops or lets again a contact write to the tenant.
func (s *Service) Block(ctx context.Context, actor vault.Actor, id ids.Contact, blocked bool) error {
	return s.mark(ctx, actor, actBlock, id, func(c *Contact, now time.Time) { c.BlockedAt = when(blocked, now) })
}

// Welcome refuses a contact who may not write: one who is blocked, or merged into one who is.
func (s *Service) Welcome(tx *vault.Tx, id ids.Contact) error { return s.WelcomeLater(tx, id)() }

// WelcomeLater is Welcome whose answer is needed a little later.
func (s *Service) WelcomeLater(tx *vault.Tx, id ids.Contact) (welcome func() error) {
	blocked := Contacts.Later(tx, "blocked_at IS NOT NULL AND (id = ? OR id = (SELECT merged_into FROM contacts WHERE id = ?))", id, id)
	return func() error {
		found, err := blocked()
		if len(found) > 0 {
			return errs.New(errs.Forbidden, "You can no longer write here.")
		}
		return err
	}
}

// Archive hides or shows again a contact in lists.
func (s *Service) Archive(ctx context.Context, actor vault.Actor, id ids.Contact, archived bool) error {
	return s.mark(ctx, actor, actArchive, id, func(c *Contact, now time.Time) { c.ArchivedAt = when(archived, now) })
}

func when(yes bool, now time.Time) time.Time {
	if yes {
		return now
	}
	return time.Time{}
}

func (s *Service) mark(ctx context.Context, actor vault.Actor, action *vault.Action, id ids.Contact, set func(*Contact, time.Time)) error {
	return s.vault.Do(ctx, actor, action, func(tx *vault.Tx) error {
		c, err := Contacts.Get(tx, id)
		if err != nil {
			return err
		}
		c.UpdatedAt = tx.Now()
		set(&c, c.UpdatedAt)
		return put(tx, c)
	})
}
