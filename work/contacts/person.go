package contacts

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/contacts/attributes"
)

// Timeline is a module that knows what happened with a person.
type Timeline interface {
	// Events reads the newest things that happened with a contact, at most limit.
	Events(tx *vault.Tx, contact ids.Contact, limit int) ([]TimelineItem, error)
}

// TimelineItem is something that happened with a person.
type TimelineItem struct {
	At    time.Time
	Icon  string // of frame/page
	Title string
	Text  personal.Text
	Href  string // where more of it is
	Who   ids.User
}

// AddTimeline lets a module tell on the person's page what happened. Call it before the first request.
func (s *Service) AddTimeline(t Timeline) { s.timelines = append(s.timelines, t) }

// Person is everything the person's page shows at once.
type Person struct {
	Contact    Contact
	Linked     []Contact // merged into this one
	Into       Contact   // the one this is merged into, zero if it is not
	Notes      []Note
	Changes    []Change
	Merges     []Merging
	Tags       []Tag
	Attributes []attributes.Attribute
	Consents   []consent.State
	Events     []TimelineItem // what other modules know, newest first
	Rows       map[string]int // how many rows about the person, and whoever is merged into it, each table holds
	Key        bool           // the key exists: what is sealed can be read
	Authors    map[ids.User]personal.Text
}

const shownEvents = 100

// Tables is the data catalogue, for showing what holds something about a person.
func (s *Service) Tables() []vault.AnyTable { return s.vault.Tables() }

// Person reads a person's page; the journal says who looked.
func (s *Service) Person(ctx context.Context, actor vault.Actor, id ids.Contact) (Person, error) {
	var p Person
	err := s.vault.View(ctx, actor, actView, func(tx *vault.Tx) (err error) {
		p = Person{}
		tx.About(id)
		if p.Contact, err = Contacts.Get(tx, id); err != nil {
			return err
		}
		if err := p.people(tx); err != nil {
			return err
		}
		if err := p.matter(tx); err != nil {
			return err
		}
		if p.Rows, err = s.rows(tx, p); err != nil {
			return err
		}
		p.Events, err = s.events(tx, p)
		return err
	})
	if err != nil {
		return p, err
	}
	p.Key, err = s.vault.HasKey(ctx, actor, id)
	return p, err
}

// people reads who is shown together with the person.
func (p *Person) people(tx *vault.Tx) (err error) {
	if p.Linked, err = Contacts.Find(tx, "merged_into = ? ORDER BY id LIMIT 50", p.Contact.ID); err != nil {
		return err
	}
	if !p.Contact.MergedInto.IsZero() {
		if p.Into, err = Contacts.Get(tx, p.Contact.MergedInto); absent(err) != nil {
			return err
		}
	}
	p.Authors, err = identity.Names(tx)
	return err
}

// matter reads what is kept of the person and of whoever is merged into it.
func (p *Person) matter(tx *vault.Tx) (err error) {
	for _, id := range p.all() {
		notes, err := Notes.Find(tx, "contact = ? ORDER BY id DESC LIMIT 100", id)
		if err != nil {
			return err
		}
		changes, err := Changes.Find(tx, "contact = ? ORDER BY id DESC LIMIT 100", id)
		if err != nil {
			return err
		}
		p.Notes, p.Changes = append(p.Notes, notes...), append(p.Changes, changes...)
	}
	slices.SortFunc(p.Notes, func(a, b Note) int { return b.At.Compare(a.At) })
	slices.SortFunc(p.Changes, func(a, b Change) int { return b.At.Compare(a.At) })
	if p.Merges, err = mergesOf(tx, p.Contact.ID); err != nil {
		return err
	}
	if p.Consents, err = consent.Of(tx, p.Contact.ID); err != nil {
		return err
	}
	if p.Attributes, err = attributes.List(tx); err != nil {
		return err
	}
	p.Tags, err = tagged(tx, p.Contact.ID)
	return err
}

func (p *Person) all() []ids.Contact {
	out := []ids.Contact{p.Contact.ID}
	for _, c := range p.Linked {
		out = append(out, c.ID)
	}
	return out
}

func (s *Service) rows(tx *vault.Tx, p Person) (map[string]int, error) {
	sum := map[string]int{}
	for _, id := range p.all() {
		rows, err := s.vault.Totals(tx, id)
		if err != nil {
			return nil, err
		}
		for table, n := range rows {
			sum[table] += n
		}
	}
	return sum, nil
}

func (s *Service) events(tx *vault.Tx, p Person) ([]TimelineItem, error) {
	var all []TimelineItem
	for _, t := range s.timelines {
		for _, id := range p.all() {
			items, err := t.Events(tx, id, shownEvents)
			if err != nil {
				return nil, err
			}
			all = append(all, items...)
		}
	}
	slices.SortFunc(all, func(a, b TimelineItem) int { return cmp.Compare(b.At.UnixMicro(), a.At.UnixMicro()) })
	return all[:min(len(all), shownEvents)], nil
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

// NoteList reads the notes about a contact, newest first.
func (s *Service) NoteList(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]Note, error) {
	var all []Note
	err := s.vault.View(ctx, actor, actView, func(tx *vault.Tx) (err error) {
		tx.About(contact)
		if _, err = Contacts.Get(tx, contact); err != nil {
			return err
		}
		all, err = Notes.Find(tx, "contact = ? ORDER BY id DESC LIMIT 100", contact)
		return err
	})
	return all, err
}

// DeleteNote removes a note.
func (s *Service) DeleteNote(ctx context.Context, actor vault.Actor, contact ids.Contact, id ids.Object) error {
	return s.vault.Do(ctx, actor, actNote, func(tx *vault.Tx) error {
		n, err := Notes.Get(tx, id)
		if err != nil {
			return err
		}
		if n.Contact != contact {
			return errNoNote
		}
		return Notes.Delete(tx, id)
	})
}

// noteText checks free text and masks card numbers in it.
func noteText(body string) (personal.Text, error) {
	body = strings.TrimSpace(body)
	if body == "" {
		return personal.Text{}, errs.New(errs.Invalid, "There is no text.", errs.Field{Field: "body", Code: "required", Message: "Write something."})
	}
	if utf8.RuneCountInString(body) > maxNote || !utf8.ValidString(body) {
		return personal.Text{}, errs.New(errs.Invalid, "The text is too long.", errs.Field{Field: "body", Code: "too-long", Message: "Use at most 10,000 characters."})
	}
	body, _ = cards.Mask(body)
	return personal.Of(body), nil
}
