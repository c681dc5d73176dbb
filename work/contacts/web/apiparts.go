package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/request"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/notes"
)

// mergeJSON is a merge in the API.
type mergeJSON struct {
	From     ids.Contact `json:"from"`
	Into     ids.Contact `json:"into"`
	Author   ids.User    `json:"author,omitzero"`
	Reason   string      `json:"reason,omitempty"`
	At       time.Time   `json:"at"`
	UndoneAt time.Time   `json:"undone_at,omitzero"`
}

func mergeOut(m contacts.Merging) mergeJSON {
	return mergeJSON{m.Contact, m.Into, m.Author, m.Reason.Reveal(), m.At, m.UndoneAt}
}

func (s *Service) mergeAPI(api huma.API) {
	huma.Post(api, "/v1/contacts/merge", func(ctx context.Context, in *struct {
		Body struct {
			From   ids.Contact `json:"from"`
			Into   ids.Contact `json:"into"`
			Reason string      `json:"reason,omitempty" maxLength:"250"`
		}
	}) (*answer.Of[contactJSON], error) {
		if err := s.Merge(ctx, request.Actor(ctx), in.Body.From, in.Body.Into, in.Body.Reason); err != nil {
			return nil, err
		}
		return one(s.Get(ctx, request.Actor(ctx), in.Body.Into))
	})
	huma.Delete(api, "/v1/contacts/{id}/merge", func(ctx context.Context, in *OfContact) (*struct{}, error) {
		return nil, s.Unmerge(ctx, request.Actor(ctx), in.ID)
	})
	huma.Get(api, "/v1/contacts/{id}/merge_history", func(ctx context.Context, in *OfContact) (*answer.List[mergeJSON], error) {
		all, err := s.MergeHistory(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, mergeOut)
	})
}

// noteJSON is a note in the API.
type noteJSON struct {
	ID     ids.Object `json:"id"`
	Author ids.User   `json:"author,omitzero"`
	Body   string     `json:"body"`
	At     time.Time  `json:"created_at"`
}

func noteOut(n notes.Note) noteJSON { return noteJSON{n.ID, n.Author, n.Body.Reveal(), n.At} }

func (s *Service) noteAPI(api huma.API) {
	huma.Get(api, "/v1/contacts/{id}/notes", func(ctx context.Context, in *OfContact) (*answer.List[noteJSON], error) {
		all, err := s.Notes.List(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, noteOut)
	})
	huma.Post(api, "/v1/contacts/{id}/notes", func(ctx context.Context, in *struct {
		OfContact
		Body struct {
			Body string `json:"body" minLength:"1" maxLength:"10000"`
		}
	}) (*answer.Of[noteJSON], error) {
		n, err := s.Notes.Add(ctx, request.Actor(ctx), in.ID, in.Body.Body)
		return answer.One(n, err, noteOut)
	}, answer.Status(http.StatusCreated))
	huma.Delete(api, "/v1/contacts/{id}/notes/{note_id}", func(ctx context.Context, in *struct {
		OfContact
		Note ids.Object `path:"note_id"`
	}) (*struct{}, error) {
		return nil, s.Notes.Remove(ctx, request.Actor(ctx), in.ID, in.Note)
	})
}

// tagJSON is a label in the API.
type tagJSON struct {
	ID        contacts.TagID `json:"id"`
	Name      string         `json:"name"`
	Hue       int            `json:"hue" doc:"0 (grey) to 8"`
	CreatedAt time.Time      `json:"created_at"`
}

func tagOut(t contacts.Tag) tagJSON { return tagJSON{t.ID, t.Name, t.Hue, t.CreatedAt} }

type tagBody struct {
	Name string `json:"name" minLength:"1" maxLength:"60"`
	Hue  int    `json:"hue,omitempty" minimum:"0" maximum:"8"`
}

func (s *Service) tagAPI(api huma.API) {
	huma.Get(api, "/v1/contact_tags", func(ctx context.Context, _ *struct{}) (*answer.List[tagJSON], error) {
		all, err := s.Tags(ctx, request.Actor(ctx))
		return answer.All(all, err, tagOut)
	})
	huma.Post(api, "/v1/contact_tags", func(ctx context.Context, in *struct{ Body tagBody }) (*answer.Of[tagJSON], error) {
		t, err := s.MakeTag(ctx, request.Actor(ctx), in.Body.Name, in.Body.Hue)
		return answer.One(t, err, tagOut)
	}, answer.Status(http.StatusCreated))
	type OfTag struct {
		Tag contacts.TagID `path:"tag_id"`
	}
	huma.Put(api, "/v1/contact_tags/{tag_id}", func(ctx context.Context, in *struct {
		OfTag
		Body tagBody
	}) (*answer.Of[tagJSON], error) {
		t, err := s.ChangeTag(ctx, request.Actor(ctx), in.Tag, in.Body.Name, in.Body.Hue)
		return answer.One(t, err, tagOut)
	})
	huma.Delete(api, "/v1/contact_tags/{tag_id}", func(ctx context.Context, in *OfTag) (*struct{}, error) {
		return nil, s.RemoveTag(ctx, request.Actor(ctx), in.Tag)
	})
	huma.Get(api, "/v1/contacts/{id}/tags", func(ctx context.Context, in *OfContact) (*answer.List[tagJSON], error) {
		all, err := s.TagsOf(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, tagOut)
	})
	huma.Post(api, "/v1/contacts/{id}/tags", func(ctx context.Context, in *struct {
		OfContact
		Body struct {
			Tag contacts.TagID `json:"id"`
		}
	}) (*struct{}, error) {
		return nil, s.Label(ctx, request.Actor(ctx), in.ID, in.Body.Tag)
	})
	huma.Delete(api, "/v1/contacts/{id}/tags/{tag_id}", func(ctx context.Context, in *struct {
		OfContact
		OfTag
	}) (*struct{}, error) {
		return nil, s.Unlabel(ctx, request.Actor(ctx), in.ID, in.Tag)
	})
}

