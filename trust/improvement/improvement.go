// Package improvement makes sets of transcripts from which a tenant may learn, and in which nobody is to be found (promise
// ret-2).
//
// A tenant switches it on. A set has the conversations of people who agreed to that purpose and have not closed it: the
// vault shows no others. What identifies somebody is taken out by package base/redact, what is known of those who take
// part first; then package crowd hides each transcript among those of at least five people. Identifiers are drawn by
// chance and no map is kept, so a set cannot be mended when somebody objects later; the next one is made without them,
// and every set is gone after two weeks. A set is called anonymised only while what was measured says so, and
// pseudonymised otherwise. Nobody should use a set to find out about a person: that is what it is made against.
package improvement

import (
	"context"
	"embed"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/base/redact"
	"aver/base/redact/corpus"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/trust/improvement/crowd"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 19

type set struct{}

func (set) Prefix() string { return "ims" }

// SetID names a set.
type SetID = ids.Of[set]

// State is how far a set is.
type State string

// The states.
const (
	Waiting State = "waiting"
	Working State = "working"
	Done    State = "done"
	Failed  State = "failed"
)

// Label is what a set may be called: the opinion WP 216 of the Article 29 working party asks whether somebody can be singled out,
// linked or inferred.
type Label string

// The labels.
const (
	Anonymised    Label = "anonymised"
	Pseudonymised Label = "pseudonymised"
)

// What must have been measured of the recognisers before a set is called anonymised, as shares of what there was to find.
const (
	RecallGoal     = 0.95 // of everything, names and addresses too
	StructuredGoal = 0.99 // of what can be told by its form
)

type setting struct {
	Name    string    `vault:"name,key"`
	Enabled bool      `vault:"enabled,state"`
	At      time.Time `vault:"changed_at,state"`
}

// Set is one set and what was measured when it was made.
type Set struct {
	ID          SetID     `vault:"id,key"`
	Author      ids.User  `vault:"author,state"`
	State       State     `vault:"state,state"`
	MadeAt      time.Time `vault:"made_at,state,keep"`
	EndedAt     time.Time `vault:"ended_at,state"`
	Looked      int       `vault:"looked,state"`      // conversations of people who agreed
	People      int       `vault:"people,state"`      // in the set
	Transcripts int       `vault:"transcripts,state"` // in the set
	Messages    int       `vault:"messages,state"`
	Rare        int       `vault:"rare,state"`       // words that too few used
	Alike       int       `vault:"alike,state"`      // the fewest people who look alike
	Shared      int       `vault:"shared,state"`     // the fewest people who share a word
	Recall      int       `vault:"recall,state"`     // of everything, in ten thousandths
	Structured  int       `vault:"structured,state"` // of what can be told by its form, in ten thousandths
}

// Label is what the set may be called by what was measured.
func (s Set) Label() Label {
	if s.Alike >= crowd.K && s.Shared >= crowd.K && s.Recall >= RecallGoal*parts && s.Structured >= StructuredGoal*parts {
		return Anonymised
	}
	return Pseudonymised
}

const parts = 10_000

type transcript struct {
	ID      ids.Object `vault:"id,key"`
	Set     SetID      `vault:"part_of,state"`
	Content []byte     `vault:"content,tenant:tenant.content"` // a line of JSON
	At      time.Time  `vault:"made_at,state,keep"`
}

const keepSets = 14 * 24 * time.Hour

var (
	learning    = vault.Purpose("learning from conversations in which nobody is to be found")
	settings    = vault.Define[setting]("improvement_settings", learning, vault.KeepWhile("as long as the account"))
	sets        = vault.Define[Set]("improvement_sets", learning, vault.KeepFor(keepSets))
	transcripts = vault.Define[transcript]("improvement_transcripts", learning, vault.KeepFor(keepSets))
)

var (
	deciders  = vault.Roles(vault.Owner, vault.Administrator, vault.DPO)
	actRead   = vault.Act("improvement.read", purpose.Workspace, vault.Roles(vault.Owner, vault.Administrator, vault.DPO, vault.Auditor), vault.Scope("privacy:read"), vault.System())
	actSwitch = vault.Act("improvement.switch", purpose.Workspace, deciders, vault.Scope("privacy:write"), vault.System())
	actAsk    = vault.Act("improvement.make", purpose.Workspace, deciders, vault.Scope("privacy:write"), vault.System())
	actRemove = vault.Act("improvement.remove", purpose.Workspace, deciders, vault.Scope("privacy:write"), vault.System())
	actTake   = vault.Act("improvement.take", purpose.Improvement, deciders, vault.Scope("privacy:read"), vault.System(), vault.Reads())
	actBuild  = vault.Act("improvement.build", purpose.Improvement, vault.System())
)

// Conversation is one with a person, as whoever keeps it gives it.
type Conversation struct {
	ID       ids.Conversation
	Person   ids.Contact // of several that are one person, the same for all
	At       time.Time
	Language string
	Channel  string
	Company  personal.Text
	About    redact.Person // what is known of the person
	Lines    []Line
}

// Line is a message of a conversation.
type Line struct {
	From string
	Text personal.Text
}

// Source reads conversations, newest first from one on (the zero ID: from the newest), at most so many. It reads in a transaction that
// shows only people who agreed to the purpose.
type Source func(tx *vault.Tx, before ids.Conversation, most int) ([]Conversation, error)

// Staff names those who work for a tenant.
type Staff interface {
	List(ctx context.Context, actor vault.Actor) ([]identity.User, error)
}

// Service makes sets.
type Service struct {
	vault  *vault.Vault
	source Source
	staff  Staff
	queue  *jobs.Jobs
}

// New makes the service.
func New(v *vault.Vault, source Source, staff Staff, queue *jobs.Jobs) *Service {
	return &Service{v, source, staff, queue}
}

// Module says what the module brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name:       "improvement",
		Number:     Number,
		Migrations: migrations,
		Tables:     []vault.AnyTable{settings, sets, transcripts},
		Actions:    []*vault.Action{actRead, actSwitch, actAsk, actRemove, actTake, actBuild},
		API:        s.api,
		Routes:     s.routes,
		Settings:   []module.Link{{Path: home, Title: "Improvement sets", About: "Transcripts to learn from, in which nobody is to be found.", For: actRead}},
		Jobs:       s.jobs,
	}
}

