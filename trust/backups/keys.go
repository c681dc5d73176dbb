package backups

import (
	"archive/zip"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"

	"aver/base/clock"
	"aver/base/errs"
	"aver/trust/backups/archive"
	"aver/trust/backups/bucket"
	"aver/trust/backups/manifest"
	"aver/trust/backups/shelf"
	"aver/trust/backups/tally"
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
	m := manifest.Manifest{Version: manifest.Version, Name: name, Made: made}
	if _, _, err := s.put(ctx, at, name, s.keysFor(), func(z *zip.Writer) error { return s.fillKeys(ctx, z, &m) }); err != nil {
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

// keysManifest is the last file of a copy of the keys: what must be in it, signed.
const keysManifest = "manifest.json"

func (s *Service) fillKeys(ctx context.Context, z *zip.Writer, m *manifest.Manifest) error {
	tenants, err := s.tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		p := manifest.Part{Tenant: tenant}
		err := add(&p, z, "keys/stores/"+tenant.String()+"/"+s.storeFile(), func(w io.Writer) error { return s.cfg.KeyStore.Snapshot(ctx, tenant, w) })
		if err != nil {
			return err
		}
		m.Tenants = append(m.Tenants, p)
	}
	if err := s.smallKeys(z, &m.Tenants[0]); err != nil {
		return err
	}
	whole, err := s.signed(*m)
	if err != nil {
		return err
	}
	return add(new(manifest.Part), z, keysManifest, func(w io.Writer) error { _, err := w.Write(whole); return err })
}

// smallKeys copies the files that lie beside the key store.
func (s *Service) smallKeys(z *zip.Writer, p *manifest.Part) error {
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
		return add(p, z, "keys/"+filepath.ToSlash(rel), func(w io.Writer) error { return copyFile(w, path) })
	})
}

// KeysOrder says what copy of the keys to restore, and where to.
type KeysOrder struct {
	File     string    // under the name that it was made with
	Identity io.Reader // age identities
	Folder   string    // without keys
	Rows     engine.Engine
	// Seed finds the secret that signs among the files of the copy, where it lies wrapped by the root key.
	Seed func(ctx context.Context, read func(path string) ([]byte, error)) ([]byte, error)
}

// RestoreKeys unpacks a copy of the keys for a machine that took the lost one's place: files into a folder without keys,
// and rows, of a copy that was made on PostgreSQL, into an empty key store. Before anything is written, all of it is
// checked against the manifest in it, which who has the root key knows to be signed by the installation.
func RestoreKeys(ctx context.Context, o KeysOrder) error {
	who, err := age.ParseIdentities(o.Identity)
	if err != nil {
		return errs.New(errs.Invalid, "This is not an age identity.").Because(err)
	}
	f, err := os.Open(o.File)
	if err != nil {
		return fmt.Errorf("open the copy of the keys: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	z, err := archive.Open(f, info.Size(), who)
	if err != nil {
		return err
	}
	if there, err := os.ReadDir(filepath.Join(o.Folder, "keys")); err == nil && len(there) > 0 {
		return errs.New(errs.Conflict, "The folder has keys already.")
	}
	m, err := genuineKeys(ctx, z, o)
	if err != nil {
		return err
	}
	for _, p := range m.Tenants {
		for _, f := range p.Files {
			if err := unpackFile(ctx, z, f, p.Tenant, o.Folder, o.Rows); errors.Is(err, engine.ErrUnique) {
				return errs.New(errs.Conflict, "The key store to restore into is not empty.").Because(err)
			} else if err != nil {
				return full(err)
			}
		}
	}
	return durable.Names(o.Folder)
}

// genuineKeys is the manifest of a copy of the keys whose every file is the one that was signed.
func genuineKeys(ctx context.Context, z *zip.Reader, o KeysOrder) (m manifest.Manifest, err error) {
	read := func(path string) ([]byte, error) {
		content, err := z.Open(path)
		if err != nil {
			return nil, manifest.Altered("a file is missing from it.").Because(err)
		}
		defer content.Close()
		return io.ReadAll(io.LimitReader(content, mostManifest))
	}
	whole, err := read(keysManifest)
	if err != nil {
		return m, err
	}
	seed, err := o.Seed(ctx, read)
	if err != nil {
		return m, err
	}
	key, err := manifest.Key(seed)
	if err != nil {
		return m, err
	}
	if m, err = manifest.Read(whole, filepath.Base(o.File), key.Public().(ed25519.PublicKey)); err != nil {
		return m, err
	}
	for _, p := range m.Tenants {
		for _, f := range p.Files {
			if err := archive.Read(z, f, func(from io.Reader) error { return tally.Copy(io.Discard, from) }); err != nil {
				return m, err
			}
		}
	}
	return m, nil
}
