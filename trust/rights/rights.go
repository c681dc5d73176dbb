// Package rights answers people who ask what is kept about them and who want it gone.
//
// A copy is put together from the vault's catalogue alone, so a new table is part of it by being declared; so is an
// erasure. Whoever asks from outside proves who they are by a code mailed to the address that is on file, never to one
// that was typed in. Operators work through the same requests, on the privacy pages.
package rights

import (
	"context"
	"embed"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/trust/audit"
	legal "aver/trust/holds"
	"aver/trust/identity"
	"aver/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 8

// dsr is what the events call a request of a data subject.
type dsr struct{}

func (dsr) Prefix() string { return "req" }

// RequestID names a request.
type RequestID = ids.Of[dsr]

// Kind is what is asked for.
type Kind string

// The kinds.
const (
	Copy    Kind = "copy"
	Erasure Kind = "erasure"
)

// State is how far a request is.
type State string

// The states.
const (
	Open      State = "open"      // somebody who works here must decide
	Verifying State = "verifying" // a code was mailed, if the address is known
	Proved    State = "proved"    // the code was right; an erasure waits for its confirmation
	Running   State = "running"
	Done      State = "done"
	Refused   State = "refused" // see Reason
)

// Via is where it was asked.
type Via string

// The places.
const (
	Portal  Via = "portal"
	Widget  Via = "widget"
	Console Via = "console"
)

// Request is somebody's wish for a copy or an erasure. It names people by identifier only: it must outlive an erasure
// to show that it was done, so nothing in it may tell who that was. The address that was typed in is never stored, and
// what it is known by again goes when the request has got through.
type Request struct {
	ID        RequestID      `vault:"id,key"`
	Kind      Kind           `vault:"kind,state"`
	State     State          `vault:"state,state"`
	Via       Via            `vault:"via,state"`
	Contact   ids.Contact    `vault:"contact,state"` // the first of People; zero when nobody has the address
	People    []ids.Contact  `vault:"people,tenant:user.unique_id"`
	Code      personal.Bytes `vault:"code,secret"`    // SHA-256 of the request's id and the mailed code
	Session   personal.Bytes `vault:"session,secret"` // SHA-256 of the cookie of the browser that asked
	Address   personal.Bytes `vault:"address,secret"` // SHA-256 of the request's id and the typed address, while that is still to be proved
	Tries     int            `vault:"tries,state"`
	AskedAt   time.Time      `vault:"asked_at,state"`
	CodeUntil time.Time      `vault:"code_until,state"`
	DueAt     time.Time      `vault:"due_at,state"`
	EndedAt   time.Time      `vault:"ended_at,state,keep"`        // an open request is never too old
	Reason    string         `vault:"reason,state"`               // one of our own words: expired, too_many_tries, failed, no_such_person
	File      ids.Object     `vault:"file,state"`                 // the archive, until it is removed
	Entry     int64          `vault:"entry,state"`                // the erasure's entry in the tenant's log
	Kept      []legal.Kept   `vault:"kept,tenant:tenant.content"` // what an erasure spared, by class and ground
}

// refuse ends the request; nothing proves it any more.
func (r *Request) refuse(reason string, at time.Time) {
	r.State, r.Reason, r.EndedAt, r.Code, r.Address = Refused, reason, at, nothing, nothing
}

// Requests lists them.
var Requests = vault.Define[Request]("rights_requests", vault.Purpose("answering people's requests in time and being able to show it"), vault.KeepFor(3*365*24*time.Hour))

// FileLife is how long a finished copy can be downloaded.
const FileLife = 24 * time.Hour

const (
	answerWithin = 7 * 24 * time.Hour // promised; the law gives a month (GDPR Art. 12(3))
	copiesPerDay = 5                  // that one visitor may ask for in the widget
)

var (
	staff      = vault.Roles(vault.Owner, vault.Administrator, vault.DPO)
	readers    = vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor)
	actList    = vault.Act("privacy_request.list", readers, vault.Scope("privacy:read"), vault.System())
	actAsk     = vault.Act("privacy_request.create", staff, vault.Visitors(), vault.Scope("privacy:write"), vault.System())
	actProve   = vault.Act("privacy_request.prove", vault.System())
	actCopy    = vault.Act("person.copy", staff, vault.Visitors(), vault.Scope("privacy:write"), vault.System(), vault.Reads())
	actErase   = vault.Act("person.erase", staff, vault.Visitors(), vault.Scope("privacy:write"), vault.System())
	actFinish  = vault.Act("privacy_request.finish", staff, vault.Visitors(), vault.Scope("privacy:write"), vault.System())
	actCollect = vault.Act("privacy_request.collect", staff, vault.Visitors(), vault.Scope("privacy:read"), vault.System(), vault.Reads())
	actLook    = vault.Act("privacy.look", readers, vault.System())
)

