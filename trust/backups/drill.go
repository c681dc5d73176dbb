package backups

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/tlog"
	"aver/trust/backups/manifest"
	"aver/trust/backups/quarantine"
	"aver/trust/backups/shelf"
	"aver/trust/identity"
	"aver/vault"
)

// scratched begins the names of folders that drills restore into.
const scratched = ".drill-"

// tidy removes the folders of drills that a crash interrupted.
func (s *Service) tidy() error {
	left, err := filepath.Glob(filepath.Join(s.cfg.Data, scratched+"*"))
	for _, folder := range left {
		name := strings.TrimPrefix(filepath.Base(folder), scratched)
		began, failed := time.Parse(shelf.Stamp, name[:min(len(name), len(shelf.Stamp))])
		if failed == nil && s.vault.Now().Sub(began).Abs() > 2*longest {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}
	return err
}

// samplesPerTenant is how many people's rows a drill opens in each tenant.
const samplesPerTenant = 10

// Drill restores the newest backup into a scratch folder (rows of PostgreSQL into stores of files) and checks what matters about it: that every file is the one
// that was signed, that each log recomputes to the recorded root, that sealed values open, and that somebody erased
// after the backup was made stays erased. The result is kept, good or bad. An error means that it could not be tried.
func (s *Service) Drill(ctx context.Context, actor vault.Actor, identity io.Reader) (Drill, error) {
	if err := s.vault.Permit(ctx, actor, actDrill); err != nil {
		return Drill{}, err
	}
	list, err := s.List(ctx, system())
	if err != nil {
		return Drill{}, err
	}
	if len(list) == 0 {
		return Drill{}, errs.New(errs.NotFound, "There is no backup yet.")
	}
	s.working.Lock()
	defer s.working.Unlock()
	defer s.stage.Store(nil)
	began := time.Now()
	d := Drill{ID: ids.NewObject(s.vault.Now()), Began: s.vault.Now(), Backup: list[0].Name}
	err = s.try(ctx, list[0], identity, &d)
	d.Took = time.Since(began)
	if errors.Is(err, errOffline) {
		return d, errs.New(errs.Conflict, "The identity that opens backups is not on this machine. Run aver backup drill with it.").Because(err)
	}
	d.Holds = err == nil
	if err != nil {
		s.cfg.Log.Error("the restore drill failed", "error", err)
		d.Fault = inWords(err)
	}
	return d, s.vault.Do(ctx, actorFor(actor), actDrill, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "backup.drilled", Object: d.ID.String()}, nil)
		return Drills.Put(tx, d)
	})
}

// actorFor is who writes results: they are rows of the installation's, whoever asked for the drill.
func actorFor(actor vault.Actor) vault.Actor {
	if actor.Tenant() == ids.Installation {
		return actor
	}
	return system()
}

// inWords says what failed without what the inner errors may carry.
func inWords(err error) string {
	var known *errs.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return "The drill ended early; the log of the server says why."
}

func (s *Service) try(ctx context.Context, b Backup, identity io.Reader, d *Drill) error {
	if !b.Signed {
		return manifest.Altered("its manifest is not signed by this installation.")
	}
	return s.inScratch(ctx, Order{Name: b.Name, Identity: identity}, func(folder string, m manifest.Manifest) error {
		gone, err := s.eraseCanary(ctx, m)
		if err != nil {
			return err
		}
		restored, err := s.open(ctx, folder)
		if err != nil {
			return fmt.Errorf("open the restored stores: %w", err)
		}
		err = s.inspect(ctx, restored, folder, m, gone, d)
		return errors.Join(err, restored.Close())
	})
}

// inScratch restores a backup into a folder that is gone afterwards.
func (s *Service) inScratch(ctx context.Context, o Order, fn func(folder string, m manifest.Manifest) error) error {
	scratch, err := os.MkdirTemp(s.cfg.Data, scratched+s.vault.Now().Format(shelf.Stamp)+"-")
	if err != nil {
		return full(err)
	}
	defer os.RemoveAll(scratch)
	o.To = filepath.Join(scratch, "data")
	m, err := s.restore(ctx, o)
	if err != nil {
		return err
	}
	return fn(o.To, m)
}

// open is a vault over a restored folder with the live key store.
func (s *Service) open(ctx context.Context, folder string) (*vault.Vault, error) {
	e, err := s.files(folder)
	if err != nil {
		return nil, err
	}
	v, err := vault.Open(ctx, vault.Config{Engine: e, Keys: s.vault.Keys(), Clock: frozen{s.vault}, Blobs: filepath.Join(folder, "blobs"), Tables: s.vault.Tables()[len(vault.Own()):], Log: s.cfg.Log})
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return v, nil
}

// frozen tells the vault's time to another vault.
type frozen struct{ v *vault.Vault }

func (f frozen) Now() time.Time { return f.v.Now() }

