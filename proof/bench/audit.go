package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"aver/base/tlog"
	"aver/proof/crash"
	"aver/proof/house"
	"aver/trust/identity"
)

// completeness: every acknowledged message has its entry, however many write and however they end.
func completeness(ctx context.Context, s scale) (_ []line, err error) {
	crowd, err := openCrowd(ctx, s, house.Config{}, inFlight)
	if err != nil {
		return nil, err
	}
	defer closing(&err, crowd.Close)
	var calls int64
	for _, callers := range []int{16, 64, 256} {
		l := crowd.write(ctx, callers, s.lasting(2*time.Second))
		if l.err != nil {
			return nil, l.err
		}
		calls += l.calls
	}
	found, err := crowd.house.Look(ctx, crowd.tenant)
	if err != nil {
		return nil, err
	}
	killed, err := crash.Kill(ctx, filepath.Join(s.Folder, "victim"), s.of(20, 2), 64, 300*time.Millisecond)
	if err != nil {
		return nil, err
	}
	verdict, faults := aimed, append(found.Faults, killed.Findings.Faults...)
	if len(faults) > 0 || int64(found.Entries) != calls {
		verdict = missed
	}
	return []line{{What: "acknowledged changes that have their audit entry: 16, 64 and 256 callers; killed (SIGKILL) at 64", Must: "all", Aim: "all",
		Ours:    fmt.Sprintf("%d of %d; %d kills, %d acknowledged, %d entries, %d faults", found.Entries, calls, killed.Lives, len(killed.Acknowledged), killed.Findings.Entries, len(faults)),
		Verdict: verdict}}, nil
}

// verify: a tenant's exported log, checked offline by one processor.
func verify(ctx context.Context, s scale) (_ []line, err error) {
	crowd, err := openCrowd(ctx, s, house.Config{}, inFlight)
	if err != nil {
		return nil, err
	}
	defer closing(&err, crowd.Close)
	l := crowd.write(ctx, inFlight, s.lasting(10*time.Second))
	var bundle bytes.Buffer
	err = errors.Join(l.err, crowd.house.Audit.Export(ctx, identity.System(crowd.tenant, "bench"), &bundle, 0))
	if err != nil {
		return nil, err
	}
	var ours, raw []float64
	var size int64
	for range 3 * s.rounds() {
		begun := worked() // one processor's time, whatever else runs
		report, err := tlog.Verify(bytes.NewReader(bundle.Bytes()), tlog.Options{})
		if err != nil {
			return nil, err
		}
		size = report.Head.Size
		ours = append(ours, float64(size)/(worked()-begun).Seconds())
		begun = worked()
		for rest := bundle.Bytes(); len(rest) > 0; {
			n := min(len(rest), bundle.Len()/int(size))
			sum := sha256.Sum256(rest[:n])
			_, rest = sum, rest[n:]
		}
		raw = append(raw, float64(size)/(worked()-begun).Seconds())
	}
	return []line{{What: fmt.Sprintf("audit verify, offline, per core (%d entries of %d bytes)", size, bundle.Len()/int(size)), Must: "≥ 500,000/s", Aim: "≥ 900,000/s",
		Ours: perSecond(median(ours)), Raw: perSecond(median(raw)) + " SHA-256 of as many bytes", Ratio: fmt.Sprintf("%.2f", median(ours)/median(raw)),
		Verdict: least(median(ours), 500_000, 900_000)}}, nil
}
