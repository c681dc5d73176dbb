package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"aver/base/ids"
	"aver/vault/durable"
	"aver/vault/engine"
)

// Create implements engine.Engine.
func (e *Engine) Create(ctx context.Context, tenant ids.Tenant) error {
	done, err := e.change(ctx, tenant)
	if err != nil {
		return err
	}
	defer done()
	s, err := e.enter(ctx, tenant)
	if err == nil {
		e.leave(s)
		return nil
	}
	if !errors.Is(err, engine.ErrNoTenant) {
		return err
	}
	folder := e.folder(tenant)
	if err := makeStore(folder); err != nil {
		return translateFile("make the store", err)
	}
	if s, err = e.enter(ctx, tenant); err != nil {
		return errors.Join(err, os.RemoveAll(folder)) // nothing was ever stored in it
	}
	e.leave(s)
	return nil
}

// makeStore makes a folder with an empty database file. An empty file is a store without tables, so a crash from here
// on is healed when the store is opened.
func makeStore(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path(folder), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), durable.Names(folder), durable.Names(filepath.Dir(folder)))
}

// Remove implements engine.Engine. It waits for those who use the store, refuses newcomers, and removes the folder with
// everything in it. A store that is not there is no error.
func (e *Engine) Remove(ctx context.Context, tenant ids.Tenant) error {
	done, err := e.change(ctx, tenant)
	if err != nil {
		return err
	}
	defer done()
	s, err := e.doom(ctx, tenant)
	if err != nil {
		return err
	}
	if err := wait(ctx, s.drained); err != nil {
		e.pardon(s)
		return err
	}
	_ = s.close() // what it could tell is about to be gone
	err = removeStore(s.folder)
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.stores, tenant)
	return err
}

// doom keeps newcomers out. The store's channel drained closes when the last user has left.
func (e *Engine) doom(ctx context.Context, tenant ids.Tenant) (*store, error) {
	for {
		s := e.tryDoom(tenant)
		if s.doomed {
			return s, nil
		}
		if err := wait(ctx, s.ending); err != nil {
			return nil, err
		}
	}
}

func (e *Engine) tryDoom(tenant ids.Tenant) *store {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stores[tenant]
	if s == nil {
		s = newStore(e, tenant)
		e.stores[tenant] = s
	}
	if s.ending != nil {
		return s
	}
	s.doomed = true
	s.drained = make(chan struct{})
	if s.users == 0 {
		close(s.drained)
	}
	return s
}

// pardon lets a doomed store live on, because whoever wanted it removed went away.
func (e *Engine) pardon(s *store) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.doomed = false
	s.drained = nil
	if s.users == 0 && !s.ready.Load() {
		delete(e.stores, s.tenant)
	}
}

// removeStore takes the folder out of sight in one step, overwrites it and removes it; Open removes what a crash leaves.
func removeStore(folder string) error {
	hidden := hide(folder, "removed")
	if err := os.RemoveAll(hidden); err != nil {
		return fmt.Errorf("remove the store: %w", err)
	}
	if err := os.Rename(folder, hidden); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the store: %w", err)
	}
	if err := errors.Join(durable.Destroy(hidden), durable.Names(filepath.Dir(folder))); err != nil {
		return fmt.Errorf("remove the store: %w", err)
	}
	return nil
}

// hide names a folder beside a store's that Open clears away.
func hide(folder, why string) string {
	return filepath.Join(filepath.Dir(folder), "."+why+"-"+filepath.Base(folder))
}

// Snapshot implements engine.Engine: the bytes are the encrypted database file as of one commit, which Restore takes
// and the tenant's page key opens. Writers go on meanwhile. For the time of a local copy, which takes as much room as
// the store, the log is not shortened and nothing can be scrubbed.
func (e *Engine) Snapshot(ctx context.Context, tenant ids.Tenant, to io.Writer) error {
	s, err := e.enter(ctx, tenant)
	if err != nil {
		return err
	}
	defer e.leave(s)
	copied, err := s.copyFile(ctx)
	if err != nil {
		return translateFile("copy the store", err)
	}
	defer copied.Close()
	if _, err := io.CopyBuffer(to, struct{ io.Reader }{copied}, make([]byte, 512<<10)); err != nil {
		return fmt.Errorf("hand over the snapshot: %w", err)
	}
	return nil
}

// errNotAFile is what a file layer for tests causes that keeps its files elsewhere.
var errNotAFile = errors.New("the store is no file of the system")

// copyFile moves the log into the database file and copies that, while it keeps everybody from moving more.
func (s *store) copyFile(ctx context.Context) (copied *os.File, err error) {
	if err := s.log.turn.take(ctx); err != nil {
		return nil, err
	}
	defer s.log.turn.give()
	pages, moved, err := s.log.move(ctx, s, sqlite3.CHECKPOINT_PASSIVE)
	if err == nil && moved < pages { // somebody still reads an older snapshot
		err = s.log.settle(ctx, s, sqlite3.CHECKPOINT_FULL)
	}
	if err != nil {
		return nil, err
	}
	from, err := os.Open(path(s.folder))
	if err != nil {
		return nil, err
	}
	defer from.Close()
	if info, err := from.Stat(); err != nil || info.Size() == 0 {
		return nil, errors.Join(err, errNotAFile)
	}
	copied, err = os.CreateTemp(s.folder, ".snapshot-*")
	if err != nil {
		return nil, err
	}
	// Without a name it goes when it is closed, also when the process dies.
	err = os.Remove(copied.Name())
	if err == nil {
		_, err = io.Copy(copied, from)
	}
	if err == nil {
		_, err = copied.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, copied.Close())
	}
	return copied, nil
}

// Restore places a snapshot as the tenant's store. It refuses to replace one that exists, and what the tenant's page
// key does not open (ErrKey) or the database finds damaged.
func (e *Engine) Restore(ctx context.Context, tenant ids.Tenant, from io.Reader) error {
	done, err := e.change(ctx, tenant)
	if err != nil {
		return err
	}
	defer done()
	folder := e.folder(tenant)
	if _, err := os.Stat(path(folder)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore: the tenant has a store: %w", fs.ErrExist)
	}
	hidden := hide(folder, "restored")
	if err := e.fill(ctx, tenant, hidden, from); err != nil {
		return errors.Join(translateFile("restore", err), os.RemoveAll(hidden))
	}
	if err := errors.Join(durable.Names(hidden), os.Rename(hidden, folder), durable.Names(filepath.Dir(folder))); err != nil {
		return errors.Join(translateFile("restore", err), os.RemoveAll(hidden))
	}
	return nil
}

// fill writes the snapshot into a folder and opens it to see that it is whole.
func (e *Engine) fill(ctx context.Context, tenant ids.Tenant, folder string, from io.Reader) error {
	key, err := e.cfg.PageKey(ctx, tenant)
	if err != nil {
		return fmt.Errorf("page key: %w", err)
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path(folder), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	c, err := dial(database{vfs: e.cfg.VFS, path: path(folder), key: key, flags: sqlite3.OPEN_READWRITE | sqlite3.OPEN_URI})
	if err != nil {
		return err
	}
	answer, err := ask(c.db, "quick_check", "(1)")
	if err == nil && answer != "ok" {
		err = errors.New("the snapshot is damaged")
	}
	return errors.Join(err, c.close())
}
