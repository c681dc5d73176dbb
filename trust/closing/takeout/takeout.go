// Package takeout gives a workspace everything that it has, to take along: before its account ends, or whenever its owner
// wants (GDPR Art. 28(3)(g) has a processor return all the personal data before it deletes them).
//
// An archive follows from the vault's catalogue: a file of JSON Lines for every table with all its rows, whomever they are
// about, without secrets; every file, opened; and the catalogue itself. It is put together in the background, some rows at a
// time, so it is no picture of one moment: what changes meanwhile is in it as it was when its turn came. It is kept for some
// days, sealed under a key of its own, which is destroyed then, or as soon as somebody is erased, who may be in it: so
// nobody is left in a copy or a backup of the archive either.
package takeout

import (
	"archive/zip"
	"context"
	"embed"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 24

const (
	life    = 3 * 24 * time.Hour // of an archive
	maxSize = 1 << 40            // bytes
	longest = 12 * time.Hour     // that putting one together may take
)

// kind marks archives among the files, so that none holds another.
const kind = "application/vnd.aver.workspace+zip"

// State is how far a takeout is.
type State string

// The states.
const (
	Waiting State = "waiting"
	Ready   State = "ready"
	Failed  State = "failed"
	Expired State = "expired"
)

// Takeout is an archive that somebody asked for.
type Takeout struct {
	ID      ids.Object  `vault:"id,key"`
	N       int64       `vault:"n,state"` // counted from one, unique: of two askings at the same moment one is refused
	State   State       `vault:"state,state"`
	AskedAt time.Time   `vault:"asked_at,state,keep"`
	Began   time.Time   `vault:"began_at,state"`
	ReadyAt time.Time   `vault:"ready_at,state"`
	Keeper  ids.Subject `vault:"keeper,state"` // whose key seals the file
	Rows    int64       `vault:"rows,state"`
	Files   int64       `vault:"files,state"`
	File    ids.Object  `vault:"file,state"` // zero while there is none
	Size    int64       `vault:"size,state"` // bytes
}

// Until is when its file is removed.
func (t Takeout) Until() time.Time { return t.ReadyAt.Add(life) }

// Takeouts is the table.
var Takeouts = vault.Define[Takeout]("takeouts", vault.Purpose("giving a workspace back everything it has"), vault.KeepFor(400*24*time.Hour))

var (
	owners     = vault.Roles(vault.Owner)
	actLook    = vault.Act("workspace.export.read", purpose.Duty, owners, vault.System())
	actAsk     = vault.Act("workspace.export", purpose.Duty, owners, vault.System())
	actFetch   = vault.Act("workspace.export.download", purpose.Duty, owners, vault.Reads())
	actCollect = vault.Act("workspace.export.collect", purpose.Duty, vault.System())
	actFinish  = vault.Act("workspace.export.finish", purpose.Duty, vault.System())
)

// Service puts archives together.
type Service struct {
	vault   *vault.Vault
	queue   *jobs.Jobs
	running sync.Map // ids.Object → *Progress, in this process
}

// New makes the service.
func New(v *vault.Vault) *Service { return &Service{vault: v} }

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{Name: "takeout", Number: Number, Migrations: migrations, Tables: []vault.AnyTable{Takeouts},
		Actions: []*vault.Action{actLook, actAsk, actFetch, actCollect, actFinish}, Routes: s.routes, Jobs: s.jobs, Classes: map[string]module.Class{filePath: module.Download},
		Settings: []module.Link{{Path: "/settings/takeout", Title: "Take everything along", About: "All data of the workspace in one archive.", For: actAsk}}}
}

const (
	jobKind    = "workspace.export"
	readyEvent = "workspace.export.ready"
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	err := j.Handle(jobs.Kind{Name: jobKind, Unique: true, Timeout: longest, Retry: []time.Duration{time.Minute, 10 * time.Minute}, Work: s.work, OnDead: s.dead})
	if err != nil {
		return err
	}
	return j.Every("workspace.export.due", time.Hour, s.due)
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "takeout") }

// Ask begins to put an archive together, and gives the one that is being put together to whoever else asks meanwhile. The
// one before it is removed.
func (s *Service) Ask(ctx context.Context, actor vault.Actor) (Takeout, error) {
	t, err := s.begin(ctx, actor)
	if errs.Is(err, errs.Conflict) { // somebody asked at the same moment
		t, err = s.begin(ctx, actor)
	}
	if err == nil { // whoever has begun it may not have come so far, and what is erased once it is put together would end it
		err = s.end(ctx, actor.Tenant(), "ready_at <= ?", t.AskedAt)
	}
	if err != nil {
		return t, err
	}
	return t, s.queue.Enqueue(ctx, jobKind, actor.Tenant(), t.ID.String(), time.Time{}) // should it be lost, the hour's turn asks again
}

