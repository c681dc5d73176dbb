package takeout

import (
	"io"
	"net/http"
	"strconv"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/closing/takeout/ui"
	"aver/vault"
)

const filePath = "/settings/takeout/file/"

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/takeout", request.Handler(s.showPage))
	mux.Handle("POST /settings/takeout", request.Handler(s.askPage))
	mux.Handle("GET /settings/takeout/progress", request.Handler(s.progressPart))
	mux.Handle("GET "+filePath+"{id}", request.Handler(s.download))
}

func (s *Service) view(r *http.Request) (ui.View, error) {
	t, err := s.Latest(r.Context(), request.Actor(r.Context()))
	if errs.Is(err, errs.NotFound) {
		return ui.View{}, nil
	}
	if err != nil {
		return ui.View{}, err
	}
	v := ui.View{State: string(t.State), AskedAt: t.AskedAt, Until: t.Until(), Rows: t.Rows, Files: t.Files, Size: t.Size, Download: filePath + t.ID.String()}
	if p, here := s.running.Load(t.ID); here {
		p := p.(*Progress)
		v.Rows, v.Files, v.Tables, v.Of = p.Rows.Load(), p.Files.Load(), p.Tables.Load(), p.Of.Load()
	}
	return v, nil
}

func (s *Service) showPage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.Page(v))
}

func (s *Service) progressPart(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, ui.State(v))
}

func (s *Service) askPage(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Ask(r.Context(), request.Actor(r.Context())); err != nil {
		return err
	}
	page.Redirect(w, r, "/settings/takeout", ui.Asked())
	return nil
}

func (s *Service) download(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[ids.Object](r, "id", "archive")
	if err != nil {
		return err
	}
	var size int64
	var content io.Reader
	err = s.vault.View(r.Context(), request.Actor(r.Context()), actFetch, func(tx *vault.Tx) error {
		t, err := Takeouts.Get(tx, id)
		if err != nil {
			return err
		}
		if t.File.IsZero() {
			return errs.New(errs.Gone, "This archive is not there any more. Ask for another one.")
		}
		size = t.Size
		_, content, err = s.vault.ReadBlob(tx, t.File)
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Disposition", `attachment; filename="workspace.zip"`)
	_, err = io.Copy(w, content)
	return err
}
