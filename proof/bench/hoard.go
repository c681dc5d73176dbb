package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/proof/bench/gone"
	"aver/proof/bench/hoard"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

const (
	threadLength = hoard.ThreadLength
	talkative    = 10_000 // messages of somebody who is exported or erased
)

// hoarded is a workspace that has been used for a long time, with ways of measuring it.
type hoarded struct {
	*hoard.Hoard
	said atomic.Int64
}

// openHoard makes a workspace with so many messages, some of them of talkers.
func openHoard(ctx context.Context, folder string, messages, talkers, each int) (*hoarded, error) {
	h, err := hoard.Open(ctx, app.Config{Data: folder, Log: io.Discard}, messages, talkers, each)
	return &hoarded{Hoard: h}, err
}

// pages measures the list of conversations and a thread that nobody has looked at lately.
func (h *hoarded) pages(ctx context.Context, operator vault.Actor) (list, thread time.Duration, err error) {
	begun := time.Now()
	rows, _, err := h.App.Inbox.List(ctx, operator, inbox.Filter{})
	list = time.Since(begun)
	if err != nil || len(rows) != threadLength {
		return 0, 0, fmt.Errorf("list: %d rows, %w", len(rows), err)
	}
	begun = time.Now()
	t, err := h.App.Inbox.Open(ctx, operator, h.Threads[rand.IntN(len(h.Threads))], 0)
	if err != nil || len(t.Messages) != threadLength {
		return 0, 0, fmt.Errorf("thread: %d rows, %w", len(t.Messages), err)
	}
	return list, time.Since(begun), nil
}

// stored: what does not get slower however much is stored, and what one person's rights cost then.
func stored(ctx context.Context, s scale) ([]line, error) {
	each := s.of(talkative, 200)
	large, err := openHoard(ctx, filepath.Join(s.Folder, "large"), s.of(1_000_000, 6000), s.of(12, 3), each)
	if err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	defer large.App.Close()
	small, err := openHoard(ctx, filepath.Join(s.Folder, "small"), s.of(10_000, 3000), 0, 0)
	if err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	defer small.App.Close()
	lines, err := comparePages(ctx, large, small, s.of(400, 10))
	if err != nil {
		return nil, err
	}
	middle, err := openHoard(ctx, filepath.Join(s.Folder, "middle"), s.of(100_000, 4000), 1, each)
	if err != nil {
		return nil, fmt.Errorf("fill: %w", err)
	}
	defer middle.App.Close()
	compared, err := compareExports(ctx, large, middle)
	if err != nil {
		return nil, err
	}
	rights, err := large.rights(ctx, each)
	return append(append(lines, compared), rights...), err
}

// compareExports measures whether a copy takes longer where more is stored about others.
func compareExports(ctx context.Context, large, middle *hoarded) (line, error) {
	var took [2][]time.Duration
	for range 8 {
		for i, h := range []*hoarded{large, middle} {
			one, err := h.export(ctx, vaulttest.User(h.Tenant, vault.DPO), h.Talkers[0])
			if err != nil {
				return line{}, fmt.Errorf("export: %w", err)
			}
			took[i] = append(took[i], one)
		}
	}
	much, little := median(took[0][2:]), median(took[1][2:]) // the first warm up
	ratio := float64(much) / float64(little)
	return line{What: "the same export where 1,000,000 messages are stored against 100,000", Must: "ratio ≤ 1.3", Aim: "≤ 1.1", Ours: millis(much), Raw: millis(little) + " at 100,000",
		Ratio: fmt.Sprintf("%.2f", ratio), Verdict: atMost(ratio, 1.3, 1.1)}, nil
}

// fulfil measures the erasure as people ask for it, and the destruction of the key alone.
func (h *hoarded) fulfil(ctx context.Context, asked, keys []ids.Contact) ([]line, error) {
	t, err := gone.Measure(ctx, h.App, h.Tenant, asked, keys)
	of := func(what string, took, must, aim time.Duration) line {
		return line{What: what, Must: fmt.Sprintf("≤ %d ms", must.Milliseconds()), Aim: fmt.Sprintf("≤ %d ms", aim.Milliseconds()), Ours: millis(took), Raw: millis(t.Write) + " for a synced page",
			Ratio: fmt.Sprintf("%.1f", float64(took)/float64(t.Write)), Verdict: atMost(float64(took), float64(must), float64(aim))}
	}
	return []line{of(fmt.Sprintf("erasure of such a person as they ask for it, until nothing opens: the slowest of %d", len(asked)), t.Request, 250*time.Millisecond, 100*time.Millisecond),
		of(fmt.Sprintf("destruction of the key alone, ledger and key: the slowest of %d", len(keys)), t.Key, 10*time.Millisecond, 5*time.Millisecond)}, err
}

