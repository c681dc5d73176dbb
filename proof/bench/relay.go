package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"aver/edge/relay"
	"aver/frame/egress"
	"aver/proof/sockets"
)

const relayTo = "AVER_BENCH_RELAY_TO"

// relaySite is a relay to the server whose address is in the environment.
func relaySite() http.Handler {
	r, err := openRelay(os.Getenv(relayTo))
	if err != nil {
		fmt.Fprintln(os.Stderr, "open the relay:", err)
		os.Exit(1)
	}
	return r
}

func openRelay(address string) (*relay.Relay, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // to learn whom to trust: the rig's own server
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	door := &egress.Door{Roots: x509.NewCertPool(), Register: func(_ context.Context, purpose, _ string) (egress.Entry, bool) {
		return egress.Entry{Name: "the rig's server", Grade: egress.Own}, purpose == relay.Purpose
	}}
	door.Roots.AddCert(conn.ConnectionState().PeerCertificates[0])
	return relay.New(relay.Config{Regions: []relay.Region{{Name: "eu", URL: &url.URL{Scheme: "https", Host: address}}}, Carrier: door.Carrier(relay.Purpose),
		Folder: filepath.Join(os.Getenv(siteFolder), "connections"), Log: slog.New(slog.DiscardHandler)})
}

// relayed: how much later a message arrives, and what a relay works for it, when both visitor and listener come through
// one on the same machine. What the way between the relay and the region takes comes on top.
func relayed(ctx context.Context, s scale) ([]line, error) {
	n, rate := s.of(500, 100), s.of(100, 100)
	lasting := s.lasting(12 * time.Second)
	var through, direct []sockets.Delivery
	for range s.rounds() {
		for _, far := range []bool{false, true} {
			d, err := visited(ctx, s, n, rate, lasting, far)
			if err != nil {
				return nil, err
			}
			if far {
				through = append(through, d)
			} else {
				direct = append(direct, d)
			}
		}
	}
	memory, err := idleRelay(ctx, s)
	if err != nil {
		return nil, err
	}
	p50 := func(d sockets.Delivery) time.Duration { return d.P50 }
	p99 := func(d sockets.Delivery) time.Duration { return d.P99 }
	added := [2]time.Duration{medianOf(through, p50) - medianOf(direct, p50), medianOf(through, p99) - medianOf(direct, p99)}
	work := medianOf(through, func(d sockets.Delivery) time.Duration { return d.CPU })
	return []line{{What: fmt.Sprintf("added by a relay on the way, %d TLS WebSockets, %d messages/s in, twice as many delivered: p50 and p99", n, rate),
		Must: "≤ 3 ms (p50)", Aim: "≤ 1 ms", Ours: fmt.Sprintf("%s, %s; %d µs of processor per message", millis(added[0]), millis(added[1]), work.Microseconds()),
		Raw: fmt.Sprintf("%s, %s without it", millis(medianOf(direct, p50)), millis(medianOf(direct, p99))), Ratio: ratio(medianOf(through, p50), medianOf(direct, p50)),
		Verdict: atMost(float64(added[0]), float64(3*time.Millisecond), float64(time.Millisecond))},
		{What: "memory of a relay per 1,000 idle WebSockets, TLS on both sides", Must: "≤ 120 MB", Aim: "≤ 80 MB", Ours: megabytes(memory), Verdict: atMost(memory, 120e6, 80e6)}}, nil
}

// idleRelay is what a thousand visitors who only listen cost a relay, in bytes.
func idleRelay(ctx context.Context, s scale) (bytes float64, err error) {
	n := s.of(2000, 100)
	a, err := openAudience(ctx, s, n/2, true)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, a.server.Stop()) }()
	r, err := relayBefore(ctx, a)
	if err != nil {
		return 0, err
	}
	visit := a.pairs()
	visit.Header = http.Header{"Origin": {"https://" + r.Address}}
	each, err := sockets.Idle(ctx, r, n, visit)
	return float64(each) * 1000, errors.Join(err, r.Stop())
}

// relayBefore starts a relay before a server.
func relayBefore(ctx context.Context, a *audience) (*sockets.Server, error) {
	if err := os.Setenv(relayTo, a.server.Address); err != nil {
		return nil, err
	}
	return startServer(ctx, "relay", true)
}

// visited is a talk with a server of its own, through a relay or directly.
func visited(ctx context.Context, s scale, n, rate int, lasting time.Duration, far bool) (d sockets.Delivery, err error) {
	a, err := openAudience(ctx, s, n/2, true)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, a.server.Stop()) }()
	if !far {
		return a.talk(n, rate, lasting).Run(ctx, a.server)
	}
	r, err := relayBefore(ctx, a)
	if err != nil {
		return d, err
	}
	x := a.talk(n, rate, lasting)
	x.Visit.Header = http.Header{"Origin": {"https://" + r.Address}}
	d, err = x.Run(ctx, r)
	return d, errors.Join(err, r.Stop())
}
