package web

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aver/base/ids"
	"aver/frame/page"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/vault"
	"aver/work/inbox"
	"aver/work/inbox/ui"
)

func (s *Service) showInbox(w http.ResponseWriter, r *http.Request) error {
	list, err := s.list(r, ids.Conversation{})
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, ui.Inbox{List: list})
}

// show answers with the page, or with its columns alone for a script that brings it up to date.
func show(w http.ResponseWriter, r *http.Request, status int, v ui.Inbox) error {
	if page.Fragment(r) {
		return page.Render(w, r, status, ui.Columns(v))
	}
	return page.Render(w, r, status, ui.Page(v))
}

func (s *Service) showThread(w http.ResponseWriter, r *http.Request) error {
	return s.draw(w, r, http.StatusOK, 1, ui.Thread{})
}

func (s *Service) showPerson(w http.ResponseWriter, r *http.Request) error {
	return s.draw(w, r, http.StatusOK, 2, ui.Thread{})
}

// draw answers with the whole page. said is what a refused reply brought: its words, whether they were for the team alone,
// and why it was refused.
func (s *Service) draw(w http.ResponseWriter, r *http.Request, status, column int, said ui.Thread) error {
	id, err := conversation(r)
	if err != nil {
		return err
	}
	t, err := s.thread(r, id)
	if err != nil {
		return err
	}
	t.Note = t.Silent
	if said.Fault != "" { // what was a note must not turn into a letter to the person
		t.Draft, t.Note, t.Fault = said.Draft, said.Note, said.Fault
	}
	list, err := s.list(r, id)
	if err != nil {
		return err
	}
	return show(w, r, status, ui.Inbox{List: list, Thread: t, Column: column})
}

// list draws the first column.
func (s *Service) list(r *http.Request, open ids.Conversation) (ui.List, error) {
	ctx, a, v := r.Context(), actor(r), viewOf(r)
	rows, next, err := s.found(ctx, a, v)
	if err != nil {
		return ui.List{}, err
	}
	counts, err := s.Counts(ctx, a)
	if err != nil {
		return ui.List{}, err
	}
	out := ui.List{Words: v.words, Query: v.address(""), State: string(v.state), MayTidy: s.MayWrite(a),
		Whole: v.words != "" || v.who == "" && v.team.IsZero() && v.label.IsZero()}
	for _, row := range rows {
		out.Rows = append(out.Rows, rowOf(row, v, row.ID == open))
	}
	if !next.IsZero() {
		later := v
		later.after = next
		out.Older = later.address("/inbox")
	}
	if !v.after.IsZero() {
		out.Newer = v.with(func(*view) {})
	}
	for _, state := range []inbox.State{inbox.Open, inbox.Snoozed, inbox.Closed} {
		waiting := 0
		if state == inbox.Open {
			waiting = counts.All
		}
		out.States = append(out.States, ui.ViewOf(string(state), v.with(func(v *view) { v.state = state }), v.state == state && v.words == "", waiting))
	}
	for who, waiting := range pairs("mine", counts.Mine, "unassigned", counts.Unassigned) {
		on := v.who == who
		out.Views = append(out.Views, ui.ViewOf(who, v.with(func(v *view) { v.who = unless(on, who) }), on, waiting))
	}
	out.Empty = emptyList(v)
	return out, s.filters(ctx, a, v, &out)
}

func pairs(a string, m int, b string, n int) func(func(string, int) bool) {
	return func(yield func(string, int) bool) { _ = yield(a, m) && yield(b, n) }
}

func unless(on bool, value string) string {
	if on {
		return ""
	}
	return value
}

func (s *Service) found(ctx context.Context, a vault.Actor, v view) ([]inbox.Row, inbox.Cursor, error) {
	if v.words == "" {
		return s.List(ctx, a, v.filter(a))
	}
	rows, err := s.Search(ctx, a, v.words)
	return rows, inbox.Cursor{}, err
}

