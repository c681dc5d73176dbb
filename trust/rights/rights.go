// Package rights answers people who ask what is kept about them and who want it gone.
//
// A copy is put together from the vault's catalogue alone, so a new table is part of it by being declared; so is an
// erasure. Whoever asks from outside proves who they are by a code mailed to the address that is on file, never to one
// that was typed in. Operators work through the same requests, on the privacy pages.
package rights

import (
	"context"
	"embed"
	"errors"
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
	"aver/trust/rights/handover"
	"aver/trust/rights/record"
	"aver/trust/rights/settings"
	"aver/trust/rights/state"
	"aver/trust/rights/whom"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 8

// What requests are made of lies in package record.
type (
	// Request is what somebody wants done with their data.
	Request = record.Request
	// RequestID names one.
	RequestID = record.ID
	// Words are what was typed with one, and what was answered.
	Words = record.Words
	// Wish is what somebody wants, as they put it.
	Wish = record.Wish
)

// The tables.
var (
	Requests = record.Requests
	Typed    = record.Typed
)

// FileLife is how long a finished copy can be downloaded.
const FileLife = 24 * time.Hour

var (
	staff       = vault.Roles(vault.Owner, vault.Administrator, vault.DPO)
	readers     = vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor)
	actList     = vault.Act("privacy_request.list", purpose.Own, readers, vault.Scope("privacy:read"), vault.System())
	actAsk      = vault.Act("privacy_request.create", purpose.Own, staff, vault.Visitors(), vault.Scope("privacy:write"), vault.System())
	actProve    = vault.Act("privacy_request.prove", purpose.Own, vault.System())
	actCopy     = vault.Act("person.copy", purpose.Own, staff, vault.Visitors(), vault.Scope("privacy:write"), vault.System(), vault.Reads())
	actErase    = vault.Act("person.erase", purpose.Own, staff, vault.Visitors(), vault.Scope("privacy:write"), vault.System())
	actFinish   = vault.Act("privacy_request.finish", purpose.Own, staff, vault.Visitors(), vault.Scope("privacy:write"), vault.System())
	actCollect  = vault.Act("privacy_request.collect", purpose.Own, staff, vault.Visitors(), vault.Scope("privacy:read"), vault.System(), vault.Reads())
	actLook     = vault.Act("privacy.look", purpose.Own, readers, vault.System())
	actDeny     = vault.Act("privacy_request.deny", purpose.Own, staff, vault.Scope("privacy:write"))
	actExtend   = vault.Act("privacy_request.extend", purpose.Own, staff, vault.Scope("privacy:write"))
	actFulfil   = vault.Act("privacy_request.fulfil", purpose.Own, staff, vault.Scope("privacy:write"))
	actRetry    = vault.Act("privacy_request.retry", purpose.Own, staff, vault.Scope("privacy:write"))
	actRevoke   = vault.Act("privacy_request.revoke", purpose.Own, vault.System())
	actReturn   = vault.Act("privacy_request.return", purpose.Own, vault.System()) // a letter that cannot be delivered
	actForget   = vault.Act("privacy_request.forget", purpose.Own, vault.System())
	actPass     = vault.Act("privacy_request.pass", purpose.Own, vault.System())
	actConfirm  = vault.Act("privacy_request.confirm", purpose.Own, staff, vault.Scope("privacy:write"), vault.System())
	actSettings = vault.Act("privacy_settings.update", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO), vault.Scope("settings:write"))
)

// People finds persons, whom work/contacts knows, and closes what their data is used for.
type (
	People = whom.People
	// Shown is what a page or a letter needs to know of a person.
	Shown = whom.Shown
)

// Mailer sends one letter; frame/mail's Sender is one.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Service answers requests.
type Service struct {
	Told func(ctx context.Context, actor vault.Actor, contact ids.Contact) ([]Told, error) // who was told of what was done (GDPR Art. 19)
	Host func() string                                                                     // how the public pages' addresses begin, such as https://chat.example.org, for links in letters

	vault  *vault.Vault
	people People
	auth   *identity.Service
	log    *audit.Service
	mail   Mailer
	holds  *legal.Service
	queue  *jobs.Jobs

	running sync.Map // RequestID → *gather.Progress, of copies that this process puts together
}

// New makes the service. mail may be nil: then nobody can prove an address and the public page says so.
func New(v *vault.Vault, people People, auth *identity.Service, log *audit.Service, holds *legal.Service, mail Mailer) *Service {
	return &Service{Host: func() string { return "" }, Told: nobodyTold, vault: v, people: people, auth: auth, log: log, holds: holds, mail: mail}
}

