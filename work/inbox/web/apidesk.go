package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/request"
	"aver/work/inbox"
	"aver/work/inbox/desk"
	"aver/work/inbox/hours"
)

// conversationTagJSON is a label of conversations in the API.
type conversationTagJSON struct {
	ID   inbox.LabelID `json:"id"`
	Name string        `json:"name"`
	Hue  int           `json:"hue" doc:"0 (grey) to 8"`
}

func labelOut(l inbox.Label) conversationTagJSON { return conversationTagJSON{l.ID, l.Name, l.Hue} }

type conversationTagBody struct {
	Name string `json:"name" minLength:"1" maxLength:"60"`
	Hue  int    `json:"hue,omitempty" minimum:"0" maximum:"8"`
}

// OfLabel names a label.
type OfLabel struct {
	ID inbox.LabelID `path:"tag_id"`
}

func (s *Service) labelAPI(api huma.API) {
	huma.Get(api, "/v1/tags", func(ctx context.Context, _ *struct{}) (*answer.List[conversationTagJSON], error) {
		all, err := s.Labels(ctx, request.Actor(ctx))
		return answer.All(all, err, labelOut)
	})
	huma.Post(api, "/v1/tags", func(ctx context.Context, in *struct{ Body conversationTagBody }) (*answer.Of[conversationTagJSON], error) {
		l, err := s.SaveLabel(ctx, request.Actor(ctx), inbox.Label{Name: in.Body.Name, Hue: in.Body.Hue})
		return answer.One(l, err, labelOut)
	}, answer.Status(http.StatusCreated))
	huma.Put(api, "/v1/tags/{tag_id}", func(ctx context.Context, in *struct {
		OfLabel
		Body conversationTagBody
	}) (*answer.Of[conversationTagJSON], error) {
		l, err := s.SaveLabel(ctx, request.Actor(ctx), inbox.Label{ID: in.ID, Name: in.Body.Name, Hue: in.Body.Hue})
		return answer.One(l, err, labelOut)
	})
	huma.Delete(api, "/v1/tags/{tag_id}", func(ctx context.Context, in *OfLabel) (*struct{}, error) {
		return nil, s.DeleteLabel(ctx, request.Actor(ctx), in.ID)
	})
}

// macroJSON is a canned reply in the API.
type macroJSON struct {
	ID       inbox.MacroID `json:"id"`
	Shortcut string        `json:"shortcut" doc:"Typed after a slash"`
	Text     string        `json:"text"`
}

func macroOut(m inbox.Macro) macroJSON { return macroJSON{m.ID, m.Shortcut, m.Text} }

type macroBody struct {
	Shortcut string `json:"shortcut" minLength:"1" maxLength:"31"`
	Text     string `json:"text" minLength:"1" maxLength:"5000"`
}

// teamJSON is a team in the API.
type teamJSON struct {
	ID        inbox.TeamID `json:"id"`
	Name      string       `json:"name"`
	MemberIDs []ids.User   `json:"member_ids"`
}

func teamOut(t inbox.Staffed) teamJSON {
	return teamJSON{t.ID, t.Name, append([]ids.User{}, t.Members...)}
}

type teamBody struct {
	Name      string     `json:"name" minLength:"1" maxLength:"60"`
	MemberIDs []ids.User `json:"member_ids,omitempty" maxItems:"500"`
}

func (b teamBody) team(id inbox.TeamID) inbox.Staffed {
	return inbox.Staffed{Team: inbox.Team{ID: id, Name: b.Name}, Members: b.MemberIDs}
}

// OfMacro names a canned reply.
type OfMacro struct {
	ID inbox.MacroID `path:"macro_id"`
}

// OfTeam names a team.
type OfTeam struct {
	ID inbox.TeamID `path:"team_id"`
}