// eraseCanary erases the backup's canary in the live key store, after the backup was made.
func (s *Service) eraseCanary(ctx context.Context, m manifest.Manifest) (ids.Subject, error) {
	who, err := ids.ParseSubject(m.Canary)
	if err != nil {
		return who, manifest.Altered("its manifest names no canary.").Because(err)
	}
	if err := s.vault.EraseSubject(ctx, system(), actErase, who, "canary of a restore drill"); err != nil {
		return who, fmt.Errorf("erase the canary: %w", err)
	}
	_, err = s.vault.FinishErasures(ctx, ids.Installation)
	return who, err
}

func (s *Service) inspect(ctx context.Context, v *vault.Vault, folder string, m manifest.Manifest, gone ids.Subject, d *Drill) error {
	for i, p := range m.Tenants {
		s.step("drill", d.Began, i, len(m.Tenants))
		gone, err := v.Keys().Destroyed(ctx, p.Tenant)
		if err != nil {
			return err
		}
		if gone { // since the backup was made
			continue
		}
		n, err := recompute(ctx, v, p)
		d.Entries += n
		if err != nil {
			return err
		}
		samples, err := sample(ctx, v, p.Tenant)
		d.Samples += samples
		if err != nil {
			return fmt.Errorf("open sealed values: %w", err)
		}
		d.Tenants++
	}
	before, err := rowsOf(ctx, v, gone)
	if err != nil {
		return err
	}
	if before == 0 {
		return manifest.Altered("the canary is not in it, so nothing can be said about erasures.")
	}
	if err := quarantine.Release(ctx, v, folder); err != nil {
		return err
	}
	after, err := rowsOf(ctx, v, gone)
	if err != nil {
		return err
	}
	has, err := v.HasKey(ctx, system(), gone)
	if err != nil {
		return err
	}
	if after != 0 || has {
		return manifest.Altered("a person erased after it was made came back.")
	}
	d.Erased = true
	return nil
}

// recompute hashes a restored log again and compares it with the manifest.
func recompute(ctx context.Context, v *vault.Vault, p manifest.Part) (int64, error) {
	var edge tlog.Frontier
	for edge.Size() < p.Entries {
		n, err := v.Journal(ctx, p.Tenant, edge.Size(), min(8192, p.Entries-edge.Size()), func(entry []byte) error {
			edge.Append(tlog.LeafHash(entry))
			return nil
		})
		if err != nil {
			return edge.Size(), err
		}
		if n == 0 {
			return edge.Size(), manifest.Altered("entries of a log are missing.")
		}
	}
	if edge.Root().String() != p.Root {
		return edge.Size(), manifest.Altered("a log does not recompute to the recorded root.")
	}
	return edge.Size(), nil
}

// sample opens all rows of the people that the newest entries of the log are about, and returns how many values opened.
func sample(ctx context.Context, v *vault.Vault, tenant ids.Tenant) (int, error) {
	size, _, _, err := v.Head(ctx, tenant)
	if err != nil {
		return 0, err
	}
	entries, err := v.Entries(ctx, tenant, max(0, size-2000), 2000)
	if err != nil {
		return 0, err
	}
	actor := identity.System(tenant, "backups")
	people := map[ids.Subject]struct{}{}
	for i := len(entries) - 1; i >= 0 && len(people) < samplesPerTenant; i-- {
		who := entries[i].Subject
		if has, err := v.HasKey(ctx, actor, who); err != nil || !has {
			continue
		}
		people[who] = struct{}{}
	}
	opened := 0
	err = v.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		for who := range people {
			for _, table := range v.Tables() {
				err := v.EachRow(tx, table, who, func(cells []vault.Cell) error {
					for _, c := range cells {
						if c.Column.Sealed && c.Value != nil {
							opened++
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	return opened, err
}

func rowsOf(ctx context.Context, v *vault.Vault, who ids.Subject) (int, error) {
	n := 0
	err := v.View(ctx, system(), actLook, func(tx *vault.Tx) (err error) {
		n, err = canaries.Count(tx, "who = ?", who)
		return err
	})
	return n, err
}

// LastDrill is the newest result; errs.NotFound before the first. One that a wrong clock dated in the future does not
// stand before those that follow it.
func (s *Service) LastDrill(ctx context.Context) (Drill, error) {
	list, err := s.drills(ctx, s.vault.Now().Add(time.Minute), 1)
	if err == nil && len(list) == 0 {
		err = errs.New(errs.NotFound, "No restore has been drilled yet.")
	}
	if err != nil {
		return Drill{}, err
	}
	return list[0], nil
}

// DrillList lists results, newest first.
func (s *Service) DrillList(ctx context.Context, n int) ([]Drill, error) {
	return s.drills(ctx, time.Unix(1<<40, 0), n)
}

func (s *Service) drills(ctx context.Context, until time.Time, n int) (list []Drill, err error) {
	err = s.vault.View(ctx, system(), actLook, func(tx *vault.Tx) error {
		list, err = Drills.Find(tx, "began_at <= ? ORDER BY began_at DESC LIMIT ?", until, min(n, 100))
		return err
	})
	return list, err
}
