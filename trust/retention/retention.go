// Package retention deletes what has been kept long enough.
//
// How long follows from a table's declaration; a tenant may set another time for each class of data. The oldest row of
// each class is a public figure: it is what the promise ret-5 is measured by. Nothing is deleted early: a clock that
// jumped is doubted until a second run confirms it. What a person has a right to be rid of now is package rights' work.
//
// The connection log is kept here too: which address and program connected, at most once an hour each, for a year at
// most (ret-3).
package retention

import (
	"context"
	"embed"
	"fmt"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 9

const (
	day        = 24 * time.Hour
	batch      = 500
	every      = time.Hour
	jump       = day              // a clock that moved further since the last run is doubted
	secondRun  = 30 * time.Minute // how soon a second run may confirm a doubted clock
	longest    = 3650             // days
	capConnect = 365              // days, for the connection log: promise ret-3
)

// Limit is a tenant's own limit for a class of data.
type Limit struct {
	Class string    `vault:"class,key"` // a table's name
	Days  int       `vault:"days,state"`
	SetAt time.Time `vault:"set_at,state"`
}

// run is when the tenant was last swept.
type run struct {
	Name    string    `vault:"name,key"`
	Last    time.Time `vault:"last_at,state"`
	Doubted time.Time `vault:"doubted_at,state"` // the clock had jumped; zero when it is trusted
	Removed int       `vault:"removed,state"`    // rows, by the last run that removed any
}

var (
	limits = vault.Define[Limit]("retention_limits", vault.Purpose("keeping data as long as the tenant decided"), vault.KeepWhile("as long as the account"))
	runs   = vault.Define[run]("retention_runs", vault.Purpose("never deleting early"), vault.KeepWhile("as long as the account"))
)

var (
	readers   = vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor)
	actRead   = vault.Act("retention.read", readers, vault.Scope("privacy:read"), vault.System())
	actSet    = vault.Act("retention.set", vault.Roles(vault.Owner, vault.Administrator, vault.DPO))
	actAsk    = vault.Act("retention.sweep_now", vault.Roles(vault.Owner, vault.Administrator, vault.DPO))
	actSweep  = vault.Act("retention.sweep", vault.System())
	actRun    = vault.Act("retention.run", vault.System())
	actSeen   = vault.Act("connection.record", vault.System())
	actReview = vault.Act("connection.read", vault.Roles(vault.Owner, vault.Administrator, vault.Auditor), vault.System(), vault.Reads())
)

// Service sweeps.
type Service struct {
	vault *vault.Vault
	files string          // files are kept as long as this class
	inner map[string]bool // tables that only the installation has rows in
	queue *jobs.Jobs

	connections
	mu    sync.Mutex
	stage map[ids.Tenant]Stage
}

// Stage is how far a sweep is that runs now.
type Stage struct {
	Class   string
	Removed int
}

// New makes the service. files names the table whose rows people attach files to: a file is kept as long as those. inner
// names the tables that only the installation has rows in: tenants neither see nor set how long those are kept.
func New(v *vault.Vault, files string, inner ...string) *Service {
	s := &Service{vault: v, files: files, inner: map[string]bool{}, connections: newConnections(), stage: map[ids.Tenant]Stage{}}
	for _, name := range inner {
		s.inner[name] = true
	}
	return s
}

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "retention",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{limits, runs, Connections},
		Actions:    []*vault.Action{actRead, actSet, actAsk, actSweep, actRun, actSeen, actReview},
		Routes:     s.routes,
		Settings:   []module.Link{{Path: "/settings/retention", Title: "Retention", About: "How long each sort of data is kept, and the oldest there is.", For: actRead}},
		Jobs:       s.jobs,
	}
}

