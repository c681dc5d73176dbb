// Package restriction keeps what people have closed: the processing of their data as a whole (GDPR Art. 18), a purpose
// they object to (Art. 21), decisions by a program alone (Art. 22), the sale or sharing of their data and the use of what
// is sensitive (Cal. Civ. Code §§ 1798.120, 1798.121).
//
// The vault holds actions to it, see package vault/purpose; nobody has to ask here before doing something. What was
// placed and lifted stays on record with the person. Whoever is shown as one person is limited as one.
package restriction

import (
	"context"
	"embed"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 21

// Kind is what a person has closed.
type Kind = purpose.Kind

// The kinds.
const (
	Restrict            = purpose.Restrict
	Object              = purpose.Object
	NoAutomatedDecision = purpose.NoAutomatedDecision
	OptOutSale          = purpose.OptOutSale
	LimitSensitive      = purpose.LimitSensitive
)

// How tells by whom a limit was placed or lifted.
type How string

// The ways.
const (
	ByPerson   How = "person"   // by themselves
	ByBrowser  How = "browser"  // their browser sent Global Privacy Control
	ByOperator How = "operator" // somebody who works for the tenant
	ByProgram  How = "program"  // the tenant's program, by API
	ByRequest  How = "request"  // a request of the person's that was carried out
)

// Limit is something that a person has closed and that stands.
type Limit struct {
	Kind    Kind
	Purpose string // of an objection: which, or purpose.All; of a restriction: the ground of Art. 18(2) on which something goes on, or purpose.All
	Since   time.Time

	Announced time.Time // of a restriction: when its end was announced; zero where it was not
	Opens     time.Time // when it ends; zero until the person was told
	Untold    bool      // nobody can tell them by mail
}

// Record is one act of placing or lifting. Records are only ever added.
type Record struct {
	Contact ids.Contact   `vault:"contact,key,subject"`
	ID      ids.Object    `vault:"id,key"`
	Kind    Kind          `vault:"kind,state"`
	Purpose string        `vault:"purpose,state"`
	Placed  bool          `vault:"placed,state"`
	How     How           `vault:"how,state"`
	Why     personal.Text `vault:"why,personal:user.content"` // of an exception from a restriction
	At      time.Time     `vault:"made_at,state"`
}

// Records is the history.
var Records = vault.Define[Record]("limit_records", vault.Purpose("proving what a person has closed to us and when"), vault.KeepWhile("as long as the person's data: the proof that it is not used otherwise (GDPR Art. 5(2))"))

// What can be done. Nobody can object to that.
var (
	keepers = vault.Roles(vault.Owner, vault.Administrator, vault.DPO)
	actRead = vault.Act("restriction.read", purpose.Own, vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO), vault.System(), vault.Scope("contacts:read"))
	actSet  = vault.Act("restriction.set", purpose.Own, vault.Roles(vault.Owner, vault.Administrator, vault.Operator, vault.DPO), vault.Visitors(), vault.System(), vault.Scope("contacts:write"))
	actLift = vault.Act("restriction.lift", purpose.Own, keepers, vault.System(), vault.Scope("contacts:write"))
)

// Linked tells which contacts are shown as one with a contact, itself among them.
type Linked func(tx *vault.Tx, contact ids.Contact) ([]ids.Contact, error)

// Service keeps the limits.
type Service struct {
	Mail   Mailer // nil where there is no relay: then nobody is told by mail
	Letter Letter

	vault  *vault.Vault
	linked Linked
	queue  *jobs.Jobs
}

// New makes the service.
func New(v *vault.Vault, linked Linked) *Service { return &Service{vault: v, linked: linked} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "restriction", Number: Number, Migrations: migrations, Tables: []vault.AnyTable{Records, Liftings},
		Actions: []*vault.Action{actRead, actSet, actLift, actExcept, actAnnounce, actTell, actLiftTold}, API: s.api, Routes: s.routes, Jobs: s.jobs}
}

// Set closes something for a person, and for whoever is shown as one with them. An objection names the purpose that is
// objected to; a restriction may name what of Art. 18(2) goes on all the same, unless it stands already (see Except); an empty
// purpose is every one, and none for a restriction. What stands already changes nothing. It is errs.NotFound for somebody who
// does not exist.
func (s *Service) Set(ctx context.Context, actor vault.Actor, contact ids.Contact, kind Kind, name string) error {
	return s.set(ctx, actor, contact, kind, name, howOf(actor))
}

