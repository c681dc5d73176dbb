package backups

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/backups/archive"
	"aver/trust/backups/bucket"
	"aver/trust/backups/manifest"
	"aver/trust/backups/shelf"
	"aver/trust/backups/tally"
	"aver/vault"
)

const (
	pagesFile = "data.db" // a store of files, under its page key
	rowsFile  = "rows"    // a store of PostgreSQL, as package dump has it
)

// Now makes a backup of everything and a copy of the keys, and returns the manifest. That it began is in the log, and that
// it failed.
func (s *Service) Now(ctx context.Context, actor vault.Actor) (manifest.Manifest, error) {
	s.working.Lock()
	defer s.working.Unlock()
	defer s.stage.Store(nil)
	if err := s.note(ctx, actor, "backup.started"); err != nil {
		return manifest.Manifest{}, err
	}
	m, err := s.make(ctx)
	if err == nil {
		return m, nil
	}
	if failed := s.note(context.WithoutCancel(ctx), actor, "backup.failed"); failed != nil {
		s.cfg.Log.Error("a backup failed, and the log could not be told", "error", failed)
	}
	return m, err
}

func (s *Service) note(ctx context.Context, actor vault.Actor, kind string) error {
	return s.vault.Do(ctx, actor, actBackup, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: kind, Object: actor.Tenant().String()}, nil)
		return nil
	})
}

func (s *Service) make(ctx context.Context) (m manifest.Manifest, err error) {
	m = manifest.Manifest{Version: manifest.Version, Made: s.vault.Now()}
	m.Name = shelf.Data + m.Made.Format(shelf.Stamp) + shelf.Sealed
	if m.Canary, err = s.plant(ctx); err != nil {
		return m, err
	}
	m.Size, m.SHA256, err = s.put(ctx, s.shelf(), m.Name, s.cfg.Recipients, func(z *zip.Writer) error { return s.fill(ctx, z, &m) })
	if err != nil {
		return m, full(fmt.Errorf("make a backup: %w", err))
	}
	if err := s.sign(ctx, m); err != nil {
		return m, full(errors.Join(err, s.shelf().Remove(ctx, m.Name)))
	}
	if err := s.copyKeys(ctx); err != nil {
		return m, full(fmt.Errorf("copy the keys: %w", err))
	}
	return m, s.sweep(ctx)
}

// plant makes somebody who does not exist, with words that a drill looks for.
func (s *Service) plant(ctx context.Context) (string, error) {
	who, err := s.vault.NewSubject(ctx, system())
	if err != nil {
		return "", err
	}
	return who.String(), s.vault.Do(ctx, system(), actBackup, func(tx *vault.Tx) error {
		return canaries.Add(tx, canary{Who: who, Words: personal.Of("nobody said this"), At: tx.Now()})
	})
}

// storeFile is what a tenant's store is called in an archive.
func (s *Service) storeFile() string {
	if s.cfg.Shared {
		return rowsFile
	}
	return pagesFile
}

// put makes an archive on a shelf, encrypted for recipients, and returns its size in bytes and the hash of its bytes.
func (s *Service) put(ctx context.Context, on shelf.Shelf, name string, named []string, fill func(*zip.Writer) error) (size int64, sum string, err error) {
	to, err := s.recipients(named)
	if err != nil {
		return 0, "", err
	}
	err = on.Put(ctx, name, func(w io.Writer) error {
		out := tally.New(w)
		err := archive.Write(out, to, fill)
		size, sum = out.N, out.End()
		return errors.Join(err, ctx.Err())
	})
	return size, sum, err
}

// fill puts every tenant's store and files into the archive.
func (s *Service) fill(ctx context.Context, z *zip.Writer, m *manifest.Manifest) error {
	tenants, err := s.tenants(ctx)
	if err != nil {
		return err
	}
	for i, tenant := range tenants {
		s.step("backup", m.Made, i, len(tenants))
		part, err := s.part(ctx, z, tenant)
		if err != nil {
			return fmt.Errorf("copy the store of %s: %w", tenant, err)
		}
		m.Tenants = append(m.Tenants, part)
	}
	return nil
}

