package canary

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aver/trust/canary/attack"
	"aver/vault"
	"aver/vault/journal"
)

// Report is what a round of attacks found.
type Report struct {
	At         time.Time // when the round ended; zero before the first
	Took       time.Duration
	Attempts   int
	Operations int // of the API, of pages and of sockets
	Findings   []attack.Finding
	Writes     int      // changes in the victim that neither it nor Aver itself made
	Missing    []string // slots for which the victim has nothing: attacks on them prove nothing
	Brief      bool     // each operation once, rather than every choice of slots
}

// Holds tells whether nothing got across.
func (r Report) Holds() bool { return len(r.Findings) == 0 && r.Writes == 0 }

type report struct {
	full, brief Report
}

// Last is the last full round, or the last brief one while there was none.
func (s *Service) Last() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.full.At.IsZero() {
		return s.last.brief
	}
	return s.last.full
}

// rig is the attacker, the victim and the way in.
func (s *Service) rig() *attack.Rig {
	return &attack.Rig{Door: s.door, Attacker: &s.Side(South).Side, Victim: &s.Side(North).Side, Speak: s.speak(), Skip: s.world.Skip, Chosen: s.world.Chosen, Shared: s.world.Shared}
}

// speakEvery bounds how many messages the victim writes to be listened for.
const speakEvery = time.Hour

func (s *Service) speak() bool { return s.loud || s.vault.Now().Sub(s.spoke) >= speakEvery }

// Control is an operation that the victim tried on its own things.
type Control struct {
	What   string
	Status int
}

// Controls lets the victim do everything to its own things, what reads first and what takes away last. It is for tests:
// afterwards the victim is no longer what it was.
func (s *Service) Controls(ctx context.Context) ([]Control, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Control
	for _, o := range attack.ByHarm(attack.Operations(s.world.Spec())) {
		if s.world.Skip[o.String()] != "" {
			continue
		}
		status, err := s.rig().Control(ctx, o, attack.Owner, s.world.Bodies[o.String()])
		if err != nil {
			return out, err
		}
		out = append(out, Control{o.String(), status})
	}
	return out, nil
}

// Options say how a round is made.
type Options struct {
	Pause time.Duration          // between two attempts, so that a round costs little
	Brief bool                   // of each operation the strongest attempt alone
	Only  func(what string) bool // operations that are attacked; all if nil
}

// Round attacks through every operation.
func (s *Service) Round(ctx context.Context, o Options) (Report, error) {
	began := time.Now()
	if _, err := s.Await(ctx, North); err != nil {
		return Report{}, err
	}
	s.mu.Lock()
	s.loud = o.Pause == 0
	rig := s.rig()
	targets, report := s.targets(rig, o)
	s.mu.Unlock()
	for _, target := range targets {
		attempts := s.plan(target, o)
		report.Operations += min(1, len(attempts))
		for _, a := range attempts {
			if err := s.one(ctx, rig, a, &report); err != nil {
				return report, err
			}
			if o.Pause == 0 {
				continue
			}
			if err := wait(ctx, o.Pause); err != nil {
				return report, err
			}
		}
	}
	if err := s.sockets(ctx, rig, o, &report); err != nil {
		return report, err
	}
	report.Took, report.At = time.Since(began), s.vault.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case o.Only != nil:
	case o.Brief:
		s.last.brief = report
	default:
		s.last.full = report
	}
	return report, nil
}

// A target is an operation of the API or a route: it plans the attempts on it.
type target func() []attack.Attempt

// targets are all that is attacked. Each is planned when its turn comes: all attempts together would lie in memory for as
// long as the round takes.
func (s *Service) targets(r *attack.Rig, o Options) (all []target, report Report) {
	ops := attack.Operations(s.world.Spec())
	for _, op := range ops {
		all = append(all, func() []attack.Attempt { return r.Plan([]*attack.Operation{op}) })
	}
	for _, route := range s.routes() {
		all = append(all, func() []attack.Attempt { return r.PlanRoutes([]attack.Route{route}) })
	}
	return all, Report{Brief: o.Brief, Missing: r.Missing(ops)}
}

// plan lists the attempts on a target.
func (s *Service) plan(t target, o Options) []attack.Attempt {
	s.mu.Lock()
	plan := t()
	s.mu.Unlock()
	if o.Only != nil {
		plan = slices.DeleteFunc(plan, func(a attack.Attempt) bool { return !o.Only(a.What) })
	}
	if o.Brief {
		plan = strongest(plan)
	}
	return plan
}

// strongest keeps, of each caller's attempts on a target, the one with most of the victim's identifiers: the last one.
func strongest(plan []attack.Attempt) []attack.Attempt {
	last := map[string]int{}
	for i, a := range plan {
		last[a.As] = i
	}
	var out []attack.Attempt
	for i, a := range plan {
		if last[a.As] == i {
			out = append(out, a)
		}
	}
	return out
}

