package main

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"

	"aver/proof/bench/bare"
)

// people are the conversations that rows belong to, as many as there are callers.
func people(n int) [][16]byte {
	out := make([][16]byte, n)
	for i := range out {
		_, _ = rand.Read(out[i][:])
	}
	return out
}

// rawLoad lets callers add rows for a while, each to a conversation of its own, and tells how many.
func rawLoad(ctx context.Context, callers int, lasting time.Duration, add func(ctx context.Context, who []byte, seq int64, body []byte) error) load {
	who := people(callers)
	body := make([]byte, bare.RowBytes)
	_, _ = rand.Read(body)
	seq := rawFrom.Add(1_000_000)
	return drive(callers, lasting, func(caller int, n int64) error {
		return add(ctx, who[caller][:], seq+n, body)
	})
}

var rawFrom atomic.Int64
