package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"aver/base/ids"
	"aver/proof/bench/bare"
	"aver/proof/house"
	"aver/proof/sockets"
	"aver/trust/consent"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

const (
	sweepWriters = 64  // visitors who write while is swept
	sweepPace    = 500 // messages a second, of all of them
)

// sweep: how fast the retention removes old messages with their words while visitors write, and what these wait.
func sweep(ctx context.Context, s scale) (_ []line, err error) {
	rounds := s.of(5, 1)
	h, err := openHoard(ctx, filepath.Join(s.Folder, "old"), 0, 0, 0)
	if err != nil {
		return nil, err
	}
	defer closing(&err, h.App.Close)
	visitors, err := h.visitors(ctx, sweepWriters)
	if err != nil {
		return nil, err
	}
	each := s.of(1_000_000, 6000) / rounds
	for i := range rounds {
		if err := h.age(ctx, each, h.App.Vault.Now().Add(-ageOf(i))); err != nil {
			return nil, fmt.Errorf("fill: %w", err)
		}
	}
	if err := house.Filed(ctx, h.App.Vault, h.Tenant); err != nil {
		return nil, err
	}
	raw, err := bare.Open(s.Folder, true)
	if err != nil {
		return nil, err
	}
	defer closing(&err, raw.Close)
	var rates, plain []float64
	var alone, beside []time.Duration
	for i := range rounds {
		quiet := h.talk(ctx, visitors, func() error { return sleep(ctx, s.lasting(6*time.Second)) })
		var rate float64
		busy := h.talk(ctx, visitors, func() (err error) { rate, err = h.sweep(ctx, i, each); return err })
		bare, err := rawSweep(raw, each)
		if err := errors.Join(err, quiet.err, busy.err); err != nil {
			return nil, err
		}
		rates, plain = append(rates, rate), append(plain, bare)
		alone, beside = append(alone, quiet.times.Quantile(0.99)), append(beside, busy.times.Quantile(0.99))
	}
	ratio := float64(median(beside)) / float64(median(alone))
	return []line{
		{What: fmt.Sprintf("retention sweep of %s old messages and their words, while %d/s are written, SQLite", count(each*rounds), sweepPace), Must: "≥ 20k/s", Aim: "≥ 40k/s", Ours: perSecond(median(rates)),
			Raw: "plain DELETE, alone " + perSecond(median(plain)), Ratio: fmt.Sprintf("%.2f", median(rates)/median(plain)), Verdict: least(median(rates), 20_000, 40_000)},
		{What: "a visitor's message meanwhile, p99", Must: "ratio ≤ 2", Aim: "≤ 1.5", Ours: millis(median(beside)), Raw: millis(median(alone)) + " without a sweep",
			Ratio: fmt.Sprintf("%.2f", ratio), Verdict: atMost(ratio, 2, 1.5)},
	}, nil
}

func count(n int) string {
	if n >= 1_000_000 {
		return fmt.Sprintf("%d,%03d,%03d", n/1_000_000, n/1000%1000, n%1000)
	}
	return fmt.Sprint(n)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ageOf is how old the messages are that the i-th round sweeps. The limit lies a hundred days nearer.
func ageOf(i int) time.Duration { return time.Duration(3000-500*i) * 24 * time.Hour }

func (h *hoarded) visitors(ctx context.Context, n int) ([]vault.Actor, error) {
	notice, err := h.App.Consent.Current(ctx, h.Tenant, "en")
	if err != nil {
		return nil, err
	}
	out := make([]vault.Actor, n)
	err = house.Each(n, func(i int) error {
		who, err := h.Person(ctx, i)
		if err != nil {
			return err
		}
		out[i] = h.App.Identity.AsVisitor(h.Tenant, who, false)
		return h.App.Consent.Record(ctx, out[i], who, consent.Choice{Purpose: consent.Support, Version: fmt.Sprint(notice.Version), Language: notice.Language, Granted: true})
	})
	return out, err
}

// age stores messages of usual conversations that were written at a time.
func (h *hoarded) age(ctx context.Context, messages int, at time.Time) error {
	return house.Each(messages/threadLength, func(i int) error {
		who, err := h.Person(ctx, i)
		if err != nil {
			return err
		}
		_, err = h.FillAt(ctx, who, threadLength, at)
		return err
	})
}

// talk lets visitors write at a pace until what is done meanwhile has ended.
func (h *hoarded) talk(ctx context.Context, visitors []vault.Actor, meanwhile func() error) load {
	ctx, stop := context.WithCancel(ctx)
	times, faults := &sockets.Latencies{}, make(chan error, len(visitors)+1)
	var all sync.WaitGroup
	every := time.Second * time.Duration(len(visitors)) / sweepPace
	for i, v := range visitors {
		all.Go(func() {
			if sleep(ctx, every*time.Duration(i)/time.Duration(len(visitors))) != nil {
				return
			}
			tick := time.NewTicker(every)
			defer tick.Stop()
			for ctx.Err() == nil {
				n := h.said.Add(1)
				begun := time.Now()
				if _, err := h.App.Inbox.Receive(context.WithoutCancel(ctx), v, inbox.Incoming{ClientID: house.ClientID(n), Text: house.Words(n)}); err != nil {
					faults <- err
					return
				}
				times.Add(time.Since(begun))
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	faults <- meanwhile()
	stop()
	all.Wait()
	close(faults)
	out := load{times: times}
	for err := range faults {
		out.err = errors.Join(out.err, err)
	}
	return out
}

// sweep removes the messages of a round and tells how many in a second.
func (h *hoarded) sweep(ctx context.Context, i, messages int) (float64, error) {
	days := int((ageOf(i) - 100*24*time.Hour) / (24 * time.Hour))
	schedule := map[string]int{inbox.Messages.Name(): days, inbox.Conversations.Name(): 3650}
	if err := h.App.Retention.SetSchedule(ctx, vaulttest.User(h.Tenant, vault.Owner), schedule); err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := h.App.Retention.Sweep(ctx, h.Tenant); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	run, err := h.App.Retention.LastRun(ctx, vaulttest.User(h.Tenant, vault.Owner))
	if err == nil && run.Removed != messages {
		err = fmt.Errorf("%d rows were swept, want %d", run.Removed, messages)
	}
	return float64(messages) / took.Seconds(), err
}

// rawSweep deletes as many bare rows, in batches as large as the sweep's largest, and tells how many in a second.
func rawSweep(r *bare.SQLite, rows int) (float64, error) {
	const batch = 2000
	who, body := ids.NewObject(time.Now()), make([]byte, bare.RowBytes)
	for from := 0; from < rows; from += batch {
		some := make([]bare.Row, min(batch, rows-from))
		for i := range some {
			some[i] = bare.Row{Who: who[:], Seq: int64(from + i), Body: body}
		}
		if err := r.Commit(some); err != nil {
			return 0, err
		}
	}
	begun := time.Now()
	for left := rows; left > 0; left -= batch {
		if err := r.Delete(batch); err != nil {
			return 0, err
		}
	}
	return float64(rows) / time.Since(begun).Seconds(), nil
}
