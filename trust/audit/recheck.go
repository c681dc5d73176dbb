package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	merkle "golang.org/x/mod/sumdb/tlog"

	"aver/base/ids"
	"aver/base/tlog"
)

// continues tells whether a log, as it stands, begins with what was recorded of it: tlog.ErrProof if not. It reads the
// entries of two blocks at most, and the stored roots of the others; Recheck looks behind those.
func (s *Service) continues(ctx context.Context, tenant ids.Tenant, head tlog.Checkpoint, m Mark) error {
	if m.Size == 0 {
		return nil
	}
	root, err := merkle.ParseHash(m.Root)
	if err != nil {
		return fmt.Errorf("read a mark: %w", err)
	}
	if head.Size < m.Size {
		return tlog.ErrProof
	}
	log, err := s.tree(ctx, tenant, head.Size)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveConsistency(log, head.Size, m.Size)
	if err != nil {
		return err
	}
	return tlog.CheckConsistency(proof, head.Size, head.Root, m.Size, root)
}

// alarm notes a log that is not what was recorded of it. Its heads are recorded no more.
func (s *Service) alarm(tenant ids.Tenant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.altered[tenant]; !known {
		slog.Error("a workspace's log is not what was recorded of it: it was altered in the store, and its heads are recorded no more", "workspace", tenant.String())
	}
	s.altered[tenant] = struct{}{}
}

// Rechecked is what Recheck found.
type Rechecked struct {
	Logs    int   // whose newest head continues what was recorded
	Entries int64 // that were read and hashed anew
	Altered int   // logs that are not what was recorded of them
}

// walk is how far the entries of the logs were hashed anew, log after log.
type walk struct {
	tenant ids.Tenant
	edge   tlog.Frontier
}

// Recheck compares every workspace's log with what was recorded of it, and computes up to most entries' hashes anew from
// the entries themselves, going on where the last call stopped: so in time every entry of every log is read, at a cost
// that does not grow with the store.
func (s *Service) Recheck(ctx context.Context, most int64) (r Rechecked, err error) {
	all, err := s.vault.AllTenants(ctx, true)
	if err != nil {
		return r, err
	}
	var tenants []ids.Tenant
	for _, t := range all {
		tenants = append(tenants, t.ID)
	}
	slices.SortFunc(tenants, func(a, b ids.Tenant) int { return slices.Compare(a[:], b[:]) })
	marks, err := s.marks(ctx, tenants)
	if err != nil {
		return r, err
	}
	s.walking.Lock()
	defer s.walking.Unlock()
	for _, tenant := range tenants {
		head, err := s.head(ctx, tenant)
		if err == nil {
			err = s.continues(ctx, tenant, head, marks[tenant])
		}
		if err := s.judge(tenant, err); err != nil {
			return r, err
		}
	}
	if r.Entries, err = s.walkOn(ctx, tenants, marks, most); err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Altered = len(s.altered)
	r.Logs = len(tenants) - r.Altered
	return r, nil
}

// judge turns a proof that does not hold into an alarm and passes on what else went wrong.
func (s *Service) judge(tenant ids.Tenant, err error) error {
	if errors.Is(err, tlog.ErrProof) {
		s.alarm(tenant)
		return nil
	}
	return err
}

// walkOn hashes entries anew, each log once at most.
func (s *Service) walkOn(ctx context.Context, tenants []ids.Tenant, marks map[ids.Tenant]Mark, most int64) (read int64, err error) {
	at, _ := slices.BinarySearchFunc(tenants, s.walk.tenant, func(a, b ids.Tenant) int { return slices.Compare(a[:], b[:]) })
	for range tenants {
		tenant := tenants[at%len(tenants)]
		if s.walk.tenant != tenant {
			s.walk = walk{tenant: tenant}
		}
		m := marks[tenant]
		n, err := s.vault.Journal(ctx, tenant, s.walk.edge.Size(), min(m.Size-s.walk.edge.Size(), most-read), func(entry []byte) error {
			s.walk.edge.Append(tlog.LeafHash(entry))
			return nil
		})
		read += n
		if err != nil {
			return read, err
		}
		if s.walk.edge.Size() < m.Size && read >= most {
			return read, nil // goes on here next time
		}
		if m.Size > 0 && s.walk.edge.Root().String() != m.Root {
			s.alarm(tenant)
		}
		s.walk = walk{}
		if at++; read >= most {
			s.walk.tenant = tenants[at%len(tenants)]
			return read, nil
		}
	}
	return read, nil
}
