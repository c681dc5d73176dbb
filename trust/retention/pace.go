package retention

import (
	"context"
	"time"
)

// A batch holds the tenant's writer, and whoever writes meanwhile waits for it. So batches are as large as what they do
// in heldFor, and between two of them others get the writer first.
const (
	smallest = 50
	largest  = 2000 // rows
	heldFor  = 8 * time.Millisecond
)

// pace finds out how much may be swept at once.
type pace struct {
	size int
	last time.Duration // that the last batch held the writer
}

func newPace() *pace { return &pace{size: smallest} }

// worked notes how long a batch held the writer.
func (p *pace) worked(took time.Duration) { p.last = took }

// rest makes the next batch larger or smaller.
func (p *pace) rest(ctx context.Context) error {
	switch {
	case p.last > heldFor:
		p.size = max(smallest, p.size/2)
	case p.last < heldFor/2:
		p.size = min(largest, p.size*2)
	}
	return ctx.Err()
}
