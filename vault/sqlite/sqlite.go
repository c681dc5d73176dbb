// Package sqlite is the vault's embedded engine: one SQLite file per tenant, each under its own AES-256-XTS page key.
//
// A commit is acknowledged after fsync and never before. Page encryption hides what is stored and how much of it; it
// does not show tampering, so the vault seals values besides. Nobody but the vault should use this package: it neither
// chooses tenants nor checks who asks. For several processes or machines use the PostgreSQL engine instead.
//
//	<root>/reserve                room kept back so that erasures work on a full disk
//	<root>/stores/<tenant>/data.db, data.db-wal, data.db-shm
package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aver/base/clock"
	"aver/base/ids"
	"aver/vault/durable"
	"aver/vault/engine"
	"aver/vault/sqlite/pages"
	"aver/vault/sqlite/schema"
)

// Config says where the stores lie and who has their keys. Root and PageKey are needed; the rest may stay zero.
type Config struct {
	Root       string                                                       // the data folder
	PageKey    func(ctx context.Context, tenant ids.Tenant) ([]byte, error) // 64 bytes; asked for when a store is opened
	Migrations []engine.Migration                                           // the schema of every store
	MaxOpen    int                                                          // stores open at a time, unless more are in use; default 64
	Idle       time.Duration                                                // an unused store is closed after this; default 15 seconds
	Readers    int                                                          // reads of one tenant at the same time; default 4
	Clock      clock.Clock                                                  // measures idleness; default the system's

	// VFS is for rigs that break disks: the name of a registered layer that encrypts, as those of package pages do.
	// The engine has made the database file, empty, through the system before the layer opens it.
	VFS string
}

// errClosed answers every call after Close.
var errClosed = fmt.Errorf("the database engine: %w", os.ErrClosed)

// Engine implements engine.Engine.
type Engine struct {
	cfg     Config
	schema  schema.Set
	reserve reserve
	logSize logSize

	mu       sync.Mutex
	stores   map[ids.Tenant]*store
	changing map[ids.Tenant]chan struct{} // stores being made, placed or removed
	closed   bool
	working  sync.WaitGroup // callers inside, and stores being closed
	stop     chan struct{}  // ends the sweeper
}

var (
	_ engine.Engine   = (*Engine)(nil)
	_ engine.Examiner = (*Engine)(nil)
)

// Open prepares the data folder. Stores are opened when they are first used.
func Open(cfg Config) (*Engine, error) {
	if cfg.Root == "" || cfg.PageKey == nil {
		return nil, errors.New("sqlite: a data folder and a source of page keys are needed")
	}
	root, err := filepath.Abs(cfg.Root)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	cfg.Root = root
	cfg.MaxOpen = cmp.Or(cfg.MaxOpen, 64)
	cfg.Idle = cmp.Or(cfg.Idle, 15*time.Second)
	cfg.Readers = cmp.Or(cfg.Readers, 4)
	cfg.VFS = cmp.Or(cfg.VFS, pages.Register())
	if cfg.Clock == nil {
		cfg.Clock = &clock.System{}
	}
	migrations, err := schema.Render(cfg.Migrations)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	e := &Engine{
		cfg: cfg, schema: migrations, logSize: usualLog, stop: make(chan struct{}),
		stores: map[ids.Tenant]*store{}, changing: map[ids.Tenant]chan struct{}{},
	}
	e.reserve.path = filepath.Join(root, "reserve")
	if err := e.prepareFolders(); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	go e.sweep()
	return e, nil
}

// prepareFolders makes what is missing and clears what an interrupted Remove or Restore left behind.
func (e *Engine) prepareFolders() error {
	if err := os.MkdirAll(filepath.Join(e.cfg.Root, "stores"), 0o700); err != nil {
		return err
	}
	leftovers, err := filepath.Glob(filepath.Join(e.cfg.Root, "stores", ".*"))
	if err != nil {
		return err
	}
	for _, folder := range leftovers {
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	if err := e.reserve.refill(); err != nil && !noSpace(err) {
		return err
	}
	return durable.Names(e.cfg.Root)
}

// TenantColumn implements engine.Engine: a file holds one tenant, so rows do not say whose they are.
func (e *Engine) TenantColumn() bool { return false }

// Lanes implements engine.Engine: SQLite has one writer per file.
func (e *Engine) Lanes() int { return 1 }

// Write implements engine.Engine. Callers of one tenant wait for each other; whoever wants many commits a second
// puts many callers into one Write.
func (e *Engine) Write(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	s, err := e.enter(ctx, tenant)
	if err != nil {
		return err
	}
	defer e.leave(s)
	return s.write(ctx, fn)
}

// Read implements engine.Engine. It runs beside the writer and beside Config.Readers-1 other reads of the tenant. A
// read inside a read holds two of them.
func (e *Engine) Read(ctx context.Context, tenant ids.Tenant, fn func(engine.Conn) error) error {
	s, err := e.enter(ctx, tenant)
	if err != nil {
		return err
	}
	defer e.leave(s)
	return s.read(ctx, fn)
}

// sweep closes idle stores now and then, and takes the reserve back when there is room again.
func (e *Engine) sweep() {
	tick := time.NewTicker(max(e.cfg.Idle/4, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
			e.closeIdle()
			e.reclaim()
		}
	}
}

// Close implements engine.Engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.stop)
	}
	e.mu.Unlock()
	e.working.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for tenant, s := range e.stores {
		errs = append(errs, s.close())
		delete(e.stores, tenant)
	}
	return errors.Join(errs...)
}