// segmentJSON is a segment in the API.
type segmentJSON struct {
	ID        contacts.SegmentID `json:"id"`
	Name      string             `json:"name"`
	Rule      ruleJSON           `json:"rule"`
	CreatedAt time.Time          `json:"created_at"`
}

type ruleJSON struct {
	Role    contacts.Role  `json:"role,omitempty" enum:"visitor,lead,user"`
	Label   contacts.TagID `json:"tag_id,omitzero"`
	Known   contacts.Known `json:"known,omitempty" enum:"verified,unverified"`
	Seen    int            `json:"seen,omitempty" minimum:"0" maximum:"3650" doc:"Here in the last so many days"`
	Unseen  int            `json:"unseen,omitempty" minimum:"0" maximum:"3650" doc:"Not here for so many days"`
	Created int            `json:"created,omitempty" minimum:"0" maximum:"3650" doc:"Made in the last so many days"`
	Blocked bool           `json:"blocked,omitempty"`
}

func segmentOut(g contacts.Segment) segmentJSON {
	return segmentJSON{g.ID, g.Name, ruleJSON(g.Rule), g.CreatedAt}
}

func (s *Service) segmentAPI(api huma.API) {
	huma.Get(api, "/v1/segments", func(ctx context.Context, _ *struct{}) (*answer.List[segmentJSON], error) {
		all, err := s.Segments(ctx, request.Actor(ctx))
		return answer.All(all, err, segmentOut)
	})
	huma.Post(api, "/v1/segments", func(ctx context.Context, in *struct {
		Body struct {
			Name string   `json:"name" minLength:"1" maxLength:"60"`
			Rule ruleJSON `json:"rule"`
		}
	}) (*answer.Of[segmentJSON], error) {
		g, err := s.MakeSegment(ctx, request.Actor(ctx), in.Body.Name, contacts.Rule(in.Body.Rule))
		return answer.One(g, err, segmentOut)
	}, answer.Status(http.StatusCreated))
	huma.Delete(api, "/v1/segments/{segment_id}", func(ctx context.Context, in *struct {
		ID contacts.SegmentID `path:"segment_id"`
	}) (*struct{}, error) {
		return nil, s.RemoveSegment(ctx, request.Actor(ctx), in.ID)
	})
	huma.Get(api, "/v1/contacts/{id}/segments", func(ctx context.Context, in *OfContact) (*answer.List[segmentJSON], error) {
		all, err := s.SegmentsOf(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, segmentOut)
	})
}

// attributeJSON is an attribute in the API.
type attributeJSON struct {
	ID        attributes.ID   `json:"id"`
	Name      string          `json:"name"`
	Label     string          `json:"label"`
	Kind      attributes.Kind `json:"data_type" enum:"text,number,bool,date,list"`
	Options   []string        `json:"options,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
}

func attributeOut(a attributes.Attribute) attributeJSON {
	return attributeJSON{a.ID, a.Name, a.Label, a.Kind, a.Options, a.CreatedAt}
}

func (s *Service) attributeAPI(api huma.API) {
	huma.Get(api, "/v1/data_attributes", func(ctx context.Context, _ *struct{}) (*answer.List[attributeJSON], error) {
		all, err := s.Attributes.All(ctx, request.Actor(ctx))
		return answer.All(all, err, attributeOut)
	})
	huma.Post(api, "/v1/data_attributes", func(ctx context.Context, in *struct {
		Body struct {
			Name    string          `json:"name" minLength:"1" maxLength:"40" pattern:"^[a-z][a-z0-9_]*$"`
			Label   string          `json:"label,omitempty" maxLength:"80"`
			Kind    attributes.Kind `json:"data_type" enum:"text,number,bool,date,list"`
			Options []string        `json:"options,omitempty" maxItems:"100" doc:"The answers of a list"`
		}
	}) (*answer.Of[attributeJSON], error) {
		b := in.Body
		a, err := s.Attributes.Define(ctx, request.Actor(ctx), attributes.Attribute{Name: b.Name, Label: b.Label, Kind: b.Kind, Options: b.Options})
		return answer.One(a, err, attributeOut)
	}, answer.Status(http.StatusCreated))
	huma.Delete(api, "/v1/data_attributes/{attribute_id}", func(ctx context.Context, in *struct {
		ID attributes.ID `path:"attribute_id"`
	}) (*struct{}, error) {
		return nil, s.Attributes.Archive(ctx, request.Actor(ctx), in.ID)
	})
}
