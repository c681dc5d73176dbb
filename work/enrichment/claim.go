package enrichment

import (
	"context"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/work/contacts"
)

// seen is what the probe found: of all workspaces, and of somebody who does not exist whom it looked up itself.
type seen struct {
	values, nameless, hidden int // in all workspaces: what is kept, without a source or time, about people who closed the purpose
	waiting, late            int // letters
	offAsked, objectedAsked  int // questions while the source was off, and after the objection
	found, left              int // values after the look, and after the objection
	owed                     time.Duration
}

// promise is enr-1.
func (s *Service) promise() claim.Claim {
	judge := func(found seen) func(context.Context) (claim.Evidence, error) {
		return func(context.Context) (claim.Evidence, error) { return judgeSeen(found), nil }
	}
	good := func(spoil func(*seen)) seen {
		found := seen{found: 1, owed: noticeWithin}
		spoil(&found)
		return found
	}
	return claim.Claim{
		ID: "enr-1", Theme: world.Keeping, Owner: world.DPO, Every: 6 * world.Hourly, On: []string{"enrichment."},
		Wording:   "People are looked up in public sources only where a workspace switched it on: {values} things kept, each with its source and time, {hidden} about people who closed that; {late} of those found were told late",
		Predicate: "No workspace keeps anything from a source without its name and time or about a person who is restricted or objects, no letter is owed for longer than four weeks, and somebody who does not exist is asked about only while the source is on and before they object, after which nothing is left.",
		Method:    "The probe counts in every workspace, once as the system and once for the purpose of enrichment, which is shown nobody who closed it. Then it makes somebody in a canary workspace, looks them up in a source that answers within this process, objects for them, and looks again.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P3.2", "P4.1"}, GDPR: []string{"14(3)(a)", "21(1)", "18(1)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			found, err := s.see(ctx)
			return judgeSeen(found), err
		},
		Fixtures: []claim.Fixture{
			world.Fixture("somebody was looked up whose workspace has no source on", judge(good(func(f *seen) { f.offAsked = 1 }))),
			world.Fixture("somebody was looked up who had objected", judge(good(func(f *seen) { f.objectedAsked = 1 }))),
			world.Fixture("what was found outlived the objection", judge(good(func(f *seen) { f.left = 1 }))),
			world.Fixture("a value that does not say where it comes from", judge(good(func(f *seen) { f.values, f.nameless = 1, 1 }))),
			world.Fixture("a value about somebody who is restricted", judge(good(func(f *seen) { f.values, f.hidden = 1, 1 }))),
			world.Fixture("a letter that should have gone out last week", judge(good(func(f *seen) { f.waiting, f.late = 1, 1 }))),
			world.Fixture("nobody is owed a letter", judge(good(func(f *seen) { f.owed = 0 }))),
			world.Fixture("a look that finds nothing", judge(good(func(f *seen) { f.found = 0 }))),
		},
	}
}

func judgeSeen(f seen) claim.Evidence {
	e := world.Evidence()
	e.See(f.nameless == 0, "values of all workspaces", "%d, %d without source or time", f.values, f.nameless)
	e.See(f.hidden == 0, "about people who closed the purpose", "%d", f.hidden)
	e.See(f.late == 0, "letters owed", "%d, %d late", f.waiting, f.late)
	e.See(f.offAsked == 0, "asked while the source was off", "%d times", f.offAsked)
	e.See(f.found == 1, "found once it was on", "%d values", f.found)
	e.See(f.owed > 0 && f.owed <= noticeWithin, "the letter about it", "due within %s", page.Age(f.owed))
	e.See(f.objectedAsked == 0, "asked after the objection", "%d times", f.objectedAsked)
	e.See(f.left == 0, "left after the objection", "%d values", f.left)
	e.Figure("values", "%s", page.Number(f.values))
	e.Figure("hidden", "%d", f.hidden)
	e.Figure("late", "%d", f.late)
	return e
}

