package page

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
)

// Days draws how something stood on each day, oldest first; 90 of them is the usual.
type Days []State

// Spark draws numbers over time as a line, oldest first. Label says in words what it shows.
type Spark struct {
	Values []float64
	Label  string
}

// Meter draws how much of a limit something has reached: a bar, and a line where the limit is. Part 1 is the limit; Label
// says both in words.
type Meter struct {
	Part  float64
	State State
	Label string
}

// Render draws the part.
func (m Meter) Render(ctx context.Context, w io.Writer) error { return meter(m).Render(ctx, w) }

// reach is how long the bar is, of 120 units; the limit is at 100.
func (m Meter) reach() string { return fmt.Sprintf("%.1f", max(1, min(120, 100*m.Part))) }

// Render draws the part.
func (d Days) Render(ctx context.Context, w io.Writer) error { return days(d).Render(ctx, w) }

// Render draws the part.
func (s Spark) Render(ctx context.Context, w io.Writer) error { return spark(s).Render(ctx, w) }

// words says what the bars show: Held on 88 of 90 days; failed on 2 days.
func (d Days) words() string {
	count := map[State]int{}
	for _, s := range d {
		count[s.known()]++
	}
	held := count[Holds] + count[Attested]
	out := []string{text.T("days.held", held, len(d))}
	for _, s := range []struct {
		state State
		key   string
	}{{Failing, "days.failed"}, {Stale, "days.stale"}, {Unknown, "days.unknown"}} {
		if n := count[s.state]; n > 0 {
			out = append(out, text.T(s.key, n))
		}
	}
	return strings.Join(out, "; ")
}

// bar is where a day's bar stands. Heights differ by state, so that the picture reads without colour.
type bar struct {
	state  State
	x, y   int
	height int
}

const (
	barStep   = 2  // units from one bar to the next
	barHeight = 20 // units of the tallest
)

func (d Days) bars() []bar {
	out := make([]bar, len(d))
	for i, s := range d {
		height := map[State]int{Holds: 14, Attested: 14, Failing: barHeight, Stale: 8, Unknown: 3}[s.known()]
		out[i] = bar{state: s.known(), x: i * barStep, y: barHeight - height, height: height}
	}
	return out
}

func (d Days) box() string { return fmt.Sprintf("0 0 %d %d", max(1, len(d)*barStep), barHeight) }

const (
	sparkWidth  = 120
	sparkHeight = 24
)

// path is the line, scaled to its box with a unit of room above and below.
func (s Spark) path() string {
	if len(s.Values) < 2 {
		return ""
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range s.Values {
		low, high = min(low, v), max(high, v)
	}
	span := high - low
	if span == 0 {
		span = 1
	}
	var out strings.Builder
	for i, v := range s.Values {
		x := float64(i) * sparkWidth / float64(len(s.Values)-1)
		y := 1 + (sparkHeight-2)*(1-(v-low)/span)
		fmt.Fprintf(&out, "%c%.1f %.1f", "ML"[min(i, 1)], x, y)
	}
	return out.String()
}
