package secrets_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"aver/base/aead"
	"aver/base/errs"
	"aver/frame/egress"
	"aver/trust/secrets"
	"aver/vault/keyring"
)

const goodToken = "s.good"

// A server speaks the transit engine's wire format: one key at transit/keys/aver-root.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	versions []*aead.Key
	calls    int
	failing  []int // statuses of the next answers
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	s.rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/team/transit/encrypt/aver-root", s.answer(s.encrypt))
	mux.HandleFunc("POST /v1/team/transit/decrypt/aver-root", s.answer(s.decrypt))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "no handler for route \""+r.URL.Path+"\". route entry not found.")
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *server) rotate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := aead.NewKey(aead.NewRaw(), uint32(len(s.versions)+1))
	if err != nil {
		panic(err)
	}
	s.versions = append(s.versions, key)
}

func (s *server) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *server) fail(statuses ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = statuses
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string][]string{"errors": {why}})
}

func (s *server) answer(do func(map[string]string) (map[string]any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls++
		if len(s.failing) > 0 {
			status := s.failing[0]
			s.failing = s.failing[1:]
			refuse(w, status, "Vault is sealed")
			return
		}
		if r.Header.Get("X-Vault-Request") != "true" || r.Header.Get("X-Vault-Token") != goodToken || r.Header.Get("X-Vault-Namespace") != "eu" {
			refuse(w, http.StatusForbidden, "permission denied")
			return
		}
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			refuse(w, http.StatusBadRequest, "error parsing JSON")
			return
		}
		data, err := do(body)
		if err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"request_id": "1", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data, "warnings": nil})
	}
}

func (s *server) encrypt(body map[string]string) (map[string]any, error) {
	plain, err1 := base64.StdEncoding.DecodeString(body["plaintext"])
	place, err2 := base64.StdEncoding.DecodeString(body["associated_data"])
	if err := errors.Join(err1, err2); err != nil {
		return nil, errors.New("failed to base64-decode plaintext")
	}
	n := len(s.versions)
	sealed := s.versions[n-1].Seal(nil, plain, place)
	return map[string]any{"ciphertext": fmt.Sprintf("vault:v%d:%s", n, base64.StdEncoding.EncodeToString(sealed)), "key_version": n}, nil
}

func (s *server) decrypt(body map[string]string) (map[string]any, error) {
	var n int
	var text string
	if _, err := fmt.Sscanf(body["ciphertext"], "vault:v%d:%s", &n, &text); err != nil || n < 1 || n > len(s.versions) {
		return nil, errors.New("invalid ciphertext: no prefix")
	}
	sealed, err1 := base64.StdEncoding.DecodeString(text)
	place, err2 := base64.StdEncoding.DecodeString(body["associated_data"])
	if errors.Join(err1, err2) != nil {
		return nil, errors.New("invalid ciphertext: could not decode base64")
	}
	plain, err := s.versions[n-1].Open(sealed, place)
	if err != nil {
		return nil, errors.New("cipher: message authentication failed")
	}
	return map[string]any{"plaintext": base64.StdEncoding.EncodeToString(plain)}, nil
}

// door lets calls to the test's key manager out, and to nothing else.
func door() *egress.Door {
	return &egress.Door{Register: func(_ context.Context, purpose, host string) (egress.Entry, bool) {
		return egress.Entry{Name: "key manager", Grade: egress.Own}, purpose == secrets.Purpose && host == "127.0.0.1"
	}}
}

func (s *server) address() string {
	return strings.Replace(s.URL, "http://", "transit+http://", 1) + "/team/transit/aver-root?namespace=eu"
}

func (s *server) transit(token string) *secrets.Transit {
	return &secrets.Transit{Server: s.URL, Mount: "team/transit", Key: "aver-root", Namespace: "eu",
		Token: func() (string, error) { return token, nil }, Client: door().Client(secrets.Purpose)}
}

func tokenFile(t *testing.T, token string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *server) open(t *testing.T) *secrets.Envelope {
	t.Helper()
	root, err := secrets.Open(t.Context(), s.address()+"&token_file="+url.QueryEscape(tokenFile(t, goodToken)), door().Client(secrets.Purpose))
	if err != nil {
		t.Fatal(err)
	}
	return root.(*secrets.Envelope)
}

