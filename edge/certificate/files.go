package certificate

import (
	"crypto/ecdsa"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"time"
)

// Pair names the PEM files of a certificate chain and its private key. They may be the same file.
type Pair struct{ Certificate, Key string }

// Files serves certificates from files and notices within ten seconds when they change. It returns an error when a
// file cannot be read or does not hold what it should.
func Files(pairs ...Pair) (*Source, error) {
	if len(pairs) == 0 {
		return nil, errors.New("no certificate files are given")
	}
	var stamps []time.Time // of the last load
	k := &kept{every: 10 * time.Second}
	k.load = func() ([]tls.Certificate, error) {
		seen := modified(pairs) // before reading: a change in between is noticed next time
		certificates, err := read(pairs)
		if err == nil {
			stamps = seen
		}
		return certificates, err
	}
	k.stale = func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return !slices.Equal(stamps, modified(pairs))
	}
	if err := k.reload(); err != nil {
		return nil, err
	}
	return k.source(), nil
}

func read(pairs []Pair) ([]tls.Certificate, error) {
	certificates := make([]tls.Certificate, len(pairs))
	for i, pair := range pairs {
		c, err := tls.LoadX509KeyPair(pair.Certificate, pair.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", pair.Certificate, err)
		}
		certificates[i] = c
	}
	// ECDSA first: a signature costs the server a fraction of RSA's, and nearly every client can check it.
	sort.SliceStable(certificates, func(i, j int) bool { return rank(certificates[i]) < rank(certificates[j]) })
	return certificates, nil
}

func rank(c tls.Certificate) int {
	if _, ok := c.Leaf.PublicKey.(*ecdsa.PublicKey); ok {
		return 0
	}
	return 1
}

// modified lists when the files were last changed; the zero time stands for one that is not there.
func modified(pairs []Pair) []time.Time {
	var stamps []time.Time
	for _, pair := range pairs {
		for _, name := range []string{pair.Certificate, pair.Key} {
			var stamp time.Time
			if info, err := os.Stat(name); err == nil {
				stamp = info.ModTime()
			}
			stamps = append(stamps, stamp)
		}
	}
	return stamps
}
