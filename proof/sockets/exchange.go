package sockets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"aver/base/eventually"
)

// Exchange is clients who write, and are given what was written, at a steady pace.
type Exchange struct {
	Visit     Visit // its Push is the exchange's
	Clients   int
	Listeners int // how many are given each message
	PerSecond int
	Lasting   time.Duration
	Say       func(client, n int, at string) string // the words that carry message n; at belongs into its text
	Mark      string                                // what stands before at when the message is given
	Only      string                                // what a text holds that gives messages; empty if every one with Mark does
}

// Delivery is how messages reached their listeners.
type Delivery struct {
	Sent, Delivered int
	P50, P99        time.Duration // from writing the message to reading the push, client to client
	CPU             time.Duration // of the server, per message in
}

// Run measures the exchange on a server. A message that is not delivered or a client that is dropped is an error.
func (x Exchange) Run(ctx context.Context, server *Server) (d Delivery, err error) {
	var times Latencies
	begun := time.Now()
	x.Visit.Push = func(_ int, text []byte) {
		if !bytes.Contains(text, []byte(x.Only)) {
			return
		}
		for _, part := range bytes.Split(text, []byte(x.Mark))[1:] {
			at, _ := strconv.ParseInt(string(part[:stamp]), 10, 64)
			times.Add(time.Since(begun) - time.Duration(at))
		}
	}
	crowd, err := Gather(ctx, server, x.Clients, x.Visit)
	if err != nil {
		return d, err
	}
	defer crowd.Leave()
	before, err := server.CPU()
	if err != nil {
		return d, err
	}
	var said atomic.Int64
	d.Sent, err = Pace(ctx, x.Clients, x.PerSecond, x.Lasting, func(client int) error {
		return crowd.Write(client, x.Say(client, int(said.Add(1)), fmt.Sprintf("%0*d", stamp, time.Since(begun))))
	})
	if err != nil {
		return d, err
	}
	late := eventually.Holds(ctx, eventually.Patience, "every message is delivered", func() (bool, error) {
		return times.Count() >= x.Listeners*d.Sent, nil
	})
	after, err := server.CPU()
	d.Delivered, d.P50, d.P99, d.CPU = times.Count(), times.Quantile(0.5), times.Quantile(0.99), (after-before)/time.Duration(max(d.Sent, 1))
	if lost := crowd.Lost.Load(); lost > 0 || d.Sent == 0 || d.Delivered != x.Listeners*d.Sent {
		err = errors.Join(err, late, fmt.Errorf("%d messages to %d each: %d were delivered, %d clients were dropped", d.Sent, x.Listeners, d.Delivered, lost))
	}
	return d, err
}

// stamp is how many digits a time has, in nanoseconds.
const stamp = 20
