// Package transport has the probes of connections: which versions and suites of TLS are agreed, and what port 80 answers.
package transport

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"aver/frame/claim"
	"aver/trust/probes/world"
)

// view is the world with the ways of looking at it that are used here alone.
type view struct{ *world.World }

// Claims lists the promises about connections.
func Claims(at *world.World) []claim.Claim {
	w := view{at}
	return []claim.Claim{tlsVersions(w), forwardSecrecy(w), redirecting(w)}
}

// dial opens a connection to the listener that is looked at.
type dial func(ctx context.Context) (net.Conn, error)

var errNotServing = errors.New("this process does not listen")

func (w view) tls(ctx context.Context) (net.Conn, error) {
	addr := w.Addresses().TLS
	if addr == "" {
		return nil, errNotServing
	}
	return w.Dial(ctx, addr)
}

// shake tries a handshake and returns what was agreed.
func shake(ctx context.Context, open dial, config *tls.Config) (tls.ConnectionState, error) {
	conn, err := open(ctx)
	if err != nil {
		return tls.ConnectionState{}, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	config.InsecureSkipVerify = true // what is looked at is what would be agreed, not whose certificate it is
	client := tls.Client(conn, config)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := client.HandshakeContext(ctx); err != nil {
		return tls.ConnectionState{}, err
	}
	return client.ConnectionState(), nil
}

var versions = []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13}

// tlsVersions is enc-2.
func tlsVersions(w view) claim.Claim {
	old := func(ctx context.Context) (claim.Evidence, error) {
		return judgeVersions(ctx, listening(&tls.Config{MinVersion: tls.VersionTLS10}))
	}
	return claim.Claim{
		ID: "enc-2", Theme: world.Encryption, Owner: world.Security, Every: world.Hourly,
		Wording:   "TLS 1.2 or newer: {refused} handshakes of older versions tried and refused, {agreed} agreed",
		Predicate: "The listener refuses every handshake of TLS 1.0 and 1.1 and agrees to one of TLS 1.2 and one of TLS 1.3.",
		Method:    "The probe connects to the installation's own listener and shakes hands with each version alone.",
		Refs:      claim.References{ISO: []string{"A.8.24", "A.8.20"}, SOC2: []string{"CC6.7"}, GDPR: []string{"32(1)(a)"}},
		Probe:     func(ctx context.Context) (claim.Evidence, error) { return judgeVersions(ctx, w.tls) },
		Fixtures: []claim.Fixture{world.Fixture("a listener that agrees to TLS 1.0", old), world.Fixture("a listener that answers without TLS", func(ctx context.Context) (claim.Evidence, error) {
			return judgeVersions(ctx, speaking("HTTP/1.1 400 Bad Request\r\n\r\n"))
		})},
	}
}

func judgeVersions(ctx context.Context, open dial) (claim.Evidence, error) {
	e, refused, agreed := world.Evidence(), 0, []string{}
	for _, v := range versions {
		state, err := shake(ctx, open, &tls.Config{MinVersion: v, MaxVersion: v})
		if errors.Is(err, errNotServing) {
			return e, err
		}
		name, wanted := tls.VersionName(v), v >= tls.VersionTLS12
		if err == nil {
			agreed = append(agreed, tls.VersionName(state.Version))
			e.See(wanted, name, "agreed, %s", tls.CipherSuiteName(state.CipherSuite))
		} else {
			refused++
			e.See(!wanted, name, "refused")
		}
	}
	e.Figure("refused", "%d", refused)
	e.Figure("agreed", "%s", strings.Join(agreed, " and "))
	return e, nil
}

// forwardSecrecy is enc-3.
func forwardSecrecy(w view) claim.Claim {
	return claim.Claim{
		ID: "enc-3", Theme: world.Encryption, Owner: world.Security, Every: world.Hourly,
		Wording:   "Forward secrecy for every connection: {agreed} suites agreed, all with ephemeral elliptic-curve keys; {refused} others tried and refused; certificates signed with {certificates}",
		Predicate: "Of all suites of TLS 1.2 that this program knows, the listener agrees to those with ephemeral elliptic-curve key exchange and authenticated encryption and to no other, and it has a certificate with an ECDSA key and one with an RSA key.",
		Method:    "The probe offers each suite alone to the installation's own listener. TLS 1.3 has no suites without forward secrecy.",
		Refs:      claim.References{ISO: []string{"A.8.24"}, SOC2: []string{"CC6.7"}, GDPR: []string{"32(1)(a)"}},
		Probe:     func(ctx context.Context) (claim.Evidence, error) { return judgeSuites(ctx, w.tls) },
		Fixtures: []claim.Fixture{
			world.Fixture("a listener that agrees to key exchange by the certificate's key", func(ctx context.Context) (claim.Evidence, error) {
				return judgeSuites(ctx, listening(&tls.Config{CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}))
			}),
			world.Fixture("a listener without an ECDSA certificate", func(ctx context.Context) (claim.Evidence, error) {
				config := &tls.Config{}
				open := listening(config)
				config.Certificates = config.Certificates[1:]
				return judgeSuites(ctx, open)
			}),
		},
	}
}

