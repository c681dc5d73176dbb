// Package imports brings lists of people into the contacts: a CSV file is read, tried without writing anything, and then
// stored in small transactions by a job that a crash interrupts without loss and without doubling anybody.
//
// The file is kept sealed, for a week at most. It is about many people and nobody knows which, so no erasure can take one
// person out of it: whenever somebody is erased, every file that was sent before goes, and its import ends. Programs that
// keep people up to date should use the API instead.
package imports

import (
	"context"
	"embed"
	"slices"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 41

type importing struct{}

func (importing) Prefix() string { return "imp" }

// ID names an import.
type ID = ids.Of[importing]

// State is how far an import has come.
type State string

// The states, in their order.
const (
	Mapping   State = "mapping"   // the file is here; its columns must be named
	Trying    State = "trying"    // every row is read and nothing written
	Tried     State = "tried"     // what would happen is known
	Running   State = "running"   // people are stored
	Done      State = "done"      //
	Cancelled State = "cancelled" // what was stored stays
	Failed    State = "failed"    // it could not go on; what was stored stays
	Overtaken State = "overtaken" // somebody was erased since, who may be in the file; what was stored stays
)

// Ended tells whether nothing will happen any more.
func (s State) Ended() bool { return s == Done || s == Cancelled || s == Failed || s == Overtaken }

// Works tells whether the job is at it.
func (s State) Works() bool { return s == Trying || s == Running }

// Import is one list of people.
type Import struct {
	ID        ID              `vault:"id,key"`
	Author    ids.User        `vault:"author,state"`
	State     State           `vault:"state,state"`
	File      ids.Object      `vault:"file,state"`   // what was sent, as UTF-8; gone when the import has ended
	Report    ids.Object      `vault:"report,state"` // the rows that were refused, as CSV
	Name      string          `vault:"name,tenant:tenant.content"`
	Encoding  string          `vault:"encoding,state"` // what the file was written in
	Delimiter string          `vault:"delimiter,state"`
	Columns   []Column        `vault:"columns,tenant:tenant.content"`
	Ground    identity.Ground `vault:"ground,tenant:tenant.content"` // on which the people are kept, as the importer asserts
	Country   string          `vault:"country,tenant:tenant.settings"`
	Label     contacts.TagID  `vault:"label,state"` // put on everybody
	Total     int             `vault:"total,state"` // rows in the file
	Rows      int             `vault:"done,state"`  // rows dealt with
	Made      int             `vault:"made,state"`
	Changed   int             `vault:"changed,state"`
	Refused   int             `vault:"refused,state"`
	CreatedAt time.Time       `vault:"created_at,state"`
	StartedAt time.Time       `vault:"started_at,state"`
	EndedAt   time.Time       `vault:"ended_at,state"`
}

// Column is a column of the file and the field that it fills; "" for none.
type Column struct {
	Header string   `json:"header"`
	Field  string   `json:"field"`
	First  []string `json:"first"` // its first cells, to show what it holds
}

// pass is one way through the file.
type pass string

const (
	trialPass pass = "trial"
	realPass  pass = "real"
)

// Fault is a row that cannot be stored, and why.
type Fault struct {
	Import  ID     `vault:"import,key"`
	Pass    pass   `vault:"pass,key"`
	Line    int    `vault:"line,key"` // in the file, the header is 1
	Field   string `vault:"field,state"`
	Message string `vault:"message,tenant:tenant.content"`
}

// keptFor is how long an import and its files are kept.
const keptFor = 7 * 24 * time.Hour

// The tables.
var (
	bringing = vault.Purpose("bringing lists of people into the contacts")
	Imports  = vault.Define[Import]("contact_imports", bringing, vault.KeepWhile("a week, so that the rows which were refused can be corrected"))
	Faults   = vault.Define[Fault]("contact_import_faults", bringing, vault.KeepWhile("as long as the import"))
)

var (
	staff     = vault.Roles(vault.Owner, vault.Administrator, vault.Operator)
	actRead   = vault.Act("contact_import.read", purpose.Workspace, staff, vault.System())
	actUpload = vault.Act("contact_import.upload", purpose.Workspace, staff)
	actStart  = vault.Act("contact_import.start", purpose.Workspace, staff)
	actCancel = vault.Act("contact_import.cancel", purpose.Workspace, staff)
	actReport = vault.Act("contact_import.download", purpose.Workspace, staff, vault.Reads())
	actRun    = vault.Act("contact_import.run", purpose.Sync, vault.System(), vault.Finds()) // who is there already is not stored twice, also of those who closed it
	actSweep  = vault.Act("contact_import.sweep", purpose.Storage, vault.System())
)

// Queue runs what is due.
type Queue interface {
	Enqueue(ctx context.Context, kind string, tenant ids.Tenant, id string, at time.Time) error
}

// Service keeps the imports.
type Service struct {
	vault *vault.Vault
	queue Queue
}

// New makes the service.
func New(v *vault.Vault, queue Queue) *Service { return &Service{v, queue} }

const (
	jobRun   = "contacts.import"
	jobSweep = "contacts.import_sweep"
)

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name: "contact-imports", Number: Number, Migrations: migrations,
		Tables:  []vault.AnyTable{Imports, Faults},
		Actions: []*vault.Action{actRead, actUpload, actStart, actCancel, actReport, actRun, actSweep},
		Jobs: func(j *jobs.Jobs) error {
			if err := j.Handle(jobs.Kind{Name: jobRun, Work: s.Work, OnDead: s.giveUp, Unique: true, Timeout: 15 * time.Minute,
				Retry: []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}}); err != nil {
				return err
			}
			return j.Every(jobSweep, time.Hour, s.Sweep)
		},
	}
}

