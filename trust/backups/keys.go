package backups

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/backups/bucket"
	"aver/trust/backups/manifest"
	"aver/trust/backups/shelf"
	"aver/vault/dump"
	"aver/vault/durable"
	"aver/vault/engine"
)

// keysDue replaces the copy of the key store after a day, and after an erasure: an older copy would hold a destroyed key.
func (s *Service) keysDue(ctx context.Context) error {
	made, there, err := s.keysCopied(ctx)
	if err != nil || !there || clock.Within(s.vault.Now(), made, copyPause) { // with many erasures a copy for each would be too much work
		return err
	}
	due := s.erased.Load() || s.vault.Now().Sub(made) > interval
	if s.cfg.Shared && !due {
		due, err = s.erasedSince(ctx, made)
	}
	if err != nil || !due {
		return err
	}
	s.erased.Store(false)
	s.working.Lock()
	defer s.working.Unlock()
	if err := s.copyKeys(ctx); err != nil {
		s.erased.Store(true)
		return err
	}
	return nil
}

// keysCopied is when the keys were last copied, if they ever were.
func (s *Service) keysCopied(ctx context.Context) (made time.Time, there bool, err error) {
	copies, err := s.keysShelf().List(ctx, shelf.Keys)
	if err != nil || len(copies) == 0 {
		return made, false, err
	}
	made, there = shelf.MadeAt(copies[len(copies)-1].Name)
	return made, there, nil
}

// erasedSince tells whether somebody was erased, by whichever process.
func (s *Service) erasedSince(ctx context.Context, since time.Time) (bool, error) {
	tenants, err := s.tenants(ctx)
	for _, tenant := range tenants {
		at, failed := s.vault.LastErasure(ctx, tenant)
		if failed != nil || !at.Before(since) {
			return failed == nil, failed
		}
	}
	return false, err
}

// Renew makes a copy of the keys at once where there is one already: after keys were destroyed, the older copy has them.
func (s *Service) Renew(ctx context.Context) error {
	if _, there, err := s.keysCopied(ctx); err != nil || !there {
		return err
	}
	s.working.Lock()
	defer s.working.Unlock()
	return s.copyKeys(ctx)
}

// copyKeys makes a copy of the key store and removes the older ones: somebody erased since is still in them.
func (s *Service) copyKeys(ctx context.Context) error {
	if s.cfg.KeyStore == nil {
		return nil
	}
	at := s.keysShelf()
	older, err := at.List(ctx, shelf.Keys)
	if err != nil {
		return err
	}
	made := s.vault.Now()
	name := keysOf(made)
	for slices.ContainsFunc(older, func(f bucket.Item) bool { return f.Name == name }) { // no file is replaced
		made = made.Add(time.Millisecond)
		name = keysOf(made)
	}
	if _, _, err := s.put(ctx, at, name, s.keysFor(), func(z *zip.Writer) error { return s.fillKeys(ctx, z) }); err != nil {
		return err
	}
	for _, f := range older {
		err = errors.Join(err, at.Remove(ctx, f.Name))
	}
	return errors.Join(err, s.forgetKeysHere(ctx))
}

// keysShelf is where the copy of the keys lies.
func (s *Service) keysShelf() shelf.Shelf {
	if s.cfg.Keys != nil {
		return s.cfg.Keys
	}
	return shelf.Folder(s.cfg.Folder)
}

func (s *Service) keysFor() []string {
	if len(s.cfg.KeysFor) > 0 {
		return s.cfg.KeysFor
	}
	return s.cfg.Recipients
}

// forgetKeysHere removes copies from the folder where they lay before they got a shelf of their own.
func (s *Service) forgetKeysHere(ctx context.Context) error {
	if s.cfg.Keys == nil {
		return nil
	}
	folder := shelf.Folder(s.cfg.Folder)
	left, err := folder.List(ctx, shelf.Keys)
	for _, f := range left {
		err = errors.Join(err, folder.Remove(ctx, f.Name))
	}
	return err
}

// keysOf is the name of a copy of the keys.
func keysOf(made time.Time) string { return shelf.Keys + made.Format(shelf.Stamp) + shelf.Sealed }

func (s *Service) fillKeys(ctx context.Context, z *zip.Writer) error {
	tenants, err := s.tenants(ctx)
	if err != nil {
		return err
	}
	var p manifest.Part
	for _, tenant := range tenants {
		err := add(&p, z, "keys/stores/"+tenant.String()+"/"+s.storeFile(), func(w io.Writer) error { return s.cfg.KeyStore.Snapshot(ctx, tenant, w) })
		if err != nil {
			return err
		}
	}
	root := filepath.Join(s.cfg.Data, "keys")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(root, path)
		if err = errors.Join(err, relErr); err != nil {
			return err
		}
		if d.IsDir() && rel == "stores" {
			return fs.SkipDir
		}
		if d.IsDir() || rel == "reserve" || !d.Type().IsRegular() {
			return nil
		}
		return add(&p, z, "keys/"+filepath.ToSlash(rel), func(w io.Writer) error { return copyFile(w, path) })
	})
}

// RestoreKeys unpacks a copy of the keys for a machine that took the lost one's place: files into an empty folder, and
// rows, of a copy that was made on PostgreSQL, into an empty key store. Every key in it is wrapped by the root key, so
// whatever somebody altered does not open.
func RestoreKeys(ctx context.Context, file string, identity io.Reader, folder string, rows engine.Engine) error {
	who, err := age.ParseIdentities(identity)
	if err != nil {
		return errs.New(errs.Invalid, "This is not an age identity.").Because(err)
	}
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open the copy of the keys: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	z, err := openArchive(f, info.Size(), who)
	if err != nil {
		return err
	}
	if there, err := os.ReadDir(filepath.Join(folder, "keys")); err == nil && len(there) > 0 {
		return errs.New(errs.Conflict, "The folder has keys already.")
	}
	for _, entry := range z.File {
		if err := unpackKeys(ctx, entry, folder, rows); err != nil {
			return full(err)
		}
	}
	return durable.Names(folder)
}

func unpackKeys(ctx context.Context, entry *zip.File, folder string, rows engine.Engine) error {
	if path.Clean(entry.Name) != entry.Name || !filepath.IsLocal(entry.Name) || !strings.HasPrefix(entry.Name, "keys/") {
		return manifest.Altered("it names a file outside its folder.")
	}
	from, err := entry.Open()
	if err != nil {
		return manifest.Altered("its content cannot be read.").Because(err)
	}
	defer from.Close()
	if path.Base(entry.Name) != rowsFile {
		return durable.WriteNew(filepath.Join(folder, filepath.FromSlash(entry.Name)), copying(from))
	}
	tenant, err := ids.ParseTenant(path.Base(path.Dir(entry.Name)))
	if err != nil {
		return manifest.Altered("it names no workspace.").Because(err)
	}
	if rows == nil {
		return errs.New(errs.Invalid, "These keys are of an installation on PostgreSQL: say into which database they go.")
	}
	if _, err := dump.Load(ctx, rows, tenant, from); errors.Is(err, engine.ErrUnique) {
		return errs.New(errs.Conflict, "The key store to restore into is not empty.").Because(err)
	} else if err != nil {
		return err
	}
	return nil
}
