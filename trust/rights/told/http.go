package told

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
	"aver/trust/rights/told/ui"
	"aver/vault"
)

type recipientJSON struct {
	ID      RecipientID `json:"id"`
	Name    string      `json:"name"`
	Email   string      `json:"email"`
	AddedAt time.Time   `json:"added_at"`
}

func recipientOf(r Recipient) recipientJSON { return recipientJSON(r) }

type tellingJSON struct {
	ID         TellingID  `json:"id"`
	Event      string     `json:"event" enum:"contact.erased,contact.rectified,contact.restricted"`
	Via        Via        `json:"via" enum:"webhook,mail"`
	Recipient  string     `json:"recipient" doc:"In words"`
	State      State      `json:"state" enum:"waiting,acknowledged,lost" doc:"lost: nobody was told, because the recipient was removed first or the address leads nowhere"`
	Attempts   int        `json:"attempts"`
	HappenedAt time.Time  `json:"happened_at"`
	ToldAt     *time.Time `json:"told_at,omitempty"`
}

func tellingOf(t Telling) tellingJSON {
	out := tellingJSON{ID: t.ID, Event: t.Event, Via: t.Via, Recipient: t.Name, State: t.State, Attempts: t.Attempts, HappenedAt: t.HappenedAt}
	if !t.ToldAt.IsZero() {
		out.ToldAt = &t.ToldAt
	}
	return out
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/recipients", func(ctx context.Context, _ *struct{}) (*answer.List[recipientJSON], error) {
		all, err := s.List(ctx, request.Actor(ctx))
		return answer.All(all, err, recipientOf)
	})
	huma.Post(api, "/v1/recipients", func(ctx context.Context, in *struct {
		Body struct {
			Name  string `json:"name" maxLength:"200"`
			Email string `json:"email" maxLength:"254"`
		}
	}) (*answer.Of[recipientJSON], error) {
		r, err := s.Add(ctx, request.Actor(ctx), in.Body.Name, in.Body.Email)
		return answer.One(r, err, recipientOf)
	}, answer.Status(http.StatusCreated))
	huma.Delete(api, "/v1/recipients/{id}", func(ctx context.Context, in *struct {
		ID RecipientID `path:"id"`
	}) (*struct{}, error) {
		return nil, s.Remove(ctx, request.Actor(ctx), in.ID)
	})
	huma.Get(api, "/v1/contacts/{id}/recipients_told", func(ctx context.Context, in *struct {
		ID ids.Contact `path:"id"`
	}) (*answer.List[tellingJSON], error) {
		all, err := s.Of(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, tellingOf)
	})
}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /privacy/recipients", request.Handler(s.listPage))
	mux.Handle("POST /privacy/recipients", request.Handler(s.addRecipient))
	mux.Handle("POST /privacy/recipients/{id}/remove", request.Handler(s.removeRecipient))
}

func (s *Service) listPage(w http.ResponseWriter, r *http.Request) error {
	return s.draw(w, r, page.Sheet{})
}

func (s *Service) draw(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	all, err := s.List(r.Context(), actor)
	if err != nil {
		return err
	}
	lately, err := s.Lately(r.Context(), actor)
	if err != nil {
		return err
	}
	sheet.Action = "/privacy/recipients"
	view := ui.View{Sheet: sheet, MayWrite: actor.Can(actWrite), Told: shown(lately)}
	for _, one := range all {
		view.Recipients = append(view.Recipients, ui.Recipient{ID: one.ID.String(), Name: one.Name, Email: one.Email})
	}
	return page.Render(w, r, sheet.Status(), ui.Page(view))
}

func shown(all []Telling) (out []ui.Telling) {
	for _, t := range all {
		out = append(out, ui.Telling{Contact: t.Contact.String(), Event: t.Event, Via: string(t.Via), Name: t.Name, Attempts: t.Attempts, Happened: t.HappenedAt, Told: t.ToldAt, Lost: t.State == Lost})
	}
	return out
}

func (s *Service) addRecipient(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	_, err = s.Add(r.Context(), request.Actor(r.Context()), form.Get("name"), form.Get("email"))
	if sheet, again := page.Refused(err, form); again {
		return s.draw(w, r, sheet)
	}
	return page.Done(w, r, err, "/privacy/recipients", ui.Added())
}

func (s *Service) removeRecipient(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[RecipientID](r, "id", "recipient")
	if err != nil {
		return err
	}
	return page.Done(w, r, s.Remove(r.Context(), request.Actor(r.Context()), id), "/privacy/recipients", ui.Removed())
}

// Panel shows beside a person who was told what about them, to those who may see it.
func (s *Service) Panel(ctx context.Context, actor vault.Actor, contact ids.Contact) (templ.Component, error) {
	if !actor.Can(actRead) {
		return nil, nil
	}
	all, err := s.Of(ctx, actor, contact)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return ui.Panel(shown(all)), nil
}
