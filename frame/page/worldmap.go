package page

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
)

// WorldMap shows on a small map where something is. Latitude and longitude are in degrees; Label says it in words.
type WorldMap struct {
	Latitude, Longitude float64
	Label               string
}

// Render draws the part.
func (m WorldMap) Render(ctx context.Context, w io.Writer) error { return worldMap(m).Render(ctx, w) }

// The map is a grid of points, five degrees apart; assets/land.txt has a # where there is land, from 80° N and 170° W.
const (
	mapNorth = 80
	mapWest  = -170
	mapStep  = 5
	mapDot   = 4 // units from one point to the next
)

// land draws all points of land as one path of zero-length strokes with round ends.
var land = dots(string(read("assets/land.txt")))

func dots(grid string) string {
	var out strings.Builder
	for y, line := range strings.Fields(grid) {
		for x, sign := range line {
			if sign == '#' {
				fmt.Fprintf(&out, "M%d %dh0", x*mapDot+mapDot/2, y*mapDot+mapDot/2)
			}
		}
	}
	return out.String()
}

// at is where the place lies on the map, in its units, on the nearest point of the grid.
func (m WorldMap) at() (x, y string) {
	snap := func(degrees float64) string {
		return fmt.Sprint(int(math.Floor(degrees/mapStep))*mapDot + mapDot/2)
	}
	return snap(m.Longitude - mapWest), snap(mapNorth - m.Latitude)
}

func (m WorldMap) x() string { x, _ := m.at(); return x }
func (m WorldMap) y() string { _, y := m.at(); return y }
