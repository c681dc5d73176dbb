package contacts

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
)

// A merge is a link: the merged contact keeps its own key and rows and is shown with the one it went into. So a merge
// can be undone without loss, and an erasure still finds every row.

const undoWindow = 30 * 24 * time.Hour

var (
	actMerge   = vault.Act("contact.merge", staff, vault.Scope(scopeWrite))
	actUnmerge = vault.Act("contact.unmerge", staff, vault.Scope(scopeWrite))
	actBlock   = vault.Act("contact.block", staff, vault.Scope(scopeWrite))
	actArchive = vault.Act("contact.archive", staff, vault.Scope(scopeWrite))
)

// Merge shows one contact with another from now on. An unverified contact is never merged into a verified one, nor are
// two that the tenant's site knows by different names.
func (s *Service) Merge(ctx context.Context, actor vault.Actor, from, into ids.Contact) error {
	if from == into {
		return errs.New(errs.Invalid, "Choose two different people.")
	}
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
		return Contacts.Put(tx, a)
	})
}

func mergeable(tx *vault.Tx, a, b Contact) error {
	switch {
	case !a.MergedInto.IsZero() || !b.MergedInto.IsZero():
		return errs.New(errs.Conflict, "One of them is merged already. Undo that first.")
	case a.Verified != b.Verified:
		return errs.New(errs.Conflict, "One identity is verified and the other is a claim. They stay apart, so that nobody gets at somebody else's data by claiming to be them.")
	case a.Verified && b.Verified && a.ExternalID != b.ExternalID:
		return errs.New(errs.Conflict, "Your site knows these as two different people.")
	}
	n, err := Contacts.Count(tx, "merged_into = ?", a.ID)
	if err == nil && n > 0 {
		return errs.New(errs.Conflict, "Others are merged into this person. Merge in the other direction.")
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
		if tx.Now().Sub(c.UpdatedAt) > undoWindow {
			return errs.New(errs.Conflict, "A merge can be undone for 30 days.")
		}
		tx.Emit(vault.Event{Kind: "contact.updated", Object: from.String(), Subject: from}, nil)
		c.MergedInto, c.UpdatedAt = ids.Contact{}, tx.Now()
		return Contacts.Put(tx, c)
	})
}

// Block stops or lets again a contact write to the tenant.
func (s *Service) Block(ctx context.Context, actor vault.Actor, id ids.Contact, blocked bool) error {
	return s.mark(ctx, actor, actBlock, id, func(c *Contact, now time.Time) { c.BlockedAt = when(blocked, now) })
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
		set(&c, tx.Now())
		c.UpdatedAt = tx.Now()
		tx.Emit(vault.Event{Kind: "contact.updated", Object: id.String(), Subject: id}, nil)
		return Contacts.Put(tx, c)
	})
}

// cleanText checks free text and masks card numbers in it. limit is in characters.
func cleanText(text string, limit int) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", errs.New(errs.Invalid, "There is no text.", errs.Field{Field: "body", Code: "required", Message: "Write something."})
	}
	if utf8.RuneCountInString(text) > limit || !utf8.ValidString(text) {
		return "", errs.New(errs.Invalid, "The text is too long.", errs.Field{Field: "body", Code: "too-long", Message: "Use at most 10,000 characters."})
	}
	text, _ = cards.Mask(text)
	return text, nil
}