func (s *Service) begin(ctx context.Context, actor vault.Actor) (t Takeout, err error) {
	err = s.vault.Do(ctx, actor, actAsk, func(tx *vault.Tx) error {
		last, err := Takeouts.Find(tx, "ORDER BY n DESC LIMIT 1")
		if err != nil {
			return err
		}
		n := int64(1)
		if len(last) > 0 {
			n = last[0].N + 1
		}
		if len(last) > 0 && last[0].State == Waiting {
			t = last[0]
			return nil
		}
		t = Takeout{ID: ids.NewObject(tx.Now()), N: n, State: Waiting, AskedAt: tx.Now()}
		tx.Emit(vault.Event{Kind: "workspace.export.asked", Object: t.ID.String()}, nil)
		return Takeouts.Add(tx, t)
	})
	return t, err
}

// end destroys the keys of archives that have a file and are chosen by their times, and removes them. A crash in between
// leaves those for the next turn.
func (s *Service) end(ctx context.Context, tenant ids.Tenant, which string, at time.Time) error {
	var old []Takeout
	err := s.vault.View(ctx, system(tenant), actLook, func(tx *vault.Tx) (err error) {
		old, err = Takeouts.Find(tx, "file IS NOT NULL AND "+which+" ORDER BY id LIMIT 100", at)
		return err
	})
	if err != nil || len(old) == 0 {
		return err
	}
	for _, t := range old {
		if err := s.forget(ctx, tenant, t.Keeper); err != nil {
			return err
		}
		err := s.vault.Do(ctx, system(tenant), actFinish, func(tx *vault.Tx) error {
			t, err := Takeouts.Get(tx, t.ID)
			if err != nil {
				return ignoreAbsent(err)
			}
			t.State, t.File = Expired, ids.Object{}
			return Takeouts.Put(tx, t)
		})
		if err != nil {
			return err
		}
	}
	_, err = s.vault.FinishErasures(ctx, tenant)
	return err
}

// forget destroys an archive's key, and with that the archive wherever it lies.
func (s *Service) forget(ctx context.Context, tenant ids.Tenant, keeper ids.Subject) error {
	return s.vault.EraseSubject(ctx, system(tenant), actFinish, keeper, "the archive is over")
}

// Follow ends archives as soon as somebody is erased who may be in them, from where it last stopped.
func (s *Service) Follow(tenants ...ids.Tenant) {
	s.vault.Follow(vault.Follower{Name: "takeout", Each: s.hear}, tenants...)
}

func (s *Service) hear(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	var last time.Time
	ready := false
	err := s.vault.View(ctx, system(tenant), actLook, func(tx *vault.Tx) error {
		last, ready = time.Time{}, false
		for _, e := range entries {
			ready = ready || slices.ContainsFunc(e.Events, func(ev journal.Event) bool { return ev.Kind == readyEvent })
			if !slices.ContainsFunc(e.Events, func(ev journal.Event) bool { return ev.Kind == "subject.erased" }) {
				continue
			}
			own, err := Takeouts.Count(tx, "keeper = ?", e.Subject)
			if err != nil {
				return err
			}
			if own == 0 && e.At.After(last) {
				last = e.At
			}
		}
		return nil
	})
	if err == nil && !last.IsZero() {
		err = s.end(ctx, tenant, "began_at <= ?", last)
	}
	if err != nil || !ready {
		return err
	}
	// Side by side with it somebody may have been erased whose entry stands before that of the archive.
	erased, err := s.vault.LastErasure(ctx, tenant)
	if err != nil || erased.IsZero() {
		return err
	}
	return s.end(ctx, tenant, "began_at < ?", erased)
}

// due removes what has expired, and asks again for what waits.
func (s *Service) due(ctx context.Context) error {
	tenants, err := s.vault.TenantIDs(ctx)
	for _, tenant := range tenants {
		err = errors.Join(err, ctx.Err(), s.dueOf(ctx, tenant))
	}
	return err
}

func (s *Service) dueOf(ctx context.Context, tenant ids.Tenant) error {
	waiting := []Takeout(nil)
	err := s.vault.View(ctx, system(tenant), actLook, func(tx *vault.Tx) (err error) {
		waiting, err = Takeouts.Find(tx, "state = ? ORDER BY id LIMIT 10", Waiting)
		return err
	})
	err = errors.Join(err, s.end(ctx, tenant, "ready_at <= ?", s.vault.Now().Add(-life)))
	for _, t := range waiting {
		err = errors.Join(err, s.queue.Enqueue(ctx, jobKind, tenant, t.ID.String(), time.Time{}))
	}
	return err
}

