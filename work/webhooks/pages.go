package webhooks

import (
	"net/http"
	"slices"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/vault"
	"aver/work/webhooks/ui"
)

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/webhooks", request.Handler(s.showList))
	mux.Handle("GET /settings/webhooks/new", request.Handler(s.showNew))
	mux.Handle("POST /settings/webhooks", request.Handler(s.doCreate))
	mux.Handle("GET /settings/webhooks/{id}", request.Handler(s.showOne))
	mux.Handle("GET /settings/webhooks/{id}/edit", request.Handler(s.showEdit))
	mux.Handle("POST /settings/webhooks/{id}", request.Handler(s.doUpdate))
	mux.Handle("POST /settings/webhooks/{id}/rotate", s.act(s.doRotate))
	mux.Handle("POST /settings/webhooks/{id}/enable", s.act(func(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
		_, err := s.Switch(r.Context(), actor, id, true)
		return back(w, r, id, err, ui.T("enabled"))
	}))
	mux.Handle("POST /settings/webhooks/{id}/disable", s.act(func(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
		_, err := s.Switch(r.Context(), actor, id, false)
		return back(w, r, id, err, ui.T("disabled"))
	}))
	mux.Handle("POST /settings/webhooks/{id}/test", s.act(func(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
		_, err := s.Try(r.Context(), actor, id)
		return back(w, r, id, err, ui.T("tested"))
	}))
	mux.Handle("POST /settings/webhooks/{id}/remove", s.act(func(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
		if err := s.Remove(r.Context(), actor, id); err != nil {
			return err
		}
		page.Redirect(w, r, "/settings/webhooks", ui.T("removed"))
		return nil
	}))
	mux.Handle("POST /settings/webhooks/{id}/replay", s.act(s.doReplay))
}

var noEndpoint = errs.New(errs.NotFound, "There is no such endpoint here.")

// act is a form about one endpoint.
func (s *Service) act(do func(http.ResponseWriter, *http.Request, vault.Actor, ID) error) http.Handler {
	return request.Handler(func(w http.ResponseWriter, r *http.Request) error {
		id, err := ids.Parse[webhook](r.PathValue("id"))
		if err != nil {
			return noEndpoint
		}
		if err := r.ParseForm(); err != nil {
			return errs.New(errs.Invalid, "The form could not be read. Nothing was changed.").Because(err)
		}
		return do(w, r, request.Actor(r.Context()), id)
	})
}

func back(w http.ResponseWriter, r *http.Request, id ID, err error, words string) error {
	if err != nil {
		return err
	}
	page.Redirect(w, r, "/settings/webhooks/"+id.String(), words)
	return nil
}

func (s *Service) showList(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	all, err := s.List(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.List{MayWrite: actor.Can(actWrite)}
	for _, e := range all {
		view.All = append(view.All, s.shown(e))
	}
	return page.Render(w, r, http.StatusOK, ui.ListPage(view))
}

func (s *Service) shown(e Endpoint) ui.Endpoint {
	out := ui.Endpoint{ID: e.ID.String(), URL: e.URL, About: e.About, Events: e.Events, State: string(e.State), Failures: e.Failures,
		Made: e.CreatedAt, Disabled: e.DisabledAt}
	if e.PausedUntil.After(s.vault.Now()) {
		out.Paused = e.PausedUntil
	}
	return out
}

func (s *Service) showNew(w http.ResponseWriter, r *http.Request) error {
	return s.drawForm(w, r, http.StatusOK, ui.Form{Sheet: page.Sheet{Action: "/settings/webhooks"}, Fresh: true})
}

func (s *Service) drawForm(w http.ResponseWriter, r *http.Request, status int, f ui.Form) error {
	if !request.Actor(r.Context()).Can(actWrite) {
		return errs.New(errs.Forbidden, "Your role does not allow this.")
	}
	f.Types = Types
	for i, e := range f.Sheet.Errors {
		if e.Field == "events" { // a box by itself is not wrong
			f.Sheet.Errors[i].Field = ""
		}
	}
	return page.Render(w, r, status, ui.FormPage(f))
}

// draft reads the form. All boxes ticked means all events, also those to come; none ticked is a mistake.
func draft(r *http.Request) (Draft, error) {
	d := Draft{URL: r.PostForm.Get("url"), About: r.PostForm.Get("description"), Events: r.PostForm["events"], Scheme: Scheme(r.PostForm.Get("scheme"))}
	if len(d.Events) == 0 {
		return d, errs.New(errs.Invalid, "The endpoint was not saved.", errs.Field{Field: "events", Code: "required", Message: "Choose at least one event."})
	}
	if len(d.Events) == len(Types) {
		d.Events = nil
	}
	return d, nil
}

func (s *Service) doCreate(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Invalid, "The form could not be read. Nothing was changed.").Because(err)
	}
	var e Endpoint
	var key string
	d, err := draft(r)
	if err == nil {
		e, key, err = s.Create(r.Context(), request.Actor(r.Context()), d)
	}
	if p := errs.AsProblem(err); len(p.Errors) > 0 {
		return s.drawForm(w, r, p.Status, ui.Form{Sheet: page.Sheet{Action: "/settings/webhooks", Errors: slices.Clone(p.Errors), Sent: r.PostForm}, Fresh: true})
	}
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusCreated, ui.KeyPage(ui.Key{Endpoint: s.shown(e), Value: key, Secret: isSecret(key)}))
}

