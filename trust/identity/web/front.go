package web

import (
	"net/http"
	"strings"

	"aver/base/errs"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/trust/identity/web/ui"
	"aver/vault"
)

// routesToComeIn are the pages of those who are not signed in yet, and the way out.
func (s *Service) routesToComeIn(mux module.Mux) {
	mux.Handle("GET /{$}", request.Handler(s.home))
	mux.Handle("GET /login", request.Handler(s.showSignIn))
	mux.Handle("POST /login", request.Handler(s.doSignIn))
	mux.Handle("POST /logout", request.Handler(s.doSignOut))
	for _, path := range []string{"/setup/{token}", "/invite/{token}"} {
		mux.Handle("GET "+path, request.Handler(s.showInvitation))
		mux.Handle("POST "+path, request.Handler(s.doAccept))
	}
}

const firstPage = "/inbox"

func signedIn(r *http.Request) bool { return request.Actor(r.Context()).Kind() == vault.AsUser }

// home leads to work, or to the door.
func (s *Service) home(w http.ResponseWriter, r *http.Request) error {
	if signedIn(r) {
		page.Redirect(w, r, firstPage, "")
		return nil
	}
	page.Redirect(w, r, "/login", "")
	return nil
}

// next is where somebody wanted to go: a path of this site, never elsewhere.
func next(r *http.Request) string {
	to := page.Local(r.FormValue("next"))
	if to == "/" || strings.HasPrefix(to, "/login") || strings.HasPrefix(to, "/logout") {
		return firstPage
	}
	return to
}

func (s *Service) showSignIn(w http.ResponseWriter, r *http.Request) error {
	if signedIn(r) {
		page.Redirect(w, r, next(r), "")
		return nil
	}
	return page.Render(w, r, http.StatusOK, ui.SignIn(ui.Door{Sheet: page.Sheet{Action: "/login"}, Next: next(r), Workspace: r.FormValue("workspace")}))
}

func (s *Service) doSignIn(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	token, err := s.identity.SignInAs(r.Context(), identity.Attempt{Email: strings.TrimSpace(form.Get("email")), Password: form.Get("password"),
		Workspace: strings.ToLower(strings.TrimSpace(form.Get("workspace"))), Device: device(r), From: request.Client(r.Context())})
	if errs.Is(err, errs.Unauthenticated) {
		form.Del("password")
		p := errs.AsProblem(err)
		return page.Render(w, r, p.Status, ui.SignIn(ui.Door{Sheet: page.Sheet{Action: "/login", Sent: form}, Next: next(r), Workspace: form.Get("workspace"), Wrong: p.Detail}))
	}
	if err != nil {
		return err
	}
	if err := s.enter(w, r, token); err != nil {
		return err
	}
	page.Redirect(w, r, next(r), "")
	return nil
}

// enter hands the browser a new session and ends the one it came with.
func (s *Service) enter(w http.ResponseWriter, r *http.Request, token string) error {
	if signedIn(r) {
		if err := s.identity.SignOut(r.Context(), request.Actor(r.Context())); err != nil {
			return err
		}
	}
	http.SetCookie(w, sessionCookie(token, int(identity.SessionLife.Seconds())))
	return nil
}

func sessionCookie(value string, seconds int) *http.Cookie {
	return &http.Cookie{Name: identity.CookieName, Value: value, Path: "/", MaxAge: seconds, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func (s *Service) doSignOut(w http.ResponseWriter, r *http.Request) error {
	if signedIn(r) {
		if err := s.identity.SignOut(r.Context(), request.Actor(r.Context())); err != nil {
			return err
		}
	}
	http.SetCookie(w, sessionCookie("", -1))
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`) // not "cookies": that would empty the whole registered domain
	page.Redirect(w, r, "/login", "")
	return nil
}

func (s *Service) showInvitation(w http.ResponseWriter, r *http.Request) error {
	return s.drawInvitation(w, r, page.Sheet{})
}

func (s *Service) drawInvitation(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	c, t, err := s.identity.Invited(r.Context(), r.PathValue("token"))
	if errs.Is(err, errs.NotFound) {
		return page.Render(w, r, http.StatusNotFound, ui.BadLink())
	}
	if err != nil {
		return err
	}
	sheet.Action = r.URL.Path
	return page.Render(w, r, sheet.Status(), ui.Accept(ui.Invitation{Sheet: sheet, Setup: strings.HasPrefix(r.URL.Path, "/setup/"), Workspace: t.Name, Email: c.Email}))
}

func (s *Service) doAccept(w http.ResponseWriter, r *http.Request) error {
	form, err := request.Form(r)
	if err != nil {
		return err
	}
	token, err := s.identity.AcceptAs(r.Context(), r.PathValue("token"), identity.Newcomer{Email: strings.TrimSpace(form.Get("email")), Name: form.Get("name"),
		Password: form.Get("password"), Device: device(r)})
	if errs.Is(err, errs.NotFound) {
		return page.Render(w, r, http.StatusNotFound, ui.BadLink())
	}
	if sheet, again := page.Refused(err, form); again {
		return s.drawInvitation(w, r, sheet)
	}
	if err != nil {
		return err
	}
	if err := s.enter(w, r, token); err != nil {
		return err
	}
	page.Redirect(w, r, firstPage, "")
	return nil
}

// device says in two words what a browser says it is, so that people know their sessions apart. Nothing depends on it.
func device(r *http.Request) string {
	agent := r.UserAgent()
	pick := func(names ...string) string {
		for i := 0; i < len(names); i += 2 {
			if strings.Contains(agent, names[i]) {
				return names[i+1]
			}
		}
		return ""
	}
	browser := pick("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari")
	system := pick("Windows", "Windows", "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Mac OS", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	if browser == "" || system == "" {
		return ""
	}
	return browser + " on " + system
}
