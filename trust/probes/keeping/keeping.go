// Package keeping has the probes of what is kept, for what purpose, how long and where.
package keeping

import (
	"context"
	"fmt"
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
	return []claim.Claim{recordings(w), connections(w), copies(w), explicit(view{w}), binding(view{w}), schedule(w), improving(w), restoring(w), ending(w), atHome(w), relays(w), transfers(w), minimum(w), papers(w)}
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
		Probe: func(ctx context.Context) (claim.Evidence, error) {
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
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a message older than the tenant's limit", func(context.Context) (claim.Evidence, error) {
				now := time.Now()
				return judgeSchedule(map[string][]retention.Class{"a tenant": {{Name: "messages", Limit: 30 * world.Daily, Oldest: now.Add(-40 * world.Daily)}}}, now), nil
			}),
			world.Fixture("an exception that one person asked for and approved", func(context.Context) (claim.Evidence, error) {
				x := retention.Exception{ID: retention.ExceptionID{1}, AskedBy: ids.User{1}, DecidedBy: ids.User{1}, Until: time.Now().Add(world.Daily)}
				return judgeSchedule(map[string][]retention.Class{"a tenant": {{Name: "messages", Limit: 400 * world.Daily, Exception: x}}}, time.Now()), nil
			}),
			world.Fixture("nothing to look at", func(context.Context) (claim.Evidence, error) { return judgeSchedule(nil, time.Now()), nil }),
		},
	}
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
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			tenants, err := w.Vault.TenantIDs(ctx)
			if err != nil {
				return claim.Evidence{}, err
			}
			var found []retention.Class
			for _, t := range tenants {
				classes, err := w.Retention.Oldest(ctx, t)
				if err != nil {
					return claim.Evidence{}, err
				}
				i := slices.IndexFunc(classes, func(c retention.Class) bool { return c.Name == retention.Connections.Name() })
				if i >= 0 {
					found = append(found, classes[i])
				}
			}
			var columns []string
			for _, c := range retention.Connections.Columns() {
				columns = append(columns, c.Name)
			}
			return judgeConnections(columns, found, w.Vault.Now()), nil
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a log that keeps the page's address", func(context.Context) (claim.Evidence, error) {
				return judgeConnections([]string{"id", "seen_at", "ip", "url"}, []retention.Class{{Limit: yearly, Cap: yearly}}, time.Now()), nil
			}),
			world.Fixture("a line that is two years old", func(context.Context) (claim.Evidence, error) {
				now := time.Now()
				return judgeConnections([]string{"id", "seen_at", "ip"}, []retention.Class{{Limit: yearly, Cap: yearly, Oldest: now.Add(-2 * yearly)}}, now), nil
			}),
			world.Fixture("a log without a cap", func(context.Context) (claim.Evidence, error) {
				return judgeConnections([]string{"id"}, []retention.Class{{Limit: 3 * yearly}}, time.Now()), nil
			}),
		},
	}
}

const yearly = 365 * world.Daily

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
