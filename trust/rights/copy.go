package rights

import (
	"context"
	"errors"
	"io"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/rights/gather"
	"aver/trust/rights/others"
	"aver/trust/rights/state"
	"aver/vault"
)

// maxArchive is the largest archive in bytes.
const maxArchive = 4 << 30

// Export writes the copy of everything that is kept about a person, and about those merged into them, as a ZIP archive.
// It follows from the vault's catalogue: every row of every table that is about the person, in the order of its keys,
// without secrets, with the person's files opened. Other people are left out: who works here appears as "staff".
func (s *Service) Export(ctx context.Context, actor vault.Actor, contact ids.Contact, w io.Writer) error {
	if err := mine(actor, contact); err != nil {
		return err
	}
	return s.export(ctx, actor, func(tx *vault.Tx) ([]ids.Contact, error) { return s.people.Linked(tx, contact) }, w, gather.Wanted{})
}

// ExportOf writes the copy that somebody would be given who proves an address on the public page: for checks of it.
func (s *Service) ExportOf(ctx context.Context, tenant ids.Tenant, email string, w io.Writer) error {
	whom := func(tx *vault.Tx) ([]ids.Contact, error) {
		people, err := s.people.Covered(tx, email)
		if err == nil && len(people) == 0 {
			err = errNobody
		}
		return people, err
	}
	return s.export(ctx, system(tenant), whom, w, gather.Wanted{})
}

// export copies what is kept about all that whom tells, the first of whom the journal names.
func (s *Service) export(ctx context.Context, actor vault.Actor, whom func(*vault.Tx) ([]ids.Contact, error), w io.Writer, wanted gather.Wanted) error {
	tenant, err := s.vault.Tenant(ctx, actor.Tenant())
	if err != nil {
		return err
	}
	return s.vault.View(ctx, actor, actCopy, func(tx *vault.Tx) error {
		people, err := whom(tx)
		if err != nil {
			return err
		}
		tx.About(people[0])
		wanted.Workspace = tenant.Name
		return gather.From(s.vault, gather.Register{Known: s.people.Known, Show: s.someone, Provided: s.people.Provided, Handed: s.people.Handed}).Write(tx, people, w, wanted)
	})
}

// someone is what a person is known by.
func (s *Service) someone(tx *vault.Tx, who ids.Contact) (others.Someone, error) {
	c, err := s.people.Show(tx, who)
	return others.Someone{Name: c.Name, Email: c.Email, Phone: c.Phone, ID: c.ExternalID}, err
}

// StartCopy begins to put a copy together, for the actor's own data when a visitor asks. Task tells how far it is.
func (s *Service) StartCopy(ctx context.Context, actor vault.Actor, contact ids.Contact) (RequestID, error) {
	return s.Start(ctx, actor, Wish{Kind: state.Access}, contact)
}

// StartExport begins to put together a copy of the visitor's own data.
func (s *Service) StartExport(ctx context.Context, visitor vault.Actor) (RequestID, error) {
	return s.StartCopy(ctx, visitor, visitor.Subject())
}

// work puts a copy together and keeps it, sealed under the person's key, for a day.
func (s *Service) work(ctx context.Context, tenant ids.Tenant, id RequestID) error {
	actor := system(tenant)
	r, err := s.Read(ctx, actor, id)
	if err != nil || r.Kind.Deed() != state.Copy || r.State != state.Running || r.Contact.IsZero() {
		return ignoreAbsent(err)
	}
	p := &gather.Progress{}
	s.running.Store(id, p)
	defer s.running.Delete(id)
	reader, writer := io.Pipe()
	all := func(*vault.Tx) ([]ids.Contact, error) { return r.People, nil }
	go func() {
		writer.CloseWithError(s.export(ctx, actor, all, writer, gather.Wanted{Progress: p, Portable: r.Kind == state.Portability}))
	}()
	blob, err := s.vault.PutBlob(ctx, actor, r.Contact, gather.ArchiveKind, reader, maxArchive)
	reader.CloseWithError(err)
	if err != nil {
		return s.unlessGone(ctx, tenant, r, err)
	}
	err = s.vault.Do(ctx, actor, actFinish, func(tx *vault.Tx) error {
		r, err := Requests.Get(tx, id)
		if err != nil || r.State != state.Running {
			return ignoreAbsent(err)
		}
		if err := r.End(state.Fulfilled, tx.Now()); err != nil {
			return err
		}
		r.File, r.Counts = blob.ID, p.Rows()
		tx.Emit(vault.Event{Kind: "dsr.completed", Object: id.String(), Subject: r.Contact}, nil)
		return errors.Join(vault.Blobs.Add(tx, blob), Requests.Put(tx, r))
	})
	return s.unlessGone(ctx, tenant, r, err)
}

