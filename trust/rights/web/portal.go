package web

import (
	"net/http"
	"strings"

	"aver/base/errs"
	"aver/frame/mail"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/rights"
	"aver/trust/rights/ui"
	"aver/vault"
)

// ticketCookie belongs to the browser that asked. It is set when somebody asks, not before, and only it opens the answer.
const ticketCookie = "__Host-my-data"

func (s *Service) workspace(r *http.Request) (vault.Tenant, error) {
	return s.Service.Workspace(r.Context(), r.PathValue("workspace"))
}

// portal is the page of a request for the person who asked.
func portal(tenant vault.Tenant, id rights.RequestID) string {
	return "/my-data/" + tenant.Slug + "/" + id.String()
}

func (s *Service) portalPage(w http.ResponseWriter, r *http.Request) error {
	return s.drawPortal(w, r, page.Sheet{})
}

func (s *Service) drawPortal(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	tenant, err := s.workspace(r)
	if err != nil {
		return err
	}
	sheet.Action = r.URL.Path
	return page.Render(w, r, sheet.Status(), ui.Portal(ui.PortalView{Workspace: tenant.Name, Sheet: sheet, Mail: s.Mails()}))
}

func (s *Service) portalAsk(w http.ResponseWriter, r *http.Request) error {
	tenant, err := s.workspace(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	email := strings.TrimSpace(form.Get("email"))
	if !mail.IsAddress(email) {
		return s.drawPortal(w, r, page.Sheet{Sent: form, Errors: []errs.Field{{Field: "email", Code: "malformed", Message: ui.NoAddress()}}})
	}
	ticket, err := s.Ask(r.Context(), tenant.ID, rights.Kind(form.Get("kind")), email)
	if sheet, again := page.Refused(err, form); again {
		return s.drawPortal(w, r, sheet)
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: ticketCookie, Value: ticket.Session, Path: "/", MaxAge: int(rights.FileLife.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	page.Redirect(w, r, portal(tenant, ticket.Request), "")
	return nil
}

// held reads which workspace and which request the path names, and the session that the browser shows for it.
func (s *Service) held(r *http.Request) (vault.Tenant, rights.Ticket, error) {
	tenant, err := s.workspace(r)
	if err != nil {
		return tenant, rights.Ticket{}, err
	}
	id, err := pathRequest(r)
	if err != nil {
		return tenant, rights.Ticket{}, err
	}
	t := rights.Ticket{Request: id}
	if c, err := r.Cookie(ticketCookie); err == nil {
		t.Session = c.Value
	}
	return tenant, t, nil
}

func (s *Service) portalRequest(w http.ResponseWriter, r *http.Request) error {
	return s.drawRequest(w, r, page.Sheet{})
}

func (s *Service) drawRequest(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	held, err := s.Held(r.Context(), tenant.ID, t)
	if err != nil {
		return err
	}
	view := ui.AnswerView{Request: s.shown(held), Workspace: tenant.Name, Base: "/my-data/" + tenant.Slug, File: "/my-data/files/" + tenant.Slug + "/" + held.ID.String(), Faults: sheet.Errors}
	if held.Kind == rights.Erasure && held.State == rights.Done {
		view.Receipt = rights.ReceiptOf(held).Text
	}
	return page.Render(w, r, sheet.Status(), ui.Answer(view))
}

func (s *Service) portalCode(w http.ResponseWriter, r *http.Request) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	_, err = s.Prove(r.Context(), tenant.ID, t, strings.Join(strings.Fields(form.Get("code")), ""))
	if sheet, again := page.Refused(err, form); again {
		return s.drawRequest(w, r, sheet)
	}
	return page.Done(w, r, err, portal(tenant, t.Request), "")
}

func (s *Service) portalErase(w http.ResponseWriter, r *http.Request) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(form.Get("confirm")), ui.EraseWord()) {
		return s.drawRequest(w, r, page.Sheet{Errors: []errs.Field{{Field: "confirm", Code: "mismatch", Message: ui.NotTheWord()}}})
	}
	_, err = s.Confirm(r.Context(), tenant.ID, t)
	return page.Done(w, r, err, portal(tenant, t.Request), "")
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