func isSecret(key string) bool { return len(key) > 6 && key[:6] == "whsec_" }

func (s *Service) showEdit(w http.ResponseWriter, r *http.Request) error {
	id, err := ids.Parse[webhook](r.PathValue("id"))
	if err != nil {
		return noEndpoint
	}
	e, err := s.Get(r.Context(), request.Actor(r.Context()), id)
	if err != nil {
		return err
	}
	return s.drawForm(w, r, http.StatusOK, ui.Form{Sheet: page.Sheet{Action: "/settings/webhooks/" + id.String()}, Endpoint: s.shown(e)})
}

func (s *Service) doUpdate(w http.ResponseWriter, r *http.Request) error {
	id, err := ids.Parse[webhook](r.PathValue("id"))
	if err != nil {
		return noEndpoint
	}
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Invalid, "The form could not be read. Nothing was changed.").Because(err)
	}
	d, err := draft(r)
	if err == nil {
		_, err = s.Update(r.Context(), request.Actor(r.Context()), id, d)
	}
	if p := errs.AsProblem(err); len(p.Errors) > 0 {
		return s.drawForm(w, r, p.Status, ui.Form{Sheet: page.Sheet{Action: r.URL.Path, Errors: slices.Clone(p.Errors), Sent: r.PostForm}, Endpoint: ui.Endpoint{ID: id.String()}})
	}
	return back(w, r, id, err, ui.T("saved"))
}

func (s *Service) doRotate(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
	key, err := s.Rotate(r.Context(), actor, id, "")
	if err != nil {
		return err
	}
	e, err := s.Get(r.Context(), actor, id)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.KeyPage(ui.Key{Endpoint: s.shown(e), Value: key, Secret: isSecret(key), Rotated: true}))
}

func (s *Service) doReplay(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
	if text := r.PostForm.Get("message"); text != "" {
		message, err := ids.Parse[delivery](text)
		if err != nil {
			return errs.New(errs.NotFound, "There is no such message here.")
		}
		return back(w, r, id, s.Replay(r.Context(), actor, id, message), ui.T("replayed.one"))
	}
	span := map[string]time.Duration{"1": 24 * time.Hour, "7": 7 * 24 * time.Hour}[r.PostForm.Get("days")]
	if span == 0 {
		span = keepMessages
	}
	n, err := s.ReplayFailed(r.Context(), actor, id, s.vault.Now().Add(-span))
	return back(w, r, id, err, ui.T("replayed.all", n))
}

const perPage = 50

func (s *Service) showOne(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	id, err := ids.Parse[webhook](r.PathValue("id"))
	if err != nil {
		return noEndpoint
	}
	e, err := s.Get(r.Context(), actor, id)
	if err != nil {
		return err
	}
	state := State(r.URL.Query().Get("state"))
	if !slices.Contains([]State{Waiting, Delivered, Failed}, state) {
		state = ""
	}
	var after Cursor
	if err := after.UnmarshalText([]byte(r.URL.Query().Get("after"))); err != nil {
		after = Cursor{}
	}
	list, more, err := s.Sent(r.Context(), actor, id, state, after, perPage)
	if err != nil {
		return err
	}
	view := ui.One{Endpoint: s.shown(e), State: string(state), Older: more.String(), First: after.IsZero(), MayWrite: actor.Can(actWrite)}
	for _, m := range list {
		view.Messages = append(view.Messages, ui.Message{ID: m.ID.String(), Event: m.Event, State: string(m.State), Attempts: m.Attempts, Code: m.Code,
			Fault: string(m.Fault), Made: m.CreatedAt, Tried: m.TriedAt, Next: m.NextAt})
	}
	all, err := e.secrets()
	for _, k := range all {
		one := ui.SigningKey{Scheme: string(k.Scheme), Made: k.Made, Until: k.Until}
		if k.Scheme == Ed25519 {
			one.Public = k.shown()
		}
		view.Keys = append(view.Keys, one)
	}
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.OnePage(view))
}
