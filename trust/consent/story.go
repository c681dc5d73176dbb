package consent

import (
	"context"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
)

// Story is what happened between a person and the tenant's purposes: the newest 200 acts and grounds.
type Story struct {
	Acts    []Record     // oldest first
	Grounds []Assertion  // oldest first
	Asked   []NoticeText // newer words than those a person agreed to, from when on they are asked again
	Names   map[string]map[string]string
	Now     time.Time
}

// Story reads what happened with people who are shown as one.
func (s *Service) Story(ctx context.Context, actor vault.Actor, people ...ids.Contact) (Story, error) {
	var all Story
	for _, who := range people {
		if err := own(actor, who); err != nil {
			return all, err
		}
	}
	err := s.vault.View(ctx, actor, actHistory, func(tx *vault.Tx) error {
		all = Story{Names: map[string]map[string]string{}, Now: tx.Now()}
		for _, who := range people {
			tx.About(who)
			acts, err := Records.Find(tx, "contact = ? ORDER BY made_at DESC, id DESC LIMIT 200", who)
			if err != nil {
				return err
			}
			grounds, err := Assertions.Find(tx, "contact = ? ORDER BY made_at DESC, id DESC LIMIT 200", who)
			if err != nil {
				return err
			}
			slices.Reverse(acts)
			slices.Reverse(grounds)
			all.Acts, all.Grounds = append(all.Acts, acts...), append(all.Grounds, grounds...)
		}
		if err := all.name(tx); err != nil {
			return err
		}
		return all.ask(tx)
	})
	return all, err
}

// name reads what the tenant calls the purposes.
func (s *Story) name(tx *vault.Tx) error {
	for _, id := range s.purposes() {
		d, err := Definitions.Find(tx, "id = ? ORDER BY version DESC LIMIT 1", id)
		if err != nil {
			return err
		}
		if len(d) > 0 {
			s.Names[id] = d[0].Names
		}
	}
	return nil
}

func (s *Story) purposes() (out []string) {
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	for _, r := range s.Acts {
		add(r.Purpose)
	}
	for _, a := range s.Grounds {
		add(a.Purpose)
	}
	return out
}

// ask reads which newer words there are for what the person said yes to last.
func (s *Story) ask(tx *vault.Tx) error {
	last := map[string]Record{}
	for _, r := range s.Acts {
		last[r.Purpose] = r
	}
	for _, id := range s.purposes() {
		r := last[id]
		if !r.Granted {
			continue
		}
		newer, err := Notices.Find(tx, "purpose = ? AND language = ? AND version > ? ORDER BY version LIMIT 20", id, r.Language, r.Version)
		if err != nil {
			return err
		}
		s.Asked = append(s.Asked, newer...)
	}
	return nil
}

var errNoReceipt = errs.New(errs.NotFound, "There is no such receipt.")

// Said is the statement of an act (cns_…) or of an assertion (gnd_…) about one of these people, and when it was made.
func (s *Service) Said(ctx context.Context, actor vault.Actor, name string, people ...ids.Contact) (statement []byte, at time.Time, err error) {
	story, err := s.Story(ctx, actor, people...)
	if err != nil {
		return nil, at, err
	}
	for _, r := range story.Acts {
		if strings.EqualFold(r.ID.String(), name) {
			return []byte(r.Receipt.Reveal()), r.At, nil
		}
	}
	for _, a := range story.Grounds {
		if strings.EqualFold(a.ID.String(), name) {
			return []byte(a.Receipt.Reveal()), a.At, nil
		}
	}
	return nil, at, errNoReceipt
}
