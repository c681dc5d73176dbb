// Package vaulttest gives a test a real vault, once on the embedded engine and once on PostgreSQL.
//
// It is for tests only: it mints actors out of thin air.
package vaulttest

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"aver/base/clock"
	"aver/base/eventually"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/keyring"
	"aver/vault/postgres"
	"aver/vault/postgres/pgtest"
	"aver/vault/sqlite"
	"aver/vault/sqlite/disktest"
)

// Config is what the vault under test must know.
type Config struct {
	Tables     []vault.AnyTable
	Migrations []engine.Migration // of the modules under test; the vault's own come by themselves
	Disk       *disktest.Disk     // that the embedded engine writes to, where a test wants it to be full
}

// Kit is a vault with two tenants that know nothing of each other.
type Kit struct {
	Vault  *vault.Vault
	Engine engine.Engine
	Keys   engine.Engine // of the key store
	Clock  *clock.Manual
	Tenant ids.Tenant
	Other  ids.Tenant
	Folder string // where the data lies; of PostgreSQL only the files

	Database pgtest.Database // of PostgreSQL
}

// Start is the time at which every kit's clock begins.
var Start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// Each runs the test on both engines.
func Each(t *testing.T, c Config, test func(*testing.T, *Kit)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Embedded(t, c))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t, c))
	})
}

// Embedded opens a vault on SQLite files in a folder of the test's own.
func Embedded(t testing.TB, c Config) *Kit {
	t.Helper()
	k := &Kit{Clock: clock.At(Start), Folder: t.TempDir()}
	keysFolder := filepath.Join(k.Folder, "keys")
	root, _, err := keyring.OpenRootFile(filepath.Join(k.Folder, "root.key"))
	must(t, err)
	pages := keyring.Pages{Dir: filepath.Join(keysFolder, "pages"), Root: root}
	keyEngine, err := sqlite.Open(sqlite.Config{Root: keysFolder, Migrations: keyring.Migrations(),
		PageKey: func(ctx context.Context, tenant ids.Tenant) ([]byte, error) { return pages.Get(ctx, tenant) }})
	must(t, err)
	k.Keys = keyEngine
	keys := keyring.Open(keyEngine, root, k.Clock)
	on := sqlite.Config{Root: k.Folder, Migrations: migrations(t, c), PageKey: keys.PageKey}
	if c.Disk != nil {
		c.Disk.Root, on.VFS = k.Folder, c.Disk.Mount(t, true)
	}
	k.Engine, err = sqlite.Open(on)
	must(t, err)
	t.Cleanup(func() { must(t, keyEngine.Close()) })
	k.open(t, c, keys)
	return k
}

// Postgres opens a vault on a database of the test's own.
func Postgres(t testing.TB, c Config) *Kit {
	t.Helper()
	k := &Kit{Clock: clock.At(Start), Folder: t.TempDir()}
	root, _, err := keyring.OpenRootFile(filepath.Join(k.Folder, "root.key"))
	must(t, err)
	data, keys := migrations(t, c), keyring.Migrations()
	db := pgtest.Start(t).NewDatabase(t, pgtest.Schemas{postgres.StoreSchema: data, postgres.KeySchema: keys})
	k.Database = db
	k.Engine = db.Open(t, postgres.StoreSchema, data)
	k.Keys = db.Open(t, postgres.KeySchema, keys)
	k.open(t, c, keyring.Open(k.Keys, root, k.Clock))
	return k
}

func (k *Kit) open(t testing.TB, c Config, keys *keyring.Keyring) {
	t.Helper()
	ctx := t.Context()
	v, err := vault.Open(ctx, vault.Config{Engine: k.Engine, Keys: keys, Clock: k.Clock,
		Blobs: filepath.Join(k.Folder, "blobs"), Tables: c.Tables, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, v.Close()) })
	k.Vault = v
	for slug, id := range map[string]*ids.Tenant{"acme": &k.Tenant, "other": &k.Other} {
		made, err := v.CreateTenant(ctx, vault.Tenant{Slug: slug, Name: slug, Region: "eu"})
		must(t, err)
		*id = made.ID
	}
}

// Filed waits until the words of all that the tenant stored can be found.
func (k *Kit) Filed(t testing.TB) {
	t.Helper()
	eventually.Must(t, "the words are filed", func() bool {
		lag, err := k.Vault.Lag(t.Context(), k.Tenant, "words")
		must(t, err)
		return lag == 0
	})
}

func migrations(t testing.TB, c Config) []engine.Migration {
	t.Helper()
	text, err := fs.ReadFile(vault.Migrations(), "migrations/0001_vault.sql")
	must(t, err)
	return append([]engine.Migration{{Version: vault.Number*1000 + 1, Name: "vault/0001_vault.sql", SQL: string(text)}}, c.Migrations...)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// User is somebody who works for the tenant.
func User(tenant ids.Tenant, roles ...vault.Role) vault.Actor {
	return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsUser, ID: ids.NewUser(Start), Roles: roles})
}

// Visitor is a person who writes to the tenant.
func Visitor(tenant ids.Tenant, contact ids.Contact) vault.Actor {
	return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsPerson, ID: contact, Subject: contact})
}

// Key is a program with these scopes.
func Key(tenant ids.Tenant, scopes ...string) vault.Actor {
	return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsKey, ID: ids.NewCredential(Start), Scopes: scopes})
}

// System is Aver itself.
func System(tenant ids.Tenant) vault.Actor {
	return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsSystem, Name: "test"})
}
