package rights

import (
	"context"
	"errors"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
)

// Whoever keeps data for others passes on what reaches it and is not for it to answer (11 CCR § 7050(f); GDPR Art. 28(3)(e)).
// A request under an address that nobody here has is such a one: the tenant may know the person from elsewhere, and owes
// them an answer either way. It becomes a request of its own, which waits for somebody who works for the tenant. The one
// that the browser sees stays as it is, so that nobody learns from it whether an address is known.

// pass hands what was typed with a request to the tenant, once.
func (s *Service) pass(ctx context.Context, tenant ids.Tenant, r Request) error {
	var task Request
	err := s.vault.Do(ctx, system(tenant), actPass, func(tx *vault.Tx) error {
		task = Request{}
		seen, err := Requests.Get(tx, r.ID)
		if err != nil || seen.Asker.IsZero() {
			return ignoreAbsent(err)
		}
		words, err := Typed.Get(tx, seen.ID)
		if err != nil {
			return ignoreAbsent(err)
		}
		task = seen
		task.ID, task.State, task.Passed = record.NewID(tx.Now()), state.Open, true
		task.Code, task.Session, task.Address, task.CodeUntil, task.Policy = record.Nothing, record.Nothing, record.Nothing, time.Time{}, ""
		task.Proof, task.ProofAt, task.ProveUntil = "", time.Time{}, time.Time{}
		seen.Asker = ids.Subject{}
		if seen.State == state.Running { // nothing of it is left to do
			err = seen.Drop(state.Fulfilled, "", state.Nobody, tx.Now())
		}
		if err := errors.Join(err, Typed.Delete(tx, seen.ID), Requests.Put(tx, seen)); err != nil {
			return err
		}
		many, err := record.PassedLately(tx, words.Address)
		if err != nil || many {
			return err
		}
		noticed, err := task.Noticed(tx)
		if err != nil {
			return err
		}
		if noticed {
			s.owe(&task, record.WaitingLetter)
		}
		tx.Emit(vault.Event{Kind: "privacy_request.passed", Object: task.ID.String()}, nil)
		return errors.Join(s.note(tx, &task, words), Requests.Add(tx, task))
	})
	if err != nil {
		return err
	}
	return s.write(ctx, tenant, task)
}

// forgetWords destroys what was typed with requests that were answered long enough ago: with its key when that was made for
// the request, else the row. What was never proved goes as soon as the request has ended.
func (s *Service) forgetWords(ctx context.Context, tenant ids.Tenant) error {
	var over []Request
	now := s.vault.Now()
	err := s.vault.View(ctx, system(tenant), actList, func(tx *vault.Tx) (err error) {
		over, err = Requests.Find(tx, "asker IS NOT NULL AND (ended_at < ? OR ended_at IS NOT NULL AND state IN ('expired', 'revoked')) ORDER BY ended_at LIMIT 100", now.Add(-record.KeepWords))
		return err
	})
	for _, r := range over {
		err = errors.Join(err, s.forgetTyped(ctx, tenant, r))
	}
	return err
}

func (s *Service) forgetTyped(ctx context.Context, tenant ids.Tenant, r Request) error {
	if r.Asker != r.Contact {
		if err := s.destroyOwn(ctx, tenant, r.Asker); err != nil {
			return err
		}
	}
	_, err := s.change(ctx, tenant, r.ID, func(r *Request, tx *vault.Tx) (bool, error) {
		r.Asker = ids.Subject{}
		return true, ignoreAbsent(Typed.Delete(tx, r.ID))
	})
	return ignoreAbsent(err)
}

// destroyOwn destroys a key that was made for one request.
func (s *Service) destroyOwn(ctx context.Context, tenant ids.Tenant, asker ids.Subject) error {
	err := s.vault.EraseSubject(ctx, system(tenant), actForget, asker, "answered")
	if errs.Is(err, errs.Gone) {
		return nil
	}
	return ignoreAbsent(err)
}

// adopt puts what was typed under the key of the person whom it came from, now that this is proved: it is part of their
// copy from then on, and goes with them. The address is the one on file.
func (s *Service) adopt(tx *vault.Tx, r *Request) error {
	w, err := Typed.Get(tx, r.ID)
	if err != nil {
		return ignoreAbsent(err)
	}
	r.Asker = ids.Subject{}
	return errors.Join(Typed.Delete(tx, r.ID), s.note(tx, r, Words{Asker: r.Contact, Text: w.Text}))
}
