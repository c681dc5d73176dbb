package attach

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"aver/base/errs"
)

// The memory for strangers' files, of the whole process: however many come at once, and however slowly, it is not more.
// Bytes that arrive and pictures that are drawn have rooms of their own, so that nobody who draws waits for somebody
// who is still sending.
var (
	arriving = newRoom(192<<20, 2*time.Second)
	drawing  = newRoom(mostPixels*perPixel, 10*time.Second)
)

// firstRead is what a file gets at first, in bytes; it doubles as long as there is more.
const firstRead = 64 << 10

// room is memory that is shared out.
type room struct {
	free *semaphore.Weighted
	wait time.Duration // for as long somebody waits for a part before being sent away
}

func newRoom(size int64, wait time.Duration) *room { return &room{semaphore.NewWeighted(size), wait} }

// part is what one file has of a room. It belongs to one goroutine.
type part struct {
	of   *room
	held int64
}

func (r *room) part() *part { return &part{of: r} }

// take waits a little for so many bytes more.
func (p *part) take(ctx context.Context, n int64) error {
	waiting, stop := context.WithTimeout(ctx, p.of.wait)
	defer stop()
	if err := p.of.free.Acquire(waiting, n); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		busy := errs.New(errs.Unavailable, "Many files are being taken in at the moment. Nothing was kept of this one; send it again in a moment.")
		busy.RetryAfter = 10
		return busy
	}
	p.held += n
	return nil
}

func (p *part) giveBack(n int64) {
	p.of.free.Release(n)
	p.held -= n
}

func (p *part) leave() { p.giveBack(p.held) }
