package certificate_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aver/base/clock"
	"aver/edge/certificate"
	"aver/frame/egress"
)

// shake lets a client and a server meet and returns the certificate that the client saw.
func shake(t *testing.T, source *certificate.Source, client *tls.Config) *x509.Certificate {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: source.Get, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()
	client.InsecureSkipVerify = true // the test looks at the certificate itself
	conn, err := tls.Dial("tcp", listener.Addr().String(), client)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0]
}

func onlyRSA() *tls.Config {
	return &tls.Config{ServerName: "localhost", MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}
}

func TestASelfSignedPairIsMadeOnceAndKeptPrivate(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "tls")
	now := clock.At(time.Now())
	first, err := certificate.SelfSigned(folder, []string{"chat.example"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if kinds := first.Kinds(); !slices.Equal(kinds, []string{"ecdsa", "rsa"}) {
		t.Errorf("kinds %v", kinds)
	}
	modern, old := shake(t, first, &tls.Config{ServerName: "chat.example"}), shake(t, first, onlyRSA())
	if modern.PublicKeyAlgorithm != x509.ECDSA || old.PublicKeyAlgorithm != x509.RSA {
		t.Errorf("got %s for a modern client and %s for one that knows only RSA", modern.PublicKeyAlgorithm, old.PublicKeyAlgorithm)
	}
	for _, name := range []string{"chat.example", "localhost", "127.0.0.1", "::1"} {
		if modern.VerifyHostname(name) != nil || old.VerifyHostname(name) != nil {
			t.Errorf("not for %s", name)
		}
	}
	if modern.IsCA || old.IsCA {
		t.Error("the pair may sign others")
	}
	for _, name := range []string{"ecdsa.pem", "rsa.pem"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	second, err := certificate.SelfSigned(folder, []string{"chat.example"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if !shake(t, second, &tls.Config{ServerName: "chat.example"}).Equal(modern) {
		t.Error("a second start made another certificate")
	}
}

func TestASelfSignedPairIsRenewed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct {
		hosts []string
		later time.Duration
	}{
		"for a new host":         {hosts: []string{"chat.example", "new.example"}},
		"before its time is out": {hosts: []string{"chat.example"}, later: 370 * 24 * time.Hour},
		"after its time is out":  {hosts: []string{"chat.example"}, later: 3 * 366 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, now := t.TempDir(), clock.At(time.Now())
			first, err := certificate.SelfSigned(folder, []string{"chat.example"}, now)
			if err != nil {
				t.Fatal(err)
			}
			now.Advance(change.later)
			second, err := certificate.SelfSigned(folder, change.hosts, now)
			if err != nil {
				t.Fatal(err)
			}
			if shake(t, first, &tls.Config{}).Equal(shake(t, second, &tls.Config{})) {
				t.Error("the old certificate is still served")
			}
		})
	}
}

func TestFilesThatChangeAreReadAgain(t *testing.T) {
	t.Parallel()
	now := clock.At(time.Now())
	one, two := t.TempDir(), t.TempDir()
	for _, folder := range []string{one, two} {
		if _, err := certificate.SelfSigned(folder, nil, now); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(one, "ecdsa.pem")
	source, err := certificate.Files(certificate.Pair{Certificate: file, Key: file})
	if err != nil {
		t.Fatal(err)
	}
	before := shake(t, source, &tls.Config{})
	if err := os.WriteFile(file, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := source.Reload(); err == nil {
		t.Error("a broken file was accepted")
	}
	if !shake(t, source, &tls.Config{}).Equal(before) {
		t.Error("a broken file replaced a good certificate")
	}
	if err := os.Rename(filepath.Join(two, "ecdsa.pem"), file); err != nil {
		t.Fatal(err)
	}
	if err := source.Reload(); err != nil {
		t.Fatal(err)
	}
	if shake(t, source, &tls.Config{}).Equal(before) {
		t.Error("the old certificate is still served")
	}
}

func TestUnusableSourcesAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := certificate.Files(); err == nil {
		t.Error("no files are accepted")
	}
	if _, err := certificate.Files(certificate.Pair{Certificate: "missing.pem", Key: "missing.pem"}); err == nil {
		t.Error("a missing file is accepted")
	}
	if _, err := certificate.Automatic(certificate.ACME{Folder: t.TempDir(), Client: http.DefaultClient}); err == nil {
		t.Error("ACME without hosts is accepted")
	}
	if _, err := new(certificate.Source).Get(&tls.ClientHelloInfo{}); err == nil {
		t.Error("the zero source has a certificate")
	}
}

func TestACMEAsksForConfiguredHostsOnlyAndThroughTheDoor(t *testing.T) {
	t.Parallel()
	var asked []string
	door := &egress.Door{Observed: func(host, _ string, allowed bool) {
		if allowed {
			t.Errorf("a call to %s left", host)
		}
		asked = append(asked, host)
	}}
	source, err := certificate.Automatic(certificate.ACME{
		Client: door.Client("acme"), Directory: "https://authority.example/directory", Folder: t.TempDir(), Hosts: []string{"chat.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	hello := &tls.ClientHelloInfo{ServerName: "evil.example", SupportedVersions: []uint16{tls.VersionTLS13}, CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256}}
	if _, err := source.Get(hello); err == nil || len(asked) != 0 {
		t.Errorf("a foreign host: %v, asked %v", err, asked)
	}
	hello.ServerName = "chat.example"
	if _, err := source.Get(hello); err == nil || !slices.Contains(asked, "authority.example") {
		t.Errorf("our host: %v, asked %v", err, asked)
	}
}

func TestACMEAnswersChallengesOnThePlainPortAndNothingElse(t *testing.T) {
	t.Parallel()
	source, err := certificate.Automatic(certificate.ACME{Client: new(egress.Door).Client("acme"), Folder: t.TempDir(), Hosts: []string{"chat.example"}})
	if err != nil {
		t.Fatal(err)
	}
	handler := source.Challenge(http.RedirectHandler("https://chat.example/", http.StatusPermanentRedirect))
	for path, want := range map[string]int{"/.well-known/acme-challenge/unknown": http.StatusNotFound, "/": http.StatusPermanentRedirect, "/login": http.StatusPermanentRedirect} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://chat.example"+path, strings.NewReader(""))
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
