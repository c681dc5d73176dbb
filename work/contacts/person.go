package contacts

import (
	"context"
	"sort"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/contacts/attributes"
	"aver/work/contacts/notes"
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
	Notes      []notes.Note
	Changes    []Change
	Merges     []Merging
	Tags       []Tag
	Attributes []attributes.Attribute
	Consents   []consent.State
	Grounds    []consent.Assertion
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
		written, err := notes.Of(tx, id)
		if err != nil {
			return err
		}
		changes, err := Changes.Find(tx, "contact = ? ORDER BY id DESC LIMIT 100", id)
		if err != nil {
			return err
		}
		p.Notes, p.Changes = append(p.Notes, written...), append(p.Changes, changes...)
	}
	sort.Slice(p.Notes, func(i, j int) bool { return p.Notes[i].At.After(p.Notes[j].At) })
	sort.Slice(p.Changes, func(i, j int) bool { return p.Changes[i].At.After(p.Changes[j].At) })
	if p.Merges, err = mergesOf(tx, p.Contact.ID); err != nil {
		return err
	}
	if p.Consents, err = consent.Of(tx, p.Contact.ID); err != nil {
		return err
	}
	if p.Grounds, err = consent.Asserted(tx, p.Contact.ID); err != nil {
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
	sort.Slice(all, func(i, j int) bool { return all[i].At.UnixMicro() > all[j].At.UnixMicro() })
	return all[:min(len(all), shownEvents)], nil
}
