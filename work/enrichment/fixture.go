package enrichment

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/trust/probes/world"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
)

// meddle spoils something about a person. Nil spoils nothing.
type meddle func(tx *vault.Tx, c ids.Contact) error

// broken is a fixture that looks at the scratch installation while something there is broken.
func (s *Service) broken(name string, look func(*Service, context.Context) (seen, error)) claim.Fixture {
	return s.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
		restrict := restriction.New(w.Vault, contacts.Linked)
		there := New(Config{Vault: w.Vault, Object: func(ctx context.Context, actor vault.Actor, c ids.Contact) error {
			return restrict.Set(ctx, actor, c, restriction.Object, purpose.Enrichment)
		}})
		found, err := look(there, ctx)
		return judgeSeen(found), err
	})
}

// losing is an installation that loses something about a person once they were looked up.
func (s *Service) losing(name string, spoil meddle) claim.Fixture {
	return s.broken(name, func(s *Service, ctx context.Context) (seen, error) { return s.see(ctx, spoil) })
}

// hoarding is an installation with a workspace that keeps of somebody what it should not.
func (s *Service) hoarding(name string, spoil meddle) claim.Fixture {
	return s.broken(name, func(s *Service, ctx context.Context) (f seen, err error) {
		t, err := s.Vault.CreateTenant(ctx, vault.Tenant{Slug: "hoarding-" + strings.ToLower(rand.Text())[:12], Name: "A workspace that hoards"})
		if err != nil {
			return f, err
		}
		c, err := s.canaryPerson(ctx, t.ID)
		if err != nil {
			return f, err
		}
		if f, err = s.see(ctx, nil); err == nil && !judgeSeen(f).Holds {
			err = fmt.Errorf("before anything is spoilt: %+v", f)
		}
		if err != nil {
			return f, err
		}
		if err := s.Vault.Do(ctx, system(t.ID), actSweep, func(tx *vault.Tx) error { return spoil(tx, c) }); err != nil {
			return f, err
		}
		f, err = s.see(ctx, nil)
		ctx = context.WithoutCancel(ctx)
		err = errors.Join(err, s.Vault.EraseSubject(ctx, system(t.ID), actForget, c, "a fixture is over"))
		_, failed := s.Vault.FinishErasures(ctx, t.ID)
		return f, errors.Join(err, failed)
	})
}

// leftOn is the probe where the canary's source was never switched off.
func (s *Service) leftOn(ctx context.Context) (f seen, err error) {
	all, err := s.Vault.AllTenants(ctx, true)
	for _, t := range all {
		if t.Canary {
			err = errors.Join(err, s.switchCanary(ctx, t.ID, canarySource, true))
			defer func() { err = errors.Join(err, s.switchCanary(context.WithoutCancel(ctx), t.ID, canarySource, false)) }()
		}
	}
	if err != nil {
		return f, err
	}
	return s.see(ctx, nil)
}
