package vault_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/keyring"
	"aver/vault/sqlite"
	"aver/vault/sqlite/disktest"
	"aver/vault/vaulttest"
)

// onDisk opens a vault whose data and keys lie on one disk, as they do in a data folder. another opens a second one over
// the same stores, with a memory of its own, as another process would.
func onDisk(t *testing.T) (k *vaulttest.Kit, d *disktest.Disk, another func() *vault.Vault) {
	t.Helper()
	folder := t.TempDir()
	d = &disktest.Disk{Root: folder}
	root, _, err := keyring.OpenRootFile(filepath.Join(folder, "root.key"))
	must(t, err)
	pages := keyring.Pages{Dir: filepath.Join(folder, "keys", "pages"), Root: root}
	now := clock.At(vaulttest.Start)
	keyStore, err := sqlite.Open(sqlite.Config{Root: filepath.Join(folder, "keys"), VFS: d.Mount(t, true), Migrations: keyring.Migrations(),
		PageKey: func(ctx context.Context, tenant ids.Tenant) ([]byte, error) { return pages.Get(ctx, tenant) }})
	must(t, err)
	t.Cleanup(func() { must(t, keyStore.Close()) })
	text, err := fs.ReadFile(vault.Migrations(), "migrations/0001_vault.sql")
	must(t, err)
	own := engine.Migration{Version: vault.Number*1000 + 1, Name: "vault/0001_vault.sql", SQL: string(text)}
	data, err := sqlite.Open(sqlite.Config{Root: folder, VFS: d.Mount(t, true), PageKey: keyring.Open(keyStore, root, now).PageKey,
		Migrations: append([]engine.Migration{own}, config.Migrations...)})
	must(t, err)
	another = func() *vault.Vault {
		v, err := vault.Open(t.Context(), vault.Config{Engine: data, Keys: keyring.Open(keyStore, root, now), Clock: now,
			Blobs: filepath.Join(folder, "blobs"), Tables: config.Tables, Log: slog.New(slog.DiscardHandler)})
		must(t, err)
		t.Cleanup(func() { must(t, v.Close()) })
		return v
	}
	v := another()
	made, err := v.CreateTenant(t.Context(), vault.Tenant{Slug: "acme", Name: "acme", Region: "eu"})
	must(t, err)
	return &vaulttest.Kit{Vault: v, Engine: data, Clock: now, Tenant: made.ID, Folder: folder}, d, another
}

// fillUp writes about a person until the disk is full to the last page.
func fillUp(t *testing.T, k *vaulttest.Kit, about ids.Contact, d *disktest.Disk) (stored int64) {
	t.Helper()
	d.Limit.Store(16 << 20) // all but 4 MiB is the two reserves
	thread := ids.NewObject(vaulttest.Start)
	for _, size := range []int{30_000, 1} {
		for {
			err := k.Vault.Do(t.Context(), vaulttest.System(k.Tenant), write, func(tx *vault.Tx) error {
				return plainNotes.Add(tx, plainNote{Person: about, Thread: thread, Seq: stored, Text: personal.Of(strings.Repeat("x", size)), At: tx.Now()})
			})
			if errs.Is(err, errs.NoSpace) {
				break
			}
			if err != nil || stored > 10_000 {
				t.Fatalf("note %d: %v", stored, err)
			}
			stored++
		}
	}
	return stored
}

func left(t *testing.T, k *vaulttest.Kit, about ids.Contact) int64 {
	t.Helper()
	var n int
	must(t, k.Vault.View(t.Context(), vaulttest.System(k.Tenant), read, func(tx *vault.Tx) (err error) {
		n, err = plainNotes.Count(tx, "person = ?", about)
		return err
	}))
	return int64(n)
}

func TestOnAFullDiskAPersonCanStillBeErased(t *testing.T) {
	t.Parallel()
	k, d, _ := onDisk(t)
	system := vaulttest.System(k.Tenant)
	s := newPerson(t, k, k.Tenant, "a@b.example")
	stored := fillUp(t, k, s, d)
	if _, err := k.Vault.NewSubject(t.Context(), system); !errs.Is(err, errs.NoSpace) {
		t.Errorf("the key store still has room: %v", err)
	}
	if got := left(t, k, s); got != stored {
		t.Fatalf("%d notes, want the %d that were acknowledged", got, stored)
	}
	if err := k.Vault.EraseSubject(t.Context(), system, forget, s, "asked for it"); err != nil {
		t.Fatalf("erase: %v", err)
	}
	if has, err := k.Vault.HasKey(t.Context(), system, s); has || err != nil {
		t.Errorf("the key is still there: %v", err)
	}
	if n, err := k.Vault.FinishErasures(t.Context(), k.Tenant); n != 1 || err != nil {
		t.Fatalf("finished %d, %v", n, err)
	}
	if got := left(t, k, s); got != 0 {
		t.Errorf("%d notes are left", got)
	}
	newPerson(t, k, k.Tenant, "c@d.example") // there is room again
}

func TestAnErasureThatFindsNoRoomAtAllChangesNothingAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	k, d, _ := onDisk(t)
	system := vaulttest.System(k.Tenant)
	s := newPerson(t, k, k.Tenant, "a@b.example")
	d.Limit.Store(1)
	if err := k.Vault.EraseSubject(t.Context(), system, forget, s, "asked for it"); !errs.Is(err, errs.NoSpace) {
		t.Fatalf("got %v", err)
	}
	if has, err := k.Vault.HasKey(t.Context(), system, s); !has || err != nil {
		t.Errorf("nothing was changed, but the key is away: %v", err)
	}
	d.Limit.Store(0)
	must(t, k.Vault.EraseSubject(t.Context(), system, forget, s, "asked for it"))
	if has, err := k.Vault.HasKey(t.Context(), system, s); has || err != nil {
		t.Errorf("the key is still there: %v", err)
	}
}

// A fullOnce is an engine whose next write meets a full disk.
type fullOnce struct {
	engine.Engine
	full     bool
	released int
}

func (f *fullOnce) ReleaseReserve() error { f.full = false; f.released++; return nil }

func TestTheReserveIsReleasedOnceAndOnlyForAFullDisk(t *testing.T) {
	t.Parallel()
	other := errors.New("something else")
	for _, c := range []struct {
		name            string
		step            func(*fullOnce) error
		want            error
		tries, released int
	}{
		{"no error", func(*fullOnce) error { return nil }, nil, 1, 0},
		{"another error", func(*fullOnce) error { return other }, other, 1, 0},
		{"full, then room", func(f *fullOnce) error { return map[bool]error{true: engine.ErrFull}[f.full] }, nil, 2, 1},
		{"full all the same", func(*fullOnce) error { return engine.ErrFull }, engine.ErrFull, 2, 1},
	} {
		f, tries := &fullOnce{full: true}, 0
		err := engine.WithReserve(f, func() error { tries++; return c.step(f) })
		if !errors.Is(err, c.want) || tries != c.tries || f.released != c.released {
			t.Errorf("%s: %v after %d tries, released %d times", c.name, err, tries, f.released)
		}
	}
}
