// Package keeping has the probes of what is kept, for what purpose, how long and where.
package keeping

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/probes/world"
	"aver/trust/retention"
)

// Claims lists the promises about keeping.
func Claims(w *world.World) []claim.Claim {
	return []claim.Claim{recordings(w), connections(w), copies(w), schedule(w), improving(w), restoring(w), ending(w), atHome(w), relays(w), transfers(w), minimum(w), papers(w)}
}

// grace is how much older than its limit something may be: a sweep comes once an hour, and is held back for a run when
// the clock jumped.
const grace = world.Daily

// schedule is ret-5.
func schedule(w *world.World) claim.Claim {
	return claim.Claim{
		ID: "ret-5", Theme: world.Keeping, Owner: world.DPO, Every: world.Hourly, On: []string{"retention."},
		Wording:   "Data is kept as long as the tenant set, class by class: {classes} classes of {tenants} tenants looked at, {over} with something older than its limit, {exceptions} kept longer by two people's word",
		Predicate: "In every class of data of every tenant that has a limit, the oldest row or file that no legal hold keeps is not older than the limit and a day; and every exception that makes a limit longer was approved by another person than asked for it and has an end.",
		Method:    "The probe reads each class's limit, the time of its oldest row or file, and the exceptions in force.",
		Refs:      claim.References{ISO: []string{"A.8.10", "A.5.33"}, SOC2: []string{"C1.2", "P4.2"}, GDPR: []string{"5(1)(e)"}},
		Probe:     func(ctx context.Context) (claim.Evidence, error) { return lookAtSchedule(ctx, w) },
		Fixtures: []claim.Fixture{
			unswept(w, "a file older than the tenant's limit"),
			excepted(w, "an exception that one person asked for and approved", retention.Exception{Class: retention.Recordings}, lookAtSchedule),
			world.Fixture("nothing to look at", func(context.Context) (claim.Evidence, error) { return judgeSchedule(nil, time.Now()), nil }),
		},
	}
}

// unswept is a canary with a file that a sweep passed by.
func unswept(w *world.World, name string) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (e claim.Evidence, err error) {
		p, err := w.NewPerson(ctx)
		if err != nil {
			return e, err
		}
		defer func() { err = errors.Join(err, w.Forget(ctx, p)) }()
		if _, err := w.Hoard(ctx, p, "text/plain", p.Word, 4*yearly); err != nil {
			return e, err
		}
		return lookAtSchedule(ctx, w)
	})
}

func lookAtSchedule(ctx context.Context, w *world.World) (claim.Evidence, error) {
	tenants, err := w.Vault.TenantIDs(ctx)
	if err != nil {
		return claim.Evidence{}, err
	}
	all := map[string][]retention.Class{}
	for _, t := range tenants {
		if all[t.String()], err = w.Retention.Oldest(ctx, t); err != nil {
			return claim.Evidence{}, err
		}
	}
	return judgeSchedule(all, w.Vault.Now()), nil
}

func judgeSchedule(all map[string][]retention.Class, now time.Time) claim.Evidence {
	e, classes, over, exceptions := world.Evidence(), 0, 0, 0
	for _, list := range all {
		for _, c := range list {
			classes++
			if x := c.Exception; !x.ID.IsZero() {
				exceptions++
				e.See(x.AskedBy != x.DecidedBy && !x.DecidedBy.IsZero() && x.Until.After(now), "an exception for "+c.Name, "until %s", x.Until.Format(time.DateOnly))
			}
			if late := c.Over(now); late > grace {
				over++
				e.See(false, c.Name, "%s over its limit of %s", page.Age(late), page.Age(c.Limit))
			}
		}
	}
	e.See(classes > 0, "classes of data", "%d", classes)
	e.See(over == 0, "older than their limit", "%d", over)
	e.Figure("classes", "%s", page.Number(classes))
	e.Figure("tenants", "%d", len(all))
	e.Figure("over", "%d", over)
	e.Figure("exceptions", "%d", exceptions)
	return e
}

// logColumns are what a line of the connection log may hold: who connected from where, with what, when.
var logColumns = []string{"id", "at", "seen_at", "ip", "client", "address", "agent", "user_agent", "class", "kind", "who", "route", "site"}

// connections is ret-3.
func connections(w *world.World) claim.Claim {
	return claim.Claim{
		ID: "ret-3", Theme: world.Keeping, Owner: world.DPO, Every: 6 * world.Hourly,
		Wording:   "Of connections only address, browser, time and kind are kept, for {limit} at most: the oldest line is {oldest} old",
		Predicate: "The connection log has no other columns, no tenant can keep it longer than a year, and its oldest line of any tenant is not older than the limit and a day.",
		Method:    "The probe reads the catalogue of columns, the cap, and the time of the oldest line of every tenant.",
		Refs:      claim.References{ISO: []string{"A.8.15", "A.8.10"}, SOC2: []string{"C1.2"}, GDPR: []string{"5(1)(c)", "5(1)(e)"}},
		Probe:     func(ctx context.Context) (claim.Evidence, error) { return lookAtConnections(ctx, w) },
		Fixtures: []claim.Fixture{
			w.Scratch.Broken("a line that is two years old", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				at := w.Vault.Now().Add(-2 * yearly)
				old := retention.Connection{ID: ids.NewObject(at), At: at, Class: "page", Who: "nobody"}
				return world.With(ctx, w, ids.Installation, retention.Connections, old, old.ID, func() (claim.Evidence, error) { return lookAtConnections(ctx, w) })
			}),
			world.Fixture("a log that keeps the page's address", func(context.Context) (claim.Evidence, error) {
				return judgeConnections([]string{"id", "seen_at", "ip", "url"}, []retention.Class{{Limit: yearly, Cap: yearly}}, time.Now()), nil
			}),
			world.Fixture("a log without a cap", func(context.Context) (claim.Evidence, error) {
				return judgeConnections([]string{"id"}, []retention.Class{{Limit: 3 * yearly}}, time.Now()), nil
			}),
		},
	}
}

const yearly = 365 * world.Daily

func lookAtConnections(ctx context.Context, w *world.World) (claim.Evidence, error) {
	found, err := classOf(ctx, w, retention.Connections.Name())
	var columns []string
	for _, c := range retention.Connections.Columns() {
		columns = append(columns, c.Name)
	}
	return judgeConnections(columns, slices.Collect(maps.Values(found)), w.Vault.Now()), err
}

func judgeConnections(columns []string, found []retention.Class, now time.Time) claim.Evidence {
	e := world.Evidence()
	extra := slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return slices.Contains(logColumns, c) })
	e.See(len(extra) == 0, "columns", "%s%s", strings.Join(columns, ", "), more(extra))
	limit, oldest := time.Duration(0), time.Duration(0)
	capped := len(found) > 0
	for _, c := range found {
		capped = capped && c.Cap > 0 && c.Cap <= yearly && c.Limit <= yearly
		limit = max(limit, c.Limit)
		if !c.Oldest.IsZero() {
			oldest = max(oldest, now.Sub(c.Oldest))
		}
	}
	e.See(capped, "the longest that a tenant can set", "%s", map[bool]string{true: "a year", false: "more than a year"}[capped])
	e.See(oldest <= limit+grace, "the oldest line", "%s old", page.Age(oldest))
	e.Figure("limit", "%s", fmt.Sprintf("%d days", int(limit/world.Daily)))
	e.Figure("oldest", "%s", page.Age(oldest))
	return e
}

func more(extra []string) string {
	if len(extra) == 0 {
		return ""
	}
	return "; too much: " + strings.Join(extra, ", ")
}
