package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"aver/base/ids"
	"aver/proof/bench/bare"
	"aver/proof/house"
	"aver/vault"
	"aver/work/inbox"
)

const inFlight = 256

// intakeSQLite: what a visitor's message costs with everything that is promised about it, against bare rows.
func intakeSQLite(ctx context.Context, s scale) (_ []line, err error) {
	crowd, err := openCrowd(ctx, s, house.Config{}, inFlight)
	if err != nil {
		return nil, err
	}
	defer closing(&err, crowd.Close)
	ours, err := bare.Open(s.Folder, true)
	if err != nil {
		return nil, err
	}
	defer closing(&err, ours.Close)
	stock, err := bare.Open(s.Folder, false)
	if err != nil {
		return nil, err
	}
	defer closing(&err, stock.Close)
	turns := []*turn{{name: "Aver"}, {name: "bare inserts, our page layer"}, {name: "bare inserts, the driver's"}}
	lasting := s.lasting(4 * time.Second)
	for range s.rounds() {
		turns[0].add(crowd.write(ctx, inFlight, lasting))
		if err := house.Filed(ctx, crowd.house.Vault, crowd.tenant); err != nil {
			return nil, err
		}
		turns[1].add(rawLoad(ctx, inFlight, lasting, ours.Add))
		turns[2].add(rawLoad(ctx, inFlight, lasting, stock.Add))
	}
	l, err := intakeLine("visitor messages accepted, 256 in flight, SQLite", turns)
	return []line{l}, err
}

// turn is what one of those compared did in all rounds.
type turn struct {
	name  string
	rates []float64
	work  []time.Duration
	err   error
}

func (t *turn) add(l load) {
	t.rates, t.work = append(t.rates, l.perSecond()), append(t.work, l.each())
	t.err = errors.Join(t.err, l.err)
}

func (t *turn) String() string {
	return fmt.Sprintf("%s (%d µs of processor)", perSecond(median(t.rates)), median(t.work).Microseconds())
}

// intakeLine compares the first turn with the second; the others are told beside it.
func intakeLine(what string, turns []*turn) (line, error) {
	var raw []string
	var faults []error
	for _, t := range turns {
		faults = append(faults, t.err)
		raw = append(raw, t.name+" "+t.String())
	}
	ratio := median(turns[0].rates) / median(turns[1].rates)
	return line{What: what, Must: "≥ 0.25 of raw", Aim: "≥ 0.4", Ours: turns[0].String(), Raw: strings.Join(raw[1:], "; "),
		Ratio: fmt.Sprintf("%.2f", ratio), Verdict: least(ratio, 0.25, 0.4)}, errors.Join(faults...)
}

// crowd is visitors of one tenant who write.
type crowd struct {
	house    *house.House
	tenant   ids.Tenant
	visitors []vault.Actor
	said     atomic.Int64
}

// openCrowd lets so many visitors into a new house.
func openCrowd(ctx context.Context, s scale, config house.Config, visitors int) (*crowd, error) {
	config.Folder = filepath.Join(s.Folder, "house")
	h, err := house.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	c := &crowd{house: h}
	if c.tenant, err = h.NewTenant(ctx, "shop"); err == nil {
		c.visitors, err = h.NewVisitors(ctx, c.tenant, visitors)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return c, nil
}

// Close closes the house.
func (c *crowd) Close() error { return c.house.Close() }

// closing joins what close says to a function's error, when it is deferred.
func closing(err *error, close func() error) { *err = errors.Join(*err, close()) }

// write lets callers write, each as a visitor of its own, as fast as they are answered.
func (c *crowd) write(ctx context.Context, callers int, lasting time.Duration) load {
	return drive(callers, lasting, func(caller int, _ int64) error {
		n := c.said.Add(1)
		_, err := c.house.Inbox.Receive(ctx, c.visitors[caller], inbox.Incoming{ClientID: house.ClientID(n), Text: house.Words(n)})
		return err
	})
}
