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
	"path"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/backups/archive"
	"aver/trust/backups/manifest"
	"aver/trust/backups/quarantine"
	"aver/trust/backups/shelf"
	"aver/trust/backups/tally"
	"aver/vault"
	"aver/vault/dump"
	"aver/vault/durable"
	"aver/vault/engine"
	"aver/vault/sqlite"
)

// manifest reads and checks the file beside a backup.
func (s *Service) manifest(ctx context.Context, from shelf.Shelf, name string) (m manifest.Manifest, err error) {
	raw, err := readAll(ctx, from, manifestOf(name))
	if errors.Is(err, fs.ErrNotExist) {
		return m, manifest.Altered("its manifest is missing.").Because(err)
	}
	if err != nil {
		return m, err
	}
	key, err := manifest.Key(s.cfg.Seed)
	if err != nil {
		return m, err
	}
	return manifest.Read(raw, name, key.Public().(ed25519.PublicKey))
}

// mostManifest is how long a manifest may be, in bytes: it names every file.
const mostManifest = 256 << 20

func readAll(ctx context.Context, from shelf.Shelf, name string) ([]byte, error) {
	content, err := from.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(content, mostManifest))
	return raw, errors.Join(err, content.Close())
}

// Order says what to restore, and where to.
type Order struct {
	From     shelf.Shelf   // where the backup lies; nil for where this installation's lie
	Name     string        // of the backup
	Identity io.Reader     // age identities; nil for those on this machine
	To       string        // a folder that is empty or does not exist
	Rows     engine.Engine // empty stores of PostgreSQL, for rows; nil puts rows into stores of files
}

// Restore checks a backup against its signed manifest, opens it, and writes the stores into a folder, or files into the
// folder and rows into a database. They stay in quarantine: Release them with the key store before anybody serves them.
// Whether it was done or refused is in the installation's log.
func (s *Service) Restore(ctx context.Context, actor vault.Actor, o Order) (manifest.Manifest, error) {
	if err := s.vault.Permit(ctx, actor, actRestore); err != nil {
		return manifest.Manifest{}, err
	}
	m, err := s.restore(ctx, o)
	event := vault.Event{Kind: "backup.restored", Object: m.Name}
	if err != nil {
		event.Kind = "backup.refused"
	}
	logged := s.vault.Do(ctx, actor, actRestore, func(tx *vault.Tx) error {
		tx.Emit(event, nil)
		return nil
	})
	return m, errors.Join(err, logged)
}

func (s *Service) restore(ctx context.Context, o Order) (manifest.Manifest, error) {
	if o.From == nil {
		o.From = s.shelf()
	}
	m, err := s.manifest(ctx, o.From, o.Name)
	if err != nil {
		return m, err
	}
	who, err := s.identities(o.Identity)
	if err != nil {
		return m, err
	}
	f, err := s.fetch(ctx, o.From, m)
	if err != nil {
		return m, err
	}
	defer f.Close()
	if there, err := os.ReadDir(o.To); err == nil && len(there) > 0 {
		return m, errs.New(errs.Conflict, "The folder to restore into is not empty.")
	}
	z, err := archive.Open(f, m.Size, who)
	if err != nil {
		return m, err
	}
	if err = s.unpack(ctx, z, m, o); errs.Is(err, errs.Invalid) {
		return m, errors.Join(err, os.RemoveAll(o.To)) // what is not as it was made is not left to be taken for it
	}
	return m, full(err)
}

// fetch returns a file of a backup's bytes, as many as were signed for. Whether they are the ones is seen file by file.
func (s *Service) fetch(ctx context.Context, from shelf.Shelf, m manifest.Manifest) (*os.File, error) {
	content, err := from.Get(ctx, m.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, manifest.Altered("there is only its manifest.").Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the backup: %w", err)
	}
	f, here := content.(*os.File)
	if !here { // on another machine: a copy is made, still encrypted
		defer content.Close()
		if f, err = durable.Nameless(s.cfg.Data); err != nil {
			return nil, full(err)
		}
		err = tally.Copy(f, io.LimitReader(content, m.Size+1))
	}
	info, failed := f.Stat()
	if err = errors.Join(err, failed); err != nil {
		return nil, errors.Join(full(fmt.Errorf("read the backup: %w", err)), f.Close())
	}
	if info.Size() != m.Size {
		return nil, errors.Join(manifest.Altered(fmt.Sprintf("it has %d bytes, and %d were signed.", info.Size(), m.Size)), f.Close())
	}
	return f, nil
}

