package rights

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
	"aver/vault"
)

const (
	copyKind   = "rights.copy"
	codeKind   = "rights.code"
	letterKind = "rights.letter"
	finishKind = "rights.finish"
	dueKind    = "rights.due"
	dueEvery   = 10 * time.Minute
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	soon := []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute}
	later := append(soon, time.Hour, 6*time.Hour, 24*time.Hour, 48*time.Hour) // a letter is owed, even when the relay is away for days
	for _, k := range []jobs.Kind{
		{Name: copyKind, Unique: true, Retry: soon, Timeout: 30 * time.Minute, Work: s.onRequest(s.work),
			OnDead: s.onRequest(s.fail)},
		{Name: codeKind, Unique: true, Retry: soon, Outward: true, Work: s.onRequest(s.TakeUp),
			OnDead: s.onRequest(func(ctx context.Context, tenant ids.Tenant, id RequestID) error {
				return s.returned(ctx, tenant, id, record.CodeLetter)
			})},
		{Name: letterKind, Unique: true, Retry: later, Outward: true, Work: aLetter(s.deliver), OnDead: aLetter(s.returned)},
		{Name: finishKind, Unique: true, Retry: soon, Timeout: 30 * time.Minute, Work: func(ctx context.Context, job jobs.Job) error {
			_, err := s.vault.FinishErasures(ctx, job.Tenant)
			return err
		}},
	} {
		if err := j.Handle(k); err != nil {
			return err
		}
	}
	return j.Every(dueKind, dueEvery, s.due)
}

func (s *Service) onRequest(work func(context.Context, ids.Tenant, RequestID) error) func(context.Context, jobs.Job) error {
	return func(ctx context.Context, job jobs.Job) error {
		id, err := record.ParseID(job.ID)
		if err != nil {
			return err
		}
		return work(ctx, job.Tenant, id)
	}
}

// due takes up what a crash left behind, lets codes expire and removes copies that are a day old. It runs soon after
// every start, so an erasure that was ordered is finished before anything else is old enough to matter.
func (s *Service) due(ctx context.Context) error {
	err := s.vault.EachTenant(ctx, true, func(t vault.Tenant) error {
		_, err := s.vault.FinishErasures(ctx, t.ID)
		return errors.Join(err, s.dueIn(ctx, t.ID))
	})
	if err != nil {
		return fmt.Errorf("take up people's requests: %w", err)
	}
	return nil
}

func (s *Service) dueIn(ctx context.Context, tenant ids.Tenant) error {
	var due []Request
	now := s.vault.Now()
	err := s.vault.View(ctx, system(tenant), actList, func(tx *vault.Tx) error {
		due = nil
		for _, st := range []state.State{state.Running, state.Verifying, state.Confirming} {
			some, err := Requests.Find(tx, "state = ? AND ended_at IS NULL ORDER BY asked_at LIMIT 100", string(st))
			if err != nil {
				return err
			}
			due = append(due, some...)
		}
		// An open one waits for a person, and here for its alarm only: those that had theirs must not stand before the others.
		alarms, err := Requests.Find(tx, "state = ? AND ended_at IS NULL AND alarmed_at IS NULL AND alarm_at < ? ORDER BY alarm_at LIMIT 100", string(state.Open), now)
		if err != nil {
			return err
		}
		due = append(due, alarms...)
		files, err := Requests.Find(tx, "state = ? AND ended_at < ? AND file IS NOT NULL ORDER BY ended_at LIMIT 100", string(state.Fulfilled), now.Add(-FileLife))
		due = append(due, files...)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range due {
		err = errors.Join(err, s.dueFor(ctx, tenant, r, now))
	}
	return errors.Join(err, s.writeOwed(ctx, tenant), s.forgetWords(ctx, tenant))
}

func (s *Service) dueFor(ctx context.Context, tenant ids.Tenant, r Request, now time.Time) error {
	if r.Waits() && r.AlarmedAt.IsZero() && now.After(r.AlarmAt) {
		if err := s.alarm(ctx, tenant, r.ID); err != nil {
			return err
		}
	}
	switch {
	case r.State == state.Fulfilled:
		return s.removeFile(ctx, tenant, r.ID)
	case now.Sub(r.Touched()) < dueEvery:
		return nil
	case r.State == state.Verifying && now.After(r.ProveUntil), r.State == state.Confirming && now.Sub(r.ProvedAt) > FileLife:
		return s.drop(ctx, tenant, r.ID, state.Expired, "", state.Unproved)
	case r.Forgotten(now):
		return s.queue.Enqueue(ctx, codeKind, tenant, r.ID.String(), time.Time{})
	case r.State == state.Running && r.Kind.Deed() == state.Erase:
		_, err := s.erase(ctx, system(tenant), r, "request of the person, taken up again")
		return err
	case r.State == state.Running:
		return s.carryOut(ctx, system(tenant), r)
	}
	return nil
}

// alarm tells those who answer requests, and the tenant's programs, that four fifths of the time have passed.
func (s *Service) alarm(ctx context.Context, tenant ids.Tenant, id RequestID) error {
	r, err := s.change(ctx, tenant, id, func(r *Request, tx *vault.Tx) (bool, error) {
		noticed, err := r.Noticed(tx)
		if err != nil || !r.AlarmedAt.IsZero() || r.State.Over() {
			return false, err
		}
		if noticed {
			s.owe(r, record.AlarmLetter)
		}
		r.AlarmedAt = tx.Now()
		tx.Emit(vault.Event{Kind: "privacy_request.due_soon", Object: r.ID.String(), Subject: r.Contact}, nil)
		return true, nil
	})
	if err != nil {
		return ignoreAbsent(err)
	}
	return s.write(ctx, tenant, r)
}

// fail gives a request that could not be carried out to somebody who works here.
func (s *Service) fail(ctx context.Context, tenant ids.Tenant, id RequestID) error {
	r, err := s.change(ctx, tenant, id, func(r *Request, tx *vault.Tx) (bool, error) {
		if r.State != state.Running {
			return false, nil
		}
		s.owe(r, record.WaitingLetter)
		r.DecidedBy, r.Policy = ids.User{}, ""
		return true, r.State.Move(state.Open)
	})
	if err != nil {
		return ignoreAbsent(err)
	}
	return s.write(ctx, tenant, r)
}

func (s *Service) removeFile(ctx context.Context, tenant ids.Tenant, id RequestID) error {
	return s.vault.Do(ctx, system(tenant), actFinish, func(tx *vault.Tx) error {
		r, err := Requests.Get(tx, id)
		if err != nil || r.File.IsZero() {
			return ignoreAbsent(err)
		}
		if err := s.vault.DeleteBlob(tx, r.File); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		r.File = ids.Object{}
		return Requests.Put(tx, r)
	})
}

var errNoMail = errors.New("no mail relay is set")
