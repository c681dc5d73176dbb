package claims

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aver/frame/claim"
)

// Line is a claim as commands and programs see it.
type Line struct {
	ID         string              `json:"id"`
	Theme      string              `json:"theme"`
	Sentence   string              `json:"sentence"`
	Predicate  string              `json:"predicate"`
	Kind       claim.Kind          `json:"kind"`
	State      claim.State         `json:"state"`
	Since      *time.Time          `json:"since,omitempty"`
	MeasuredAt *time.Time          `json:"measured_at,omitempty"`
	FreshFor   int                 `json:"fresh_for_seconds"`
	Owner      string              `json:"owner"`
	References claim.References    `json:"references"`
	Took       int64               `json:"took_milliseconds"`
	Figures    map[string]string   `json:"figures,omitempty"`
	Saw        []claim.Observation `json:"observations,omitempty"`
	Fault      string              `json:"fault,omitempty"`
	Removed    int                 `json:"results_removed,omitempty"`
}

// LineOf puts a standing into a line. With all it carries what the probe saw.
func LineOf(st Standing, all bool) Line {
	c := st.Claim
	l := Line{ID: c.ID, Theme: c.Theme, Sentence: c.Sentence(st.Last.Evidence), Predicate: c.Predicate, Kind: c.Kind, State: st.State,
		FreshFor: int(c.FreshFor / time.Second), Owner: c.Owner, References: c.Refs, Took: st.Last.Took / 1000, Figures: st.Last.Evidence.Figures, Removed: st.Removed}
	if !st.Last.At.IsZero() {
		l.Since, l.MeasuredAt = &st.Since, &st.Last.At
	}
	if all {
		l.Saw, l.Fault = st.Last.Evidence.Observations, st.Last.Fault
	}
	return l
}

// List is how all promises stand.
func (s *Service) List(ctx context.Context) ([]Line, error) {
	if err := s.ReadLog(ctx); err != nil {
		return nil, err
	}
	b, err := s.Board(ctx)
	lines := make([]Line, 0, len(b.Standings))
	for _, st := range b.Standings {
		lines = append(lines, LineOf(st, false))
	}
	return lines, err
}

// Show is one promise with what its last probe saw.
func (s *Service) Show(ctx context.Context, id string) (Line, error) {
	if _, err := s.Find(id); err != nil {
		return Line{}, err
	}
	b, err := s.Board(ctx)
	if err != nil {
		return Line{}, err
	}
	st, _ := b.Find(id)
	return LineOf(st, true), nil
}

// Verify measures the named claims, or all, now, and keeps the results. A claim that does not hold is no error here:
// the lines tell.
func (s *Service) Verify(ctx context.Context, named ...string) ([]Line, error) {
	if len(named) == 0 {
		for _, c := range s.All() {
			named = append(named, c.ID)
		}
	}
	lines := make([]Line, 0, len(named))
	for _, id := range named {
		if _, err := s.Run(ctx, id); err != nil {
			return lines, err
		}
		l, err := s.Show(ctx, id)
		if err != nil {
			return lines, err
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// Mutation is a world broken on purpose, and whether the claim's probe noticed.
type Mutation struct {
	Claim   string `json:"claim"`
	Broken  string `json:"broken"`
	Noticed bool   `json:"noticed"`
	Saw     string `json:"saw"` // the first thing that did not hold, or why the probe could not measure
}

// Mutate points each named claim's probe, or every one's, at worlds that were broken on purpose. A claim whose probe does
// not notice promises nothing; so does one without such a world.
func (s *Service) Mutate(ctx context.Context, named ...string) ([]Mutation, error) {
	var out []Mutation
	for _, c := range s.All() {
		if c.Probe == nil || len(named) > 0 && !slices.Contains(named, c.ID) {
			continue
		}
		if len(c.Fixtures) == 0 {
			out = append(out, Mutation{Claim: c.ID, Broken: "nothing", Saw: "there is no broken world to show that it can fail"})
		}
		for _, f := range c.Fixtures {
			out = append(out, mutate(ctx, c, f))
		}
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("mutate: %w", err)
		}
	}
	return out, nil
}

func mutate(ctx context.Context, c claim.Claim, f claim.Fixture) Mutation {
	broken := c
	broken.Probe = f.Probe
	r := Measure(ctx, broken)
	m := Mutation{Claim: c.ID, Broken: f.Name, Noticed: r.State == claim.Failing, Saw: r.Fault}
	for _, o := range r.Evidence.Observations {
		if !o.Holds {
			m.Saw = o.What + ": " + o.Saw
			break
		}
	}
	return m
}
