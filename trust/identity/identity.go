// Package identity finds out who calls, and is the only one to mint an Actor.
//
// Users sign in with a password and hold a session cookie; programs present an API key; visitors present a token that
// the widget was given. Each is 256 random bits of which only the SHA-256 is stored. The tenant's name inside a token
// says where to look and nothing more: a token counts only if its hash is found there.
package identity

import (
	"context"
	"embed"
	"strings"
	"sync"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// User is somebody who works for a tenant.
type User struct {
	ID         ids.User       `vault:"id,key"`
	Person     ids.Subject    `vault:"person,subject"`
	Email      personal.Text  `vault:"email,personal:user.contact.email,lookup"`
	Name       personal.Text  `vault:"name,personal:user.name"`
	Roles      string         `vault:"roles,state"` // separated by commas
	Password   personal.Bytes `vault:"password,secret"`
	Failures   int            `vault:"failures,state"`                        // wrong passwords in a row, from wherever
	WaitUntil  time.Time      `vault:"wait_until,state"`                      // nobody's password is looked at before
	Strikes    []strike       `vault:"strikes,tenant:user.device.ip_address"` // wrong passwords by network, the latest last
	CreatedAt  time.Time      `vault:"created_at,state"`
	DisabledAt time.Time      `vault:"disabled_at,state"`
}

// HasRole tells whether the user holds the role.
func (u User) HasRole(role vault.Role) bool {
	for _, r := range RolesOf(u.Roles) {
		if r == role {
			return true
		}
	}
	return false
}

// Kind of a credential; it is the second and third letter of the token.
type Kind string

// The kinds.
const (
	Session    Kind = "s" // a user's, in the cookie
	Visitor    Kind = "v" // a visitor's, in the widget
	Key        Kind = "k" // a program's
	Invitation Kind = "i" // to set a password and come in
)

// Credential is something that proves who calls. Only its hash is kept.
type Credential struct {
	Hash      string         `vault:"hash,key"` // SHA-256 of the token, in hex
	ID        ids.Credential `vault:"id,state"`
	Kind      Kind           `vault:"kind,state"`
	User      ids.User       `vault:"account,state"`
	Person    ids.Subject    `vault:"person,subject"`
	Maker     ids.User       `vault:"maker,state"`                 // who made an API key or an invitation; it lasts no longer than their right to
	Name      string         `vault:"name,tenant:tenant.settings"` // what the tenant calls an API key
	Scopes    []string       `vault:"scopes,tenant:tenant.settings"`
	Roles     string         `vault:"roles,state"`                     // of an invitation
	Email     string         `vault:"email,tenant:user.contact.email"` // of an invitation, until it is used or expires
	Verified  bool           `vault:"verified,state"`
	Device    personal.Text  `vault:"device,personal:user.device"` // of a session: "Firefox on Linux"
	CreatedAt time.Time      `vault:"created_at,state"`
	UsedAt    time.Time      `vault:"used_at,state,keep"`
	ExpiresAt time.Time      `vault:"expires_at,state"`
}

// Door is a line of the installation's directory: in which workspaces an address may sign in.
type Door struct {
	ID        ids.Object `vault:"id,key"`
	Email     string     `vault:"email,tenant:user.contact.email,lookup"`
	Workspace ids.Tenant `vault:"workspace,state"`
	User      ids.User   `vault:"account,state"`
}

// SigningKey is a key with which the tenant's own site signs who its visitors are.
type SigningKey struct {
	ID        string         `vault:"id,key"`          // the kid
	Algorithm string         `vault:"algorithm,state"` // HS256 or EdDSA
	Material  personal.Bytes `vault:"material,secret"` // shared secret, or public key of 32 bytes
	CreatedAt time.Time      `vault:"created_at,state"`
}

// The tables.
var (
	Users       = vault.Define[User]("users", vault.Purpose("letting people who work here sign in"), vault.KeepWhile("as long as the account"))
	Credentials = vault.Define[Credential]("credentials", vault.Purpose("proving who calls"), vault.KeepFor(90*24*time.Hour))
	Doors       = vault.Define[Door]("doors", vault.Purpose("finding the workspace of somebody who signs in"), vault.KeepWhile("as long as the account"))
	SigningKeys = vault.Define[SigningKey]("signing_keys", vault.Purpose("checking who the tenant's site says its visitors are"), vault.KeepWhile("until the tenant removes it"))
)

// Service knows who calls.
type Service struct {
	vault  *vault.Vault
	hashes hasher

	modules []module.Module // all of them, for the pages that list what there is
	actions []*vault.Action

	mu      sync.RWMutex
	revoked []func(tenant ids.Tenant, credential ids.Credential, person ids.Subject)
	changed []func(tenant ids.Tenant, person ids.Subject)
}

// New makes the service.
func New(v *vault.Vault) *Service { return &Service{vault: v, hashes: newHasher()} }

// Compose tells the service what the product consists of: the settings it lists, and the actions that roles and scopes
// permit. It is called once, before anybody is served.
func (s *Service) Compose(modules []module.Module) {
	s.modules, s.actions = modules, nil
	for _, m := range modules {
		s.actions = append(s.actions, m.Actions...)
	}
}

// Modules are those that Compose was told.
func (s *Service) Modules() []module.Module { return s.modules }

// Actions are those of all modules.
func (s *Service) Actions() []*vault.Action { return s.actions }

// System is Aver itself acting on a tenant: a job, a follower, a command typed on the machine. part says which.
func System(tenant ids.Tenant, part string) vault.Actor {
	return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsSystem, Name: part})
}

