package imports

import (
	"context"
	"fmt"
	"slices"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
)

var errOvertaken = errs.New(errs.Conflict, "Somebody was erased after this file was sent, and may be in it. Send a list without them.")

// Follow lets go of files as soon as somebody is erased, from where it last stopped.
func (s *Service) Follow(tenants ...ids.Tenant) {
	s.vault.Follow(vault.Follower{Name: "imports", Each: s.hear}, tenants...)
}

func (s *Service) hear(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	erases := func(e journal.Event) bool { return e.Kind == "subject.erased" }
	if !slices.ContainsFunc(entries, func(e journal.Entry) bool { return slices.ContainsFunc(e.Events, erases) }) {
		return nil
	}
	if err := s.letGo(ctx, tenant); err != nil {
		return fmt.Errorf("let go of imports that may hold an erased person: %w", err)
	}
	return nil
}

// letGo ends the imports that were sent before the last erasure, and removes what is left of those that had ended.
func (s *Service) letGo(ctx context.Context, tenant ids.Tenant) error {
	erased, err := s.vault.LastErasure(ctx, tenant)
	if err != nil {
		return err
	}
	var old []Import
	err = s.vault.View(ctx, identity.System(tenant, "import"), actRead, func(tx *vault.Tx) (err error) {
		old, err = Imports.Find(tx, "created_at < ? AND (file IS NOT NULL OR report IS NOT NULL)", erased)
		return err
	})
	for _, i := range old {
		if err == nil {
			err = s.overtake(ctx, tenant, i.ID)
		}
	}
	return err
}

// overtaken tells whether somebody was erased since the file was sent, and ends the import if so. The ledger says it at
// once, however far the journal's followers are.
func (s *Service) overtaken(ctx context.Context, tenant ids.Tenant, i Import) (bool, error) {
	erased, err := s.vault.LastErasure(ctx, tenant)
	if err != nil || !erased.After(i.CreatedAt) {
		return false, err
	}
	return true, s.overtake(ctx, tenant, i.ID)
}

func (s *Service) overtake(ctx context.Context, tenant ids.Tenant, id ID) error {
	return s.vault.Do(ctx, identity.System(tenant, "import"), actSweep, func(tx *vault.Tx) error {
		i, err := Imports.Get(tx, id)
		if err != nil {
			return notThere(err)
		}
		if !i.Report.IsZero() {
			if err := notThere(s.vault.DeleteBlob(tx, i.Report)); err != nil {
				return err
			}
			i.Report = ids.Object{}
		}
		if i.State.Ended() {
			return Imports.Put(tx, i)
		}
		return s.end(tx, i, Overtaken)
	})
}

// notThere forgives that what was to go is gone.
func notThere(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
