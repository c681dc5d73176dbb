package keeping

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary"
	"aver/trust/probes/world"
	"aver/trust/retention"
	"aver/vault"
)

// promised is how long recordings are kept at most.
const promised = 90 * world.Daily

// overdue is how old the probe's recording is that must go: not so late that ret-5, measured at that moment, would call it
// forgotten.
const overdue = promised + world.Daily/2

// tape is a recording that the probe stored, as a sweep left it.
type tape struct {
	age   time.Duration
	line  bool // is there
	bytes bool // are there
}

// recordings is ret-1. Calls, which will bring most of them, stand on it: whatever is stored as sound or moving pictures
// is a recording.
func recordings(w *world.World) claim.Claim {
	class := func(limit, oldest time.Duration, e retention.Exception) map[string]retention.Class {
		c := retention.Class{Name: retention.Recordings, Limit: limit, Cap: promised, Exception: e}
		if oldest > 0 {
			c.Oldest = time.Now().Add(-oldest)
		}
		return map[string]retention.Class{"a tenant": c}
	}
	tapes := []tape{{age: overdue}, {promised - world.Daily, true, true}}
	judge := func(all map[string]retention.Class, tapes ...tape) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeRecordings(all, tapes, time.Now()), nil }
	}
	return claim.Claim{
		ID: "ret-1", Theme: world.Keeping, Owner: world.DPO, Every: world.Hourly, On: []string{"retention."},
		Wording:   "Recordings are deleted by themselves after {limit} at most: one half a day too old went with its bytes, the oldest there is: {oldest}, {exceptions} exceptions are in force",
		Predicate: "After a sweep of a canary tenant a recording of ninety and a half days is gone, its line and its bytes, and one of 89 days is there; no tenant keeps recordings for more than 90 days without an exception that somebody asked for, somebody else approved and that ends; and no recording of any tenant is older than its limit and a day.",
		Method:    "A recording is every file whose media type is audio or video, whoever stored it; calls, which will bring most, are to come. The probe stores two files of sound about a person whom it made, dated ninety and a half and 89 days ago, has the canary's workspace swept, looks for the lines and the bytes, and reads the limits, the oldest recordings and the exceptions of all tenants.",
		Refs:      claim.References{ISO: []string{"A.8.10"}, SOC2: []string{"C1.2", "P4.3"}, GDPR: []string{"5(1)(e)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			return lookAtTapes(ctx, w, w.Retention.Sweep, nil)
		},
		Fixtures: []claim.Fixture{
			taped(w, "a sweep that does not come", never, nil),
			taped(w, "a recording whose bytes stayed", nil, func(_ context.Context, w *world.World, p *world.Person, stored []vault.Blob) error {
				return os.WriteFile(at(w, p.Actor, stored[0]), []byte(p.Word), 0o600)
			}),
			taped(w, "a recording that went too early", nil, func(ctx context.Context, w *world.World, p *world.Person, stored []vault.Blob) error {
				return w.Vault.Do(ctx, world.System(p.Side.Tenant), world.Act, func(tx *vault.Tx) error { return w.Vault.DeleteBlob(tx, stored[1].ID) })
			}),
			passedBy(w, "a recording of four months that a sweep passed by"),
			excepted(w, "an exception that its asker approved", retention.Exception{Class: retention.Recordings}, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				return lookAtTapes(ctx, w, w.Retention.Sweep, nil)
			}),
			world.Fixture("a tenant that keeps them for a year without an exception", judge(class(365*world.Daily, 0, retention.Exception{}), tapes...)),
			world.Fixture("an exception that has ended", judge(class(365*world.Daily, 0, retention.Exception{ID: retention.ExceptionID{1}, AskedBy: ids.User{1}, DecidedBy: ids.User{2}, State: retention.Approved, Until: time.Now().Add(-world.Daily)}), tapes...)),
			world.Fixture("nothing to look at", judge(nil)),
		},
	}
}

// classOf reads a class of every tenant.
func classOf(ctx context.Context, w *world.World, name string) (map[string]retention.Class, error) {
	tenants, err := w.Vault.TenantIDs(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]retention.Class{}
	for _, t := range tenants {
		classes, err := w.Retention.Oldest(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, c := range classes {
			if c.Name == name {
				out[t.String()] = c
			}
		}
	}
	return out, nil
}

var errDoubted = errors.New("the clock jumped: nothing is swept until a second run agrees, so nothing can be said")

// sweep removes what is too old of a tenant's; meddling breaks what was stored afterwards.
type (
	sweep    func(context.Context, ids.Tenant) error
	meddling func(context.Context, *world.World, *world.Person, []vault.Blob) error
)

func never(context.Context, ids.Tenant) error { return nil }

// taped is the probe with another sweep, or with something broken after it.
func taped(w *world.World, name string, by sweep, meddle meddling) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		if by == nil {
			return lookAtTapes(ctx, w, w.Retention.Sweep, meddle)
		}
		return lookAtTapes(ctx, w, by, meddle)
	})
}

