package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"aver/proof/bench/far"
	"aver/proof/sockets"
)

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
	r, err := relayBefore(ctx, s, a)
	if err != nil {
		return 0, err
	}
	visit := a.pairs()
	visit.Header = http.Header{"Origin": {"https://" + r.Address}}
	each, err := sockets.Idle(ctx, r, n, visit)
	return float64(each) * 1000, errors.Join(err, r.Stop())
}

// relayBefore starts a relay before a server.
func relayBefore(ctx context.Context, s scale, a *audience) (*sockets.Server, error) {
	if err := errors.Join(os.Setenv(far.To, a.server.Address), os.Setenv(far.Folder, s.Folder)); err != nil {
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
	r, err := relayBefore(ctx, s, a)
	if err != nil {
		return d, err
	}
	x := a.talk(n, rate, lasting)
	x.Visit.Header = http.Header{"Origin": {"https://" + r.Address}}
	d, err = x.Run(ctx, r)
	return d, errors.Join(err, r.Stop())
}
