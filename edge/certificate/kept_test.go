package certificate

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"
)

func TestAChangeIsNoticedByTheNextLookAndAFailureKeepsTheOld(t *testing.T) {
	t.Parallel()
	loads, stale, broken := 0, false, false
	k := &kept{
		every: time.Hour,
		stale: func() bool { return stale },
		load: func() ([]tls.Certificate, error) {
			loads++
			if broken {
				return nil, errors.New("broken")
			}
			return []tls.Certificate{{Certificate: [][]byte{{byte(loads)}}}}, nil
		},
	}
	if err := k.reload(); err != nil {
		t.Fatal(err)
	}
	serving := func() byte {
		c, err := k.get(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatal(err)
		}
		return c.Certificate[0][0]
	}
	stale = true
	if got := serving(); got != 1 {
		t.Errorf("read again before the interval was over: %d", got)
	}
	k.looked.Store(0)
	if got := serving(); got != 2 {
		t.Errorf("the change was not noticed: %d", got)
	}
	broken = true
	k.looked.Store(0)
	if got := serving(); got != 2 {
		t.Errorf("a failure replaced the certificate: %d", got)
	}
}
