package retention

import "time"

// A part of a sweep holds the tenant's writer, and whoever writes meanwhile waits for it. So a part is as large as what
// is done with its commit in heldFor. Who came meanwhile goes before the next one (vault.Patient).
const (
	smallest = 50 // rows, or words
	largest  = 4000
	heldFor  = 3 * time.Millisecond
)

// pace finds out how much may be swept at once. How fast the machine is, and how much else it has to do, shows in how
// long the last part took.
type pace struct{ size int }

func newPace() *pace { return &pace{size: smallest} }

// worked notes how long a part held the writer, and chooses the size of the next.
func (p *pace) worked(took time.Duration) {
	switch {
	case took > heldFor:
		p.size = max(smallest, p.size*3/4)
	case took < heldFor*3/4:
		p.size = min(largest, p.size*5/4)
	}
}
