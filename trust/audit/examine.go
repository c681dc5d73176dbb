package audit

import (
	"context"
	"fmt"

	merkle "golang.org/x/mod/sumdb/tlog"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/tlog"
)

// Examine recomputes a tenant's log from its entries and compares it with the head that its store keeps and with the
// newest head that was recorded or signed before. It writes nothing, and returns how many entries there are and what is
// wrong with them, a sentence each.
func (s *Service) Examine(ctx context.Context, tenant ids.Tenant) (entries int64, wrong []string, err error) {
	before, err := s.promised(ctx, tenant) // read first: the log only grows after it
	if err != nil {
		return 0, nil, err
	}
	size, root, _, err := s.vault.Head(ctx, tenant)
	if err != nil {
		return 0, nil, err
	}
	if size < before.Size {
		wrong = append(wrong, fmt.Sprintf("it has %d entries and had %d", size, before.Size))
	}
	var edge tlog.Frontier
	for edge.Size() < size {
		n, err := s.vault.Journal(ctx, tenant, edge.Size(), min(pageOfLog, size-edge.Size()), func(entry []byte) error {
			edge.Append(tlog.LeafHash(entry))
			if edge.Size() == before.Size && edge.Root() != before.Root {
				wrong = append(wrong, fmt.Sprintf("its first %d entries are not those that were recorded: one was altered", before.Size))
			}
			return nil
		})
		if err != nil {
			return edge.Size(), wrong, err
		}
		if n == 0 {
			return edge.Size(), append(wrong, fmt.Sprintf("it ends after %d entries of %d", edge.Size(), size)), nil
		}
	}
	if edge.Root() != root {
		wrong = append(wrong, fmt.Sprintf("its %d entries do not give the root %s of its head: one was altered", size, root))
	}
	return edge.Size(), wrong, nil
}

// promised is the newest head of a log that cannot be taken back: a tenant's is recorded in the installation's log, and
// that one's is signed. Its size is zero before the first.
func (s *Service) promised(ctx context.Context, tenant ids.Tenant) (tlog.Checkpoint, error) {
	if tenant != ids.Installation {
		known, err := s.marks(ctx, []ids.Tenant{tenant})
		if err != nil || known[tenant].Size == 0 {
			return tlog.Checkpoint{}, err
		}
		root, err := merkle.ParseHash(known[tenant].Root)
		return tlog.Checkpoint{Size: known[tenant].Size, Root: root}, err
	}
	last, err := s.Latest(ctx)
	if errs.Is(err, errs.NotFound) {
		return tlog.Checkpoint{}, nil
	}
	if err != nil {
		return tlog.Checkpoint{}, err
	}
	return tlog.Open([]byte(last.Note), s.mustKey(ctx))
}