// Shown is what a page or a letter needs to know of a person.
type Shown struct {
	Name     personal.Text
	Email    personal.Text
	Verified bool // the tenant's site signed who this is
}

// People finds persons; work/contacts knows them.
type People struct {
	WithEmail func(tx *vault.Tx, email string) ([]ids.Contact, error)
	Linked    func(tx *vault.Tx, contact ids.Contact) ([]ids.Contact, error) // itself first
	Show      func(tx *vault.Tx, contact ids.Contact) (Shown, error)         // errs.NotFound when there is none
}

// Mailer sends one letter; frame/mail's Sender is one.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Service answers requests.
type Service struct {
	vault  *vault.Vault
	people People
	auth   *identity.Service
	log    *audit.Service
	mail   Mailer
	holds  *legal.Service
	queue  *jobs.Jobs

	running sync.Map // RequestID → *progress, of copies that this process puts together
}

// New makes the service. mail may be nil: then nobody can prove an address and the public page says so.
func New(v *vault.Vault, people People, auth *identity.Service, log *audit.Service, holds *legal.Service, mail Mailer) *Service {
	return &Service{vault: v, people: people, auth: auth, log: log, holds: holds, mail: mail}
}

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "rights",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{Requests},
		Actions:    []*vault.Action{actList, actAsk, actProve, actCopy, actErase, actFinish, actCollect, actLook},
		Jobs:       s.jobs,
	}
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "rights") }

var errNobody = errs.New(errs.NotFound, "There is no such person.")

// mine refuses visitors who ask for anybody but themselves; the answer equals that for somebody who does not exist.
func mine(actor vault.Actor, contact ids.Contact) error {
	if contact.IsZero() || actor.Kind() == vault.AsPerson && actor.Subject() != contact {
		return errNobody
	}
	return nil
}

// ask stores a new request that runs at once.
func (s *Service) ask(ctx context.Context, actor vault.Actor, kind Kind, via Via, contact ids.Contact) (Request, error) {
	if err := mine(actor, contact); err != nil {
		return Request{}, err
	}
	has, err := s.vault.HasKey(ctx, actor, contact)
	if err != nil {
		return Request{}, err
	}
	if !has {
		return Request{}, errNobody
	}
	var r Request
	err = s.vault.Do(ctx, actor, actAsk, func(tx *vault.Tx) error {
		tx.About(contact)
		// There are keys of others than contacts: who works here has one, and their account ends in its own way.
		if _, err := s.people.Show(tx, contact); errs.Is(err, errs.NotFound) {
			return errNobody
		} else if err != nil {
			return err
		}
		if err := notTooMany(tx, kind, via, contact); err != nil {
			return err
		}
		r = Request{ID: ids.New[dsr](tx.Now()), Kind: kind, State: Running, Via: via, Contact: contact, AskedAt: tx.Now(), DueAt: tx.Now().Add(answerWithin)}
		if r.People, err = s.people.Linked(tx, contact); err != nil {
			return err
		}
		tx.Emit(vault.Event{Kind: "dsr.opened", Object: r.ID.String(), Subject: contact}, nil)
		return Requests.Add(tx, r)
	})
	return r, err
}

// notTooMany keeps a visitor from filling the disk with copies. Requests by other ways do not count: the public page takes
// anybody's word for an address, and a stranger must not use somebody's copies up.
func notTooMany(tx *vault.Tx, kind Kind, via Via, contact ids.Contact) error {
	if kind != Copy || via != Widget {
		return nil
	}
	lately, err := Requests.Count(tx, "contact = ? AND via = ? AND asked_at > ?", contact, string(Widget), tx.Now().Add(-24*time.Hour))
	if err != nil || lately < copiesPerDay {
		return err
	}
	refused := errs.New(errs.TooMany, "Five copies were asked for within a day. Take one of them, or ask again tomorrow.")
	refused.RetryAfter = int(time.Hour.Seconds())
	return refused
}

func viaOf(actor vault.Actor) Via {
	if actor.Kind() == vault.AsPerson {
		return Widget
	}
	return Console
}

// change reads a request, lets set change it, and stores it. Nothing is stored when set says no.
func (s *Service) change(ctx context.Context, tenant ids.Tenant, id RequestID, set func(*Request, *vault.Tx) (bool, error)) (Request, error) {
	var r Request
	err := s.vault.Do(ctx, system(tenant), actFinish, func(tx *vault.Tx) (err error) {
		if r, err = Requests.Get(tx, id); err != nil {
			return err
		}
		if changed, err := set(&r, tx); err != nil || !changed {
			return err
		}
		return Requests.Put(tx, r)
	})
	return r, err
}
