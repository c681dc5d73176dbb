package backups

import (
	"archive/zip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"filippo.io/age"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/durable"
)

// Manifest says what must be in a backup. It names no person.
type Manifest struct {
	Version int       `json:"version"`
	Name    string    `json:"name"`
	Made    time.Time `json:"made"`
	Size    int64     `json:"size"`   // of the encrypted file, in bytes
	SHA256  string    `json:"sha256"` // of the encrypted file
	Tenants []Part    `json:"tenants"`
	Canary  string    `json:"canary"` // somebody who does not exist, for the drill
}

// Part is one tenant's share.
type Part struct {
	Tenant   ids.Tenant `json:"tenant"`
	Entries  int64      `json:"entries"`  // of its log, at least
	Root     string     `json:"root"`     // of the log at that size, base64
	Erasures int        `json:"erasures"` // lines of its ledger: a key store with fewer is older than this backup
	Files    []File     `json:"files"`
}

// File is one file of the archive.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// signed is the manifest as it lies beside the backup.
type signed struct {
	Manifest  json.RawMessage `json:"manifest"`
	Signature []byte          `json:"signature"` // Ed25519 over the context and the manifest's bytes
}

const (
	context1  = "aver backup manifest 1\n"
	suffix    = ".age"
	beside    = ".manifest.json"
	namedData = "aver-data-"
	namedKeys = "aver-keys-"
)

// Now makes a backup of everything and a copy of the keys, and returns the manifest.
func (s *Service) Now(ctx context.Context, actor vault.Actor) (Manifest, error) {
	if err := s.Supported(); err != nil {
		return Manifest{}, err
	}
	s.working.Lock()
	defer s.working.Unlock()
	defer s.stage.Store(nil)
	m := Manifest{Version: 1, Made: s.vault.Now()}
	m.Name = namedData + m.Made.Format("20060102T150405.000") + suffix
	err := s.vault.Do(ctx, actor, actBackup, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "backup.started", Object: actor.Tenant().String()}, nil)
		return nil
	})
	if err != nil {
		return m, err
	}
	if m.Canary, err = s.plant(ctx); err != nil {
		return m, err
	}
	if err := os.MkdirAll(s.cfg.Folder, 0o700); err != nil {
		return m, fmt.Errorf("make the folder of backups: %w", err)
	}
	if err := s.write(ctx, m.Name, &m.Size, &m.SHA256, func(z *zip.Writer) error { return s.fill(ctx, z, &m) }); err != nil {
		return m, full(fmt.Errorf("make a backup: %w", err))
	}
	if err := s.sign(m); err != nil {
		return m, full(errors.Join(err, os.Remove(filepath.Join(s.cfg.Folder, m.Name))))
	}
	if err := s.copyKeys(ctx); err != nil {
		return m, full(fmt.Errorf("copy the keys: %w", err))
	}
	return m, s.sweep()
}

// full gives a full disk its meaning.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return errs.New(errs.NoSpace, "The disk of the backups is full. No backup was made; the older ones are untouched.").Because(err)
	}
	return err
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

// counted hashes and counts what goes through it.
type counted struct {
	to  io.Writer
	sum hash.Hash
	n   int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.sum.Write(p[:n])
	c.n += int64(n)
	return n, err
}

// write makes an encrypted archive under a name that it gets only when it is whole and on the disk.
func (s *Service) write(ctx context.Context, name string, size *int64, sum *string, fill func(*zip.Writer) error) (err error) {
	to, err := s.recipients()
	if err != nil {
		return err
	}
	path := filepath.Join(s.cfg.Folder, name)
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(path+".part"))
		}
	}()
	out := &counted{to: f, sum: sha256.New()}
	sealed, err := age.Encrypt(out, to...)
	if err != nil {
		return err
	}
	z := zip.NewWriter(sealed)
	if err := fill(z); err != nil {
		return err
	}
	if err := errors.Join(z.Close(), sealed.Close(), f.Sync(), ctx.Err()); err != nil {
		return err
	}
	*size, *sum = out.n, hex.EncodeToString(out.sum.Sum(nil))
	if err := os.Rename(path+".part", path); err != nil {
		return err
	}
	return errors.Join(f.Close(), durable.Names(s.cfg.Folder))
}

