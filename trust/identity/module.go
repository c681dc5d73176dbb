package identity

import (
	"aver/frame/module"
	"aver/vault"
)

// Number is this module's number among those that bring migrations.
const Number = 2

// Module is what the service brings. Its pages and operations are package web.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "identity",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{Users, Credentials, Doors, SigningKeys, Requests},
		Actions: []*vault.Action{actAuthenticate, actUse, actSignIn, actSignInFailed, actSignOut, actDoor, actIssueVisitor, actRevoke, ActInvite, actAccept,
			actListUsers, ActSetRoles, actDisable, actEnable, ActMakeKey, ActListKeys, actDropKey, actAddSigningKey, actListSigningKey,
			ActListInvitations, actWithdraw, actRename, actChangePassword, actListSessions, actEndSession, actRepeat},
	}
}
