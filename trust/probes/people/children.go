package people

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/trust/canary"
	"aver/trust/children"
	"aver/trust/probes/world"
	"aver/vault"
)

// childAge is what the probe's visitor says to be.
const childAge = 11

// noticed is what became of somebody who said to be a child, and of a parent.
type noticed struct {
	said    int // years; zero when no review was opened
	waited  time.Duration
	state   children.State // after it was confirmed
	left    int            // rows about the child after that
	key     bool           // the child's key is still there
	parent  bool           // a review was opened about a parent who spoke of a child
	overdue int            // reviews of tenants that have waited for longer than a week
}

// childrenClaim is rgt-9.
func childrenClaim(w view) claim.Claim {
	good := noticed{said: childAge, state: children.Erased}
	broken := func(spoil func(*noticed)) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) {
			n := good
			spoil(&n)
			return judgeChildren(n), nil
		}
	}
	return claim.Claim{
		ID: "rgt-9", Theme: world.People, Owner: world.DPO, Every: world.Hourly, Within: 2 * time.Minute,
		Wording:   "No data of children under 13 is kept: who says to be {age} is noticed within {waited}, and when that is confirmed {left} rows are left; {overdue} reviews wait for longer than a week",
		Predicate: "When a visitor of a canary tenant writes to be 11 a review is opened, when it is confirmed no row of any table is about them and their key is destroyed, a visitor who writes that their son is 11 opens none, and no review of any tenant is open for longer than a week.",
		Method:    "The probe writes to a canary tenant as a parent and as a child, waits for the review, confirms it as the workspace would, counts the rows that are left, and reads when the open reviews of all tenants began. What is understood is said in package trust/children/age; that whoever does not say it is a child, nobody can measure.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P3.1"}, GDPR: []string{"8(1)", "17(1)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			n, err := w.noticeChild(ctx, w.Children.Confirm, nil)
			return judgeChildren(n), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a child that nobody noticed", broken(func(n *noticed) { n.said = 0 })),
			world.Fixture("a child of another age", broken(func(n *noticed) { n.said = 12 })),
			world.Fixture("a confirmed child whose key is there", broken(func(n *noticed) { n.key = true })),
			world.Fixture("a review that stayed open after it was confirmed", broken(func(n *noticed) { n.state = children.Open })),
			w.Scratch.Broken("a confirmation that does nothing", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				n, err := view{w}.noticeChild(ctx, func(context.Context, vault.Actor, children.ID) error { return nil }, nil)
				return judgeChildren(n), err
			}),
			w.Scratch.Broken("a parent who was taken for a child", mistaken),
			w.Scratch.Broken("a review that nobody decides", undecided),
		},
	}
}

// review is one that is open for so long.
func review(w *world.World, about ids.Contact, age time.Duration) children.Review {
	now := w.Vault.Now()
	return children.Review{ID: children.ID(ids.NewObject(now)), Contact: about, State: children.Open, OpenedAt: now.Add(-age)}
}

// mistaken is the probe while a review is open about the parent.
func mistaken(ctx context.Context, w *world.World) (claim.Evidence, error) {
	n, err := view{w}.noticeChild(ctx, w.Children.Confirm, func(ctx context.Context, w *world.World, p *world.Person) error {
		return w.Vault.Do(ctx, world.System(p.Side.Tenant), world.Act, func(tx *vault.Tx) error { return children.Reviews.Add(tx, review(w, p.Actor.Subject(), 0)) })
	})
	return judgeChildren(n), err
}

// undecided is the probe while a review is open for eight days.
func undecided(ctx context.Context, w *world.World) (claim.Evidence, error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return claim.Evidence{}, err
	}
	old := review(w, ids.NewSubject(w.Vault.Now()), 8*world.Daily)
	return world.With(ctx, w, side.Tenant, children.Reviews, old, old.ID, func() (claim.Evidence, error) {
		n, err := view{w}.noticeChild(ctx, w.Children.Confirm, nil)
		return judgeChildren(n), err
	})
}

