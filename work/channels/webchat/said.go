package webchat

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
	"aver/work/contacts/fields"
)

// pageEvent is something that a visitor did on the tenant's site, as its page tells.
type pageEvent struct {
	Contact ids.Contact   `vault:"contact,key,subject"`
	ID      ids.Object    `vault:"id,key"`
	Name    personal.Text `vault:"name,personal:user.behavior"`
	Details personal.Text `vault:"details,personal:user.behavior"` // JSON object, or empty
	At      time.Time     `vault:"at,state,keep"`
}

var pageEvents = vault.Define[pageEvent]("webchat_events", vault.Purpose("seeing what somebody did on the site before they wrote"), vault.KeepFor(90*24*time.Hour))

var actSay = vault.Act("visitor.say", purpose.Support, vault.Visitors())

const (
	mostEvents  = 20  // in one request
	keptEvents  = 200 // of a person: older ones go
	mostName    = 80  // characters of an event's name
	mostDetails = 2000
)

type saidUser struct {
	Email     string            `json:"email"`
	Name      string            `json:"name"`
	Phone     string            `json:"phone"`
	AvatarURL string            `json:"avatar_url"`
	Grounds   []identity.Ground `json:"grounds"`
	Company   json.RawMessage   `json:"company"`
}

type saidSegments struct {
	List      []string `json:"list"`
	Overwrite bool     `json:"overwrite"`
}

type saidEvent struct {
	Name  string          `json:"name"`
	Data  json.RawMessage `json:"data"`
	Color string          `json:"color"`
	At    time.Time       `json:"at"`
}

type said struct {
	User     saidUser       `json:"user"`
	Data     map[string]any `json:"data"`
	Segments saidSegments   `json:"segments"`
	Events   []saidEvent    `json:"events"`
}

// set takes what the page says about the visitor. All of it is a claim; what has no place here is left out and named in
// the answer, so that whoever writes the page learns of it.
func (s *Service) set(ctx context.Context, session *live.Session, in said) (any, error) {
	draft, left, err := in.draft()
	if err != nil {
		return nil, err
	}
	happened, err := in.happened(s.vault.Now())
	if err != nil {
		return nil, err
	}
	visitor := actorOf(session)
	kept, err := s.note(ctx, visitor, happened)
	if err != nil {
		return nil, err
	}
	if !kept {
		left = append(left, "events")
	}
	more, err := s.contacts.Claim(ctx, visitor, draft, in.Segments.List)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if left = append(left, more...); len(left) > 0 {
		out["left_out"] = left
	}
	return out, nil
}

func (in said) draft() (d contacts.Draft, left []string, err error) {
	d = contacts.Draft{Email: in.User.Email, Name: in.User.Name, Phone: in.User.Phone, Attributes: in.Data, Grounds: in.User.Grounds}
	if in.User.AvatarURL != "" {
		left = append(left, "user.avatar_url")
	}
	if len(in.User.Company) == 0 {
		return d, left, nil
	}
	var company struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(in.User.Company, &company); err != nil {
		return d, left, errs.New(errs.Invalid, "The company is malformed.", errs.Field{Field: "user.company", Code: "malformed", Message: "Send an object with a name."})
	}
	d.Company = company.Name
	return d, left, nil
}

// happened reads the events. A clock that is ahead does not put them into the future.
func (in said) happened(now time.Time) ([]pageEvent, error) {
	refuse := func(message string) ([]pageEvent, error) {
		return nil, errs.New(errs.Invalid, "The events cannot be taken. Nothing was changed.", errs.Field{Field: "events", Code: "malformed", Message: message})
	}
	if len(in.Events) > mostEvents {
		return refuse(fmt.Sprintf("Send at most %d at once.", mostEvents))
	}
	var out []pageEvent
	for _, e := range in.Events {
		name := strings.TrimSpace(e.Name)
		if name == "" || utf8.RuneCountInString(name) > mostName {
			return refuse(fmt.Sprintf("Name each with up to %d characters.", mostName))
		}
		if len(e.Data) > mostDetails || len(e.Data) > 0 && e.Data[0] != '{' {
			return refuse(fmt.Sprintf("Send data as an object of up to %d bytes.", mostDetails))
		}
		if e.At.IsZero() || e.At.After(now) || now.Sub(e.At) > 24*time.Hour {
			e.At = now
		}
		details, _ := cards.MaskJSON(e.Data)
		out = append(out, pageEvent{ID: ids.NewObject(e.At), Name: personal.Of(name), Details: personal.Of(string(details)), At: e.At.UTC()})
	}
	return out, nil
}

// note stores events of somebody who agreed to the notice, the newest of them, unless the tenant keeps none.
func (s *Service) note(ctx context.Context, visitor vault.Actor, happened []pageEvent) (kept bool, err error) {
	person := visitor.Subject()
	if len(happened) == 0 {
		return true, s.vault.View(ctx, visitor, actSay, func(tx *vault.Tx) error { return s.mayTell(tx, person) })
	}
	err = s.vault.Do(ctx, visitor, actSay, func(tx *vault.Tx) error {
		if err := s.mayTell(tx, person); err != nil {
			return err
		}
		off, err := fields.Off(tx)
		if kept = !off[fields.Visits]; err != nil || !kept {
			return err
		}
		for _, e := range happened {
			e.Contact = person
			if err := pageEvents.Add(tx, e); err != nil {
				return err
			}
		}
		old, err := pageEvents.Find(tx, "contact = ? ORDER BY id DESC LIMIT 1 OFFSET ?", person, keptEvents)
		if err != nil || len(old) == 0 {
			return err
		}
		_, err = pageEvents.DeleteWhere(tx, "contact = ? AND id <= ?", person, old[0].ID)
		return err
	})
	return kept, err
}

// ForgetVisits removes what people did on the site, for a tenant that keeps none of it any more, but of the spared.
func ForgetVisits(tx *vault.Tx, most int, spared ...ids.Subject) (int, error) {
	others, values := vault.Spare("contact", spared)
	return pageEvents.DeleteWhere(tx, "at IS NOT NULL"+others+" LIMIT ?", append(values, most)...)
}

// mayTell refuses what pages say about people who have not agreed, and about those who are blocked.
func (s *Service) mayTell(tx *vault.Tx, person ids.Contact) error {
	if err := tx.May(person); err != nil {
		return err
	}
	return s.contacts.Welcome(tx, person)
}

// Events are the newest things a person did on the site, for the person's page.
func (s *Service) Events(tx *vault.Tx, contact ids.Contact, limit int) ([]contacts.TimelineItem, error) {
	list, err := pageEvents.Find(tx, "contact = ? ORDER BY id DESC LIMIT ?", contact, limit)
	var out []contacts.TimelineItem
	for _, e := range list {
		out = append(out, contacts.TimelineItem{At: e.At, Icon: "globe", Title: "On the site: " + e.Name.Reveal(), Text: e.Details})
	}
	return out, err
}
