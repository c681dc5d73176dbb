package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/keyring"
	"aver/vault/postings"
	"aver/vault/table"
)

// eraseBatch is how many rows an erasure removes in one transaction, so that others are not held up.
const eraseBatch = 2000

// EraseSubject makes a person unreadable for good, in the order that a crash cannot spoil: the ledger and the key
// first, durably, then the action's own entry, then the rows. It returns when the key is destroyed and the action is in
// the journal; the rows go right after, and FinishErasures repeats what a crash interrupted. On a full disk it uses the
// room that the stores keep back for it. Nobody, the zero subject, is errs.NotFound.
func (v *Vault) EraseSubject(ctx context.Context, actor Actor, action *Action, subject ids.Subject, reason string) error {
	if err := v.Permit(ctx, actor, action); err != nil {
		return err
	}
	if subject.IsZero() {
		return errs.New(errs.NotFound, "There is nobody to erase.")
	}
	err := engine.WithReserve(v.engine, func() error { return v.keys.Erase(ctx, actor.is.Tenant, subject, reason) }) // both may lie on one disk
	if err != nil {
		return engineError(fmt.Errorf("erase: %w", err))
	}
	return v.DoUrgent(ctx, actor, action, func(tx *Tx) error {
		tx.About(subject)
		tx.Emit(Event{Kind: "subject.erased", Object: subject.String(), Subject: subject}, nil)
		return nil
	})
}

// DoUrgent is Do for what an erasure cannot do without: on a full disk it uses the room that the stores keep back for it.
func (v *Vault) DoUrgent(ctx context.Context, actor Actor, action *Action, fn func(*Tx) error) error {
	return engine.WithReserve(v.engine, func() error { return v.Do(ctx, actor, action, fn) })
}

// LastErasure is when somebody of the tenant was last erased, zero if never: whatever was brought along before may hold
// that person.
func (v *Vault) LastErasure(ctx context.Context, tenant ids.Tenant) (time.Time, error) {
	at, err := v.keys.LastErasure(ctx, tenant)
	return at, engineError(err)
}

// stragglers is how long after an erasure was finished somebody's transaction may commit that began before the key was
// destroyed: far longer than any lasts.
const stragglers = time.Hour

// FinishErasures removes what is left of erased people: rows, words, files. It is safe to repeat and to interrupt: the
// ledger calls a person done only when nothing is left, in the live files neither. Call it every few minutes: where
// several transactions of a tenant run at once, one of them may bring a row after it was finished, and the next call
// removes that. It returns how many people it finished.
func (v *Vault) FinishErasures(ctx context.Context, tenant ids.Tenant) (int, error) {
	after := v.clock.Now()
	if v.engine.Lanes() > 1 {
		after = after.Add(-stragglers)
	}
	lines, err := v.keys.Erasures(ctx, tenant, after)
	if err != nil {
		return 0, fmt.Errorf("read the erasure ledger: %w", err)
	}
	finished, failed := 0, error(nil)
	for some := range slices.Chunk(lines, table.ValuesAtOnce) {
		var done []ids.Subject
		err := engine.WithReserve(v.engine, func() (err error) { done, err = v.removePeople(ctx, tenant, subjects(some)); return err })
		if failed = errors.Join(failed, err); len(done) == 0 {
			continue
		}
		if err := engine.WithReserve(v.engine, func() error { return v.engine.Scrub(ctx, tenant) }); err != nil {
			return finished, fmt.Errorf("finish erasures: %w", err)
		}
		if err := v.keys.Finish(ctx, tenant, done); err != nil {
			return finished, fmt.Errorf("finish erasures: %w", err)
		}
		finished += unfinished(some, done)
	}
	if failed != nil {
		return finished, fmt.Errorf("finish erasures: %w", failed)
	}
	return finished, nil
}

// unfinished counts the lines that were open of people of whom nothing is left now.
func unfinished(lines []keyring.Erasure, done []ids.Subject) (n int) {
	for _, e := range lines {
		n += index(e.Done.IsZero() && slices.Contains(done, e.Subject))
	}
	return n
}

func subjects(lines []keyring.Erasure) []ids.Subject {
	out := make([]ids.Subject, len(lines))
	for i, e := range lines {
		out[i] = e.Subject
	}
	return out
}

// removePeople removes what a store holds of up to ValuesAtOnce people, and returns those of whom nothing is left. The ledger
// is another's business: the store may be a copy. A file that cannot be removed is an error and holds up nothing else: its
// line stays, to be tried again.
func (v *Vault) removePeople(ctx context.Context, tenant ids.Tenant, people []ids.Subject) (done []ids.Subject, err error) {
	stuck, left, err := v.removeBlobs(ctx, tenant, people)
	if err != nil {
		return nil, err
	}
	done = slices.DeleteFunc(slices.Clone(people), func(who ids.Subject) bool { return slices.Contains(stuck, who) })
	for _, t := range v.order {
		whose := people
		if t.core() == Blobs.t {
			whose = done
		}
		if t.core().Subject < 0 || len(whose) == 0 {
			continue
		}
		if err := v.eraseTable(ctx, tenant, t.core(), whose); err != nil {
			return nil, errors.Join(left, err)
		}
	}
	if err := v.forgetPeople(ctx, tenant, people); err != nil {
		return nil, errors.Join(left, err)
	}
	return done, left
}

// forgetPeople removes what was filed of people's words. It comes after their rows: words are filed only with a row that
// is there, in a transaction that keeps it there.
func (v *Vault) forgetPeople(ctx context.Context, tenant ids.Tenant, people []ids.Subject) error {
	for some := range slices.Chunk(people, 50) { // most have nothing left, and share a transaction
		for n := 1; n > 0; {
			err := v.maintain(ctx, tenant, func(tx *Tx) (err error) {
				n, err = tx.forgetSome(some)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetSome removes some of what was filed of people's words.
func (tx *Tx) forgetSome(people []ids.Subject) (n int, err error) {
	for _, who := range people {
		if n >= eraseBatch/4 {
			break
		}
		of, err := postings.ForgetSubject(tx.conn, who[:], eraseBatch/4-n)
		if err != nil {
			return 0, err
		}
		n += of
	}
	return n, nil
}

func (v *Vault) eraseTable(ctx context.Context, tenant ids.Tenant, t *table.Shape, people []ids.Subject) error {
	for {
		n := 0
		err := v.maintain(ctx, tenant, func(tx *Tx) (err error) {
			n, err = tx.eraseSome(t, people)
			return err
		})
		if err != nil || n < eraseBatch {
			return err
		}
	}
}

// eraseSome removes up to a batch of people's rows.
func (tx *Tx) eraseSome(t *table.Shape, people []ids.Subject) (int, error) {
	n, err := tx.conn.Exec(tx.sql(t).Erase, tx.sql(t).Own(tx.actor.is.Tenant, append(table.Padded(people), int64(eraseBatch)))...)
	if err != nil {
		return 0, fmt.Errorf("erase from %s: %w", t.Name, err)
	}
	return int(n), nil
}