// passedBy is the probe with a recording of somebody else's that appears after the sweep.
func passedBy(w *world.World, name string) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (e claim.Evidence, err error) {
		p, err := w.NewPerson(ctx)
		if err != nil {
			return e, err
		}
		defer func() { err = errors.Join(err, w.Forget(ctx, p)) }()
		return lookAtTapes(ctx, w, w.Retention.Sweep, func(ctx context.Context, w *world.World, _ *world.Person, _ []vault.Blob) error {
			_, err := w.Hoard(ctx, p, "video/webm", p.Word, 120*world.Daily)
			return err
		})
	})
}

// excepted runs a probe while the canary has an exception that one and the same person asked for and approved.
func excepted(w *world.World, name string, x retention.Exception, probe func(context.Context, *world.World) (claim.Evidence, error)) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		side, err := w.Canaries.Await(ctx, canary.South)
		if err != nil {
			return claim.Evidence{}, err
		}
		now := w.Vault.Now()
		x.ID, x.Days, x.State, x.Until = retention.ExceptionID(ids.NewObject(now)), 365, retention.Approved, now.Add(world.Daily)
		x.AskedBy, x.AskedAt = ids.NewUser(now), now
		x.DecidedBy, x.DecidedAt = x.AskedBy, now
		return world.With(ctx, w, side.Tenant, retention.Exceptions, x, x.ID, func() (claim.Evidence, error) { return probe(ctx, w) })
	})
}

// lookAtTapes is the probe. What it stored is gone again when it reads how old the oldest is.
func lookAtTapes(ctx context.Context, w *world.World, by sweep, meddle meddling) (e claim.Evidence, err error) {
	p, err := w.NewPerson(ctx)
	if err != nil {
		return e, err
	}
	tapes, err := sweepTapes(ctx, w, p, by, meddle)
	if err = errors.Join(err, w.Forget(ctx, p)); err != nil {
		return e, err
	}
	all, err := classOf(ctx, w, retention.Recordings)
	return judgeRecordings(all, tapes, w.Vault.Now()), err
}

// sweepTapes stores two recordings and has them swept.
func sweepTapes(ctx context.Context, w *world.World, p *world.Person, by sweep, meddle meddling) (tapes []tape, err error) {
	actor := world.System(p.Side.Tenant)
	var stored []vault.Blob
	for _, age := range []time.Duration{overdue, promised - world.Daily} {
		b, err := w.Hoard(ctx, p, "audio/webm", p.Word, age)
		if err != nil {
			return nil, err
		}
		stored, tapes = append(stored, b), append(tapes, tape{age: age})
	}
	if err := by(ctx, p.Side.Tenant); err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if meddle != nil {
		if err := meddle(ctx, w, p, stored); err != nil {
			return nil, err
		}
	}
	if run, err := w.Retention.LastRun(ctx, actor); err != nil || !run.Doubted.IsZero() {
		return nil, errors.Join(err, errDoubted)
	}
	for i, b := range stored {
		if err := lookAt(ctx, w, actor, b, &tapes[i]); err != nil {
			return nil, err
		}
	}
	return tapes, nil
}

// lookAt looks for a recording's line and bytes.
func lookAt(ctx context.Context, w *world.World, actor vault.Actor, b vault.Blob, t *tape) error {
	err := w.Vault.View(ctx, actor, world.Act, func(tx *vault.Tx) error {
		_, err := vault.Blobs.Get(tx, b.ID)
		if t.line = err == nil; errs.Is(err, errs.NotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = os.Stat(at(w, actor, b))
	if t.bytes = err == nil; errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// at is where a file's bytes lie.
func at(w *world.World, actor vault.Actor, b vault.Blob) string {
	return filepath.Join(w.Folder, "blobs", actor.Tenant().String(), b.ID.String())
}

func judgeRecordings(all map[string]retention.Class, tapes []tape, now time.Time) claim.Evidence {
	e, exceptions, oldest, limit := world.Evidence(), 0, time.Duration(0), time.Duration(0)
	for _, t := range tapes {
		should := t.age <= promised
		e.See(t.line == should && t.bytes == should, fmt.Sprintf("a recording of %g days", t.age.Hours()/24), "line %s, bytes %s", isThere(t.line), isThere(t.bytes))
	}
	e.See(len(all) > 0 && len(tapes) == 2, "tenants", "%d", len(all))
	for _, c := range all {
		limit = max(limit, c.Limit)
		x := c.Exception
		stands := !x.ID.IsZero() && x.Active(now) && !x.AskedBy.IsZero() && !x.DecidedBy.IsZero() && x.AskedBy != x.DecidedBy
		if stands {
			exceptions++
		}
		if c.Limit == 0 || c.Limit > promised && !stands {
			e.See(false, "a tenant", "keeps them for %s without an exception of two people", page.Age(c.Limit))
		}
		if late := c.Over(now); late > grace {
			e.See(false, "a recording", "%s over its limit of %s", page.Age(late), page.Age(c.Limit))
		}
		if !c.Oldest.IsZero() {
			oldest = max(oldest, now.Sub(c.Oldest))
		}
	}
	e.Figure("limit", "%d days", int(limit/world.Daily))
	e.Figure("oldest", "%s", map[bool]string{true: "none", false: page.Age(oldest)}[oldest == 0])
	e.Figure("exceptions", "%d", exceptions)
	return e
}

func isThere(yes bool) string {
	if yes {
		return "there"
	}
	return "gone"
}
