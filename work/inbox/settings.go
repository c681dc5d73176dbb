package inbox

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
)

const (
	mostSettings = 500 // labels, teams, macros of a tenant
	nameSize     = 60  // characters of a label's or team's name
	hues         = 8
)

func invalid(field, code, message string) error {
	return errs.New(errs.Invalid, "This cannot be saved like this.", errs.Field{Field: field, Code: code, Message: message})
}

// word checks a name that the tenant gives to something.
func word(name *string) error {
	*name = strings.Join(strings.Fields(*name), " ")
	*name, _ = cards.Mask(*name)
	if n := utf8.RuneCountInString(*name); n == 0 || n > nameSize || !utf8.ValidString(*name) {
		return invalid("name", "length", "Give it a name of 1 to 60 characters.")
	}
	return nil
}

// unique gives a clash of names words of its own.
func unique(err error, field string) error {
	if errs.Is(err, errs.Conflict) {
		return errs.New(errs.Conflict, "Another one has this name.", errs.Field{Field: field, Code: "taken", Message: "Another one has this name."})
	}
	return err
}

// full refuses one more when there are as many as lists can show.
func full[T any](tx *vault.Tx, table *vault.Table[T]) error {
	n, err := table.Count(tx, "1 = 1")
	if err == nil && n >= mostSettings {
		return errs.New(errs.TooLarge, "There are 500 of these already. Remove one first.")
	}
	return err
}

// all reads a table that is short.
func all[T any](ctx context.Context, s *Service, actor vault.Actor, table *vault.Table[T]) (list []T, err error) {
	err = s.vault.View(ctx, actor, actSettings, func(tx *vault.Tx) error {
		list, err = table.Find(tx, "ORDER BY id LIMIT ?", mostSettings)
		return err
	})
	return list, err
}

