package web

import (
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/trust/identity/web/ui"
	"aver/vault"
)

func (s *Service) routes(mux module.Mux) {
	s.routesToComeIn(mux)
	mux.Handle("GET /settings", users(s.showIndex))
	mux.Handle("GET /settings/roles", users(s.showRights))
	mux.Handle("GET /settings/profile", users(s.showProfile))
	mux.Handle("POST /settings/profile", users(s.saveName))
	mux.Handle("POST /settings/profile/password", users(s.savePassword))
	mux.Handle("POST /settings/profile/sessions", users(s.endSession))
	s.routesOfTeam(mux)
	s.routesOfKeys(mux)
}

var signInFirst = errs.New(errs.Unauthenticated, "Sign in first.")

// users is a page for people who are signed in.
func users(h request.Handler) http.Handler {
	return request.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if !signedIn(r) {
			return signInFirst
		}
		if r.Method == http.MethodPost {
			if _, err := request.Form(r); err != nil {
				return err
			}
		}
		return h(w, r)
	})
}

// showIndex lists every settings page of every module that the user may use.
func (s *Service) showIndex(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	var list []ui.Setting
	for _, m := range s.identity.Modules() {
		for _, l := range m.Settings {
			if l.For == nil || actor.Can(l.For) {
				list = append(list, ui.Setting{Path: l.Path, Title: l.Title, About: l.About})
			}
		}
	}
	return page.Render(w, r, http.StatusOK, ui.Index(list))
}

// showRights draws who may do what, from the actions of all modules. What only Aver itself does is left out.
func (s *Service) showRights(w http.ResponseWriter, r *http.Request) error {
	var rights ui.Rights
	for _, m := range s.identity.Modules() {
		part := ui.Part{Name: strings.ToUpper(m.Name[:1]) + m.Name[1:]}
		for _, a := range m.Actions {
			if len(a.Roles()) == 0 && a.Scope() == "" {
				continue
			}
			right := ui.Right{Name: a.Name(), Scope: a.Scope(), Visitors: a.Visitors(), Roles: map[string]bool{}}
			for _, role := range a.Roles() {
				right.Roles[string(role)] = true
			}
			part.Actions = append(part.Actions, right)
		}
		if len(part.Actions) > 0 {
			rights.Parts = append(rights.Parts, part)
		}
	}
	return page.Render(w, r, http.StatusOK, ui.RightsPage(rights))
}

func (s *Service) showProfile(w http.ResponseWriter, r *http.Request) error {
	return s.drawProfile(w, r, page.Sheet{}, page.Sheet{})
}

func (s *Service) drawProfile(w http.ResponseWriter, r *http.Request, name, password page.Sheet) error {
	actor := request.Actor(r.Context())
	u, err := s.identity.Me(r.Context(), actor)
	if err != nil {
		return err
	}
	open, err := s.identity.Sessions(r.Context(), actor)
	if err != nil {
		return err
	}
	name.Action, password.Action, password.ID = "/settings/profile", "/settings/profile/password", "new"
	p := ui.Profile{Name: u.Name.Reveal(), Email: u.Email.Reveal(), Roles: roleWords(u.Roles), NameSheet: name, Password: password}
	for _, c := range open {
		p.Sessions = append(p.Sessions, ui.Session{ID: c.ID.String(), Device: c.Device.Reveal(), Started: c.CreatedAt, Used: c.UsedAt, Ends: c.ExpiresAt, This: c.ID == actor.Credential()})
	}
	return page.Render(w, r, max(name.Status(), password.Status()), ui.ProfilePage(p))
}

func roleWords(list string) []string {
	var out []string
	for _, r := range identity.RolesOf(list) {
		out = append(out, string(r))
	}
	return out
}

// RoleNames says a user's roles in words.
func RoleNames(u identity.User) string { return ui.RoleNames(roleWords(u.Roles)) }

func (s *Service) saveName(w http.ResponseWriter, r *http.Request) error {
	err := s.identity.Rename(r.Context(), request.Actor(r.Context()), r.PostForm.Get("name"))
	if sheet, again := page.Refused(err, r.PostForm); again {
		return s.drawProfile(w, r, sheet, page.Sheet{})
	}
	return page.Done(w, r, err, "/settings/profile", ui.T("profile.saved"))
}

