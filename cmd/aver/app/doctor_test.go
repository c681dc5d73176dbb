package app_test

import (
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
)

// wrong is what an examination finds in a folder.
func wrong(t *testing.T, folder string) string {
	t.Helper()
	h := app.Examine(t.Context(), app.Config{Data: folder, Region: "eu", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard})
	if h.Findings == nil || h.Well != (len(h.Findings) == 0) {
		t.Errorf("%+v", h)
	}
	return strings.Join(h.Findings, "\n")
}

var actKeep = vault.Act("test.keep", purpose.Storage, vault.System())

// furnished is an installation with two workspaces, each with a log, keys and a file.
func furnished(t *testing.T) (folder string, tenants []vault.Tenant) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "data")
	a := openIn(t, folder, "")
	defer closeIt(t, a)
	for _, slug := range []string{"one", "two"} {
		tenant, err := a.CreateTenant(t.Context(), slug, slug)
		must(t, err)
		tenants = append(tenants, tenant)
		actor := identity.System(tenant.ID, "test")
		blob, err := a.Vault.PutBlob(t.Context(), actor, ids.Subject{}, "text/plain", strings.NewReader("words"), 100)
		must(t, err)
		must(t, a.Vault.Do(t.Context(), actor, actKeep, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))
	}
	_, err := a.Audit.Checkpoint(t.Context())
	must(t, err)
	return folder, tenants
}

func TestAnExaminationFindsNothingWhereAllIsWell(t *testing.T) {
	t.Parallel()
	folder, _ := furnished(t)
	if said := wrong(t, folder); said != "" {
		t.Error(said)
	}
}

// Each breakage is of one thing, and the finding names that thing and what to do.
func TestAnExaminationFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	one := func(folder string, tenants []vault.Tenant, parts ...string) string {
		return filepath.Join(append([]string{folder}, append(parts, tenants[0].ID.String(), "data.db")...)...)
	}
	overwrite := func(path string) error {
		noise := make([]byte, 20_000)
		_, _ = rand.Read(noise)
		return os.WriteFile(path, noise, 0o600)
	}
	for name, c := range map[string]struct {
		spoil func(folder string, tenants []vault.Tenant) error
		want  []string
	}{
		"a store of noise": {func(f string, ten []vault.Tenant) error { return overwrite(one(f, ten, "stores")) },
			[]string{"one: its store", "cannot be read", "aver backup restore"}},
		"a store with a page of noise": {func(f string, ten []vault.Tenant) error { return noisy(one(f, ten, "stores"), 2*4096) },
			[]string{"one: its store", "damaged"}},
		"no store": {func(f string, ten []vault.Tenant) error { return os.Remove(one(f, ten, "stores")) },
			[]string{"one: its store", "no such store"}},
		"a key store of noise": {func(f string, ten []vault.Tenant) error { return overwrite(one(f, ten, "keys", "stores")) },
			[]string{"one: its keys cannot be read", "aver-keys-"}},
		"no key store": {func(f string, ten []vault.Tenant) error { return os.Remove(one(f, ten, "keys", "stores")) },
			[]string{"one: its keys cannot be read"}},
		"no directory": {func(f string, _ []vault.Tenant) error {
			return os.RemoveAll(filepath.Join(f, "stores", ids.Installation.String()))
		}, []string{ids.Installation.String(), "is missing"}},
		"no root key": {func(f string, _ []vault.Tenant) error { return os.Remove(filepath.Join(f, "root.key")) },
			[]string{"root.key is missing", "put your copy"}},
		"no file of a visitor": {func(f string, ten []vault.Tenant) error {
			return os.RemoveAll(filepath.Join(f, "blobs", ten[0].ID.String()))
		},
			[]string{"one: the file", "is missing"}},
		"a readable store": {func(f string, ten []vault.Tenant) error { return os.Chmod(one(f, ten, "stores"), 0o644) },
			[]string{"mode 644"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, tenants := furnished(t)
			must(t, c.spoil(folder, tenants))
			said := wrong(t, folder)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("said %q, not %q", said, want)
				}
			}
			if strings.Contains(said, "two:") {
				t.Errorf("a whole workspace is found wrong: %s", said)
			}
		})
	}
}

// noisy overwrites one page in the middle of a file.
func noisy(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	page := make([]byte, 4096)
	_, _ = rand.Read(page)
	_, err = f.WriteAt(page, at)
	return err
}

func TestAnExaminationFindsAnAlteredEntry(t *testing.T) {
	t.Parallel()
	folder, tenants := furnished(t)
	for _, c := range []struct {
		tenant ids.Tenant
		want   string
	}{{tenants[0].ID, "one: its log:"}, {ids.Installation, "the installation: its log:"}} {
		a := openIn(t, folder, "")
		var entry []byte
		_, err := a.Vault.Journal(t.Context(), c.tenant, 0, 1, func(raw []byte) error {
			entry = append(entry, raw...)
			return nil
		})
		must(t, err)
		entry[30] ^= 1 // of the actor
		must(t, a.Spoil(t.Context(), c.tenant, "UPDATE journal SET body = ? WHERE first = 0", journal.AppendChunk(nil, entry)))
		closeIt(t, a)
		if said := wrong(t, folder); !strings.Contains(said, c.want) || !strings.Contains(said, "one was altered") {
			t.Errorf("said %q", said)
		}
	}
}
