package improvement

import (
	"context"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
)

var (
	errOff     = errs.New(errs.Conflict, "This workspace has not switched improvement sets on.")
	errWorking = errs.New(errs.Conflict, "A set is being made already. Wait for it, or remove it.")
	errNotDone = errs.New(errs.Conflict, "This set is not finished.")
	errNone    = errs.New(errs.NotFound, "There is no such set.")
)

// stale is how long a set may be in the making before another may be asked for.
const stale = time.Hour

// Make asks for a set, which is made in the background. It is errs.Conflict while another is, or when the tenant has not switched it on.
func (s *Service) Make(ctx context.Context, actor vault.Actor) (Set, error) {
	var one Set
	err := s.vault.Do(ctx, actor, actAsk, func(tx *vault.Tx) error {
		on, err := enabled(tx) // and whoever asks at the same moment waits here until this one's set is seen
		if err != nil {
			return err
		}
		if !on {
			return errOff
		}
		n, err := sets.Count(tx, "state IN (?, ?) AND made_at > ?", Waiting, Working, tx.Now().Add(-stale))
		if err != nil {
			return err
		}
		if n > 0 {
			return errWorking
		}
		one = Set{ID: ids.New[set](tx.Now()), Author: actor.User(), State: Waiting, MadeAt: tx.Now()}
		tx.Emit(vault.Event{Kind: "improvement.asked", Object: one.ID.String()}, nil)
		return sets.Add(tx, one)
	})
	if err != nil {
		return one, err
	}
	return one, s.queue.Enqueue(ctx, buildKind, actor.Tenant(), one.ID.String(), time.Time{})
}

// List reads the sets that are there, newest first.
func (s *Service) List(ctx context.Context, actor vault.Actor) (all []Set, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		all, err = sets.Find(tx, "ORDER BY made_at DESC, id DESC LIMIT 100")
		return err
	})
	return all, err
}

// Get reads one set.
func (s *Service) Get(ctx context.Context, actor vault.Actor, id SetID) (one Set, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		one, err = get(tx, id)
		return err
	})
	return one, err
}

func get(tx *vault.Tx, id SetID) (Set, error) {
	one, err := sets.Get(tx, id)
	if errs.Is(err, errs.NotFound) {
		err = errNone
	}
	return one, err
}

// Take reads a finished set as JSON Lines: a transcript each. The journal says who took it.
func (s *Service) Take(ctx context.Context, actor vault.Actor, id SetID) (lines []byte, err error) {
	all, err := s.some(ctx, actor, id, most)
	for _, line := range all {
		lines = append(append(lines, line...), '\n')
	}
	return lines, err
}

// some reads the first transcripts of a finished set.
func (s *Service) some(ctx context.Context, actor vault.Actor, id SetID, n int) (lines [][]byte, err error) {
	err = s.vault.View(ctx, actor, actTake, func(tx *vault.Tx) error {
		lines = nil
		one, err := get(tx, id)
		if err != nil {
			return err
		}
		if one.State != Done {
			return errNotDone
		}
		all, err := transcripts.Find(tx, "part_of = ? ORDER BY id LIMIT ?", id, n)
		for _, t := range all {
			lines = append(lines, t.Content)
		}
		return err
	})
	return lines, err
}

// Remove takes a set away. One that is being made ends.
func (s *Service) Remove(ctx context.Context, actor vault.Actor, id SetID) error {
	for {
		left := 0
		err := s.vault.Do(ctx, actor, actRemove, func(tx *vault.Tx) (err error) {
			if _, err = get(tx, id); err != nil {
				return err
			}
			if left, err = transcripts.DeleteWhere(tx, "part_of = ? LIMIT ?", id, batch); err != nil || left == batch {
				return err
			}
			tx.Emit(vault.Event{Kind: "improvement.removed", Object: id.String()}, nil)
			return sets.Delete(tx, id)
		})
		if err != nil || left < batch {
			return err
		}
	}
}
