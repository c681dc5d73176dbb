package demo

import (
	"context"
	"net/netip"
	"time"

	"aver/trust/retention"
	"aver/vault"
)

const day = 24 * time.Hour

// shortens is the night after which Harbour keeps its connection log for a week only: until the sweep of the next night
// there are lines older than that, and the promise about retention does not hold. Nothing of it is made up but the hour:
// the probe measures it on the demo's own data, and finds it kept again.
const (
	shortens = 13
	promise  = "ret-5"
)

// until moves the clock forward, with the nights in between; it never goes back.
func (s *seeder) until(ctx context.Context, t time.Time) error {
	for next := s.clock.Now().Truncate(day).Add(day); !next.After(t); next = next.Add(day) {
		s.clock.Advance(next.Sub(s.clock.Now()))
		if err := s.night(ctx); err != nil {
			return err
		}
	}
	if gap := t.Sub(s.clock.Now()); gap > 0 {
		s.clock.Advance(gap)
	}
	return nil
}

// night does what a server does all day: it deletes what is too old, and measures a promise.
func (s *seeder) night(ctx context.Context) error {
	tenants, err := s.app.Vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if err := s.app.Retention.Sweep(ctx, t.ID); err != nil {
			return err
		}
	}
	if err := s.measure(ctx); err != nil {
		return err
	}
	s.nights++
	if s.nights != shortens {
		return nil
	}
	if err := s.app.Retention.SetLimit(ctx, s.staff[harbour.slug][0], retention.Connections.Name(), 7); err != nil {
		return err
	}
	return s.measure(ctx)
}

func (s *seeder) measure(ctx context.Context) error {
	_, err := s.app.Claims.Run(ctx, promise)
	return err
}

// comeIn leaves a line of somebody's browser in the connection log, as the edge does.
func (s *seeder) comeIn(ctx context.Context, who vault.Actor) {
	s.app.Retention.Record(retention.Seen{Tenant: who.Tenant(), Client: netip.MustParseAddr("192.0.2.17"), Agent: "a browser of the demo", Class: "page", Who: vault.AsUser})
	ended, end := context.WithCancel(ctx)
	end()
	s.app.Retention.Run(ended) // writes what is there
}