// unpack writes exactly what the manifest lists, in quarantine.
func (s *Service) unpack(ctx context.Context, z *zip.Reader, m manifest.Manifest, o Order) (err error) {
	if err := quarantine.Begin(ctx, m, o.To, o.Rows); err != nil {
		return err
	}
	into := o.Rows
	if into == nil && s.cfg.Shared {
		files, err := s.files(o.To)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, files.Close()) }()
		into = files
	}
	files, rows, err := s.wanted(ctx, m)
	if err != nil {
		return err
	}
	if err := unpackAll(ctx, z, files, rows, o.To, into); err != nil {
		return err
	}
	return quarantine.End(m, o.To)
}

// owned is a file in an archive.
type owned struct {
	manifest.File
	tenant ids.Tenant
}

// wanted are the files of an archive, those with rows first, and how many of these there are. What is left out is of tenants
// that were destroyed: they are not brought back, not even unreadable.
func (s *Service) wanted(ctx context.Context, m manifest.Manifest) (files []owned, rows int, err error) {
	var others []owned
	for _, part := range m.Tenants {
		gone, err := s.vault.Keys().Destroyed(ctx, part.Tenant)
		if err != nil {
			return nil, 0, err
		}
		if gone {
			continue
		}
		for _, f := range part.Files {
			if path.Base(f.Path) == rowsFile {
				files = append(files, owned{f, part.Tenant})
				continue
			}
			others = append(others, owned{f, part.Tenant})
		}
	}
	return append(files, others...), len(files), nil
}

// abreast is how many files are unpacked at a time: some while others wait for the disk.
const abreast = 3

// unpackAll has a store settle as soon as it has all its rows.
func unpackAll(ctx context.Context, z *zip.Reader, files []owned, rows int, to string, into engine.Engine) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(abreast)
	var left atomic.Int64
	left.Store(int64(rows))
	for _, f := range files {
		work.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			err := unpackFile(ctx, z, f.File, f.tenant, to, into)
			if settles, ok := into.(dump.Filler); ok && err == nil && path.Base(f.Path) == rowsFile && left.Add(-1) == 0 {
				err = settles.Settle(ctx)
			}
			return err
		})
	}
	return work.Wait()
}

// files are stores below a folder, which open with the live keys.
func (s *Service) files(folder string) (*sqlite.Engine, error) {
	return sqlite.Open(sqlite.Config{Root: folder, PageKey: s.vault.Keys().PageKey, Migrations: s.cfg.Schema})
}

func unpackFile(ctx context.Context, z *zip.Reader, f manifest.File, tenant ids.Tenant, to string, into engine.Engine) error {
	if !filepath.IsLocal(f.Path) {
		return manifest.Altered("it names a file outside its folder.")
	}
	return archive.Read(z, f, func(from io.Reader) error {
		if path.Base(f.Path) == rowsFile {
			return load(ctx, into, tenant, from)
		}
		return durable.WriteNew(filepath.Join(to, filepath.FromSlash(f.Path)), copying(from))
	})
}

// load puts a tenant's rows into its empty store.
func load(ctx context.Context, into engine.Engine, tenant ids.Tenant, from io.Reader) error {
	if into == nil {
		return manifest.Altered("it is of an installation on PostgreSQL, and this is none.")
	}
	if err := into.Create(ctx, tenant); err != nil {
		return fmt.Errorf("make a store: %w", err)
	}
	_, err := dump.Load(ctx, into, tenant, from)
	if errors.Is(err, dump.ErrDamaged) {
		return archive.Damaged(err, "its rows cannot be read.")
	}
	if err == nil {
		_, err = io.Copy(io.Discard, from) // what follows the end would be missed by the hash
	}
	return err
}

// copying fills a file with what is read.
func copying(from io.Reader) func(io.Writer) error {
	return func(to io.Writer) error { return tally.Copy(to, from) }
}
