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
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/durable"
)

// quarantine is the file that keeps a restored folder from being served.
const quarantine = "QUARANTINE"

func altered(what string) *errs.Error {
	return errs.New(errs.Invalid, "The backup was not restored: "+what)
}

// manifest reads and checks the file beside a backup.
func (s *Service) manifest(path string) (Manifest, error) {
	var m Manifest
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, altered("its manifest is missing.").Because(err)
	}
	if err != nil {
		return m, err
	}
	var whole signed
	if err := json.Unmarshal(raw, &whole); err != nil {
		return m, altered("its manifest cannot be read.").Because(err)
	}
	key, err := s.signer()
	if err != nil {
		return m, err
	}
	if !ed25519.Verify(key.Public().(ed25519.PublicKey), append([]byte(context1), whole.Manifest...), whole.Signature) {
		return m, altered("its manifest is not signed by this installation.")
	}
	return m, json.Unmarshal(whole.Manifest, &m)
}

// Restore checks a backup against its signed manifest, opens it, and writes the stores into a folder that is empty or
// does not exist. The folder stays in quarantine: Release it with the key store before anybody serves it. identity is an
// age identity, or nil for the one on this machine.
func (s *Service) Restore(ctx context.Context, file string, identity io.Reader, to string) (Manifest, error) {
	m, err := s.manifest(strings.TrimSuffix(file, suffix) + beside)
	if err != nil {
		return m, err
	}
	who, err := s.identities(identity)
	if err != nil {
		return m, err
	}
	f, err := os.Open(file)
	if err != nil {
		return m, fmt.Errorf("open the backup: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return m, fmt.Errorf("read the backup: %w", err)
	}
	if n < m.Size {
		return m, altered(fmt.Sprintf("it was cut off after %d of %d bytes.", n, m.Size))
	}
	if hex.EncodeToString(sum.Sum(nil)) != m.SHA256 {
		return m, altered("its bytes are not those that were signed.")
	}
	clear, size, err := age.DecryptReaderAt(f, n, who...)
	var nobody *age.NoIdentityMatchError
	if errors.As(err, &nobody) {
		return m, altered("this identity does not open it.").Because(err)
	}
	if err != nil {
		return m, altered("it does not open.").Because(err)
	}
	z, err := zip.NewReader(clear, size)
	if err != nil {
		return m, altered("its content cannot be read.").Because(err)
	}
	return m, s.unpack(ctx, z, m, to)
}

// unpack writes exactly what the manifest lists.
func (s *Service) unpack(ctx context.Context, z *zip.Reader, m Manifest, to string) error {
	if there, err := os.ReadDir(to); err == nil && len(there) > 0 {
		return errs.New(errs.Conflict, "The folder to restore into is not empty.")
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return full(err)
	}
	mark, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, quarantine), mark, 0o600); err != nil {
		return full(err)
	}
	for _, part := range m.Tenants {
		for _, f := range part.Files {
			if err := errors.Join(ctx.Err(), unpackFile(z, f, to)); err != nil {
				return full(err)
			}
		}
	}
	return nil
}

func unpackFile(z *zip.Reader, f File, to string) (err error) {
	if !filepath.IsLocal(f.Path) {
		return altered("it names a file outside its folder.")
	}
	from, err := z.Open(f.Path)
	if err != nil {
		return altered("a file is missing from it.").Because(err)
	}
	defer from.Close()
	path := filepath.Join(to, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), from)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if n != f.Size || hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return altered("a file in it is not the one that was signed.")
	}
	return nil
}

// Quarantined refuses a folder that was restored and not released. Whoever serves a data folder asks first.
func Quarantined(folder string) error {
	if _, err := os.Stat(filepath.Join(folder, quarantine)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errs.New(errs.Conflict, "This data was restored from a backup and people erased since may still be in it. Run aver backup release first.")
}

// early is how long before a backup was made an erasure must have been finished to count as carried out in it.
const early = 24 * time.Hour

// Release erases again, in a restored store, everybody of whom the ledger of the live key store does not say that nothing
// was left when the backup was made, and lifts the quarantine. v is a vault over the restored folder and the live key store. It refuses while the ledger has fewer lines than it
// had when the backup was made, or lacks somebody whom the restored log says was erased: then the key store is too old.
func Release(ctx context.Context, v *vault.Vault, folder string) error {
	raw, err := os.ReadFile(filepath.Join(folder, quarantine))
	if err != nil {
		return fmt.Errorf("read the quarantine: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("read the quarantine: %w", err)
	}
	for _, p := range m.Tenants {
		if err := complete(ctx, v, p); err != nil {
			return err
		}
		if _, err := v.ReplayErasures(ctx, p.Tenant, m.Made.Add(-early)); err != nil {
			return err
		}
	}
	return errors.Join(os.Remove(filepath.Join(folder, quarantine)), durable.Names(folder))
}

// complete checks that the ledger knows of every erasure that it must know of.
func complete(ctx context.Context, v *vault.Vault, p Part) error {
	missing := errs.New(errs.Conflict, "The erasure ledger is incomplete: this key store is older than the backup. Nothing was released.")
	ledger, err := v.Keys().Erasures(ctx, p.Tenant, time.Time{})
	if err != nil {
		return missing.Because(err)
	}
	if len(ledger) < p.Erasures {
		return missing
	}
	known := map[ids.Subject]bool{}
	for _, e := range ledger {
		known[e.Subject] = true
	}
	for at := int64(0); ; {
		entries, err := v.Entries(ctx, p.Tenant, at, 4096)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		at += int64(len(entries))
		for _, e := range entries {
			for _, ev := range e.Events {
				if ev.Kind == "subject.erased" && !known[ev.Subject] {
					return missing
				}
			}
		}
	}
}
