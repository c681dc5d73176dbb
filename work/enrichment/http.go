package enrichment

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/vault"
	"aver/work/enrichment/ui"
)

// sourceJSON is a source in the API. Its token is never shown.
type sourceJSON struct {
	Kind     Kind              `json:"kind" enum:"picture,profile"`
	On       bool              `json:"on"`
	URL      string            `json:"url" doc:"With {sha256} or {email} where the person goes"`
	Fields   map[string]string `json:"fields" doc:"Of a profile: what it is called here, and where it stands in the answer (JSON pointer, RFC 6901)"`
	HasToken bool              `json:"has_token"`
}

// valueJSON is something that a source said about a person.
type valueJSON struct {
	Kind    Kind      `json:"kind" enum:"picture,profile"`
	Field   string    `json:"field"`
	Value   string    `json:"value,omitempty" doc:"Nothing of a picture"`
	Source  string    `json:"source" doc:"The host that said it"`
	FoundAt time.Time `json:"found_at"`
}

func sourceOut(from Source) sourceJSON {
	out := sourceJSON{from.Kind, from.On, from.URL, from.Fields, !from.Token.IsZero()}
	if out.Fields == nil {
		out.Fields = map[string]string{}
	}
	return out
}

func valueOut(v Value) valueJSON {
	return valueJSON{v.Kind, v.Field, v.Words.Reveal(), v.Source, v.FoundAt}
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/enrichment_sources", func(ctx context.Context, _ *struct{}) (*answer.List[sourceJSON], error) {
		all, err := s.Sources(ctx, request.Actor(ctx))
		return answer.All(all, err, sourceOut)
	})
	huma.Put(api, "/v1/enrichment_sources/{kind}", func(ctx context.Context, in *struct {
		Kind Kind `path:"kind" enum:"picture,profile"`
		Body struct {
			On     bool              `json:"on"`
			URL    string            `json:"url,omitempty" maxLength:"1000"`
			Fields map[string]string `json:"fields,omitempty"`
			Token  string            `json:"token,omitempty" maxLength:"500" doc:"Empty keeps the one there is, unless the host changes"`
		}
	}) (*answer.Of[sourceJSON], error) {
		set, err := s.Set(ctx, request.Actor(ctx), Source{Kind: in.Kind, On: in.Body.On, URL: in.Body.URL, Fields: in.Body.Fields, Token: personal.Of(in.Body.Token)})
		return answer.One(set, err, sourceOut)
	})
	type ofContact struct {
		ID ids.Contact `path:"id"`
	}
	huma.Get(api, "/v1/contacts/{id}/enrichment", func(ctx context.Context, in *ofContact) (*answer.List[valueJSON], error) {
		found, err := s.Of(ctx, request.Actor(ctx), in.ID)
		return answer.All(found.Values, err, valueOut)
	})
	huma.Post(api, "/v1/contacts/{id}/enrichment", func(ctx context.Context, in *ofContact) (*struct{}, error) {
		return nil, s.Ask(ctx, request.Actor(ctx), in.ID)
	})
	huma.Delete(api, "/v1/contacts/{id}/enrichment", func(ctx context.Context, in *ofContact) (*struct{}, error) {
		return nil, s.Forget(ctx, request.Actor(ctx), in.ID)
	})
}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/enrichment", request.Handler(s.showSettings))
	mux.Handle("POST /settings/enrichment", request.Handler(s.saveSettings))
	mux.Handle("GET /enrichment/{contact}/picture", request.Handler(s.sendPicture))
	mux.Handle("POST /enrichment/{contact}/look", s.act(s.Ask, "asked"))
	mux.Handle("POST /enrichment/{contact}/forget", s.act(s.Forget, "forgotten"))
}

// act is a button beside a person.
func (s *Service) act(do func(context.Context, vault.Actor, ids.Contact) error, said string) http.Handler {
	return request.Handler(func(w http.ResponseWriter, r *http.Request) error {
		contact, err := request.PathID[ids.Contact](r, "contact", "person")
		if err != nil {
			return err
		}
		if _, err := request.Form(r); err != nil {
			return err
		}
		return page.Done(w, r, do(r.Context(), request.Actor(r.Context()), contact), "/contacts/"+contact.String(), ui.T(said))
	})
}

