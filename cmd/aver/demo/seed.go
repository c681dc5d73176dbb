package demo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"aver/base/clock"
	"aver/base/ids"
	"aver/base/personal"
	"aver/cmd/aver/app"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
	"aver/work/inbox"
)

// Password is everybody's in the demo.
const Password = "ride-the-quiet-lane"

// weeks is how much of a past the demo has.
const weeks = 3 * 7 * 24 * time.Hour

// seeder plays three weeks through the same doors that everybody uses, on a clock of its own.
type seeder struct {
	app    *app.App
	clock  *clock.Manual
	staff  map[string][]vault.Actor
	label  map[string][]inbox.LabelID
	nights int
}

// Seed fills a new data folder with three weeks of two businesses, through the same doors that everybody uses.
func Seed(ctx context.Context, config app.Config) error {
	now := time.Now().UTC()
	config.Clock = clock.At(now.Add(-weeks))
	config.Log = io.Discard
	a, err := app.Open(ctx, config)
	if err != nil {
		return err
	}
	s := &seeder{app: a, clock: config.Clock.(*clock.Manual), staff: map[string][]vault.Actor{}, label: map[string][]inbox.LabelID{}}
	if err := s.play(ctx, now); err != nil {
		_ = a.Close() // the first failure is the one that matters
		return fmt.Errorf("play the demo's past: %w", err)
	}
	return a.Close()
}

func (s *seeder) play(ctx context.Context, now time.Time) error {
	for _, t := range trades {
		if err := s.found(ctx, t); err != nil {
			return fmt.Errorf("found %s: %w", t.slug, err)
		}
	}
	for _, p := range s.programme(now) {
		if err := s.until(ctx, p.at); err != nil {
			return fmt.Errorf("let the nights pass: %w", err)
		}
		if err := s.talk(ctx, p); err != nil {
			return fmt.Errorf("talk with %s: %w", p.talk.who, err)
		}
	}
	return nil
}

// found makes a workspace with its people, labels and canned replies.
func (s *seeder) found(ctx context.Context, t trade) error {
	tenant, err := s.app.CreateTenant(ctx, t.slug, t.name)
	if err != nil {
		return err
	}
	for _, p := range t.staff {
		token, err := s.app.Identity.Invite(ctx, identity.System(tenant.ID, "demo"), p.email, vault.Role(p.role))
		if err != nil {
			return err
		}
		session, err := s.app.Identity.Accept(ctx, token, p.email, p.name, Password)
		if err != nil {
			return err
		}
		actor, err := s.app.Identity.Session(ctx, session)
		if err != nil {
			return err
		}
		s.staff[t.slug] = append(s.staff[t.slug], actor)
		s.comeIn(ctx, actor)
	}
	owner := s.staff[t.slug][0]
	for i, name := range t.labels {
		l, err := s.app.Inbox.SaveLabel(ctx, owner, inbox.Label{Name: name, Hue: i + 1})
		if err != nil {
			return err
		}
		s.label[t.slug] = append(s.label[t.slug], l.ID)
	}
	for _, r := range t.replies {
		if _, err := s.app.Inbox.SaveMacro(ctx, owner, inbox.Macro{Shortcut: r.shortcut, Text: r.text}); err != nil {
			return err
		}
	}
	set, err := s.app.WebChat.Settings(ctx, owner)
	if err != nil {
		return err
	}
	set.Accent, set.ReplyTime = t.accent, "We usually answer within an hour"
	return s.app.WebChat.SetSettings(ctx, owner, set)
}

// plan is one conversation and when it begins.
type plan struct {
	at    time.Time
	trade trade
	talk  talk
	who   int // index into people
}

