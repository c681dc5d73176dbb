package enrichment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/holds"
	"aver/trust/probes/world"
	"aver/vault"
	"aver/vault/purpose"
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
	return claim.Claim{
		ID: "enr-1", Theme: world.Keeping, Owner: world.DPO, Every: 6 * world.Hourly, On: []string{"enrichment."},
		Wording:   "People are looked up in public sources only where a workspace switched it on: {values} things kept, each with its source and time, {hidden} about people who closed that; {late} of those found were told late",
		Predicate: "No workspace keeps anything from a source without its name and time or about a person who is restricted or objects, unless a legal hold covers them, no letter is owed for longer than four weeks, and somebody who does not exist is asked about only while the source is on and before they object, after which nothing is left.",
		Method:    "The probe counts in every workspace, once as the system and once for the purpose of enrichment, which is shown nobody who closed it. Then it makes somebody in a canary workspace, looks them up in a source that answers within this process, objects for them, and looks again.",
		Refs:      claim.References{ISO: []string{"A.5.34"}, SOC2: []string{"P3.2", "P4.1"}, GDPR: []string{"14(3)(a)", "21(1)", "18(1)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			found, err := s.see(ctx, nil)
			return judgeSeen(found), err
		},
		Fixtures: []claim.Fixture{
			s.broken("somebody was looked up whose workspace has no source on", (*Service).leftOn),
			s.broken("somebody was looked up who had objected", func(s *Service, ctx context.Context) (seen, error) {
				s.Object = func(ctx context.Context, actor vault.Actor, c ids.Contact) error { // the objection is lost, and that somebody was asked about
					return s.Vault.Do(ctx, system(actor.Tenant()), actSweep, func(tx *vault.Tx) error { return looks.Delete(tx, c, string(Profile)) })
				}
				return s.see(ctx, nil)
			}),
			s.broken("what was found outlived the objection", func(s *Service, ctx context.Context) (seen, error) {
				s.Object = func(context.Context, vault.Actor, ids.Contact) error { return nil }
				return s.see(ctx, nil)
			}),
			s.hoarding("a value that does not say where it comes from", func(tx *vault.Tx, c ids.Contact) error {
				return values.Put(tx, Value{Contact: c, Kind: Profile, Field: "job_title", Words: personal.Of("canary"), FoundAt: tx.Now()})
			}),
			s.hoarding("a value about somebody who is restricted", func(tx *vault.Tx, c ids.Contact) error {
				return errors.Join(values.Put(tx, Value{Contact: c, Kind: Profile, Field: "job_title", Words: personal.Of("canary"), Source: "canary.invalid", FoundAt: tx.Now()}),
					vault.Standings.Put(tx, vault.Standing{Person: c, Kind: purpose.Restrict, Purpose: purpose.All, Since: tx.Now()}))
			}),
			s.hoarding("a letter that should have gone out last week", func(tx *vault.Tx, c ids.Contact) error {
				return notices.Put(tx, Notice{Contact: c, FoundAt: tx.Now().Add(-noticeWithin - world.Daily*7), DueAt: tx.Now().Add(-world.Daily * 7)})
			}),
			s.losing("nobody is owed a letter", func(tx *vault.Tx, c ids.Contact) error { return notices.Delete(tx, c) }),
			s.losing("a look that finds nothing", func(tx *vault.Tx, c ids.Contact) error {
				_, err := values.DeleteWhere(tx, "contact = ?", c)
				return err
			}),
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
func (s *Service) see(ctx context.Context, spoil meddle) (f seen, err error) {
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
	return f, s.try(ctx, canary, &f, spoil)
}

func (s *Service) count(ctx context.Context, tenant ids.Tenant, f *seen) error {
	waiting, late, err := s.Owed(ctx, tenant, s.Vault.Now())
	if err != nil {
		return err
	}
	f.waiting, f.late = f.waiting+waiting, f.late+late
	usable, shown := 0, 0 // what a legal hold keeps is not used
	var others string
	var spared []any
	err = s.Vault.View(ctx, system(tenant), actSweep, func(tx *vault.Tx) error {
		all, err := values.Count(tx, "")
		bare, bareErr := values.Count(tx, "source IS NULL")
		held, heldErr := holds.Subjects(tx)
		if err := errors.Join(err, bareErr, heldErr); err != nil {
			return err
		}
		f.values, f.nameless = f.values+all, f.nameless+bare
		others, spared = vault.Spare("contact", held)
		usable, err = values.Count(tx, "kind IS NOT NULL"+others, spared...)
		return err
	})
	if err != nil {
		return err
	}
	err = s.Vault.View(ctx, system(tenant), actLook, func(tx *vault.Tx) (err error) {
		shown, err = values.Count(tx, "kind IS NOT NULL"+others, spared...)
		return err
	})
	f.hidden += usable - shown
	return err
}

// try looks up somebody who does not exist, before the source is on, while it is, and after they objected.
func (s *Service) try(ctx context.Context, tenant ids.Tenant, f *seen, spoil meddle) error {
	c, err := s.canaryPerson(ctx, tenant)
	if err != nil {
		return err
	}
	defer func() {
		_ = s.Vault.EraseSubject(context.WithoutCancel(ctx), system(tenant), actForget, c, "canary of a probe")
	}()
	source := canarySource
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
	if spoil != nil {
		if err := s.Vault.Do(ctx, system(tenant), actSweep, func(tx *vault.Tx) error { return spoil(tx, c) }); err != nil {
			return err
		}
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

// canarySource answers within this process.
var canarySource = Source{Kind: Profile, URL: "https://canary.invalid/{sha256}", Fields: map[string]string{"job_title": "/title"}}

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
