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
type Receipt struct {
	ID    RequestID
	At    time.Time
	Index int64 // of the entry in the tenant's log
	Text  string
}

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
	return ReceiptOf(r), nil
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
	kept := r.Kept
	return s.change(ctx, tenant, r.ID, func(r *Request, tx *vault.Tx) (bool, error) {
		if err := r.End(state.Fulfilled, tx.Now()); err != nil {
			return false, err
		}
		r.Entry, r.Kept = entry, kept
		said, err := statement(tenant, *r).JSON()
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

// statement is what the receipt of a finished erasure says. It is made of what the request keeps, so it stays the same.
func statement(tenant ids.Tenant, r Request) receipt.Statement {
	return receipt.Statement{Kind: string(state.Erasure), Request: r.ID.String(), Workspace: tenant, People: r.People, AskedAt: r.AskedAt, ErasedAt: r.EndedAt, Entry: r.Entry, Kept: receipt.Spared(r.Kept)}
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
	said, err := statement(tenant, r).JSON()
	if err != nil {
		return nil, err
	}
	proof, err := s.log.Receipt(ctx, tenant, said, r.Entry)
	if err != nil {
		return nil, err
	}
	return proof.Bytes()
}

// ReceiptOf puts a finished erasure into words.
func ReceiptOf(r Request) Receipt {
	text := fmt.Sprintf("Everything kept under %s was made unreadable on %s: the key it was sealed with is destroyed. "+
		"Entry %d of this workspace's audit log says so; the log is signed and anybody can check it.",
		r.Contact, r.EndedAt.UTC().Format("2 January 2006, 15:04:05 UTC"), r.Entry)
	for _, k := range receipt.Spared(r.Kept) {
		text += " " + k.Words()
	}
	return Receipt{ID: r.ID, At: r.EndedAt, Index: r.Entry, Text: text}
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
	return ReceiptOf(r), nil
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
