package children

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/danielgtaylor/huma/v2"

	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/children/ui"
	"aver/vault"
)

// reviewJSON is a review in the API.
type reviewJSON struct {
	ID        ID          `json:"id"`
	Contact   ids.Contact `json:"contact_id" doc:"Gone when the person was erased"`
	Age       int         `json:"age" doc:"That the person says to have"`
	State     State       `json:"state" enum:"open,erased,dismissed"`
	OpenedAt  time.Time   `json:"opened_at"`
	DecidedBy ids.User    `json:"decided_by,omitzero"`
	EndedAt   time.Time   `json:"ended_at,omitzero"`
}

func reviewOut(r Review) reviewJSON {
	return reviewJSON{r.ID, r.Contact, r.Age, r.State, r.OpenedAt, r.DecidedBy, r.EndedAt}
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/child_reviews", func(ctx context.Context, _ *struct{}) (*answer.List[reviewJSON], error) {
		all, _, err := s.List(ctx, request.Actor(ctx))
		return answer.All(all, err, reviewOut)
	})
	type byID struct {
		ID ID `path:"id"`
	}
	huma.Post(api, "/v1/child_reviews/{id}/confirm", func(ctx context.Context, in *byID) (*struct{}, error) {
		return nil, s.Confirm(ctx, request.Actor(ctx), in.ID)
	})
	huma.Post(api, "/v1/child_reviews/{id}/dismiss", func(ctx context.Context, in *byID) (*struct{}, error) {
		return nil, s.Dismiss(ctx, request.Actor(ctx), in.ID)
	})
}

const path = "/settings/children"

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET "+path, request.Handler(s.show))
	mux.Handle("POST "+path, request.Handler(s.save))
	mux.Handle("POST "+path+"/{id}/confirm", request.Handler(s.decide(s.Confirm, ui.Erased)))
	mux.Handle("POST "+path+"/{id}/dismiss", request.Handler(s.decide(s.Dismiss, ui.Dismissed)))
}

func (s *Service) show(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	list, strict, err := s.List(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.View{Strict: strict, MayDecide: actor.Can(actErase), MaySet: actor.Can(actSet), Asked: r.URL.Query().Get("confirm")}
	for _, one := range list {
		view.Reviews = append(view.Reviews, ui.Review{ID: one.ID.String(), Contact: one.Contact.String(), Conversation: one.conversation(), Age: one.Age, State: string(one.State),
			Opened: one.OpenedAt, Ended: one.EndedAt, ByItself: one.DecidedBy.IsZero()})
	}
	return page.Render(w, r, http.StatusOK, ui.Page(view))
}

func (s *Service) save(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	err = s.SetStrict(r.Context(), request.Actor(r.Context()), form.Get("strict") != "")
	return page.Done(w, r, err, path, ui.Saved())
}

func (s *Service) decide(do func(context.Context, vault.Actor, ID) error, said func() string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := request.PathID[ID](r, "id", "review")
		if err != nil {
			return err
		}
		err = do(r.Context(), request.Actor(r.Context()), id)
		return page.Done(w, r, err, path, said())
	}
}

// Panel shows beside a person that a review is open.
func (s *Service) Panel(ctx context.Context, actor vault.Actor, contact ids.Contact) (templ.Component, error) {
	if !actor.Can(actRead) {
		return nil, nil
	}
	r, err := s.Of(ctx, actor, contact)
	if err != nil || r.ID.IsZero() {
		return nil, err
	}
	return ui.Panel(r.Age, r.OpenedAt), nil
}
