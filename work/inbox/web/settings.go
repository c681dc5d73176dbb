package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"aver/base/errs"
	"aver/frame/page"
	"aver/frame/request"
	"aver/work/inbox"
	"aver/work/inbox/desk"
	"aver/work/inbox/hours"
	"aver/work/inbox/ui"
)

// saved ends a page of settings: back to it when all is well, the form again when something was wrong in it.
func saved(w http.ResponseWriter, r *http.Request, err error, again func(page.Sheet) error) error {
	if sheet, ok := page.Refused(err, r.PostForm); ok {
		return again(sheet)
	}
	return page.Done(w, r, err, r.URL.Path, ui.Said("saved"))
}

func (s *Service) showReplies(w http.ResponseWriter, r *http.Request) error {
	return s.drawReplies(w, r, r.URL.Query().Get("edit"), page.Sheet{})
}

func (s *Service) drawReplies(w http.ResponseWriter, r *http.Request, open string, sheet page.Sheet) error {
	all, err := s.Macros(r.Context(), actor(r))
	if err != nil {
		return err
	}
	v := ui.Replies{Sheet: sheet, MayWrite: actor(r).Can(desk.WriteMacro)}
	for _, m := range all {
		one := ui.Reply{ID: m.ID.String(), Shortcut: m.Shortcut, Text: m.Text}
		if v.All = append(v.All, one); one.ID == open {
			v.Open = one
		}
	}
	return page.Render(w, r, sheet.Status(), ui.RepliesPage(v))
}

func (s *Service) saveReply(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	m := inbox.Macro{Shortcut: form.Get("shortcut"), Text: form.Get("text")}
	if err = m.ID.UnmarshalText([]byte(form.Get("id"))); err != nil {
		return errs.New(errs.NotFound, "There is no such reply.")
	}
	_, err = s.SaveMacro(r.Context(), actor(r), m)
	return saved(w, r, err, func(sheet page.Sheet) error { return s.drawReplies(w, r, form.Get("id"), sheet) })
}

func (s *Service) removeReply(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[inbox.MacroID](r, "id", "reply")
	if err != nil {
		return err
	}
	return page.Done(w, r, s.DeleteMacro(r.Context(), actor(r), id), "/settings/replies", ui.Said("deleted"))
}

func (s *Service) showLabels(w http.ResponseWriter, r *http.Request) error {
	return s.drawLabels(w, r, r.URL.Query().Get("edit"), page.Sheet{})
}

func (s *Service) drawLabels(w http.ResponseWriter, r *http.Request, open string, sheet page.Sheet) error {
	all, err := s.Labels(r.Context(), actor(r))
	if err != nil {
		return err
	}
	v := ui.Labels{Sheet: sheet, MayWrite: actor(r).Can(desk.WriteLabel)}
	v.Open.Hue = len(all)%8 + 1 // another colour for each new one
	for _, l := range all {
		one := ui.Label{ID: l.ID.String(), Name: l.Name, Hue: l.Hue}
		if v.All = append(v.All, one); one.ID == open {
			v.Open = one
		}
	}
	return page.Render(w, r, sheet.Status(), ui.LabelsPage(v))
}

func (s *Service) saveLabel(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	hue, err := strconv.Atoi(form.Get("hue"))
	if err != nil {
		hue = -1 // refused with the right words
	}
	l := inbox.Label{Name: form.Get("name"), Hue: hue}
	if err = l.ID.UnmarshalText([]byte(form.Get("id"))); err != nil {
		return errs.New(errs.NotFound, "There is no such label.")
	}
	_, err = s.SaveLabel(r.Context(), actor(r), l)
	return saved(w, r, err, func(sheet page.Sheet) error { return s.drawLabels(w, r, form.Get("id"), sheet) })
}

func (s *Service) removeLabel(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[inbox.LabelID](r, "id", "label")
	if err != nil {
		return err
	}
	return page.Done(w, r, s.DeleteLabel(r.Context(), actor(r), id), "/settings/labels", ui.Said("deleted"))
}

func (s *Service) showTeams(w http.ResponseWriter, r *http.Request) error {
	return s.drawTeams(w, r, r.URL.Query().Get("edit"), page.Sheet{})
}

