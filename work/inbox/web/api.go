package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/answer"
	"aver/frame/request"
	"aver/work/inbox"
)

// conversationJSON is a conversation in the API.
type conversationJSON struct {
	ID           ids.Conversation `json:"id"`
	ContactID    ids.Contact      `json:"contact_id"`
	State        inbox.State      `json:"state" enum:"open,snoozed,closed"`
	Channel      inbox.Channel    `json:"channel" enum:"webchat"`
	AssigneeID   ids.User         `json:"assignee_id,omitzero"`
	TeamID       inbox.TeamID     `json:"team_id,omitzero"`
	TagIDs       []inbox.LabelID  `json:"tag_ids"`
	Preview      string           `json:"preview" doc:"How the last message begins"`
	LastSeq      int64            `json:"last_seq" doc:"Number of the last message"`
	LastFrom     inbox.Kind       `json:"last_from,omitempty" enum:"visitor,operator,system"`
	LastAt       time.Time        `json:"last_at"`
	Unread       int              `json:"unread" doc:"Messages of the person that nobody has looked at"`
	SnoozedUntil time.Time        `json:"snoozed_until,omitzero"`
	CreatedAt    time.Time        `json:"created_at"`
}

func conversationOut(r inbox.Row) conversationJSON {
	out := conversationJSON{ID: r.ID, ContactID: r.Contact, State: r.State, Channel: r.Channel, AssigneeID: r.Assignee, TeamID: r.Team, TagIDs: []inbox.LabelID{},
		Preview: r.Preview.Reveal(), LastSeq: r.LastSeq, LastFrom: r.LastFrom, LastAt: r.LastAt, Unread: r.Unread, SnoozedUntil: r.SnoozedUntil, CreatedAt: r.CreatedAt}
	for _, l := range r.Labels {
		out.TagIDs = append(out.TagIDs, l.ID)
	}
	return out
}

// partJSON is a message or note in the API.
type partJSON struct {
	Seq         int64            `json:"seq" doc:"Counts the messages of the conversation from 1. Notes carry the number of the message before them"`
	Note        int64            `json:"note,omitempty" doc:"Counts the notes of the conversation from 1; absent of what both sides see"`
	Type        inbox.Kind       `json:"type" enum:"visitor,operator,system,note"`
	AuthorID    ids.User         `json:"author_id,omitzero"`
	Text        string           `json:"text"`
	Attachments []attachmentJSON `json:"attachments"`
	At          time.Time        `json:"at"`
	Redacted    bool             `json:"redacted,omitempty"`
}

// attachmentJSON is a file in the API, fetched from /attachments/ and its identifier.
type attachmentJSON struct {
	ID   ids.Object `json:"id"`
	Name string     `json:"name"`
	Type string     `json:"type"`
	Size int64      `json:"size" doc:"Bytes"`
}

func partOut(m inbox.Message) partJSON {
	return partJSON{Seq: m.Seq, Note: m.Note, Type: m.From, AuthorID: m.Author, Text: m.Text.Reveal(), At: m.At, Redacted: m.Redacted,
		Attachments: answer.Each(m.Files, func(f inbox.File) attachmentJSON { return attachmentJSON{f.ID, f.Name.Reveal(), f.Kind, f.Size} })}
}

// OfConversation names one.
type OfConversation struct {
	ID ids.Conversation `path:"id"`
}

type conversationPage struct {
	Body struct {
		Data []conversationJSON `json:"data"`
		Next inbox.Cursor       `json:"next,omitzero" doc:"For starting_after; absent at the end"`
	}
}

func (s *Service) api(api huma.API) {
	s.conversationAPI(api)
	s.partAPI(api)
	s.changeAPI(api)
	s.labelAPI(api)
	s.deskAPI(api)
	s.hoursAPI(api)
}

func (s *Service) one(ctx context.Context, id ids.Conversation, err error) (*answer.Of[conversationJSON], error) {
	if err != nil {
		return nil, err
	}
	row, err := s.Row(ctx, request.Actor(ctx), id)
	return answer.One(row, err, conversationOut)
}

func (s *Service) conversationAPI(api huma.API) {
	huma.Get(api, "/v1/conversations", func(ctx context.Context, in *struct {
		State      inbox.State   `query:"state" enum:"open,snoozed,closed" default:"open"`
		Assignee   ids.User      `query:"assignee_id"`
		Unassigned bool          `query:"unassigned"`
		Team       inbox.TeamID  `query:"team_id"`
		Tag        inbox.LabelID `query:"tag_id"`
		PerPage    int           `query:"per_page" minimum:"1" maximum:"50" default:"50"`
		After      inbox.Cursor  `query:"starting_after"`
	}) (*conversationPage, error) {
		rows, next, err := s.List(ctx, request.Actor(ctx), inbox.Filter{State: in.State, Assignee: in.Assignee, Unassigned: in.Unassigned, Team: in.Team,
			Label: in.Tag, Limit: in.PerPage, After: in.After})
		if err != nil {
			return nil, err
		}
		out := &conversationPage{}
		out.Body.Data, out.Body.Next = answer.Each(rows, conversationOut), next
		return out, nil
	})
	huma.Post(api, "/v1/conversations/search", func(ctx context.Context, in *struct {
		Body struct {
			Query string `json:"query" minLength:"1" maxLength:"500" doc:"Words that must all occur in one message or note; the last may be a beginning"`
		}
	}) (*answer.List[conversationJSON], error) {
		rows, err := s.Search(ctx, request.Actor(ctx), in.Body.Query)
		return answer.All(rows, err, conversationOut)
	})
	huma.Get(api, "/v1/conversations/{id}", func(ctx context.Context, in *OfConversation) (*answer.Of[conversationJSON], error) {
		return s.one(ctx, in.ID, nil)
	})
}

