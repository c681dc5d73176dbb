package webhooks

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"aver/base/errs"
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
		return page.Done(w, r, err, address(id), ui.T("enabled"))
	}))
	mux.Handle("POST /settings/webhooks/{id}/disable", s.act(func(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
		_, err := s.Switch(r.Context(), actor, id, false)
		return page.Done(w, r, err, address(id), ui.T("disabled"))
	}))
	mux.Handle("POST /settings/webhooks/{id}/test", s.act(func(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
		_, err := s.Try(r.Context(), actor, id)
		return page.Done(w, r, err, address(id), ui.T("tested"))
	}))
	mux.Handle("POST /settings/webhooks/{id}/remove", s.act(func(w http.ResponseWriter, r *http.Request, actor vault.Actor, id ID) error {
		return page.Done(w, r, s.Remove(r.Context(), actor, id), "/settings/webhooks", ui.T("removed"))
	}))
	mux.Handle("POST /settings/webhooks/{id}/replay", s.act(s.doReplay))
}

// endpoint reads which one the path is about.
func endpoint(r *http.Request) (ID, error) { return request.PathID[ID](r, "id", "endpoint") }

func address(id ID) string { return "/settings/webhooks/" + id.String() }

// act is a form about one endpoint.
func (s *Service) act(do func(http.ResponseWriter, *http.Request, vault.Actor, ID) error) http.Handler {
	return request.Handler(func(w http.ResponseWriter, r *http.Request) error {
		id, err := endpoint(r)
		if err != nil {
			return err
		}
		if _, err := request.Form(r); err != nil {
			return err
		}
		return do(w, r, request.Actor(r.Context()), id)
	})
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
	return s.drawForm(w, r, ui.Form{Sheet: page.Sheet{Action: "/settings/webhooks"}, Fresh: true})
}

func (s *Service) drawForm(w http.ResponseWriter, r *http.Request, f ui.Form) error {
	if !request.Actor(r.Context()).Can(actWrite) {
		return errs.New(errs.Forbidden, "Your role does not allow this.")
	}
	f.Types = Types
	return page.Render(w, r, f.Sheet.Status(), ui.FormPage(f))
}

// draft reads the form. All boxes ticked means all events, also those to come; none ticked is a mistake.
func draft(form url.Values) (Draft, error) {
	d := Draft{URL: form.Get("url"), About: form.Get("description"), Events: form["events"], Scheme: Scheme(form.Get("scheme"))}
	if len(d.Events) == 0 {
		return d, errs.New(errs.Invalid, "The endpoint was not saved.", errs.Field{Field: "events", Code: "required", Message: "Choose at least one event."})
	}
	if len(d.Events) == len(Types) {
		d.Events = nil
	}
	return d, nil
}

func (s *Service) doCreate(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	var e Endpoint
	var key string
	d, err := draft(form)
	if err == nil {
		e, key, err = s.Create(r.Context(), request.Actor(r.Context()), d)
	}
	if sheet, again := page.Refused(err, form); again {
		sheet.Action = "/settings/webhooks"
		return s.drawForm(w, r, ui.Form{Sheet: sheet.Whole("events"), Fresh: true})
	}
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusCreated, ui.KeyPage(ui.Key{Endpoint: s.shown(e), Value: key, Secret: isSecret(key)}))
}

func isSecret(key string) bool { return len(key) > 6 && key[:6] == "whsec_" }

func (s *Service) showEdit(w http.ResponseWriter, r *http.Request) error {
	id, err := endpoint(r)
	if err != nil {
		return err
	}
	e, err := s.Get(r.Context(), request.Actor(r.Context()), id)
	if err != nil {
		return err
	}
	return s.drawForm(w, r, ui.Form{Sheet: page.Sheet{Action: address(id)}, Endpoint: s.shown(e)})
}

func (s *Service) doUpdate(w http.ResponseWriter, r *http.Request) error {
	id, err := endpoint(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	d, err := draft(form)
	if err == nil {
		_, err = s.Update(r.Context(), request.Actor(r.Context()), id, d)
	}
	if sheet, again := page.Refused(err, form); again {
		sheet.Action = address(id)
		return s.drawForm(w, r, ui.Form{Sheet: sheet.Whole("events"), Endpoint: ui.Endpoint{ID: id.String()}})
	}
	return page.Done(w, r, err, address(id), ui.T("saved"))
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
		message, err := request.ParseID[MessageID](text, "message")
		if err != nil {
			return err
		}
		return page.Done(w, r, s.Replay(r.Context(), actor, id, message), address(id), ui.T("replayed.one"))
	}
	span := map[string]time.Duration{"1": 24 * time.Hour, "7": 7 * 24 * time.Hour}[r.PostForm.Get("days")]
	if span == 0 {
		span = keepMessages
	}
	n, err := s.ReplayFailed(r.Context(), actor, id, s.vault.Now().Add(-span))
	return page.Done(w, r, err, address(id), ui.T("replayed.all", n))
}

const perPage = 50

func (s *Service) showOne(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	id, err := endpoint(r)
	if err != nil {
		return err
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
