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
	"aver/vault"
)

// The letters about a request that jobs send. The number is part of a job's identifier and must not change its meaning.
const (
	noLetter = iota
	confirmLetter
	extendedLetter
	deniedLetter
	doneLetter
	waitingLetter // to those who answer requests
	alarmLetter   // to them, too
)

// write has a letter sent soon.
func (s *Service) write(ctx context.Context, tenant ids.Tenant, id RequestID, letter int) error {
	if s.mail == nil {
		return nil
	}
	return s.queue.Enqueue(ctx, letterKind, tenant, id.String()+":"+strconv.Itoa(letter), time.Time{})
}

func (s *Service) onLetter(ctx context.Context, job jobs.Job) error {
	text, number, _ := strings.Cut(job.ID, ":")
	id, err := record.ParseID(text)
	letter, numberErr := strconv.Atoi(number)
	if err := errors.Join(err, numberErr); err != nil {
		return err
	}
	if letter == waitingLetter || letter == alarmLetter {
		return s.tellOfficers(ctx, job.Tenant, id, letter)
	}
	return s.tellPerson(ctx, job.Tenant, id, letter)
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

func (s *Service) tellPerson(ctx context.Context, tenant ids.Tenant, id RequestID, letter int) error {
	workspace, err := s.vault.Tenant(ctx, tenant)
	if err != nil {
		return err
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
		switch letter {
		case confirmLetter:
			m = letters.Confirmation(r.Language, to, about, r.LegalAt)
		case extendedLetter:
			m = letters.Extension(r.Language, to, about, r.Delay, due.Extended)
		case deniedLetter:
			m = letters.Denial(r.Language, to, about, r.Reason)
		case doneLetter:
			m = letters.Done(r.Language, to, about)
		}
		return nil
	})
	if err != nil || m.To.IsZero() {
		return err
	}
	if err := s.mail.Send(ctx, m); err != nil {
		return fmt.Errorf("write to a person about their request: %w", err)
	}
	return s.told(ctx, tenant, id, letter)
}

// told writes down that a letter has gone. An extension holds from then on, if the letter went in time.
func (s *Service) told(ctx context.Context, tenant ids.Tenant, id RequestID, letter int) error {
	_, err := s.change(ctx, tenant, id, func(r *Request, tx *vault.Tx) (bool, error) {
		switch {
		case letter == confirmLetter:
			r.ConfirmedAt = tx.Now()
		case letter == extendedLetter && r.ExtendedAt.IsZero() && !tx.Now().After(r.LegalAt):
			due, err := r.Due(tx)
			if err != nil {
				return false, err
			}
			r.ExtendedAt, r.DueAt, r.LegalAt, r.AlarmAt, r.AlarmedAt = tx.Now(), due.Extended, due.Extended, deadline.Alarm(tx.Now(), due.Extended), time.Time{}
		default:
			return false, nil
		}
		return true, nil
	})
	return ignoreAbsent(err)
}

// tellOfficers writes to those who answer requests. The letter says that there is one and where, and nothing of what it says.
func (s *Service) tellOfficers(ctx context.Context, tenant ids.Tenant, id RequestID, letter int) error {
	workspace, err := s.vault.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	r, err := s.Read(ctx, system(tenant), id)
	if err != nil || r.State.Over() {
		return ignoreAbsent(err)
	}
	set, err := s.Settings(ctx, system(tenant))
	if err != nil {
		return err
	}
	users, err := s.auth.List(ctx, system(tenant))
	if err != nil {
		return err
	}
	var failed error
	for _, to := range set.Officers(users) {
		about := letters.About{Workspace: workspace.Name, Kind: r.Kind, Number: id.String()}
		m := letters.Waiting(to, about, r.DueAt)
		if letter == alarmLetter {
			m = letters.Alarm(to, about, r.DueAt)
		}
		if err := s.mail.Send(ctx, m); err != nil && !errs.Is(err, errs.Invalid) { // an address that takes no mail must not hold back the others
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// ConfirmReceipt tells whoever asked that the request has come, where the law wants that said.
func (s *Service) ConfirmReceipt(ctx context.Context, actor vault.Actor, id RequestID) (Request, error) {
	return s.decide(ctx, actor, actConfirm, id, confirmLetter, "", func(r *Request, tx *vault.Tx) error {
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