var place = []byte("a place")

func wrap(t *testing.T, root keyring.Root, key string) []byte {
	t.Helper()
	wrapped, err := root.Wrap(t.Context(), []byte(key), place)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped
}

func opens(t *testing.T, root keyring.Root, wrapped []byte, want string) {
	t.Helper()
	if got, err := root.Unwrap(t.Context(), wrapped, place); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestTransitWrapsBoundToThePlaceAndReadsOldVersions(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	root := s.transit(goodToken)
	old := wrap(t, root, "old")
	s.rotate()
	fresh := wrap(t, root, "new")
	opens(t, root, old, "old")
	opens(t, root, fresh, "new")
	if a, b := root.WrappedBy(old), root.WrappedBy(fresh); a != 1 || b != 2 {
		t.Errorf("wrapped by %d and %d", a, b)
	}
	if _, err := root.Unwrap(t.Context(), old, []byte("elsewhere")); !errors.Is(err, secrets.ErrRefused) {
		t.Errorf("in another place: %v", err)
	}
	for _, text := range []string{"", "vault:", "vault:v:", "vault:vx:a", "other:v1:a", "vault:v1"} {
		if got := root.WrappedBy([]byte(text)); got != 0 {
			t.Errorf("%q is of version %d", text, got)
		}
	}
}

func TestTransitSaysWhatIsWrongAndWhetherTryingHelps(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	wrong := s.transit(goodToken)
	wrong.Key = "other"
	gone := s.transit(goodToken)
	gone.Server = "http://127.0.0.1:1"
	elsewhere := s.transit(goodToken)
	elsewhere.Server = "http://localhost:1"
	for name, c := range map[string]struct {
		root    *secrets.Transit
		refused bool
		want    string
	}{
		"a bad token":       {s.transit("s.bad"), true, "permission denied"},
		"a key not there":   {wrong, true, "status 404"},
		"nobody there":      {gone, false, "key manager cannot be reached"},
		"a host not let by": {elsewhere, false, "does not call this host"},
	} {
		_, err := c.root.Wrap(t.Context(), []byte("the key itself"), place)
		if err == nil || errors.Is(err, secrets.ErrRefused) != c.refused || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "the key itself") || strings.Contains(err.Error(), "s.bad")) {
			t.Errorf("%s: the error tells a secret: %v", name, err)
		}
	}
}

func TestTransitOutlastsAShortSealAndGivesUpOnALongOne(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.fail(http.StatusServiceUnavailable, http.StatusTooManyRequests, 473)
	wrapped := wrap(t, s.transit(goodToken), "a key")
	if got := s.called(); got != 4 {
		t.Errorf("%d calls, want 4", got)
	}
	s.fail(503, 503, 503, 503, 503)
	if _, err := s.transit(goodToken).Unwrap(t.Context(), wrapped, place); !errs.Is(err, errs.Unavailable) {
		t.Errorf("got %v", err)
	}
	if got := s.called(); got != 8 {
		t.Errorf("%d calls, want 8", got)
	}
}

func TestTransitRefusesAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no JSON": "<html>", "no data": "{}", "other data": `{"data":{"keys":[]}}`, "bad base64": `{"data":{"plaintext":"%"}}`,
		"no ciphertext": `{"data":{"ciphertext":"hello","plaintext":""}}`, "much": `{"data":{"plaintext":"` + strings.Repeat("A", 1<<20) + `"}}`} {
		fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(fake.Close)
		root := (&server{Server: fake}).transit(goodToken)
		if _, err := root.Wrap(t.Context(), []byte("k"), place); err == nil {
			t.Errorf("%s: wrapped", name)
		}
		if _, err := root.Unwrap(t.Context(), []byte("vault:v1:x"), place); err == nil {
			t.Errorf("%s: unwrapped", name)
		}
	}
}