// unlessGone ends a copy quietly that failed because the person was erased meanwhile: there is nothing left to be copied.
func (s *Service) unlessGone(ctx context.Context, tenant ids.Tenant, r Request, failed error) error {
	if failed == nil {
		return nil
	}
	if has, err := s.vault.HasKey(ctx, system(tenant), r.Contact); err != nil || has {
		return errors.Join(failed, err)
	}
	return s.drop(ctx, tenant, r.ID, state.Denied, state.NoMatch, state.Nobody)
}

func ignoreAbsent(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// drop ends a request that has not ended, by what was decided beforehand.
func (s *Service) drop(ctx context.Context, tenant ids.Tenant, id RequestID, next state.State, why state.Reason, by state.Policy) error {
	_, err := s.change(ctx, tenant, id, func(r *Request, tx *vault.Tx) (bool, error) {
		if r.State.Over() {
			return false, nil
		}
		return true, r.Drop(next, why, by, tx.Now())
	})
	return ignoreAbsent(err)
}

// Task is how far a copy is.
type Task struct {
	State string // queued, running, done or failed
	Done  int64  // rows
	Total int64  // zero while it is not known
}

// Task tells how far a copy is that the actor may see.
func (s *Service) Task(ctx context.Context, actor vault.Actor, id RequestID) (Task, error) {
	r, err := s.Read(ctx, actor, id)
	if err != nil {
		return Task{}, err
	}
	return s.TaskOf(r), nil
}

// TaskOf tells how far a copy is that was read.
func (s *Service) TaskOf(r Request) Task {
	switch {
	case r.State == state.Fulfilled && !r.File.IsZero():
		return Task{State: "done"}
	case r.State.Over(), r.State == state.Open:
		return Task{State: "failed"}
	}
	if p, here := s.running.Load(r.ID); here {
		done, total := p.(*gather.Progress).At()
		return Task{State: "running", Done: done, Total: total}
	}
	return Task{State: "queued"}
}

// Collect opens a finished copy for whoever may see it. errs.Gone after a day.
func (s *Service) Collect(ctx context.Context, actor vault.Actor, id RequestID) (io.Reader, int64, error) {
	r, err := s.Read(ctx, actor, id)
	if err != nil {
		return nil, 0, err
	}
	return s.collect(ctx, actor, r)
}

func (s *Service) collect(ctx context.Context, actor vault.Actor, r Request) (content io.Reader, size int64, err error) {
	if r.Kind.Deed() != state.Copy || r.State != state.Fulfilled {
		return nil, 0, errs.New(errs.NotFound, "There is no such thing here.")
	}
	if r.File.IsZero() || s.vault.Now().Sub(r.EndedAt) > FileLife {
		return nil, 0, errs.New(errs.Gone, "The copy was kept for a day and is gone. Ask for a new one.")
	}
	err = s.vault.View(ctx, actor, actCollect, func(tx *vault.Tx) error {
		tx.About(r.Contact)
		b, opened, err := s.vault.ReadBlob(tx, r.File)
		content, size = opened, b.Size
		return err
	})
	return content, size, err
}
