package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/tlog"
	"aver/frame/jobs"
	"aver/vault"
)

const (
	every      = time.Minute
	lookAtAll  = time.Hour // other processes write too, and this one knows only its own commits
	perEntry   = 100       // heads in one entry of the installation's log
	headKind   = "tenant.head"
	checkpoint = "audit.checkpoint"
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.vault.OnCommit(s.committed)
	if err := j.Every(checkpoint, every, s.turn); err != nil {
		return err
	}
	return s.rotationJobs(j)
}

func (s *Service) committed(c vault.Committed) {
	if c.Tenant == ids.Installation {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed[c.Tenant] = struct{}{}
}

// turn is what is due every minute: heads, a signature, the index.
func (s *Service) turn(ctx context.Context) error {
	tenants, err := s.due(ctx)
	if err != nil {
		return err
	}
	_, err = s.checkpoint(ctx, tenants)
	for _, tenant := range append(tenants, ids.Installation) {
		err = errors.Join(err, s.Index(ctx, tenant))
	}
	return err
}

// due takes the tenants whose logs grew. Now and then that is everybody.
func (s *Service) due(ctx context.Context) ([]ids.Tenant, error) {
	now := s.vault.Now()
	s.mu.Lock()
	all := !clock.Within(now, s.looked, lookAtAll)
	var some []ids.Tenant
	for tenant := range s.changed {
		some = append(some, tenant)
	}
	clear(s.changed)
	s.mu.Unlock()
	if !all {
		return slices.DeleteFunc(some, func(t ids.Tenant) bool { // closed since, or destroyed
			_, err := s.vault.Tenant(ctx, t)
			return errs.Is(err, errs.NotFound)
		}), nil
	}
	tenants, err := s.vault.TenantIDs(ctx)
	if err != nil {
		s.again(some)
		return nil, err
	}
	s.mu.Lock()
	s.looked = now
	s.mu.Unlock()
	return tenants[1:], nil // the installation's own log is where the heads of the others are recorded
}

func (s *Service) again(tenants []ids.Tenant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tenant := range tenants {
		s.changed[tenant] = struct{}{}
	}
}

// Checkpoint records the heads of all logs that grew and returns a signed checkpoint that covers them.
func (s *Service) Checkpoint(ctx context.Context) (Signed, error) {
	tenants, err := s.due(ctx)
	if err != nil {
		return Signed{}, err
	}
	return s.checkpoint(ctx, tenants)
}

// checkpoint records the heads of these logs. What it cannot record it leaves for the next time and still signs the rest: one
// store that cannot be read must not leave the others without proof.
func (s *Service) checkpoint(ctx context.Context, tenants []ids.Tenant) (Signed, error) {
	s.working.Lock()
	defer s.working.Unlock()
	var faults error
	for some := range slices.Chunk(tenants, perEntry) {
		if err := s.mark(ctx, some); err != nil {
			faults = errors.Join(faults, fmt.Errorf("record heads of logs: %w", err))
		}
	}
	signed, err := s.sign(ctx)
	if err != nil {
		return Signed{}, errors.Join(faults, fmt.Errorf("sign a checkpoint: %w", err))
	}
	return signed, faults
}

// head is a tenant's log as it stands, under a name that does not tell whose it is.
func (s *Service) head(ctx context.Context, tenant ids.Tenant) (tlog.Checkpoint, error) {
	_, origin, err := s.key(ctx)
	if err != nil {
		return tlog.Checkpoint{}, err
	}
	size, root, _, err := s.vault.Head(ctx, tenant)
	if err != nil {
		return tlog.Checkpoint{}, err
	}
	if tenant != ids.Installation {
		origin += "/" + tenant.String()
	}
	return tlog.Checkpoint{Origin: origin, Size: size, Root: root}, nil
}

// mark records the heads that moved.
func (s *Service) mark(ctx context.Context, tenants []ids.Tenant) error {
	known, err := s.marks(ctx, tenants)
	if err != nil {
		s.again(tenants)
		return err
	}
	var faults error
	moved := map[ids.Tenant]tlog.Checkpoint{}
	for _, tenant := range tenants {
		head, err := s.grown(ctx, tenant, known[tenant])
		if err != nil {
			s.again([]ids.Tenant{tenant})
			faults = errors.Join(faults, fmt.Errorf("%s: %w", tenant, err))
		}
		if head.Size > known[tenant].Size {
			moved[tenant] = head
		}
	}
	if err := s.record(ctx, moved); err != nil {
		s.again(tenants)
		return errors.Join(faults, err)
	}
	return faults
}

// grown is a head that moved, or else zero. One that does not continue the one recorded before is refused, and raises an alarm.
func (s *Service) grown(ctx context.Context, tenant ids.Tenant, known Mark) (tlog.Checkpoint, error) {
	head, err := s.head(ctx, tenant)
	if err != nil || head.Size == known.Size && head.Root.String() == known.Root {
		return tlog.Checkpoint{}, err
	}
	if err := s.continues(ctx, tenant, head, known); err != nil {
		return tlog.Checkpoint{}, s.judge(tenant, err)
	}
	return head, nil
}

// record writes heads into one entry of the installation's log: an event each, whose object is the head's text.
func (s *Service) record(ctx context.Context, moved map[ids.Tenant]tlog.Checkpoint) error {
	if len(moved) == 0 {
		return nil
	}
	after, _, _, err := s.vault.Head(ctx, ids.Installation)
	if err != nil {
		return err
	}
	return s.vault.Do(ctx, installation(), actCheckpoint, func(tx *vault.Tx) error {
		for tenant, head := range moved {
			tx.Emit(vault.Event{Kind: headKind, Object: head.Text(), N: head.Size}, nil)
			m := Mark{Workspace: tenant, Size: head.Size, Root: head.Root.String(), After: after, At: tx.Now()}
			if err := Marks.Put(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) marks(ctx context.Context, tenants []ids.Tenant) (map[ids.Tenant]Mark, error) {
	out := map[ids.Tenant]Mark{}
	err := s.vault.View(ctx, installation(), actRead, func(tx *vault.Tx) error {
		for _, tenant := range tenants {
			m, err := Marks.Get(tx, tenant)
			if err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
			out[tenant] = m
		}
		return nil
	})
	return out, err
}

// sign signs the installation's log if it has grown by more than the line that kept the last signature.
func (s *Service) sign(ctx context.Context) (Signed, error) {
	signer, _, err := s.key(ctx)
	if err != nil {
		return Signed{}, err
	}
	last, err := s.Latest(ctx)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return Signed{}, err
	}
	head, err := s.head(ctx, ids.Installation)
	if err != nil || err == nil && head.Size <= last.Size+1 && last.Size > 0 {
		return last, err
	}
	if err := s.continuesSigned(ctx, signer, head, last); err != nil {
		return Signed{}, err
	}
	note, err := signer.Sign(head)
	if err != nil {
		return Signed{}, err
	}
	fresh := Signed{Size: head.Size, Note: string(note)}
	err = s.vault.Do(ctx, installation(), actCheckpoint, func(tx *vault.Tx) error {
		fresh.At = tx.Now()
		fresh.Hour = fresh.At.Unix() / 3600
		there, err := Checkpoints.Get(tx, fresh.Hour)
		if err == nil && there.Size >= fresh.Size { // another process was quicker
			return nil
		}
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		return Checkpoints.Put(tx, fresh)
	})
	return fresh, err
}

// continuesSigned refuses to sign a log of the installation's that does not begin with what was signed last.
func (s *Service) continuesSigned(ctx context.Context, signer *tlog.Signer, head tlog.Checkpoint, last Signed) error {
	if last.Size == 0 {
		return nil
	}
	before, err := tlog.Open([]byte(last.Note), signer.VerifierKey())
	if err == nil {
		err = s.continues(ctx, ids.Installation, head, Mark{Size: before.Size, Root: before.Root.String()})
	}
	if err != nil {
		return fmt.Errorf("the installation's log does not continue what was signed of it: %w", err)
	}
	return nil
}

// Latest is the newest signed checkpoint; errs.NotFound before the first.
func (s *Service) Latest(ctx context.Context) (Signed, error) {
	list, err := s.Published(ctx, 1)
	if err == nil && len(list) == 0 {
		err = errs.New(errs.NotFound, "No checkpoint has been signed yet.")
	}
	if err != nil {
		return Signed{}, err
	}
	return list[0], nil
}

// Published lists signed checkpoints, newest first, at most 1,000.
func (s *Service) Published(ctx context.Context, n int) (list []Signed, err error) {
	err = s.vault.View(ctx, installation(), actRead, func(tx *vault.Tx) error {
		list, err = Checkpoints.Find(tx, "ORDER BY size DESC LIMIT ?", min(n, 1000))
		return err
	})
	return list, err
}