func TestAddressesOfKeyManagersAreReadOrRefusedInWords(t *testing.T) {
	t.Parallel()
	file := "?token_file=" + url.QueryEscape(tokenFile(t, goodToken))
	for address, want := range map[string]string{
		"transit://bao.example:8200/transit/aver-root" + file:                                                       "",
		"transit://bao.example:8200/aver-root" + file:                                                               "MOUNT/KEY",
		"transit://bao.example:8200" + file:                                                                         "MOUNT/KEY",
		"transit:///transit/aver-root" + file:                                                                       "MOUNT/KEY",
		"transit://s.good@bao.example/transit/aver-root":                                                            "MOUNT/KEY",
		"transit://bao.example/transit/aver-root?token_file=" + url.QueryEscape(filepath.Join(t.TempDir(), "none")): "read the key manager's token",
		"transit://bao.example/transit/aver-root?token_file=" + url.QueryEscape(tokenFile(t, " ")):                  "token is missing",
		"ftp://bao.example/transit/aver-root":                                                                       "ftp",
		"transit://bao.example:port/transit/aver-root":                                                              "malformed",
	} {
		_, err := secrets.Open(t.Context(), address, http.DefaultClient)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", address, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)) && !secrets.Clouds:
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	for address, want := range map[string]string{"transit://Bao.example:8200/a/b": "bao.example", "transit+http://[::1]:8200/a/b": "::1", "awskms://key?region=eu-central-1": "", "/etc/root.key": ""} {
		if got := secrets.Host(address); got != want {
			t.Errorf("the host of %s is %q, want %q", address, got, want)
		}
	}
}

func TestAStartAsksTheKeyManagerOncePerDataKey(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	first := s.open(t)
	var wrapped [][]byte
	for range 100 {
		wrapped = append(wrapped, wrap(t, first, "a key"))
	}
	if got := s.called(); got != 1 {
		t.Errorf("wrapping 100 keys took %d calls, want 1", got)
	}
	restarted := s.open(t)
	var all sync.WaitGroup
	for _, w := range wrapped {
		all.Go(func() { opens(t, restarted, w, "a key") })
	}
	all.Wait()
	wrapped = append(wrapped, wrap(t, restarted, "a key")) // under the data key that it has met
	if got := s.called(); got != 2 {
		t.Errorf("opening them after a start took %d calls, want 1", got-1)
	}
	s.fail(503, 503, 503, 503)
	opens(t, restarted, wrapped[100], "a key") // a key manager that is away disturbs nobody
}

func TestRenewingPutsWhatComesUnderANewVersionAndTheOldStaysReadable(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	server, command := s.open(t), s.open(t)
	old := wrap(t, server, "old")
	s.rotate()
	opens(t, command, old, "old")
	if err := command.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := wrap(t, command, "new")
	opens(t, server, fresh, "new")
	next := wrap(t, server, "next") // the running server goes over to what it has met
	for i, w := range [][]byte{old, fresh, next} {
		if got, want := server.WrappedBy(w), []uint32{1, 2, 2}[i]; got != want {
			t.Errorf("%d is under version %d, want %d", i, got, want)
		}
	}
	opens(t, server, old, "old")
}

func TestWhatIsMovedOrBentDoesNotOpen(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	root := s.open(t)
	wrapped := wrap(t, root, "a key")
	if _, err := root.Unwrap(t.Context(), wrapped, []byte("elsewhere")); !errors.Is(err, aead.ErrOpen) {
		t.Errorf("in another place: %v", err)
	}
	if bytes.Contains(wrapped, []byte("a key")) {
		t.Error("the key stands there in clear")
	}
	rapid.Check(t, func(t *rapid.T) {
		bent := bytes.Clone(wrapped)
		at := rapid.IntRange(0, len(bent)-1).Draw(t, "at")
		bent[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		if rapid.Bool().Draw(t, "cut") {
			bent = bent[:at]
		}
		if got, err := root.Unwrap(context.Background(), bent, place); err == nil && string(got) == "a key" {
			t.Fatalf("with byte %d bent it opens", at)
		}
	})
}

func TestAnEnvelopeIsARootForAKeyring(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	pages := keyring.Pages{Dir: t.TempDir(), Root: s.open(t)}
	key, err := pages.Get(t.Context(), name("one"))
	if err != nil {
		t.Fatal(err)
	}
	pages.Root = s.open(t)
	if again, err := pages.Get(t.Context(), name("one")); err != nil || !bytes.Equal(key, again) {
		t.Errorf("after a start it is another one: %v", err)
	}
}

type name string

func (n name) String() string { return string(n) }