func comparePages(ctx context.Context, large, small *hoarded, turns int) ([]line, error) {
	var lists, threads [2][]time.Duration
	for range turns {
		for i, h := range []*hoarded{large, small} {
			list, thread, err := h.pages(ctx, vaulttest.User(h.Tenant, vault.Operator))
			if err != nil {
				return nil, err
			}
			lists[i], threads[i] = append(lists[i], list), append(threads[i], thread)
		}
	}
	lists[0], lists[1], threads[0], threads[1] = lists[0][turns/4:], lists[1][turns/4:], threads[0][turns/4:], threads[1][turns/4:] // the first warm up
	out := make([]line, 2)
	for i, all := range [][2][]time.Duration{lists, threads} {
		much, little := median(all[0]), median(all[1])
		out[i] = line{What: []string{"list of conversations, 50 rows, 1,000,000 messages against 10,000", "thread page, 50 rows, the look written to the log, the same"}[i],
			Must: "ratio ≤ 1.5", Aim: "≤ 1.2", Ours: fmt.Sprintf("%.2f ms", much.Seconds()*1000), Raw: fmt.Sprintf("%.2f ms at 10,000", little.Seconds()*1000),
			Ratio: fmt.Sprintf("%.2f", float64(much)/float64(little)), Verdict: atMost(float64(much)/float64(little), 1.5, 1.2)}
	}
	return out, nil
}

// rights exports and erases the talkers.
func (h *hoarded) rights(ctx context.Context, each int) ([]line, error) {
	dpo := vaulttest.User(h.Tenant, vault.DPO)
	var exports, erasures []time.Duration
	for range 6 {
		took, err := h.export(ctx, dpo, h.Talkers[0])
		if err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		exports = append(exports, took)
	}
	part := len(h.Talkers) / 3
	asked, err := h.fulfil(ctx, h.Talkers[:part], h.Talkers[part:2*part])
	if err != nil {
		return nil, err
	}
	for _, who := range h.Talkers[2*part:] {
		begun := time.Now()
		if err := h.App.Vault.EraseSubject(ctx, identity.System(h.Tenant, "bench"), hoard.Seed, who, "asked"); err != nil {
			return nil, fmt.Errorf("erase: %w", err)
		}
		erasures = append(erasures, time.Since(begun))
	}
	if err := gone.FromACopy(ctx, h.Folder, h.Tenant, hoard.Seed, h.Talkers); err != nil {
		return nil, err
	}
	begun := time.Now()
	if _, err := h.App.Vault.FinishErasures(ctx, h.Tenant); err != nil {
		return nil, fmt.Errorf("finish: %w", err)
	}
	purge := time.Since(begun) / time.Duration(len(h.Talkers))
	export, slowest := median(exports[1:]), maxOf(erasures)
	return append([]line{
		{What: fmt.Sprintf("export of one person with %d messages among 1,000,000, warm", each), Must: "≤ 250 ms", Aim: "≤ 100 ms", Ours: millis(export),
			Verdict: atMost(float64(export), float64(250*time.Millisecond), float64(100*time.Millisecond))},
		{What: fmt.Sprintf("erasure of such a person, the slowest of %d, unreadable from a copy of the live files", len(erasures)), Must: "≤ 50 ms", Aim: "≤ 20 ms",
			Ours: fmt.Sprintf("%s (rows gone %.1f s later)", millis(slowest), purge.Seconds()), Verdict: atMost(float64(slowest), float64(50*time.Millisecond), float64(20*time.Millisecond))},
	}, asked...), nil
}

func maxOf(all []time.Duration) (most time.Duration) {
	for _, d := range all {
		most = max(most, d)
	}
	return most
}

func (h *hoarded) export(ctx context.Context, actor vault.Actor, who ids.Contact) (time.Duration, error) {
	f, err := os.Create(filepath.Join(h.Folder, "export"))
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	err = errors.Join(h.App.Rights.Export(ctx, actor, who, f), f.Sync(), f.Close())
	return time.Since(begun), err
}
