package rights

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/trust/rights/letters"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
)

// owe notes in the caller's transaction, which stores the request, that a letter about it must go.
func (s *Service) owe(r *Request, letter record.Letters) {
	if s.mail != nil {
		r.Owed, r.Returned = r.Owed|letter, r.Returned&^letter
	}
}

// write has the letters sent soon that are owed about a request. writeOwed finds those that a crash kept from the queue.
func (s *Service) write(ctx context.Context, tenant ids.Tenant, r Request) error {
	for letter := range r.Owed.Each() {
		if err := s.queue.Enqueue(ctx, letterKind, tenant, r.ID.String()+":"+strconv.FormatInt(int64(letter), 10), time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// writeOwed brings what a crash kept from the queue there. What waits in it already stays as it is.
func (s *Service) writeOwed(ctx context.Context, tenant ids.Tenant) error {
	var owed []Request
	err := s.vault.View(ctx, system(tenant), actList, func(tx *vault.Tx) (err error) {
		owed, err = Requests.Find(tx, "owed > 0 ORDER BY owed, asked_at LIMIT 100")
		return err
	})
	for _, r := range owed {
		err = errors.Join(err, s.write(ctx, tenant, r))
	}
	return err
}

// aLetter makes work on a job's letter out of work on a letter.
func aLetter(work func(context.Context, ids.Tenant, RequestID, record.Letters) error) func(context.Context, jobs.Job) error {
	return func(ctx context.Context, job jobs.Job) error {
		text, number, _ := strings.Cut(job.ID, ":")
		id, err := record.ParseID(text)
		n, numberErr := strconv.ParseInt(number, 10, 64)
		if err := errors.Join(err, numberErr); err != nil {
			return err
		}
		return work(ctx, job.Tenant, id, record.Letters(n))
	}
}

func (s *Service) deliver(ctx context.Context, tenant ids.Tenant, id RequestID, letter record.Letters) error {
	tell := s.tellPerson
	if letter.ToOfficers() {
		tell = s.tellOfficers
	}
	r, err := s.Read(ctx, system(tenant), id)
	if err != nil || r.Owed&letter == 0 {
		return ignoreAbsent(err)
	}
	gone, err := tell(ctx, tenant, id, letter)
	if errs.Is(err, errs.Invalid) { // refused for good
		return s.returned(ctx, tenant, id, letter)
	}
	if err != nil {
		return err
	}
	return s.told(ctx, tenant, id, letter, gone)
}

// returned writes down that a letter cannot be delivered, and has those told who answer requests: the person must hear of it
// another way. A code that a stranger had sent to somebody's old address is not worth a letter.
func (s *Service) returned(ctx context.Context, tenant ids.Tenant, id RequestID, letter record.Letters) error {
	var r Request
	err := s.vault.Do(ctx, system(tenant), actReturn, func(tx *vault.Tx) (err error) {
		if r, err = Requests.Get(tx, id); err != nil {
			return err
		}
		tx.About(r.Contact)
		r.Owed, r.Returned = r.Owed&^letter, r.Returned|letter
		if !letter.ToOfficers() && (letter != record.CodeLetter || r.Proof == state.Link) {
			s.owe(&r, record.ReturnedLetter)
		}
		return Requests.Put(tx, r)
	})
	if err != nil {
		return ignoreAbsent(err)
	}
	return s.write(ctx, tenant, r)
}

// writeTo is the address of whoever asked: that of the contact, or the typed one where the tenant answers somebody whom
// nobody here knows. It may be empty.
func (s *Service) writeTo(tx *vault.Tx, r Request) (personal.Text, error) {
	if r.Passed {
		w, err := Typed.Get(tx, r.ID)
		return w.Address, ignoreAbsent(err)
	}
	if r.Contact.IsZero() {
		return personal.Text{}, nil
	}
	shown, err := s.people.Show(tx, r.Contact)
	return shown.Email, ignoreAbsent(err)
}

// tellPerson writes to whoever asked, and tells whether there is anybody to write to.
func (s *Service) tellPerson(ctx context.Context, tenant ids.Tenant, id RequestID, letter record.Letters) (bool, error) {
	workspace, err := s.vault.Tenant(ctx, tenant)
	if err != nil {
		return false, err
	}
	var m mail.Message
	err = s.vault.View(ctx, system(tenant), actList, func(tx *vault.Tx) error {
		m = mail.Message{}
		r, err := Requests.Get(tx, id)
		if err != nil {
			return ignoreAbsent(err)
		}
		to, err := s.writeTo(tx, r)
		if err != nil || to.IsZero() {
			return err
		}
		typed, err := Typed.Get(tx, id)
		if ignoreAbsent(err) != nil {
			return err
		}
		due, err := r.Due(tx)
		if err != nil {
			return err
		}
		about := letters.About{Workspace: workspace.Name, Kind: r.Kind, Number: id.String(), Words: typed.Answer, GDPR: r.Regime == deadline.GDPR}
		m = letters.ToPerson(letter, r, to, about, due.Extended)
		return nil
	})
	if err != nil || m.To.IsZero() {
		return false, err
	}
	if err := s.mail.Send(ctx, m); err != nil {
		return false, fmt.Errorf("write to a person about their request: %w", err)
	}
	return true, nil
}

// told writes down that a letter is not owed any more, and what follows if it has gone: an extension holds from then on, if it
// went in time.
func (s *Service) told(ctx context.Context, tenant ids.Tenant, id RequestID, letter record.Letters, gone bool) error {
	_, err := s.change(ctx, tenant, id, func(r *Request, tx *vault.Tx) (bool, error) {
		r.Owed &^= letter
		switch {
		case !gone:
		case letter == record.ConfirmLetter:
			r.ConfirmedAt = tx.Now()
		case letter == record.ExtendedLetter && r.ExtendedAt.IsZero() && !tx.Now().After(r.LegalAt):
			due, err := r.Due(tx)
			if err != nil {
				return false, err
			}
			r.ExtendedAt, r.DueAt, r.LegalAt, r.AlarmAt, r.AlarmedAt = tx.Now(), due.Extended, due.Extended, deadline.Alarm(tx.Now(), due.Extended), time.Time{}
		}
		return true, nil
	})
	return ignoreAbsent(err)
}

// tellOfficers writes to those who answer requests. The letter says that there is one and where, and nothing of what it says.
func (s *Service) tellOfficers(ctx context.Context, tenant ids.Tenant, id RequestID, letter record.Letters) (bool, error) {
	workspace, err := s.vault.Tenant(ctx, tenant)
	if err != nil {
		return false, err
	}
	r, err := s.Read(ctx, system(tenant), id)
	if err != nil || r.State.Over() && letter != record.ReturnedLetter {
		return false, ignoreAbsent(err)
	}
	set, err := s.Settings(ctx, system(tenant))
	if err != nil {
		return false, err
	}
	users, err := s.auth.List(ctx, system(tenant))
	if err != nil {
		return false, err
	}
	var failed error
	for _, to := range set.Officers(users) {
		about := letters.About{Workspace: workspace.Name, Kind: r.Kind, Number: id.String()}
		if err := s.mail.Send(ctx, letters.ToOfficers(letter, to, about, r.DueAt)); err != nil && !errs.Is(err, errs.Invalid) { // an address that takes no mail must not hold back the others
			failed = errors.Join(failed, err)
		}
	}
	return true, failed
}

// ConfirmReceipt tells whoever asked that the request has come, where the law wants that said.
func (s *Service) ConfirmReceipt(ctx context.Context, actor vault.Actor, id RequestID) (Request, error) {
	return s.decide(ctx, actor, actConfirm, id, record.ConfirmLetter, "", func(r *Request, tx *vault.Tx) error {
		to, err := s.writeTo(tx, *r)
		switch {
		case err != nil:
			return err
		case r.State.Over() || !r.ConfirmedAt.IsZero() || to.IsZero() || s.mail == nil:
			return errs.New(errs.Conflict, "There is nothing to confirm, or nobody to confirm it to.")
		}
		return nil
	})
}