// tenants are the installation and all workspaces that have data here: also those that are closed and can be reopened.
func (s *Service) tenants(ctx context.Context) ([]ids.Tenant, error) {
	out := []ids.Tenant{ids.Installation}
	err := s.vault.View(ctx, system(), actLook, func(tx *vault.Tx) error {
		all, err := vault.Tenants.Find(tx, "ORDER BY id")
		out = out[:1]
		for _, t := range all {
			if s.vault.Region() == "" || t.Region == s.vault.Region() {
				out = append(out, t.ID)
			}
		}
		return err
	})
	return out, err
}

// part copies one tenant. The ledger and the log are read before the store, so the store has at least as much.
func (s *Service) part(ctx context.Context, z *zip.Writer, tenant ids.Tenant) (manifest.Part, error) {
	p := manifest.Part{Tenant: tenant}
	ledger, err := s.vault.Keys().Erasures(ctx, tenant, time.Time{})
	if err != nil {
		return p, err
	}
	p.Erasures = len(ledger)
	size, root, _, err := s.vault.Head(ctx, tenant)
	if err != nil {
		return p, err
	}
	p.Entries, p.Root = size, root.String()
	err = add(&p, z, "stores/"+tenant.String()+"/"+s.storeFile(), func(w io.Writer) error { return s.vault.Snapshot(ctx, tenant, w) })
	if err != nil {
		return p, err
	}
	folder := filepath.Join(s.cfg.Data, "blobs", tenant.String())
	files, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".part") {
			continue
		}
		err := add(&p, z, "blobs/"+tenant.String()+"/"+f.Name(), func(w io.Writer) error { return copyFile(w, filepath.Join(folder, f.Name())) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // erased meanwhile
			return p, err
		}
	}
	return p, nil
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(tally.Copy(w, f), f.Close())
}

// add puts a file into an archive and into a part of its manifest.
func add(p *manifest.Part, z *zip.Writer, path string, content func(io.Writer) error) error {
	f, err := archive.Add(z, path, content)
	if err == nil {
		p.Files = append(p.Files, f)
	}
	return err
}

func (s *Service) signed(m manifest.Manifest) ([]byte, error) {
	key, err := manifest.Key(s.cfg.Seed)
	if err != nil {
		return nil, err
	}
	return m.Sign(key)
}

func (s *Service) sign(ctx context.Context, m manifest.Manifest) error {
	whole, err := s.signed(m)
	if err != nil {
		return err
	}
	return s.shelf().Put(ctx, manifestOf(m.Name), func(w io.Writer) error {
		_, err := w.Write(whole)
		return err
	})
}

// manifestOf is the name of the manifest beside a backup.
func manifestOf(name string) string { return strings.TrimSuffix(name, shelf.Sealed) + shelf.Manifest }

// Backup is one that exists.
type Backup struct {
	manifest.Manifest
	Signed bool // the manifest is ours and unaltered
	There  bool // the archive lies beside it
}

// List lists the backups, newest first.
func (s *Service) List(ctx context.Context, actor vault.Actor) ([]Backup, error) {
	if err := s.vault.Permit(ctx, actor, actLook); err != nil {
		return nil, err
	}
	files, err := s.shelf().List(ctx, shelf.Data)
	if err != nil {
		return nil, fmt.Errorf("list the backups: %w", err)
	}
	var out []Backup
	for _, f := range files {
		stem, isManifest := strings.CutSuffix(f.Name, shelf.Manifest)
		if !isManifest {
			continue
		}
		b := Backup{Signed: true, There: slices.ContainsFunc(files, func(f bucket.Item) bool { return f.Name == stem+shelf.Sealed })}
		if b.Manifest, err = s.manifest(ctx, s.shelf(), stem+shelf.Sealed); err != nil {
			made, _ := shelf.MadeAt(stem)
			b = Backup{Manifest: manifest.Manifest{Name: stem + shelf.Sealed, Made: made}, There: b.There}
		}
		out = append(out, b)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Made.After(out[j].Made) })
	return out, nil
}
