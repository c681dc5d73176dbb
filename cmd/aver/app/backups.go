package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"aver/base/aead"
	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/egress"
	"aver/trust/backups"
	"aver/trust/backups/bucket"
	"aver/trust/backups/quarantine"
	"aver/trust/backups/shelf"
	"aver/vault/engine"
	"aver/vault/keyring"
	"aver/vault/postgres"
)

// readBuckets finds out whether backups go to a bucket, and the copy of the keys.
func (a *App) readBuckets() (err error) {
	if a.bucket, err = a.readBucket(a.Config.BackupTo); err != nil {
		return err
	}
	a.keysIn, err = a.readBucket(a.Config.KeysTo)
	return err
}

func (a *App) readBucket(text string) (*bucket.Address, error) {
	if !bucket.Is(text) {
		return nil, nil
	}
	at, err := bucket.Parse(text)
	if err != nil {
		return nil, err
	}
	if at.URL.Scheme == "https" && a.Config.BackupKeys.ID == "" {
		return nil, errors.New("backups go to a bucket: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return &at, nil
}

func (a *App) openBucket(at bucket.Address) *bucket.Bucket {
	return bucket.Open(at, a.Config.BackupKeys, a.Door.Client(bucket.Purpose), a.now)
}

func (a *App) backupConfig() backups.Config {
	c := a.Config
	out := backups.Config{Folder: filepath.Join(c.Data, "backups"), Data: c.Data, Recipients: c.BackupRecipients, KeysFor: c.KeysRecipients, Shared: c.Database != "", Log: a.Log, Seed: a.seed}
	switch {
	case a.bucket != nil:
		out.Shelf = a.openBucket(*a.bucket)
	case c.BackupTo != "":
		out.Folder = c.BackupTo
	}
	switch {
	case a.keysIn != nil:
		out.Keys = a.openBucket(*a.keysIn)
	case c.KeysTo != "":
		out.Keys = shelf.Folder(c.KeysTo)
	}
	if a.stores != nil {
		out.KeyStore, out.Schema = a.stores.keyStore, a.stores.schema
		out.Servers = a.databases()
	}
	return out
}

// databases are those of the rows and of the keys, which may be one.
func (a *App) databases() []backups.Server {
	switch {
	case a.stores.shared == nil:
		return nil
	case a.Config.keyDatabase() == a.Config.Database:
		return []backups.Server{a.stores.shared}
	}
	return []backups.Server{a.stores.shared, a.stores.sharedKeys}
}

// EmptyDatabase opens a migrated PostgreSQL database, as its owner, to restore rows into.
func (a *App) EmptyDatabase(ctx context.Context, url string) (engine.Engine, error) {
	e, err := postgres.OpenEmpty(ctx, postgres.Config{URL: url, Migrations: a.stores.schema, UnsafeForTests: a.Config.UnsafeForTests})
	if err != nil {
		return nil, fmt.Errorf("open the database to restore into: %w", err)
	}
	return e, nil
}

// RestoreKeys unpacks a copy of the keys into a data folder that has none, and those of an installation on PostgreSQL
// into its migrated key database. The root key must be there already: it tells whether the copy is genuine.
func RestoreKeys(ctx context.Context, c Config, file string, identity io.Reader) error {
	a := &App{Config: c, Log: NewLog(c.Log)}
	if _, missing := os.Stat(c.rootFile()); c.keptInFile() && errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("open the root key: %s is missing: %s", c.rootFile(), putBackRoot)
	}
	a.Door = &egress.Door{Loopback: c.Loopback, Register: a.mayLeave, Observed: a.observe}
	if err := a.openRoot(ctx); err != nil {
		return err
	}
	o := backups.KeysOrder{File: file, Identity: identity, Folder: c.Data, Seed: a.copiedSeed}
	if c.Database == "" {
		return backups.RestoreKeys(ctx, o)
	}
	rows, err := postgres.Open(ctx, postgres.Config{URL: c.keyDatabase(), Schema: postgres.KeySchema, Migrations: keyring.Migrations(), UnsafeForTests: c.UnsafeForTests})
	if err != nil {
		return fmt.Errorf("open the key store: %w", err)
	}
	o.Rows = rows
	return errors.Join(backups.RestoreKeys(ctx, o), rows.Close())
}

// copiedSeed is the secret that signs, as a copy of the keys has it.
func (a *App) copiedSeed(ctx context.Context, read func(path string) ([]byte, error)) ([]byte, error) {
	wrapped, err := read("keys/" + seedName + "/" + ids.Installation.String())
	if err != nil {
		return nil, err
	}
	raw, err := keyring.Pages{Root: a.root}.Unwrap(ctx, ids.Installation, wrapped)
	if err != nil {
		return nil, errs.New(errs.Invalid, "The keys were not restored: this root key does not open them.").Because(err)
	}
	return raw[:aead.KeySize], nil
}

// unlocked refuses a database that was restored and not released.
func (a *App) unlocked(ctx context.Context) error {
	if a.Config.Restoring {
		return nil
	}
	return quarantine.Database(ctx, a.Vault)
}