// programme spreads the talks over the hours in which people write, the open ones over the last hours.
func (s *seeder) programme(now time.Time) []plan {
	var all []plan
	for ti, t := range trades {
		days := int(weeks.Hours()/24) - 1
		open, done := 0, 0
		closed := len(t.talks) - openTalks(t)
		for i, k := range t.talks {
			minutes := (i*197 + ti*83) % 600 // of a day that begins at eight
			at := now.Truncate(24*time.Hour).AddDate(0, 0, done*days/closed-days).Add(8*time.Hour + time.Duration(minutes)*time.Minute)
			if k.open {
				at = now.Add(-time.Duration(19+38*open+11*ti) * time.Minute)
				open++
			} else {
				done++
			}
			who := slices.IndexFunc(people, func(p someone) bool { return strings.HasPrefix(p.name, k.who+" ") })
			all = append(all, plan{at, t, k, who})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].at.Before(all[j].at) })
	return all
}

func openTalks(t trade) (n int) {
	for _, k := range t.talks {
		if k.open {
			n++
		}
	}
	return n
}

// talk plays one conversation line by line.
func (s *seeder) talk(ctx context.Context, p plan) error {
	staff := s.staff[p.trade.slug]
	answers := staff[min(1+p.who%2, len(staff)-1)]
	if !answers.Has(vault.Operator) {
		answers = staff[0]
	}
	visitor, err := s.visitor(ctx, staff[0].Tenant(), p)
	if err != nil {
		return err
	}
	var conv ids.Conversation
	for i, line := range p.talk.lines {
		if i > 0 {
			s.clock.Advance(time.Duration(40+len(line)*3) * time.Second)
		}
		if conv, err = s.line(ctx, visitor, answers, conv, line, clientID(p, i)); err != nil {
			return err
		}
	}
	if p.talk.leave {
		return s.farewell(ctx, visitor)
	}
	if err := s.app.Inbox.SetLabel(ctx, answers, conv, s.label[p.trade.slug][p.talk.label], true); err != nil || p.talk.open {
		return err
	}
	s.clock.Advance(time.Minute)
	return s.app.Inbox.SetState(ctx, answers, conv, inbox.Closed, 0)
}

// visitor meets a person, who reads the notice and agrees.
func (s *seeder) visitor(ctx context.Context, tenant ids.Tenant, p plan) (vault.Actor, error) {
	who := people[p.who]
	draft := contacts.Draft{Name: who.name, Email: who.email, Language: who.language, Grounds: []identity.Ground{{Basis: purpose.Contract, Purpose: purpose.Support,
		Since: s.clock.Now().Add(-30 * 24 * time.Hour), Words: "order of last month, general terms section 4"}}}
	c, err := s.app.Contacts.NewVisitor(ctx, tenant, draft)
	if err != nil {
		return vault.Actor{}, err
	}
	actor := s.app.Identity.AsVisitor(tenant, c.ID, false)
	notice, err := s.app.Consent.Current(ctx, tenant, who.language)
	if err != nil {
		return actor, err
	}
	return actor, s.app.Consent.Record(ctx, actor, c.ID, consent.Choice{Purpose: notice.Purpose, Version: fmt.Sprint(notice.Version), Language: notice.Language, Granted: true})
}

func (s *seeder) line(ctx context.Context, visitor, answers vault.Actor, conv ids.Conversation, line, client string) (ids.Conversation, error) {
	text, ours := strings.CutPrefix(line, "> ")
	note := false
	if !ours {
		text, note = strings.CutPrefix(line, "# ")
	}
	if !ours && !note {
		ack, err := s.app.Inbox.Receive(ctx, visitor, inbox.Incoming{Conversation: conv, ClientID: client, Text: personal.Of(text)})
		return ack.Conversation, err
	}
	_, err := s.app.Inbox.Reply(ctx, answers, conv, inbox.Outgoing{ClientID: client, Text: personal.Of(text), Note: note})
	return conv, err
}

// clientID is a UUID that is the same for the same line of the same talk.
func clientID(p plan, line int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d %d", p.trade.slug, p.talk.who, p.who, line))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// farewell erases the person whose talk asks for it.
func (s *seeder) farewell(ctx context.Context, visitor vault.Actor) error {
	_, err := s.app.Rights.Erase(ctx, visitor, visitor.Subject(), "asked_in_the_widget")
	return err
}
