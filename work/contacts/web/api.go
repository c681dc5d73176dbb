package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/trust/rights"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
)

// externalID is what the tenant's own system calls a person, and names one person of the tenant.
type externalID string

// Reference names what it refers to, for the API's description.
func (externalID) Reference() string { return "contact_external_id" }

// contactJSON is a contact in the API.
type contactJSON struct {
	ID         ids.Contact       `json:"id"`
	Role       contacts.Role     `json:"role" enum:"visitor,lead,user"`
	ExternalID externalID        `json:"external_id,omitempty" doc:"Your own identifier of the person"`
	Email      string            `json:"email,omitempty"`
	Phone      string            `json:"phone,omitempty" doc:"E.164"`
	Name       string            `json:"name,omitempty"`
	Company    string            `json:"company,omitempty"`
	Language   string            `json:"language,omitempty"`
	Attributes attributes.Values `json:"custom_attributes"`
	Verified   bool              `json:"verified" doc:"Your site signed who this is; otherwise everything here may be a claim"`
	Basis      contacts.Basis    `json:"basis" enum:"widget,operator,api,import"`
	Tags       []contacts.TagID  `json:"tags,omitempty"`
	MergedInto *ids.Contact      `json:"merged_into,omitempty"`
	Blocked    bool              `json:"blocked"`
	Archived   bool              `json:"archived"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
	SeenAt     time.Time         `json:"last_seen_at"`
}

func contactOut(c contacts.Contact, tags []contacts.TagID) (contactJSON, error) {
	values, err := c.Values()
	out := contactJSON{ID: c.ID, Role: c.Role, ExternalID: externalID(c.ExternalID.Reveal()), Email: c.Email.Reveal(), Phone: c.Phone.Reveal(), Name: c.Name.Reveal(),
		Company: c.Company.Reveal(), Language: c.Language, Attributes: values, Verified: c.Verified, Basis: c.Basis, Tags: tags,
		Blocked: !c.BlockedAt.IsZero(), Archived: !c.ArchivedAt.IsZero(), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, SeenAt: c.SeenAt}
	if !c.MergedInto.IsZero() {
		out.MergedInto = &c.MergedInto
	}
	return out, err
}

// FieldsJSON are the fields of a contact that a program may set. An empty text empties a field; an absent one leaves it.
type FieldsJSON struct {
	Role       contacts.Role     `json:"role,omitempty" enum:"visitor,lead,user"`
	Email      *string           `json:"email,omitempty" maxLength:"254"`
	Phone      *string           `json:"phone,omitempty" maxLength:"40" doc:"With the country code; kept as E.164"`
	Name       *string           `json:"name,omitempty" maxLength:"250"`
	Company    *string           `json:"company,omitempty" maxLength:"250"`
	Language   string            `json:"language,omitempty" maxLength:"35" doc:"BCP 47"`
	Attributes attributes.Values `json:"custom_attributes,omitempty" doc:"By name, as defined under data_attributes; null empties one"`
	Grounds    []identity.Ground `json:"grounds,omitempty" maxItems:"10" doc:"Why you keep the person's data: your word, on record under your key. Required of a person without any where your workspace demands it. It opens no purpose to programs; consents do"`
	Request    rights.RequestID  `json:"privacy_request,omitzero" doc:"Which request of the person asks for this; kept with the history of the change"`
}

func (f FieldsJSON) draft() contacts.Draft {
	d := contacts.Draft{Role: f.Role, Language: f.Language, Attributes: f.Attributes, Grounds: f.Grounds, Request: requested(f.Request)}
	for _, one := range []struct {
		name string
		said *string
		to   *string
	}{{"email", f.Email, &d.Email}, {"phone", f.Phone, &d.Phone}, {"name", f.Name, &d.Name}, {"company", f.Company, &d.Company}} {
		switch {
		case one.said == nil:
		case *one.said == "":
			d.Clear = append(d.Clear, one.name)
		default:
			*one.to = *one.said
		}
	}
	return d
}

func requested(id rights.RequestID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// identifiedJSON is FieldsJSON with the identifier.
type identifiedJSON struct {
	ExternalID externalID `json:"external_id,omitempty" maxLength:"250" doc:"Your own identifier of the person; told apart exactly as written"`
	FieldsJSON
}

type (
	// OfContact is the contact that a path names. It is exported so that requests can embed it.
	OfContact struct {
		ID ids.Contact `path:"id"`
	}
	pageJSON struct {
		Body struct {
			Data []contactJSON               `json:"data"`
			Next request.Cursor[ids.Contact] `json:"starting_after,omitzero" doc:"Where the next page starts; absent at the end"`
		}
	}
)

func (s *Service) api(api huma.API) {
	s.contactAPI(api)
	s.listAPI(api)
	s.mergeAPI(api)
	s.noteAPI(api)
	s.tagAPI(api)
	s.segmentAPI(api)
	s.attributeAPI(api)
}

func one(c contacts.Contact, err error) (*answer.Of[contactJSON], error) {
	if err != nil {
		return nil, err
	}
	out, err := contactOut(c, nil)
	return &answer.Of[contactJSON]{Body: out}, err
}

func (s *Service) contactAPI(api huma.API) {
	huma.Post(api, "/v1/contacts", func(ctx context.Context, in *struct{ Body identifiedJSON }) (*answer.Of[contactJSON], error) {
		d := in.Body.draft()
		d.ExternalID = string(in.Body.ExternalID)
		return one(s.Create(ctx, request.Actor(ctx), d))
	}, answer.Status(http.StatusCreated))
	huma.Get(api, "/v1/contacts/{id}", func(ctx context.Context, in *OfContact) (*answer.Of[contactJSON], error) {
		c, err := s.Get(ctx, request.Actor(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		tags, err := s.TagsOf(ctx, request.Actor(ctx), in.ID)
		if err != nil {
			return nil, err
		}
		var names []contacts.TagID
		for _, t := range tags {
			names = append(names, t.ID)
		}
		out, err := contactOut(c, names)
		return &answer.Of[contactJSON]{Body: out}, err
	})
	huma.Put(api, "/v1/contacts/{id}", func(ctx context.Context, in *struct {
		OfContact
		Body identifiedJSON
	}) (*answer.Of[contactJSON], error) {
		d := in.Body.draft()
		d.ExternalID = string(in.Body.ExternalID)
		return one(s.Update(ctx, request.Actor(ctx), in.ID, d))
	})
	huma.Put(api, "/v1/contacts/by-external-id/{external_id}", func(ctx context.Context, in *struct {
		ExternalID externalID `path:"external_id" maxLength:"250" doc:"Your own identifier of the person, percent-encoded"`
		Body       FieldsJSON
	}) (*struct {
		Status int
		Body   contactJSON
	}, error) {
		d := in.Body.draft()
		d.ExternalID = string(in.ExternalID)
		c, created, err := s.Upsert(ctx, request.Actor(ctx), d)
		if err != nil {
			return nil, err
		}
		out, err := contactOut(c, nil)
		status := http.StatusOK
		if created {
			status = http.StatusCreated
		}
		return &struct {
			Status int
			Body   contactJSON
		}{status, out}, err
	})
	s.marksAPI(api)
}

// marksAPI adds what is switched on by POST and off by DELETE.
func (s *Service) marksAPI(api huma.API) {
	for path, mark := range map[string]func(context.Context, ids.Contact, bool) error{
		"archive": func(ctx context.Context, id ids.Contact, on bool) error {
			return s.Archive(ctx, request.Actor(ctx), id, on)
		},
		"block": func(ctx context.Context, id ids.Contact, on bool) error {
			return s.Block(ctx, request.Actor(ctx), id, on)
		},
	} {
		huma.Post(api, "/v1/contacts/{id}/"+path, func(ctx context.Context, in *OfContact) (*struct{}, error) {
			return nil, mark(ctx, in.ID, true)
		})
		huma.Delete(api, "/v1/contacts/{id}/"+path, func(ctx context.Context, in *OfContact) (*struct{}, error) {
			return nil, mark(ctx, in.ID, false)
		})
	}
}

// page answers with a part of a list.
func (s *Service) page(ctx context.Context, f contacts.Filter) (*pageJSON, error) {
	p, err := s.List(ctx, request.Actor(ctx), f)
	if err != nil {
		return nil, err
	}
	out := &pageJSON{}
	out.Body.Data, out.Body.Next = make([]contactJSON, 0, len(p.Contacts)), p.Next
	for _, c := range p.Contacts {
		shown, err := contactOut(c, p.Tags[c.ID])
		if err != nil {
			return nil, err
		}
		out.Body.Data = append(out.Body.Data, shown)
	}
	return out, nil
}

func (s *Service) listAPI(api huma.API) {
	huma.Get(api, "/v1/contacts", func(ctx context.Context, in *struct {
		Role     contacts.Role               `query:"role" enum:"visitor,lead,user"`
		Tag      contacts.TagID              `query:"tag_id"`
		Segment  contacts.SegmentID          `query:"segment_id"`
		Archived bool                        `query:"archived"`
		PerPage  int                         `query:"per_page" minimum:"1" maximum:"100" default:"50"`
		After    request.Cursor[ids.Contact] `query:"starting_after"`
	}) (*pageJSON, error) {
		return s.page(ctx, contacts.Filter{Role: in.Role, Label: in.Tag, Segment: in.Segment, Archived: in.Archived, Limit: in.PerPage, After: in.After})
	})
	huma.Post(api, "/v1/contacts/search", func(ctx context.Context, in *struct {
		Body struct {
			Query    string             `json:"query" minLength:"1" maxLength:"250" doc:"Words of the name, company, address or notes, of which the last may be a beginning; or a whole address, number or external_id"`
			Role     contacts.Role      `json:"role,omitempty" enum:"visitor,lead,user"`
			Tag      contacts.TagID     `json:"tag_id,omitzero"`
			Segment  contacts.SegmentID `json:"segment_id,omitzero"`
			Archived bool               `json:"archived,omitempty"`
			PerPage  int                `json:"per_page,omitempty" minimum:"1" maximum:"100" default:"50"`
		}
	}) (*pageJSON, error) {
		b := in.Body
		return s.page(ctx, contacts.Filter{Search: b.Query, Role: b.Role, Label: b.Tag, Segment: b.Segment, Archived: b.Archived, Limit: b.PerPage})
	})
}
