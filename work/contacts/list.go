package contacts

import (
	"context"
	"slices"
	"strings"
	"time"

	"aver/base/ids"
	"aver/base/phone"
	"aver/frame/mail"
	"aver/frame/request"
	"aver/vault"
	"aver/work/contacts/notes"
)

// Filter chooses contacts. The zero Filter is everybody who is not archived or merged into somebody else.
type Filter struct {
	Role     Role
	Label    TagID
	Segment  SegmentID
	Search   string // words, the last may be a beginning; or a whole address, number or external_id
	Archived bool
	After    request.Cursor[ids.Contact]
	Limit    int // 50 if 0, at most 100
}

// Page is a part of a list, and where the next part starts. A search has one part.
type Page struct {
	Contacts []Contact
	Tags     map[ids.Contact][]TagID
	Next     request.Cursor[ids.Contact]
}

// List reads contacts, whoever was seen last first.
func (s *Service) List(ctx context.Context, actor vault.Actor, f Filter) (Page, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 100)
	var out Page
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		rules := []Rule{{Role: f.Role, Label: f.Label}}
		if !f.Segment.IsZero() {
			saved, err := Segments.Get(tx, f.Segment)
			if err != nil {
				return err
			}
			rules = append(rules, saved.Rule)
		}
		if f.Search != "" {
			out.Contacts, err = found(tx, f, rules)
		} else {
			out.Contacts, err = listed(tx, f, rules)
		}
		if err != nil {
			return err
		}
		out.Contacts, out.Next = request.Cut(out.Contacts, f.Limit, func(c Contact) request.Cursor[ids.Contact] {
			return request.Cursor[ids.Contact]{At: c.SeenAt, ID: c.ID}
		})
		out.Tags, err = tagsOf(tx, out.Contacts)
		return err
	})
	return out, err
}

// listed reads one row more than asked for. The tail is made of constant parts; indexes end in (seen_at, id).
func listed(tx *vault.Tx, f Filter, rules []Rule) ([]Contact, error) {
	tail, args := "merged_into IS NULL AND archived_at IS NULL", []any(nil)
	if f.Archived {
		tail = "merged_into IS NULL AND archived_at IS NOT NULL"
	}
	for _, r := range rules {
		part, more := r.where(tx.Now())
		tail, args = tail+part, append(args, more...)
	}
	if !f.After.IsZero() {
		tail, args = tail+" AND (seen_at, id) < (?, ?)", append(args, f.After.At, f.After.ID)
	}
	return Contacts.Find(tx, tail+" ORDER BY seen_at DESC, id DESC LIMIT ?", append(args, f.Limit+1)...)
}

// found searches contacts and their notes, and shows a merged contact as the one it went into. Who has exactly the
// address, number or external_id comes first.
func found(tx *vault.Tx, f Filter, rules []Rule) ([]Contact, error) {
	hits, err := exact(tx, f.Search)
	if err != nil {
		return nil, err
	}
	byWords, err := Contacts.Search(tx, f.Search, f.Limit)
	if err != nil {
		return nil, err
	}
	written, err := notes.Table.Search(tx, f.Search, f.Limit)
	if err != nil {
		return nil, err
	}
	hits = append(hits, byWords...)
	var more []ids.Contact
	for _, n := range written {
		more = append(more, n.Contact)
	}
	for _, c := range hits {
		if !c.MergedInto.IsZero() {
			more = append(more, c.MergedInto)
		}
	}
	others, err := many(tx, more)
	if err != nil {
		return nil, err
	}
	winners, err := many(tx, winnersOf(others))
	if err != nil {
		return nil, err
	}
	for _, n := range written {
		hits = append(hits, others[n.Contact])
	}
	seen := map[ids.Contact]bool{{}: true} // nobody, for notes of the erased
	var out []Contact
	for _, c := range hits {
		if into, ok := others[c.MergedInto]; ok {
			c = into
		}
		if into, ok := winners[c.MergedInto]; ok {
			c = into
		}
		if seen[c.ID] || f.Archived != !c.ArchivedAt.IsZero() {
			continue
		}
		seen[c.ID] = true
		if fits, err := match(tx, c, rules); err != nil {
			return nil, err
		} else if fits {
			out = append(out, c)
		}
	}
	return out[:min(len(out), f.Limit)], nil
}

func winnersOf(all map[ids.Contact]Contact) []ids.Contact {
	var out []ids.Contact
	for _, c := range all {
		if !c.MergedInto.IsZero() {
			out = append(out, c.MergedInto)
		}
	}
	return out
}

// exact finds contacts by a whole address, number or external_id.
func exact(tx *vault.Tx, text string) ([]Contact, error) {
	text = strings.TrimSpace(text)
	out, err := Contacts.Lookup(tx, "external_id", text)
	if err != nil {
		return nil, err
	}
	if mail.IsAddress(text) {
		more, err := Contacts.Lookup(tx, "email", text)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	if number, ok := phone.Parse(text, ""); ok {
		more, err := Contacts.Lookup(tx, "phone", number)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// tagsOf reads which labels contacts carry.
func tagsOf(tx *vault.Tx, list []Contact) (map[ids.Contact][]TagID, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := map[ids.Contact][]TagID{}
	var names []ids.Contact
	for _, c := range list {
		names = append(names, c.ID)
	}
	for part := range slices.Chunk(names, atOnce) {
		all, err := Taggings.Find(tx, tagsOfMany, repeated(part)...)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			out[t.Contact] = append(out[t.Contact], t.Tag)
		}
	}
	return out, nil
}

// Linked tells which contacts are merged into one, itself first: whoever erases it erases all of them.
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

// Any tells whether there is anybody yet.
func (s *Service) Any(ctx context.Context, actor vault.Actor) (bool, error) {
	some := false
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		list, err := Contacts.Find(tx, "ORDER BY seen_at DESC LIMIT 1")
		some = len(list) > 0
		return err
	})
	return some, err
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
