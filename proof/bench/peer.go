package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aver/proof/sockets"
)

// peer: centrifuge, the library that Centrifugo is made of, under the loads of frame/live. Neither stores anything.
func peer(ctx context.Context, s scale) ([]line, error) {
	program := filepath.Join(s.Folder, "centrifuge")
	if out, err := exec.CommandContext(ctx, "go", "build", "-C", "proof/bench/centrifuge", "-o", program, ".").CombinedOutput(); err != nil {
		reason, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return []line{{What: besides + "not measured: it could not be built", Raw: reason}}, nil
	}
	run := func(of func(context.Context, *sockets.Server) (sockets.Delivery, error), secure, theirs bool) (sockets.Delivery, error) {
		var server *sockets.Server
		var err error
		if theirs {
			server, err = sockets.StartProgram(ctx, program, "centrifuge", secure, serverProcessors)
			server = moved(server)
		} else {
			server, err = startServer(ctx, "talk", secure)
		}
		if err != nil {
			return sockets.Delivery{}, err
		}
		d, err := of(ctx, server)
		return d, errors.Join(err, server.Stop())
	}
	n, rate, lasting := s.of(5000, 100), s.of(3000, 100), s.lasting(8*time.Second)
	var memory, p99, cpu [2][]float64
	for range s.rounds() {
		for i, theirs := range []bool{false, true} {
			visit := sockets.Groups(2, nil)
			if theirs {
				visit = theirGroups(nil)
			}
			idle, err := run(func(ctx context.Context, on *sockets.Server) (d sockets.Delivery, err error) {
				each, err := sockets.Idle(ctx, on, n, visit)
				d.Sent = int(each)
				return d, err
			}, false, theirs)
			if err != nil {
				return nil, err
			}
			d, err := run(func(ctx context.Context, on *sockets.Server) (sockets.Delivery, error) {
				if theirs {
					return theirDelivery(ctx, on, n, rate, lasting)
				}
				return sockets.Deliver(ctx, on, n, 2, rate, lasting)
			}, true, theirs)
			if err = errors.Join(err, complete(d)); err != nil {
				return nil, err
			}
			memory[i], p99[i], cpu[i] = append(memory[i], float64(idle.Sent)*1000), append(p99[i], float64(d.P99)), append(cpu[i], float64(d.CPU))
		}
	}
	duration := func(f float64) string { return fmt.Sprintf("%.2f ms", f/1e6) }
	return []line{
		compare("memory per 1,000 idle WebSockets, plain", memory, megabytes),
		compare(fmt.Sprintf("%d TLS WebSockets, %d messages/s to two each: p99", n, rate), p99, duration),
		compare("the same: processor per message", cpu, duration),
	}, nil
}

const besides = "sockets alone beside centrifuge v0.38.0, "

// compare has ours first.
func compare(what string, all [2][]float64, show func(float64) string) line {
	ours, theirs := median(all[0]), median(all[1])
	return line{What: besides + what, Ours: show(ours), Raw: show(theirs) + " centrifuge", Ratio: fmt.Sprintf("%.2f", ours/theirs)}
}

// theirGroups is sockets.Groups(2, push) in centrifuge's words.
func theirGroups(push func(client int, text []byte)) sockets.Visit {
	return sockets.Visit{Path: "/", Push: push, Say: func(i int) []string {
		return []string{`{"id":1,"connect":{}}`, fmt.Sprintf(`{"id":2,"subscribe":{"channel":"cnv_%d"}}`, i/2)}
	}}
}

// theirDelivery is sockets.Deliver in centrifuge's words. A frame of theirs may hold several messages.
func theirDelivery(ctx context.Context, server *sockets.Server, n, perSecond int, lasting time.Duration) (d sockets.Delivery, err error) {
	var times sockets.Latencies
	begun := time.Now()
	crowd, err := sockets.Gather(ctx, server, n, theirGroups(func(_ int, text []byte) {
		for _, part := range bytes.Split(text, []byte(`"said":"`))[1:] {
			at, _ := strconv.ParseInt(string(part[:20]), 10, 64)
			times.Add(time.Since(begun) - time.Duration(at))
		}
	}))
	if err != nil {
		return d, err
	}
	defer crowd.Leave()
	before, err := server.CPU()
	if err != nil {
		return d, err
	}
	padding := strings.Repeat("x", 100)
	d.Sent, err = sockets.Pace(ctx, n, perSecond, lasting, func(client int) error {
		return crowd.Write(client, fmt.Sprintf(`{"id":3,"publish":{"channel":"cnv_%d","data":{"said":"%020d%s"}}}`, client/2, time.Since(begun), padding))
	})
	for patience := time.Now().Add(10 * time.Second); times.Count() < 2*d.Sent && time.Now().Before(patience); {
		time.Sleep(time.Millisecond)
	}
	after, failed := server.CPU()
	d.Delivered, d.P50, d.P99, d.CPU = times.Count(), times.Quantile(0.5), times.Quantile(0.99), (after-before)/time.Duration(max(d.Sent, 1))
	return d, errors.Join(err, failed)
}
