// Package holds keeps what the law lets outlive an erasure, and nothing beside it.
//
// A hold names a person, one of the exemptions of GDPR Art. 17(3), a reason and a day on which somebody looks again; it
// covers all that is kept about the person, or single classes of data, or single conversations. An erasure destroys the
// person's key, so what is held is first copied under a key of the hold's own; releasing the hold destroys that key. The
// sweeps of retention ask Subjects whom to leave alone.
package holds

import (
	"embed"
	"slices"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 17

type hold struct{}

func (hold) Prefix() string { return "hld" }

// HoldID names a hold.
type HoldID = ids.Of[hold]

// Ground is why something may outlive an erasure: the exemptions of GDPR Art. 17(3), in its order.
type Ground string

// The grounds.
const (
	Expression      Ground = "expression"       // (a) freedom of expression and information
	LegalObligation Ground = "legal_obligation" // (b)
	PublicHealth    Ground = "public_health"    // (c)
	Archiving       Ground = "archiving"        // (d) in the public interest, research, statistics
	LegalClaims     Ground = "legal_claims"     // (e) to establish, exercise or defend them
)

// Words say on what ground something is kept, with its place in the law.
func (g Ground) Words() string {
	return map[Ground]string{
		Expression:      "for the freedom of expression and information (GDPR Art. 17(3)(a))",
		LegalObligation: "because a law requires it (GDPR Art. 17(3)(b))",
		PublicHealth:    "for public health (GDPR Art. 17(3)(c))",
		Archiving:       "for archiving in the public interest, research or statistics (GDPR Art. 17(3)(d))",
		LegalClaims:     "to establish, exercise or defend legal claims (GDPR Art. 17(3)(e))",
	}[g]
}

// Grounds lists them.
var Grounds = []Ground{Expression, LegalObligation, PublicHealth, Archiving, LegalClaims}

// Hold keeps something about a person from being erased. It names people by identifier only and outlives them.
type Hold struct {
	ID            HoldID             `vault:"id,key"`
	Contact       ids.Contact        `vault:"contact,state"` // not as a subject: the hold stays when the person is erased
	Ground        Ground             `vault:"ground,state"`
	Classes       []string           `vault:"classes,tenant:tenant.settings"`       // names of tables; empty: all
	Conversations []ids.Conversation `vault:"conversations,tenant:tenant.settings"` // empty: all
	Keeper        ids.Subject        `vault:"keeper,state"`                         // whose key seals what is held
	Author        ids.User           `vault:"author,state"`
	PlacedAt      time.Time          `vault:"placed_at,state"`
	ReviewAt      time.Time          `vault:"review_at,state"`
	ReleasedAt    time.Time          `vault:"released_at,state,keep"`
	ReleasedBy    ids.User           `vault:"released_by,state"`
}

// Narrow tells whether the hold covers only a part of what is kept about the person.
func (h Hold) Narrow() bool { return len(h.Classes)+len(h.Conversations) > 0 }

// Covers tells whether a row of a table is held. The cells are those of vault.EachRow.
func (h Hold) Covers(table string, cells []vault.Cell) bool {
	if len(h.Classes) > 0 && !slices.Contains(h.Classes, table) {
		return false
	}
	if len(h.Conversations) == 0 {
		return true
	}
	return slices.ContainsFunc(cells, func(c vault.Cell) bool {
		text, _ := c.Value.(string)
		return !c.Column.Sealed && slices.ContainsFunc(h.Conversations, func(id ids.Conversation) bool { return text == id.String() })
	})
}

// Covered says that a hold covers a person: the one it was placed on, and those merged with them.
type Covered struct {
	Contact ids.Contact `vault:"contact,key"`
	Hold    HoldID      `vault:"hold,key"`
}

// Gate lets holds be placed on a person until an erasure begins, so that none comes too late for the copy.
type Gate struct {
	Person  ids.Object `vault:"person,key"` // not as a subject: that somebody thought of a hold is not for the person's copy
	Erasing bool       `vault:"erasing,state"`
	At      time.Time  `vault:"moved_at,state,keep"`
}

// Reason is why a hold was placed, in the words of whoever did. They may be about the person, so they go with the hold.
type Reason struct {
	Hold   HoldID        `vault:"hold,key"`
	Keeper ids.Subject   `vault:"keeper,subject"`
	Text   personal.Text `vault:"reason,personal:user"`
}

// Row is a copy of a row that is held.
type Row struct {
	Hold    HoldID         `vault:"hold,key"`
	Class   string         `vault:"class,key"`
	Place   string         `vault:"place,key"` // the row's key, as text
	Keeper  ids.Subject    `vault:"keeper,subject"`
	Content personal.Bytes `vault:"content,personal:user"` // JSON object of its columns
	At      time.Time      `vault:"held_at,state"`
}

// File is a copy of a sealed file that is held.
type File struct {
	Hold     HoldID      `vault:"hold,key"`
	Original ids.Object  `vault:"original,key"` // as rows that are held name it
	Keeper   ids.Subject `vault:"keeper,subject"`
	File     ids.Object  `vault:"file,state"` // zero: the original was lost or damaged before it could be copied
	At       time.Time   `vault:"held_at,state"`
}

// The tables.
var (
	held    = vault.Purpose("keeping what the law lets outlive an erasure (GDPR Art. 17(3)), until the hold is released")
	Holds   = vault.Define[Hold]("legal_holds", held, vault.KeepFor(3*365*24*time.Hour))
	People  = vault.Define[Covered]("legal_hold_people", held, vault.KeepWhile("until the hold is released"))
	Gates   = vault.Define[Gate]("legal_hold_gates", vault.Purpose("keeping holds from coming too late for an erasure"), vault.KeepFor(3*365*24*time.Hour))
	Reasons = vault.Define[Reason]("legal_hold_reasons", held, vault.KeepWhile("until the hold is released"))
	Rows    = vault.Define[Row]("legal_hold_rows", held, vault.KeepWhile("until the hold is released"))
	Files   = vault.Define[File]("legal_hold_files", held, vault.KeepWhile("until the hold is released"))

	tables = []vault.AnyTable{Holds, People, Gates, Reasons, Rows, Files}
)

var (
	staff      = vault.Roles(vault.Owner, vault.Administrator, vault.DPO)
	actList    = vault.Act("hold.list", purpose.Duty, vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor), vault.Scope("privacy:read"), vault.System())
	actPlace   = vault.Act("hold.place", purpose.Duty, staff, vault.Scope("privacy:write"), vault.System())
	actReview  = vault.Act("hold.review", purpose.Duty, staff, vault.Scope("privacy:write"))
	actRelease = vault.Act("hold.release", purpose.Duty, staff, vault.Scope("privacy:write"), vault.System())
	actDestroy = vault.Act("hold.destroy", purpose.Duty, staff, vault.Scope("privacy:write"), vault.System())
	actKeep    = vault.Act("hold.keep", purpose.Duty, vault.System())
	actOpen    = vault.Act("hold.open", purpose.Duty, staff, vault.Scope("privacy:write"), vault.System(), vault.Reads())
)