// Told is that somebody else was told what was done with a person's data.
type Told struct {
	Name, Via, Event string
	At               time.Time // zero as long as they have not taken it
}

func nobodyTold(context.Context, vault.Actor, ids.Contact) ([]Told, error) { return nil, nil }

// ToldOf lists who was told about those whom a request speaks for, once it is proved who asked.
func (s *Service) ToldOf(ctx context.Context, tenant ids.Tenant, r Request) (all []Told, err error) {
	if r.ProvedAt.IsZero() {
		return nil, nil
	}
	for _, person := range r.People {
		some, err := s.Told(ctx, system(tenant), person)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "rights",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{Requests, Typed, handover.Table, settings.Table},
		Actions:    []*vault.Action{actList, actAsk, actProve, actCopy, actErase, actFinish, actCollect, actLook, actDeny, actExtend, actFulfil, actRetry, actRevoke, actReturn, actPass, actForget, actConfirm, actHandOver, actSettings},
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

// ask stores a new request of somebody who is known.
func (s *Service) ask(ctx context.Context, actor vault.Actor, w Wish, contact ids.Contact) (Request, error) {
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
	words := Words{Asker: contact, Text: personal.Of(w.Text)}
	if w.Proof == state.Link { // whoever asked may be somebody else
		if words.Asker, err = s.vault.NewSubject(ctx, system(actor.Tenant())); err != nil {
			return Request{}, err
		}
	}
	do := s.vault.Do
	if w.Kind.Deed() == state.Erase {
		do = s.vault.DoUrgent
	}
	var r Request
	err = do(ctx, actor, actAsk, func(tx *vault.Tx) error {
		tx.About(contact)
		// There are keys of others than contacts: who works here has one, and their account ends in its own way.
		shown, err := s.people.Show(tx, contact)
		if errs.Is(err, errs.NotFound) {
			return errNobody
		}
		if err != nil {
			return err
		}
		if r, err = record.Begin(tx, w, viaOf(actor, w)); err != nil {
			return err
		}
		if err := record.NotTooMany(tx, r.Kind, r.Via, contact); err != nil {
			return err
		}
		if w.Proof == state.Link {
			err = s.toProve(tx, &r, contact, shown)
		} else {
			err = s.take(tx, &r, actor, contact, w.Waits)
		}
		if err != nil {
			return err
		}
		return errors.Join(s.note(tx, &r, words), Requests.Add(tx, r))
	})
	if err != nil && words.Asker != contact {
		err = errors.Join(err, s.destroyOwn(ctx, actor.Tenant(), words.Asker))
	}
	return r, err
}

// take begins a request of which it is known whom it comes from.
func (s *Service) take(tx *vault.Tx, r *Request, actor vault.Actor, contact ids.Contact, waits bool) (err error) {
	r.Contact, r.ProvedAt, r.Proof = contact, tx.Now(), state.Seen
	if r.People, err = s.people.Linked(tx, contact); err != nil {
		return err
	}
	if r.State = state.Open; r.Kind.Deed() != state.Amend && !waits {
		r.State = state.Running
		r.Decided(actor)
	} else if actor.Kind() != vault.AsUser { // who else could answer it does not know of it yet
		s.owe(r, record.WaitingLetter)
	}
	if r.Via == record.Widget { // the widget's answer is the confirmation
		r.ConfirmedAt, r.Proof = tx.Now(), state.Visit
	}
	tx.Emit(vault.Event{Kind: "dsr.opened", Object: r.ID.String(), Subject: contact}, nil)
	return nil
}

// note keeps what was typed with a request, if anything was.
func (s *Service) note(tx *vault.Tx, r *Request, w Words) error {
	if w.Address.IsZero() && w.Text.IsZero() && w.Answer.IsZero() {
		return nil
	}
	w.Request, r.Asker = r.ID, w.Asker
	return Typed.Put(tx, w)
}

func viaOf(actor vault.Actor, w Wish) record.Via {
	switch {
	case actor.Kind() == vault.AsPerson:
		return record.Widget
	case w.Via != "":
		return w.Via
	}
	return record.Console
}

// change reads a request, lets set change it, and stores it, also on a full disk: what was asked for goes on. Nothing is
// stored when set says no.
func (s *Service) change(ctx context.Context, tenant ids.Tenant, id RequestID, set func(*Request, *vault.Tx) (bool, error)) (Request, error) {
	var r Request
	err := s.vault.DoUrgent(ctx, system(tenant), actFinish, func(tx *vault.Tx) (err error) {
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
