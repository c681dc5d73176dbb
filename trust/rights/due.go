package rights

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/vault"
)

const (
	copyKind   = "rights.copy"
	codeKind   = "rights.code"
	finishKind = "rights.finish"
	dueKind    = "rights.due"
	dueEvery   = 10 * time.Minute
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	soon := []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute}
	for _, k := range []jobs.Kind{
		{Name: copyKind, Unique: true, Retry: soon, Timeout: 30 * time.Minute, Work: s.onRequest(s.work),
			OnDead: s.onRequest(func(ctx context.Context, tenant ids.Tenant, id RequestID) error {
				return s.refuse(ctx, tenant, id, "failed")
			})},
		{Name: codeKind, Unique: true, Retry: soon, Outward: true, Work: s.onRequest(s.sendCode)},
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
		id, err := ids.Parse[dsr](job.ID)
		if err != nil {
			return err
		}
		return work(ctx, job.Tenant, id)
	}
}

// due takes up what a crash left behind, lets codes expire and removes copies that are a day old. It runs soon after
// every start, so an erasure that was ordered is finished before anything else is old enough to matter.
func (s *Service) due(ctx context.Context) error {
	tenants, err := s.vault.AllTenants(ctx, true)
	if err != nil {
		return err
	}
	var failed error // one workspace's trouble must not hold back another's
	for _, t := range tenants {
		_, err := s.vault.FinishErasures(ctx, t.ID)
		if failed = errors.Join(failed, err, s.dueIn(ctx, t.ID)); ctx.Err() != nil {
			break
		}
	}
	if failed != nil {
		return fmt.Errorf("take up people's requests: %w", failed)
	}
	return nil
}

func (s *Service) dueIn(ctx context.Context, tenant ids.Tenant) error {
	var old []Request
	now := s.vault.Now()
	err := s.vault.View(ctx, system(tenant), actList, func(tx *vault.Tx) error {
		for _, state := range []State{Running, Verifying, Proved, Done} {
			some, err := Requests.Find(tx, "state = ? AND ended_at IS NULL ORDER BY asked_at LIMIT 100", state)
			if state == Done {
				some, err = Requests.Find(tx, "state = ? AND ended_at < ? AND file IS NOT NULL ORDER BY ended_at LIMIT 100", state, now.Add(-FileLife))
			}
			if err != nil {
				return err
			}
			old = append(old, some...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range old {
		err = errors.Join(err, s.dueFor(ctx, tenant, r, now))
	}
	return err
}

func (s *Service) dueFor(ctx context.Context, tenant ids.Tenant, r Request, now time.Time) error {
	switch {
	case r.State == Done:
		return s.removeFile(ctx, tenant, r.ID)
	case now.Sub(r.AskedAt) < dueEvery:
		return nil
	case r.State == Verifying && now.After(r.CodeUntil), r.State == Proved && now.Sub(r.AskedAt) > FileLife:
		return s.refuse(ctx, tenant, r.ID, "expired")
	case r.State == Running && r.Kind == Copy:
		return s.queue.Enqueue(ctx, copyKind, tenant, r.ID.String(), time.Time{})
	case r.State == Running && r.Kind == Erasure:
		_, err := s.erase(ctx, system(tenant), r, "request of the person, taken up again")
		return err
	}
	return nil
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