const buildKind = "improvement.build"

func (s *Service) jobs(j *jobs.Jobs) error {
	return j.Handle(jobs.Kind{Name: buildKind, Work: s.work, OnDead: s.dead, Timeout: 30 * time.Minute, Retry: []time.Duration{time.Minute, 10 * time.Minute}})
}

// Columns are what is stored of a transcript: for whoever checks that nothing leads back.
func Columns() []vault.Column { return transcripts.Columns() }

// Enabled tells whether the actor's tenant has switched it on.
func (s *Service) Enabled(ctx context.Context, actor vault.Actor) (on bool, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		on, err = enabled(tx)
		return err
	})
	return on, err
}

func enabled(tx *vault.Tx) (bool, error) {
	s, err := settings.Get(tx, "improvement")
	if errs.Is(err, errs.NotFound) {
		err = nil
	}
	return s.Enabled, err
}

// Switch turns it on or off for the actor's tenant. Off removes all sets: what was learnt from cannot be unlearnt, but nothing more is
// taken from them.
func (s *Service) Switch(ctx context.Context, actor vault.Actor, on bool) error {
	err := s.vault.Do(ctx, actor, actSwitch, func(tx *vault.Tx) error {
		return settings.Put(tx, setting{Name: "improvement", Enabled: on, At: tx.Now()})
	})
	if err != nil || on {
		return err
	}
	for {
		all, err := s.List(ctx, actor)
		if err != nil || len(all) == 0 {
			return err
		}
		for _, set := range all {
			if err := s.Remove(ctx, actor, set.ID); err != nil && !errs.Is(err, errs.NotFound) {
				return err
			}
		}
	}
}

// Measured is what the recognisers find of the corpus that Aver makes: of everything and of what can be told by its form.
func Measured() (recall, structured float64, spans int) {
	m := corpus.Run(corpus.Make(1, corpus.Size), corpus.Knowing)
	return m.Overall.Recall(), m.Structured.Recall(), m.Overall.All()
}
