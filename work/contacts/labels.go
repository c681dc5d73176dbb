package contacts

import (
	"context"
	"strings"
	"unicode/utf8"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
)

const (
	maxTags      = 200
	maxTagsOfOne = 20
)

// Tags lists the labels there are, oldest first.
func (s *Service) Tags(ctx context.Context, actor vault.Actor) ([]Tag, error) {
	var all []Tag
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		all, err = Tags.Find(tx, "ORDER BY id LIMIT 200")
		return err
	})
	return all, err
}

// MakeTag adds a label. Its name is its own; hue is 0 (grey) to 8.
func (s *Service) MakeTag(ctx context.Context, actor vault.Actor, name string, hue int) (Tag, error) {
	name, err := cleanName(name)
	if err != nil {
		return Tag{}, err
	}
	t := Tag{Name: name, Hue: max(0, min(8, hue))}
	err = s.vault.Do(ctx, actor, actTag, func(tx *vault.Tx) error {
		n, err := Tags.Count(tx, "")
		if err != nil {
			return err
		}
		if n >= maxTags {
			return errs.New(errs.TooLarge, "There can be 200 labels.")
		}
		t.ID, t.CreatedAt = ids.New[tag](tx.Now()), tx.Now()
		return Tags.Add(tx, t)
	})
	return t, nameTaken(err)
}

// ChangeTag gives a label another name or colour.
func (s *Service) ChangeTag(ctx context.Context, actor vault.Actor, id TagID, name string, hue int) (Tag, error) {
	name, err := cleanName(name)
	if err != nil {
		return Tag{}, err
	}
	var t Tag
	err = s.vault.Do(ctx, actor, actTag, func(tx *vault.Tx) (err error) {
		if t, err = Tags.Get(tx, id); err != nil {
			return err
		}
		t.Name, t.Hue = name, max(0, min(8, hue))
		return Tags.Put(tx, t)
	})
	return t, nameTaken(err)
}

// removedAtOnce is how many contacts lose a label in one transaction.
const removedAtOnce = 1000

// RemoveTag takes a label off everybody and removes it.
func (s *Service) RemoveTag(ctx context.Context, actor vault.Actor, id TagID) error {
	for {
		left := false
		err := s.vault.Do(ctx, actor, actTag, func(tx *vault.Tx) error {
			n, err := Taggings.DeleteWhere(tx, "tag = ? LIMIT ?", id, removedAtOnce)
			if err != nil {
				return err
			}
			if left = n == removedAtOnce; left {
				return nil
			}
			return Tags.Delete(tx, id)
		})
		if err != nil || !left {
			return err
		}
	}
}

// Label puts a label on a contact. Doing it twice changes nothing.
func (s *Service) Label(ctx context.Context, actor vault.Actor, contact ids.Contact, id TagID) error {
	return s.vault.Do(ctx, actor, actLabel, func(tx *vault.Tx) error {
		if _, err := Contacts.Get(tx, contact); err != nil {
			return err
		}
		if _, err := Tags.Get(tx, id); err != nil {
			return err
		}
		return PutLabel(tx, contact, id)
	})
}

// PutLabel puts a label that exists on a contact that exists, as part of a change that says why.
func PutLabel(tx *vault.Tx, contact ids.Contact, id TagID) error {
	n, err := Taggings.Count(tx, "contact = ? AND tag <> ?", contact, id)
	if err != nil {
		return err
	}
	if n >= maxTagsOfOne {
		return errs.New(errs.TooLarge, "A person can carry 20 labels.")
	}
	return Taggings.Put(tx, Tagging{Contact: contact, Tag: id, At: tx.Now()})
}

// Unlabel takes a label off a contact; errs.NotFound if it does not carry it.
func (s *Service) Unlabel(ctx context.Context, actor vault.Actor, contact ids.Contact, id TagID) error {
	return s.vault.Do(ctx, actor, actLabel, func(tx *vault.Tx) error {
		return Taggings.Delete(tx, contact, id)
	})
}

// TagsOf lists the labels that a contact carries.
func (s *Service) TagsOf(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]Tag, error) {
	var all []Tag
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		if _, err = Contacts.Get(tx, contact); err != nil {
			return err
		}
		all, err = tagged(tx, contact)
		return err
	})
	return all, err
}

func tagged(tx *vault.Tx, contact ids.Contact) ([]Tag, error) {
	return Tags.Find(tx, "id IN (SELECT tag FROM contact_taggings WHERE contact = ?) ORDER BY id LIMIT 100", contact)
}

// cleanName checks the name of a label or segment.
func cleanName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > 60 || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return name, errs.New(errs.Invalid, "The name is not usable.", errs.Field{Field: "name", Code: "malformed", Message: "Write a name of up to 60 characters."})
	}
	return name, nil
}

func nameTaken(err error) error {
	if errs.Is(err, errs.Conflict) {
		return errs.New(errs.Conflict, "There is one of this name already.", errs.Field{Field: "name", Code: "taken", Message: "Choose another name."}).Because(err)
	}
	return err
}
