package rights

import (
	"net/http"
	"net/mail"
	"net/url"
	"strings"

	"aver/base/errs"
	"aver/frame/page"
	"aver/trust/rights/ui"
	"aver/vault"
)

// ticketCookie belongs to the browser that asked. It is set when somebody asks, not before, and only it opens the answer.
const ticketCookie = "__Host-my-data"

func (s *Service) workspace(r *http.Request) (vault.Tenant, error) {
	return s.vault.TenantBySlug(r.Context(), r.PathValue("workspace"))
}

func (s *Service) portalPage(w http.ResponseWriter, r *http.Request) error {
	return s.drawPortal(w, r, http.StatusOK, page.Sheet{})
}

func (s *Service) drawPortal(w http.ResponseWriter, r *http.Request, status int, sheet page.Sheet) error {
	tenant, err := s.workspace(r)
	if err != nil {
		return err
	}
	sheet.Action = r.URL.Path
	return page.Render(w, r, status, ui.Portal(ui.PortalView{Workspace: tenant.Name, Sheet: sheet, Mail: s.mail != nil}))
}

func (s *Service) portalAsk(w http.ResponseWriter, r *http.Request) error {
	tenant, err := s.workspace(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Invalid, "The form could not be read.").Because(err)
	}
	email := strings.TrimSpace(r.PostForm.Get("email"))
	sent := url.Values{"email": {email}, "kind": r.PostForm["kind"]}
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || len(email) > 254 {
		return s.drawPortal(w, r, http.StatusUnprocessableEntity, page.Sheet{Sent: sent, Errors: []errs.Field{{Field: "email", Code: "malformed", Message: ui.NoAddress()}}})
	}
	ticket, err := s.Ask(r.Context(), tenant.ID, Kind(r.PostForm.Get("kind")), email)
	if p := errs.AsProblem(err); p.Code == errs.Invalid {
		return s.drawPortal(w, r, p.Status, page.Sheet{Sent: sent, Errors: p.Errors})
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: ticketCookie, Value: ticket.Session, Path: "/", MaxAge: int(fileLife.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	page.Redirect(w, r, "/my-data/"+tenant.Slug+"/"+ticket.Request.String(), "")
	return nil
}

// held reads which workspace and which request the path names, and the session that the browser shows for it.
func (s *Service) held(r *http.Request) (vault.Tenant, Ticket, error) {
	tenant, err := s.workspace(r)
	if err != nil {
		return tenant, Ticket{}, err
	}
	id, err := pathRequest(r)
	if err != nil {
		return tenant, Ticket{}, err
	}
	t := Ticket{Request: id}
	if c, err := r.Cookie(ticketCookie); err == nil {
		t.Session = c.Value
	}
	return tenant, t, nil
}

func (s *Service) portalRequest(w http.ResponseWriter, r *http.Request) error {
	return s.drawRequest(w, r, http.StatusOK, nil)
}

func (s *Service) drawRequest(w http.ResponseWriter, r *http.Request, status int, faults []errs.Field) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	held, err := s.Held(r.Context(), tenant.ID, t)
	if err != nil {
		return err
	}
	view := ui.AnswerView{Request: s.shown(held), Workspace: tenant.Name, Base: "/my-data/" + tenant.Slug, File: "/my-data/files/" + tenant.Slug + "/" + held.ID.String(), Faults: faults}
	if held.Kind == Erasure && held.State == Done {
		view.Receipt = receipt(held).Text
	}
	return page.Render(w, r, status, ui.Answer(view))
}

func (s *Service) portalCode(w http.ResponseWriter, r *http.Request) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Invalid, "The form could not be read.").Because(err)
	}
	_, err = s.Prove(r.Context(), tenant.ID, t, strings.Join(strings.Fields(r.PostForm.Get("code")), ""))
	if p := errs.AsProblem(err); p.Code == errs.Invalid {
		return s.drawRequest(w, r, p.Status, p.Errors)
	}
	if err != nil {
		return err
	}
	page.Redirect(w, r, "/my-data/"+tenant.Slug+"/"+t.Request.String(), "")
	return nil
}

func (s *Service) portalErase(w http.ResponseWriter, r *http.Request) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Invalid, "The form could not be read.").Because(err)
	}
	if !strings.EqualFold(strings.TrimSpace(r.PostForm.Get("confirm")), ui.EraseWord()) {
		return s.drawRequest(w, r, http.StatusUnprocessableEntity, []errs.Field{{Field: "confirm", Code: "mismatch", Message: ui.NotTheWord()}})
	}
	if _, err := s.Confirm(r.Context(), tenant.ID, t); err != nil {
		return err
	}
	page.Redirect(w, r, "/my-data/"+tenant.Slug+"/"+t.Request.String(), "")
	return nil
}

func (s *Service) portalFile(w http.ResponseWriter, r *http.Request) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	content, _, err := s.CollectHeld(r.Context(), tenant.ID, t)
	if err != nil {
		return err
	}
	return download(w, content, "my-data.zip")
}
