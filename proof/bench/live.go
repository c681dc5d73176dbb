package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"aver/frame/live"
	"aver/proof/house"
	"aver/proof/sockets"
)

// audience is a running Aver and the visitors who may come to it.
type audience struct {
	server   *sockets.Server
	visitors []visitor
}

// openAudience starts Aver as a process of its own on the server's processors.
func openAudience(ctx context.Context, s scale, n int, secure bool) (*audience, error) {
	folder, err := os.MkdirTemp(s.Folder, "site-*")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Setenv(siteFolder, folder), os.Setenv(siteVisitors, strconv.Itoa(n))); err != nil {
		return nil, err
	}
	a := &audience{}
	if a.server, err = startServer(ctx, "aver", secure); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "visitors.json"))
	if err == nil {
		err = json.Unmarshal(text, &a.visitors)
	}
	return a, err
}

// sources is how many addresses clients come from: one address may not open sockets without end.
const sources = 100

// pairs is a visit in which two clients each come as the same visitor and listen to the visitor's conversation.
func (a *audience) pairs() sockets.Visit {
	return sockets.Visit{Path: "/widget/v1/socket", Subprotocol: live.Subprotocol, Header: http.Header{"Origin": {"https://" + a.server.Address}}, Addresses: sources,
		Say: func(i int) []string {
			v := a.visitors[i/2]
			return []string{fmt.Sprintf(`{"id":1,"op":"hello","token":%q}`, v.Token),
				fmt.Sprintf(`{"id":2,"op":"subscribe","channel":%q,"epoch":%q,"offset":1}`, v.Conversation, v.Epoch)}
		}}
}

// talk is an exchange in which clients write perSecond messages a second, each of which reaches both of its conversation's
// clients.
func (a *audience) talk(clients, perSecond int, lasting time.Duration) sockets.Exchange {
	return sockets.Exchange{Visit: a.pairs(), Clients: clients, Listeners: 2, PerSecond: perSecond, Lasting: lasting,
		Mark: "said at ", Only: `"push":"message"`,
		Say: func(client, n int, at string) string {
			return fmt.Sprintf(`{"id":3,"op":"send","client_id":%q,"conversation":%q,"text":"said at %s: %s"}`,
				house.ClientID(int64(n)), a.visitors[client/2].Conversation, at, house.Words(int64(n)).Reveal())
		}}
}

// delivery: 10,000 clients over TLS, each message stored as promised and given to two of them, beside the same messages
// through the sockets alone.
func delivery(ctx context.Context, s scale) ([]line, error) {
	n, rate := s.of(10_000, 100), s.of(3000, 100)
	lasting := s.lasting(12 * time.Second)
	var ours, bare []sockets.Delivery
	for range s.rounds() {
		a, err := openAudience(ctx, s, n/2, true)
		if err != nil {
			return nil, err
		}
		d, err := a.talk(n, rate, lasting).Run(ctx, a.server)
		if err = errors.Join(err, a.server.Stop()); err != nil {
			return nil, err
		}
		ours = append(ours, d)
		talk, err := startServer(ctx, "talk", true)
		if err != nil {
			return nil, err
		}
		d, err = sockets.GroupTalk(n, 2, rate, lasting).Run(ctx, talk)
		if err = errors.Join(err, talk.Stop()); err != nil {
			return nil, err
		}
		bare = append(bare, d)
	}
	p99 := func(all []sockets.Delivery) time.Duration {
		return medianOf(all, func(d sockets.Delivery) time.Duration { return d.P99 })
	}
	cpu := func(all []sockets.Delivery) time.Duration {
		return medianOf(all, func(d sockets.Delivery) time.Duration { return d.CPU })
	}
	micro := func(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }
	return []line{
		{What: "processor per message, end to end over TLS WebSocket to two receivers, words filed and claims measured meanwhile", Must: "≤ 400 µs", Aim: "≤ 200 µs",
			Ours: micro(cpu(ours)), Raw: micro(cpu(bare)) + " through the sockets alone", Ratio: ratio(cpu(ours), cpu(bare)),
			Verdict: atMost(float64(cpu(ours)), 400e3, 200e3)},
		{What: fmt.Sprintf("%d TLS WebSockets, %d messages/s in, twice as many delivered: p99", n, rate), Must: "≤ 100 ms", Aim: "≤ 40 ms",
			Ours: millis(p99(ours)), Raw: millis(p99(bare)) + " through the sockets alone", Ratio: ratio(p99(ours), p99(bare)),
			Verdict: atMost(float64(p99(ours)), float64(100*time.Millisecond), float64(40*time.Millisecond))},
	}, nil
}

