// Package desk keeps what those who answer set up for themselves: labels, canned replies, teams and office hours.
//
// It is a part of the inbox and used through it.
package desk

import (
	"context"
	"sort"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/inbox/hours"
)

type (
	team     struct{}
	label    struct{}
	macro    struct{}
	schedule struct{}
)

func (team) Prefix() string     { return "tea" }
func (label) Prefix() string    { return "lbl" }
func (macro) Prefix() string    { return "mac" }
func (schedule) Prefix() string { return "ohs" }

type (
	// TeamID names a team.
	TeamID = ids.Of[team]
	// LabelID names a label.
	LabelID = ids.Of[label]
	// MacroID names a canned reply.
	MacroID = ids.Of[macro]
	// ScheduleID names a schedule of office hours.
	ScheduleID = ids.Of[schedule]
)

// Label is a word that the team puts on conversations.
type Label struct {
	ID        LabelID   `vault:"id,key"`
	Name      string    `vault:"name,tenant:tenant.content,lookup"`
	Hue       int       `vault:"hue,state"` // 0 (grey) to 8
	CreatedAt time.Time `vault:"created_at,state"`
}

// ConversationLabel says that a conversation carries a label.
type ConversationLabel struct {
	Conversation ids.Conversation `vault:"conversation,key"`
	Label        LabelID          `vault:"label,key"`
	Contact      ids.Contact      `vault:"contact,subject"`
}

// Team is a group of users that conversations can be assigned to.
type Team struct {
	ID        TeamID    `vault:"id,key"`
	Name      string    `vault:"name,tenant:tenant.content,lookup"`
	CreatedAt time.Time `vault:"created_at,state"`
}

// TeamMember says that a user belongs to a team.
type TeamMember struct {
	Team TeamID   `vault:"team,key"`
	User ids.User `vault:"account,key"`
}

// Macro is a reply written once and used often.
type Macro struct {
	ID        MacroID   `vault:"id,key"`
	Shortcut  string    `vault:"shortcut,tenant:tenant.content,lookup"` // typed after a slash
	Text      string    `vault:"words,tenant:tenant.content"`
	CreatedAt time.Time `vault:"created_at,state"`
}

// HoursRow is how a schedule of office hours is stored.
type HoursRow struct {
	ID        ScheduleID  `vault:"id,key"`
	Schedule  hours.Hours `vault:"schedule,tenant:tenant.settings"`
	ChangedAt time.Time   `vault:"changed_at,state"`
}

// Staffed is a team with its members.
type Staffed struct {
	Team
	Members []ids.User
}

// The tables.
var (
	organising         = vault.Purpose("organising the work of those who answer")
	Labels             = vault.Define[Label]("labels", organising, vault.KeepWhile("until the tenant removes it"))
	ConversationLabels = vault.Define[ConversationLabel]("conversation_labels", organising, vault.KeepWhile("as long as the conversation"))
	Teams              = vault.Define[Team]("teams", organising, vault.KeepWhile("until the tenant removes it"))
	TeamMembers        = vault.Define[TeamMember]("team_members", organising, vault.KeepWhile("as long as the team"))
	Macros             = vault.Define[Macro]("macros", organising, vault.KeepWhile("until the tenant removes it"))
	OfficeHours        = vault.Define[HoursRow]("office_hours", vault.Purpose("saying when somebody answers"), vault.KeepWhile("until the tenant removes it"))

	// Tables lists them.
	Tables = []vault.AnyTable{Labels, ConversationLabels, Teams, TeamMembers, Macros, OfficeHours}
)

const (
	scopeRead  = "conversations:read"
	scopeWrite = "conversations:write"
)

