// Package contacts knows the people who write to a tenant.
//
// A contact is a person: its identifier names the key under which everything about that person is sealed. What a
// visitor says about themselves is a claim and stays one; only the tenant's own signature makes an identity verified,
// and what is unverified never reaches into what is verified.
package contacts

import (
	"embed"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Role is how well a contact is known.
type Role string

// The roles, after the field's usage.
const (
	Visitor Role = "visitor" // wrote once, without a name
	Lead    Role = "lead"    // left an address
	User    Role = "user"    // known to the tenant's own site
)

// Contact is a person who writes to the tenant, or may.
type Contact struct {
	ID           ids.Contact    `vault:"id,key"`
	Role         Role           `vault:"role,state"`
	ExternalID   personal.Text  `vault:"external_id,personal:user.unique_id,lookup"` // the tenant's own name for the person
	Email        personal.Text  `vault:"email,personal:user.contact.email,lookup,search"`
	Phone        personal.Text  `vault:"phone,personal:user.contact.phone_number,lookup,search"` // E.164
	Name         personal.Text  `vault:"name,personal:user.name,search"`
	Company      personal.Text  `vault:"company,personal:user.workplace,search"`
	Language     string         `vault:"language,state"`           // BCP 47, or empty
	Attributes   personal.Bytes `vault:"attributes,personal:user"` // JSON object of the tenant's own fields
	Verified     bool           `vault:"verified,state"`           // the tenant's site signed who this is
	Basis        string         `vault:"basis,state"`              // where it came from: widget, api, import, operator
	MergedInto   ids.Contact    `vault:"merged_into,state"`        // shown with this one
	BlockedAt    time.Time      `vault:"blocked_at,state"`
	ArchivedAt   time.Time      `vault:"archived_at,state"`
	RestrictedAt time.Time      `vault:"restricted_at,state"`
	CreatedAt    time.Time      `vault:"created_at,state"`
	UpdatedAt    time.Time      `vault:"updated_at,state"`
	SeenAt       time.Time      `vault:"seen_at,state"`
}

// Change is one field of a contact that became another.
type Change struct {
	Contact ids.Contact   `vault:"contact,key,subject"`
	ID      ids.Object    `vault:"id,key"`
	Field   string        `vault:"field,state"`
	Old     personal.Text `vault:"old,personal:user"`
	New     personal.Text `vault:"new,personal:user"`
	Author  ids.User      `vault:"author,state"`
	At      time.Time     `vault:"at,state,keep"`
}

// Note is what an operator wrote down about a contact.
type Note struct {
	ID      ids.Object    `vault:"id,key"`
	Contact ids.Contact   `vault:"contact,subject"`
	Author  ids.User      `vault:"author,state"`
	Body    personal.Text `vault:"body,personal:user.content,search"`
	At      time.Time     `vault:"at,state"`
}

// The tables.
var (
	Contacts = vault.Define[Contact]("contacts", vault.Purpose("knowing who writes to us and answering them"), vault.KeepWhile("as long as the tenant wishes, or until the person is erased"))
	Changes  = vault.Define[Change]("contact_changes", vault.Purpose("showing who corrected what about a person"), vault.KeepFor(365*24*time.Hour))
	Notes    = vault.Define[Note]("contact_notes", vault.Purpose("keeping what colleagues must know to help a person"), vault.KeepWhile("as long as the contact"))
)

// Brief is what lists show of a contact.
type Brief struct {
	ID       ids.Contact
	Name     personal.Text // a name, else an address, else empty
	Email    personal.Text
	Role     Role
	Verified bool
	Blocked  bool
}

func brief(c Contact) Brief {
	name := c.Name
	if name.IsZero() {
		name = c.Email
	}
	if name.IsZero() {
		name = c.ExternalID
	}
	return Brief{ID: c.ID, Name: name, Email: c.Email, Role: c.Role, Verified: c.Verified, Blocked: !c.BlockedAt.IsZero()}
}

// Service keeps the contacts.
type Service struct{ vault *vault.Vault }

// New makes the service.
func New(v *vault.Vault) *Service { return &Service{vault: v} }

// Briefs reads what lists show of some contacts.
func (s *Service) Briefs(tx *vault.Tx, wanted []ids.Contact) (map[ids.Contact]Brief, error) {
	out := make(map[ids.Contact]Brief, len(wanted))
	for _, id := range wanted {
		if _, known := out[id]; known {
			continue
		}
		c, err := Contacts.Get(tx, id)
		if errs.Is(err, errs.NotFound) {
			continue // erased meanwhile
		}
		if err != nil {
			return nil, err
		}
		out[id] = brief(c)
	}
	return out, nil
}