func (s *Service) showSettings(w http.ResponseWriter, r *http.Request) error {
	return s.draw(w, r, page.Sheet{})
}

func (s *Service) draw(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	all, err := s.Sources(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.View{MayWrite: actor.Can(actSet), Mail: s.Mail != nil}
	if view.Waiting, view.Late, err = s.Owed(r.Context(), actor.Tenant(), s.Vault.Now()); err != nil {
		return err
	}
	for _, one := range all {
		host := hostOf(one.URL)
		shown := ui.Source{Kind: string(one.Kind), On: one.On, URL: one.URL, Fields: lines(one.Fields), Host: host, HasToken: !one.Token.IsZero(),
			Registered: host != "" && s.Registered(r.Context(), host), Sheet: page.Sheet{Action: "/settings/enrichment", ID: string(one.Kind)}}
		if sheet.Sent.Get("kind") == shown.Kind {
			sheet.Action, sheet.ID = shown.Sheet.Action, shown.Sheet.ID
			shown.Sheet = sheet
		}
		view.Sources = append(view.Sources, shown)
	}
	return page.Render(w, r, sheet.Status(), ui.Settings(view))
}

// lines are fields as they are typed: a line each.
func lines(fields map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		out = append(out, name+" = "+fields[name])
	}
	return strings.Join(out, "\n")
}

// fieldsOf reads what lines wrote. A line that makes no sense becomes a field that Set refuses.
func fieldsOf(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			name, pointer, _ := strings.Cut(line, "=")
			fields[strings.TrimSpace(name)] = strings.TrimSpace(pointer)
		}
	}
	return fields
}

func (s *Service) saveSettings(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	_, err = s.Set(r.Context(), request.Actor(r.Context()), drafted(form))
	if sheet, again := page.Refused(err, form); again {
		return s.draw(w, r, sheet)
	}
	return page.Done(w, r, err, "/settings/enrichment", ui.T("saved"))
}

func drafted(form url.Values) Source {
	return Source{Kind: Kind(form.Get("kind")), On: form.Get("is_on") != "", URL: form.Get("url"), Fields: fieldsOf(form.Get("fields")), Token: personal.Of(strings.TrimSpace(form.Get("token")))}
}

// sendPicture sends what was found to be a picture by its bytes, to people who work here.
func (s *Service) sendPicture(w http.ResponseWriter, r *http.Request) error {
	contact, err := request.PathID[ids.Contact](r, "contact", "person")
	if err != nil {
		return err
	}
	var v Value
	err = s.Vault.View(r.Context(), request.Actor(r.Context()), actView, func(tx *vault.Tx) error {
		tx.About(contact)
		v, err = values.Get(tx, contact, string(Picture), "picture")
		return err
	})
	shut := false
	if err == nil {
		shut, err = s.shut(r.Context(), request.Actor(r.Context()).Tenant(), contact)
	}
	if err == nil && (shut || !slices.Contains(mediaTypes, v.Media)) {
		err = errs.New(errs.NotFound, "There is no picture.")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", v.Media)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(v.Image.Reveal())
	return err
}

// Panel is what a person's page shows of this: nothing where no source is on and nothing was found.
func (s *Service) Panel(ctx context.Context, actor vault.Actor, contact ids.Contact) (templ.Component, error) {
	if !actor.Can(actView) {
		return nil, nil
	}
	on, err := s.on(ctx, actor.Tenant())
	if err != nil {
		return nil, err
	}
	found, err := s.Of(ctx, actor, contact)
	if err != nil || len(on) == 0 && len(found.Values) == 0 {
		return nil, err
	}
	shut, err := s.shut(ctx, actor.Tenant(), contact)
	if err != nil {
		return nil, err
	}
	view := ui.Found{Base: "/enrichment/" + contact.String(), Closed: shut, MayAsk: actor.Can(actAsk) && len(on) > 0 && !shut, MayForget: actor.Can(actForget), Told: found.Notice.SentAt, Due: found.Notice.DueAt}
	for _, v := range found.Values {
		view.Values = append(view.Values, ui.Value{Field: v.Field, Words: v.Words.Reveal(), Picture: v.Kind == Picture, Source: v.Source, At: v.FoundAt})
	}
	return ui.Panel(view), nil
}
