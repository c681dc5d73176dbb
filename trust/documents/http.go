package documents

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/documents/paper"
	"aver/trust/documents/ui"
)

var classes = map[string]module.Class{"/privacy/papers/download/": module.Download, ui.Style.Path(): module.Asset}

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET "+ui.Style.Path(), ui.Style)
	mux.Handle("GET /my-data/{workspace}/notice", request.Handler(s.noticePage))
	mux.Handle("GET /privacy/papers", request.Handler(s.listPage))
	mux.Handle("GET /privacy/papers/{kind}", request.Handler(s.paperPage))
	mux.Handle("GET /privacy/papers/download/{kind}", request.Handler(s.sendFile))
	mux.Handle("GET "+answersPage, request.Handler(s.answersPage))
	mux.Handle("POST "+answersPage, request.Handler(s.saveAnswers))
	mux.Handle("GET /privacy/catalogue", request.Handler(s.cataloguePage))
	mux.Handle("GET "+legalPage, request.Handler(s.showLegal))
	mux.Handle("POST "+legalPage, request.Handler(s.saveLegal))
	mux.Handle("GET /trust/documents", request.Handler(s.publicPage))
}

// spoken is the language of a request that the notice speaks.
func spoken(r *http.Request) string {
	asked := []string{r.URL.Query().Get("lang")}
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		asked = append(asked, tag)
	}
	for _, tag := range asked {
		first, _, _ := strings.Cut(strings.ToLower(tag), "-")
		for _, known := range Languages {
			if first == known {
				return known
			}
		}
	}
	return Languages[0]
}

func (s *Service) noticePage(w http.ResponseWriter, r *http.Request) error {
	tenant, err := s.vault.TenantBySlug(r.Context(), r.PathValue("workspace"))
	if err != nil {
		return err
	}
	lang := spoken(r)
	p, number, since, err := s.Notice(r.Context(), tenant.ID, lang)
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept-Language")
	r = r.WithContext(page.Speak(r.Context(), lang))
	return page.Render(w, r, http.StatusOK, ui.NoticePage(ui.NoticeView{Paper: p, Version: number, Since: since, Here: r.URL.Path, Language: lang, Portal: "/my-data/" + tenant.Slug}))
}

