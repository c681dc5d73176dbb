package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// reserveSize is the room kept back, in bytes: 4 MiB by which a file may grow when the log is moved into it, which usualLog
// leaves to an erasure, and some five hundred pages for what a deletion writes to the log.
const reserveSize = 6 << 20

// A reserve is a file that only takes up room. On a full disk even a deletion fails, because it is written before
// anything is freed, so erasures first give this room back.
type reserve struct {
	mu     sync.Mutex
	path   string
	needed time.Time // when it was last released
}

// needy is how long after its last use the reserve is not taken back: the erasure may have more to do, and on the disk of
// two engines neither may take what the other has just released.
const needy = time.Minute

// ReleaseReserve gives the reserve's room back to the disk, for a deletion that failed with engine.ErrFull and is tried
// again. It is no error if the reserve is released already.
func (e *Engine) ReleaseReserve() error {
	e.reserve.mu.Lock()
	defer e.reserve.mu.Unlock()
	e.reserve.needed = e.cfg.Clock.Now()
	if err := os.Remove(e.reserve.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("release the reserve: %w", err)
	}
	return nil
}

// RefillReserve takes the room again, after the disk has been cleared. It returns engine.ErrFull while there is none.
// The engine does it too when it is opened, and when nobody has needed it for a minute.
func (e *Engine) RefillReserve() error {
	if err := e.reserve.refill(); err != nil {
		return translateFile("refill the reserve", err)
	}
	return nil
}

// reclaim takes the reserve back when there is room again and nobody needs it.
func (e *Engine) reclaim() {
	e.reserve.mu.Lock()
	needed := e.reserve.needed
	e.reserve.mu.Unlock()
	if e.cfg.Clock.Now().Sub(needed).Abs() >= needy { // also when the clock was set back
		_ = e.RefillReserve() // Check tells when it is not there
	}
}

// held tells whether the room is there.
func (r *reserve) held() bool {
	info, err := os.Stat(r.path)
	return err == nil && info.Size() == reserveSize
}

func (r *reserve) refill() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held() {
		return nil
	}
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, reserveSize)) // written, not only sized: a hole keeps no room
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(r.path)) // do not sit on the last of a full disk
	}
	return nil
}
