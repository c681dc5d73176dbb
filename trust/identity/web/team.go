package web

import (
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

var noUser = errs.New(errs.NotFound, "There is no such person in this workspace.")

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
	return s.drawInvite(w, r, http.StatusOK, page.Sheet{})
}

func (s *Service) drawInvite(w http.ResponseWriter, r *http.Request, status int, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	if !actor.Can(identity.ActInvite) {
		return errs.New(errs.Forbidden, "Your role does not allow this.")
	}
	sheet.Action = "/settings/team/invite"
	return page.Render(w, r, status, ui.InvitePage(ui.Invite{Sheet: sheet, Owners: actor.Has(vault.Owner), Mails: s.mailer != nil}))
}

func (s *Service) makeInvitation(w http.ResponseWriter, r *http.Request) error {
	email := strings.TrimSpace(r.PostForm.Get("email"))
	token, err := s.identity.Invite(r.Context(), request.Actor(r.Context()), email, chosenRoles(r)...)
	if p := errs.AsProblem(err); len(p.Errors) > 0 {
		return s.drawInvite(w, r, p.Status, page.Sheet{Errors: whole(p.Errors), Sent: r.PostForm})
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
	id, err := ids.ParseCredential(r.PathValue("invitation"))
	if err != nil {
		return errs.New(errs.NotFound, "There is no such invitation.")
	}
	if err := s.identity.Withdraw(r.Context(), request.Actor(r.Context()), id); err != nil {
		return err
	}
	page.Redirect(w, r, "/settings/team", ui.T("invitation.withdrawn"))
	return nil
}

func (s *Service) showMember(w http.ResponseWriter, r *http.Request) error {
	return s.drawMember(w, r, http.StatusOK, page.Sheet{})
}

func (s *Service) drawMember(w http.ResponseWriter, r *http.Request, status int, sheet page.Sheet) error {
	actor := request.Actor(r.Context())
	id, err := ids.ParseUser(r.PathValue("user"))
	if err != nil {
		return noUser
	}
	u, err := s.identity.User(r.Context(), actor, id)
	if err != nil {
		return err
	}
	sheet.Action = "/settings/team/" + u.ID.String() + "/roles"
	return page.Render(w, r, status, ui.MemberPage(ui.Change{Member: member(actor, u), Sheet: sheet, Owners: actor.Has(vault.Owner)}))
}

func (s *Service) saveRoles(w http.ResponseWriter, r *http.Request) error {
	id, err := ids.ParseUser(r.PathValue("user"))
	if err != nil {
		return noUser
	}
	err = s.identity.SetRoles(r.Context(), request.Actor(r.Context()), id, chosenRoles(r)...)
	if p := errs.AsProblem(err); len(p.Errors) > 0 {
		return s.drawMember(w, r, p.Status, page.Sheet{Errors: whole(p.Errors), Sent: r.PostForm})
	}
	if err != nil {
		return err
	}
	page.Redirect(w, r, "/settings/team", ui.T("member.saved"))
	return nil
}

func (s *Service) disableMember(w http.ResponseWriter, r *http.Request) error {
	id, err := ids.ParseUser(r.PathValue("user"))
	if err != nil {
		return noUser
	}
	if err := s.identity.Disable(r.Context(), request.Actor(r.Context()), id); err != nil {
		return err
	}
	page.Redirect(w, r, "/settings/team", ui.T("member.was.disabled"))
	return nil
}

func (s *Service) enableMember(w http.ResponseWriter, r *http.Request) error {
	id, err := ids.ParseUser(r.PathValue("user"))
	if err != nil {
		return noUser
	}
	if err := s.identity.Enable(r.Context(), request.Actor(r.Context()), id); err != nil {
		return err
	}
	page.Redirect(w, r, "/settings/team", ui.T("member.was.enabled"))
	return nil
}
