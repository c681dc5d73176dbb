package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"

	"aver/base/errs"
	"aver/frame/answer"
	"aver/frame/page"
	"aver/frame/request"
	"aver/work/contacts"
	"aver/work/contacts/imports"
	"aver/work/contacts/ui"
)

func importing(r *http.Request) (imports.ID, error) {
	return request.PathID[imports.ID](r, "import", "import")
}

func importPage(id imports.ID) string { return "/contacts/import/run/" + id.String() }

func (s *Service) showImports(w http.ResponseWriter, r *http.Request) error {
	all, err := s.imports.List(r.Context(), actor(r))
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.ImportsPage(ui.Imports{All: all}))
}

// upload takes the file as it comes, without keeping it anywhere on the way.
func (s *Service) upload(w http.ResponseWriter, r *http.Request) error {
	part, err := filePart(r)
	if err != nil {
		return err
	}
	if part == nil || part.FileName() == "" {
		page.Redirect(w, r, "/contacts/import", ui.Flash("import.missing"))
		return nil
	}
	i, err := s.imports.Upload(r.Context(), actor(r), part.FileName(), part)
	if p := errs.AsProblem(err); err != nil && (p.Code == errs.Invalid || p.Code == errs.TooLarge) {
		page.Redirect(w, r, "/contacts/import", p.Detail)
		return nil
	}
	return page.Done(w, r, err, importPage(i.ID), "")
}

// filePart is the part of the form that holds the file, nil if there is none.
func filePart(r *http.Request) (*multipart.Part, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, errs.New(errs.Invalid, "The form could not be read.").Because(err)
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, errs.New(errs.Invalid, "The file did not arrive whole. Send it again.").Because(err)
		}
		if part.FormName() == "file" {
			return part, nil
		}
	}
}

func (s *Service) showImport(w http.ResponseWriter, r *http.Request) error {
	id, err := importing(r)
	if err != nil {
		return err
	}
	return s.drawImport(w, r, id, page.Sheet{})
}

const shownFaults = 20

func (s *Service) drawImport(w http.ResponseWriter, r *http.Request, id imports.ID, sheet page.Sheet) error {
	i, err := s.imports.Get(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	if i.State == imports.Tried && (r.URL.Query().Get("change") == "1" || len(sheet.Errors) > 0) {
		i.State = imports.Mapping // as shown; trying again replaces the trial
	}
	view := ui.Import{Import: i, Sheet: sheet, Now: s.imports.Now()}
	switch {
	case i.State == imports.Mapping:
		if view.Own, err = s.Attributes.All(r.Context(), actor(r)); err != nil {
			return err
		}
		view.Tags, err = s.Tags(r.Context(), actor(r))
	case !i.State.Works():
		view.Faults, err = s.imports.Faults(r.Context(), actor(r), id, shownFaults)
	}
	if err != nil {
		return err
	}
	return page.Render(w, r, sheet.Status(), ui.ImportPage(view))
}

// showProgress answers the bar; when the work has ended the whole page is asked for anew.
func (s *Service) showProgress(w http.ResponseWriter, r *http.Request) error {
	id, err := importing(r)
	if err != nil {
		return err
	}
	i, err := s.imports.Get(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	if !i.State.Works() {
		if !page.Fragment(r) {
			page.Redirect(w, r, importPage(id), "")
			return nil
		}
		w.Header().Set("HX-Refresh", "true")
	}
	return page.Render(w, r, http.StatusOK, ui.Import{Import: i, Now: s.imports.Now()}.Progress())
}

func (s *Service) tryImport(w http.ResponseWriter, r *http.Request) error {
	id, err := importing(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	i, err := s.imports.Get(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	p := imports.Plan{Ground: groundIn(form), Country: form.Get("country")}
	for n := range i.Columns {
		p.Fields = append(p.Fields, form.Get("column"+strconv.Itoa(n)))
	}
	if err := p.Label.UnmarshalText([]byte(form.Get("label"))); err != nil {
		p.Label = contacts.TagID{1} // names none, which Try says
	}
	err = s.imports.Try(r.Context(), actor(r), id, p)
	if sheet, again := page.Refused(err, form); again {
		return s.drawImport(w, r, id, sheet)
	}
	return page.Done(w, r, err, importPage(id), "")
}

func (s *Service) startImport(w http.ResponseWriter, r *http.Request) error {
	id, err := importing(r)
	if err != nil {
		return err
	}
	return page.Done(w, r, s.imports.Start(r.Context(), actor(r), id), importPage(id), "")
}

func (s *Service) cancelImport(w http.ResponseWriter, r *http.Request) error {
	id, err := importing(r)
	if err != nil {
		return err
	}
	return page.Done(w, r, s.imports.Cancel(r.Context(), actor(r), id), importPage(id), ui.Flash("import.dropped"))
}

func (s *Service) report(w http.ResponseWriter, r *http.Request) error {
	id, err := importing(r)
	if err != nil {
		return err
	}
	text, err := s.imports.Report(r.Context(), actor(r), id)
	if err != nil {
		return err
	}
	return answer.File(w, "text/csv; charset=utf-8", "rows-left-out.csv", text)
}
