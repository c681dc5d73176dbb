package ids

import "time"

type (
	tenant       struct{}
	contact      struct{}
	user         struct{}
	conversation struct{}
	credential   struct{}
	object       struct{}
)

func (tenant) Prefix() string       { return "ten" }
func (contact) Prefix() string      { return "con" }
func (user) Prefix() string         { return "usr" }
func (conversation) Prefix() string { return "cnv" }
func (credential) Prefix() string   { return "crd" }
func (object) Prefix() string       { return "obj" }

type (
	// Tenant names a business that uses the installation.
	Tenant = Of[tenant]
	// Subject names a person data is about. A contact is a subject, and so is an operator.
	Subject = Of[contact]
	// Contact is the product's word for a subject who writes to a tenant.
	Contact = Of[contact]
	// User names a person who works for a tenant. A user's own data is sealed under the subject of the same bytes.
	User = Of[user]
	// Conversation names an exchange between a contact and a tenant.
	Conversation = Of[conversation]
	// Credential names something that proves who calls: a session, an API key, an invitation.
	Credential = Of[credential]
	// Object names a thing that needs no type of its own outside its module. Modules with identifiers that people
	// or programs see declare a kind of their own.
	Object = Of[object]
)

// Installation is the tenant that stands for the installation itself: its directory of tenants, its log, its claims.
var Installation = Tenant{15: 1}

// NewTenant makes a tenant's identifier.
func NewTenant(now time.Time) Tenant { return New[tenant](now) }

// NewSubject makes a person's identifier.
func NewSubject(now time.Time) Subject { return New[contact](now) }

// NewUser makes a user's identifier.
func NewUser(now time.Time) User { return New[user](now) }

// NewConversation makes a conversation's identifier.
func NewConversation(now time.Time) Conversation { return New[conversation](now) }

// NewCredential makes a credential's identifier.
func NewCredential(now time.Time) Credential { return New[credential](now) }

// NewObject makes an identifier without a kind of its own.
func NewObject(now time.Time) Object { return New[object](now) }

// ParseTenant reads a tenant's identifier.
func ParseTenant(s string) (Tenant, error) { return Parse[tenant](s) }

// ParseSubject reads a person's identifier.
func ParseSubject(s string) (Subject, error) { return Parse[contact](s) }

// ParseConversation reads a conversation's identifier.
func ParseConversation(s string) (Conversation, error) { return Parse[conversation](s) }

// ParseCredential reads a credential's identifier.
func ParseCredential(s string) (Credential, error) { return Parse[credential](s) }

// ParseObject reads an identifier without a kind of its own.
func ParseObject(s string) (Object, error) { return Parse[object](s) }
