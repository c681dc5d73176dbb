package audit

import (
	"context"
	"errors"
	"fmt"
	"io"

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

// Find looks for the newest entry with this action about a person, for receipts. It returns its index.
func (s *Service) Find(ctx context.Context, tenant ids.Tenant, action string, person ids.Subject, from int64) (int64, error) {
	size, _, _, err := s.vault.Head(ctx, tenant)
	if err != nil {
		return 0, err
	}
	found := int64(-1)
	_, err = s.vault.Journal(ctx, tenant, from, size-from, func(raw []byte) error {
		e, err := journal.Parse(raw)
		if err == nil && e.Action == action && e.Subject == person {
			found = e.Index
			return errFound
		}
		return err
	})
	if err != nil && !isFound(err) {
		return 0, err
	}
	if found < 0 {
		return 0, errNoEntry
	}
	return found, nil
}

func isFound(err error) bool { return errors.Is(err, errFound) }

// Verdict is what an offline verification says, in words.
type Verdict struct {
	Holds    bool
	Findings []string // one sentence each, when it does not hold
	Warnings []string // what the answer does not cover
	Unshown  int64    // all else holds, and the bundle does not say whether the log continues an older checkpoint of this size
	Report   tlog.Report
}

// Verify checks a bundle offline; see tlog.Verify. An error means that reading failed.
func Verify(r io.Reader, opts tlog.Options) (Verdict, error) {
	report, err := tlog.Verify(r, opts)
	v := Verdict{Report: report, Holds: err == nil}
	var findings tlog.Findings
	if err != nil && !errors.As(err, &findings) {
		return v, fmt.Errorf("verify the bundle: %w", err)
	}
	for _, f := range findings {
		v.Findings = append(v.Findings, f.Error())
	}
	if len(findings) == 1 {
		if f, ok := findings[0].(tlog.Unproven); ok {
			v.Unshown = f.OldSize
		}
	}
	if opts.Key == "" {
		v.Warnings = append(v.Warnings, "the bundle was checked with the key that it names itself: pass the installation's verifier key, from another source, to know who signed it")
	}
	if opts.Older == nil && opts.OlderInstallation == nil {
		v.Warnings = append(v.Warnings, "no older checkpoint was given: a log that was rewritten as a whole, before the first export, would not show")
	}
	return v, nil
}
