package holds

import (
	"context"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/request"
)

// holdJSON is a hold in the API.
type holdJSON struct {
	ID            HoldID             `json:"id"`
	Contact       ids.Contact        `json:"contact"`
	Ground        Ground             `json:"ground" enum:"expression,legal_obligation,public_health,archiving,legal_claims" doc:"The exemption of GDPR Art. 17(3)"`
	Classes       []string           `json:"classes,omitempty" doc:"Tables of the data catalogue; none means all"`
	Conversations []ids.Conversation `json:"conversations,omitempty" doc:"None means all"`
	PlacedAt      time.Time          `json:"placed_at"`
	ReviewAt      time.Time          `json:"review_at"`
	ReleasedAt    *time.Time         `json:"released_at,omitempty"`
}

func jsonOf(h Hold) holdJSON {
	out := holdJSON{ID: h.ID, Contact: h.Contact, Ground: h.Ground, Classes: h.Classes, Conversations: h.Conversations, PlacedAt: h.PlacedAt, ReviewAt: h.ReviewAt}
	if !h.ReleasedAt.IsZero() {
		out.ReleasedAt = &h.ReleasedAt
	}
	return out
}

// itemJSON is something that a hold keeps of somebody who was erased.
type itemJSON struct {
	Class   string          `json:"class"`
	Place   string          `json:"place" doc:"The key of the row, or the file's identifier"`
	Content json.RawMessage `json:"content,omitempty" doc:"The row; absent for files"`
	Lost    bool            `json:"lost,omitempty" doc:"A file that was lost or damaged before the hold could keep it"`
	HeldAt  time.Time       `json:"held_at"`
}

func itemOf(i Item) itemJSON {
	return itemJSON{Class: i.Class, Place: i.Place, Content: json.RawMessage(i.Content.Reveal()), Lost: i.Lost, HeldAt: i.At}
}

type holdPage struct {
	Body struct {
		Data []holdJSON             `json:"holds"`
		Next request.Cursor[HoldID] `json:"next,omitzero"`
	}
}

type onHold struct {
	ID HoldID `path:"id"`
}

func (s *Service) api(api huma.API) {
	huma.Post(api, "/v1/holds", func(ctx context.Context, in *struct {
		Body struct {
			Contact       ids.Contact        `json:"contact"`
			Ground        Ground             `json:"ground" enum:"expression,legal_obligation,public_health,archiving,legal_claims"`
			Reason        string             `json:"reason" maxLength:"1000" doc:"Sealed, and destroyed when the hold is released"`
			ReviewAt      time.Time          `json:"review_at,omitzero" doc:"Within a year; half a year when absent"`
			Classes       []string           `json:"classes,omitempty" maxItems:"50"`
			Conversations []ids.Conversation `json:"conversations,omitempty" maxItems:"50"`
		}
	}) (*answer.Of[holdJSON], error) {
		b := in.Body
		if b.ReviewAt.IsZero() {
			b.ReviewAt = s.vault.Now().Add(usualReview)
		}
		h, err := s.Place(ctx, request.Actor(ctx), Draft{Contact: b.Contact, Ground: b.Ground, Reason: b.Reason, ReviewAt: b.ReviewAt, Classes: b.Classes, Conversations: b.Conversations})
		return answer.One(h, err, jsonOf)
	})
	huma.Get(api, "/v1/holds", func(ctx context.Context, in *struct {
		Cursor  request.Cursor[HoldID] `query:"starting_after"`
		PerPage int                    `query:"per_page" minimum:"1" maximum:"150" default:"50"`
	}) (*holdPage, error) {
		list, next, err := s.List(ctx, request.Actor(ctx), in.Cursor, in.PerPage)
		if err != nil {
			return nil, err
		}
		out := &holdPage{}
		out.Body.Data, out.Body.Next = answer.Each(list, jsonOf), next
		return out, nil
	})
	huma.Get(api, "/v1/holds/{id}", func(ctx context.Context, in *onHold) (*answer.Of[holdJSON], error) {
		h, _, err := s.Get(ctx, request.Actor(ctx), in.ID)
		return answer.One(h, err, jsonOf)
	})
	huma.Put(api, "/v1/holds/{id}", func(ctx context.Context, in *struct {
		ID   HoldID `path:"id"`
		Body struct {
			ReviewAt time.Time `json:"review_at"`
		}
	}) (*answer.Of[holdJSON], error) {
		h, err := s.Extend(ctx, request.Actor(ctx), in.ID, in.Body.ReviewAt)
		return answer.One(h, err, jsonOf)
	})
	huma.Delete(api, "/v1/holds/{id}", func(ctx context.Context, in *onHold) (*answer.Of[holdJSON], error) {
		h, err := s.Release(ctx, request.Actor(ctx), in.ID)
		return answer.One(h, err, jsonOf)
	})
	huma.Get(api, "/v1/holds/{id}/items", func(ctx context.Context, in *onHold) (*answer.List[itemJSON], error) {
		items, err := s.Items(ctx, request.Actor(ctx), in.ID)
		return answer.All(items, err, itemOf)
	})
}
