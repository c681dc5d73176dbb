package ids

type (
	tenant       struct{}
	subject      struct{}
	user         struct{}
	conversation struct{}
	credential   struct{}
	object       struct{}
)

func (tenant) Prefix() string       { return "ten" }
func (subject) Prefix() string      { return "con" }
func (user) Prefix() string         { return "usr" }
func (conversation) Prefix() string { return "cnv" }
func (credential) Prefix() string   { return "crd" }
func (object) Prefix() string       { return "obj" }

type (
	// Tenant names a business that uses the installation.
	Tenant = Of[tenant]
	// Subject names a person data is about. A contact is a subject, and so is an operator.
	Subject = Of[subject]
	// Contact is the product's word for a subject who writes to a tenant.
	Contact = Of[subject]
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
