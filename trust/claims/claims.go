// Package claims measures the promises: it runs each claim's probe when it is due or when something happened that
// concerns it, keeps what was found, and tells how the promises stand.
//
// Results are rows of the installation, and every run is an entry of the installation's log besides. A result that is
// taken out of the store is therefore noticed, and a promise that failed stays one that failed. What a claim is, and
// how it is checked, is said in frame/claim; the probes are in trust/probes and in the modules.
package claims

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Number is this module's number among those that bring migrations.
const Number = 12

// keepRuns is how long results are kept; it is the length of the bars on the trust page.
const keepRuns = Days * 24 * time.Hour

// Run is one measurement of one claim. Rows belong to ids.Installation.
type Run struct {
	Claim    string         `vault:"claim,key"`
	Seq      int64          `vault:"seq,key"` // counts up from 1
	At       time.Time      `vault:"measured_at,state,keep"`
	State    claim.State    `vault:"state,state"`   // holds, failing, or unknown when the probe itself failed
	Changed  bool           `vault:"changed,state"` // the run before found something else
	Took     int64          `vault:"took_us,state"` // microseconds
	Evidence claim.Evidence `vault:"evidence,tenant:system.operations"`
	Fault    string         `vault:"fault,tenant:system.operations"` // why the probe could not measure
}

// Runs is the table of results.
var Runs = vault.Define[Run]("claim_runs", vault.Purpose("showing whether the promises of the trust page hold"), vault.KeepFor(keepRuns))

var (
	actMeasure = vault.Act("claim.measure", purpose.Duty, vault.System())
	actRead    = vault.Act("claim.read", purpose.Duty, vault.System())
	actThin    = vault.Act("claim.thin", purpose.Duty, vault.System())
)

// Service measures claims and remembers.
type Service struct {
	vault *vault.Vault
	least time.Duration
	log   *slog.Logger

	mu      sync.Mutex
	claims  []claim.Claim
	urgent  map[string]bool
	busy    map[string]bool
	bell    chan struct{}
	board   *Board
	history history
}

// New makes the service. least is the shortest time between two scheduled runs of one claim, for busy or small
// machines; zero leaves each claim its own.
func New(v *vault.Vault, least time.Duration, log *slog.Logger) *Service {
	return &Service{vault: v, least: least, log: log, urgent: map[string]bool{}, busy: map[string]bool{}, bell: make(chan struct{}, 1), history: newHistory()}
}

// Add declares claims, in the order in which they are shown. Call it before Start.
func (s *Service) Add(list ...claim.Claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = append(s.claims, list...)
	s.board = nil
}

// All lists the claims.
func (s *Service) All() []claim.Claim {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.claims)
}

// Find returns the claim with this id; errs.NotFound if there is none.
func (s *Service) Find(id string) (claim.Claim, error) {
	for _, c := range s.All() {
		if c.ID == id {
			return c, nil
		}
	}
	return claim.Claim{}, errs.New(errs.NotFound, "There is no claim "+strconv.Quote(id)+".")
}

// Module is what the service brings.
func (s *Service) Module() module.Module {
	return module.Module{
		Name: "claims", Number: Number, Migrations: migrations,
		Tables:  []vault.AnyTable{Runs},
		Actions: []*vault.Action{actMeasure, actRead, actThin},
		Jobs:    s.jobs,
	}
}

const turn = 5 * time.Second // how often due claims are looked for

func (s *Service) jobs(j *jobs.Jobs) error {
	if err := j.Every("claims.due", turn, s.RunDue); err != nil {
		return err
	}
	return j.Every("claims.keep", time.Hour, s.KeepHouse)
}

func system() vault.Actor { return identity.System(ids.Installation, "claims") }

func (s *Service) view(ctx context.Context, fn func(*vault.Tx) error) error {
	return s.vault.View(ctx, system(), actRead, fn)
}

// Run measures one claim now and keeps the result.
func (s *Service) Run(ctx context.Context, id string) (Run, error) {
	c, err := s.Find(id)
	if err != nil {
		return Run{}, err
	}
	r := Measure(ctx, c)
	if err := ctx.Err(); err != nil {
		return r, fmt.Errorf("measure %s: %w", id, err)
	}
	if err := s.store(ctx, &r); err != nil {
		return r, fmt.Errorf("keep the result of %s: %w", id, err)
	}
	s.mu.Lock()
	s.board = nil
	s.mu.Unlock()
	return r, nil
}

// Measure runs a claim's probe and keeps nothing. A probe that fails or panics has not measured.
func Measure(ctx context.Context, c claim.Claim) Run {
	within := c.Within
	if within == 0 {
		within = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	began := time.Now()
	e, err := attempt(ctx, c.Probe)
	r := Run{Claim: c.ID, State: claim.Failing, Took: time.Since(began).Microseconds(), Evidence: e}
	switch {
	case err != nil:
		r.State, r.Fault = claim.Unknown, err.Error()
	case e.Holds:
		r.State = claim.Holds
	}
	return r
}

func attempt(ctx context.Context, probe func(context.Context) (claim.Evidence, error)) (e claim.Evidence, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the probe panicked: %v", fault)
		}
	}()
	return probe(ctx)
}

// store writes the result and its news.
func (s *Service) store(ctx context.Context, r *Run) error {
	next := s.history.next(r.Claim) // the number of a result that was taken away is not used again
	return s.vault.Do(ctx, system(), actMeasure, func(tx *vault.Tx) error {
		last, err := Runs.Find(tx, "claim = ? ORDER BY seq DESC LIMIT 1", r.Claim)
		if err != nil {
			return err
		}
		r.Seq, r.At, r.Changed = 1, tx.Now(), true
		if len(last) > 0 {
			r.Seq, r.Changed = last[0].Seq+1, last[0].State != r.State
		}
		r.Seq = max(r.Seq, next)
		tx.Emit(vault.Event{Kind: measured, Object: r.Claim + "/" + string(r.State), N: r.Seq}, nil)
		if kind := changes[r.State]; r.Changed && kind != "" {
			tx.Emit(vault.Event{Kind: kind, Object: r.Claim, N: r.Seq}, nil)
		}
		return Runs.Add(tx, *r)
	})
}

// The kinds of events. One of the first is in the log for every run, one of the others when a claim's state changed.
const measured = "claim.measured"

var changes = map[claim.State]string{claim.Holds: "claim.held", claim.Failing: "claim.failed"}

// every is a claim's clock.
func (s *Service) every(c claim.Claim) time.Duration { return max(c.Every, s.least) }

// jitter spreads claims of the same clock over a tenth of it, always in the same way.
func jitter(c claim.Claim, every time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(c.ID))
	return every * time.Duration(h.Sum32()%1000) / 10_000
}

// concerns tells whether news of this kind is a reason to measure the claim. A kind that ends with a dot stands for all
// that begin with it.
func concerns(c claim.Claim, kind string) bool {
	return slices.ContainsFunc(c.On, func(on string) bool {
		return on == kind || strings.HasSuffix(on, ".") && strings.HasPrefix(kind, on)
	})
}
