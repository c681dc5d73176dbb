package edge_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"aver/edge"
)

func (d *door) shake(config *tls.Config) (tls.ConnectionState, error) {
	config.InsecureSkipVerify, config.ServerName = true, "localhost"
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", d.address, config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

func TestTLSScan(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{})
	good := []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	t.Run("versions", func(t *testing.T) {
		for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
			_, err := d.shake(&tls.Config{MinVersion: version, MaxVersion: version})
			if (err == nil) != want {
				t.Errorf("%s: %v", tls.VersionName(version), err)
			}
		}
	})
	t.Run("suites of TLS 1.2", func(t *testing.T) {
		for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
			if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
				continue
			}
			_, err := d.shake(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
			if (err == nil) != slices.Contains(good, suite.ID) {
				t.Errorf("%s: %v", suite.Name, err)
			}
		}
	})
	t.Run("key exchange", func(t *testing.T) {
		groups := map[tls.CurveID]bool{tls.X25519MLKEM768: true, tls.X25519: true, tls.CurveP256: true, tls.CurveP384: true, tls.CurveP521: false}
		for group, want := range groups {
			state, err := d.shake(&tls.Config{CurvePreferences: []tls.CurveID{group}})
			if (err == nil) != want || err == nil && state.CurveID != group {
				t.Errorf("%s: %v, %s", group, err, state.CurveID)
			}
		}
	})
	t.Run("a modern client gets the hybrid exchange", func(t *testing.T) {
		if state, err := d.shake(&tls.Config{}); err != nil || state.Version != tls.VersionTLS13 || state.CurveID != tls.X25519MLKEM768 {
			t.Errorf("%s, %v", state.CurveID, err)
		}
	})
	t.Run("certificates for both kinds of clients", func(t *testing.T) {
		for suite, want := range map[uint16]x509.PublicKeyAlgorithm{good[0]: x509.ECDSA, good[1]: x509.RSA} {
			state, err := d.shake(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite}})
			if err != nil || state.PeerCertificates[0].PublicKeyAlgorithm != want {
				t.Errorf("%s: %v", want, err)
			}
		}
	})
	t.Run("HTTP/2 and HTTP/1.1", func(t *testing.T) {
		for _, protocol := range []string{"h2", "http/1.1"} {
			if state, err := d.shake(&tls.Config{NextProtos: []string{protocol}}); err != nil || state.NegotiatedProtocol != protocol {
				t.Errorf("%s: %q, %v", protocol, state.NegotiatedProtocol, err)
			}
		}
	})
}

func TestAnSSL3HandshakeIsRefused(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{})
	conn, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	// A client hello of version 3.0 that offers TLS_RSA_WITH_RC4_128_SHA and nothing else.
	body := append([]byte{3, 0}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0, 5, 1, 0)
	hello := append([]byte{1, 0, 0, byte(len(body))}, body...)
	if _, err := conn.Write(append([]byte{22, 3, 0, 0, byte(len(hello))}, hello...)); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(conn)
	if len(answer) < 7 || answer[0] != 21 || answer[5] != 2 { // a fatal alert
		t.Errorf("answered % x", answer)
	}
}

func TestNothingIsServedWithoutACertificate(t *testing.T) {
	t.Parallel()
	if err := edge.New(edge.Config{Listen: "127.0.0.1:0"}).Listen(); err == nil {
		t.Error("it listens")
	}
}

func TestATakenPortIsKnownAtOnce(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{})
	source, err := certificates()
	if err != nil {
		t.Fatal(err)
	}
	if err := edge.New(edge.Config{Certificates: source, Listen: d.address}).Listen(); err == nil {
		t.Error("two servers listen on one port")
	}
}

func TestPlainHTTPOnlyRedirects(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{Hosts: []string{"chat.example", "Other.example:8443"}})
	for _, c := range []struct{ method, path, host, want string }{
		{"GET", "/", "chat.example", "https://chat.example/"},
		{"GET", "/login?next=%2Finbox", "chat.example:80", "https://chat.example/login?next=%2Finbox"},
		{"POST", "/v1/contacts", "CHAT.example.", "https://chat.example/v1/contacts"},
		{"GET", "/trust", "other.example:8080", "https://other.example:8443/trust"},
		{"GET", "/", "evil.example", "https://chat.example/"},
		{"GET", "//evil.example/x", "chat.example", "https://chat.example//evil.example/x"},
		{"GET", "/healthz", "chat.example", "https://chat.example/healthz"},
		{"GET", "/a%2Fb", "chat.example", "https://chat.example/a%2Fb"},
	} {
		t.Run(fmt.Sprint(c.method, " ", c.host, c.path), func(t *testing.T) {
			answer := d.send(c.method, d.plain+c.path, "", "Host", c.host)
			if answer.StatusCode != 308 || answer.Header.Get("Location") != c.want || answer.body != "" {
				t.Errorf("%d to %q with body %q, want %q", answer.StatusCode, answer.Header.Get("Location"), answer.body, c.want)
			}
		})
	}
}
