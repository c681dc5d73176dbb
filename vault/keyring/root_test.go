package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"aver/vault/keyring"
)

func TestARootKeyFileIsMadeForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "folder", "root.key")
	first, created, err := keyring.OpenRootFile(path)
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", filepath.Base(name), info.Mode(), err, want)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("files beside it: %v, %v", left, err)
	}
	again, created, err := keyring.OpenRootFile(path)
	if err != nil || created {
		t.Fatalf("opened again: created %v, %v", created, err)
	}
	opens(t, again, wrap(t, first, "a key"), "a key")
}

func TestARootKeyFileThatOthersMayReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o620, 0o644} {
		path := newRoot(t)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := keyring.OpenRootFile(path); err == nil || !strings.Contains(err.Error(), "0600") {
			t.Errorf("mode %o: %v", mode, err)
		}
		if _, err := keyring.AddRootVersion(path); err == nil {
			t.Errorf("mode %o: a version was added", mode)
		}
	}
}

func TestMalformedRootKeysAreRefusedInWords(t *testing.T) {
	t.Parallel()
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	good := "aver-root:1:" + key
	for text, want := range map[string]string{
		"": "empty", "\n \n": "empty", "secret": "a line is not", "aver-root:1": "a line is not", "other:1:" + key: "a line is not",
		good + ":x": "a line is not", "aver-root:one:" + key: "not a number", "aver-root:-1:" + key: "not a number",
		"aver-root:4294967296:" + key: "not a number", "aver-root:1:%%%": "not base64", "aver-root:1:" + key[:8]: "want 32",
		good + "\nrubbish": "a line is not", good + "\n" + good: "twice", "aver-root:0:" + key: "not a number",
	} {
		_, err := keyring.ParseRoot(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), key[:6]) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

func TestARootKeyReadsAnyTextWithoutPanicking(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		if root, err := keyring.ParseRoot(rapid.String().Draw(t, "text")); (root == nil) == (err == nil) {
			t.Errorf("root %v, error %v", root, err)
		}
	})
}

func TestEveryVersionOpensWhatItWrappedAndTheFirstWraps(t *testing.T) {
	t.Parallel()
	path := newRoot(t)
	var wrapped [][]byte
	for range 3 {
		root, _, err := keyring.OpenRootFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wrapped = append(wrapped, wrap(t, root, "a key"))
		if _, err := keyring.AddRootVersion(path); err != nil {
			t.Fatal(err)
		}
	}
	root, _, err := keyring.OpenRootFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range wrapped {
		opens(t, root, w, "a key")
		if got := root.WrappedBy(w); got != uint32(i+1) {
			t.Errorf("wrapped by %d, want %d", got, i+1)
		}
	}
	if got := root.Version(); got != 4 {
		t.Errorf("version %d is current, want 4", got)
	}
	if _, err := root.Unwrap(t.Context(), wrapped[0], []byte("elsewhere")); err == nil {
		t.Error("it opens in another place")
	}
}

func TestDroppingKeepsTheCurrentRootAndTheOneBefore(t *testing.T) {
	t.Parallel()
	path := newRoot(t)
	first, _, err := keyring.OpenRootFile(path)
	if err != nil {
		t.Fatal(err)
	}
	one := wrap(t, first, "one")
	second, err := keyring.AddRootVersion(path)
	if err != nil {
		t.Fatal(err)
	}
	two := wrap(t, second, "two")
	if _, err := keyring.AddRootVersion(path); err != nil {
		t.Fatal(err)
	}
	if err := keyring.DropOldRoots(path); err != nil {
		t.Fatal(err)
	}
	root, _, err := keyring.OpenRootFile(path)
	if err != nil {
		t.Fatal(err)
	}
	opens(t, root, two, "two")
	if _, err := root.Unwrap(t.Context(), one, place); err == nil || !strings.Contains(err.Error(), "version 1") {
		t.Errorf("the dropped version: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A server that runs while a command rotates takes the new version without a restart.
func TestAnOpenRootNoticesAVersionThatAnotherProcessAdded(t *testing.T) {
	t.Parallel()
	path := newRoot(t)
	server, _, err := keyring.OpenRootFile(path)
	if err != nil {
		t.Fatal(err)
	}
	command, err := keyring.AddRootVersion(path)
	if err != nil {
		t.Fatal(err)
	}
	opens(t, server, wrap(t, command, "a key"), "a key")
	if _, err := keyring.AddRootVersion(path); err != nil {
		t.Fatal(err)
	}
	if got := server.WrappedBy(wrap(t, server, "another")); got != 3 {
		t.Errorf("the server wraps with version %d, want 3", got)
	}
}

func TestConcurrentRotationsOfTheRootLoseNoVersion(t *testing.T) {
	t.Parallel()
	path := newRoot(t)
	var all sync.WaitGroup
	wrapped := make([][]byte, 8)
	for i := range wrapped {
		all.Go(func() {
			root, err := keyring.AddRootVersion(path)
			if err != nil {
				t.Error(err)
				return
			}
			wrapped[i], err = root.Wrap(context.Background(), []byte("a key"), place)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	root, _, err := keyring.OpenRootFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if root.Version() != 9 {
		t.Errorf("version %d, want 9", root.Version())
	}
	for _, w := range wrapped {
		opens(t, root, w, "a key")
	}
}

var place = []byte("some place")

func newRoot(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.key")
	if _, _, err := keyring.OpenRootFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func wrap(t *testing.T, root keyring.Root, key string) []byte {
	t.Helper()
	w, err := root.Wrap(t.Context(), []byte(key), place)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func opens(t *testing.T, root keyring.Root, wrapped []byte, want string) {
	t.Helper()
	if got, err := root.Unwrap(t.Context(), wrapped, place); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
