package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/mail"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/trust/rights"
	"aver/trust/rights/handover"
	"aver/trust/rights/portal"
	"aver/trust/rights/state"
	"aver/vault"
)

// Cookies are a workspace's: many may be on one host, and what opens one's answers is no other's to see. Browsers send them to
// the whole host, for without that they would take some that another host has set (__Host-); relays keep them to their region.
const (
	ticketCookie = "__Host-my-data."        // of the browser that asked: set when somebody asks, not before, and only it opens the answer
	signedCookie = "__Host-my-data-signed." // of a browser for whose owner the tenant's site has signed
)

func (s *Service) workspace(r *http.Request) (vault.Tenant, error) {
	return s.Service.Workspace(r.Context(), r.PathValue("workspace"))
}

func base(tenant vault.Tenant) string { return "/my-data/" + tenant.Slug }

// ownPage is the page of a request for the person who asked.
func ownPage(tenant vault.Tenant, id rights.RequestID) string {
	return base(tenant) + "/" + id.String()
}

// nowhere answers whoever asks about a business that is not here, in a way that helps them on.
func (s *Service) nowhere(w http.ResponseWriter, r *http.Request, status int) error {
	lang := portal.Language(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	r = r.WithContext(page.Speak(r.Context(), lang))
	return page.Render(w, r, status, portal.Nowhere(lang, s.contact))
}

func (s *Service) anyPortal(w http.ResponseWriter, r *http.Request) error {
	return s.nowhere(w, r, http.StatusOK)
}

func (s *Service) portalPage(w http.ResponseWriter, r *http.Request) error {
	lang := portal.Language(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	return s.drawPortal(w, r, lang, page.Sheet{})
}

func (s *Service) drawPortal(w http.ResponseWriter, r *http.Request, lang string, sheet page.Sheet) error {
	tenant, err := s.workspace(r)
	if errs.Is(err, errs.NotFound) {
		return s.nowhere(w, r, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	sheet.Action = base(tenant)
	return s.drawForm(w, r, portal.Form{Workspace: tenant.Name, Base: base(tenant), Lang: lang, Sheet: sheet, Mail: s.Mails(), Signed: sheet.Sent.Get("signed") != ""})
}

func (s *Service) drawForm(w http.ResponseWriter, r *http.Request, f portal.Form) error {
	return page.Render(w, r.WithContext(page.Speak(r.Context(), f.Lang)), f.Sheet.Status(), portal.Ask(f))
}

// posted reads what a form says, to whom, and in which language the answer is.
func (s *Service) posted(r *http.Request) (tenant vault.Tenant, form url.Values, lang string, err error) {
	if tenant, err = s.workspace(r); err == nil {
		form, err = request.Form(r)
	}
	return tenant, form, portal.Language(form.Get("lang"), r.Header.Get("Accept-Language")), err
}

// portalSigned takes what the tenant's site has signed about whoever its page sends here, and lets them ask without a code. The
// form is part of the answer: a browser that came from elsewhere would not show its new cookie on another page.
func (s *Service) portalSigned(w http.ResponseWriter, r *http.Request) error {
	tenant, form, lang, err := s.posted(r)
	if err != nil {
		return err
	}
	f := portal.Form{Workspace: tenant.Name, Base: base(tenant), Lang: lang, Mail: s.Mails(), Sheet: page.Sheet{Action: base(tenant)}}
	session, err := s.HandOver(r.Context(), tenant.ID, form.Get("token"))
	switch {
	case errs.Is(err, errs.Unauthenticated):
		f.Sheet.Errors = []errs.Field{portal.Unsigned(lang)}
	case err != nil:
		return err
	default:
		f.Signed = true
		keep(w, signedCookie+tenant.Slug, session, handover.AskLife)
	}
	return s.drawForm(w, r, f)
}

// regimes says which law holds where somebody lives; the workspace's own elsewhere.
var regimes = map[string]string{"eu": deadline.GDPR, "us": deadline.CCPA}

func (s *Service) portalAsk(w http.ResponseWriter, r *http.Request) error {
	tenant, form, lang, err := s.posted(r)
	if err != nil {
		return err
	}
	email, ask := strings.TrimSpace(form.Get("email")), s.Ask
	if form.Get("signed") != "" {
		ask = s.AskSigned
	} else if !mail.IsAddress(email) {
		return s.drawPortal(w, r, lang, page.Sheet{Sent: form, Errors: []errs.Field{portal.Fault(lang, "email", "malformed")}})
	}
	wish := rights.Wish{Kind: state.Kind(form.Get("kind")), Regime: regimes[form.Get("lives")], Email: email, Text: form.Get("words"), Language: lang}
	if !wish.Kind.Known() {
		return s.drawPortal(w, r, lang, page.Sheet{Sent: form, Errors: []errs.Field{portal.Fault(lang, "kind", "required")}})
	}
	wish.Session, wish.Handover = shownBy(r, ticketCookie+tenant.Slug), shownBy(r, signedCookie+tenant.Slug)
	ticket, err := ask(r.Context(), tenant.ID, wish)
	if errs.Is(err, errs.Unauthenticated) {
		form.Del("signed")
		return s.drawPortal(w, r, lang, page.Sheet{Sent: form, Errors: []errs.Field{portal.Unsigned(lang)}})
	}
	if sheet, again := page.Refused(err, form); again {
		return s.drawPortal(w, r, lang, sheet)
	}
	if err != nil {
		return err
	}
	hold(w, tenant, ticket)
	page.Redirect(w, r, ownPage(tenant, ticket.Request), "")
	return nil
}

// ticketLife is how long a browser keeps it: as long as somebody may take to prove who they are, and to read the answer.
const ticketLife = 32 * 24 * time.Hour

// hold lets the browser keep the ticket.
func hold(w http.ResponseWriter, tenant vault.Tenant, t rights.Ticket) {
	keep(w, ticketCookie+tenant.Slug, t.Session, ticketLife)
}

func keep(w http.ResponseWriter, name, session string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: session, Path: "/", MaxAge: int(life.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// shownBy is what a cookie holds; empty when there is none.
func shownBy(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
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
	return tenant, rights.Ticket{Request: id, Session: shownBy(r, ticketCookie+tenant.Slug)}, nil
}

// sent is held of a form, with what it says.
func (s *Service) sent(r *http.Request) (tenant vault.Tenant, t rights.Ticket, form url.Values, err error) {
	if tenant, t, err = s.held(r); err == nil {
		form, err = request.Form(r)
	}
	return tenant, t, form, err
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
	lang := portal.Language(held.Language, r.Header.Get("Accept-Language"))
	for i, f := range sheet.Errors {
		if f.Field == "code" {
			sheet.Errors[i] = portal.Fault(lang, f.Field, f.Code)
		}
	}
	task := s.TaskOf(held)
	view := portal.Answer{Form: portal.Form{Workspace: tenant.Name, Base: base(tenant), Lang: lang, Sheet: sheet}, ID: held.ID.String(),
		Kind: held.Kind, State: held.State, Reason: held.Reason, GDPR: held.Regime == deadline.GDPR, Done: task.Done, Total: task.Total, By: held.DueAt, Law: held.LegalAt, Until: held.ProveUntil, Stopped: held.Stopped()}
	told, err := s.ToldOf(r.Context(), tenant.ID, held)
	if err != nil {
		return err
	}
	view.Told = portal.Telling(lang, told)
	if view.Limited, err = s.limited(r.Context(), tenant.ID, held); err != nil {
		return err
	}
	if !held.File.IsZero() {
		view.File = "/my-data/files/" + tenant.Slug + "/" + held.ID.String()
	}
	if held.Kind.Deed() == state.Erase && held.State == state.Fulfilled {
		view.Receipt, view.File = portal.Erased(lang, tenant.Name, held), "/my-data/receipts/"+tenant.Slug+"/"+held.ID.String()
	}
	if view.Beside, err = s.consents(r.Context(), tenant, held, lang); err != nil {
		return err
	}
	r = r.WithContext(page.Speak(r.Context(), lang))
	return page.Render(w, r, sheet.Status(), portal.Show(view))
}

// limited is what becomes of the restriction of those whom a request speaks for, when it is proved who asked.
func (s *Service) limited(ctx context.Context, tenant ids.Tenant, r rights.Request) (portal.Limited, error) {
	if r.ProvedAt.IsZero() {
		return portal.Limited{}, nil
	}
	return portal.LimitedBy(ctx, s.limits, identity.System(tenant, "rights"), r.People...)
}

func (s *Service) portalCode(w http.ResponseWriter, r *http.Request) error {
	tenant, t, form, err := s.sent(r)
	if err != nil {
		return err
	}
	_, err = s.Prove(r.Context(), tenant.ID, t, strings.Join(strings.Fields(form.Get("code")), ""))
	if sheet, again := page.Refused(err, form); again {
		return s.drawRequest(w, r, sheet)
	}
	return page.Done(w, r, err, ownPage(tenant, t.Request), "")
}

// portalAgain sends another code or link. It looks the same whoever asks.
func (s *Service) portalAgain(w http.ResponseWriter, r *http.Request) error {
	tenant, t, form, err := s.sent(r)
	if err != nil {
		return err
	}
	if t.Link = form.Get("link"); t.Link == "" {
		return page.Done(w, r, s.Another(r.Context(), tenant.ID, t), ownPage(tenant, t.Request), "")
	}
	if err := s.Another(r.Context(), tenant.ID, t); err != nil {
		return err
	}
	return s.drawLink(w, r, tenant, portal.Followed{Sent: true})
}

// portalLink is where a mailed link leads. It does nothing by itself: programs that look at mail open links, too.
func (s *Service) portalLink(w http.ResponseWriter, r *http.Request) error {
	tenant, err := s.workspace(r)
	if err != nil {
		return err
	}
	return s.drawLink(w, r, tenant, portal.Followed{Link: r.URL.Query().Get("link")})
}

func (s *Service) drawLink(w http.ResponseWriter, r *http.Request, tenant vault.Tenant, f portal.Followed) error {
	lang := portal.Language("", r.Header.Get("Accept-Language"))
	f.Form = portal.Form{Workspace: tenant.Name, Base: base(tenant), Lang: lang}
	f.ID = r.PathValue("id")
	return page.Render(w, r.WithContext(page.Speak(r.Context(), lang)), http.StatusOK, portal.Follow(f))
}

func (s *Service) portalProof(w http.ResponseWriter, r *http.Request) error {
	tenant, t, form, err := s.sent(r)
	if err != nil {
		return err
	}
	t.Link = form.Get("link")
	followed, err := s.Follow(r.Context(), tenant.ID, t)
	if errs.Is(err, errs.Gone) {
		return s.drawLink(w, r, tenant, portal.Followed{Link: t.Link, Over: true})
	}
	if err != nil {
		return err
	}
	hold(w, tenant, followed)
	page.Redirect(w, r, ownPage(tenant, t.Request), "")
	return nil
}

func (s *Service) portalErase(w http.ResponseWriter, r *http.Request) error {
	tenant, t, form, err := s.sent(r)
	if err != nil {
		return err
	}
	held, err := s.Held(r.Context(), tenant.ID, t)
	if err != nil {
		return err
	}
	lang := portal.Language(held.Language, r.Header.Get("Accept-Language"))
	if !strings.EqualFold(strings.TrimSpace(form.Get("confirm")), portal.Text(lang, "word")) {
		return s.drawRequest(w, r, page.Sheet{Errors: []errs.Field{portal.Fault(lang, "confirm", "mismatch")}})
	}
	_, err = s.Confirm(r.Context(), tenant.ID, t)
	return page.Done(w, r, err, ownPage(tenant, t.Request), "")
}

func (s *Service) portalRevoke(w http.ResponseWriter, r *http.Request) error {
	tenant, t, err := s.held(r)
	if err != nil {
		return err
	}
	err = s.Revoke(r.Context(), tenant.ID, t)
	return page.Done(w, r, err, ownPage(tenant, t.Request), "")
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