// Get reads an import.
func (s *Service) Get(ctx context.Context, actor vault.Actor, id ID) (Import, error) {
	var i Import
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		i, err = Imports.Get(tx, id)
		return err
	})
	return i, err
}

// List reads the imports of the last week, newest first.
func (s *Service) List(ctx context.Context, actor vault.Actor) ([]Import, error) {
	var all []Import
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		all, err = Imports.Find(tx, "ORDER BY created_at DESC LIMIT 20")
		return err
	})
	return all, err
}

// Faults reads the first rows that were, or would be, refused.
func (s *Service) Faults(ctx context.Context, actor vault.Actor, id ID, limit int) ([]Fault, error) {
	var all []Fault
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		i, err := Imports.Get(tx, id)
		if err != nil {
			return err
		}
		all, err = Faults.Find(tx, "import = ? AND pass = ? ORDER BY line LIMIT ?", id, string(i.pass()), limit)
		return err
	})
	return all, err
}

// pass is the way through the file that the counts are about.
func (i Import) pass() pass {
	if i.State == Trying || i.State == Tried || i.State == Mapping {
		return trialPass
	}
	return realPass
}

// Now is the time by which an import's speed is measured.
func (s *Service) Now() time.Time { return s.vault.Now() }

// Plan is what the importer says about the file.
type Plan struct {
	Fields  []string        // of each column, "" for none
	Ground  identity.Ground // on which all of them are kept
	Country string          // two letters, or empty
	Label   contacts.TagID
}

// Try has every row read and tells afterwards what an import would do. It writes no person.
func (s *Service) Try(ctx context.Context, actor vault.Actor, id ID, p Plan) error {
	err := s.vault.Do(ctx, actor, actStart, func(tx *vault.Tx) error {
		i, err := Imports.Get(tx, id)
		if err != nil {
			return err
		}
		if i.State != Mapping && i.State != Tried {
			return errs.New(errs.Conflict, "This import has begun already.")
		}
		if err := i.plan(tx, p); err != nil {
			return err
		}
		i.begin(Trying, tx.Now())
		return Imports.Put(tx, i)
	})
	if err != nil {
		return err
	}
	return s.queue.Enqueue(ctx, jobRun, actor.Tenant(), id.String(), time.Time{})
}

// begin starts a way through the file.
func (i *Import) begin(state State, now time.Time) {
	i.State, i.StartedAt = state, now
	i.Rows, i.Made, i.Changed, i.Refused = 0, 0, 0, 0
}

// Start stores the people, as the trial said.
func (s *Service) Start(ctx context.Context, actor vault.Actor, id ID) error {
	i, err := s.Get(ctx, actor, id)
	if err != nil {
		return err
	}
	if i.State == Tried {
		if old, err := s.overtaken(ctx, actor.Tenant(), i); err != nil {
			return err
		} else if old {
			return errOvertaken
		}
	}
	err = s.vault.Do(ctx, actor, actStart, func(tx *vault.Tx) error {
		i, err := Imports.Get(tx, id)
		if err != nil {
			return err
		}
		if i.State != Tried {
			return errs.New(errs.Conflict, "This import cannot be started now.")
		}
		i.begin(Running, tx.Now())
		return Imports.Put(tx, i)
	})
	if err != nil {
		return err
	}
	return s.queue.Enqueue(ctx, jobRun, actor.Tenant(), id.String(), time.Time{})
}

// Cancel stops an import before its next rows. What was stored stays.
func (s *Service) Cancel(ctx context.Context, actor vault.Actor, id ID) error {
	return s.vault.Do(ctx, actor, actCancel, func(tx *vault.Tx) error {
		i, err := Imports.Get(tx, id)
		if err != nil {
			return err
		}
		switch {
		case i.State.Ended():
			return errs.New(errs.Conflict, "This import has ended.")
		case i.State == Trying:
			i.State = Mapping
			return Imports.Put(tx, i)
		}
		return s.end(tx, i, Cancelled)
	})
}

// end closes an import and lets go of its file, and of the cells that were shown of it: they are people's.
func (s *Service) end(tx *vault.Tx, i Import, state State) error {
	i.State, i.EndedAt = state, tx.Now()
	if !i.File.IsZero() {
		if err := s.vault.DeleteBlob(tx, i.File); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
	}
	i.File, i.Columns = ids.Object{}, slices.Clone(i.Columns)
	for n := range i.Columns {
		i.Columns[n].First = nil
	}
	return Imports.Put(tx, i)
}
