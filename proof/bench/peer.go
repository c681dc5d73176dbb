package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
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
				visit = theirGroups()
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
					return theirTalk(n, rate, lasting).Run(ctx, on)
				}
				return sockets.GroupTalk(n, 2, rate, lasting).Run(ctx, on)
			}, true, theirs)
			if err != nil {
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

// theirGroups is sockets.Groups(2, nil) in centrifuge's words.
func theirGroups() sockets.Visit {
	return sockets.Visit{Path: "/", Say: func(i int) []string {
		return []string{`{"id":1,"connect":{}}`, fmt.Sprintf(`{"id":2,"subscribe":{"channel":"cnv_%d"}}`, i/2)}
	}}
}

// theirTalk is sockets.GroupTalk in centrifuge's words.
func theirTalk(clients, perSecond int, lasting time.Duration) sockets.Exchange {
	padding := strings.Repeat("x", 100)
	return sockets.Exchange{Visit: theirGroups(), Clients: clients, Listeners: 2, PerSecond: perSecond, Lasting: lasting, Mark: `"said":"`,
		Say: func(client, _ int, at string) string {
			return fmt.Sprintf(`{"id":3,"publish":{"channel":"cnv_%d","data":{"said":"%s%s"}}}`, client/2, at, padding)
		}}
}
