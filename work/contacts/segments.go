package contacts

import (
	"context"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
)

// Rule is what a segment's people have in common. The zero Rule fits everybody. It looks at plain columns and labels
// only, so the database answers it by index and opens nothing that is sealed.
type Rule struct {
	Role    Role  `json:"role,omitempty"`
	Label   TagID `json:"label,omitzero"`
	Known   Known `json:"known,omitempty"`
	Seen    int   `json:"seen,omitempty"`    // here in the last so many days
	Unseen  int   `json:"unseen,omitempty"`  // not here for so many days
	Created int   `json:"created,omitempty"` // made in the last so many days
	Blocked bool  `json:"blocked,omitempty"`
}

// Known narrows to whom the tenant's site has proved, or has not.
type Known string

// The choices; empty means either.
const (
	OnlyVerified   Known = "verified"
	OnlyUnverified Known = "unverified"
)

// where is the rule as part of a query, made of constant text, and its values.
func (r Rule) where(now time.Time) (string, []any) {
	tail, args := "", []any(nil)
	add := func(yes bool, text string, values ...any) {
		if yes {
			tail, args = tail+text, append(args, values...)
		}
	}
	add(r.Role != "", " AND role = ?", string(r.Role))
	add(!r.Label.IsZero(), " AND id IN (SELECT contact FROM contact_taggings WHERE tag = ?)", r.Label)
	add(r.Known == OnlyVerified, " AND verified = ?", true)
	add(r.Known == OnlyUnverified, " AND verified = ?", false)
	add(r.Seen > 0, " AND seen_at >= ?", now.Add(-days(r.Seen)))
	add(r.Unseen > 0, " AND seen_at < ?", now.Add(-days(r.Unseen)))
	add(r.Created > 0, " AND created_at >= ?", now.Add(-days(r.Created)))
	add(r.Blocked, " AND blocked_at IS NOT NULL")
	return tail, args
}

// match tells whether a contact that was read already fits the rules.
func match(tx *vault.Tx, c Contact, rules []Rule) (bool, error) {
	for _, r := range rules {
		now := tx.Now()
		if r.Role != "" && c.Role != r.Role || r.Known == OnlyVerified && !c.Verified || r.Known == OnlyUnverified && c.Verified ||
			r.Seen > 0 && c.SeenAt.Before(now.Add(-days(r.Seen))) || r.Unseen > 0 && !c.SeenAt.Before(now.Add(-days(r.Unseen))) ||
			r.Created > 0 && c.CreatedAt.Before(now.Add(-days(r.Created))) || r.Blocked && c.BlockedAt.IsZero() {
			return false, nil
		}
		if r.Label.IsZero() {
			continue
		}
		n, err := Taggings.Count(tx, "contact = ? AND tag = ?", c.ID, r.Label)
		if err != nil || n == 0 {
			return false, err
		}
	}
	return true, nil
}

const (
	maxSegments = 100
	maxDays     = 3650
)

// Segments lists the segments, oldest first.
func (s *Service) Segments(ctx context.Context, actor vault.Actor) ([]Segment, error) {
	var all []Segment
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		all, err = Segments.Find(tx, "ORDER BY id LIMIT 100")
		return err
	})
	return all, err
}

// MakeSegment keeps a filter under a name.
func (s *Service) MakeSegment(ctx context.Context, actor vault.Actor, name string, rule Rule) (Segment, error) {
	name, err := cleanName(name)
	if err != nil {
		return Segment{}, err
	}
	if err := rule.check(); err != nil {
		return Segment{}, err
	}
	made := Segment{Name: name, Rule: rule}
	err = s.vault.Do(ctx, actor, actSegment, func(tx *vault.Tx) error {
		if !rule.Label.IsZero() {
			if _, err := Tags.Get(tx, rule.Label); err != nil {
				return errs.New(errs.Invalid, "There is no such label.", errs.Field{Field: "label", Code: "unknown", Message: "Choose a label."})
			}
		}
		n, err := Segments.Count(tx, "")
		if err != nil {
			return err
		}
		if n >= maxSegments {
			return errs.New(errs.TooLarge, "There can be 100 segments.")
		}
		made.ID, made.CreatedAt = ids.New[segment](tx.Now()), tx.Now()
		return Segments.Add(tx, made)
	})
	return made, nameTaken(err)
}

// RemoveSegment forgets a filter; nobody in it changes.
func (s *Service) RemoveSegment(ctx context.Context, actor vault.Actor, id SegmentID) error {
	return s.vault.Do(ctx, actor, actSegment, func(tx *vault.Tx) error { return Segments.Delete(tx, id) })
}

func (r Rule) check() error {
	var bad []errs.Field
	if r.Role != "" && r.Role != Lead && r.Role != User && r.Role != Visitor {
		bad = append(bad, errs.Field{Field: "role", Code: "unknown", Message: "Choose a role."})
	}
	if r.Known != "" && r.Known != OnlyVerified && r.Known != OnlyUnverified {
		bad = append(bad, errs.Field{Field: "known", Code: "unknown", Message: "Choose verified or unverified."})
	}
	for _, f := range []struct {
		name string
		days int
	}{{"seen", r.Seen}, {"unseen", r.Unseen}, {"created", r.Created}} {
		if f.days < 0 || f.days > maxDays {
			bad = append(bad, errs.Field{Field: f.name, Code: "out-of-range", Message: "Write a number of days up to 3,650."})
		}
	}
	if r == (Rule{}) {
		bad = append(bad, errs.Field{Field: "", Code: "required", Message: "Say what the people in it have in common."})
	}
	if len(bad) > 0 {
		return errs.New(errs.Invalid, "The segment is not usable as it is.", bad...)
	}
	return nil
}

// SegmentsOf lists the segments that a contact is in now.
func (s *Service) SegmentsOf(ctx context.Context, actor vault.Actor, id ids.Contact) ([]Segment, error) {
	var in []Segment
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		in = nil
		c, err := Contacts.Get(tx, id)
		if err != nil {
			return err
		}
		all, err := Segments.Find(tx, "ORDER BY id LIMIT 100")
		if err != nil {
			return err
		}
		for _, g := range all {
			fits, err := match(tx, c, []Rule{g.Rule})
			if err != nil {
				return err
			}
			if fits {
				in = append(in, g)
			}
		}
		return nil
	})
	return in, err
}