func (s *Service) listPage(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	f, err := s.facts(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.PapersView{Notice: "/my-data/" + f.Workspace.Slug + "/notice"}
	for _, kind := range Kinds {
		p, err := s.Write(f, kind)
		if err != nil {
			return err
		}
		one := ui.PaperRow{Kind: kind, Title: p.Title, Lead: p.Lead, At: p.At, Hash: p.Hash, Lines: p.Lines(), Gaps: p.Gaps()}
		for _, form := range Forms(kind) {
			one.Forms = append(one.Forms, string(form))
		}
		view.Papers = append(view.Papers, one)
	}
	return page.Render(w, r, http.StatusOK, ui.PapersPage(view))
}

func (s *Service) paperPage(w http.ResponseWriter, r *http.Request) error {
	kind := r.PathValue("kind")
	p, err := s.Paper(r.Context(), request.Actor(r.Context()), kind)
	if err != nil {
		return err
	}
	view := ui.PaperView{Paper: p, Answers: kind == Assessment || kind == Transfers}
	for _, form := range Forms(kind) {
		view.Forms = append(view.Forms, string(form))
	}
	return page.Render(w, r, http.StatusOK, ui.PaperPage(view))
}

func (s *Service) sendFile(w http.ResponseWriter, r *http.Request) error {
	form := paper.Form(r.URL.Query().Get("format"))
	if form == "" {
		form = paper.HTML
	}
	content, name, err := s.File(r.Context(), request.Actor(r.Context()), r.PathValue("kind"), form)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", form.Type())
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err = w.Write(content)
	return err
}

func (s *Service) answersPage(w http.ResponseWriter, r *http.Request) error {
	return s.drawAnswers(w, r, page.Sheet{})
}

func (s *Service) drawAnswers(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	all, err := s.Questions(r.Context(), request.Actor(r.Context()))
	if err != nil {
		return err
	}
	view := ui.AnswersView{Sheet: sheet, MayWrite: request.Actor(r.Context()).Can(actAnswer)}
	for _, q := range all {
		view.Questions = append(view.Questions, ui.Question{ID: q.ID, Title: q.Title, Help: q.Help, Answer: q.Answer, At: q.At})
	}
	view.Sheet.Action = answersPage
	return page.Render(w, r, sheet.Status(), ui.AnswersPage(view))
}

func (s *Service) saveAnswers(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	said := map[string]string{}
	for name := range form {
		said[name] = form.Get(name)
	}
	err = s.Answer(r.Context(), request.Actor(r.Context()), said)
	if sheet, again := page.Refused(err, form); again {
		return s.drawAnswers(w, r, sheet)
	}
	return page.Done(w, r, err, "/privacy/papers/"+Assessment, ui.Answered())
}

func (s *Service) cataloguePage(w http.ResponseWriter, r *http.Request) error {
	f, err := s.facts(r.Context(), request.Actor(r.Context()))
	if err != nil {
		return err
	}
	view := ui.CatalogueView{Map: f.Map()}
	for _, g := range []Group{Visitors, Staff, Nobody} {
		part := ui.CatalogueGroup{Name: string(g)}
		for _, c := range f.Classes {
			if c.Group == g {
				part.Classes = append(part.Classes, f.shown(c))
			}
		}
		view.Groups = append(view.Groups, part)
	}
	return page.Render(w, r, http.StatusOK, ui.CataloguePage(view))
}

func (f Facts) shown(c Class) ui.Class {
	out := ui.Class{Name: c.Name, For: c.For, Kept: c.kept(), Categories: c.Categories, Region: f.Workspace.Region, Where: c.lies()}
	for _, col := range c.Columns {
		out.Columns = append(out.Columns, ui.Column{Name: col.Name, Stored: c.howStored(col), Category: col.Category})
	}
	if c.Group == Nobody {
		return out
	}
	purpose := f.purpose(c.Purpose)
	out.Purpose, out.Basis, out.Article = purpose.name(), ui.Say("basis."+string(purpose.Basis)), purpose.article()
	for _, r := range f.receiving(c) {
		out.Recipients = append(out.Recipients, joined(", ", r.Name, r.Region))
	}
	return out
}

func (s *Service) showLegal(w http.ResponseWriter, r *http.Request) error {
	return s.drawLegal(w, r, page.Sheet{})
}

func (s *Service) drawLegal(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	e, err := s.Legal(r.Context(), actor)
	if err != nil {
		return err
	}
	sheet.Action = legalPage
	view := ui.LegalView{Sheet: sheet, MayWrite: actor.Can(actLegal), Values: map[string]string{"name": e.Name, "address": e.Address, "country": e.Country, "email": e.Email,
		"representative": e.Representative, "dpo_name": e.Officer, "dpo_email": e.OfficerEmail, "dpo_place": e.OfficerPlace, "lead_authority": e.Authority, "lead_authority_url": e.AuthorityURL}}
	return page.Render(w, r, sheet.Status(), ui.LegalPage(view))
}

func (s *Service) saveLegal(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	e := Entity{Name: form.Get("name"), Address: form.Get("address"), Country: form.Get("country"), Email: form.Get("email"), Representative: form.Get("representative"),
		Officer: form.Get("dpo_name"), OfficerEmail: form.Get("dpo_email"), OfficerPlace: form.Get("dpo_place"), Authority: form.Get("lead_authority"), AuthorityURL: form.Get("lead_authority_url")}
	err = s.SetLegal(r.Context(), request.Actor(r.Context()), e)
	if sheet, again := page.Refused(err, form); again {
		return s.drawLegal(w, r, sheet)
	}
	return page.Done(w, r, err, legalPage, ui.Saved())
}

// publicPage lists what everybody may read: a workspace's papers are its own business.
func (s *Service) publicPage(w http.ResponseWriter, r *http.Request) error {
	return page.Render(w, r, http.StatusOK, ui.PublicPage())
}

// documentJSON is a line of the list of papers.
type documentJSON struct {
	Kind    string   `json:"kind" enum:"notice,record,processing,assessment,transfers,catalogue"`
	Title   string   `json:"title"`
	Hash    string   `json:"content_sha256" doc:"Of what it says; the same facts have the same hash"`
	Lines   int      `json:"lines"`
	Missing int      `json:"missing" doc:"Lines that somebody has to fill in"`
	Formats []string `json:"formats"`
}

type documentList struct {
	Body struct {
		Data []documentJSON `json:"data"`
	}
}

// documentFile is a paper in the form that was asked for.
type documentFile struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s *Service) api(api huma.API) {
	huma.Get(api, "/v1/documents", func(ctx context.Context, _ *struct{}) (*documentList, error) {
		f, err := s.facts(ctx, request.Actor(ctx))
		if err != nil {
			return nil, err
		}
		out := &documentList{}
		for _, kind := range Kinds {
			p, err := s.Write(f, kind)
			if err != nil {
				return nil, err
			}
			one := documentJSON{Kind: kind, Title: p.Title, Hash: p.Hash, Lines: p.Lines(), Missing: p.Gaps()}
			for _, form := range Forms(kind) {
				one.Formats = append(one.Formats, string(form))
			}
			out.Body.Data = append(out.Body.Data, one)
		}
		return out, nil
	})
	huma.Get(api, "/v1/documents/{kind}", func(ctx context.Context, in *struct {
		Kind   string `path:"kind" enum:"notice,record,processing,assessment,transfers,catalogue"`
		Format string `query:"format" enum:"html,csv,json,jsonld" default:"json" doc:"jsonld is there for the records of processing"`
	}) (*documentFile, error) {
		form := paper.Form(in.Format)
		content, name, err := s.File(ctx, request.Actor(ctx), in.Kind, form)
		if err != nil {
			return nil, err
		}
		return &documentFile{Type: form.Type(), Disposition: fmt.Sprintf(`attachment; filename="%s"`, name), Body: content}, nil
	})
	huma.Get(api, "/v1/legal_entity", func(ctx context.Context, _ *struct{}) (*entityBody, error) {
		e, err := s.Legal(ctx, request.Actor(ctx))
		return &entityBody{e}, err
	})
	huma.Put(api, "/v1/legal_entity", func(ctx context.Context, in *entityBody) (*entityBody, error) {
		if err := s.SetLegal(ctx, request.Actor(ctx), in.Body); err != nil {
			return nil, err
		}
		e, err := s.Legal(ctx, request.Actor(ctx))
		return &entityBody{e}, err
	})
}

type entityBody struct{ Body Entity }
