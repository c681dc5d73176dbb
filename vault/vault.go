// Package vault is the only door to stored data.
//
// Whoever writes says who acts and what for, and does it in one function: the vault permits or refuses, isolates the
// tenant, seals what is about people, writes the journal entry and the events in the same transaction, and answers only
// when all of it is durable. There is no other way to write, so no feature can forget a duty.
//
// The six verbs of a Table (Add or Put, Get, Find, Lookup, Delete) and plain SQL from WHERE on are all there is. It is
// no query builder and does not want to become one.
package vault

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/follow"
	"aver/vault/group"
	"aver/vault/journal"
	"aver/vault/keyring"
	"aver/vault/purpose"
	"aver/vault/table"
)

//go:embed migrations/*.sql
var files embed.FS

// Number is the vault's own number among the modules that bring migrations.
const Number = 1

// Migrations is the vault's own part of the schema.
func Migrations() fs.FS { return files }

// Config is what a vault is made of.
type Config struct {
	Engine engine.Engine
	Keys   *keyring.Keyring
	Clock  clock.Clock
	Blobs  string // folder for sealed files
	Tables []AnyTable
	Log    *slog.Logger
}

// Vault keeps the data of all tenants.
type Vault struct {
	engine engine.Engine
	keys   *keyring.Keyring
	clock  clock.Clock
	blobs  string
	tables map[string]*table.Shape
	order  []AnyTable
	log    *slog.Logger
	commit group.Committer
	region atomic.Pointer[settled]
	homes  sync.Map // when an open ids.Tenant was last found at home here

	mu        sync.RWMutex
	listeners []func(Committed)
	followers *follow.Followers
}

// Open makes the vault over an engine and a keyring and makes sure that the installation's own store exists.
func Open(ctx context.Context, c Config) (*Vault, error) {
	v := &Vault{engine: c.Engine, keys: c.Keys, clock: c.Clock, blobs: c.Blobs, log: c.Log, tables: map[string]*table.Shape{}}
	v.order = append(Own(), c.Tables...)
	for _, t := range v.order {
		if v.tables[t.Name()] != nil {
			return nil, fmt.Errorf("open vault: table %s is declared twice", t.Name())
		}
		v.tables[t.Name()] = t.core()
	}
	v.commit = group.Committer{Engine: c.Engine, Seal: v.appendJournal}
	v.followers = follow.New(v.source())
	v.Follow(Follower{Name: "words", Batch: wordsBatch, Each: v.indexWords})
	if err := v.prepare(ctx, ids.Installation); err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	return v, nil
}

// prepare makes a tenant's keys and store.
func (v *Vault) prepare(ctx context.Context, tenant ids.Tenant) error {
	if err := v.keys.Create(ctx, tenant); err != nil {
		return err
	}
	if err := v.engine.Create(ctx, tenant); err != nil {
		return fmt.Errorf("create store: %w", err)
	}
	return nil
}

// Own are the tables that every vault has besides those it is told of.
func Own() []AnyTable { return []AnyTable{Tenants, Blobs, Standings, Purposes} }

// Tables is the data catalogue: every table there is.
func (v *Vault) Tables() []AnyTable { return v.order }

// Keys is the keyring, for rotation and for the security page.
func (v *Vault) Keys() *keyring.Keyring { return v.keys }

// Now is the vault's time.
func (v *Vault) Now() time.Time { return v.clock.Now() }

// Ran is how long it goes on, whatever the clock was set to meanwhile; see clock.Ran.
func (v *Vault) Ran() time.Duration { return clock.Ran(v.clock) }

// Check tells what is unsafe about the stores as they are set up.
func (v *Vault) Check(ctx context.Context) error { return v.engine.Check(ctx) }

// Close stops the followers and closes the stores.
func (v *Vault) Close() error {
	v.followers.Stop()
	return v.engine.Close()
}

