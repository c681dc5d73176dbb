package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"aver/base/ids"
	"aver/vault/durable"
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
	writer *conn // belongs to who has the lane
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
	c, err := s.openWriter()
	if err != nil {
		return err
	}
	if err = s.migrate(ctx, c); err == nil {
		err = durable.Names(s.folder) // the log's name must be as durable as the commits in it
	}
	if err != nil {
		return errors.Join(err, c.close())
	}
	s.writer = c
	s.ready.Store(true)
	return nil
}

// migrate brings the schema up to date. A file that is costs one pragma.
func (s *store) migrate(ctx context.Context, c *conn) (err error) {
	set := s.engine.schema
	have, err := ask(c.db, "user_version", "")
	if err != nil {
		return c.failed("read the schema's version", err)
	}
	if set.Sum() == "" || set.Sum() == have {
		return nil
	}
	db, err := s.database().openDB()
	if err != nil {
		return err
	}
	if err := errors.Join(set.Apply(ctx, db), db.Close()); err != nil {
		return translate("bring the schema up to date", err)
	}
	if _, err := ask(c.db, "user_version", "="+set.Sum()); err != nil {
		return c.failed("note the schema's version", err)
	}
	return nil
}

// openWriter opens the first connection. A log that is there already was left by a crash, and nobody knows whether all
// of it is on the disk or some only in the system's memory, so it is moved into the file and synced there. A full disk
// has no room for that; then reading it as it is comes before durability.
func (s *store) openWriter() (*conn, error) {
	left, err := os.Stat(path(s.folder) + "-wal")
	crashed := err == nil && left.Size() > 0
	c, err := s.dialWriter()
	if err != nil || !crashed {
		return c, err
	}
	if _, _, err := c.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE); err != nil {
		if err := c.failed("recover after a crash", err); !errors.Is(err, engine.ErrFull) {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (s *store) database() database {
	return database{vfs: s.engine.cfg.VFS, path: path(s.folder), key: s.key, flags: sqlite3.OPEN_READWRITE | sqlite3.OPEN_URI}
}

// dialWriter opens a connection that may write.
func (s *store) dialWriter() (*conn, error) { return dial(s.database(), writing) }

// write runs fn in the one write transaction of the store.
func (s *store) write(ctx context.Context, fn func(engine.Conn) error) error {
	if err := s.takeWriter(ctx); err != nil {
		return err
	}
	defer s.lane.give()
	defer func() { s.log.grown(s, s.writer.pages) }()
	return s.writer.transact(ctx, "BEGIN IMMEDIATE", fn)
}

// takeWriter takes the lane and sees that the writer is sound.
func (s *store) takeWriter(ctx context.Context) error {
	for {
		if err := s.lane.take(ctx); err != nil {
			return err
		}
		if !s.writer.broken {
			return nil
		}
		s.lane.give()
		if err := s.repair(ctx); err != nil {
			return fmt.Errorf("repair after an I/O error: %w", err)
		}
	}
}

// repair replaces the writer after an I/O error. A log whose fsync failed may look whole and yet never reach the disk:
// the system forgets what it could not write, and later commits would stand on a hole. So before anything more is
// written, all that was committed is moved into the database file and synced there, and the log is cut. Until then one
// connection stays open at any time, because the last one takes with it the memory of where the last commit ended, and
// what failed would be found in the log and taken for a commit.
func (s *store) repair(ctx context.Context) error {
	if err := s.log.turn.take(ctx); err != nil {
		return err
	}
	defer s.log.turn.give()
	if err := s.lane.take(ctx); err != nil {
		return err
	}
	defer s.lane.give()
	if !s.writer.broken { // somebody else was here
		return nil
	}
	fresh, err := s.dialWriter()
	if err != nil {
		return err
	}
	fresh.broken = true // until the log is cut
	_ = s.writer.close()
	s.writer = fresh
	if _, _, err := s.log.move(ctx, s, sqlite3.CHECKPOINT_TRUNCATE); err != nil {
		return err
	}
	fresh.broken = false
	return nil
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
	c.rested = s.engine.cfg.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = append(s.rest, c)
}

// closeReaders closes the connections at rest that nobody has used after the given time: each has memory of its own.
func (s *store) closeReaders(unusedAfter time.Time) {
	s.mu.Lock()
	n := 0 // the first have rested longest
	for n < len(s.rest) && s.rest[n].rested.Before(unusedAfter) {
		n++
	}
	old := slices.Clone(s.rest[:n])
	s.rest = slices.Delete(s.rest, 0, n)
	s.mu.Unlock()
	for _, c := range old {
		_ = c.close() // it only read
	}
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
		errs = append(errs, s.writer.close()) // last, because the last one empties the log
		s.writer = nil
	}
	return errors.Join(errs...)
}