func (s *Service) savePassword(w http.ResponseWriter, r *http.Request) error {
	token, err := s.identity.ChangePassword(r.Context(), request.Actor(r.Context()), r.PostForm.Get("old"), r.PostForm.Get("password"), device(r))
	if sheet, again := page.Refused(err, nil); again {
		return s.drawProfile(w, r, page.Sheet{}, sheet)
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, sessionCookie(token, int(identity.SessionLife.Seconds()))) // every older session has ended with the change
	page.Redirect(w, r, "/settings/profile", ui.T("password.changed"))
	return nil
}

func (s *Service) endSession(w http.ResponseWriter, r *http.Request) error {
	id, err := ids.ParseCredential(r.PostForm.Get("session"))
	if err != nil {
		return errs.New(errs.NotFound, "This session has ended already.")
	}
	err = s.identity.EndSession(r.Context(), request.Actor(r.Context()), id)
	return page.Done(w, r, err, "/settings/profile", ui.T("session.ended"))
}

func (s *Service) routesOfKeys(mux module.Mux) {
	mux.Handle("GET /settings/keys", users(s.showKeys))
	mux.Handle("GET /settings/keys/new", users(s.showNewKey))
	mux.Handle("POST /settings/keys", users(s.makeKey))
	mux.Handle("POST /settings/keys/{key}/revoke", users(s.revokeKey))
}

func (s *Service) showKeys(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	all, err := s.identity.Keys(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.Keys{MayMake: actor.Can(identity.ActMakeKey)}
	for _, c := range all {
		k := ui.Key{ID: c.ID.String(), Name: c.Name, Scopes: c.Scopes, Made: c.CreatedAt, Ends: c.ExpiresAt, Ended: c.Expired(s.now())}
		if !c.UsedAt.Equal(c.CreatedAt) {
			k.Used = c.UsedAt
		}
		view.List = append(view.List, k)
	}
	return page.Render(w, r, http.StatusOK, ui.KeysPage(view))
}

func (s *Service) showNewKey(w http.ResponseWriter, r *http.Request) error {
	return s.drawNewKey(w, r, page.Sheet{})
}

func (s *Service) drawNewKey(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	if !actor.Can(identity.ActMakeKey) {
		return errs.New(errs.Forbidden, "Your role does not allow this.")
	}
	sheet.Action = "/settings/keys"
	return page.Render(w, r, sheet.Status(), ui.NewKeyPage(ui.NewKey{Sheet: sheet, Scopes: s.scopes(actor)}))
}

// scopes lists what the actor may permit a key, with the actions each stands for.
func (s *Service) scopes(actor vault.Actor) []ui.Scope {
	var out []ui.Scope
	for _, a := range s.identity.Actions() {
		if !s.identity.MayGrant(actor, a.Scope()) {
			continue
		}
		i := slices.IndexFunc(out, func(o ui.Scope) bool { return o.Name == a.Scope() })
		if i < 0 {
			i, out = len(out), append(out, ui.Scope{Name: a.Scope()})
		}
		out[i].Actions = append(out[i].Actions, a.Name())
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

var keyLives = map[string]time.Duration{"30": 30 * 24 * time.Hour, "90": 90 * 24 * time.Hour, "365": 365 * 24 * time.Hour, "0": 0}

func (s *Service) makeKey(w http.ResponseWriter, r *http.Request) error {
	life, known := keyLives[r.PostForm.Get("life")]
	if !known {
		life = keyLives["90"]
	}
	token, c, err := s.identity.MakeKey(r.Context(), request.Actor(r.Context()), r.PostForm.Get("name"), r.PostForm["scopes"], life)
	if sheet, again := page.Refused(err, r.PostForm); again {
		return s.drawNewKey(w, r, sheet.Whole("scopes"))
	}
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusCreated, ui.MadeKeyPage(c.Name, token))
}

func (s *Service) revokeKey(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[ids.Credential](r, "key", "key")
	if err != nil {
		return err
	}
	err = s.identity.RevokeKey(r.Context(), request.Actor(r.Context()), id)
	return page.Done(w, r, err, "/settings/keys", ui.T("key.revoked"))
}
