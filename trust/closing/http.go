package closing

import (
	"encoding/json"
	"net/http"

	"aver/base/errs"
	"aver/frame/answer"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/closing/ui"
	"aver/trust/identity"
	"aver/vault"
)

func (s *Service) routes(mux module.Mux) {
	mux.Handle("GET /settings/close", request.Handler(s.askPage))
	mux.Handle("POST /settings/close", request.Handler(s.closePage))
	mux.Handle("GET /closed/{secret}", request.Handler(s.closedPage))
	mux.Handle("GET /closed/{secret}/certificate.json", request.Handler(s.download))
}

func (s *Service) askPage(w http.ResponseWriter, r *http.Request) error { return s.ask(w, r, false) }

func (s *Service) ask(w http.ResponseWriter, r *http.Request, wrong bool) error {
	actor := request.Actor(r.Context())
	if err := s.vault.Permit(r.Context(), actor, actClose); err != nil {
		return err
	}
	t, err := s.vault.Tenant(r.Context(), actor.Tenant())
	if err != nil {
		return err
	}
	status := http.StatusOK
	if wrong {
		status = http.StatusUnprocessableEntity
	}
	return page.Render(w, r, status, ui.Close(ui.CloseView{Slug: t.Slug, Grace: Grace, Wrong: wrong}))
}

func (s *Service) closePage(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	if err := s.vault.Permit(r.Context(), actor, actClose); err != nil {
		return err
	}
	t, err := s.vault.Tenant(r.Context(), actor.Tenant())
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	if form.Get("confirm") != t.Slug {
		return s.ask(w, r, true)
	}
	notify := ""
	err = s.vault.View(r.Context(), actor, actLook, func(tx *vault.Tx) error {
		u, err := identity.Users.Get(tx, actor.User())
		notify = u.Email.Reveal()
		return err
	})
	if err != nil {
		return err
	}
	_, secret, err := s.Close(r.Context(), actor, Grace, notify)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/closed/"+secret, http.StatusSeeOther)
	return nil
}

func (s *Service) closedPage(w http.ResponseWriter, r *http.Request) error {
	c, err := s.ByLink(r.Context(), r.PathValue("secret"))
	if err != nil {
		return err
	}
	v := ui.ClosedView{Name: c.Name, OrderedBy: c.OrderedBy, ClosedAt: c.ClosedAt, Until: c.Until, Begun: c.Facts != nil, DestroyedAt: c.DestroyedAt,
		Download: r.URL.Path + "/certificate.json"}
	if !c.DestroyedAt.IsZero() {
		if err := show(&v, c.Document); err != nil {
			return err
		}
	}
	return page.Render(w, r, http.StatusOK, ui.Closed(v))
}

// show puts what the certificate says on the page.
func show(v *ui.ClosedView, document []byte) error {
	var d Document
	var c Certificate
	if err := json.Unmarshal(document, &d); err != nil {
		return err
	}
	if err := json.Unmarshal(d.Certificate, &c); err != nil {
		return err
	}
	for _, step := range c.Steps {
		v.Steps = append(v.Steps, ui.Step(step))
	}
	v.Keys, v.Rows, v.Files, v.Bytes = c.Before.PeopleKeys, c.Before.Rows, c.Before.Files, c.Before.Bytes
	return nil
}

func (s *Service) download(w http.ResponseWriter, r *http.Request) error {
	c, err := s.ByLink(r.Context(), r.PathValue("secret"))
	if err != nil {
		return err
	}
	if c.DestroyedAt.IsZero() {
		return errs.New(errs.NotFound, "The certificate is written when everything is destroyed.")
	}
	return answer.File(w, "application/json", "certificate-of-destruction.json", c.Document)
}