var errTooMuch = errs.New(errs.TooLarge, "This changes too many things at once. Split it into smaller parts.")

// maxEntry is the longest journal entry; chunks give each entry two bytes of length.
const maxEntry = 60 << 10

// Do performs an action: permits or refuses, runs fn in a transaction that it shares with whoever comes at the same
// time, writes the journal entry with it, and returns when all is durable. fn may run again after a lost conflict, so
// it must have no effect outside tx.
func (v *Vault) Do(ctx context.Context, actor Actor, action *Action, fn func(*Tx) error) error {
	tx, err := v.begin(ctx, actor, action)
	if err != nil {
		return err
	}
	task := &group.Task{Note: tx, Lane: actor.lane(), Patient: action.patient, Run: func(conn engine.Conn) error {
		tx.reset(conn, v.clock.Now())
		if tx.guard.Mode == purpose.Self {
			tx.ahead(actor.is.Subject)
		}
		if err := fn(tx); err != nil {
			return err
		}
		tx.finish(journal.Done)
		if len(tx.entry.Events) > 500 || len(tx.entry.Append(nil)) > maxEntry {
			return errTooMuch
		}
		return nil
	}}
	err = v.commit.Do(ctx, actor.is.Tenant, task)
	v.closed(tx, action)
	return engineError(err)
}

// Permit refuses an act to whoever may not do it and writes the refusal to the journal. Do and View do so themselves: it
// is for what is not done in a transaction, such as work that is left to a job.
func (v *Vault) Permit(ctx context.Context, actor Actor, action *Action) error {
	if actor.is.Kind == Nobody || actor.is.Tenant.IsZero() {
		return errs.New(errs.Unauthenticated, "Sign in first.")
	}
	if !action.permits(actor) {
		v.denied(ctx, actor, action, ids.Subject{})
		return errs.New(errs.Forbidden, "Your role does not allow this.")
	}
	err := v.atHome(ctx, actor.is.Tenant)
	if errs.Is(err, errs.Misdirected) {
		v.elsewhere(ctx, actor, action)
	}
	return err
}

// begin checks the permission and makes the transaction.
func (v *Vault) begin(ctx context.Context, actor Actor, action *Action) (*Tx, error) {
	if err := v.Permit(ctx, actor, action); err != nil {
		return nil, err
	}
	keys, err := v.keys.Tenant(ctx, actor.is.Tenant)
	if err != nil {
		return nil, engineError(fmt.Errorf("begin %s: %w", action.name, err))
	}
	tx := &Tx{ctx: ctx, v: v, actor: actor, keys: keys, guard: action.guard(actor)}
	tx.entry = journal.Entry{ActorKind: uint8(actor.is.Kind), Actor: actor.is.ID, ActorName: actor.is.Name, Action: action.name}
	return tx, nil
}

func (tx *Tx) reset(conn engine.Conn, now time.Time) {
	tx.conn, tx.now, tx.commit, tx.payloads = conn, now, nil, nil
	tx.minded, tx.refused = nil, nil
	tx.entry.Subject, tx.entry.Touched, tx.entry.Events, tx.entry.Commit = ids.Subject{}, nil, nil, [32]byte{}
}

// denied records a refusal. The caller is refused whether or not that succeeds.
func (v *Vault) denied(ctx context.Context, actor Actor, action *Action, about ids.Subject, touched ...journal.Ref) {
	name := "nothing"
	if action != nil {
		name = action.name
	}
	tx := &Tx{ctx: ctx, v: v, actor: actor}
	tx.entry = journal.Entry{ActorKind: uint8(actor.is.Kind), Actor: actor.is.ID, ActorName: actor.is.Name, Action: name}
	err := v.commit.Do(ctx, actor.is.Tenant, &group.Task{Note: tx, Run: func(conn engine.Conn) error {
		tx.reset(conn, v.clock.Now())
		tx.entry.Subject, tx.entry.Touched = about, touched
		tx.finish(journal.Denied)
		return nil
	}})
	if err != nil {
		v.log.Error("record a refusal", "action", name, "error", err)
	}
}