// noticeChild lets a parent write, and then a child.
func (w view) noticeChild(ctx context.Context, confirm func(context.Context, vault.Actor, children.ID) error, meddle world.Meddle) (n noticed, err error) {
	parent, err := w.NewPerson(ctx, "My son is 11 and wants a bike. I am 11 minutes away from your shop.")
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, w.Forget(ctx, parent)) }()
	child, err := w.NewPerson(ctx, fmt.Sprintf("I am %d years old", childAge))
	if err != nil {
		return n, err
	}
	began := time.Now()
	r, err := w.awaitReview(ctx, child)
	if err != nil || r.ID.IsZero() {
		return n, errors.Join(err, w.Forget(ctx, child))
	}
	n.said, n.waited = r.Age, time.Since(began)
	if err := meddle.With(ctx, w.World, parent); err != nil {
		return n, err
	}
	of, err := w.Children.Of(ctx, world.System(parent.Side.Tenant), parent.Actor.Subject()) // what was written before was read before
	if err != nil {
		return n, err
	}
	n.parent = !of.ID.IsZero()
	if err := confirm(ctx, world.System(child.Side.Tenant), r.ID); err != nil {
		return n, fmt.Errorf("confirm that it is a child: %w", err)
	}
	return n, w.lookAfter(ctx, child, r.ID, &n)
}

// awaitReview waits for what the message of a moment ago opens; zero when nothing comes.
func (w view) awaitReview(ctx context.Context, p *world.Person) (children.Review, error) {
	for range 150 {
		r, err := w.Children.Of(ctx, world.System(p.Side.Tenant), p.Actor.Subject())
		if err != nil || !r.ID.IsZero() {
			return r, err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
	return children.Review{}, nil
}

// lookAfter looks at what is left of a child, and at what waits in all tenants.
func (w view) lookAfter(ctx context.Context, p *world.Person, id children.ID, n *noticed) error {
	if _, err := w.Vault.FinishErasures(ctx, p.Side.Tenant); err != nil {
		return err
	}
	var err error
	if n.left, _, err = w.RowsAbout(ctx, p.Side.Tenant, p.Actor.Subject()); err != nil {
		return err
	}
	if n.key, err = w.Vault.HasKey(ctx, world.System(p.Side.Tenant), p.Actor.Subject()); err != nil {
		return err
	}
	tenants, err := w.Vault.TenantIDs(ctx)
	for _, t := range tenants {
		if err == nil {
			err = w.waiting(ctx, t, id, n)
		}
	}
	return err
}

// waiting reads the reviews of a tenant.
func (w view) waiting(ctx context.Context, tenant ids.Tenant, id children.ID, n *noticed) error {
	return w.Vault.View(ctx, world.System(tenant), world.Act, func(tx *vault.Tx) error {
		late, err := children.Reviews.Count(tx, "state = ? AND opened_at < ?", string(children.Open), tx.Now().Add(-7*world.Daily))
		if err != nil {
			return err
		}
		n.overdue += late
		mine, err := children.Reviews.Find(tx, "id = ?", id)
		if len(mine) == 1 {
			n.state = mine[0].State
		}
		return err
	})
}

func judgeChildren(n noticed) claim.Evidence {
	e := world.Evidence()
	e.See(n.said == childAge, "the age that a review was opened for", "%d", n.said)
	e.See(n.state == children.Erased, "the review after it was confirmed", "%s", n.state)
	e.See(n.left == 0 && !n.key, "left of the child", "%d rows, the key %s", n.left, map[bool]string{true: "is there", false: "destroyed"}[n.key])
	e.See(!n.parent, "a parent who speaks of a child", "%s", map[bool]string{true: "was taken for one", false: "opens no review"}[n.parent])
	e.See(n.overdue == 0, "reviews of all tenants that wait for longer than a week", "%d", n.overdue)
	e.Figure("age", "%d", childAge)
	e.Figure("waited", "%s", n.waited.Round(10*time.Millisecond))
	e.Figure("left", "%d", n.left)
	e.Figure("overdue", "%d", n.overdue)
	return e
}
