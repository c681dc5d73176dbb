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
	return &attack.Rig{Door: s.door, Attacker: &s.Side(South).Side, Victim: &s.Side(North).Side, Speak: s.speak(), Skip: s.world.Skip, Shared: s.world.Shared}
}

// speakEvery bounds how many messages the victim writes to be listened for.
const speakEvery = time.Hour

func (s *Service) speak() bool { return s.loud || s.vault.Now().Sub(s.spoke) >= speakEvery }

// Round attacks through every operation. pause is kept between two attempts, so that a round costs little; brief makes
// each operation's strongest attempt alone.
func (s *Service) Round(ctx context.Context, pause time.Duration, brief bool) (Report, error) {
	began := time.Now()
	if _, err := s.Await(ctx, North); err != nil {
		return Report{}, err
	}
	s.mu.Lock()
	s.loud = pause == 0
	plan, report, err := s.plan(ctx, brief)
	s.mu.Unlock()
	if err != nil {
		return report, err
	}
	for _, a := range plan {
		if err := s.one(ctx, a, &report); err != nil {
			return report, err
		}
		if pause > 0 {
			if err := wait(ctx, pause); err != nil {
				return report, err
			}
		}
	}
	if err := s.sockets(ctx, &report); err != nil {
		return report, err
	}
	report.Took, report.At = time.Since(began), s.vault.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if brief {
		s.last.brief = report
	} else {
		s.last.full = report
	}
	return report, nil
}

// plan makes the list of attempts, after both sides looked at what they have now.
func (s *Service) plan(ctx context.Context, brief bool) ([]attack.Attempt, Report, error) {
	ops := attack.Operations(s.world.Spec())
	r := s.rig()
	report := Report{Brief: brief, Missing: r.Missing(ops)}
	plan, err := r.Plan(ops)
	if err != nil {
		return nil, report, err
	}
	plan = append(plan, r.PlanRoutes(s.routes())...)
	seen := map[string]bool{}
	for _, a := range plan {
		seen[a.What] = true
	}
	report.Operations = len(seen)
	if brief {
		plan = strongest(plan)
	}
	return plan, report, nil
}

// strongest keeps, of each operation and caller, the attempt with most of the victim's identifiers: the last one.
func strongest(plan []attack.Attempt) []attack.Attempt {
	last := map[string]int{}
	for i, a := range plan {
		last[a.What+" "+a.As] = i
	}
	var out []attack.Attempt
	for i, a := range plan {
		if last[a.What+" "+a.As] == i {
			out = append(out, a)
		}
	}
	return out
}

const busyWait = 2 * time.Second

// one makes one attempt, and looks whether the victim's log grew by it.
func (s *Service) one(ctx context.Context, a attack.Attempt, report *Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, _, _, err := s.vault.Head(ctx, s.Side(North).Tenant)
	if err != nil {
		return err
	}
	found, err := s.rig().Try(ctx, a)
	for errors.Is(err, attack.ErrBusy) {
		if err := wait(ctx, busyWait); err != nil {
			return err
		}
		found, err = s.rig().Try(ctx, a)
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

// grown counts the entries of the victim's log since before that Aver itself did not make.
func (s *Service) grown(ctx context.Context, before int64) (int, error) {
	entries, err := s.vault.Entries(ctx, s.Side(North).Tenant, before, 100)
	n := 0
	for _, e := range entries {
		if vault.ActorKind(e.ActorKind) != vault.AsSystem {
			n++
		}
	}
	return n, err
}

// sockets attacks over every socket, and over the event stream.
func (s *Service) sockets(ctx context.Context, report *Report) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, _, _, err := s.vault.Head(ctx, s.Side(North).Tenant)
	if err != nil {
		return err
	}
	for _, socket := range s.world.Sockets {
		n, found, err := s.rig().TrySocket(ctx, socket)
		if err != nil {
			return fmt.Errorf("attack over the socket %s: %w", socket.Path, err)
		}
		report.Attempts, report.Operations = report.Attempts+n, report.Operations+len(socket.Ops)
		report.Findings = append(report.Findings, found...)
		if socket.Stream != "" {
			report.Attempts++
			finding, err := s.rig().TryStream(ctx, socket.Stream, "channel", "conversation")
			if err != nil {
				return fmt.Errorf("attack over the stream %s: %w", socket.Stream, err)
			}
			if finding != nil {
				report.Findings = append(report.Findings, *finding)
			}
		}
	}
	grown, err := s.grown(ctx, before)
	if s.speak() {
		grown, s.spoke = max(grown-len(s.world.Sockets), 0), s.vault.Now() // what the victim wrote itself
	}
	report.Writes += grown
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
		if _, err := s.Round(ctx, pace, false); err != nil && ctx.Err() == nil {
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
