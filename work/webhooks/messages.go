package webhooks

import (
	"context"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/request"
	"aver/vault"
)

// Cursor is a place in the list of messages.
type Cursor = request.Cursor[MessageID]

// Sent lists an endpoint's messages, newest first, after the cursor; state may be empty for all of them.
func (s *Service) Sent(ctx context.Context, actor vault.Actor, id ID, state State, after Cursor, limit int) (list []Message, more Cursor, err error) {
	where, args := "webhook = ?", []any{id}
	if state != "" {
		where, args = where+" AND state = ?", append(args, string(state))
	}
	if !after.IsZero() {
		where, args = where+" AND (created_at, id) < (?, ?)", append(args, after.At, after.ID)
	}
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		if _, err := Endpoints.Get(tx, id); err != nil {
			return err
		}
		list, err = Messages.Find(tx, where+" ORDER BY created_at DESC, id DESC LIMIT ?", append(args, limit+1)...)
		return err
	})
	list, more = request.Cut(list, limit, func(m Message) Cursor { return Cursor{At: m.CreatedAt, ID: m.ID} })
	return list, more, err
}

var errOff = errs.New(errs.Conflict, "The endpoint is switched off. Switch it on first.")

func active(tx *vault.Tx, id ID) error {
	e, err := Endpoints.Get(tx, id)
	if err == nil && e.State != Active {
		return errOff
	}
	return err
}

// Replay sends a message again, whatever came of it, under the same identifier.
func (s *Service) Replay(ctx context.Context, actor vault.Actor, id ID, message MessageID) error {
	err := s.vault.Do(ctx, actor, actReplay, func(tx *vault.Tx) error {
		if err := active(tx, id); err != nil {
			return err
		}
		m, err := Messages.Get(tx, message)
		if err != nil {
			return err
		}
		if m.Endpoint != id {
			return errs.New(errs.NotFound, "There is no such message here.")
		}
		return again(tx, m)
	})
	if err != nil {
		return err
	}
	return s.wake(ctx, actor.Tenant(), id)
}

func again(tx *vault.Tx, m Message) error {
	m.State, m.Step, m.NextAt = Waiting, 0, tx.Now()
	return Messages.Put(tx, m)
}

// ReplayFailed sends all messages again that failed since a time, and tells how many.
func (s *Service) ReplayFailed(ctx context.Context, actor vault.Actor, id ID, since time.Time) (int, error) {
	total := 0
	for {
		n := 0
		err := s.vault.Do(ctx, actor, actReplay, func(tx *vault.Tx) error {
			n = 0
			if err := active(tx, id); err != nil {
				return err
			}
			failed, err := Messages.Find(tx, "webhook = ? AND state = ? AND created_at >= ? ORDER BY created_at LIMIT 200", id, string(Failed), since)
			if err != nil {
				return err
			}
			for _, m := range failed {
				if err := again(tx, m); err != nil {
					return err
				}
			}
			n = len(failed)
			return nil
		})
		if err != nil {
			return total, err
		}
		if total += n; n == 0 {
			return total, s.wake(ctx, actor.Tenant(), id)
		}
	}
}

// Try sends a message that only says that it is a test.
func (s *Service) Try(ctx context.Context, actor vault.Actor, id ID) (MessageID, error) {
	now := s.vault.Now()
	m := newMessage(ids.New[delivery](now), id, now, thin{testEvent, now, data{ID: id.String()}})
	err := s.vault.Do(ctx, actor, actReplay, func(tx *vault.Tx) error {
		if err := active(tx, id); err != nil {
			return err
		}
		return Messages.Add(tx, m)
	})
	if err != nil {
		return m.ID, err
	}
	return m.ID, s.wake(ctx, actor.Tenant(), id)
}