// filters adds the labels and teams, in the menu and, where chosen, as chips.
func (s *Service) filters(ctx context.Context, a vault.Actor, v view, out *ui.List) error {
	labels, err := s.Labels(ctx, a)
	if err != nil {
		return err
	}
	for _, l := range labels {
		on := l.ID == v.label
		href := v.with(func(v *view) { v.label = l.ID })
		if on {
			href = v.with(func(v *view) { v.label = inbox.LabelID{} })
			out.Chips = append(out.Chips, page.Chip{Label: l.Name, Href: href, On: true, Icon: "tag"})
		}
		out.Labels = append(out.Labels, ui.Choice{Label: l.Name, Href: href, On: on, Hue: l.Hue})
	}
	teams, err := s.Teams(ctx, a)
	for _, t := range teams {
		on := t.ID == v.team
		href := v.with(func(v *view) { v.team = t.ID })
		if on {
			href = v.with(func(v *view) { v.team = inbox.TeamID{} })
			out.Chips = append(out.Chips, page.Chip{Label: t.Name, Href: href, On: true, Icon: "users-round"})
		}
		out.Teams = append(out.Teams, ui.Choice{Label: t.Name, Href: href, On: on})
	}
	return err
}

func emptyList(v view) page.Empty {
	switch {
	case v.words != "":
		return ui.EmptyList("search", "")
	case !v.label.IsZero() || !v.team.IsZero() || v.who != "" && v.state != inbox.Open:
		return ui.EmptyList("filter", "/inbox")
	case v.who == "mine":
		return ui.EmptyList("mine", "/inbox?who=unassigned")
	case v.who == "unassigned":
		return ui.EmptyList("unassigned", "")
	case v.state == inbox.Open:
		return ui.EmptyList("open", "/settings/chat")
	}
	return ui.EmptyList(string(v.state), "")
}

func nameOf(row inbox.Row) string {
	if name := row.Person.Name.Reveal(); name != "" {
		return name
	}
	return ui.Somebody()
}

var channelIcons = map[inbox.Channel]string{inbox.WebChat: "message-square"}

func rowOf(row inbox.Row, v view, current bool) ui.Row {
	out := ui.Row{ID: row.ID.String(), ConversationRow: page.ConversationRow{Href: v.address("/inbox/" + row.ID.String()), Name: nameOf(row),
		Preview: row.Preview.Reveal(), At: row.LastAt, Unread: row.Unread, Channel: channelIcons[row.Channel], Assignee: row.Assigned.Reveal(), Current: current}}
	for _, l := range row.Labels {
		out.Tags = append(out.Tags, page.Tag{Text: l.Name, Hue: l.Hue})
	}
	return out
}