// What can be done.
var (
	staff      = vault.Roles(vault.Owner, vault.Administrator, vault.Operator)
	chiefs     = vault.Roles(vault.Owner, vault.Administrator)
	Read       = vault.Act("inbox_settings.read", purpose.Desk, vault.Everyone(), vault.Scope(scopeRead), vault.System())
	WriteLabel = vault.Act("label.write", purpose.Storage, staff, vault.Scope(scopeWrite))
	WriteMacro = vault.Act("macro.write", purpose.Workspace, staff, vault.Scope(scopeWrite))
	WriteTeam  = vault.Act("team.write", purpose.Security, chiefs, vault.Scope(scopeWrite))
	WriteHours = vault.Act("office_hours.write", purpose.Workspace, chiefs, vault.Scope(scopeWrite))
	actFlag    = vault.Act("conversation.flag", purpose.Duty, vault.System())

	// Actions lists them.
	Actions = []*vault.Action{Read, WriteLabel, WriteMacro, WriteTeam, WriteHours, actFlag}
)

// Desk keeps it.
type Desk struct{ vault *vault.Vault }

// New makes the desk.
func New(v *vault.Vault) *Desk { return &Desk{v} }

// Absent gives a missing row words of its own.
func Absent(err error, words string) error {
	if errs.Is(err, errs.NotFound) {
		return errs.New(errs.NotFound, words)
	}
	return err
}

const (
	mostSettings = 500  // labels, teams, macros of a tenant
	nameSize     = 60   // characters of a label's or team's name
	mostMacro    = 5000 // characters
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
func all[T any](ctx context.Context, s *Desk, actor vault.Actor, table *vault.Table[T]) (list []T, err error) {
	err = s.vault.View(ctx, actor, Read, func(tx *vault.Tx) error {
		list, err = table.Find(tx, "ORDER BY id LIMIT ?", mostSettings)
		return err
	})
	return list, err
}

// Labels lists the tenant's labels by name.
func (s *Desk) Labels(ctx context.Context, actor vault.Actor) ([]Label, error) {
	list, err := all(ctx, s, actor, Labels)
	sort.Slice(list, func(i, j int) bool { return strings.ToLower(list[i].Name) < strings.ToLower(list[j].Name) })
	return list, err
}

// SaveLabel makes a label (with a zero ID) or changes one.
func (s *Desk) SaveLabel(ctx context.Context, actor vault.Actor, l Label) (Label, error) {
	if err := word(&l.Name); err != nil {
		return l, err
	}
	if l.Hue < 0 || l.Hue > hues {
		return l, invalid("hue", "range", "Choose a colour from 0 to 8.")
	}
	err := s.vault.Do(ctx, actor, WriteLabel, func(tx *vault.Tx) error {
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
			return Absent(err, "There is no such label.")
		}
		l.CreatedAt = old.CreatedAt
		return unique(Labels.Put(tx, l), "name")
	})
	return l, err
}

// DeleteLabel removes a label from wherever it is and for good.
func (s *Desk) DeleteLabel(ctx context.Context, actor vault.Actor, id LabelID) error {
	return s.vault.Do(ctx, actor, WriteLabel, func(tx *vault.Tx) error {
		if _, err := ConversationLabels.DeleteWhere(tx, "label = ?", id); err != nil {
			return err
		}
		return Absent(Labels.Delete(tx, id), "There is no such label.")
	})
}

// Macros lists the canned replies by shortcut.
func (s *Desk) Macros(ctx context.Context, actor vault.Actor) ([]Macro, error) {
	list, err := all(ctx, s, actor, Macros)
	sort.Slice(list, func(i, j int) bool { return list[i].Shortcut < list[j].Shortcut })
	return list, err
}

// isShortcut tells whether the word is a letter or digit and up to 29 more of these, dashes and underscores.
func isShortcut(word string) bool {
	for i, r := range word {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && (i == 0 || r != '-' && r != '_') {
			return false
		}
	}
	n := utf8.RuneCountInString(word)
	return 1 <= n && n <= 30
}

