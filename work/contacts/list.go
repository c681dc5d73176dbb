package contacts

import (
	"context"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/request"
	"aver/vault"
)

// Filter chooses contacts. The zero Filter is everybody who is not archived or merged into somebody else.
type Filter struct {
	Role     Role
	Search   string // words; the last may be a beginning
	Archived bool
	After    request.Cursor[ids.Contact]
	Limit    int // 50 if 0, at most 100
}

// Page is a part of a list, and where the next part starts.
type Page struct {
	Contacts []Contact
	Next     request.Cursor[ids.Contact]
}

const (
	listPlain = "merged_into IS NULL AND archived_at IS NULL AND (seen_at, id) < (?, ?) ORDER BY seen_at DESC, id DESC LIMIT ?"
	listGone  = "merged_into IS NULL AND archived_at IS NOT NULL AND (seen_at, id) < (?, ?) ORDER BY seen_at DESC, id DESC LIMIT ?"
	listRole  = "role = ? AND merged_into IS NULL AND archived_at IS NULL AND (seen_at, id) < (?, ?) ORDER BY seen_at DESC, id DESC LIMIT ?"
)

// lastID is after every identifier.
var lastID = ids.Contact{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// List reads contacts, whoever was seen last first.
func (s *Service) List(ctx context.Context, actor vault.Actor, f Filter) (Page, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 100)
	var out Page
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		if f.Search != "" {
			out.Contacts, err = s.found(tx, f.Search, f.Limit)
			return err
		}
		at, id := f.After.At, f.After.ID
		if f.After.IsZero() {
			at, id = time.Unix(1<<40, 0), lastID
		}
		switch {
		case f.Role != "":
			out.Contacts, err = Contacts.Find(tx, listRole, string(f.Role), at, id, f.Limit+1)
		case f.Archived:
			out.Contacts, err = Contacts.Find(tx, listGone, at, id, f.Limit+1)
		default:
			out.Contacts, err = Contacts.Find(tx, listPlain, at, id, f.Limit+1)
		}
		return err
	})
	if len(out.Contacts) > f.Limit {
		out.Contacts = out.Contacts[:f.Limit]
		last := out.Contacts[f.Limit-1]
		out.Next = request.Cursor[ids.Contact]{At: last.SeenAt, ID: last.ID}
	}
	return out, err
}

// found searches contacts and their notes, and shows a merged contact as the one it went into.
func (s *Service) found(tx *vault.Tx, words string, limit int) ([]Contact, error) {
	hits, err := Contacts.Search(tx, words, limit)
	if err != nil {
		return nil, err
	}
	notes, err := Notes.Search(tx, words, limit)
	if err != nil {
		return nil, err
	}
	seen := map[ids.Contact]bool{}
	var out []Contact
	add := func(c Contact) error {
		if !c.MergedInto.IsZero() {
			if c, err = Contacts.Get(tx, c.MergedInto); err != nil {
				return err
			}
		}
		if !seen[c.ID] && len(out) < limit {
			seen[c.ID] = true
			out = append(out, c)
		}
		return nil
	}
	for _, c := range hits {
		if err := add(c); err != nil {
			return nil, err
		}
	}
	for _, n := range notes {
		c, err := Contacts.Get(tx, n.Contact)
		if errs.Is(err, errs.NotFound) {
			continue
		}
		if err == nil {
			err = add(c)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

var actNote = vault.Act("contact.note", staff, vault.Scope(scopeWrite))

const maxNote = 10_000 // characters

// AddNote writes something down about a contact.
func (s *Service) AddNote(ctx context.Context, actor vault.Actor, contact ids.Contact, body string) (Note, error) {
	text, err := noteText(body)
	if err != nil {
		return Note{}, err
	}
	n := Note{Contact: contact, Author: actor.User(), Body: text}
	err = s.vault.Do(ctx, actor, actNote, func(tx *vault.Tx) error {
		if _, err := Contacts.Get(tx, contact); err != nil {
			return err
		}
		n.ID, n.At = ids.NewObject(tx.Now()), tx.Now()
		return Notes.Add(tx, n)
	})
	return n, err
}

// DeleteNote removes a note.
func (s *Service) DeleteNote(ctx context.Context, actor vault.Actor, contact ids.Contact, id ids.Object) error {
	return s.vault.Do(ctx, actor, actNote, func(tx *vault.Tx) error {
		n, err := Notes.Get(tx, id)
		if err != nil {
			return err
		}
		if n.Contact != contact {
			return errs.New(errs.NotFound, "There is no such note about this person.")
		}
		return Notes.Delete(tx, id)
	})
}

// Person is everything the person's page shows at once.
type Person struct {
	Contact Contact
	Linked  []Contact // merged into this one
	Notes   []Note
	Changes []Change
	Rows    map[string]int // how many rows about the person each table holds
	Key     bool           // the key exists: what is sealed can be read
}

// Person reads a person's page; the journal says who looked.
func (s *Service) Person(ctx context.Context, actor vault.Actor, id ids.Contact) (Person, error) {
	var p Person
	err := s.vault.View(ctx, actor, actView, func(tx *vault.Tx) (err error) {
		tx.About(id)
		if p.Contact, err = Contacts.Get(tx, id); err != nil {
			return err
		}
		if p.Linked, err = Contacts.Find(tx, "merged_into = ? ORDER BY id LIMIT 50", id); err != nil {
			return err
		}
		if p.Notes, err = Notes.Find(tx, "contact = ? ORDER BY id DESC LIMIT 100", id); err != nil {
			return err
		}
		if p.Changes, err = Changes.Find(tx, "contact = ? ORDER BY id DESC LIMIT 100", id); err != nil {
			return err
		}
		p.Rows, err = s.vault.Totals(tx, id)
		return err
	})
	if err != nil {
		return p, err
	}
	p.Key, err = s.vault.HasKey(ctx, actor, id)
	return p, err
}

// Linked tells which contacts are merged into one, itself first: an erasure of one is an erasure of all.
func Linked(tx *vault.Tx, id ids.Contact) ([]ids.Contact, error) {
	out := []ids.Contact{id}
	merged, err := Contacts.Find(tx, "merged_into = ? ORDER BY id LIMIT 1000", id)
	for _, c := range merged {
		out = append(out, c.ID)
	}
	return out, err
}

// WithEmail tells which contacts have an address.
func WithEmail(tx *vault.Tx, email string) ([]ids.Contact, error) {
	found, err := Contacts.Lookup(tx, "email", email)
	var out []ids.Contact
	for _, c := range found {
		out = append(out, c.ID)
	}
	return out, err
}

func noteText(body string) (personal.Text, error) {
	text, err := cleanText(body, maxNote)
	if err != nil {
		return personal.Text{}, err
	}
	return personal.Of(text), nil
}