// Labels lists the tenant's labels by name.
func (s *Service) Labels(ctx context.Context, actor vault.Actor) ([]Label, error) {
	list, err := all(ctx, s, actor, Labels)
	slices.SortFunc(list, func(a, b Label) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return list, err
}

// SaveLabel makes a label (with a zero ID) or changes one.
func (s *Service) SaveLabel(ctx context.Context, actor vault.Actor, l Label) (Label, error) {
	if err := word(&l.Name); err != nil {
		return l, err
	}
	if l.Hue < 0 || l.Hue > hues {
		return l, invalid("hue", "range", "Choose a colour from 0 to 8.")
	}
	err := s.vault.Do(ctx, actor, actLabel, func(tx *vault.Tx) error {
		if l.ID.IsZero() {
			fresh := l
			fresh.ID, fresh.CreatedAt = ids.New[label](tx.Now()), tx.Now()
			if err := full(tx, Labels); err != nil {
				return err
			}
			defer func() { l = fresh }()
			return unique(Labels.Add(tx, fresh), "name")
		}
		old, err := Labels.Get(tx, l.ID)
		if err != nil {
			return absent(err, "There is no such label.")
		}
		l.CreatedAt = old.CreatedAt
		return unique(Labels.Put(tx, l), "name")
	})
	return l, err
}

// DeleteLabel removes a label from wherever it is and for good.
func (s *Service) DeleteLabel(ctx context.Context, actor vault.Actor, id LabelID) error {
	return s.vault.Do(ctx, actor, actLabel, func(tx *vault.Tx) error {
		if _, err := ConversationLabels.DeleteWhere(tx, "label = ?", id); err != nil {
			return err
		}
		return absent(Labels.Delete(tx, id), "There is no such label.")
	})
}

// Macros lists the canned replies by shortcut.
func (s *Service) Macros(ctx context.Context, actor vault.Actor) ([]Macro, error) {
	list, err := all(ctx, s, actor, Macros)
	slices.SortFunc(list, func(a, b Macro) int { return strings.Compare(a.Shortcut, b.Shortcut) })
	return list, err
}

var shortcutForm = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}_-]{0,29}$`)

// SaveMacro makes a canned reply (with a zero ID) or changes one.
func (s *Service) SaveMacro(ctx context.Context, actor vault.Actor, m Macro) (Macro, error) {
	m.Shortcut = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(m.Shortcut), "/"))
	if !shortcutForm.MatchString(m.Shortcut) {
		return m, invalid("shortcut", "malformed", "A shortcut is one word of letters, digits and dashes.")
	}
	m.Text, _ = cards.Mask(strings.TrimSpace(m.Text))
	if n := utf8.RuneCountInString(m.Text); n == 0 || n > mostSigns/2 || !utf8.ValidString(m.Text) {
		return m, invalid("text", "length", "Write 1 to 5,000 characters.")
	}
	err := s.vault.Do(ctx, actor, actMacro, func(tx *vault.Tx) error {
		if m.ID.IsZero() {
			fresh := m
			fresh.ID, fresh.CreatedAt = ids.New[macro](tx.Now()), tx.Now()
			if err := full(tx, Macros); err != nil {
				return err
			}
			defer func() { m = fresh }()
			return unique(Macros.Add(tx, fresh), "shortcut")
		}
		old, err := Macros.Get(tx, m.ID)
		if err != nil {
			return absent(err, "There is no such reply.")
		}
		m.CreatedAt = old.CreatedAt
		return unique(Macros.Put(tx, m), "shortcut")
	})
	return m, err
}

// DeleteMacro removes a canned reply.
func (s *Service) DeleteMacro(ctx context.Context, actor vault.Actor, id MacroID) error {
	return s.vault.Do(ctx, actor, actMacro, func(tx *vault.Tx) error {
		return absent(Macros.Delete(tx, id), "There is no such reply.")
	})
}

// Staffed is a team with its members.
type Staffed struct {
	Team
	Members []ids.User
}

// Teams lists the teams by name.
func (s *Service) Teams(ctx context.Context, actor vault.Actor) (list []Staffed, err error) {
	err = s.vault.View(ctx, actor, actSettings, func(tx *vault.Tx) error {
		found, err := Teams.Find(tx, "ORDER BY id LIMIT ?", mostSettings)
		if err != nil {
			return err
		}
		members, err := TeamMembers.Find(tx, "ORDER BY team, account LIMIT 10000")
		if err != nil {
			return err
		}
		list = nil
		for _, t := range found {
			one := Staffed{Team: t}
			for _, m := range members {
				if m.Team == t.ID {
					one.Members = append(one.Members, m.User)
				}
			}
			list = append(list, one)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b Staffed) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return list, err
}

// SaveTeam makes a team (with a zero ID) or changes one, with exactly these members.
func (s *Service) SaveTeam(ctx context.Context, actor vault.Actor, t Staffed) (Staffed, error) {
	if err := word(&t.Name); err != nil {
		return t, err
	}
	saved := t
	err := s.vault.Do(ctx, actor, actTeam, func(tx *vault.Tx) error {
		saved = t
		if t.ID.IsZero() {
			saved.ID, saved.CreatedAt = ids.New[team](tx.Now()), tx.Now()
			if err := full(tx, Teams); err != nil {
				return err
			}
		} else {
			old, err := Teams.Get(tx, t.ID)
			if err != nil {
				return absent(err, "There is no such team.")
			}
			saved.CreatedAt = old.CreatedAt
		}
		if err := unique(Teams.Put(tx, saved.Team), "name"); err != nil {
			return err
		}
		return setMembers(tx, saved.ID, t.Members)
	})
	return saved, err
}

func setMembers(tx *vault.Tx, id TeamID, members []ids.User) error {
	if _, err := TeamMembers.DeleteWhere(tx, "team = ?", id); err != nil {
		return err
	}
	for _, user := range members {
		if _, err := identity.Users.Get(tx, user); err != nil {
			return absent(err, "There is no such user.")
		}
		if err := TeamMembers.Put(tx, TeamMember{Team: id, User: user}); err != nil {
			return err
		}
	}
	return nil
}

// DeleteTeam removes a team. Its conversations belong to no team then.
func (s *Service) DeleteTeam(ctx context.Context, actor vault.Actor, id TeamID) error {
	return s.vault.Do(ctx, actor, actTeam, func(tx *vault.Tx) error {
		if err := absent(Teams.Delete(tx, id), "There is no such team."); err != nil {
			return err
		}
		_, err := TeamMembers.DeleteWhere(tx, "team = ?", id)
		return err
	})
}