// SaveMacro makes a canned reply (with a zero ID) or changes one.
func (s *Desk) SaveMacro(ctx context.Context, actor vault.Actor, m Macro) (Macro, error) {
	m.Shortcut = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(m.Shortcut), "/"))
	if !isShortcut(m.Shortcut) {
		return m, invalid("shortcut", "malformed", "A shortcut is one word of letters, digits and dashes.")
	}
	m.Text, _ = cards.Mask(strings.TrimSpace(m.Text))
	if n := utf8.RuneCountInString(m.Text); n == 0 || n > mostMacro || !utf8.ValidString(m.Text) {
		return m, invalid("text", "length", "Write 1 to 5,000 characters.")
	}
	err := s.vault.Do(ctx, actor, WriteMacro, func(tx *vault.Tx) error {
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
			return Absent(err, "There is no such reply.")
		}
		m.CreatedAt = old.CreatedAt
		return unique(Macros.Put(tx, m), "shortcut")
	})
	return m, err
}

// DeleteMacro removes a canned reply.
func (s *Desk) DeleteMacro(ctx context.Context, actor vault.Actor, id MacroID) error {
	return s.vault.Do(ctx, actor, WriteMacro, func(tx *vault.Tx) error {
		return Absent(Macros.Delete(tx, id), "There is no such reply.")
	})
}

// Teams lists the teams by name.
func (s *Desk) Teams(ctx context.Context, actor vault.Actor) (list []Staffed, err error) {
	err = s.vault.View(ctx, actor, Read, func(tx *vault.Tx) error {
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
	sort.Slice(list, func(i, j int) bool { return strings.ToLower(list[i].Name) < strings.ToLower(list[j].Name) })
	return list, err
}

// SaveTeam makes a team (with a zero ID) or changes one, with exactly these members.
func (s *Desk) SaveTeam(ctx context.Context, actor vault.Actor, t Staffed) (Staffed, error) {
	if err := word(&t.Name); err != nil {
		return t, err
	}
	saved := t
	err := s.vault.Do(ctx, actor, WriteTeam, func(tx *vault.Tx) error {
		saved = t
		if t.ID.IsZero() {
			saved.ID, saved.CreatedAt = ids.New[team](tx.Now()), tx.Now()
			if err := full(tx, Teams); err != nil {
				return err
			}
		} else {
			old, err := Teams.Get(tx, t.ID)
			if err != nil {
				return Absent(err, "There is no such team.")
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
			return Absent(err, "There is no such user.")
		}
		if err := TeamMembers.Put(tx, TeamMember{Team: id, User: user}); err != nil {
			return err
		}
	}
	return nil
}

// DeleteTeam removes a team. Its conversations belong to no team then.
func (s *Desk) DeleteTeam(ctx context.Context, actor vault.Actor, id TeamID) error {
	return s.vault.Do(ctx, actor, WriteTeam, func(tx *vault.Tx) error {
		if err := Absent(Teams.Delete(tx, id), "There is no such team."); err != nil {
			return err
		}
		_, err := TeamMembers.DeleteWhere(tx, "team = ?", id)
		return err
	})
}

// DefaultSchedule is the one schedule of office hours that a tenant has.
var DefaultSchedule = ScheduleID{15: 1}

// Hours reads when somebody answers.
func (s *Desk) Hours(ctx context.Context, actor vault.Actor) (h hours.Hours, err error) {
	err = s.vault.View(ctx, actor, Read, func(tx *vault.Tx) error {
		row, err := OfficeHours.Get(tx, DefaultSchedule)
		if errs.Is(err, errs.NotFound) {
			err = nil
		}
		h = row.Schedule
		return err
	})
	return h, err
}

// HoursChanged is the event that the office hours are others.
const HoursChanged = "office_hours.changed"

// SetHours says from now on when somebody answers.
func (s *Desk) SetHours(ctx context.Context, actor vault.Actor, h hours.Hours) error {
	if err := h.Check(); err != nil {
		return err
	}
	return s.vault.Do(ctx, actor, WriteHours, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: HoursChanged}, nil)
		return OfficeHours.Put(tx, HoursRow{ID: DefaultSchedule, Schedule: h, ChangedAt: tx.Now()})
	})
}
