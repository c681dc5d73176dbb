//go:build figures

package sockets_test

import (
	"context"
	"testing"
	"time"

	"aver/proof/sockets"
)

// Run with: go test -tags figures -run Figures -v ./proof/sockets
func TestFigures(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for range 3 {
			bytes, err := sockets.Idle(context.Background(), start(t, secure), 5000, sockets.Groups(2, nil))
			t.Logf("TLS %v: %d bytes per idle socket of 5,000 (%v)", secure, bytes, err)
		}
	}
	for range 3 {
		d, err := sockets.GroupTalk(10_000, 2, 3000, 8*time.Second).Run(context.Background(), start(t, true))
		t.Logf("10,000 TLS sockets, 3,000/s to 2: %+v (%v)", d, err)
	}
	for _, secure := range []bool{false, true} {
		for _, rate := range []int{500, 4000, 7000} {
			d, err := sockets.GroupTalk(1000, 10, rate, 5*time.Second).Run(context.Background(), start(t, secure))
			t.Logf("1,000 sockets, TLS %v, %d/s to 10: %+v (%v)", secure, rate, d, err)
		}
	}
	for range 3 {
		r, err := sockets.Storm(context.Background(), start(t, true), 10_000, sockets.Groups(2, nil))
		t.Logf("storm of 10,000 TLS: %+v (%v)", r, err)
	}
}