const busyWait = 2 * time.Second

// one makes one attempt, and looks whether the victim's log grew by it.
func (s *Service) one(ctx context.Context, rig *attack.Rig, a attack.Attempt, report *Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, _, _, err := s.vault.Head(ctx, s.Side(North).Tenant)
	if err != nil {
		return err
	}
	found, err := rig.Try(ctx, a)
	for errors.Is(err, attack.ErrBusy) {
		if err := wait(ctx, busyWait); err != nil {
			return err
		}
		found, err = rig.Try(ctx, a)
	}
	if err != nil {
		return fmt.Errorf("attack through %s: %w", a.What, err)
	}
	report.Attempts++
	if found != nil {
		report.Findings = append(report.Findings, *found)
	}
	grown, err := s.grown(ctx, before)
	report.Writes += grown
	if grown > 0 {
		report.Findings = append(report.Findings, attack.Finding{What: a.What, As: a.As, Slots: a.Slots, Why: "something was changed in the other tenant"})
	}
	return err
}

// unprompted are the parts of Aver that write by themselves, whoever calls what. Public pages and the web chat write as
// parts too, for a tenant that the request names: those are not here, for an attack may be behind them.
var unprompted = map[string]bool{
	"retention": true, "audit": true, "keys": true, "connections": true, "backups": true, "probes": true, // what is due
	"inbox": true, "import": true, "webhooks": true, "idempotency": true, // jobs, and sweeps
}

// alsoUnprompted are single acts of other parts: a job that ends a copy which the victim asked for, and the note that a
// credential of the victim's was used, by the victim.
var alsoUnprompted = map[string]bool{"rights person.copy": true, "rights privacy_request.finish": true, "rights privacy_request.pass": true, "rights privacy_request.forget": true, "identity credential.use": true}

// grown counts the entries of the victim's log since before that Aver did not make by itself.
func (s *Service) grown(ctx context.Context, before int64) (int, error) {
	entries, err := s.vault.Entries(ctx, s.Side(North).Tenant, before, 100)
	return prompted(entries), err
}

// prompted counts the entries that somebody's request made.
func prompted(entries []journal.Entry) int {
	n := 0
	for _, e := range entries {
		bySelf := unprompted[e.ActorName] || alsoUnprompted[e.ActorName+" "+e.Action]
		if vault.ActorKind(e.ActorKind) != vault.AsSystem || !bySelf {
			n++
		}
	}
	return n
}

// sockets attacks over every socket, and over the event stream.
func (s *Service) sockets(ctx context.Context, rig *attack.Rig, o Options, report *Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, _, _, err := s.vault.Head(ctx, s.Side(North).Tenant)
	if err != nil {
		return err
	}
	for _, socket := range s.world.Sockets {
		if o.Only != nil && !o.Only(socket.Path) {
			continue
		}
		n, found, err := rig.TrySocket(ctx, socket)
		if err != nil {
			return fmt.Errorf("attack over the socket %s: %w", socket.Path, err)
		}
		report.Attempts, report.Operations = report.Attempts+n, report.Operations+len(socket.Ops)
		report.Findings = append(report.Findings, found...)
		if socket.Stream != "" {
			report.Attempts++
			finding, err := rig.TryStream(ctx, socket.Stream, "channel", "conversation")
			if err != nil {
				return fmt.Errorf("attack over the stream %s: %w", socket.Stream, err)
			}
			if finding != nil {
				report.Findings = append(report.Findings, *finding)
			}
		}
	}
	grown, err := s.grown(ctx, before)
	if rig.Spoken > 0 {
		s.spoke = s.vault.Now()
	}
	report.Writes += grown - rig.Spoken
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// pace is how long the attacker waits between two attempts, each of which is two requests: about two requests a second.
const pace = time.Second

// Run attacks, round after round, until the context ends.
func (s *Service) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if _, err := s.Round(ctx, Options{Pause: pace}); err != nil && ctx.Err() == nil {
			s.log.Warn("a round of the canaries' attacks did not end", "error", err)
			if wait(ctx, time.Minute) != nil {
				return
			}
			s.renew(ctx)
		}
	}
}

// renew signs the canaries in again, when their sessions have ended.
func (s *Service) renew(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.openBoth(ctx); err != nil {
		s.log.Warn("the canaries cannot be opened again", "error", err)
	}
}

// Uncovered lists what the attacks cannot reach, for a test: parts of the API that are not described, members of
// sockets' operations that do not say what they refer to.
func (s *Service) Uncovered() []string {
	out := attack.Undescribed(s.world.Spec())
	for _, socket := range s.world.Sockets {
		for name, op := range socket.Ops {
			_, _, loose := attack.SocketSlots(name, op)
			for _, member := range loose {
				out = append(out, socket.Path+" "+member)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Words puts findings into one text, for a test or a page. There is no data in it.
func (r Report) Words() string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}