// sentJSON says that a message is durable.
type sentJSON struct {
	Seq       int64     `json:"seq"`
	Note      int64     `json:"note,omitempty"`
	At        time.Time `json:"at"`
	Duplicate bool      `json:"duplicate" doc:"It was stored before, by the same client_id"`
}

type partPage struct {
	Body struct {
		Data []partJSON `json:"data" doc:"In rising order"`
		More bool       `json:"more" doc:"There are earlier ones"`
	}
}

func (s *Service) partAPI(api huma.API) {
	huma.Get(api, "/v1/conversations/{id}/parts", func(ctx context.Context, in *struct {
		OfConversation
		Before  int64 `query:"before" minimum:"0" doc:"Read back from this number; 0 is the end"`
		PerPage int   `query:"per_page" minimum:"1" maximum:"200" default:"50"`
	}) (*partPage, error) {
		all, more, err := s.History(ctx, request.Actor(ctx), in.ID, in.Before, in.PerPage)
		if err != nil {
			return nil, err
		}
		out := &partPage{}
		out.Body.Data, out.Body.More = answer.Each(all, partOut), more
		return out, nil
	})
	huma.Post(api, "/v1/conversations/{id}/reply", func(ctx context.Context, in *struct {
		OfConversation
		Body struct {
			Type          string       `json:"type,omitempty" enum:"reply,note" default:"reply"`
			Text          string       `json:"text,omitempty" maxLength:"10000"`
			ClientID      string       `json:"client_id,omitempty" maxLength:"36" doc:"A UUID of your own making: sending again with the same one changes nothing"`
			AttachmentIDs []ids.Object `json:"attachment_ids,omitempty" maxItems:"10"`
		}
	}) (*answer.Of[sentJSON], error) {
		b := in.Body
		ack, err := s.Reply(ctx, request.Actor(ctx), in.ID, inbox.Outgoing{ClientID: b.ClientID, Text: personal.Of(b.Text), Attachments: b.AttachmentIDs, Note: b.Type == "note"})
		return answer.One(ack, err, func(a inbox.Ack) sentJSON { return sentJSON{a.Seq, a.Note, a.At, a.Duplicate} })
	}, answer.Status(http.StatusCreated))
	huma.Post(api, "/v1/conversations/redact", func(ctx context.Context, in *struct {
		Body struct {
			Conversation ids.Conversation `json:"conversation_id"`
			Seq          int64            `json:"seq" minimum:"0"`
			Note         int64            `json:"note,omitempty" minimum:"0"`
		}
	}) (*struct{}, error) {
		return nil, s.Redact(ctx, request.Actor(ctx), in.Body.Conversation, in.Body.Seq, in.Body.Note)
	})
}

func (s *Service) changeAPI(api huma.API) {
	huma.Put(api, "/v1/conversations/{id}", func(ctx context.Context, in *struct {
		OfConversation
		Body struct {
			State inbox.State `json:"state" enum:"open,closed"`
			Seen  int64       `json:"seen_seq,omitempty" minimum:"1" doc:"The last message that was looked at: closing is refused with a conflict if there is a later one. Absent: closed in any case"`
		}
	}) (*answer.Of[conversationJSON], error) {
		return s.one(ctx, in.ID, s.SetState(ctx, request.Actor(ctx), in.ID, in.Body.State, in.Body.Seen))
	})
	huma.Put(api, "/v1/conversations/{id}/assignment", func(ctx context.Context, in *struct {
		OfConversation
		Body struct {
			Assignee ids.User     `json:"assignee_id,omitzero" doc:"Absent: nobody"`
			Team     inbox.TeamID `json:"team_id,omitzero" doc:"Absent: no team"`
		}
	}) (*answer.Of[conversationJSON], error) {
		return s.one(ctx, in.ID, s.Assign(ctx, request.Actor(ctx), in.ID, inbox.Assignment{User: &in.Body.Assignee, Team: &in.Body.Team}))
	})
	huma.Post(api, "/v1/conversations/{id}/snooze", func(ctx context.Context, in *struct {
		OfConversation
		Body struct {
			Until time.Time `json:"until"`
			Seen  int64     `json:"seen_seq,omitempty" minimum:"1" doc:"The last message that was looked at: refused with a conflict if there is a later one. Absent: snoozed in any case"`
		}
	}) (*answer.Of[conversationJSON], error) {
		return s.one(ctx, in.ID, s.Snooze(ctx, request.Actor(ctx), in.ID, in.Body.Until, in.Body.Seen))
	})
	huma.Post(api, "/v1/conversations/{id}/read", func(ctx context.Context, in *struct {
		OfConversation
		Body struct {
			Seq int64 `json:"seq" minimum:"1" doc:"Everything up to this message was looked at"`
		}
	}) (*answer.Of[conversationJSON], error) {
		return s.one(ctx, in.ID, s.MarkRead(ctx, request.Actor(ctx), in.ID, in.Body.Seq))
	})
	type ofTag struct {
		OfConversation
		Tag inbox.LabelID `path:"tag_id"`
	}
	huma.Put(api, "/v1/conversations/{id}/tags/{tag_id}", func(ctx context.Context, in *ofTag) (*struct{}, error) {
		return nil, s.SetLabel(ctx, request.Actor(ctx), in.ID, in.Tag, true)
	})
	huma.Delete(api, "/v1/conversations/{id}/tags/{tag_id}", func(ctx context.Context, in *ofTag) (*struct{}, error) {
		return nil, s.SetLabel(ctx, request.Actor(ctx), in.ID, in.Tag, false)
	})
}
