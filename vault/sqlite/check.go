package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"aver/base/ids"
	"aver/vault/engine"
)

// Check implements engine.Engine: it reads back the settings of every open writer, tells
// whether its log could be kept short, and looks at the mode of every file
// and folder and at the first bytes of every store.
func (e *Engine) Check(ctx context.Context) error {
	var findings []error
	for _, s := range e.holdAll() {
		findings = append(findings, s.check(ctx)...)
		e.leave(s)
	}
	findings = append(findings, e.checkFiles()...)
	if !e.reserve.held() {
		findings = append(findings, errors.New("the reserve is not there: on a full disk erasures would fail"))
	}
	return errors.Join(findings...)
}

// Examine implements engine.Examiner: it opens the tenant's store if it is closed, and looks at every page.
func (e *Engine) Examine(ctx context.Context, tenant ids.Tenant) error {
	return e.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query("SELECT quick_check FROM pragma_quick_check", nil, func(row []any) error {
			if said, _ := row[0].(string); said != "ok" {
				return fmt.Errorf("the file is damaged: %s", said)
			}
			return nil
		})
	})
}

// holdAll counts the caller in at every store that is open.
func (e *Engine) holdAll() []*store {
	e.mu.Lock()
	defer e.mu.Unlock()
	var open []*store
	for _, s := range e.stores {
		if s.ready.Load() && !s.doomed && s.ending == nil && !e.closed {
			s.users++
			e.working.Add(1)
			open = append(open, s)
		}
	}
	return open
}

// check lists what is unsafe about the connections of a store.
func (s *store) check(ctx context.Context) (findings []error) {
	if err := s.log.turn.take(ctx); err != nil {
		return []error{err}
	}
	defer s.log.turn.give()
	if err := s.lane.take(ctx); err != nil {
		return []error{err}
	}
	defer s.lane.give()
	findings = unsafe(s.writer.db, safety)
	if s.log.trouble != nil {
		findings = append(findings, fmt.Errorf("the log grows: %w", s.log.trouble))
	}
	return findings
}

// checkFiles walks the data folder's stores.
func (e *Engine) checkFiles() (findings []error) {
	err := filepath.WalkDir(filepath.Join(e.cfg.Root, "stores"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a log that was deleted meanwhile
		}
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			findings = append(findings, fmt.Errorf("%s has mode %o: others than its owner can reach it", e.short(path), info.Mode().Perm()))
		}
		if entry.Name() == "data.db" && plain(path) {
			findings = append(findings, fmt.Errorf("%s is not encrypted", e.short(path)))
		}
		return nil
	})
	if err != nil {
		findings = append(findings, fmt.Errorf("look at the stores: %w", err))
	}
	return findings
}

// short names a file inside the data folder.
func (e *Engine) short(path string) string {
	if rel, err := filepath.Rel(e.cfg.Root, path); err == nil {
		return rel
	}
	return path
}

// plain tells whether the file begins as an unencrypted SQLite file does.
func plain(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 16)
	n, _ := f.Read(start)
	return bytes.Equal(start[:n], []byte("SQLite format 3\x00"))
}