func medianOf[T any](all []T, of func(T) time.Duration) time.Duration {
	times := make([]time.Duration, len(all))
	for i, one := range all {
		times[i] = of(one)
	}
	return median(times)
}

func ratio(ours, raw time.Duration) string {
	if raw == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(ours)/float64(raw))
}

// idle: what a visitor who only listens costs in memory.
func idle(ctx context.Context, s scale) ([]line, error) {
	n := s.of(5000, 100)
	var lines []line
	for _, c := range []struct {
		name      string
		secure    bool
		must, aim float64
	}{{"plain", false, 10e6, 5e6}, {"TLS", true, 25e6, 16e6}} {
		var ours, bare []float64
		for range s.rounds() {
			a, err := openAudience(ctx, s, n/2, c.secure)
			if err != nil {
				return nil, err
			}
			bytes, err := sockets.Idle(ctx, a.server, n, a.pairs())
			if err = errors.Join(err, a.server.Stop()); err != nil {
				return nil, err
			}
			ours = append(ours, float64(bytes)*1000)
			talk, err := startServer(ctx, "talk", c.secure)
			if err != nil {
				return nil, err
			}
			bytes, err = sockets.Idle(ctx, talk, n, sockets.Groups(2, nil))
			if err = errors.Join(err, talk.Stop()); err != nil {
				return nil, err
			}
			bare = append(bare, float64(bytes)*1000)
		}
		lines = append(lines, line{What: "memory per 1,000 idle WebSockets, " + c.name, Must: "≤ " + megabytes(c.must), Aim: "≤ " + megabytes(c.aim),
			Ours: megabytes(median(ours)), Raw: megabytes(median(bare)) + " the sockets alone", Ratio: fmt.Sprintf("%.1f", median(ours)/median(bare)),
			Verdict: atMost(median(ours), c.must, c.aim)})
	}
	return lines, nil
}

// storm: everybody is dropped at once, something is said meanwhile, and everybody comes back for it.
func storm(ctx context.Context, s scale) ([]line, error) {
	n := s.of(10_000, 100)
	a, err := openAudience(ctx, s, n/2, true)
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for round := range s.rounds() {
		d, err := a.storm(ctx, n, round)
		if err != nil {
			return nil, errors.Join(err, a.server.Stop())
		}
		took = append(took, d)
	}
	d := median(took)
	return []line{{What: fmt.Sprintf("%d clients dropped at once: all back over TLS, none lost, none doubled", n), Must: "≤ 15 s", Aim: "≤ 8 s",
		Ours: fmt.Sprintf("%.1f s", d.Seconds()), Verdict: atMost(d.Seconds(), 15, 8)}}, a.server.Stop()
}

// storm returns how long it took until the last client was back and had what it missed.
func (a *audience) storm(ctx context.Context, n, before int) (time.Duration, error) {
	crowd, err := sockets.Gather(ctx, a.server, n, a.pairs())
	if err != nil {
		return 0, err
	}
	crowd.Leave()
	begun := time.Now()
	said := make(chan error, 1)
	go func() { said <- a.say(ctx, n/4) }() // half of the visitors
	if err := <-said; err != nil {
		return 0, err
	}
	var missed atomic.Int64
	visit := a.pairs()
	visit.Answer = func(_, words int, text []byte) {
		if words == 1 {
			missed.Add(int64(bytes.Count(text, []byte(`"seq":`))))
		}
	}
	back, err := sockets.Gather(ctx, a.server, n, visit)
	took := time.Since(begun)
	if err != nil {
		return 0, err
	}
	defer back.Leave()
	if want := int64(n / 2 * (before + 1)); missed.Load() != want { // two clients of each visitor, for each storm so far
		return 0, fmt.Errorf("the clients were told %d messages, and missed %d", missed.Load(), want)
	}
	return took, nil
}

// say lets visitors write who are not connected.
func (a *audience) say(ctx context.Context, n int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("https://%s%s?n=%d", a.server.Address, sayPath, n), nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: a.server.TLS}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// startServer begins a server on the server's processors.
func startServer(ctx context.Context, site string, secure bool) (*sockets.Server, error) {
	server, err := sockets.Start(ctx, site, secure, serverProcessors)
	return moved(server), err
}

// moved puts a server away from the row that began it; where that cannot be, they share.
func moved(server *sockets.Server) *sockets.Server {
	if set := processorSet(false); set != "" && server != nil {
		_ = exec.Command("taskset", "-acp", set, strconv.Itoa(server.Process())).Run()
	}
	return server
}
