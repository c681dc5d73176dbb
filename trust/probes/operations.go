package probes

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/backups"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/probes/world"
	"aver/vault"
)

// restoring is ava-2, of the embedded store. PostgreSQL is backed up with its own tools, which the operator runs.
func restoring(w view) claim.Claim {
	judge := func(list []backups.Backup, d backups.Drill) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeBackups(list, d, time.Now()), nil }
	}
	good := []backups.Backup{{Manifest: backups.Manifest{Made: time.Now()}, Signed: true}}
	done := backups.Drill{Began: time.Now(), Holds: true, Erased: true, Tenants: 1}
	return claim.Claim{
		ID: "ava-2", Theme: world.Availability, Owner: world.Operations, Every: 6 * world.Hourly, Within: 10 * time.Minute, On: []string{"backup."},
		Wording:   "Encrypted backups every day, and a restore is rehearsed: the last backup is {age} old, the last rehearsal took {took} and checked {entries} log entries and {samples} sealed values",
		Predicate: "The newest backup is signed by this installation and not older than a day and a half, none is older than a week, and the last rehearsal, not older than eight days, restored every tenant, recomputed its log, opened its values, and kept a person gone who was erased after the backup.",
		Method:    "The probe reads the backups' signed manifests. Where there is no backup or no rehearsal yet it makes one: the backup is restored into a scratch folder and compared.",
		Refs:      claim.References{ISO: []string{"A.8.13", "A.5.29"}, SOC2: []string{"A1.2", "A1.3"}, GDPR: []string{"32(1)(c)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			list, d, err := w.lookAtBackups(ctx)
			return judgeBackups(list, d, w.Vault.Now()), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a backup that is a month old", judge([]backups.Backup{{Manifest: backups.Manifest{Made: time.Now().Add(-30 * world.Daily)}, Signed: true}}, done)),
			world.Fixture("a backup that somebody else signed", judge([]backups.Backup{{Manifest: backups.Manifest{Made: time.Now()}}}, done)),
			world.Fixture("a backup whose date is yet to come", judge([]backups.Backup{{Manifest: backups.Manifest{Made: time.Now().Add(30 * world.Daily)}, Signed: true}}, done)),
			world.Fixture("a rehearsal that failed", judge(good, backups.Drill{Began: time.Now(), Erased: true, Fault: "a file is not what the manifest says"})),
			world.Fixture("a restore that brought an erased person back", judge(good, backups.Drill{Began: time.Now(), Holds: true})),
			world.Fixture("no rehearsal at all", judge(good, backups.Drill{})),
		},
	}
}

// The longest that a backup and a rehearsal may be old.
const (
	backupAge = 36 * time.Hour
	drillAge  = 8 * world.Daily
)

func (w view) lookAtBackups(ctx context.Context) ([]backups.Backup, backups.Drill, error) {
	actor := world.System(ids.Installation)
	list, err := w.Backups.List(ctx, actor)
	if err == nil && len(list) == 0 {
		if _, err = w.Backups.Now(ctx, actor); err == nil {
			list, err = w.Backups.List(ctx, actor)
		}
	}
	if err != nil {
		return list, backups.Drill{}, fmt.Errorf("look at the backups: %w", err)
	}
	d, err := w.Backups.LastDrill(ctx)
	if errs.Is(err, errs.NotFound) {
		d, err = w.Backups.Drill(ctx, actor, nil)
	}
	if errs.Is(err, errs.Conflict) {
		err = nil // the identity is kept elsewhere, as it may be: then people rehearse, and until they do the claim fails
	}
	return list, d, err
}

func judgeBackups(list []backups.Backup, d backups.Drill, now time.Time) claim.Evidence {
	e, age, oldest, recent := world.Evidence(), time.Duration(0), time.Duration(0), false
	for i, b := range list {
		if i == 0 {
			age, recent = now.Sub(b.Made), clock.Within(now, b.Made, backupAge)
			e.See(b.Signed, "the newest backup's manifest", "%s", map[bool]string{true: "signed by this installation", false: "not signed by this installation"}[b.Signed])
		}
		oldest = max(oldest, now.Sub(b.Made))
	}
	e.See(recent, "the newest backup", "%d backups, the newest %s", len(list), world.Ago(age))
	e.See(oldest <= 7*world.Daily, "the oldest backup", "%s old", page.Age(oldest))
	e.See(clock.Within(now, d.Began, drillAge), "the last rehearsal", "%s", whenDrilled(d, now))
	e.See(d.Holds, "what was restored", "%d tenants, %d log entries, %d sealed values; %s", d.Tenants, d.Entries, d.Samples, world.OrWord(d.Fault, "all as it was"))
	e.See(d.Erased, "somebody erased after the backup", "%s", map[bool]string{true: "stayed gone", false: "came back"}[d.Erased])
	e.Figure("age", "%s", page.Age(age))
	e.Figure("took", "%s", world.Span(d.Took))
	e.Figure("entries", "%s", page.Number(int(d.Entries)))
	e.Figure("samples", "%s", page.Number(d.Samples))
	return e
}

func whenDrilled(d backups.Drill, now time.Time) string {
	if d.Began.IsZero() {
		return "none yet"
	}
	return world.Ago(now.Sub(d.Began))
}

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
