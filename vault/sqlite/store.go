package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"aver/base/ids"
	"aver/vault/engine"
)

// A store is one tenant's open file: one connection that writes, some that read, one that keeps the log short.
type store struct {
	engine *Engine
	tenant ids.Tenant
	folder string

	// Guarded by Engine.mu.
	users   int
	used    time.Time     // when the last user left
	doomed  bool          // being removed
	drained chan struct{} // closed when the last user of a doomed store leaves
	ending  chan struct{} // not nil while idle connections are being closed, closed after that

	ready atomic.Bool // connections are open

	mu   sync.Mutex // opening, and the readers at rest
	key  []byte
	rest []*conn

	lane   token // whoever has it may write
	writer *conn // belongs to who has the lane; nil after it broke
	seats  token // one for each read

	log log
}

func newStore(e *Engine, tenant ids.Tenant) *store {
	return &store{
		engine: e, tenant: tenant, folder: e.folder(tenant), used: e.cfg.Clock.Now(),
		lane: make(token, 1), seats: make(token, e.cfg.Readers), log: log{turn: make(token, 1)},
	}
}

// folder is where a tenant's store lies.
func (e *Engine) folder(tenant ids.Tenant) string {
	return filepath.Join(e.cfg.Root, "stores", tenant.String())
}

// path is the database file in a store's folder.
func path(folder string) string { return filepath.Join(folder, "data.db") }

// open makes the store ready: key, writer, schema. It costs about a millisecond when the schema is current.
func (s *store) open(ctx context.Context) error {
	if s.ready.Load() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready.Load() {
		return nil
	}
	if _, err := os.Stat(path(s.folder)); errors.Is(err, fs.ErrNotExist) {
		return engine.ErrNoTenant
	} else if err != nil {
		return fmt.Errorf("find the store: %w", err)
	}
	key, err := s.engine.cfg.PageKey(ctx, s.tenant)
	if err != nil {
		return fmt.Errorf("page key: %w", err)
	}
	s.key = key
	if s.writer, err = s.dialWriter(); err != nil {
		return err
	}
	if err := s.engine.schema.apply(ctx, s.writer, s.database()); err != nil {
		return errors.Join(err, s.dropWriter())
	}
	// The log's name must be as durable as the commits in it.
	if err := syncFolder(s.folder); err != nil {
		return errors.Join(err, s.dropWriter())
	}
	s.ready.Store(true)
	return nil
}

func (s *store) database() database {
	return database{vfs: s.engine.cfg.VFS, path: path(s.folder), key: s.key, flags: sqlite3.OPEN_READWRITE | sqlite3.OPEN_URI}
}

// dialWriter opens a connection that may write.
func (s *store) dialWriter() (*conn, error) { return dial(s.database(), writing) }

func (s *store) dropWriter() error {
	c := s.writer
	s.writer = nil
	return c.close()
}

// write runs fn in the one write transaction of the store.
func (s *store) write(ctx context.Context, fn func(engine.Conn) error) error {
	if err := s.lane.take(ctx); err != nil {
		return err
	}
	defer s.lane.give()
	if s.writer == nil {
		c, err := s.dialWriter()
		if err != nil {
			return err
		}
		s.writer = c
	}
	defer func() {
		if s.writer.broken {
			_ = s.dropWriter() // the error that broke it is on its way to the caller
			return
		}
		s.log.grown(s, s.writer.pages)
	}()
	return s.writer.transact(ctx, "BEGIN IMMEDIATE", fn)
}

// read runs fn on a snapshot.
func (s *store) read(ctx context.Context, fn func(engine.Conn) error) error {
	if err := s.seats.take(ctx); err != nil {
		return err
	}
	defer s.seats.give()
	c, err := s.reader()
	if err != nil {
		return err
	}
	defer s.letRest(c)
	return c.transact(ctx, "BEGIN DEFERRED", fn)
}

// reader takes a connection at rest or opens one.
func (s *store) reader() (*conn, error) {
	s.mu.Lock()
	if n := len(s.rest); n > 0 {
		c := s.rest[n-1]
		s.rest = s.rest[:n-1]
		s.mu.Unlock()
		return c, nil
	}
	s.mu.Unlock()
	return dial(s.database(), reading)
}

func (s *store) letRest(c *conn) {
	if c.broken {
		_ = c.close() // the error that broke it is on its way to the caller
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = append(s.rest, c)
}

// close ends all connections. Nobody uses the store any more.
func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready.Store(false)
	var errs []error
	for _, c := range s.rest {
		errs = append(errs, c.close())
	}
	s.rest = nil
	errs = append(errs, s.log.close())
	if s.writer != nil {
		errs = append(errs, s.dropWriter()) // last, because the last one empties the log
	}
	return errors.Join(errs...)
}

// syncFolder makes the names in a folder durable.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("make %s durable: %w", filepath.Base(folder), err)
	}
	return nil
}