// Latest is the newest; errs.NotFound if none was asked for.
func (s *Service) Latest(ctx context.Context, actor vault.Actor) (t Takeout, err error) {
	err = s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		list, err := Takeouts.Find(tx, "ORDER BY asked_at DESC LIMIT 1")
		if err == nil && len(list) == 0 {
			err = errs.New(errs.NotFound, "No archive was asked for yet.")
		}
		if err == nil {
			t = list[0]
		}
		return err
	})
	return t, err
}

// work puts an archive together and keeps it.
func (s *Service) work(ctx context.Context, j jobs.Job) error {
	actor := system(j.Tenant)
	id, err := ids.ParseObject(j.ID)
	if err != nil {
		return err
	}
	if t, err := s.read(ctx, actor, id); err != nil || t.State != Waiting {
		return ignoreAbsent(err)
	}
	began := s.vault.Now()
	keeper, err := s.vault.NewSubject(ctx, actor)
	if err != nil {
		return err
	}
	p := &Progress{}
	s.running.Store(id, p)
	defer s.running.Delete(id)
	reader, writer := io.Pipe()
	go func() {
		z := zip.NewWriter(writer)
		err := s.Write(ctx, actor, func(name string) (io.Writer, error) { return z.Create(name) }, p)
		writer.CloseWithError(errors.Join(err, z.Close()))
	}()
	blob, err := s.vault.PutBlob(ctx, actor, keeper, kind, reader, maxSize)
	reader.CloseWithError(err)
	if err != nil {
		return errors.Join(err, s.forget(context.WithoutCancel(ctx), j.Tenant, keeper))
	}
	return s.keep(ctx, j.Tenant, Takeout{ID: id, State: Ready, Began: began, Keeper: keeper, File: blob.ID, Size: blob.Size, Rows: p.Rows.Load(), Files: p.Files.Load()}, blob)
}

// keep stores an archive that is put together, unless another is there already or somebody was erased meanwhile, who may be in
// it: then its key is destroyed and its file removed.
func (s *Service) keep(ctx context.Context, tenant ids.Tenant, made Takeout, blob vault.Blob) error {
	kept := false
	err := s.vault.Do(ctx, system(tenant), actFinish, func(tx *vault.Tx) error {
		kept = false
		t, err := Takeouts.Get(tx, made.ID)
		if err != nil || t.State != Waiting {
			return ignoreAbsent(err)
		}
		if err := s.overtaken(ctx, tenant, made.Began); err != nil {
			return err
		}
		made.N, made.AskedAt, made.ReadyAt = t.N, t.AskedAt, tx.Now()
		tx.Emit(vault.Event{Kind: readyEvent, Object: made.ID.String()}, nil)
		err = errors.Join(vault.Blobs.Add(tx, blob), Takeouts.Put(tx, made))
		kept = err == nil
		return err
	})
	if kept {
		return err
	}
	return errors.Join(err, s.forget(context.WithoutCancel(ctx), tenant, made.Keeper), s.vault.DropBlob(system(tenant), blob))
}

// overtaken says that somebody was erased while an archive was put together, who may be in it: it is made anew.
func (s *Service) overtaken(ctx context.Context, tenant ids.Tenant, began time.Time) error {
	erased, err := s.vault.LastErasure(ctx, tenant)
	if err == nil && erased.After(began) {
		err = errs.New(errs.Conflict, "Somebody was erased meanwhile. The archive is put together anew.")
	}
	return err
}

// dead gives up: the owner may ask again.
func (s *Service) dead(ctx context.Context, j jobs.Job) error {
	id, err := ids.ParseObject(j.ID)
	if err != nil {
		return err
	}
	return s.vault.Do(ctx, system(j.Tenant), actFinish, func(tx *vault.Tx) error {
		t, err := Takeouts.Get(tx, id)
		if err != nil || t.State != Waiting {
			return ignoreAbsent(err)
		}
		t.State = Failed
		tx.Emit(vault.Event{Kind: "workspace.export.failed", Object: id.String()}, nil)
		return Takeouts.Put(tx, t)
	})
}

func (s *Service) read(ctx context.Context, actor vault.Actor, id ids.Object) (t Takeout, err error) {
	err = s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) (err error) {
		t, err = Takeouts.Get(tx, id)
		return err
	})
	return t, err
}

func ignoreAbsent(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
