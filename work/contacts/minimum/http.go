package minimum

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/work/contacts/fields"
	"aver/work/contacts/minimum/ui"
)

const here = "/settings/fields"

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET "+here, request.Handler(s.show))
	mux.Handle("GET "+here+"/progress", request.Handler(s.showProgress))
	mux.Handle("GET "+here+"/off", request.Handler(s.ask))
	mux.Handle("POST "+here, request.Handler(s.save))
}

func (s *Service) view(r *http.Request) (ui.View, error) {
	actor := request.Actor(r.Context())
	all, people, err := s.Switches(r.Context(), actor)
	v := ui.View{MayWrite: actor.Can(actSwitch), People: people}
	for _, one := range all {
		v.Fields = append(v.Fields, ui.Field{Name: string(one.Field), Off: one.Off, OffAt: one.OffAt, Looked: one.Looked, Removed: one.Removed, Held: one.Held, Done: one.Done})
	}
	return v, err
}

func (s *Service) show(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Page(v))
}

func (s *Service) showProgress(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Fields(v))
}

var errNoField = errs.New(errs.NotFound, "There is no such field.")

// ask says what switching off will do, before it is done.
func (s *Service) ask(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	f := fields.Field(r.URL.Query().Get("field"))
	if !fields.Known(f) {
		return errNoField
	}
	return page.Render(w, r, http.StatusOK, ui.Ask(string(f), v.People))
}

func (s *Service) save(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	f, on := fields.Field(form.Get("field")), form.Get("on") != ""
	err = s.Process(r.Context(), request.Actor(r.Context()), f, on)
	return page.Done(w, r, err, here, ui.Switched(string(f), on))
}

// fieldJSON is a field in the API.
type fieldJSON struct {
	Field     fields.Field `json:"field" enum:"name,email,phone,company,language,custom_attributes,last_seen,site_events"`
	Processed bool         `json:"processed" doc:"Whether anything of it is stored at all"`
	OffAt     *time.Time   `json:"off_at,omitempty"`
	Removed   int          `json:"values_removed,omitempty" doc:"What was stored before it was switched off, and is gone"`
	Swept     bool         `json:"swept,omitempty" doc:"Nothing of it is stored any more, but of the people held"`
	Held      int          `json:"people_held,omitempty" doc:"Of so many people it stays until a legal hold ends"`
}

func fieldOut(one Switch) fieldJSON {
	out := fieldJSON{Field: one.Field, Processed: !one.Off, Removed: one.Removed, Swept: one.Done, Held: one.Held}
	if one.Off {
		out.OffAt = &one.OffAt
	}
	return out
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/contact_fields", func(ctx context.Context, _ *struct{}) (*answer.List[fieldJSON], error) {
		all, _, err := s.Switches(ctx, request.Actor(ctx))
		return answer.All(all, err, fieldOut)
	})
	huma.Put(api, "/v1/contact_fields/{field}", func(ctx context.Context, in *struct {
		Field string `path:"field" enum:"name,email,phone,company,language,custom_attributes,last_seen,site_events"`
		Body  struct {
			Processed bool `json:"processed" doc:"false erases what is stored of the field, and refuses what comes"`
		}
	}) (*struct{}, error) {
		return nil, s.Process(ctx, request.Actor(ctx), fields.Field(in.Field), in.Body.Processed)
	})
}
