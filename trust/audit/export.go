package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	merkle "golang.org/x/mod/sumdb/tlog"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/tlog"
	"aver/vault"
	"aver/vault/journal"
)

// pageOfLog is how many entries are read at a time.
const pageOfLog = 8192

// Export writes the actor's tenant's whole log as a bundle that anybody can verify offline, with evidence that the
// installation's signed log records its head. The export itself is its last entry. since, when above zero, is the size of an older checkpoint of the installation's log
// that the auditor holds: the bundle then proves that nothing before it was rewritten.
func (s *Service) Export(ctx context.Context, actor vault.Actor, w io.Writer, since int64) error {
	tenant := actor.Tenant()
	if tenant == ids.Installation {
		return errs.New(errs.Invalid, "The installation's own log is published by its checkpoints. Name a workspace to export.")
	}
	err := s.vault.Do(ctx, actor, actExport, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "audit_log.exported", Object: tenant.String()}, nil)
		return nil
	})
	if err != nil {
		return err
	}
	evidence, err := s.evidence(ctx, tenant, since)
	if err != nil {
		return fmt.Errorf("prove the head of the log: %w", err)
	}
	key, err := s.VerifierKey(ctx)
	if err != nil {
		return err
	}
	bundle, err := tlog.NewBundleWriter(w, tlog.Header{Origin: evidence.Head.Origin, Key: key})
	if err != nil {
		return err
	}
	if err := s.entries(ctx, tenant, evidence.Head.Size, bundle); err != nil {
		return err
	}
	return bundle.Close(evidence)
}

func (s *Service) entries(ctx context.Context, tenant ids.Tenant, size int64, bundle *tlog.BundleWriter) error {
	var chunk []byte
	for bundle.Size() < size {
		chunk = chunk[:0]
		n, err := s.vault.Journal(ctx, tenant, bundle.Size(), min(pageOfLog, size-bundle.Size()), func(entry []byte) error {
			chunk = journal.AppendChunk(chunk, entry)
			return nil
		})
		if err != nil {
			return err
		}
		if n == 0 { // the verifier will say which are missing
			return fmt.Errorf("export the log: it ends after %d entries of %d", bundle.Size(), size)
		}
		if err := bundle.Chunk(chunk); err != nil {
			return err
		}
	}
	return nil
}

// evidence shows that the installation's signed log records the tenant's newest head.
func (s *Service) evidence(ctx context.Context, tenant ids.Tenant, since int64) (tlog.Evidence, error) {
	signed, err := s.checkpoint(ctx, []ids.Tenant{tenant})
	if err != nil {
		return tlog.Evidence{}, err
	}
	head, entry, index, err := s.recorded(ctx, tenant)
	if err != nil {
		return tlog.Evidence{}, err
	}
	installation, err := s.tree(ctx, ids.Installation, signed.Size)
	if err != nil {
		return tlog.Evidence{}, err
	}
	e := tlog.Evidence{Head: head, Entry: entry, Index: index, Checkpoint: []byte(signed.Note)}
	if e.Inclusion, err = tlog.ProveInclusion(installation, signed.Size, index); err != nil {
		return tlog.Evidence{}, err
	}
	if since > signed.Size {
		return e, errs.New(errs.Invalid, fmt.Sprintf("The installation's log has %d entries: it is shorter than that checkpoint says.", signed.Size))
	}
	if since > 0 {
		e.Since = since
		e.Consistency, err = tlog.ProveConsistency(installation, signed.Size, since)
	}
	return e, err
}

var errFound = errors.New("found")

// recorded finds the entry of the installation's log that records the tenant's last marked head.
func (s *Service) recorded(ctx context.Context, tenant ids.Tenant) (head tlog.Checkpoint, entry []byte, index int64, err error) {
	known, err := s.marks(ctx, []ids.Tenant{tenant})
	if err != nil {
		return head, nil, 0, err
	}
	m := known[tenant]
	if head, err = s.head(ctx, tenant); err != nil {
		return head, nil, 0, err
	}
	head.Size = m.Size
	if head.Root, err = merkle.ParseHash(m.Root); err != nil {
		return head, nil, 0, fmt.Errorf("read a mark: %w", err)
	}
	text := head.Text()
	mark := append([]byte{byte(len(text))}, text...)
	for at := m.After; ; {
		n, err := s.vault.Journal(ctx, ids.Installation, at, pageOfLog, func(raw []byte) error {
			if bytes.Contains(raw, mark) {
				entry = raw
				return errFound
			}
			index++
			return nil
		})
		if errors.Is(err, errFound) {
			return head, entry, m.After + index, nil
		}
		if err != nil {
			return head, nil, 0, err
		}
		if n == 0 {
			return head, nil, 0, errors.New("the installation's log does not record this head")
		}
		at += n
	}
}
