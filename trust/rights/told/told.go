// Package told lets those who got somebody's data hear that it was erased, put right or restricted (GDPR Art. 19).
//
// A recipient is one of the tenant's own programs, which is told by webhook, or somebody whom the tenant wrote down with
// a mail address. Whoever must be told what is written down when it happens and stays due until it was taken: an answer
// of 2xx, a letter that the relay accepted. The person may ask whom it was. What is told names people by identifier only.
package told

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 83

type (
	recipient struct{}
	telling   struct{}
)

func (recipient) Prefix() string { return "rcp" }
func (telling) Prefix() string   { return "tol" }

type (
	// RecipientID names somebody who is told by mail.
	RecipientID = ids.Of[recipient]
	// TellingID names one thing told to one recipient.
	TellingID = ids.Of[telling]
)

// Recipient is somebody to whom the tenant passes data on, and who is told by mail.
type Recipient struct {
	ID      RecipientID `vault:"id,key"`
	Name    string      `vault:"name,tenant:tenant.settings"`
	Email   string      `vault:"email,tenant:tenant.settings"`
	AddedAt time.Time   `vault:"added_at,state"`
}

// Via is how somebody is told.
type Via string

// The ways.
const (
	Webhook Via = "webhook"
	Mail    Via = "mail"
)

// State is whether somebody was told.
type State string

// The states.
const (
	Waiting      State = "waiting"
	Acknowledged State = "acknowledged" // 2xx, or taken by the mail relay
	Lost         State = "lost"         // nobody was told: the tenant removed the recipient first, or the address leads nowhere
)

// Telling is one thing told to one recipient. It outlives the person, to show that others were told.
type Telling struct {
	ID         TellingID   `vault:"id,key"`
	Contact    ids.Contact `vault:"contact,state"`
	Event      string      `vault:"event,state"`
	Via        Via         `vault:"via,state"`
	Recipient  string      `vault:"recipient,state"` // identifier of the recipient or webhook
	Name       string      `vault:"name,tenant:tenant.settings"`
	Message    string      `vault:"message,state"` // of a webhook: the delivery
	State      State       `vault:"state,state"`
	Attempts   int         `vault:"attempts,state"`
	NextAt     time.Time   `vault:"next_at,state"`
	HappenedAt time.Time   `vault:"happened_at,state,keep"`
	ToldAt     time.Time   `vault:"told_at,state"`
}

// The tables.
var (
	Recipients = vault.Define[Recipient]("recipients", vault.Purpose("knowing to whom data was passed on and who must hear of erasures"), vault.KeepWhile("until the tenant removes it"))
	Tellings   = vault.Define[Telling]("recipients_told", vault.Purpose("telling recipients of erasures, corrections and restrictions, and showing it (GDPR Art. 19)"), vault.KeepFor(3*365*24*time.Hour))
)

var (
	readers  = vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor)
	actRead  = vault.Act("recipient.read", purpose.Own, readers, vault.Scope("privacy:read"), vault.Visitors(), vault.System())
	actWrite = vault.Act("recipient.write", purpose.Own, vault.Roles(vault.Owner, vault.Administrator, vault.DPO), vault.Scope("privacy:write"), vault.System())
	actTell  = vault.Act("recipient.tell", purpose.Own, vault.System())
)

// Events are what recipients must hear of.
var Events = []string{"contact.erased", "contact.rectified", "contact.restricted"}

// Delivery is an event on its way to one of the tenant's programs.
type Delivery struct {
	Webhook string // identifier
	Name    string
	Message string // identifier of the delivery
}

// Webhooks tells how events reach the tenant's programs; work/webhooks knows.
type Webhooks struct {
	Deliveries func(tx *vault.Tx, entry journal.Entry, n int) ([]Delivery, error)          // of the n-th event of an entry
	Taken      func(tx *vault.Tx, message string) (at time.Time, failed bool, err error)   // zero while it was not taken; errs.NotFound before it is written
	Again      func(ctx context.Context, tenant ids.Tenant, webhook, message string) error // one that was given up
}

// Mailer sends one letter.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Service tells recipients.
type Service struct {
	telling sync.Mutex // one round at a time
	vault   *vault.Vault
	hooks   Webhooks
	mail    Mailer
	queue   *jobs.Jobs
}

