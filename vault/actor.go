package vault

import (
	"encoding/binary"
	"slices"

	"aver/base/ids"
)

// Role is what a user may be in a tenant.
type Role string

// The roles, from the one who may do all to the one who may only look at evidence.
const (
	Owner         Role = "owner"
	Administrator Role = "administrator"
	Operator      Role = "operator"
	DPO           Role = "dpo"
	Auditor       Role = "auditor"
)

// ActorKind tells what sort of caller acts.
type ActorKind uint8

// The kinds. The zero kind is nobody, and nobody may do anything.
const (
	Nobody   ActorKind = iota
	AsUser             // a person who works for the tenant
	AsKey              // a program of the tenant's, by API key
	AsPerson           // a visitor or contact
	AsSystem           // Aver itself: a job, a follower, a command on the machine
)

// Identity is what authentication found out. Mint turns it into an Actor.
type Identity struct {
	Tenant     ids.Tenant
	Kind       ActorKind
	ID         [16]byte       // user, key, contact; for the system the zero id
	Name       string         // for the system: which part acts, such as "retention"; never a person's name
	Subject    ids.Subject    // of a visitor: the person; of a user: the person behind the account
	Credential ids.Credential // the session or key that proved it
	Roles      []Role         // of a user
	Scopes     []string       // of a key
	Verified   bool           // of a visitor: proved by the tenant's signed token or a mailed code
}

// Actor is who acts, and for which tenant. The zero Actor is refused everywhere. Only trust/identity mints one, from
// authentication and never from an identifier in the request.
type Actor struct{ is Identity }

// Mint makes an Actor. floors_test.go holds that only trust/identity calls it.
func Mint(id Identity) Actor {
	id.Roles, id.Scopes = slices.Clone(id.Roles), slices.Clone(id.Scopes)
	return Actor{id}
}

// Tenant is whose data the actor works on.
func (a Actor) Tenant() ids.Tenant { return a.is.Tenant }

// Kind is what sort of caller this is.
func (a Actor) Kind() ActorKind { return a.is.Kind }

// User is the user's identifier, zero for other kinds.
func (a Actor) User() ids.User {
	if a.is.Kind != AsUser {
		return ids.User{}
	}
	return a.is.ID
}

// ID is the identifier that the journal names.
func (a Actor) ID() [16]byte { return a.is.ID }

// Subject is the person behind a visitor or a user.
func (a Actor) Subject() ids.Subject { return a.is.Subject }

// Credential is the session or key that proved who calls.
func (a Actor) Credential() ids.Credential { return a.is.Credential }

// Name is the part of Aver that acts when the system does.
func (a Actor) Name() string { return a.is.Name }

// Verified tells whether a visitor's identity was proved by the tenant's signature or by a mailed code.
func (a Actor) Verified() bool { return a.is.Verified }

// Has tells whether a user holds the role.
func (a Actor) Has(role Role) bool { return slices.Contains(a.is.Roles, role) }

// Roles lists a user's roles.
func (a Actor) Roles() []Role { return slices.Clone(a.is.Roles) }

// Scopes lists what an API key may do.
func (a Actor) Scopes() []string { return slices.Clone(a.is.Scopes) }

// Can tells whether the actor would be permitted the action: for pages that hide what would be refused.
func (a Actor) Can(action *Action) bool { return action.permits(a) }

// system is how the vault itself acts on a tenant.
func system(tenant ids.Tenant, name string) Actor {
	return Actor{Identity{Tenant: tenant, Kind: AsSystem, Name: name}}
}

// lane keeps what one actor does in order and lets different actors' changes run side by side.
func (a Actor) lane() uint32 { return binary.BigEndian.Uint32(a.is.ID[12:]) }