// closed records about whom a purpose was refused, whatever the caller made of it.
func (v *Vault) closed(tx *Tx, action *Action) {
	for _, who := range tx.refused {
		v.denied(context.WithoutCancel(tx.ctx), tx.actor, action, who)
	}
}

// View runs fn over a consistent snapshot. An action declared with Reads is written to the journal once fn has read.
func (v *Vault) View(ctx context.Context, actor Actor, action *Action, fn func(*Tx) error) error {
	tx, err := v.begin(ctx, actor, action)
	if err != nil {
		return err
	}
	tx.readonly = true
	err = v.engine.Read(ctx, actor.is.Tenant, func(conn engine.Conn) error {
		tx.reset(conn, v.clock.Now())
		return fn(tx)
	})
	v.closed(tx, action)
	if err != nil || !action.audited {
		return engineError(err)
	}
	about := tx.entry.Subject
	return engineError(v.commit.Do(ctx, actor.is.Tenant, &group.Task{Note: tx, Run: func(conn engine.Conn) error {
		tx.reset(conn, v.clock.Now())
		tx.entry.Subject = about
		tx.finish(journal.Done)
		return nil
	}}))
}

// maintain writes what is derived from journalled changes (search words, cursors) and hence needs no entry of its own.
func (v *Vault) maintain(ctx context.Context, tenant ids.Tenant, fn func(*Tx) error) error {
	return v.derive(ctx, tenant, &group.Task{}, fn)
}

// maintainLater is maintain for what lets whoever else writes go first.
func (v *Vault) maintainLater(ctx context.Context, tenant ids.Tenant, fn func(*Tx) error) error {
	return v.derive(ctx, tenant, &group.Task{Patient: true}, fn)
}

func (v *Vault) derive(ctx context.Context, tenant ids.Tenant, task *group.Task, fn func(*Tx) error) error {
	keys, err := v.keys.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	tx := &Tx{ctx: ctx, v: v, actor: system(tenant, "vault"), keys: keys}
	task.Run = func(conn engine.Conn) error {
		tx.reset(conn, v.clock.Now())
		return fn(tx)
	}
	return v.commit.Do(ctx, tenant, task)
}

// peek reads without a permission: for the vault's own followers.
func (v *Vault) peek(ctx context.Context, tenant ids.Tenant, fn func(*Tx) error) error {
	keys, err := v.keys.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	return v.engine.Read(ctx, tenant, func(conn engine.Conn) error {
		tx := &Tx{ctx: ctx, v: v, actor: system(tenant, "vault"), keys: keys, readonly: true}
		tx.reset(conn, v.clock.Now())
		return fn(tx)
	})
}

// NewSubject makes a new person: an identifier and a durable key. Call it before the Do that stores the first row.
func (v *Vault) NewSubject(ctx context.Context, actor Actor) (ids.Subject, error) {
	if actor.is.Kind == Nobody {
		return ids.Subject{}, errs.New(errs.Unauthenticated, "Sign in first.")
	}
	if err := v.atHome(ctx, actor.is.Tenant); err != nil {
		return ids.Subject{}, err
	}
	subject := ids.NewSubject(v.clock.Now())
	if err := v.keys.NewSubject(ctx, actor.is.Tenant, subject); err != nil {
		return ids.Subject{}, engineError(fmt.Errorf("make a person's key: %w", err))
	}
	return subject, nil
}

// HasKey tells whether a person's data can still be read.
func (v *Vault) HasKey(ctx context.Context, actor Actor, subject ids.Subject) (bool, error) {
	_, err := v.keys.Subject(ctx, actor.is.Tenant, subject)
	if errors.Is(err, keyring.ErrErased) || errors.Is(err, keyring.ErrNoKey) {
		return false, nil
	}
	return err == nil, engineError(err)
}