const (
	turnKind  = "retention.turn"
	sweepKind = "retention.sweep"
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	err := j.Handle(jobs.Kind{Name: sweepKind, Unique: true, Timeout: 30 * time.Minute, Retry: []time.Duration{time.Minute, 10 * time.Minute},
		Work: func(ctx context.Context, job jobs.Job) error { return s.Sweep(ctx, job.Tenant) }})
	if err != nil {
		return err
	}
	return j.Every(turnKind, every, s.turn)
}

func (s *Service) turn(ctx context.Context) error {
	tenants, err := s.vault.TenantIDs(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := s.queue.Enqueue(ctx, sweepKind, tenant, "", time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// Class is one class of data: a table whose rows have an age.
type Class struct {
	Name       string
	Purpose    string
	Categories []string      // fideslang
	Limit      time.Duration // zero: no limit
	Default    time.Duration // what the declaration says
	Cap        time.Duration // the tenant may not set more; zero: ten years
	Oldest     time.Time     // the oldest row; zero when there is none
}

// Over is by how much the oldest row is older than the limit: the figure behind ret-5. A sweep's interval is no breach.
func (c Class) Over(now time.Time) time.Duration {
	if c.Limit == 0 || c.Oldest.IsZero() {
		return 0
	}
	return max(0, now.Sub(c.Oldest)-c.Limit)
}

func keepColumn(t vault.AnyTable) (aged bool, categories []string) {
	seen := map[string]bool{}
	for _, c := range t.Columns() {
		aged = aged || c.Keep
		if c.Category != "" && !seen[c.Category] {
			seen[c.Category] = true
			categories = append(categories, c.Category)
		}
	}
	return aged, categories
}

// Oldest tells the limit and the oldest row of each class of a tenant's data.
func (s *Service) Oldest(ctx context.Context, tenant ids.Tenant) ([]Class, error) {
	return s.classes(ctx, identity.System(tenant, "retention"))
}

// Schedule is the same for the actor's tenant.
func (s *Service) Schedule(ctx context.Context, actor vault.Actor) ([]Class, error) {
	return s.classes(ctx, actor)
}

func (s *Service) classes(ctx context.Context, actor vault.Actor) (out []Class, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		own, err := limits.Find(tx, "ORDER BY class")
		if err != nil {
			return err
		}
		out = out[:0]
		for _, t := range s.vault.Tables() {
			aged, categories := keepColumn(t)
			if !aged || s.inner[t.Name()] && actor.Tenant() != ids.Installation {
				continue
			}
			c := Class{Name: t.Name(), Purpose: t.Terms().Purpose, Categories: categories, Limit: t.Terms().KeepFor, Default: t.Terms().KeepFor}
			if t.Name() == Connections.Name() {
				c.Cap = capConnect * day
			}
			for _, l := range own {
				if l.Class == c.Name {
					c.Limit = time.Duration(l.Days) * day
				}
			}
			if c.Oldest, err = s.vault.Oldest(tx, t); err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// SetLimit decides how many days a class is kept in the actor's tenant; zero goes back to the default.
func (s *Service) SetLimit(ctx context.Context, actor vault.Actor, class string, days int) error {
	most, known := 0, false
	for _, t := range s.vault.Tables() {
		if aged, _ := keepColumn(t); aged && t.Name() == class && !s.inner[class] {
			most, known = longest, true
		}
	}
	if !known {
		return errs.New(errs.NotFound, "There is no such class of data.")
	}
	if class == Connections.Name() {
		most = capConnect
	}
	if days < 0 || days > most {
		return errs.New(errs.Invalid, "This time is not possible.", errs.Field{Field: class, Code: "range", Message: fmt.Sprintf("Give 1 to %d days, or leave it empty for the default.", most)})
	}
	return s.vault.Do(ctx, actor, actSet, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "retention.changed", Object: class, N: int64(days)}, nil)
		if days > 0 {
			return limits.Put(tx, Limit{Class: class, Days: days, SetAt: tx.Now()})
		}
		if err := limits.Delete(tx, class); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		return nil
	})
}
