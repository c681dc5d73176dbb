// Package contacts knows the people who write to a tenant.
//
// A contact is a person: its identifier names the key under which everything about that person is sealed. What a
// visitor says about themselves is a claim and stays one; only the tenant's own signature makes an identity verified,
// and what is unverified never reaches into what is verified.
package contacts

import (
	"embed"
	"slices"
	"strings"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/work/contacts/attributes"
	"aver/work/contacts/fields"
	"aver/work/contacts/notes"
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

// Basis is how a contact came here.
type Basis string

// The ways.
const (
	FromWidget   Basis = "widget"   // the person opened the chat
	FromOperator Basis = "operator" // somebody who works for the tenant wrote it down
	FromAPI      Basis = "api"      // a program of the tenant's brought it
	FromImport   Basis = "import"   // it stood in a list that was imported
)

// Contact is a person who writes to the tenant, or may.
type Contact struct {
	ID         ids.Contact    `vault:"id,key"`
	Role       Role           `vault:"role,state"`
	ExternalID personal.Text  `vault:"external_id,personal:user.unique_id,exact"` // the tenant's own name for the person
	Email      personal.Text  `vault:"email,personal:user.contact.email,lookup,search"`
	Phone      personal.Text  `vault:"phone,personal:user.contact.phone_number,lookup,search"` // E.164
	Name       personal.Text  `vault:"name,personal:user.name,search"`
	Company    personal.Text  `vault:"company,personal:user.workplace,search"`
	Language   string         `vault:"language,state"`           // BCP 47, or empty
	Attributes personal.Bytes `vault:"attributes,personal:user"` // JSON object of the tenant's own fields, see attributes.Values
	Verified   bool           `vault:"verified,state"`           // the tenant's site signed who this is
	Basis      Basis          `vault:"basis,state"`
	MergedInto ids.Contact    `vault:"merged_into,state"` // shown with this one
	BlockedAt  time.Time      `vault:"blocked_at,state"`
	ArchivedAt time.Time      `vault:"archived_at,state"`
	CreatedAt  time.Time      `vault:"created_at,state"`
	UpdatedAt  time.Time      `vault:"updated_at,state"`
	SeenAt     time.Time      `vault:"seen_at,state"`
}

// Change is one field of a contact that became another.
type Change struct {
	Contact ids.Contact   `vault:"contact,key,subject"`
	ID      ids.Object    `vault:"id,key"`
	Field   string        `vault:"field,state"`
	Old     personal.Text `vault:"old,personal:user"`
	New     personal.Text `vault:"new,personal:user"`
	Author  ids.User      `vault:"author,state"`
	Request string        `vault:"request,state"` // the privacy request (req_…) that asked for it, if one did
	At      time.Time     `vault:"at,state,keep"`
}

// Merging is one act of merging and, later, of undoing it.
type Merging struct {
	Contact  ids.Contact   `vault:"contact,key,subject"` // who is shown with the other
	ID       ids.Object    `vault:"id,key"`
	Into     ids.Contact   `vault:"into_contact,state"`
	Author   ids.User      `vault:"author,state"`
	Reason   personal.Text `vault:"reason,personal:user.content"`
	At       time.Time     `vault:"at,state"`
	UndoneAt time.Time     `vault:"undone_at,state"`
	UndoneBy ids.User      `vault:"undone_by,state"`
}

type (
	tag     struct{}
	segment struct{}
)

func (tag) Prefix() string     { return "tag" }
func (segment) Prefix() string { return "seg" }

type (
	// TagID names a label.
	TagID = ids.Of[tag]
	// SegmentID names a segment.
	SegmentID = ids.Of[segment]
)

// Tag is a label that the tenant puts on people.
type Tag struct {
	ID        TagID     `vault:"id,key"`
	Name      string    `vault:"name,tenant:tenant.content,lookup"`
	Hue       int       `vault:"hue,state"` // 0 (grey) to 8
	CreatedAt time.Time `vault:"created_at,state"`
}

// Tagging says that a contact carries a label.
type Tagging struct {
	Contact ids.Contact `vault:"contact,key,subject"`
	Tag     TagID       `vault:"tag,key"`
	At      time.Time   `vault:"at,state"`
}

// Segment is a filter under a name.
type Segment struct {
	ID        SegmentID `vault:"id,key"`
	Name      string    `vault:"name,tenant:tenant.content,lookup"`
	Rule      Rule      `vault:"rule,tenant:tenant.settings"`
	CreatedAt time.Time `vault:"created_at,state"`
}

// The tables.
var (
	knowing  = vault.Purpose("knowing who writes to us and answering them")
	Contacts = vault.Define[Contact]("contacts", knowing, vault.KeepWhile("as long as the tenant wishes, or until the person is erased"))
	Changes  = vault.Define[Change]("contact_changes", vault.Purpose("showing who corrected what about a person"), vault.KeepFor(365*24*time.Hour))
	Mergings = vault.Define[Merging]("contact_merges", vault.Purpose("showing which entries are one person, and undoing that"), vault.KeepWhile("as long as the contact"))
	Tags     = vault.Define[Tag]("contact_tags", knowing, vault.KeepWhile("until the tenant removes it"))
	Taggings = vault.Define[Tagging]("contact_taggings", knowing, vault.KeepWhile("as long as the contact"))
	Segments = vault.Define[Segment]("contact_segments", knowing, vault.KeepWhile("until the tenant removes it"))

	tables = []vault.AnyTable{Contacts, Changes, notes.Table, Mergings, Tags, Taggings, Segments, attributes.Table, fields.Table}
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

// Shown is the word for a contact in lists: a name, else an address or number, else what the tenant's site calls it.
func (c Contact) Shown() personal.Text {
	for _, text := range []personal.Text{c.Name, c.Email, c.Phone} {
		if !text.IsZero() {
			return text
		}
	}
	return c.ExternalID
}

// Service keeps the contacts.
type Service struct {
	Attributes *attributes.Service
	Notes      *notes.Service
	vault      *vault.Vault
	timelines  []Timeline
}

// New makes the service.
func New(v *vault.Vault) *Service {
	return &Service{Attributes: attributes.New(v), Notes: notes.New(v, actView, present), vault: v}
}

// Briefs reads what lists show of some contacts, a hundred with each query. A merged contact has the name of the one it
// is shown with; an erased one is left out.
func (s *Service) Briefs(tx *vault.Tx, wanted []ids.Contact) (map[ids.Contact]Brief, error) {
	found, err := many(tx, wanted)
	if err != nil {
		return nil, err
	}
	var winners []ids.Contact
	for _, c := range found {
		if !c.MergedInto.IsZero() {
			winners = append(winners, c.MergedInto)
		}
	}
	into, err := many(tx, winners)
	if err != nil {
		return nil, err
	}
	out := make(map[ids.Contact]Brief, len(found))
	for id, c := range found {
		shown := c
		if winner, ok := into[c.MergedInto]; ok {
			shown = winner
		}
		out[id] = Brief{ID: id, Name: shown.Shown(), Email: shown.Email, Role: shown.Role, Verified: shown.Verified, Blocked: !c.BlockedAt.IsZero()}
	}
	return out, nil
}

// atOnce is how many identifiers one query names.
const atOnce = 100

var (
	marks      = strings.TrimSuffix(strings.Repeat("?, ", atOnce), ", ")
	byID       = "id IN (" + marks + ")"
	tagsOfMany = "contact IN (" + marks + ") ORDER BY contact, at LIMIT 2000"
)

// repeated fills a query's places: the last identifier stands in the rest of them.
func repeated(part []ids.Contact) []any {
	args := make([]any, atOnce)
	for i := range args {
		args[i] = part[min(i, len(part)-1)]
	}
	return args
}

func many(tx *vault.Tx, wanted []ids.Contact) (map[ids.Contact]Contact, error) {
	out := make(map[ids.Contact]Contact, len(wanted))
	for part := range slices.Chunk(wanted, atOnce) {
		list, err := Contacts.Find(tx, byID, repeated(part)...)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			out[c.ID] = c
		}
	}
	return out, nil
}
