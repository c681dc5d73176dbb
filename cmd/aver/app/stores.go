package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"aver/base/aead"
	"aver/base/clock"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/live"
	"aver/vault/engine"
	"aver/vault/keyring"
	"aver/vault/postgres"
	"aver/vault/sqlite"
)

// stores is where everything is kept: the data, the keys apart from it, and the queue.
type stores struct {
	data, keyStore engine.Engine
	keys           *keyring.Keyring
	pages          *keyring.Pages // embedded only
	queue          *sql.DB
	dialect        jobs.Dialect
	embedded       *sqlite.Engine     // nil on PostgreSQL
	shared         *postgres.Engine   // nil when embedded
	sharedKeys     *postgres.Engine   // nil when embedded
	schema         []engine.Migration // of the data
}

func openStores(ctx context.Context, c Config, root keyring.Root, migrations []engine.Migration, time clock.Clock) (*stores, error) {
	open := openEmbedded
	if c.Database != "" {
		open = openShared
	}
	s, err := open(ctx, c, root, migrations, time)
	if err != nil {
		return nil, err
	}
	s.schema = migrations
	return s, nil
}

func openEmbedded(ctx context.Context, c Config, root keyring.Root, migrations []engine.Migration, time clock.Clock) (*stores, error) {
	s := &stores{dialect: jobs.SQLite}
	folder := filepath.Join(c.Data, "keys")
	s.pages = &keyring.Pages{Dir: filepath.Join(folder, "pages"), Root: root}
	keyStore, err := sqlite.Open(sqlite.Config{Root: folder, Migrations: keyring.Migrations(), Clock: time,
		PageKey: func(ctx context.Context, tenant ids.Tenant) ([]byte, error) { return s.pages.Get(ctx, tenant) }})
	if err != nil {
		return nil, fmt.Errorf("open the key store: %w", err)
	}
	s.keyStore, s.keys = keyStore, keyring.Open(keyStore, root, time)
	s.embedded, err = sqlite.Open(sqlite.Config{Root: c.Data, Migrations: migrations, PageKey: s.keys.PageKey, Clock: time})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the stores: %w", err), keyStore.Close())
	}
	s.data = s.embedded
	s.queue, err = openQueue(ctx, c, root)
	if err != nil {
		return nil, errors.Join(err, s.data.Close(), keyStore.Close())
	}
	return s, nil
}

// openQueue opens River's file under a key of its own, kept beside it and wrapped by the root key.
func openQueue(ctx context.Context, c Config, root keyring.Root) (*sql.DB, error) {
	folder := filepath.Join(c.Data, "jobs")
	key, err := keyring.Pages{Dir: filepath.Join(c.Data, "keys", "queue"), Root: root}.Get(ctx, ids.Installation)
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	return sqlite.OpenDB(filepath.Join(folder, "jobs.db"), key)
}

func openShared(ctx context.Context, c Config, root keyring.Root, migrations []engine.Migration, time clock.Clock) (*stores, error) {
	s := &stores{dialect: jobs.PostgreSQL}
	data, err := postgres.Open(ctx, postgres.Config{URL: c.Database, Migrations: migrations, UnsafeForTests: c.UnsafeForTests})
	if err != nil {
		return nil, fmt.Errorf("open the stores: %w", err)
	}
	keyStore, err := postgres.Open(ctx, postgres.Config{URL: c.keyDatabase(), Schema: postgres.KeySchema, Migrations: keyring.Migrations(), UnsafeForTests: c.UnsafeForTests})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the key store: %w", err), data.Close())
	}
	s.shared, s.data, s.sharedKeys, s.keyStore = data, data, keyStore, keyStore
	s.keys = keyring.Open(keyStore, root, time)
	if s.queue, err = postgres.OpenDB(c.Database); err != nil {
		return nil, errors.Join(fmt.Errorf("open the queue: %w", err), keyStore.Close(), data.Close())
	}
	return s, nil
}

// keyDatabase is where keys are kept: the same server unless another one is named.
func (c Config) keyDatabase() string {
	if c.KeyDatabase != "" {
		return c.KeyDatabase
	}
	return c.Database
}

// Migrate brings a PostgreSQL database up to date, as the role that owns it. The serving role must exist already.
func Migrate(ctx context.Context, owner, keyOwner, role string) error {
	migrations, err := allMigrations(Config{})
	if err != nil {
		return err
	}
	if keyOwner == "" {
		keyOwner = owner
	}
	return errors.Join(
		postgres.Migrate(ctx, owner, role, postgres.StoreSchema, migrations),
		postgres.Migrate(ctx, keyOwner, role, postgres.KeySchema, keyring.Migrations()),
		postgres.MigrateJobs(ctx, owner, role))
}

// close closes everything that openStores opened but for the data engine, which the vault closes.
func (s *stores) close() error {
	return errors.Join(s.queue.Close(), s.keyStore.Close())
}

// notices carries short texts between processes over one channel of PostgreSQL.
type notices struct {
	engine  *postgres.Engine
	channel string
}

var _ live.Relay = notices{}

func (n notices) Notify(ctx context.Context, payload string) error {
	return n.engine.Notify(ctx, n.channel, payload)
}

func (n notices) Listen(ctx context.Context, receive func(string)) error {
	return n.engine.Listen(ctx, n.channel, receive)
}

// logRoot tells whoever starts Aver for the first time what they must keep.
func logRoot(log *slog.Logger, c Config, created bool) {
	if created {
		log.Warn("made a new root key: without it nothing can be read. Keep a copy away from the data folder", "file", c.rootFile())
	}
}

// seedName is the installation's secret that signs checkpoints and manifests.
const seedName = "manifests"

// installationSecret is a secret of the installation's own that must survive restarts, such as the seed that signs
// checkpoints: a file beside the keys, wrapped by the root key.
func installationSecret(ctx context.Context, c Config, root keyring.Root, name string) ([]byte, error) {
	raw, err := keyring.Pages{Dir: filepath.Join(c.Data, "keys", name), Root: root}.Get(ctx, ids.Installation)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("read the installation's secret %s: %w", name, err)
	}
	if err != nil {
		return nil, err
	}
	return raw[:aead.KeySize], nil
}

// secretFolders are where installationSecret and openQueue keep wrapped keys.
func (a *App) secretFolders() []string {
	found, _ := filepath.Glob(filepath.Join(a.Config.Data, "keys", "*", ids.Installation.String())) // the pattern is well formed
	var out []string
	for _, path := range found {
		if dir := filepath.Dir(path); filepath.Base(dir) != "pages" && filepath.Base(dir) != "stores" {
			out = append(out, dir)
		}
	}
	return out
}
