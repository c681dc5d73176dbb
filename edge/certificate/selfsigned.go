package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"aver/base/clock"
)

const (
	selfSignedLife  = 397 * 24 * time.Hour // what browsers accept at most of a public certificate (CA/B Forum, 2020 to 2026)
	selfSignedRenew = 30 * 24 * time.Hour
)

// SelfSigned serves a pair, ECDSA P-256 and RSA 2048, that it signs itself for the hosts and for this machine. The
// pair is kept in the folder with mode 0600, used again at the next start, and made anew when a host is missing in it
// or 30 days before it ends. It is for trying out and for closed networks: browsers warn about it.
func SelfSigned(folder string, hosts []string, c clock.Clock) (*Source, error) {
	names := append([]string{"localhost", "127.0.0.1", "::1"}, hosts...)
	files := []string{filepath.Join(folder, "ecdsa.pem"), filepath.Join(folder, "rsa.pem")}
	k := &kept{every: time.Hour}
	k.load = func() ([]tls.Certificate, error) {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("folder for certificates: %w", err)
		}
		pairs := make([]Pair, len(files))
		for i, file := range files {
			pairs[i] = Pair{file, file}
			if lasting(file, names, c.Now()) {
				continue
			}
			if err := sign(file, names, c.Now()); err != nil {
				return nil, err
			}
		}
		return read(pairs)
	}
	k.stale = func() bool {
		return !lasting(files[0], names, c.Now()) || !lasting(files[1], names, c.Now())
	}
	if err := k.reload(); err != nil {
		return nil, err
	}
	return k.source(), nil
}

// lasting tells whether the file holds a certificate for all the names that does not end soon.
func lasting(file string, names []string, now time.Time) bool {
	c, err := tls.LoadX509KeyPair(file, file)
	if err != nil || now.Before(c.Leaf.NotBefore) || now.Add(selfSignedRenew).After(c.Leaf.NotAfter) {
		return false
	}
	for _, name := range names {
		if c.Leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

func sign(file string, names []string, now time.Time) error {
	key, err := newKey(filepath.Base(file) == "rsa.pem")
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("make a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Aver, signed by itself"},
		NotBefore:             now.Add(-time.Hour), // clocks of clients differ
		NotAfter:              now.Add(selfSignedLife - time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, // and not a CA
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("sign a certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return replace(file, append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...))
}

func newKey(useRSA bool) (crypto.Signer, error) {
	if useRSA {
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// replace puts a file in place whole, readable by its owner only.
func replace(file string, content []byte) error {
	fresh := file + ".new"
	if err := os.Remove(fresh); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("clear the way for a certificate: %w", err)
	}
	if err := os.WriteFile(fresh, content, 0o600); err != nil {
		return fmt.Errorf("store a certificate: %w", err)
	}
	if err := os.Rename(fresh, file); err != nil {
		return fmt.Errorf("store a certificate: %w", err)
	}
	return nil
}