func judgeSuites(ctx context.Context, open dial) (claim.Evidence, error) {
	e, agreed, refused := world.Evidence(), []string{}, 0
	keys := map[string]bool{}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[len(suite.SupportedVersions)-1] != tls.VersionTLS12 {
			continue
		}
		state, err := shake(ctx, open, &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID}})
		if errors.Is(err, errNotServing) {
			return e, err
		}
		if err != nil {
			refused++
			continue
		}
		good := strings.HasPrefix(suite.Name, "TLS_ECDHE_") && (strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "CHACHA20"))
		e.See(good, suite.Name, "agreed")
		agreed = append(agreed, suite.Name)
		keys[keyKind(state)] = true
	}
	e.See(refused > 0, "suites without forward secrecy or without authenticated encryption", "%d tried and refused", refused)
	e.See(keys["ECDSA"] && keys["RSA"], "certificates", "signed with %s", joinKinds(keys))
	e.Figure("agreed", "%d", len(agreed))
	e.Figure("refused", "%d", refused)
	e.Figure("certificates", "%s", joinKinds(keys))
	return e, nil
}

func keyKind(state tls.ConnectionState) string {
	switch state.PeerCertificates[0].PublicKey.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA"
	case *rsa.PublicKey:
		return "RSA"
	}
	return "another key"
}

func joinKinds(kinds map[string]bool) string {
	var out []string
	for _, k := range []string{"ECDSA", "RSA", "another key"} {
		if kinds[k] {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, " and ")
}

// redirecting is enc-4.
func redirecting(w view) claim.Claim {
	return claim.Claim{
		ID: "enc-4", Theme: world.Encryption, Owner: world.Security, Every: world.Hourly,
		Wording:   "Plain HTTP never reaches the application: {asked} plain requests tried, {answered} answered by it",
		Predicate: "Every plain request is answered with a redirect to https or not at all, on the plain port and on the TLS port.",
		Method:    "The probe sends plain GET and POST requests to the installation's own ports. Where no plain port is open nothing can be asked there.",
		Refs:      claim.References{ISO: []string{"A.8.20", "A.8.24"}, SOC2: []string{"CC6.7"}, GDPR: []string{"32(1)(a)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			at := w.Addresses()
			if at.TLS == "" {
				return claim.Evidence{}, errNotServing
			}
			ports := map[string]dial{"the TLS port": w.tls}
			if at.Plain != "" {
				ports["the plain port"] = func(ctx context.Context) (net.Conn, error) { return w.Dial(ctx, at.Plain) }
			}
			return judgePlain(ctx, ports)
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a plain port that answers", func(ctx context.Context) (claim.Evidence, error) {
				return judgePlain(ctx, map[string]dial{"the plain port": speaking("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")})
			}),
			world.Fixture("a redirect that stays on http", func(ctx context.Context) (claim.Evidence, error) {
				return judgePlain(ctx, map[string]dial{"the plain port": speaking("HTTP/1.1 308 Permanent Redirect\r\nLocation: http://chat.example/\r\nContent-Length: 0\r\n\r\n")})
			}),
		},
	}
}

func judgePlain(ctx context.Context, ports map[string]dial) (claim.Evidence, error) {
	e, asked, answered := world.Evidence(), 0, 0
	for name, open := range ports {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			asked++
			status, location, err := askPlain(ctx, open, method)
			switch {
			case err != nil:
				e.See(true, method+" at "+name, "no answer")
			case status >= 300 && status < 400 && strings.HasPrefix(location, "https://"):
				e.See(true, method+" at "+name, "status %d, to https", status)
			case status == http.StatusBadRequest && name == "the TLS port":
				e.See(true, method+" at "+name, "status %d: it speaks TLS alone", status)
			default:
				answered++
				e.See(false, method+" at "+name, "status %d", status)
			}
		}
	}
	e.Figure("asked", "%d", asked)
	e.Figure("answered", "%d", answered)
	return e, nil
}

func askPlain(ctx context.Context, open dial, method string) (status int, location string, err error) {
	conn, err := open(ctx)
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost/trust", http.NoBody)
	if err != nil {
		return 0, "", err
	}
	go func() { _ = request.Write(conn) }() // a port that speaks TLS may hang up first
	answer, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("Location"), nil
}

// listening is a TLS server of a fixture, with certificates of its own.
func listening(config *tls.Config) dial {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return failing(err)
	}
	second, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return failing(err)
	}
	for _, pair := range []struct{ public, private any }{{&key.PublicKey, key}, {&second.PublicKey, second}} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fixture"}, NotAfter: time.Now().Add(time.Hour)}
		raw, err := x509.CreateCertificate(rand.Reader, template, template, pair.public, pair.private)
		if err != nil {
			return failing(err)
		}
		config.Certificates = append(config.Certificates, tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: pair.private})
	}
	return piped(func(conn net.Conn) { _ = tls.Server(conn, config).Handshake() }) // what comes of it is what the probe looks at
}

func failing(err error) dial { return func(context.Context) (net.Conn, error) { return nil, err } }

// speaking is a server of a fixture that answers everything in the same way.
func speaking(answer string) dial {
	return piped(func(conn net.Conn) {
		buf := make([]byte, 4096)
		_, _ = conn.Read(buf)
		_, _ = conn.Write([]byte(answer)) // the probe may have gone
	})
}

func piped(serve func(net.Conn)) dial {
	return func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			serve(far)
		}()
		return near, nil
	}
}
