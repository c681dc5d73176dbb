// Package house opens what the rigs measure and break: the real stores, keys, vault, consent and inbox, wired as
// cmd/aver wires them, without the edge before them.
//
// It is for rigs only. A rig that wants the edge too starts cmd/aver/app.
package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"aver/base/clock"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/frame/live"
	"aver/frame/module"
	"aver/trust/audit"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/keyring"
	"aver/vault/postgres"
	"aver/vault/sqlite"
	"aver/work/contacts"
	"aver/work/inbox"
)

// Config says where a house stands. Folder must be set.
type Config struct {
	Folder   string // of stores, keys and the root key
	Database string // PostgreSQL as the serving role; empty keeps everything in Folder
	VFS      string // of rigs that break disks: what the tenants' stores lie on
	KeysOf   *House // whose keys to use, embedded only; keys in Folder if nil
	Log      *slog.Logger
}

// House is an installation without doors.
type House struct {
	Vault    *vault.Vault
	Engine   engine.Engine
	Keys     *keyring.Keyring
	Identity *identity.Service
	Consent  *consent.Service
	Contacts *contacts.Service
	Inbox    *inbox.Service
	Audit    *audit.Service
	Hub      *live.Hub

	keyStore engine.Engine
}

// Open opens a house and builds it if there is none.
func Open(ctx context.Context, c Config) (*House, error) {
	migrations, err := module.Migrations(modules(&House{}))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, err
	}
	h := &House{}
	if c.Database != "" {
		err = h.openShared(ctx, c, migrations)
	} else {
		err = h.openEmbedded(c, migrations)
	}
	if err != nil {
		return nil, errors.Join(err, h.closeStores())
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h.Vault, err = vault.Open(ctx, vault.Config{Engine: h.Engine, Keys: h.Keys, Clock: &clock.System{},
		Blobs: filepath.Join(c.Folder, "blobs"), Tables: tables(), Log: c.Log})
	if err != nil {
		return nil, errors.Join(err, h.closeStores())
	}
	h.furnish(h.Vault)
	return h, nil
}

func (h *House) openEmbedded(c Config, migrations []engine.Migration) error {
	if c.KeysOf != nil {
		h.Keys = c.KeysOf.Keys
	} else if err := h.openKeys(c.Folder); err != nil {
		return fmt.Errorf("open the key store: %w", err)
	}
	e, err := sqlite.Open(sqlite.Config{Root: c.Folder, Migrations: migrations, PageKey: h.Keys.PageKey, VFS: c.VFS})
	if err == nil {
		h.Engine = e
	}
	return err
}

func root(folder string) (keyring.Root, error) {
	found, _, err := keyring.OpenRootFile(filepath.Join(folder, "root.key"))
	return found, err
}

func (h *House) openKeys(folder string) error {
	r, err := root(folder)
	if err != nil {
		return err
	}
	folder = filepath.Join(folder, "keys")
	pages := keyring.Pages{Dir: filepath.Join(folder, "pages"), Root: r}
	e, err := sqlite.Open(sqlite.Config{Root: folder, Migrations: keyring.Migrations(),
		PageKey: func(ctx context.Context, t ids.Tenant) ([]byte, error) { return pages.Get(ctx, t) }})
	if err != nil {
		return err
	}
	h.keyStore, h.Keys = e, keyring.Open(e, r, &clock.System{})
	return nil
}

func (h *House) openShared(ctx context.Context, c Config, migrations []engine.Migration) error {
	r, err := root(c.Folder)
	if err != nil {
		return err
	}
	keys, err := postgres.Open(ctx, postgres.Config{URL: c.Database, Schema: postgres.KeySchema, Migrations: keyring.Migrations()})
	if err != nil {
		return fmt.Errorf("open the key store: %w", err)
	}
	h.keyStore, h.Keys = keys, keyring.Open(keys, r, &clock.System{})
	data, err := postgres.Open(ctx, postgres.Config{URL: c.Database, Migrations: migrations})
	if err == nil {
		h.Engine = data
	}
	return err
}

// Schemas are the migrations of a house on PostgreSQL, by schema.
func Schemas() (map[string][]engine.Migration, error) {
	migrations, err := module.Migrations(modules(&House{}))
	return map[string][]engine.Migration{postgres.StoreSchema: migrations, postgres.KeySchema: keyring.Migrations()}, err
}

// furnish makes the services. Without a vault they can only be asked what they bring.
func (h *House) furnish(v *vault.Vault) {
	h.Hub = live.New(live.Options{})
	h.Identity, h.Consent, h.Contacts, h.Audit = identity.New(v), consent.New(v), contacts.New(v), audit.New(v)
	h.Inbox = inbox.New(v, h.Hub, noQueue{}, h.Contacts)
}

func modules(h *House) []module.Module {
	h.furnish(nil)
	return []module.Module{{Name: "vault", Number: vault.Number, Migrations: vault.Migrations()},
		h.Identity.Module(), h.Consent.Module(), h.Contacts.Module(), h.Inbox.Module(), h.Audit.Module()}
}

func tables() (all []vault.AnyTable) {
	for _, m := range modules(&House{}) {
		all = append(all, m.Tables...)
	}
	return all
}

// noQueue is for rigs in which nothing is due later.
type noQueue struct{}

func (noQueue) Enqueue(context.Context, string, ids.Tenant, string, time.Time) error {
	return errors.New("this house has no queue")
}

// Close closes the vault and the stores.
func (h *House) Close() error {
	err := h.Vault.Close()
	if h.keyStore != nil {
		err = errors.Join(err, h.keyStore.Close())
	}
	return err
}

func (h *House) closeStores() error {
	var faults []error
	for _, e := range []engine.Engine{h.Engine, h.keyStore} {
		if e != nil {
			faults = append(faults, e.Close())
		}
	}
	return errors.Join(faults...)
}

// NewTenant makes a workspace.
func (h *House) NewTenant(ctx context.Context, slug string) (ids.Tenant, error) {
	t, err := h.Vault.CreateTenant(ctx, vault.Tenant{Slug: slug, Name: slug, Region: "eu"})
	return t.ID, err
}

// hands is how many callers set things up at the same time.
const hands = 128

// NewVisitors makes people who have agreed to be answered.
func (h *House) NewVisitors(ctx context.Context, tenant ids.Tenant, n int) ([]vault.Actor, error) {
	notice, err := h.Consent.Current(ctx, tenant, "en")
	if err != nil {
		return nil, err
	}
	out := make([]vault.Actor, n)
	err = Each(n, func(i int) error {
		person, err := h.Contacts.NewVisitor(ctx, tenant, contacts.Draft{Name: fmt.Sprintf("Visitor %d", i)})
		if err != nil {
			return err
		}
		out[i] = h.Identity.AsVisitor(tenant, person.ID, false)
		return h.Consent.Record(ctx, out[i], person.ID, consent.Choice{Purpose: consent.Support, Version: fmt.Sprint(notice.Version), Language: notice.Language, Granted: true})
	})
	return out, err
}

// Each calls do for 0 to n-1, many at the same time, and returns the first error.
func Each(n int, do func(i int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	problems := make(chan error, hands)
	for range min(n, hands) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := do(int(i)); err != nil {
					problems <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(problems)
	return <-problems
}

// Filed waits until the followers have read everything, so that their work is not counted against somebody else.
func Filed(ctx context.Context, v *vault.Vault, tenant ids.Tenant) error {
	const patience = 30 * time.Minute // for a million messages
	return eventually.Holds(ctx, patience, "the words are filed", func() (bool, error) {
		lag, err := v.Lag(ctx, tenant, "words")
		return lag == 0, err
	})
}