// see counts in all workspaces and tries it out in a canary's.
func (s *Service) see(ctx context.Context) (f seen, err error) {
	tenants, err := s.Vault.AllTenants(ctx, true)
	if err != nil {
		return f, err
	}
	var canary ids.Tenant
	for _, t := range tenants {
		if t.Canary {
			canary = t.ID
		} else if err := s.count(ctx, t.ID, &f); err != nil {
			return f, err
		}
	}
	if canary.IsZero() {
		return f, errs.New(errs.Unavailable, "There is no canary workspace yet.")
	}
	return f, s.try(ctx, canary, &f)
}

func (s *Service) count(ctx context.Context, tenant ids.Tenant, f *seen) error {
	waiting, late, err := s.Owed(ctx, tenant, s.Vault.Now())
	if err != nil {
		return err
	}
	f.waiting, f.late = f.waiting+waiting, f.late+late
	all, shown := 0, 0
	err = s.Vault.View(ctx, system(tenant), actSweep, func(tx *vault.Tx) (err error) {
		if all, err = values.Count(tx, ""); err != nil {
			return err
		}
		bare, err := values.Count(tx, "source IS NULL")
		f.nameless += bare
		return err
	})
	if err != nil {
		return err
	}
	err = s.Vault.View(ctx, system(tenant), actLook, func(tx *vault.Tx) (err error) {
		shown, err = values.Count(tx, "")
		return err
	})
	f.values, f.hidden = f.values+all, f.hidden+all-shown
	return err
}

// try looks up somebody who does not exist, before the source is on, while it is, and after they objected.
func (s *Service) try(ctx context.Context, tenant ids.Tenant, f *seen) error {
	c, err := s.canaryPerson(ctx, tenant)
	if err != nil {
		return err
	}
	defer func() {
		_ = s.Vault.EraseSubject(context.WithoutCancel(ctx), system(tenant), actForget, c, "canary of a probe")
	}()
	source := Source{Kind: Profile, URL: "https://canary.invalid/{sha256}", Fields: map[string]string{"job_title": "/title"}}
	asked := 0
	within := func(context.Context, Source, string) ([]Value, error) {
		asked++
		return profile(source, []byte(`{"title":"canary"}`))
	}
	if err := s.lookAll(ctx, tenant, c, within); err != nil {
		return err
	}
	f.offAsked, asked = asked, 0
	if err := s.switchCanary(ctx, tenant, source, true); err != nil {
		return err
	}
	defer func() { _ = s.switchCanary(context.WithoutCancel(ctx), tenant, source, false) }()
	if err := s.lookAll(ctx, tenant, c, within); err != nil {
		return err
	}
	if err := s.kept(ctx, tenant, c, &f.found, &f.owed); err != nil {
		return err
	}
	asked = 0
	if err := s.Object(ctx, system(tenant), c); err != nil {
		return fmt.Errorf("object for a canary: %w", err)
	}
	if err := s.lookAll(ctx, tenant, c, within); err != nil {
		return err
	}
	f.objectedAsked = asked
	return s.kept(ctx, tenant, c, &f.left, nil)
}

func (s *Service) canaryPerson(ctx context.Context, tenant ids.Tenant) (ids.Contact, error) {
	who, err := contacts.New(s.Vault).NewVisitor(ctx, tenant, contacts.Draft{Email: "enrichment@canary.invalid"})
	return who.ID, err
}

// switchCanary switches the canary's source, whose host nobody could call: what asks it in earnest is refused at the door.
func (s *Service) switchCanary(ctx context.Context, tenant ids.Tenant, source Source, on bool) error {
	return s.Vault.Do(ctx, system(tenant), actSweep, func(tx *vault.Tx) error {
		source.On, source.ChangedAt, source.Token = on, tx.Now(), personal.Text{}
		return sources.Put(tx, source)
	})
}

// kept counts what is kept about a person, and tells how long from now a letter is owed at the latest.
func (s *Service) kept(ctx context.Context, tenant ids.Tenant, c ids.Contact, n *int, owed *time.Duration) error {
	return s.Vault.View(ctx, system(tenant), actSweep, func(tx *vault.Tx) (err error) {
		if *n, err = values.Count(tx, "contact = ?", c); err != nil || owed == nil {
			return err
		}
		notice, err := notices.Get(tx, c)
		if err == nil {
			*owed = notice.DueAt.Sub(notice.FoundAt)
		}
		return ignoreAbsent(err)
	})
}