// Linked lists a person and those merged into them, itself first; errs.NotFound when there is none.
type Linked func(tx *vault.Tx, contact ids.Contact) ([]ids.Contact, error)

// Service places and releases holds.
type Service struct {
	vault  *vault.Vault
	linked Linked
}

// New makes the service. linked is what work/contacts knows.
func New(v *vault.Vault, linked Linked) *Service { return &Service{v, linked} }

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "holds",
		Number:     Number,
		Migrations: migrations,
		Tables:     tables,
		Actions:    []*vault.Action{actList, actPlace, actReview, actRelease, actDestroy, actKeep, actOpen},
		API:        s.api,
		Routes:     s.routes,
		Classes:    map[string]module.Class{"/privacy/holds/files/": module.Download},
		Jobs:       s.jobs,
	}
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "holds") }

// Subjects lists everybody whom an active hold covers.
func Subjects(tx *vault.Tx) ([]ids.Subject, error) {
	covered, err := People.Find(tx, "ORDER BY contact, hold")
	out := make([]ids.Subject, len(covered))
	for i, c := range covered {
		out[i] = c.Contact
	}
	return slices.Compact(out), err
}

// Keepers lists in whose names active holds keep what was copied at an erasure.
func Keepers(tx *vault.Tx) ([]ids.Subject, error) {
	active, err := Holds.Find(tx, "released_at IS NULL ORDER BY id")
	out := make([]ids.Subject, len(active))
	for i, h := range active {
		out[i] = h.Keeper
	}
	return out, err
}

// Held lists the active holds that cover a person.
func Held(tx *vault.Tx, subject ids.Subject) ([]Hold, error) {
	covered, err := People.Find(tx, "contact = ? ORDER BY hold", subject)
	if err != nil {
		return nil, err
	}
	out := make([]Hold, len(covered))
	for i, c := range covered {
		if out[i], err = Holds.Get(tx, c.Hold); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Merged lets the holds on either of two people that become one cover both.
func Merged(tx *vault.Tx, a, b ids.Contact) error {
	for _, pair := range [][2]ids.Contact{{a, b}, {b, a}} {
		holds, err := Held(tx, pair[0])
		if err != nil {
			return err
		}
		for _, h := range holds {
			if err := People.Put(tx, Covered{Contact: pair[1], Hold: h.ID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Unmerged takes back what Merged did: a hold on somebody else covers neither of them any more.
func Unmerged(tx *vault.Tx, a, b ids.Contact) error {
	for _, pair := range [][2]ids.Contact{{a, b}, {b, a}} {
		holds, err := Held(tx, pair[0])
		if err != nil {
			return err
		}
		for _, h := range holds {
			if h.Contact != pair[1] {
				continue
			}
			if err := People.Delete(tx, pair[0], h.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
