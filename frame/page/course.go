package page

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// Course shows what happens when, on a line up to now and beyond, and the same as a list. Label says what it is about.
type Course struct {
	Label    string
	Stations []Station
	Now      time.Time
}

// Station is a point on a course. What is not over yet has the state Unknown, or Stale when it is urgent.
type Station struct {
	Label string
	At    time.Time
	State State
}

// Render draws the part.
func (c Course) Render(ctx context.Context, w io.Writer) error { return course(c).Render(ctx, w) }

const (
	lineWidth  = 720
	lineMargin = 12
	lineHeight = 28
)

// sorted are the stations in their order.
func (c Course) sorted() []Station {
	return slices.SortedStableFunc(slices.Values(c.Stations), func(a, b Station) int { return a.At.Compare(b.At) })
}

// x is where a time stands on the line. Times before the first moment and after the last stand at its ends.
func (c Course) x(at time.Time) string {
	all := c.sorted()
	if len(all) == 0 {
		return fmt.Sprint(lineMargin)
	}
	from, to := all[0].At, all[len(all)-1].At
	share := 0.0
	if to.After(from) {
		share = min(1, max(0, float64(at.Sub(from))/float64(to.Sub(from))))
	}
	return fmt.Sprintf("%.1f", lineMargin+share*(lineWidth-2*lineMargin))
}

// shape is a mark as a path around the middle of the line: what holds is a disc, what fails a square, what is urgent a diamond
// and the rest a ring, so that the picture reads without colour.
func (c Course) shape(m Station) string {
	x, y := c.x(m.At), fmt.Sprint(lineHeight/2)
	switch m.State.known() {
	case Failing:
		return "M" + x + " " + y + "m-6 -6h12v12h-12z"
	case Stale:
		return "M" + x + " " + y + "m0 -8l8 8l-8 8l-8 -8z"
	}
	return "M" + x + " " + y + "m-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z"
}

func (c Course) box() string    { return fmt.Sprintf("0 0 %d %d", lineWidth, lineHeight) }
func (c Course) now() string    { return c.x(c.Now) }
func (c Course) middle() string { return fmt.Sprint(lineHeight / 2) }
func (c Course) start() string  { return fmt.Sprint(lineMargin) }
func (c Course) end() string    { return fmt.Sprint(lineWidth - lineMargin) }
func (c Course) height() string { return fmt.Sprint(lineHeight) }