func (s *Service) set(ctx context.Context, actor vault.Actor, contact ids.Contact, kind Kind, name string, how How) error {
	name, err := s.check(ctx, actor, contact, kind, name)
	if err != nil {
		return err
	}
	return s.vault.Do(ctx, actor, actSet, func(tx *vault.Tx) error {
		return s.each(tx, contact, func(person ids.Contact) error { return place(tx, person, kind, name, how) })
	})
}

// Lift opens it again; of a restriction it announces that, see Lifting. What does not stand changes nothing.
func (s *Service) Lift(ctx context.Context, actor vault.Actor, contact ids.Contact, kind Kind, name string) error {
	name, err := s.check(ctx, actor, contact, kind, name)
	if err != nil {
		return err
	}
	if kind == Restrict {
		return s.announce(ctx, actor, contact)
	}
	return s.open(ctx, actor, actLift, contact, kind, name)
}

func (s *Service) open(ctx context.Context, actor vault.Actor, action *vault.Action, contact ids.Contact, kind Kind, name string) error {
	return s.vault.Do(ctx, actor, action, func(tx *vault.Tx) error {
		return s.each(tx, contact, func(person ids.Contact) error { return lift(tx, person, kind, name, howOf(actor)) })
	})
}

func howOf(actor vault.Actor) How {
	switch actor.Kind() {
	case vault.AsUser:
		return ByOperator
	case vault.AsKey:
		return ByProgram
	case vault.AsPerson:
		return ByPerson
	default:
		return ByRequest
	}
}

var errUnknown = errs.New(errs.NotFound, "There is no such person.")

// check refuses what cannot be closed, and people who are not there: a visitor is told of others what they are told of
// nobody. It returns the purpose as it is stored.
func (s *Service) check(ctx context.Context, actor vault.Actor, contact ids.Contact, kind Kind, name string) (string, error) {
	if actor.Kind() == vault.AsPerson && (actor.Subject() != contact || kind == Restrict) {
		return "", errUnknown
	}
	if has, err := s.vault.HasKey(ctx, actor, contact); err != nil || !has {
		return "", orUnknown(err)
	}
	bad := func(field, code, message string) (string, error) {
		return "", errs.New(errs.Invalid, "This cannot be closed like that.", errs.Field{Field: field, Code: code, Message: message})
	}
	switch {
	case !known(kind):
		return bad("kind", "unknown", "Choose one of restrict, object, no_automated_decision, opt_out_sale and limit_sensitive.")
	case name == "" || name == purpose.All:
		return purpose.All, nil
	case kind == Restrict && !purpose.Exception(name):
		return bad("purpose", "unknown", "Only legal_claims, protection and public_interest may go on in spite of a restriction (GDPR Art. 18(2)).")
	case kind == Object && !purpose.Valid(name):
		return bad("purpose", "malformed", "A purpose is a word in lower-case letters.")
	case kind == Object && purpose.Of(name).Owed != "":
		return bad("purpose", "owed", "Nobody can object to this: "+purpose.Of(name).Owed+".")
	case kind != Restrict && kind != Object:
		return bad("purpose", "not-needed", "This is closed for every purpose.")
	}
	return name, nil
}

func orUnknown(err error) error {
	if err != nil {
		return err
	}
	return errUnknown
}

func known(kind Kind) bool {
	for _, k := range purpose.Limits {
		if k == kind {
			return true
		}
	}
	return false
}

// each does it for the person and for whoever is shown as one with them, whichever of them was named.
func (s *Service) each(tx *vault.Tx, contact ids.Contact, do func(ids.Contact) error) error {
	all, err := s.linked(tx, contact)
	if err != nil {
		return err
	}
	for _, person := range all {
		if err := do(person); err != nil {
			return err
		}
	}
	return nil
}

