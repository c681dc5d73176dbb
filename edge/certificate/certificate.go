// Package certificate finds the certificate for a TLS handshake: from files that may change, from a pair it signs
// itself, or from a certificate authority by ACME.
//
// Each source wants both an ECDSA and an RSA certificate, so that every client that speaks TLS 1.2 finds one it can
// check. Nothing here decides versions or ciphers; that is edge's.
package certificate

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Source is where certificates come from. Its zero value has none and refuses every handshake.
type Source struct {
	get       func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	reload    func() error
	kinds     func() []string
	challenge func(http.Handler) http.Handler
	protocols []string
}

// Get finds the certificate for a handshake. It fits tls.Config.GetCertificate.
func (s *Source) Get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if s.get == nil {
		return nil, errors.New("no source of certificates is set")
	}
	return s.get(hello)
}

// Reload reads the certificates again, for SIGHUP. On an error those in use stay in use.
func (s *Source) Reload() error {
	if s.reload == nil {
		return nil
	}
	return s.reload()
}

// Kinds lists which kinds of keys there are: ecdsa, rsa, ed25519. A source without both ecdsa and rsa breaks promise enc-3.
func (s *Source) Kinds() []string {
	if s.kinds == nil {
		return nil
	}
	return s.kinds()
}

// Challenge wraps the handler of the plain HTTP port, so that a certificate authority finds its answers there.
func (s *Source) Challenge(next http.Handler) http.Handler {
	if s.challenge == nil {
		return next
	}
	return s.challenge(next)
}

// Protocols lists ALPN protocols besides HTTP that the source answers itself.
func (s *Source) Protocols() []string { return slices.Clone(s.protocols) }

// kept holds certificates that lie on disk and looks from time to time whether they changed.
type kept struct {
	load  func() ([]tls.Certificate, error)
	stale func() bool // tells whether load would bring something new
	every time.Duration

	mu      sync.Mutex // one load at a time
	current atomic.Pointer[[]tls.Certificate]
	looked  atomic.Int64 // Unix nanoseconds
}

func (k *kept) source() *Source {
	return &Source{get: k.get, reload: k.reload, kinds: k.kinds}
}

func (k *kept) reload() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looked.Store(time.Now().UnixNano())
	certificates, err := k.load()
	if err != nil {
		return err
	}
	k.current.Store(&certificates)
	return nil
}

func (k *kept) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.refresh()
	certificates := *k.current.Load()
	for i := range certificates {
		if hello.SupportsCertificate(&certificates[i]) == nil {
			return &certificates[i], nil
		}
	}
	// Nobody's name fits: offer what the client can at least check the signature of, and let it decide.
	anonymous := *hello
	anonymous.ServerName = ""
	for i := range certificates {
		if anonymous.SupportsCertificate(&certificates[i]) == nil {
			return &certificates[i], nil
		}
	}
	return &certificates[0], nil
}

// refresh looks whether the certificates changed. A failure is logged and tried again at the next interval; the
// handshake goes on with what there is.
func (k *kept) refresh() {
	now, last := time.Now().UnixNano(), k.looked.Load()
	if now-last < int64(k.every) || !k.looked.CompareAndSwap(last, now) || !k.stale() {
		return
	}
	if err := k.reload(); err != nil {
		slog.Error("the changed certificates cannot be read; the old ones stay in use", "error", err)
	}
}

func (k *kept) kinds() []string {
	var found []string
	for _, c := range *k.current.Load() {
		kind := "ed25519"
		switch c.Leaf.PublicKey.(type) {
		case *ecdsa.PublicKey:
			kind = "ecdsa"
		case *rsa.PublicKey:
			kind = "rsa"
		}
		if !slices.Contains(found, kind) {
			found = append(found, kind)
		}
	}
	return found
}
