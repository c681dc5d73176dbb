// Package retention deletes what has been kept long enough.
//
// How long follows from a table's declaration; a tenant may set another time for each class of data. Where a promise
// caps the time, such as for recordings, more takes an exception that two people stand for and that ends by itself. The
// oldest row of each class is a public figure: it is what the promise ret-5 is measured by. Nothing is deleted early: a
// clock that jumped is doubted until a second run confirms it, and what a legal hold keeps stays. What a person has a
// right to be rid of now is package rights' work.
//
// The connection log is kept here too: which address and program connected, at most once an hour each, for a year at
// most (ret-3).
package retention

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 9

const (
	day       = 24 * time.Hour
	every     = time.Hour
	jump      = day              // a clock that moved further since the last run is doubted,
	astray    = 10 * time.Minute // and one that moved so much further than time went by while this process looked
	secondRun = 30 * time.Minute // how soon a second run may confirm a doubted clock
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
	Doubted time.Time `vault:"doubted_at,state"`              // the clock had jumped; zero when it is trusted
	Removed int       `vault:"removed,state"`                 // rows, by the last run that removed any
	Failed  []string  `vault:"failed,tenant:tenant.settings"` // classes that the last run could not end
}

var (
	limits = vault.Define[Limit]("retention_limits", vault.Purpose("keeping data as long as the tenant decided"), vault.KeepWhile("as long as the account"))
	runs   = vault.Define[run]("retention_runs", vault.Purpose("never deleting early"), vault.KeepWhile("as long as the account"))
)

var (
	readers   = vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor)
	actRead   = vault.Act("retention.read", purpose.Duty, readers, vault.Scope("privacy:read"), vault.System())
	actSet    = vault.Act("retention.set", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO), vault.Scope("privacy:write"))
	actAsk    = vault.Act("retention.sweep_now", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO))
	actSweep  = vault.Act("retention.sweep", purpose.Storage, vault.System(), vault.Patient())
	actRun    = vault.Act("retention.run", purpose.Storage, vault.System())
	actSeen   = vault.Act("connection.record", purpose.Security, vault.System())
	actReview = vault.Act("connection.read", purpose.Security, vault.Roles(vault.Owner, vault.Administrator, vault.Auditor), vault.System(), vault.Reads())
)

// Config is what the service must know of others.
type Config struct {
	Files string   // the table whose rows people attach files to: a file is kept as long as those
	Inner []string // tables that only the installation has rows in: tenants neither see nor set how long those are kept
	// Held are the people whose data a legal hold keeps; nil when there are no holds.
	Held func(*vault.Tx) ([]ids.Subject, error)
	// Keepers are those in whose names holds keep what was copied when people were erased; nil when there are no holds.
	Keepers func(*vault.Tx) ([]ids.Subject, error)
}

// Service sweeps.
type Service struct {
	vault  *vault.Vault
	config Config
	queue  *jobs.Jobs

	connections
	mu    sync.Mutex
	stage map[ids.Tenant]Stage
	looks map[ids.Tenant]look
}

// look is when this process last asked whether to believe the clock, by the clock and by how long it ran.
type look struct {
	at  time.Time
	ran time.Duration
}

// Stage is how far a sweep is that runs now.
type Stage struct {
	Class   string
	Removed int
}

// New makes the service.
func New(v *vault.Vault, c Config) *Service {
	return &Service{vault: v, config: c, connections: newConnections(), stage: map[ids.Tenant]Stage{}, looks: map[ids.Tenant]look{}}
}

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "retention",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{limits, Exceptions, runs, Connections},
		Actions:    []*vault.Action{actRead, actSet, actExcept, actDecide, actEnd, actAsk, actSweep, actRun, actSeen, actReview},
		API:        s.api,
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

var errNoClass = errs.New(errs.NotFound, "There is no such class of data.")

// settable finds a class whose time the tenant sets, and how many days it may be.
func (s *Service) settable(class string) (c Class, most int, err error) {
	for _, c := range s.declared(ids.Tenant{}) {
		if c.Name == class && c.Follows == "" {
			most = longest
			if c.Cap > 0 {
				most = int(c.Cap / day)
			}
			return c, most, nil
		}
	}
	return Class{}, 0, errNoClass
}

// SetLimit decides how many days a class is kept in the actor's tenant; zero goes back to the default.
func (s *Service) SetLimit(ctx context.Context, actor vault.Actor, class string, days int) error {
	if err := s.possible(class, days); err != nil {
		return err
	}
	return s.vault.Do(ctx, actor, actSet, func(tx *vault.Tx) error { return set(tx, class, days) })
}

// SetSchedule replaces the tenant's own times. Classes that are not named go back to their defaults.
func (s *Service) SetSchedule(ctx context.Context, actor vault.Actor, days map[string]int) error {
	for class, n := range days {
		if err := s.possible(class, n); err != nil {
			return err
		}
	}
	return s.vault.Do(ctx, actor, actSet, func(tx *vault.Tx) error {
		own, err := limits.Find(tx, "ORDER BY class")
		for _, l := range own {
			if _, named := days[l.Class]; !named && err == nil {
				err = set(tx, l.Class, 0)
			}
		}
		for _, class := range slices.Sorted(maps.Keys(days)) {
			if err == nil {
				err = set(tx, class, days[class])
			}
		}
		return err
	})
}

func (s *Service) possible(class string, days int) error {
	_, most, err := s.settable(class)
	if err == nil && (days < 0 || days > most) {
		err = errs.New(errs.Invalid, "This time is not possible.", errs.Field{Field: class, Code: "range", Message: fmt.Sprintf("Give 1 to %d days, or leave it empty for the default.", most)})
	}
	return err
}

func set(tx *vault.Tx, class string, days int) error {
	tx.Emit(vault.Event{Kind: "retention.changed", Object: class, N: int64(days)}, nil)
	if days > 0 {
		return limits.Put(tx, Limit{Class: class, Days: days, SetAt: tx.Now()})
	}
	if err := limits.Delete(tx, class); err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return nil
}
