package app_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"aver/cmd/aver/app"
)

func openIn(t *testing.T, folder, root string) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{Data: folder, RootKey: root, Region: "eu", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func closeIt(t *testing.T, a *app.App) {
	t.Helper()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// finds tells that everything an installation has under keys still opens: the directory, a workspace, the queue.
func finds(t *testing.T, a *app.App, slugs ...string) {
	t.Helper()
	for _, slug := range slugs {
		tenant, err := a.Vault.TenantBySlug(t.Context(), slug)
		if err != nil {
			t.Errorf("find %s: %v", slug, err)
			continue
		}
		if _, err := a.Vault.Keys().Tenant(t.Context(), tenant.ID); err != nil {
			t.Errorf("the keys of %s: %v", slug, err)
		}
	}
}

func TestARotationOfTheRootThatIsInterruptedAnywhereLosesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	a := openIn(t, folder, "")
	for _, slug := range []string{"one", "two"} {
		if _, err := a.CreateTenant(t.Context(), slug, slug); err != nil {
			t.Fatal(err)
		}
	}
	closeIt(t, a)
	for writes := range int64(3) { // of three: two workspaces and the installation
		a = openIn(t, folder, "")
		a.InterruptKeys(writes)
		if _, err := a.RotateRoot(t.Context()); !errors.Is(err, app.ErrInterrupted) {
			t.Fatalf("after %d writes: %v", writes, err)
		}
		closeIt(t, a)
		a = openIn(t, folder, "")
		finds(t, a, "one", "two")
		closeIt(t, a)
	}
	a = openIn(t, folder, "")
	defer closeIt(t, a)
	done, err := a.RotateRoot(t.Context())
	if err != nil || done.Workspaces != 3 || done.Version != 5 || done.Kept != filepath.Join(folder, "root.key") {
		t.Errorf("%+v, %v", done, err)
	}
	finds(t, a, "one", "two")
	text, err := os.ReadFile(done.Kept)
	if err != nil || strings.Count(string(text), "\n") != 2 || !strings.HasPrefix(string(text), "aver-root:5:") {
		t.Errorf("the file has %d lines, %v", strings.Count(string(text), "\n"), err)
	}
}

// The command rotates in a process of its own while the server goes on.
func TestAServerNeedsNoRestartWhenACommandRotatesTheRoot(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	server := openIn(t, folder, "")
	defer closeIt(t, server)
	if _, err := server.CreateTenant(t.Context(), "one", "one"); err != nil {
		t.Fatal(err)
	}
	command := openIn(t, folder, "")
	defer closeIt(t, command)
	for range 3 {
		if _, err := command.RotateRoot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tenant, err := server.CreateTenant(t.Context(), "two", "two")
	if err != nil {
		t.Fatal(err)
	}
	server.Vault.Keys().Forget(tenant.ID)
	finds(t, server, "one", "two")
	restarted := openIn(t, folder, "")
	defer closeIt(t, restarted)
	finds(t, restarted, "one", "two")
}

// transit is a key manager that remembers instead of encrypting, and counts.
func transit(t *testing.T) (address string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		data := map[string]string{"ciphertext": "vault:v1:" + body["plaintext"] + "." + body["associated_data"]}
		if r.URL.Path == "/v1/transit/decrypt/aver-root" {
			plain, place, _ := strings.Cut(strings.TrimPrefix(body["ciphertext"], "vault:v1:"), ".")
			if place != body["associated_data"] {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			data = map[string]string{"plaintext": plain}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(s.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s.token"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "transit+http://" + s.Listener.Addr().String() + "/transit/aver-root?token_file=" + token, calls
}

func TestAStartWithAKeyManagerAsksItOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	address, calls := transit(t)
	a := openIn(t, folder, address)
	for _, slug := range []string{"one", "two", "three"} {
		if _, err := a.CreateTenant(t.Context(), slug, slug); err != nil {
			t.Fatal(err)
		}
	}
	closeIt(t, a)
	if _, err := os.Stat(filepath.Join(folder, "root.key")); err == nil {
		t.Error("a root key file was made")
	}
	before := calls.Load()
	a = openIn(t, folder, address)
	finds(t, a, "one", "two", "three")
	if got := calls.Load() - before; got != 1 {
		t.Errorf("a start asked %d times, want once", got)
	}
	if done, err := a.RotateRoot(t.Context()); err != nil || done.Workspaces != 4 || done.Version != 1 || done.File {
		t.Errorf("%+v, %v", done, err)
	}
	closeIt(t, a)
	before = calls.Load()
	a = openIn(t, folder, address)
	defer closeIt(t, a)
	finds(t, a, "one", "two", "three")
	if got := calls.Load() - before; got != 1 {
		t.Errorf("a start after a rotation asked %d times, want once", got)
	}
}

func TestAMissingKeyManagerStopsTheStartInClearWords(t *testing.T) {
	t.Parallel()
	address, _ := transit(t)
	_, token, _ := strings.Cut(address, "?")
	for root, want := range map[string]string{
		"transit+http://127.0.0.1:1/transit/aver-root?" + token: "cannot be reached",
		"transit://127.0.0.1:1/transit":                         "MOUNT/KEY",
		"env":                                                   "AVER_ROOT_KEY is not set",
	} {
		_, err := app.Open(t.Context(), app.Config{Data: t.TempDir(), RootKey: root, Log: io.Discard})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", root, err)
		}
	}
}