func userActor(tenant ids.Tenant, u User, credential ids.Credential) vault.Actor {
	return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsUser, ID: u.ID, Subject: u.Person, Credential: credential, Roles: RolesOf(u.Roles)})
}

// RolesOf reads a stored list of roles.
func RolesOf(list string) []vault.Role {
	var out []vault.Role
	for _, r := range strings.Split(list, ",") {
		if r != "" {
			out = append(out, vault.Role(r))
		}
	}
	return out
}

// OnRevoked calls the listener when a credential, or all of a person's (credential zero), stop counting: sockets that
// were opened with them must be cut.
func (s *Service) OnRevoked(listener func(tenant ids.Tenant, credential ids.Credential, person ids.Subject)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = append(s.revoked, listener)
}

func (s *Service) tellRevoked(tenant ids.Tenant, credential ids.Credential, person ids.Subject) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, listener := range s.revoked {
		listener(tenant, credential, person)
	}
}

func (s *Service) tellEnded(tenant ids.Tenant, keys []ids.Credential) {
	for _, key := range keys {
		s.tellRevoked(tenant, key, ids.Subject{})
	}
}

// OnRightsChanged calls the listener when a user's roles change: sockets that still hold the old ones must come back.
func (s *Service) OnRightsChanged(listener func(tenant ids.Tenant, person ids.Subject)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = append(s.changed, listener)
}

func (s *Service) tellChanged(tenant ids.Tenant, person ids.Subject) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, listener := range s.changed {
		listener(tenant, person)
	}
}

// Names maps users to their names, for lists.
func Names(tx *vault.Tx) (map[ids.User]personal.Text, error) {
	all, err := Users.Find(tx, "ORDER BY id LIMIT 1000")
	names := make(map[ids.User]personal.Text, len(all))
	for _, u := range all {
		names[u.ID] = u.Name
	}
	return names, err
}

var (
	actAuthenticate = vault.Act("identity.authenticate", purpose.Security, vault.System())
	actUse          = vault.Act("credential.use", purpose.Security, vault.System())
	actSignIn       = vault.Act("user.sign_in", purpose.Security, vault.System())
	actSignInFailed = vault.Act("admin_login_failure", purpose.Security, vault.System())
	actSignOut      = vault.Act("user.sign_out", purpose.Security, vault.Everyone(), vault.System())
	actDoor         = vault.Act("door.write", purpose.Security, vault.System())
)

func (s *Service) read(ctx context.Context, tenant ids.Tenant, fn func(*vault.Tx) error) error {
	return s.vault.View(ctx, System(tenant, "identity"), actAuthenticate, fn)
}
