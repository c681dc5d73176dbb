package audit

import (
	"bytes"
	"context"
	"errors"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/vault"
	"aver/vault/journal"
)

// Proof shows that an entry is in the tenant's log, whose head is in the installation's signed log.
type Proof struct {
	Entry     journal.Entry
	Raw       []byte // what was hashed
	Leaf      tlog.Hash
	Head      tlog.Checkpoint // of the tenant's log
	Inclusion []tlog.Hash
	Signed    []byte // the installation's checkpoint
}

// Prove reads one entry with its proof. An entry younger than the last recorded head makes a checkpoint first.
func (s *Service) Prove(ctx context.Context, actor vault.Actor, index int64) (Proof, error) {
	if err := s.vault.Permit(ctx, actor, actRead); err != nil {
		return Proof{}, err
	}
	return s.prove(ctx, actor.Tenant(), index)
}

func (s *Service) prove(ctx context.Context, tenant ids.Tenant, index int64) (Proof, error) {
	var p Proof
	_, err := s.vault.Journal(ctx, tenant, index, 1, func(raw []byte) (err error) {
		p.Raw = append([]byte(nil), raw...)
		p.Entry, err = journal.Parse(raw)
		return err
	})
	if err != nil {
		return p, err
	}
	if p.Raw == nil || index < 0 {
		return p, errNoEntry
	}
	p.Leaf = tlog.LeafHash(p.Raw)
	known, err := s.marks(ctx, []ids.Tenant{tenant})
	if err != nil {
		return p, err
	}
	var behind []ids.Tenant
	if known[tenant].Size <= index {
		behind = append(behind, tenant)
	}
	signed, err := s.checkpoint(ctx, behind)
	if err != nil {
		return p, err
	}
	p.Signed = []byte(signed.Note)
	if tenant == ids.Installation {
		p.Head, err = tlog.Open(p.Signed, s.mustKey(ctx))
	} else {
		p.Head, _, _, err = s.recorded(ctx, tenant)
	}
	if err != nil {
		return p, err
	}
	log, err := s.tree(ctx, tenant, p.Head.Size)
	if err != nil {
		return p, err
	}
	p.Inclusion, err = tlog.ProveInclusion(log, p.Head.Size, index)
	return p, err
}

func (s *Service) mustKey(ctx context.Context) string {
	key, err := s.VerifierKey(ctx)
	if err != nil {
		return "" // opening with it fails
	}
	return key
}

// Check tells whether a proof holds.
func (p Proof) Check() error {
	return tlog.CheckInclusion(p.Inclusion, p.Head.Size, p.Head.Root, p.Entry.Index, p.Leaf)
}

// Find looks for the first entry with this action about a person, for receipts. It returns its index.
func (s *Service) Find(ctx context.Context, tenant ids.Tenant, action string, person ids.Subject, from int64) (int64, error) {
	_, index, err := s.first(ctx, tenant, from, func(e journal.Entry) bool { return e.Action == action && e.Subject == person })
	return index, err
}

// first finds the first entry from an index on that matches.
func (s *Service) first(ctx context.Context, tenant ids.Tenant, from int64, match func(journal.Entry) bool) (entry []byte, index int64, err error) {
	size, _, _, err := s.vault.Head(ctx, tenant)
	if err != nil {
		return nil, 0, err
	}
	_, err = s.vault.Journal(ctx, tenant, from, size-from, func(raw []byte) error {
		e, err := journal.Parse(raw)
		if err == nil && match(e) {
			entry, index = bytes.Clone(raw), e.Index
			return errFound
		}
		return err
	})
	if entry != nil {
		return entry, index, nil
	}
	if err == nil {
		err = errNoEntry
	}
	return nil, 0, err
}

func isFound(err error) bool { return errors.Is(err, errFound) }
