package consent

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/consent/ui"
)

// noticeJSON is a notice in the API.
type noticeJSON struct {
	Purpose  string `json:"purpose"`
	Language string `json:"language" enum:"en,de,fr,es,it,pt,nl,pl,ar,hi"`
	Version  int    `json:"version" doc:"Counts up with every change of the words"`
	Text     string `json:"text"`
	URL      string `json:"url,omitempty" doc:"The full privacy notice"`
	Own      bool   `json:"own" doc:"Your words, not those that Aver brings"`
}

// subscriptionJSON is a person's choice about a purpose in the API.
type subscriptionJSON struct {
	Purpose  string    `json:"purpose"`
	Granted  bool      `json:"granted"`
	Version  int       `json:"version" doc:"Of the notice that was agreed to"`
	Language string    `json:"language"`
	How      How       `json:"how" enum:"person,page,operator,program"`
	At       time.Time `json:"at"`
}

func noticeOut(n Notice) noticeJSON {
	return noticeJSON{Purpose: n.Purpose, Language: n.Language, Version: n.Version, Text: n.Text, URL: n.URL, Own: n.Own}
}

func recordOut(r Record) subscriptionJSON {
	return subscriptionJSON{r.Purpose, r.Granted, r.Version, r.Language, r.How, r.At}
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/consent_notices", func(ctx context.Context, in *struct {
		Purpose string `query:"purpose" default:"support" maxLength:"31"`
	}) (*answer.List[noticeJSON], error) {
		all, err := s.All(ctx, request.Actor(ctx), in.Purpose)
		return answer.All(all, err, noticeOut)
	})
	huma.Put(api, "/v1/consent_notices/{language}", func(ctx context.Context, in *struct {
		Language string `path:"language" enum:"en,de,fr,es,it,pt,nl,pl,ar,hi"`
		Body     struct {
			Purpose string `json:"purpose,omitempty" default:"support" maxLength:"31"`
			Text    string `json:"text" maxLength:"4000"`
			URL     string `json:"url,omitempty" maxLength:"500"`
		}
	}) (*answer.Of[noticeJSON], error) {
		n, err := s.SetNotice(ctx, request.Actor(ctx), Notice{Purpose: in.Body.Purpose, Language: in.Language, Text: in.Body.Text, URL: in.Body.URL})
		return answer.One(n, err, noticeOut)
	})
	huma.Get(api, "/v1/consent_notices/{language}/{version}", func(ctx context.Context, in *struct {
		Language string `path:"language" enum:"en,de,fr,es,it,pt,nl,pl,ar,hi"`
		Version  int    `path:"version" minimum:"1"`
		Purpose  string `query:"purpose" default:"support" maxLength:"31"`
	}) (*answer.Of[noticeJSON], error) {
		n, err := s.Version(ctx, request.Actor(ctx), in.Purpose, in.Language, in.Version)
		return answer.One(n, err, noticeOut)
	})
	type ofContact struct {
		ID ids.Contact `path:"id"`
	}
	huma.Get(api, "/v1/contacts/{id}/subscriptions", func(ctx context.Context, in *ofContact) (*answer.List[subscriptionJSON], error) {
		all, err := s.History(ctx, request.Actor(ctx), in.ID)
		return answer.All(all, err, recordOut)
	})
	huma.Post(api, "/v1/contacts/{id}/subscriptions", func(ctx context.Context, in *struct {
		ID   ids.Contact `path:"id"`
		Body struct {
			Purpose  string `json:"purpose" maxLength:"31"`
			Granted  bool   `json:"granted"`
			Version  string `json:"version,omitempty" maxLength:"9" doc:"Of the notice that the person was shown; not needed to withdraw"`
			Language string `json:"language,omitempty" maxLength:"12"`
		}
	}) (*struct{}, error) {
		return nil, s.Record(ctx, request.Actor(ctx), in.ID, Choice{Purpose: in.Body.Purpose, Version: in.Body.Version, Language: in.Body.Language, Granted: in.Body.Granted})
	})
}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/consent", request.Handler(s.showPage))
	mux.Handle("POST /settings/consent", request.Handler(s.savePage))
}

func (s *Service) showPage(w http.ResponseWriter, r *http.Request) error {
	return s.draw(w, r, language(r.URL.Query().Get("lang")), page.Sheet{})
}

func (s *Service) draw(w http.ResponseWriter, r *http.Request, lang string, sheet page.Sheet) error {
	all, err := s.All(r.Context(), request.Actor(r.Context()), Support)
	if err != nil {
		return err
	}
	view := ui.Notices{Sheet: sheet, MayWrite: request.Actor(r.Context()).Can(actWriteNotice)}
	for _, n := range all {
		shown := ui.Notice{Language: n.Language, Version: n.Version, Text: n.Text, URL: n.URL, Own: n.Own}
		view.All = append(view.All, shown)
		if n.Language == lang {
			view.Open = shown
		}
	}
	return page.Render(w, r, sheet.Status(), ui.Page(view))
}

func (s *Service) savePage(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	lang := form.Get("language")
	if !slices.Contains(Languages, lang) {
		return errs.New(errs.NotFound, "There is no such language here.")
	}
	n, err := s.SetNotice(r.Context(), request.Actor(r.Context()), Notice{Purpose: Support, Language: lang, Text: form.Get("text"), URL: form.Get("url")})
	if sheet, again := page.Refused(err, form); again {
		return s.draw(w, r, lang, sheet)
	}
	return page.Done(w, r, err, "/settings/consent?lang="+lang, ui.Saved(n.Version))
}
