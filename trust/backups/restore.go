package backups

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"filippo.io/age"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/backups/shelf"
	"aver/trust/backups/tally"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/dump"
	"aver/vault/durable"
	"aver/vault/engine"
	"aver/vault/sqlite"
)

// quarantine is the file that keeps a restored folder from being served.
const quarantine = "QUARANTINE"

// held is the same for a PostgreSQL database: a row, so that it is shut whatever folder it is served with.
type held struct {
	Backup   string `vault:"backup,key"`
	Manifest string `vault:"manifest,state"`
}

var quarantines = vault.Define[held]("backup_quarantines", vault.Purpose("keeping what was restored shut until erasures are replayed"), vault.KeepWhile("until it is released"))

func altered(what string) *errs.Error {
	return errs.New(errs.Invalid, "The backup was not restored: "+what)
}

// manifest reads and checks the file beside a backup.
func (s *Service) manifest(ctx context.Context, from shelf.Shelf, name string) (Manifest, error) {
	var m Manifest
	raw, err := readAll(ctx, from, manifestOf(name))
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
	if err := json.Unmarshal(whole.Manifest, &m); err != nil {
		return m, altered("its manifest cannot be read.").Because(err)
	}
	if m.Name != name {
		return m, altered("its manifest is that of another backup.")
	}
	return m, nil
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
func (s *Service) Restore(ctx context.Context, actor vault.Actor, o Order) (Manifest, error) {
	if err := s.vault.Permit(ctx, actor, actRestore); err != nil {
		return Manifest{}, err
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

func (s *Service) restore(ctx context.Context, o Order) (Manifest, error) {
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
	f, genuine, err := s.fetch(ctx, o.From, m)
	if err != nil {
		return m, err
	}
	defer f.Close()
	if o.Rows != nil { // what went into a database is not taken back
		if err := genuine(); err != nil {
			return m, err
		}
	}
	began, err := s.extract(ctx, f, who, m, o)
	if forged := genuine(); forged != nil { // that is the reason, whatever else went wrong
		if began {
			forged = errors.Join(forged, os.RemoveAll(o.To))
		}
		return m, forged
	}
	return m, full(err)
}

// extract opens an archive and unpacks it. It tells whether it had begun to write.
func (s *Service) extract(ctx context.Context, f io.ReaderAt, who []age.Identity, m Manifest, o Order) (began bool, err error) {
	if there, err := os.ReadDir(o.To); err == nil && len(there) > 0 {
		return false, errs.New(errs.Conflict, "The folder to restore into is not empty.")
	}
	z, err := openArchive(f, m.Size, who)
	if err != nil {
		return false, err
	}
	return true, s.unpack(ctx, z, m, o)
}

// fetch returns a file of a backup's bytes. genuine tells, as often as it is asked, whether they are those that were
// signed: a local file is read for that while it is unpacked already, into a place that nobody serves.
func (s *Service) fetch(ctx context.Context, from shelf.Shelf, m Manifest) (f *os.File, genuine func() error, err error) {
	content, err := from.Get(ctx, m.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, altered("there is only its manifest.").Because(err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open the backup: %w", err)
	}
	if f, here := content.(*os.File); here {
		verdict := make(chan error, 1)
		go func() { verdict <- m.signedFor(io.NewSectionReader(f, 0, m.Size+1), io.Discard) }()
		return f, sync.OnceValue(func() error { return <-verdict }), nil
	}
	defer content.Close()
	if f, err = s.nameless(); err != nil { // on another machine: a copy is made, still encrypted
		return nil, nil, full(err)
	}
	if err := m.signedFor(content, f); err != nil {
		return nil, nil, errors.Join(full(err), f.Close())
	}
	return f, func() error { return nil }, nil
}

// signedFor tells whether these are the bytes that the manifest was signed for, and passes them on.
func (m Manifest) signedFor(content io.Reader, to io.Writer) error {
	sum := tally.New(to)
	err := tally.Copy(sum, io.LimitReader(content, m.Size+1))
	hashed := sum.End()
	switch {
	case err != nil:
		return fmt.Errorf("read the backup: %w", err)
	case sum.N < m.Size:
		return altered(fmt.Sprintf("it was cut off after %d of %d bytes.", sum.N, m.Size))
	case hashed != m.SHA256:
		return altered("its bytes are not those that were signed.")
	}
	return nil
}

// nameless makes a file in the data folder that goes when it is closed, also when the process dies.
func (s *Service) nameless() (*os.File, error) {
	f, err := os.CreateTemp(s.cfg.Data, ".backup-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// openArchive decrypts as much of an archive as is read.
func openArchive(f io.ReaderAt, size int64, who []age.Identity) (*zip.Reader, error) {
	clear, size, err := age.DecryptReaderAt(f, size, who...)
	var nobody *age.NoIdentityMatchError
	if errors.As(err, &nobody) {
		return nil, altered("this identity does not open it.").Because(err)
	}
	if err != nil {
		return nil, altered("it does not open.").Because(err)
	}
	z, err := zip.NewReader(clear, size)
	if err != nil {
		return nil, altered("its content cannot be read.").Because(err)
	}
	return z, nil
}

// unpack writes exactly what the manifest lists.
func (s *Service) unpack(ctx context.Context, z *zip.Reader, m Manifest, o Order) (err error) {
	mark, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if o.Rows != nil {
		if err := shut(ctx, o.Rows, m, string(mark)); err != nil {
			return err
		}
	}
	if err := writeNew(filepath.Join(o.To, quarantine), bytes.NewReader(mark)); err != nil {
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
	for _, part := range m.Tenants {
		gone, err := s.vault.Keys().Destroyed(ctx, part.Tenant)
		if err != nil {
			return err
		}
		if gone {
			continue // whoever was destroyed is not brought back, not even unreadable
		}
		for _, f := range part.Files {
			if err := errors.Join(ctx.Err(), unpackFile(ctx, z, f, part.Tenant, o.To, into)); err != nil {
				return err
			}
		}
	}
	return nil
}

// files are stores below a folder, which open with the live keys.
func (s *Service) files(folder string) (*sqlite.Engine, error) {
	return sqlite.Open(sqlite.Config{Root: folder, PageKey: s.vault.Keys().PageKey, Migrations: s.cfg.Schema})
}

// shut puts a database without rows into quarantine.
func shut(ctx context.Context, e engine.Engine, m Manifest, mark string) error {
	for _, p := range m.Tenants {
		empty := true
		err := e.Read(ctx, p.Tenant, func(c engine.Conn) error {
			return c.Query("SELECT 1 FROM journal LIMIT 1", nil, func([]any) error { empty = false; return nil })
		})
		if err != nil {
			return err
		}
		if !empty {
			return errs.New(errs.Conflict, "The database to restore into is not empty.")
		}
	}
	return e.Write(ctx, ids.Installation, func(c engine.Conn) error {
		_, err := c.Exec("INSERT INTO backup_quarantines (backup, manifest) VALUES (?, ?)", m.Name, mark)
		return err
	})
}

func unpackFile(ctx context.Context, z *zip.Reader, f File, tenant ids.Tenant, to string, into engine.Engine) (err error) {
	if !filepath.IsLocal(f.Path) {
		return altered("it names a file outside its folder.")
	}
	content, err := z.Open(f.Path)
	if err != nil {
		return altered("a file is missing from it.").Because(err)
	}
	defer content.Close()
	sum := tally.New(io.Discard)
	from := io.TeeReader(content, sum)
	if path.Base(f.Path) == rowsFile {
		err = load(ctx, into, tenant, from)
	} else {
		err = writeNew(filepath.Join(to, filepath.FromSlash(f.Path)), from)
	}
	if hashed := sum.End(); err == nil && (sum.N != f.Size || hashed != f.SHA256) {
		err = altered("a file in it is not the one that was signed.")
	}
	return err
}

// load puts a tenant's rows into its empty store.
func load(ctx context.Context, into engine.Engine, tenant ids.Tenant, from io.Reader) error {
	if into == nil {
		return altered("it is of an installation on PostgreSQL, and this is none.")
	}
	if err := into.Create(ctx, tenant); err != nil {
		return fmt.Errorf("make a store: %w", err)
	}
	_, err := dump.Load(ctx, into, tenant, from)
	if errors.Is(err, dump.ErrDamaged) {
		return altered("its rows cannot be read.").Because(err)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, from) // what follows the end would be missed by the hash
	}
	return err
}

// writeNew writes a file that must not exist, for its owner alone, and waits for the disk.
func writeNew(name string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(tally.Copy(out, from), out.Sync(), out.Close())
}

var shutUp = errs.New(errs.Conflict, "This data was restored from a backup and people erased since may still be in it. Run aver backup release first.")

// Quarantined refuses a folder that was restored and not released. Whoever serves a data folder asks first.
func Quarantined(folder string) error {
	if _, err := os.Stat(filepath.Join(folder, quarantine)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return shutUp
}

// Shut refuses a database that was restored and not released. Whoever serves a vault asks first.
func Shut(ctx context.Context, v *vault.Vault) error {
	n := 0
	err := v.View(ctx, system(), actLook, func(tx *vault.Tx) (err error) {
		n, err = quarantines.Count(tx, "backup <> ?", "")
		return err
	})
	if err == nil && n > 0 {
		return shutUp
	}
	return err
}

// early is how long before a backup was made an erasure must have been finished to count as carried out in it.
const early = 24 * time.Hour

// Release erases again, in a restored store, everybody of whom the ledger of the live key store does not say that nothing
// was left when the backup was made, and lifts the quarantine. v is a vault over what was restored and the live key store.
// It refuses while the ledger has fewer lines than it had when the backup was made, or lacks somebody whom the restored
// log says was erased: then the key store is too old.
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
		gone, err := v.Keys().Destroyed(ctx, p.Tenant)
		if err != nil {
			return err
		}
		if gone {
			if err := destroyed(ctx, v, p.Tenant); err != nil {
				return err
			}
			continue
		}
		if err := complete(ctx, v, p); err != nil {
			return err
		}
		if _, err := v.ReplayErasures(ctx, p.Tenant, m.Made.Add(-early)); err != nil {
			return err
		}
	}
	err = v.Do(ctx, system(), actRelease, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "backup.released", Object: m.Name}, nil)
		_, err := quarantines.DeleteWhere(tx, "backup = ? LIMIT 1", m.Name)
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(filepath.Join(folder, quarantine)), durable.Names(folder))
}

// destroyed removes, again, what a restored installation has of a workspace that was destroyed.
func destroyed(ctx context.Context, v *vault.Vault, tenant ids.Tenant) error {
	err := v.Do(ctx, system(), actRelease, func(tx *vault.Tx) error {
		if _, err := identity.Doors.DeleteWhere(tx, "workspace = ?", tenant); err != nil {
			return err
		}
		_, err := vault.Tenants.DeleteWhere(tx, "id = ? LIMIT 1", tenant)
		return err
	})
	if err != nil {
		return err
	}
	return v.Destroy(ctx, tenant)
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
