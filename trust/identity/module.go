package identity

import (
	"aver/frame/module"
	"aver/trust/identity/ui"
	"aver/vault"
)

// Number is this module's number among those that bring migrations.
const Number = 2

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "identity",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{Users, Credentials, Doors, SigningKeys, Attempts},
		API:        s.api,
		Routes:     s.routes,
		Classes:    map[string]module.Class{"/login": module.SignIn, "/setup/": module.SignIn, "/invite/": module.SignIn},
		Settings: []module.Link{
			{Path: "/settings/profile", Title: ui.T("profile"), About: ui.T("profile.about")},
			{Path: "/settings/team", Title: ui.T("team"), About: ui.T("team.about")},
			{Path: "/settings/roles", Title: ui.T("rights"), About: ui.T("rights.about")},
			{Path: "/settings/keys", Title: ui.T("keys"), About: ui.T("keys.about"), For: actListKeys},
		},
		Actions: []*vault.Action{actAuthenticate, actUse, actSignIn, actSignInFailed, actSignOut, actDoor, actIssueVisitor, actRevoke, actInvite, actAccept,
			actListUsers, actSetRoles, actDisable, actEnable, actMakeKey, actListKeys, actDropKey, actAddSigningKey, actListSigningKey,
			actListInvitations, actWithdraw, actRename, actChangePassword, actListSessions, actEndSession, actRepeat},
	}
}
