package backups_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/backups"
	"aver/trust/backups/quarantine"
	"aver/vault"

	"github.com/jackc/pgx/v5"
)

func TestSomebodyErasedAfterABackupDoesNotComeBackAndLeavesNoWord(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r, err := w.backups.Rehearse(t.Context(), system(), nil)
		must(t, err)
		full := backups.Left{Rows: 3, Files: 1, Words: 3, Key: true}
		inside := full
		inside.Key = false
		if w.shared {
			inside.Words = 0 // of rows, only what the index is made of
		}
		if !r.Holds || r.Before != full || r.Inside != inside || r.After != (backups.Left{}) || r.Released != (backups.Left{}) {
			t.Errorf("got %+v", r)
		}
		places := ""
		for _, s := range r.Scans {
			places += s.Place + "; "
			if s.Bytes == 0 || s.Found != 0 || s.Unread != "" || s.Keys != 0 && s.Place != "files of PostgreSQL" {
				t.Errorf("%+v", s)
			}
		}
		want := "data folder; live rows as they are stored; backup, decrypted; copy of the keys, decrypted; restored rows as they are stored; "
		if w.shared {
			want += "files of PostgreSQL; "
		}
		if places != want {
			t.Errorf("looked through %s", places)
		}
		if got := bodies(t, w.Vault, w.Tenant); len(got) != 1 {
			t.Errorf("the living were touched: %v", got)
		}
	})
}

// A program that writes down what it sees is the most common way in which an erasure fails.
func TestARehearsalFindsWordsThatSomebodyWroteDown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.Vault.OnCommit(func(c vault.Committed) {
			if c.Tenant == ids.Installation && touches(c, "backup_canaries") {
				w.leak(t)
			}
		})
		r, err := w.backups.Rehearse(t.Context(), system(), nil)
		must(t, err)
		if r.Holds || r.Scans[0].Found == 0 {
			t.Errorf("got %+v", r)
		}
	})
}

// What a database once had is in its write-ahead log when no row has it any more.
func TestARehearsalFindsWordsThatWentThroughPostgreSQLInTheClear(t *testing.T) {
	onPostgres(t, func(t *testing.T, w *world) {
		boss, err := pgx.Connect(t.Context(), w.Database.Boss)
		must(t, err)
		defer boss.Close(context.WithoutCancel(t.Context()))
		exec := func(text string, args ...any) {
			_, err := boss.Exec(t.Context(), text, args...)
			must(t, err)
		}
		exec("CREATE TABLE seen (words text)")
		w.Vault.OnCommit(func(c vault.Committed) {
			if c.Tenant != ids.Installation || !touches(c, "backup_canaries") {
				return
			}
			must(t, w.Vault.View(t.Context(), system(), act, func(tx *vault.Tx) error {
				return backups.EachCanary(tx, func(words string) error { exec("INSERT INTO seen VALUES ($1)", words); return nil })
			}))
			exec("DELETE FROM seen")
		})
		r, err := w.backups.Rehearse(t.Context(), system(), nil)
		must(t, err)
		last := r.Scans[len(r.Scans)-1]
		if r.Holds || last.Place != "files of PostgreSQL" || last.Found == 0 {
			t.Errorf("got %+v", r)
		}
		for _, s := range r.Scans[:len(r.Scans)-1] {
			if s.Found != 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}

// afar is a server that cannot be looked at.
type afar struct{}

func (afar) Files() ([]string, error) {
	return nil, errors.New("the server is reached over the network")
}

func TestARehearsalSaysWhereItCouldNotLook(t *testing.T) {
	onPostgres(t, func(t *testing.T, w *world) {
		c := w.config()
		c.Servers = []backups.Server{afar{}}
		w.backups = backups.New(w.Vault, c)
		r, err := w.backups.Rehearse(t.Context(), system(), nil)
		must(t, err)
		if last := r.Scans[len(r.Scans)-1]; !r.Holds || last.Bytes != 0 || last.Unread != "the server is reached over the network" {
			t.Errorf("got %+v", last)
		}
	})
}

func touches(c vault.Committed, table string) bool {
	for _, e := range c.Entries {
		for _, touched := range e.Touched {
			if touched.Table == table {
				return true
			}
		}
	}
	return false
}

// leak writes what the canaries say into a file of the data folder.
func (w *world) leak(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(w.Folder, "debug.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(t, err)
	defer f.Close()
	must(t, w.Vault.View(t.Context(), system(), act, func(tx *vault.Tx) error {
		return backups.EachCanary(tx, func(words string) error {
			_, err := f.WriteString("saw " + words + "\n")
			return err
		})
	}))
}

func TestADestroyedWorkspaceIsNotBroughtBackByABackup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		file := w.make(t)
		must(t, w.Vault.Do(t.Context(), system(), act, func(tx *vault.Tx) error {
			all, err := vault.Tenants.Find(tx, "id = ?", w.Tenant)
			must(t, err)
			all[0].ClosedAt = tx.Now()
			return vault.Tenants.Put(tx, all[0])
		}))
		must(t, errors.Join(w.Vault.DestroyKeys(t.Context(), w.Tenant), w.Vault.Destroy(t.Context(), w.Tenant)))
		d, err := w.backups.Drill(t.Context(), system(), nil)
		must(t, err)
		if !d.Holds || d.Tenants != 2 {
			t.Errorf("the drill: %+v", d)
		}
		to := filepath.Join(t.TempDir(), "data")
		must(t, w.restore(t, file, nil, to))
		v := w.over(t, to)
		must(t, quarantine.Release(t.Context(), v, to))
		if _, err := v.Tenant(t.Context(), w.Tenant); !errs.Is(err, errs.NotFound) {
			t.Errorf("the directory has it again: %v", err)
		}
		for _, left := range []string{"stores", "blobs"} {
			if _, err := os.Stat(filepath.Join(to, left, w.Tenant.String())); err == nil {
				t.Errorf("%s has it again", left)
			}
		}
		if _, err := v.Tenant(t.Context(), w.Other); err != nil {
			t.Errorf("the other workspace: %v", err)
		}
	})
}
