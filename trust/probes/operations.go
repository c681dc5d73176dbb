package probes

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/probes/world"
	"aver/vault"
)

// durable is what the probe of durability looks at.
type durable struct {
	check   error // what is unsafe about the stores
	written int   // acknowledged writes
	found   int   // of these, by another connection
	took    time.Duration
}

// acknowledged is durability.
func acknowledged(w view) claim.Claim {
	judge := func(d durable) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeDurable(d), nil }
	}
	return claim.Claim{
		ID: "durability", Theme: world.Availability, Owner: world.Operations, Every: world.Often,
		Wording:   "What was acknowledged is on the disk: {written} writes acknowledged just now, {found} found by another connection, the stores set up so that a commit waits for the disk",
		Predicate: "The stores' settings, read back from their open connections, make every commit wait for the disk, and every write that was acknowledged during the run is found by a connection that did not make it.",
		Method:    "The probe reads the settings back (synchronous, journal mode; or fsync and synchronous_commit of PostgreSQL), writes as a canary and reads by another connection. What happens when the power goes is tested in make test.",
		Refs:      claim.References{ISO: []string{"A.8.13", "A.8.14"}, SOC2: []string{"A1.2", "PI1.5"}, GDPR: []string{"32(1)(b)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			d, err := w.writeAndFind(ctx)
			return judgeDurable(d), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a store that does not wait for the disk", judge(durable{check: errNotFull, written: 3, found: 3})),
			world.Fixture("a write that was acknowledged and is not there", judge(durable{written: 3, found: 2})),
			world.Fixture("nothing was written", judge(durable{})),
		},
	}
}

var errNotFull = fmt.Errorf("synchronous is NORMAL: a commit does not wait for the disk")

const writes = 3

func (w view) writeAndFind(ctx context.Context) (d durable, err error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return d, err
	}
	if err := w.Vault.Check(ctx); err != nil {
		if errs.Is(err, errs.Unavailable) {
			return d, err
		}
		d.check = err
	}
	before, _, _, err := w.Vault.Head(ctx, side.Tenant)
	if err != nil {
		return d, err
	}
	began := time.Now()
	for range writes {
		word := attack.UniqueWord("probe")
		err := w.Vault.Do(ctx, world.System(side.Tenant), world.Act, func(tx *vault.Tx) error {
			tx.Emit(vault.Event{Kind: "probe.written", Object: word}, nil)
			return nil
		})
		if err != nil {
			return d, err
		}
		d.written++
		found, err := w.entryWith(ctx, side.Tenant, before, word)
		if err != nil {
			return d, err
		}
		if found {
			d.found++
		}
	}
	d.took = time.Since(began) / writes
	return d, nil
}

// entryWith looks for an entry by a reader's connection, which is never the writer's.
func (w view) entryWith(ctx context.Context, tenant ids.Tenant, from int64, object string) (bool, error) {
	entries, err := w.Vault.Entries(ctx, tenant, from, 1000)
	for _, e := range entries {
		for _, ev := range e.Events {
			if ev.Object == object {
				return true, err
			}
		}
	}
	return false, err
}

func judgeDurable(d durable) claim.Evidence {
	e := world.Evidence()
	e.See(d.check == nil, "how the stores are set up", "%s", firstLine(world.OrError("every commit waits for the disk", d.check)))
	e.See(d.written > 0, "writes acknowledged", "%d, %s each", d.written, world.Span(d.took))
	e.See(d.found == d.written, "found by another connection", "%d", d.found)
	e.Figure("written", "%d", d.written)
	e.Figure("found", "%d", d.found)
	return e
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