// showRow answers a script with one line of the list, or with nothing if the list has no place for it.
func (s *Service) showRow(w http.ResponseWriter, r *http.Request) error {
	id, err := conversation(r)
	if err != nil {
		return err
	}
	row, err := s.Row(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	if v := viewOf(r); v.shows(actor(r), row) {
		return page.Render(w, r, http.StatusOK, ui.RowOf(rowOf(row, v, false)))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// find answers the palette: conversations with these words.
func (s *Service) find(w http.ResponseWriter, r *http.Request) error {
	rows, err := s.Search(r.Context(), actor(r), r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	type found struct {
		Title string `json:"title"`
		Note  string `json:"note"`
		Href  string `json:"href"`
	}
	out := []found{}
	for _, row := range rows[:min(len(rows), 10)] {
		out = append(out, found{nameOf(row), row.Preview.Reveal(), "/inbox/" + row.ID.String()})
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(out)
}

// showEarlier answers with the messages before one, for a script to put on top; without a script it is the page.
func (s *Service) showEarlier(w http.ResponseWriter, r *http.Request) error {
	if !page.Fragment(r) {
		return s.draw(w, r, http.StatusOK, 1, ui.Thread{})
	}
	id, err := conversation(r)
	if err != nil {
		return err
	}
	t, err := s.thread(r, id)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Lines(t))
}

// thread reads the second and third column.
func (s *Service) thread(r *http.Request, id ids.Conversation) (*ui.Thread, error) {
	ctx, a, v := r.Context(), actor(r), viewOf(r)
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // a malformed number is the end
	t, err := s.Open(ctx, a, id, before)
	if err != nil {
		return nil, err
	}
	hours, err := s.Hours(ctx, a)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(hours.Zone)
	if err != nil {
		return nil, fmt.Errorf("office hours: %w", err)
	}
	v.after = inbox.Cursor{}
	out := &ui.Thread{ID: id.String(), Epoch: t.Epoch.String(), Offset: t.LastSeq, Name: nameOf(t.Row), State: string(t.State), Until: t.SnoozedUntil,
		Address: "/inbox/" + id.String(), Query: v.address(""), Back: v.address("/inbox"), Mine: t.Assignee == a.User(), Read: t.ContactReadSeq,
		ClientID: newClientID(s.Now()), MayWrite: s.MayWrite(a)}
	out.Assignee, out.Team = orNone(t.Assignee), orNone(t.Team)
	out.PersonURL = v.address(out.Address + "/person")
	if t.More {
		earlier := url.Values{"before": {strconv.FormatInt(t.Messages[0].Seq, 10)}}
		out.Earlier = out.Address + "/earlier?" + earlier.Encode()
	}
	for _, c := range t.Consents {
		out.Silent = out.Silent || c.Purpose == "support" && !c.Granted
	}
	out.Lines = linesOf(t, out, s.Now().In(zone))
	out.Person = personOf(t, v)
	if !out.MayWrite {
		return out, nil
	}
	out.Snoozes = snoozes(s.Now().In(zone))
	out.Pick = s.Now().In(zone).Add(time.Hour).Format("2006-01-02T15:04")
	return out, s.menus(ctx, a, t, out)
}

// orNone is an identifier in a form, which orNobody reads back.
func orNone[K ids.Kind](id ids.Of[K]) string {
	if id.IsZero() {
		return "none"
	}
	return id.String()
}

// newClientID makes a UUID of version 7 for a message that is sent by a form, so that a double click sends it once.
func newClientID(now time.Time) string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16|0x7000|uint64(id[6]&0x0f)<<8|uint64(id[7]))
	id[8] = id[8]&0x3f | 0x80
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func linesOf(t inbox.Thread, out *ui.Thread, now time.Time) []ui.Line {
	var lines []ui.Line
	day := ""
	for i, m := range t.Messages {
		l := lineOf(m, t, out)
		if d := ui.Day(m.At.In(now.Location()), now); d != day {
			day, l.Day = d, d
		} else if last := t.Messages[i-1]; last.From == m.From && last.Author == m.Author && m.At.Sub(last.At) < 5*time.Minute {
			l.Bubble.Group = true
		}
		lines = append(lines, l)
	}
	return lines
}

func lineOf(m inbox.Message, t inbox.Thread, out *ui.Thread) ui.Line {
	b := page.Bubble{ID: fmt.Sprintf("m%d", m.Seq), At: m.At, Text: m.Text.Reveal(), Name: m.Name.Reveal()}
	if m.Note > 0 {
		b.ID = fmt.Sprintf("n%d", m.Note)
	}
	if b.Name == "" {
		b.Name = ui.Team()
	}
	switch m.From {
	case inbox.Visitor:
		b.Voice, b.Name = page.Theirs, nameOf(t.Row)
	case inbox.Note:
		b.Voice = page.Note
	case inbox.System:
		b.Voice = page.Event
	default:
		b.Voice, b.Mark = page.Ours, page.Sent
		if m.Seq <= t.ContactReadSeq {
			b.Mark = page.Seen
		}
	}
	l := ui.Line{Removed: m.Redacted}
	for _, f := range m.Files {
		file := page.File{Name: f.Name.Reveal(), Href: "/attachments/" + f.ID.String(), Size: sizeOf(f.Size)}
		if f.Picture {
			l.Pictures = append(l.Pictures, file)
			continue
		}
		b.Files = append(b.Files, file)
	}
	if out.MayWrite && !m.Redacted && m.From != inbox.System {
		l.Remove = fmt.Sprintf("%s/redact?seq=%d&note=%d", out.Address, m.Seq, m.Note)
	}
	l.Bubble = b
	return l
}

func sizeOf(bytes int64) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1_000_000:
		return fmt.Sprintf("%d kB", (bytes+500)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

func personOf(t inbox.Thread, v view) ui.Person {
	p := ui.Person{Name: nameOf(t.Row), Known: !t.Person.ID.IsZero(), Email: t.Person.Email.Reveal(), ReplyTo: t.ReplyTo.Reveal(), Href: "/contacts/" + t.Contact.String(),
		Verified: t.Person.Verified, Blocked: t.Person.Blocked, Active: t.LastAt, Assignee: t.Assigned.Reveal()}
	for _, c := range t.Consents {
		p.Consents = append(p.Consents, ui.Consent{Purpose: c.Purpose, Granted: c.Granted, Version: c.Version, Language: c.Language, Since: c.Since})
	}
	p.Limits = restriction.Shown(t.Limits)
	for _, c := range t.Others {
		if p.Since.IsZero() || c.CreatedAt.Before(p.Since) {
			p.Since = c.CreatedAt
		}
		if c.ID != t.ID {
			p.Others = append(p.Others, ui.Other{Href: v.address("/inbox/" + c.ID.String()), Preview: c.Preview.Reveal(), State: string(c.State), At: c.LastAt})
		}
	}
	for _, l := range t.Labels {
		p.Labels = append(p.Labels, page.Tag{Text: l.Name, Hue: l.Hue})
	}
	return p
}

// menus fills what can be done with the conversation.
func (s *Service) menus(ctx context.Context, a vault.Actor, t inbox.Thread, out *ui.Thread) error {
	users, err1 := s.users.List(ctx, a)
	teams, err2 := s.Teams(ctx, a)
	labels, err3 := s.Labels(ctx, a)
	macros, err4 := s.Macros(ctx, a)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	for _, u := range users {
		if u.DisabledAt.IsZero() && answers(u) {
			out.Users = append(out.Users, ui.Choice{Label: u.Name.Reveal(), Value: u.ID.String(), On: u.ID == t.Assignee})
		}
	}
	out.Users = append(out.Users, ui.Choice{Label: ui.Nobody(), Value: "none", On: t.Assignee.IsZero()})
	for _, team := range teams {
		out.Teams = append(out.Teams, ui.Choice{Label: team.Name, Value: team.ID.String(), On: team.ID == t.Team})
		if team.ID == t.Team {
			out.Person.Team = team.Name
		}
	}
	if len(teams) > 0 {
		out.Teams = append(out.Teams, ui.Choice{Label: ui.Teamless(), Value: "none", On: t.Team.IsZero()})
	}
	worn := map[inbox.LabelID]bool{}
	for _, l := range t.Labels {
		worn[l.ID] = true
	}
	for _, l := range labels {
		out.Labels = append(out.Labels, ui.Choice{Label: l.Name, Value: l.ID.String(), On: worn[l.ID], Hue: l.Hue})
	}
	for _, m := range macros {
		out.Macros = append(out.Macros, ui.Macro{Shortcut: m.Shortcut, Text: m.Text})
	}
	return nil
}

func answers(u identity.User) bool {
	return u.HasRole(vault.Owner) || u.HasRole(vault.Administrator) || u.HasRole(vault.Operator)
}

// snoozes are the times that are asked for most, by the clock on the tenant's wall.
func snoozes(now time.Time) []ui.Choice {
	nine := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, 9, 0, 0, 0, now.Location())
	}
	monday := (8 - int(now.Weekday())) % 7
	if monday == 0 {
		monday = 7
	}
	var out []ui.Choice
	for _, c := range []struct {
		key string
		at  time.Time
	}{{"later", now.Add(3 * time.Hour)}, {"tomorrow", nine(1)}, {"monday", nine(monday)}, {"week", nine(7)}} {
		out = append(out, ui.Choice{Label: ui.SnoozeLabel(c.key), Value: c.at.UTC().Format(time.RFC3339)})
	}
	return out
}
