package web

import (
	"context"
	"net/http"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/trust/identity/web/ui"
	"aver/vault"
)

func (s *Service) routesOfTeam(mux module.Mux) {
	mux.Handle("GET /settings/team", users(s.showTeam))
	mux.Handle("GET /settings/team/invite", users(s.showInvite))
	mux.Handle("POST /settings/team/invite", users(s.makeInvitation))
	mux.Handle("POST /settings/invitations/{invitation}", users(s.withdrawInvitation))
	mux.Handle("GET /settings/team/{user}", users(s.showMember))
	mux.Handle("POST /settings/team/{user}/roles", users(s.saveRoles))
	mux.Handle("POST /settings/team/{user}/disable", users(s.disableMember))
	mux.Handle("POST /settings/team/{user}/enable", users(s.enableMember))
}

// user reads whom the path is about.
func user(r *http.Request) (ids.User, error) { return request.PathID[ids.User](r, "user", "user") }

func member(actor vault.Actor, u identity.User) ui.Member {
	return ui.Member{ID: u.ID.String(), Name: u.Name.Reveal(), Email: u.Email.Reveal(), Roles: roleWords(u.Roles), Since: u.CreatedAt,
		Disabled: !u.DisabledAt.IsZero(), Self: u.ID == actor.User(), Locked: !actor.Can(identity.ActSetRoles) || !identity.MayChange(actor, u)}
}

func (s *Service) showTeam(w http.ResponseWriter, r *http.Request) error {
	actor := request.Actor(r.Context())
	all, err := s.identity.List(r.Context(), actor)
	if err != nil {
		return err
	}
	view := ui.Team{MayChange: actor.Can(identity.ActInvite)}
	for _, u := range all {
		view.Members = append(view.Members, member(actor, u))
	}
	if actor.Can(identity.ActListInvitations) {
		open, err := s.identity.Invitations(r.Context(), actor)
		if err != nil {
			return err
		}
		for _, c := range open {
			view.Invitations = append(view.Invitations, ui.Pending{ID: c.ID.String(), Email: c.Email, Roles: roleWords(c.Roles), Until: c.ExpiresAt})
		}
	}
	return page.Render(w, r, http.StatusOK, ui.TeamPage(view))
}

func (s *Service) showInvite(w http.ResponseWriter, r *http.Request) error {
	return s.drawInvite(w, r, page.Sheet{})
}

func (s *Service) drawInvite(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	if !actor.Can(identity.ActInvite) {
		return errs.New(errs.Forbidden, "Your role does not allow this.")
	}
	sheet.Action = "/settings/team/invite"
	return page.Render(w, r, sheet.Status(), ui.InvitePage(ui.Invite{Sheet: sheet, Owners: actor.Has(vault.Owner), Mails: s.mailer != nil}))
}

func (s *Service) makeInvitation(w http.ResponseWriter, r *http.Request) error {
	email := strings.TrimSpace(r.PostForm.Get("email"))
	token, err := s.identity.Invite(r.Context(), request.Actor(r.Context()), email, chosenRoles(r)...)
	if sheet, again := page.Refused(err, r.PostForm); again {
		return s.drawInvite(w, r, sheet.Whole("roles"))
	}
	if err != nil {
		return err
	}
	view := ui.Invited{Email: email, Link: "https://" + r.Host + "/invite/" + token}
	if s.mailer != nil {
		view.Mailed = s.mailInvitation(r, view) == nil
		view.Fault = !view.Mailed
	}
	return page.Render(w, r, http.StatusCreated, ui.InvitedPage(view))
}

func (s *Service) mailInvitation(r *http.Request, view ui.Invited) error {
	t, err := s.identity.Workspace(r.Context(), request.Actor(r.Context()))
	if err != nil {
		return err
	}
	return s.mailer.Send(r.Context(), mail.Message{To: personal.Of(view.Email), Subject: ui.T("mail.subject", t.Name), Text: ui.T("mail.text", t.Name, view.Link)})
}

func chosenRoles(r *http.Request) []vault.Role {
	var roles []vault.Role
	for _, role := range r.PostForm["roles"] {
		roles = append(roles, vault.Role(role))
	}
	return roles
}

func (s *Service) withdrawInvitation(w http.ResponseWriter, r *http.Request) error {
	id, err := request.PathID[ids.Credential](r, "invitation", "invitation")
	if err != nil {
		return err
	}
	err = s.identity.Withdraw(r.Context(), request.Actor(r.Context()), id)
	return page.Done(w, r, err, "/settings/team", ui.T("invitation.withdrawn"))
}

func (s *Service) showMember(w http.ResponseWriter, r *http.Request) error {
	return s.drawMember(w, r, page.Sheet{})
}

func (s *Service) drawMember(w http.ResponseWriter, r *http.Request, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	id, err := user(r)
	if err != nil {
		return err
	}
	u, err := s.identity.User(r.Context(), actor, id)
	if err != nil {
		return err
	}
	sheet.Action = "/settings/team/" + u.ID.String() + "/roles"
	return page.Render(w, r, sheet.Status(), ui.MemberPage(ui.Change{Member: member(actor, u), Sheet: sheet, Owners: actor.Has(vault.Owner)}))
}

func (s *Service) saveRoles(w http.ResponseWriter, r *http.Request) error {
	id, err := user(r)
	if err != nil {
		return err
	}
	err = s.identity.SetRoles(r.Context(), request.Actor(r.Context()), id, chosenRoles(r)...)
	if sheet, again := page.Refused(err, r.PostForm); again {
		return s.drawMember(w, r, sheet.Whole("roles"))
	}
	return page.Done(w, r, err, "/settings/team", ui.T("member.saved"))
}

func (s *Service) disableMember(w http.ResponseWriter, r *http.Request) error {
	return change(w, r, s.identity.Disable, ui.T("member.was.disabled"))
}

func (s *Service) enableMember(w http.ResponseWriter, r *http.Request) error {
	return change(w, r, s.identity.Enable, ui.T("member.was.enabled"))
}

func change(w http.ResponseWriter, r *http.Request, do func(context.Context, vault.Actor, ids.User) error, words string) error {
	id, err := user(r)
	if err != nil {
		return err
	}
	return page.Done(w, r, do(r.Context(), request.Actor(r.Context()), id), "/settings/team", words)
}
