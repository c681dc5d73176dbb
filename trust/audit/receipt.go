package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/vault"
	"aver/vault/journal"
)

// receiptKind is the event by which an entry names a statement.
const receiptKind = "receipt.issued"

// Issue lets the present change speak for a statement, compact JSON without personal data, so that Receipt can prove it
// later. Whoever asks for the receipt writes the same statement again.
func Issue(tx *vault.Tx, statement []byte, about ids.Subject) {
	tx.Emit(vault.Event{Kind: receiptKind, Object: tlog.ReceiptMark(statement), Subject: about}, nil)
}

// Receipt proves offline that the tenant's log speaks for a statement. from is an index at or before its entry.
func (s *Service) Receipt(ctx context.Context, tenant ids.Tenant, statement []byte, from int64) (tlog.Receipt, error) {
	mark := tlog.ReceiptMark(statement)
	entry, index, err := s.first(ctx, tenant, from, func(e journal.Entry) bool {
		return slices.ContainsFunc(e.Events, func(ev journal.Event) bool { return ev.Kind == receiptKind && ev.Object == mark })
	})
	if err != nil {
		return tlog.Receipt{}, err
	}
	evidence, err := s.evidence(ctx, tenant, 0)
	if err != nil {
		return tlog.Receipt{}, fmt.Errorf("prove a statement: %w", err)
	}
	log, err := s.tree(ctx, tenant, evidence.Head.Size)
	if err != nil {
		return tlog.Receipt{}, fmt.Errorf("prove a statement: %w", err)
	}
	inclusion, err := tlog.ProveInclusion(log, evidence.Head.Size, index)
	if err != nil {
		return tlog.Receipt{}, fmt.Errorf("prove a statement: %w", err)
	}
	return tlog.NewReceipt(statement, entry, index, inclusion, evidence), nil
}

// ReceiptSince is Receipt for a statement that was issued at a time, as the clock of the process said that issued it.
func (s *Service) ReceiptSince(ctx context.Context, tenant ids.Tenant, statement []byte, at time.Time) (tlog.Receipt, error) {
	size, _, _, err := s.vault.Head(ctx, tenant)
	if err != nil {
		return tlog.Receipt{}, err
	}
	from, err := s.indexAt(ctx, tenant, size, at.Add(-time.Minute)) // processes' clocks differ
	if err != nil {
		return tlog.Receipt{}, fmt.Errorf("find a statement: %w", err)
	}
	return s.Receipt(ctx, tenant, statement, from)
}