func (s *Service) drawTeams(w http.ResponseWriter, r *http.Request, open string, sheet page.Sheet) error {
	all, err := s.Teams(r.Context(), actor(r))
	if err != nil {
		return err
	}
	users, err := s.users.List(r.Context(), actor(r))
	if err != nil {
		return err
	}
	v := ui.Teams{Sheet: sheet, MayWrite: actor(r).Can(desk.WriteTeam)}
	for _, u := range users {
		if u.DisabledAt.IsZero() {
			v.Users = append(v.Users, ui.Choice{Label: u.Name.Reveal(), Value: u.ID.String()})
		}
	}
	for _, t := range all {
		one := ui.Crew{ID: t.ID.String(), Name: t.Name}
		for _, m := range t.Members {
			one.Members = append(one.Members, m.String())
		}
		if v.All = append(v.All, one); one.ID == open {
			v.Open = one
		}
	}
	return page.Render(w, r, sheet.Status(), ui.TeamsPage(v))
}

func (s *Service) saveTeam(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	t := inbox.Staffed{Team: inbox.Team{Name: form.Get("name")}}
	if t.ID, err = teamOf(form.Get("id")); err != nil {
		return err
	}
	for _, text := range form["member"] {
		user, err := userOf(text)
		if err != nil {
			return err
		}
		t.Members = append(t.Members, user)
	}
	_, err = s.SaveTeam(r.Context(), actor(r), t)
	return saved(w, r, err, func(sheet page.Sheet) error { return s.drawTeams(w, r, form.Get("id"), sheet) })
}

func (s *Service) removeTeam(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[inbox.TeamID](r, "id", "team")
	if err != nil {
		return err
	}
	return page.Done(w, r, s.DeleteTeam(r.Context(), actor(r), id), "/settings/teams", ui.Said("deleted"))
}

func (s *Service) showHours(w http.ResponseWriter, r *http.Request) error {
	return s.drawHours(w, r, page.Sheet{})
}

func (s *Service) drawHours(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	h, err := s.Hours(r.Context(), actor(r))
	if err != nil {
		return err
	}
	v := ui.Hours{Zone: h.Zone, Limited: h.Limited, Away: h.Away, OpenNow: h.Open(s.Now()), Sheet: sheet, MayWrite: actor(r).Can(desk.WriteHours)}
	if v.Zone == "" {
		v.Zone = "UTC"
	}
	for day, spans := range h.Week {
		v.Days[day] = written(spans)
	}
	return page.Render(w, r, sheet.Status(), ui.HoursPage(v))
}

// written is how the times of a day are written: 9:00-12:00, 13:00-17:00.
func written(spans []hours.Span) string {
	var parts []string
	for _, span := range spans {
		parts = append(parts, fmt.Sprintf("%d:%02d-%d:%02d", span.From/60, span.From%60, span.To/60, span.To%60))
	}
	return strings.Join(parts, ", ")
}

// spansOf reads what written writes, and the usual other spellings.
func spansOf(text string) ([]hours.Span, bool) {
	var spans []hours.Span
	text = strings.NewReplacer("–", "-", "—", "-", " ", "", ".", ":", ";", ",").Replace(text)
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		from, to, found := strings.Cut(part, "-")
		a, ok1 := minutes(from)
		b, ok2 := minutes(to)
		if !found || !ok1 || !ok2 {
			return nil, false
		}
		spans = append(spans, hours.Span{From: a, To: b})
	}
	return spans, true
}

func minutes(text string) (int, bool) {
	hour, minute, found := strings.Cut(text, ":")
	if !found {
		minute = "0"
	}
	h, err1 := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	return h*60 + m, err1 == nil && err2 == nil && h >= 0 && h <= 24 && m >= 0 && m < 60
}

func (s *Service) saveHours(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	h, err := hoursOf(form)
	if err == nil {
		err = s.SetHours(r.Context(), actor(r), h)
	}
	return saved(w, r, err, func(sheet page.Sheet) error { return s.drawHours(w, r, sheet) })
}

func hoursOf(form url.Values) (hours.Hours, error) {
	h := hours.Hours{Zone: form.Get("zone"), Limited: form.Get("limited") == "yes", Away: form.Get("away")}
	var bad []errs.Field
	for day := range h.Week {
		name := fmt.Sprintf("day-%d", day)
		spans, ok := spansOf(form.Get(name))
		one := hours.Hours{Zone: "UTC"}
		one.Week[day] = spans
		if !ok || one.Check() != nil {
			bad = append(bad, errs.Field{Field: name, Code: "malformed", Message: ui.BadTimes()})
		}
		h.Week[day] = spans
	}
	if len(bad) > 0 {
		return h, errs.New(errs.Invalid, "Some times could not be read. Nothing was changed.", bad...)
	}
	return h, nil
}