func (s *Service) deskAPI(api huma.API) {
	huma.Get(api, "/v1/macros", func(ctx context.Context, _ *struct{}) (*answer.List[macroJSON], error) {
		all, err := s.Macros(ctx, request.Actor(ctx))
		return answer.All(all, err, macroOut)
	})
	huma.Post(api, "/v1/macros", func(ctx context.Context, in *struct{ Body macroBody }) (*answer.Of[macroJSON], error) {
		m, err := s.SaveMacro(ctx, request.Actor(ctx), inbox.Macro{Shortcut: in.Body.Shortcut, Text: in.Body.Text})
		return answer.One(m, err, macroOut)
	}, answer.Status(http.StatusCreated))
	huma.Put(api, "/v1/macros/{macro_id}", func(ctx context.Context, in *struct {
		OfMacro
		Body macroBody
	}) (*answer.Of[macroJSON], error) {
		m, err := s.SaveMacro(ctx, request.Actor(ctx), inbox.Macro{ID: in.ID, Shortcut: in.Body.Shortcut, Text: in.Body.Text})
		return answer.One(m, err, macroOut)
	})
	huma.Delete(api, "/v1/macros/{macro_id}", func(ctx context.Context, in *OfMacro) (*struct{}, error) {
		return nil, s.DeleteMacro(ctx, request.Actor(ctx), in.ID)
	})
	huma.Get(api, "/v1/teams", func(ctx context.Context, _ *struct{}) (*answer.List[teamJSON], error) {
		all, err := s.Teams(ctx, request.Actor(ctx))
		return answer.All(all, err, teamOut)
	})
	huma.Post(api, "/v1/teams", func(ctx context.Context, in *struct{ Body teamBody }) (*answer.Of[teamJSON], error) {
		t, err := s.SaveTeam(ctx, request.Actor(ctx), in.Body.team(inbox.TeamID{}))
		return answer.One(t, err, teamOut)
	}, answer.Status(http.StatusCreated))
	huma.Put(api, "/v1/teams/{team_id}", func(ctx context.Context, in *struct {
		OfTeam
		Body teamBody
	}) (*answer.Of[teamJSON], error) {
		t, err := s.SaveTeam(ctx, request.Actor(ctx), in.Body.team(in.ID))
		return answer.One(t, err, teamOut)
	})
	huma.Delete(api, "/v1/teams/{team_id}", func(ctx context.Context, in *OfTeam) (*struct{}, error) {
		return nil, s.DeleteTeam(ctx, request.Actor(ctx), in.ID)
	})
}

// scheduleJSON is the office hours in the API.
type scheduleJSON struct {
	ID      desk.ScheduleID `json:"id"`
	Zone    string          `json:"time_zone" doc:"IANA name"`
	Limited bool            `json:"limited" doc:"False: somebody always answers"`
	Week    [][]spanJSON    `json:"week" doc:"Seven days, from Sunday"`
	Away    string          `json:"offline_message"`
}

// spanJSON is a part of a day.
type spanJSON struct {
	From int `json:"from" minimum:"0" maximum:"1439" doc:"Minutes since midnight"`
	To   int `json:"to" minimum:"1" maximum:"1440" doc:"Minutes since midnight; not part of it"`
}

func hoursOut(h hours.Hours) scheduleJSON {
	out := scheduleJSON{ID: desk.DefaultSchedule, Zone: h.Zone, Limited: h.Limited, Away: h.Away}
	for _, day := range h.Week {
		out.Week = append(out.Week, answer.Each(day, func(span hours.Span) spanJSON { return spanJSON(span) }))
	}
	return out
}

func (s *Service) hoursAPI(api huma.API) {
	huma.Get(api, "/v1/office_hours_schedules", func(ctx context.Context, _ *struct{}) (*answer.List[scheduleJSON], error) {
		h, err := s.Hours(ctx, request.Actor(ctx))
		return answer.All([]hours.Hours{h}, err, hoursOut)
	})
	huma.Put(api, "/v1/office_hours_schedules/{schedule_id}", func(ctx context.Context, in *struct {
		ID   desk.ScheduleID `path:"schedule_id"`
		Body struct {
			Zone    string       `json:"time_zone" maxLength:"60"`
			Limited bool         `json:"limited"`
			Week    [][]spanJSON `json:"week,omitempty" minItems:"7" maxItems:"7"`
			Away    string       `json:"offline_message,omitempty" maxLength:"500"`
		}
	}) (*answer.Of[scheduleJSON], error) {
		if in.ID != desk.DefaultSchedule {
			return nil, errs.New(errs.NotFound, "There is no such schedule.")
		}
		h := hours.Hours{Zone: in.Body.Zone, Limited: in.Body.Limited, Away: in.Body.Away}
		for day, spans := range in.Body.Week {
			h.Week[day] = answer.Each(spans, func(span spanJSON) hours.Span { return hours.Span(span) })
		}
		err := s.SetHours(ctx, request.Actor(ctx), h)
		return answer.One(h, err, hoursOut)
	})
}
