package consent

import (
	"net/http"
	"slices"
	"strings"

	"aver/base/errs"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/consent/ui"
	"aver/vault/purpose"
)

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/consent", request.Handler(s.showPage))
	mux.Handle("POST /settings/consent", request.Handler(s.savePage))
	mux.Handle("POST /settings/consent/grounds", request.Handler(s.saveDemand))
	mux.Handle("POST /settings/consent/purpose", request.Handler(s.savePurpose))
}

func (s *Service) showPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return s.draw(w, r, q.Get("purpose"), language(q.Get("lang")), page.Sheet{}, page.Sheet{})
}

// unnamed is the address of the form for a purpose that is not defined yet.
const unnamed = "new"

// draw shows the purposes and one of them: its definition, and what people are shown for it in one language.
func (s *Service) draw(w http.ResponseWriter, r *http.Request, id, lang string, notice, definition page.Sheet) error {
	actor := request.Actor(r.Context())
	all, err := s.Purposes(r.Context(), actor)
	if err != nil {
		return err
	}
	if id == "" {
		id = Support
	}
	demanded, err := s.Demanded(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.View{Demanded: demanded, Purpose: ui.Purpose{ID: id, Fixed: id == Support, Fresh: id == unnamed, Sheet: definition}, MayWrite: actor.Can(actWriteNotice),
		Notices: ui.Notices{Open: ui.Notice{Language: lang}, Sheet: notice, Purpose: id}}
	for _, d := range all {
		shown := shownPurpose(d)
		view.All = append(view.All, shown)
		if d.ID == id {
			shown.Sheet = definition
			view.Purpose = shown
		}
	}
	if !view.Purpose.Fresh && !slices.ContainsFunc(all, func(d Definition) bool { return d.ID == id }) {
		return errs.New(errs.NotFound, "There is no such purpose.")
	}
	if !view.Purpose.Fresh {
		if err := s.notices(r, &view); err != nil {
			return err
		}
	}
	return page.Render(w, r, max(notice.Status(), definition.Status()), ui.Page(view))
}

// notices adds what people are shown for the open purpose.
func (s *Service) notices(r *http.Request, view *ui.View) error {
	all, err := s.All(r.Context(), request.Actor(r.Context()), view.Purpose.ID)
	view.Notices.Languages = Languages
	for _, n := range all {
		if n.Language == view.Notices.Open.Language {
			view.Notices.Open = ui.Notice{Language: n.Language, Version: n.Version, Text: n.Text, URL: n.URL, Own: n.Own}
		}
	}
	return err
}

func shownPurpose(d Definition) ui.Purpose {
	return ui.Purpose{ID: d.ID, Version: d.Version, Basis: string(d.Basis), Shares: d.Shares, Automated: d.Automated, Names: d.Names,
		Recipients: d.Recipients, Keep: d.Keep, Fixed: d.ID == Support, Own: !slices.Contains(purpose.Known, d.ID) && d.ID != Support}
}

func (s *Service) savePage(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	lang, id := form.Get("language"), form.Get("purpose")
	if !slices.Contains(Languages, lang) {
		return errs.New(errs.NotFound, "There is no such language here.")
	}
	if id == "" {
		id = Support
	}
	n, err := s.SetNotice(r.Context(), request.Actor(r.Context()), Notice{Purpose: id, Language: lang, Text: form.Get("text"), URL: form.Get("url")})
	if sheet, again := page.Refused(err, form); again {
		return s.draw(w, r, id, lang, sheet, page.Sheet{})
	}
	return page.Done(w, r, err, ui.Address(id, lang), ui.Saved(n.Version))
}

func (s *Service) saveDemand(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	on := form.Get("required") == "yes"
	return page.Done(w, r, s.Demand(r.Context(), request.Actor(r.Context()), on), "/settings/consent", ui.DemandSaved(on))
}

func (s *Service) savePurpose(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	d := Definition{ID: form.Get("id"), Basis: purpose.Basis(form.Get("basis")), Shares: form.Get("shares") == "yes", Automated: form.Get("automated") == "yes",
		Names: map[string]string{}, Recipients: strings.Split(form.Get("recipients"), "\n"), Keep: form.Get("keep")}
	for _, lang := range Languages {
		d.Names[lang] = form.Get("name_" + lang)
	}
	saved, err := s.SetPurpose(r.Context(), request.Actor(r.Context()), d)
	if sheet, again := page.Refused(err, form); again {
		id := unnamed
		if form.Get("known") != "" {
			id = form.Get("known")
		}
		return s.draw(w, r, id, Languages[0], page.Sheet{}, sheet)
	}
	return page.Done(w, r, err, ui.Address(saved.ID, Languages[0]), ui.Defined(saved.Version))
}
