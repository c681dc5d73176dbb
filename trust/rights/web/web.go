// Package web shows people's requests to themselves, to those who answer them and to programs.
//
// It decides nothing: every request ends in a call of package rights, which asks the vault.
package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/request"
	"aver/trust/rights"
	"aver/vault"
)

// Number is this module's number.
const Number = 82

// Service answers requests.
type Service struct {
	*rights.Service
}

// New makes the service.
func New(s *rights.Service) *Service { return &Service{s} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "rights-web", Number: Number, API: s.api, Routes: s.routes,
		Classes: map[string]module.Class{"/my-data/": module.SignIn, "/my-data/files/": module.Download, "/my-data/receipts/": module.Download, "/privacy/receipts/": module.Download, "/privacy/files/": module.Download}}
}

// privacyRequestJSON is a request in the API.
type privacyRequestJSON struct {
	ID        rights.RequestID `json:"id"`
	Kind      rights.Kind      `json:"kind" enum:"copy,erasure"`
	State     rights.State     `json:"state" enum:"open,verifying,proved,running,done,refused"`
	Contact   ids.Contact      `json:"contact,omitzero"`
	CreatedAt time.Time        `json:"created_at"`
	DueAt     time.Time        `json:"due_at"`
	EndedAt   *time.Time       `json:"ended_at,omitempty"`
	Entry     int64            `json:"entry,omitempty" doc:"Of an erasure: its entry in the audit log"`
}

func jsonOf(r rights.Request) privacyRequestJSON {
	out := privacyRequestJSON{ID: r.ID, Kind: r.Kind, State: r.State, Contact: r.Contact, CreatedAt: r.AskedAt, DueAt: r.DueAt, Entry: r.Entry}
	if !r.EndedAt.IsZero() {
		out.EndedAt = &r.EndedAt
	}
	return out
}

type privacyRequestPage struct {
	Body struct {
		Data []privacyRequestJSON             `json:"privacy_requests"`
		Next request.Cursor[rights.RequestID] `json:"next,omitzero"`
	}
}

func (s *Service) api(api huma.API) {
	huma.Post(api, "/v1/privacy_requests", func(ctx context.Context, in *struct {
		Body struct {
			Contact ids.Contact `json:"contact"`
			Kind    rights.Kind `json:"kind" enum:"copy,erasure"`
		}
	}) (*answer.Of[privacyRequestJSON], error) {
		actor := request.Actor(ctx)
		id, err := s.Start(ctx, actor, in.Body.Kind, in.Body.Contact)
		if err != nil {
			return nil, err
		}
		return s.one(ctx, actor, id)
	})
	huma.Get(api, "/v1/privacy_requests/{id}", func(ctx context.Context, in *struct {
		ID rights.RequestID `path:"id"`
	}) (*answer.Of[privacyRequestJSON], error) {
		return s.one(ctx, request.Actor(ctx), in.ID)
	})
	huma.Get(api, "/v1/privacy_requests", func(ctx context.Context, in *struct {
		Cursor  request.Cursor[rights.RequestID] `query:"starting_after"`
		PerPage int                              `query:"per_page" minimum:"1" maximum:"150" default:"50"`
	}) (*privacyRequestPage, error) {
		list, next, err := s.List(ctx, request.Actor(ctx), in.Cursor, in.PerPage)
		if err != nil {
			return nil, err
		}
		out := &privacyRequestPage{}
		out.Body.Data, out.Body.Next = answer.Each(list, jsonOf), next
		return out, nil
	})
}

func (s *Service) one(ctx context.Context, actor vault.Actor, id rights.RequestID) (*answer.Of[privacyRequestJSON], error) {
	r, err := s.Read(ctx, actor, id)
	return answer.One(r, err, jsonOf)
}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /privacy", request.Handler(s.listPage))
	mux.Handle("GET /privacy/requests/{id}", request.Handler(s.requestPage))
	mux.Handle("GET /privacy/requests/{id}/progress", request.Handler(s.requestPart))
	mux.Handle("GET /privacy/files/{id}", request.Handler(s.sendFile))
	mux.Handle("POST /privacy/people/{contact}/export", request.Handler(s.exportPerson))
	mux.Handle("GET /privacy/people/{contact}/erase", request.Handler(s.erasePage))
	mux.Handle("POST /privacy/people/{contact}/erase", request.Handler(s.erasePerson))
	s.receiptRoutes(mux)
	mux.Handle("GET /my-data/{workspace}", request.Handler(s.portalPage))
	mux.Handle("POST /my-data/{workspace}", request.Handler(s.portalAsk))
	mux.Handle("GET /my-data/{workspace}/{id}", request.Handler(s.portalRequest))
	mux.Handle("POST /my-data/{workspace}/{id}/code", request.Handler(s.portalCode))
	mux.Handle("POST /my-data/{workspace}/{id}/erase", request.Handler(s.portalErase))
	mux.Handle("GET /my-data/files/{workspace}/{id}", request.Handler(s.portalFile))
}

func pathRequest(r *http.Request) (rights.RequestID, error) {
	return request.PathID[rights.RequestID](r, "id", "request")
}

func pathContact(r *http.Request) (ids.Contact, error) {
	return request.PathID[ids.Contact](r, "contact", "person")
}

// download sends an archive as a file.
func download(w http.ResponseWriter, content io.Reader, name string) error {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err := io.Copy(w, content)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