// fill puts every tenant's store and files into the archive.
func (s *Service) fill(ctx context.Context, z *zip.Writer, m *Manifest) error {
	tenants, err := s.vault.TenantIDs(ctx)
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

// part copies one tenant. The ledger and the log are read before the store, so the store has at least as much.
func (s *Service) part(ctx context.Context, z *zip.Writer, tenant ids.Tenant) (Part, error) {
	p := Part{Tenant: tenant}
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
	err = p.add(z, "stores/"+tenant.String()+"/data.db", func(w io.Writer) error { return s.vault.Snapshot(ctx, tenant, w) })
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
		err := p.add(z, "blobs/"+tenant.String()+"/"+f.Name(), func(w io.Writer) error { return copyFile(w, filepath.Join(folder, f.Name())) })
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
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

func (p *Part) add(z *zip.Writer, path string, content func(io.Writer) error) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Store}) // ciphertext does not compress
	if err != nil {
		return err
	}
	out := &counted{to: f, sum: sha256.New()}
	if err := content(out); err != nil {
		return err
	}
	p.Files = append(p.Files, File{Path: path, Size: out.n, SHA256: hex.EncodeToString(out.sum.Sum(nil))})
	return nil
}

func (s *Service) sign(m Manifest) error {
	key, err := s.signer()
	if err != nil {
		return err
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	whole, err := json.Marshal(signed{Manifest: text, Signature: ed25519.Sign(key, append([]byte(context1), text...))})
	if err != nil {
		return err
	}
	path := filepath.Join(s.cfg.Folder, strings.TrimSuffix(m.Name, suffix)+beside)
	if err := writeWhole(path+".part", whole); err != nil {
		return errors.Join(err, os.Remove(path+".part"))
	}
	if err := os.Rename(path+".part", path); err != nil {
		return err
	}
	return durable.Names(s.cfg.Folder)
}

func writeWhole(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// copyKeys makes a copy of the key store and removes the older ones: somebody erased since is still in them.
func (s *Service) copyKeys(ctx context.Context) error {
	if s.cfg.KeyStore == nil {
		return nil
	}
	if err := os.MkdirAll(s.cfg.Folder, 0o700); err != nil {
		return err
	}
	older, err := filepath.Glob(filepath.Join(s.cfg.Folder, namedKeys+"*"))
	if err != nil {
		return err
	}
	name := namedKeys + s.vault.Now().Format("20060102T150405.000") + suffix
	var size int64
	var sum string
	if err := s.write(ctx, name, &size, &sum, func(z *zip.Writer) error { return s.fillKeys(ctx, z) }); err != nil {
		return err
	}
	for _, path := range older {
		if filepath.Base(path) != name {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

func (s *Service) fillKeys(ctx context.Context, z *zip.Writer) error {
	tenants, err := s.vault.TenantIDs(ctx)
	if err != nil {
		return err
	}
	var p Part
	for _, tenant := range tenants {
		err := p.add(z, "keys/stores/"+tenant.String()+"/data.db", func(w io.Writer) error { return s.cfg.KeyStore.Snapshot(ctx, tenant, w) })
		if err != nil {
			return err
		}
	}
	root := filepath.Join(s.cfg.Data, "keys")
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
		return p.add(z, "keys/"+filepath.ToSlash(rel), func(w io.Writer) error { return copyFile(w, path) })
	})
}

// sweep removes what is older than a backup may be.
func (s *Service) sweep() error {
	files, err := os.ReadDir(s.cfg.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range files {
		made, ok := madeAt(f.Name())
		if ok && s.vault.Now().Sub(made) > keepFor {
			err = errors.Join(err, os.Remove(filepath.Join(s.cfg.Folder, f.Name())))
		}
	}
	return err
}

func madeAt(name string) (time.Time, bool) {
	for _, prefix := range []string{namedData, namedKeys} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && len(rest) >= 19 {
			made, err := time.Parse("20060102T150405.000", rest[:19])
			return made, err == nil
		}
	}
	return time.Time{}, false
}

// Backup is one that exists.
type Backup struct {
	Manifest
	Signed bool // the manifest is ours and unaltered
}

// List lists the backups, newest first.
func (s *Service) List(ctx context.Context, actor vault.Actor) ([]Backup, error) {
	if err := s.vault.Permit(ctx, actor, actLook); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(s.cfg.Folder, namedData+"*"+beside))
	if err != nil {
		return nil, err
	}
	var out []Backup
	for _, path := range paths {
		m, err := s.manifest(path)
		if err != nil {
			made, _ := madeAt(filepath.Base(path))
			out = append(out, Backup{Manifest: Manifest{Name: strings.TrimSuffix(filepath.Base(path), beside) + suffix, Made: made}})
			continue
		}
		out = append(out, Backup{Manifest: m, Signed: true})
	}
	slices.SortFunc(out, func(a, b Backup) int { return b.Made.Compare(a.Made) })
	return out, nil
}
