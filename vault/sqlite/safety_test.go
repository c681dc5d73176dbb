package sqlite_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/sqlite"
)

func TestEveryConnectionIsSafeAlsoToAFileThatExisted(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	e, tenant := open(t, sqlite.Config{Root: root})
	for _, state := range []string{"new", "reopened"} {
		findings, err := e.Unsafe(t.Context(), tenant)
		if err != nil || len(findings) > 0 {
			t.Errorf("%s: %v, %v", state, findings, err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = reopen(t, sqlite.Config{Root: root}, tenant)
	}
}

func TestCheckTellsOfALoosenedConnection(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	if err := e.Check(t.Context()); err != nil {
		t.Fatalf("before: %v", err)
	}
	for _, setting := range []string{"synchronous", "secure_delete", "foreign_keys"} {
		if err := e.Loosen(t.Context(), tenant, setting, "off"); err != nil {
			t.Fatal(err)
		}
		if err := e.Check(t.Context()); err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%s is off: %v", setting, err)
		}
	}
}

func TestCheckTellsOfFilesThatOthersCanReach(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	e, tenant := open(t, sqlite.Config{Root: root})
	if err := put(t.Context(), e, tenant, 1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	modes(t, root)
	if err := e.Check(t.Context()); err != nil {
		t.Fatalf("before: %v", err)
	}
	folder := filepath.Join(root, "stores", tenant.String())
	for _, path := range []string{filepath.Join(folder, "data.db-wal"), folder} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := e.Check(t.Context()); err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%s can be read by all: %v", filepath.Base(path), err)
		}
		if err := os.Chmod(path, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

// modes wants every file for its owner alone.
func modes(t *testing.T, root string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(filepath.Join(root, "stores"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", entry.Name(), info.Mode().Perm(), want)
		}
		seen++
		return nil
	})
	if err != nil || seen != 5 { // stores, the tenant's, data.db, -wal, -shm
		t.Errorf("saw %d files, want 5; %v", seen, err)
	}
}

func TestAnotherKeyDoesNotOpenAStore(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	e, tenant := open(t, sqlite.Config{Root: root})
	if err := put(t.Context(), e, tenant, 1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	other, err := sqlite.Open(sqlite.Config{Root: root, Migrations: notes, PageKey: func(context.Context, ids.Tenant) ([]byte, error) {
		return bytes.Repeat([]byte{1}, 63+1), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	err = put(t.Context(), other, tenant, 2, nil)
	if !errors.Is(err, sqlite.ErrKey) {
		t.Errorf("got %v", err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if got := count(t, reopen(t, sqlite.Config{Root: root}, tenant), tenant); got != 1 {
		t.Errorf("the right key finds %d rows, want 1", got)
	}
}

func TestAKeyOfTheWrongLengthIsRefused(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 32, 48, 63, 65, 128} { // 32 and 48 would be taken by the driver, for less than AES-256
		key := bytes.Repeat([]byte{7}, size)
		e, err := sqlite.Open(sqlite.Config{Root: t.TempDir(), PageKey: func(context.Context, ids.Tenant) ([]byte, error) { return key, nil }})
		if err != nil {
			t.Fatal(err)
		}
		err = e.Create(t.Context(), ids.Installation)
		if err == nil {
			t.Errorf("a key of %d bytes was taken", size)
		} else if size > 0 && strings.Contains(err.Error(), hex.EncodeToString(key)) {
			t.Errorf("the error tells the key: %v", err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestALayerThatDoesNotEncryptIsRefused(t *testing.T) {
	t.Parallel()
	e, err := sqlite.Open(sqlite.Config{Root: t.TempDir(), PageKey: pageKey, VFS: "os"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Create(t.Context(), ids.Installation); err == nil {
		t.Error("a store was made without encryption")
	}
}

const canary = "canary-5b1f0c7e-in-clear"

// traces counts the canary in every file of the tenant's folder.
func traces(t *testing.T, root string, tenant ids.Tenant) map[string]int {
	t.Helper()
	found := map[string]int{}
	folder := filepath.Join(root, "stores", tenant.String())
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(content, []byte(canary)) + bytes.Count(content, []byte("SQLite format 3")); n > 0 {
			found[entry.Name()] = n
		}
	}
	return found
}

func TestNothingIsReadableInTheFiles(t *testing.T) {
	t.Parallel()
	for _, encrypted := range []bool{true, false} { // the second shows that the search finds what is there
		d := &disk{}
		cfg := sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, encrypted)}
		e, tenant := open(t, cfg)
		if err := put(t.Context(), e, tenant, 1, []byte(canary)); err != nil {
			t.Fatal(err)
		}
		inLog := traces(t, cfg.Root, tenant)
		if err := e.Scrub(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
		inFile := traces(t, cfg.Root, tenant)
		if readable := inLog["data.db-wal"] > 0 && inFile["data.db"] > 0; readable == encrypted {
			t.Errorf("encrypted %v: found %v, then %v", encrypted, inLog, inFile)
		}
		if err := e.Check(t.Context()); (err == nil) != encrypted {
			t.Errorf("encrypted %v: check says %v", encrypted, err)
		}
	}
}

func TestScrubLeavesNoTraceOfWhatWasDeleted(t *testing.T) {
	t.Parallel()
	d := &disk{}
	cfg := sqlite.Config{Root: t.TempDir(), VFS: mount(t, d, false)}
	e, tenant := open(t, cfg)
	for id := range int64(300) { // short rows, and long ones that overflow their page
		body := bytes.Repeat([]byte(canary), 1+int(id%7)*100)
		if err := put(t.Context(), e, tenant, id, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Scrub(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	for id := range int64(300) {
		if err := remove(t.Context(), e, tenant, id); err != nil {
			t.Fatal(err)
		}
	}
	if found := traces(t, cfg.Root, tenant); found["data.db"] < 2 {
		t.Fatalf("before the scrub only %v was found: the search proves nothing", found)
	}
	if err := e.Scrub(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	found := traces(t, cfg.Root, tenant)
	if found["data.db"] != 1 || len(found) != 1 { // one is the file's own header
		t.Errorf("found %v", found)
	}
}

func TestScrubWaitsForAReaderAndSaysWhenItCannot(t *testing.T) {
	t.Parallel()
	e, tenant := open(t, sqlite.Config{Root: t.TempDir()})
	if err := put(t.Context(), e, tenant, 1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	reading, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- e.Read(context.Background(), tenant, func(c engine.Conn) error {
			err := c.Query("SELECT id FROM notes", nil, func([]any) error { return nil })
			close(reading)
			<-release
			return err
		})
	}()
	<-reading
	if err := put(t.Context(), e, tenant, 1, []byte("y")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := e.Scrub(ctx, tenant); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a reader in the way: %v", err)
	}
	scrubbed := make(chan error, 1)
	go func() { scrubbed <- e.Scrub(context.Background(), tenant) }()
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := <-scrubbed; err != nil {
		t.Errorf("after the reader went: %v", err)
	}
}

func TestACopyOfTheFilesOfARunningStoreOpensWithAllItsCommits(t *testing.T) {
	t.Parallel()
	for _, layers := range [][2]string{{"", ""}, {"", "xts"}, {"xts", ""}} { // what one layer left in its log the other reads
		root, copied := t.TempDir(), t.TempDir()
		e := reopen(t, sqlite.Config{Root: root, VFS: layers[0]}, ids.Installation)
		for id := range int64(50) {
			if err := put(t.Context(), e, ids.Installation, id, bytes.Repeat([]byte{byte(id)}, int(id)*300)); err != nil {
				t.Fatal(err)
			}
		}
		folder := filepath.Join("stores", ids.Installation.String())
		for _, name := range []string{"data.db", "data.db-wal"} {
			content, err := os.ReadFile(filepath.Join(root, folder, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(copied, folder), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(copied, folder, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		after := reopen(t, sqlite.Config{Root: copied, VFS: layers[1]}, ids.Installation)
		if got := count(t, after, ids.Installation); got != 50 {
			t.Errorf("from %q to %q: %d rows, want 50", layers[0], layers[1], got)
		}
	}
}

func TestStoresAreThoseOfTheDriversOwnEncryption(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for i, vfs := range []string{"", "xts", "", "xts"} { // each reads what the others wrote and adds to it
		e := reopen(t, sqlite.Config{Root: root, VFS: vfs}, ids.Installation)
		if got := count(t, e, ids.Installation); got != int64(i) {
			t.Errorf("round %d: %d rows", i, got)
		}
		if err := put(t.Context(), e, ids.Installation, int64(i), bytes.Repeat([]byte{byte(i)}, 10_000)); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	key, _ := pageKey(t.Context(), ids.Installation)
	db, err := sqlite3.Open("file:" + filepath.Join(root, "stores", ids.Installation.String(), "data.db") + "?vfs=xts")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec("PRAGMA hexkey='" + hex.EncodeToString(key) + "'"); err != nil {
		t.Fatal(err)
	}
	s, _, err := db.Prepare("PRAGMA integrity_check")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Step() || s.ColumnText(0) != "ok" {
		t.Errorf("the driver alone finds %q", s.ColumnText(0))
	}
}
