package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aver/proof/bench/bare"
	"aver/proof/house"
)

// ack: how long a visitor waits until a message is durable, beside how long a bare durable row takes.
func ack(ctx context.Context, s scale) (_ []line, err error) {
	const callers = 64
	crowd, err := openCrowd(ctx, s, house.Config{}, callers)
	if err != nil {
		return nil, err
	}
	defer closing(&err, crowd.Close)
	raw, err := bare.Open(s.Folder, true)
	if err != nil {
		return nil, err
	}
	defer closing(&err, raw.Close)
	var ours, bare, half []time.Duration
	lasting := s.lasting(4 * time.Second)
	for range s.rounds() {
		l := crowd.write(ctx, callers, lasting)
		b := rawLoad(ctx, callers, lasting, raw.Add)
		if err := errors.Join(l.err, b.err); err != nil {
			return nil, err
		}
		ours, half, bare = append(ours, l.times.Quantile(0.99)), append(half, l.times.Quantile(0.5)), append(bare, b.times.Quantile(0.99))
		if err := house.Filed(ctx, crowd.house.Vault, crowd.tenant); err != nil {
			return nil, err
		}
	}
	p99 := median(ours)
	return []line{{
		What: "acknowledgement p99, 64 in flight, as fast as they are answered", Must: "≤ 15 ms", Aim: "≤ 10 ms",
		Ours: fmt.Sprintf("%s (p50 %s)", millis(p99), millis(median(half))), Raw: millis(median(bare)),
		Ratio:   fmt.Sprintf("%.1f", float64(p99)/float64(median(bare))),
		Verdict: atMost(float64(p99), float64(15*time.Millisecond), float64(10*time.Millisecond)),
	}}, nil
}