// New makes the service. mail may be nil: then letters wait until there is a relay.
func New(v *vault.Vault, hooks Webhooks, mail Mailer) *Service {
	return &Service{vault: v, hooks: hooks, mail: mail}
}

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "recipients", Number: Number, Migrations: migrations, Tables: []vault.AnyTable{Recipients, Tellings},
		Actions: []*vault.Action{actRead, actWrite, actTell}, API: s.api, Routes: s.routes, Jobs: s.jobs}
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "recipients") }

// Follow starts writing down who must be told what, from where it last stopped.
func (s *Service) Follow(tenants ...ids.Tenant) {
	s.vault.Follow(vault.Follower{Name: "recipients", Each: s.write}, tenants...)
}

// write notes who must hear of what some journal entries say. Seeing the same entries again changes nothing.
func (s *Service) write(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	var all []Telling
	err := s.vault.View(ctx, system(tenant), actRead, func(tx *vault.Tx) error {
		all = nil
		for _, entry := range entries {
			some, err := s.owed(tx, entry)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		return err
	}
	for some := range slices.Chunk(all, 100) {
		if err := s.add(ctx, tenant, some); err != nil {
			return err
		}
	}
	return s.queue.Enqueue(ctx, tellKind, tenant, "", time.Time{})
}

func (s *Service) add(ctx context.Context, tenant ids.Tenant, all []Telling) error {
	return s.vault.Do(ctx, system(tenant), actTell, func(tx *vault.Tx) error {
		for _, t := range all {
			n, err := Tellings.Count(tx, "id = ?", t.ID)
			if err == nil && n == 0 {
				err = Tellings.Add(tx, t)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// owed lists who must hear of an entry.
func (s *Service) owed(tx *vault.Tx, entry journal.Entry) (out []Telling, err error) {
	if entry.Outcome != journal.Done {
		return nil, nil
	}
	for n, event := range entry.Events {
		if !slices.Contains(Events, event.Kind) {
			continue
		}
		letters, err := Recipients.Find(tx, "ORDER BY id LIMIT 200")
		if err != nil {
			return nil, err
		}
		deliveries, err := s.hooks.Deliveries(tx, entry, n)
		if err != nil {
			return nil, err
		}
		base := Telling{Contact: event.Subject, Event: event.Kind, State: Waiting, NextAt: entry.At, HappenedAt: entry.At}
		for _, r := range letters {
			t := base
			t.Via, t.Recipient, t.Name = Mail, r.ID.String(), r.Name
			out = append(out, t.named(entry, n))
		}
		for _, d := range deliveries {
			t := base
			t.Via, t.Recipient, t.Name, t.Message = Webhook, d.Webhook, d.Name, d.Message
			out = append(out, t.named(entry, n))
		}
	}
	return out, nil
}

// named gives a telling an identifier that follows from what is told to whom, so that reading twice makes one.
func (t Telling) named(entry journal.Entry, n int) Telling {
	place := binary.BigEndian.AppendUint64([]byte(t.Recipient), uint64(entry.Index))
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(place, uint64(n)))
	t.ID = ids.New[telling](entry.At)
	copy(t.ID[6:], sum[:])
	t.ID[6], t.ID[8] = t.ID[6]&0x0f|0x70, t.ID[8]&0x3f|0x80 // as in every identifier
	return t
}

// Of lists who was told what about a person, newest first: for the tenant, or for the person.
func (s *Service) Of(ctx context.Context, actor vault.Actor, contact ids.Contact) (all []Telling, err error) {
	if actor.Kind() == vault.AsPerson && actor.Subject() != contact {
		return nil, errs.New(errs.NotFound, "There is no such person.")
	}
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		all, err = Tellings.Find(tx, "contact = ? ORDER BY happened_at DESC, id DESC LIMIT 200", contact)
		return err
	})
	return all, err
}

// Lately lists what was told last, about anybody.
func (s *Service) Lately(ctx context.Context, actor vault.Actor) (all []Telling, err error) {
	if actor.Kind() == vault.AsPerson {
		return nil, s.vault.Permit(ctx, actor, actWrite)
	}
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		all, err = Tellings.Find(tx, "ORDER BY happened_at DESC, id DESC LIMIT 100")
		return err
	})
	return all, err
}
