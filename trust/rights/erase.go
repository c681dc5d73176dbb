package rights

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/audit"
	"aver/trust/rights/receipt"
	"aver/trust/rights/state"
	"aver/vault"
)

// Receipt shows that an erasure took place, without saying who it was about.
type Receipt = receipt.Receipt

// Erase makes everything about a person, and about those merged into them, unreadable for good. When it returns the
// keys are destroyed and the log says so; what is left of the rows goes right after. The reason is one of our own words,
// never somebody's text: it stays in the ledger.
func (s *Service) Erase(ctx context.Context, actor vault.Actor, contact ids.Contact, reason string) (Receipt, error) {
	r, err := s.ask(ctx, actor, Wish{Kind: state.Erasure}, contact)
	if err != nil {
		return Receipt{}, err
	}
	return s.erase(ctx, actor, r, reason)
}

// erase carries a stored request out. Repeating it after a crash does no harm.
func (s *Service) erase(ctx context.Context, actor vault.Actor, r Request, reason string) (Receipt, error) {
	tenant := actor.Tenant()
	from, _, _, err := s.vault.Head(ctx, tenant)
	if err != nil {
		return Receipt{}, err
	}
	if r.Counts, err = s.rows(ctx, actor, r.People); err != nil {
		return Receipt{}, fmt.Errorf("erase a person: %w", err)
	}
	kept, err := s.holds.Preserve(ctx, tenant, r.People)
	if err != nil {
		return Receipt{}, fmt.Errorf("erase a person: %w", err)
	}
	for _, person := range r.People {
		if err := s.destroy(ctx, actor, person, reason); err != nil {
			return Receipt{}, fmt.Errorf("erase a person: %w", err)
		}
	}
	// The keys are gone. Ending the sessions, the request and the job do not need each other, and together they share a commit.
	var wait sync.WaitGroup
	var revoked, queued error
	people := r.People
	wait.Go(func() { revoked = s.revoke(ctx, tenant, people) })
	wait.Go(func() { queued = s.queue.Enqueue(ctx, finishKind, tenant, "", time.Time{}) })
	r.Kept = kept
	r, err = s.settle(ctx, tenant, r, from)
	wait.Wait()
	if err := errors.Join(err, revoked, queued); err != nil {
		return Receipt{}, fmt.Errorf("erase a person: %w", err)
	}
	return receipt.Of(r), nil
}

// rows counts what there is about people, by class. After a crash in the middle of an erasure it is what is left.
func (s *Service) rows(ctx context.Context, actor vault.Actor, people []ids.Contact) (map[string]int, error) {
	var all map[string]int
	err := s.vault.View(ctx, actor, actErase, func(tx *vault.Tx) error {
		all = map[string]int{}
		for _, person := range people {
			some, err := s.vault.Totals(tx, person)
			if err != nil {
				return err
			}
			for class, n := range some {
				all[class] += n
			}
		}
		return nil
	})
	return all, err
}

func (s *Service) revoke(ctx context.Context, tenant ids.Tenant, people []ids.Contact) error {
	if err := s.auth.RevokeSubject(ctx, tenant, people...); err != nil {
		return fmt.Errorf("end their sessions: %w", err)
	}
	return nil
}

// settle ends the request with the entry of the log that says what was done, and tells the others.
func (s *Service) settle(ctx context.Context, tenant ids.Tenant, r Request, from int64) (Request, error) {
	entry, err := s.log.Find(ctx, tenant, actErase.Name(), r.Contact, from)
	if err != nil {
		return r, fmt.Errorf("find the erasure in the log: %w", err)
	}
	kept, counts := r.Kept, r.Counts
	return s.change(ctx, tenant, r.ID, func(r *Request, tx *vault.Tx) (bool, error) {
		if err := r.End(state.Fulfilled, tx.Now()); err != nil {
			return false, err
		}
		r.Entry, r.Kept, r.Counts = entry, kept, counts
		said, err := receipt.StatementOf(tenant, *r).JSON()
		if err != nil {
			return false, err
		}
		audit.Issue(tx, said, r.Contact)
		for _, person := range r.People {
			tx.Emit(vault.Event{Kind: "contact.erased", Object: person.String(), Subject: person}, nil)
		}
		tx.Emit(vault.Event{Kind: "dsr.completed", Object: r.ID.String(), Subject: r.Contact}, nil)
		return true, nil
	})
}

// destroy destroys one person's key. On a full disk the entry of the log may find no room after the key is gone: then
// the person's rows go first, which makes room.
func (s *Service) destroy(ctx context.Context, actor vault.Actor, person ids.Contact, reason string) error {
	err := s.vault.EraseSubject(ctx, actor, actErase, person, reason)
	if !errs.Is(err, errs.NoSpace) {
		return err
	}
	if _, finish := s.vault.FinishErasures(ctx, actor.Tenant()); finish != nil {
		return errors.Join(err, finish)
	}
	return s.vault.EraseSubject(ctx, actor, actErase, person, reason)
}

// ReceiptFile writes the receipt of a finished erasure, which proves itself offline. It holds no secret: whoever has the
// request's identifier may have it.
func (s *Service) ReceiptFile(ctx context.Context, tenant ids.Tenant, id RequestID) ([]byte, error) {
	r, err := s.Read(ctx, system(tenant), id)
	if err != nil {
		return nil, err
	}
	if r.Kind.Deed() != state.Erase || r.State != state.Fulfilled {
		return nil, errs.New(errs.NotFound, "There is no such receipt.")
	}
	said, err := receipt.StatementOf(tenant, r).JSON()
	if err != nil {
		return nil, err
	}
	proof, err := s.log.Receipt(ctx, tenant, said, r.Entry)
	if err != nil {
		return nil, err
	}
	return proof.Bytes()
}

// Receipt reads the receipt of a finished erasure.
func (s *Service) Receipt(ctx context.Context, actor vault.Actor, id RequestID) (Receipt, error) {
	r, err := s.Read(ctx, actor, id)
	if err == nil && (r.Kind.Deed() != state.Erase || r.State != state.Fulfilled) {
		err = errs.New(errs.NotFound, "There is no such thing here.")
	}
	if err != nil {
		return Receipt{}, err
	}
	return receipt.Of(r), nil
}

// CheckReceipt proves that the entry a receipt names is in the tenant's log and says that this person was erased. It
// works for the system, which has no secrets before a holder of the receipt's identifier.
func (s *Service) CheckReceipt(ctx context.Context, tenant ids.Tenant, id RequestID) (audit.Proof, error) {
	r, err := s.Read(ctx, system(tenant), id)
	if err != nil {
		return audit.Proof{}, err
	}
	if r.Kind.Deed() != state.Erase || r.State != state.Fulfilled {
		return audit.Proof{}, errs.New(errs.NotFound, "There is no such receipt.")
	}
	p, err := s.log.Prove(ctx, system(tenant), r.Entry)
	if err != nil {
		return p, err
	}
	if p.Entry.Action != actErase.Name() || p.Entry.Subject != r.Contact {
		return p, errors.New("check a receipt: the entry it names is about something else")
	}
	return p, p.Check()
}
