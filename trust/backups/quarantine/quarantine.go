// Package quarantine keeps what was restored from a backup shut until everybody who was erased since is erased there too.
package quarantine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/backups/manifest"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/durable"
	"aver/vault/engine"
	"aver/vault/purpose"
)

// quarantine is the file that keeps a restored folder from being served.
const quarantine = "QUARANTINE"

// held is the same for a PostgreSQL database: a row, so that it is shut whatever folder it is served with.
type held struct {
	Backup   string `vault:"backup,key"`
	Manifest string `vault:"manifest,state"`
}

var quarantines = vault.Define[held]("backup_quarantines", vault.Purpose("keeping what was restored shut until erasures are replayed"), vault.KeepWhile("until it is released"))

// Tables and Actions are what this package brings.
var (
	Tables  = []vault.AnyTable{quarantines}
	Actions = []*vault.Action{actLook, actRelease}

	actLook    = vault.Act("backup.quarantine.read", purpose.Storage, vault.System())
	actRelease = vault.Act("backup.release", purpose.Storage, vault.System())
)

func system() vault.Actor { return identity.System(ids.Installation, "backups") }

// Begin shuts a folder before anything is restored into it, and a database without rows unless it is nil; errs.Conflict
// if it has some.
func Begin(ctx context.Context, m manifest.Manifest, folder string, rows engine.Engine) error {
	if rows != nil {
		mark, err := json.Marshal(m)
		if err != nil {
			return err
		}
		if err := shut(ctx, rows, m, string(mark)); err != nil {
			return err
		}
	}
	return durable.WriteNew(filepath.Join(folder, quarantine), func(io.Writer) error { return nil })
}

// End notes that everything is there: without it nothing is released.
func End(m manifest.Manifest, folder string) error {
	mark, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(folder, quarantine), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(mark)
	return errors.Join(err, f.Sync(), f.Close())
}

var errNotEmpty = errs.New(errs.Conflict, "The database to restore into is not empty.")

// shut puts a database without rows into quarantine. One into which somebody began to restore is not empty, whatever rows it
// has: it may lack indexes.
func shut(ctx context.Context, e engine.Engine, m manifest.Manifest, mark string) error {
	if err := lacks(ctx, e, ids.Installation, "SELECT 1 FROM backup_quarantines LIMIT 1"); err != nil {
		return err
	}
	for _, p := range m.Tenants {
		if err := lacks(ctx, e, p.Tenant, "SELECT 1 FROM journal LIMIT 1"); err != nil {
			return err
		}
	}
	return e.Write(ctx, ids.Installation, func(c engine.Conn) error {
		_, err := c.Exec("INSERT INTO backup_quarantines (backup, manifest) VALUES (?, ?)", m.Name, mark)
		return err
	})
}

// lacks is errNotEmpty if a tenant has what a query asks for.
func lacks(ctx context.Context, e engine.Engine, tenant ids.Tenant, query string) error {
	return e.Read(ctx, tenant, func(c engine.Conn) error {
		return c.Query(query, nil, func([]any) error { return errNotEmpty })
	})
}

var shutUp = errs.New(errs.Conflict, "This data was restored from a backup and people erased since may still be in it. Run aver backup release first.")

// Folder refuses a folder that was restored and not released. Whoever serves a data folder asks first.
func Folder(folder string) error {
	if _, err := os.Stat(filepath.Join(folder, quarantine)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return shutUp
}

// Database refuses a database that was restored and not released. Whoever serves a vault asks first.
func Database(ctx context.Context, v *vault.Vault) error {
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
// was left when the backup was made, has words filed again where the backup had no index of them, and lifts the
// quarantine. v is a vault over what was restored and the live key store. It refuses while the ledger has fewer lines than it
// had when the backup was made, or lacks somebody whom the restored log says was erased: then the key store is too old. A
// refusal is in the restored installation's log.
func Release(ctx context.Context, v *vault.Vault, folder string) error {
	err := release(ctx, v, folder)
	if !errs.Is(err, errs.Conflict) {
		return err
	}
	return errors.Join(err, v.Do(ctx, system(), actRelease, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "backup.release.refused", Object: ids.Installation.String()}, nil)
		return nil
	}))
}

func release(ctx context.Context, v *vault.Vault, folder string) error {
	raw, err := os.ReadFile(filepath.Join(folder, quarantine))
	if err != nil {
		return fmt.Errorf("read the quarantine: %w", err)
	}
	if len(raw) == 0 {
		return errs.New(errs.Conflict, "This restore did not come to its end. Restore the backup again, into an empty folder, and an empty database if it has rows.")
	}
	var m manifest.Manifest
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
		if err := v.Refile(ctx, p.Tenant); err != nil {
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
func complete(ctx context.Context, v *vault.Vault, p manifest.Part) error {
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