// place writes a limit that does not stand yet. A restriction is stored for every purpose; a ground of Art. 18(2) opens
// its own again, and closes nothing: where the restriction stands, Except makes it.
func place(tx *vault.Tx, person ids.Contact, kind Kind, name string, how How) error {
	fresh, stood := false, false
	rows := []vault.Standing{{Person: person, Kind: kind, Purpose: name, Since: tx.Now()}}
	if kind == Restrict {
		rows[0].Purpose = purpose.All
		if name != purpose.All {
			rows = append(rows, vault.Standing{Person: person, Kind: purpose.Excepted, Purpose: name, Since: tx.Now()})
		}
	}
	for _, row := range rows {
		_, err := vault.Standings.Get(tx, row.Person, row.Kind, row.Purpose)
		switch {
		case err == nil:
			stood = true
		case errs.Is(err, errs.NotFound) && row.Kind == purpose.Excepted && stood:
			return errStands
		case errs.Is(err, errs.NotFound):
			fresh, err = true, vault.Standings.Put(tx, row)
		}
		if err != nil {
			return err
		}
	}
	if err := withdraw(tx, person, kind); err != nil || !fresh {
		return err
	}
	return record(tx, Record{Contact: person, Kind: kind, Purpose: name, Placed: true, How: how})
}

func lift(tx *vault.Tx, person ids.Contact, kind Kind, name string, how How) error {
	if kind == Restrict {
		if _, err := vault.Standings.DeleteWhere(tx, "person = ? AND kind = ?", person, string(purpose.Excepted)); err != nil {
			return err
		}
		name = purpose.All
	}
	n, err := vault.Standings.DeleteWhere(tx, "person = ? AND kind = ? AND purpose = ?", person, string(kind), name)
	if err == nil {
		err = withdraw(tx, person, kind) // after that an announcement that is made just then waits for
	}
	if err != nil || n == 0 {
		return err
	}
	return record(tx, Record{Contact: person, Kind: kind, Purpose: name, How: how})
}

// told is what happened, as an event.
var told = map[Kind][2]string{
	Restrict:            {"contact.unrestricted", "contact.restricted"},
	Object:              {"contact.objection_lifted", "contact.objected"},
	NoAutomatedDecision: {"contact.opted_in", "contact.opted_out"},
	OptOutSale:          {"contact.opted_in", "contact.opted_out"},
	LimitSensitive:      {"contact.opted_in", "contact.opted_out"},
}

func record(tx *vault.Tx, r Record) error {
	r.ID, r.At = ids.NewObject(tx.Now()), tx.Now()
	event := told[r.Kind][0]
	if r.Placed {
		event = told[r.Kind][1]
	}
	tx.Emit(vault.Event{Kind: event, Object: r.Contact.String(), Subject: r.Contact}, nil)
	return Records.Add(tx, r)
}

// Of reads what a person has closed, in the caller's transaction.
func Of(tx *vault.Tx, contact ids.Contact) ([]Limit, error) {
	rows, err := vault.Standings.Find(tx, "person = ? ORDER BY since, kind, purpose LIMIT 100", contact)
	var out []Limit
	for _, r := range rows {
		if !known(r.Kind) && r.Kind != purpose.Excepted {
			continue
		}
		l := Limit{Kind: r.Kind, Purpose: r.Purpose, Since: r.Since}
		if r.Kind == Restrict {
			end, err := Liftings.Get(tx, contact)
			if ignoreAbsent(err) != nil {
				return nil, err
			}
			l.Announced, l.Opens, l.Untold = end.AnnouncedAt, end.OpensAt, end.untold()
		}
		out = append(out, l)
	}
	return out, err
}

// Withheld tells whether a restriction keeps a person from those who work here and act for the purpose: for news that go to
// all of them.
func Withheld(tx *vault.Tx, contact ids.Contact, name string) (bool, error) {
	restricted, err := vault.Standings.Count(tx, "person = ? AND kind = ?", contact, string(Restrict))
	if err != nil || restricted == 0 {
		return false, err
	}
	opened, err := vault.Standings.Count(tx, "person = ? AND kind IN (?, ?) AND purpose = ?", contact, string(purpose.Granted), string(purpose.Excepted), name)
	return opened == 0, err
}

// List reads what a person has closed, and History the acts by which they did, newest first.
func (s *Service) List(ctx context.Context, actor vault.Actor, contact ids.Contact) (list []Limit, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		list, err = Of(tx, contact)
		return err
	})
	return list, err
}

// History lists the acts, newest first.
func (s *Service) History(ctx context.Context, actor vault.Actor, contact ids.Contact) (all []Record, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		all, err = Records.Find(tx, "contact = ? ORDER BY id DESC LIMIT 200", contact)
		return err
	})
	return all, err
}
