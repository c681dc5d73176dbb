package identity

import (
	"aver/frame/module"
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
		Tables:     []vault.AnyTable{Users, Credentials, Doors, SigningKeys},
		Routes:     s.routesToComeIn,
		Classes:    map[string]module.Class{"/login": module.SignIn, "/setup/": module.SignIn, "/invite/": module.SignIn},
		Actions: []*vault.Action{actAuthenticate, actUse, actSignIn, actSignInFailed, actSignOut, actDoor, actIssueVisitor, actRevoke, actInvite, actAccept,
			actListUsers, actSetRoles, actDisable, actEnable, actMakeKey, actListKeys, actDropKey, actAddSigningKey, actListSigningKey},
	}
}
