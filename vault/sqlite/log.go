package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"aver/base/ids"
	"aver/vault/engine"
)

// A logSize says when the write-ahead log is moved into the database file. That happens beside the writers, not in their
// commits as SQLite does it by itself: a writer that moved the log would keep hundreds of callers waiting.
type logSize struct {
	enough int // pages since the last move; then another begins
	much   int // pages in all; then writers wait a moment so that the log can start from its beginning
}

// usualLog lets a log grow to 32 MiB under load, and leaves an erasure no more than 4 MiB to move.
var usualLog = logSize{enough: 1000, much: 8192}

// patience is how long an erasure or a snapshot waits for readers that hold on to the log.
const patience = 5 * time.Second

// errHeld is told when readers keep the log from being emptied.
var errHeld = fmt.Errorf("readers hold on to the log: %w", engine.ErrRetry)

// A log is the write-ahead log of a store and the connection that keeps it short.
type log struct {
	running atomic.Bool  // a move is under way
	moved   atomic.Int64 // pages of the log that are in the database file

	turn    token // one move at a time; whoever has it keeps the database file unchanged. Taken before the lane.
	keeper  *conn
	trouble error // of the last move
}

// grown is called after a commit and begins a move when the log is long enough.
func (l *log) grown(s *store, pages int) {
	if int64(pages) < l.moved.Load() {
		l.moved.Store(0) // the log has started from its beginning
	}
	if pages-int(l.moved.Load()) < s.engine.logSize.enough || !l.running.CompareAndSwap(false, true) {
		return
	}
	s.engine.again(s)
	go func() {
		defer s.engine.leave(s)
		defer l.running.Store(false)
		l.shorten(s)
	}()
}

// shorten moves the log into the file while writers go on, and holds them up only when it has become very long.
func (l *log) shorten(s *store) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if l.turn.take(ctx) != nil {
		return // a snapshot is being copied; the next commit tries again
	}
	defer l.turn.give()
	pages, _, err := l.move(ctx, s, sqlite3.CHECKPOINT_PASSIVE)
	if err == nil && pages > s.engine.logSize.much {
		err = l.end(ctx, s)
	}
	l.trouble = err
}

// end moves what is left of a log that has become very long while no writer adds to it, so that the next one starts from
// its beginning. What comes during a move is moved beside the writers, some times: they wait for the little that is left.
func (l *log) end(ctx context.Context, s *store) error {
	for range 3 {
		if _, _, err := l.move(ctx, s, sqlite3.CHECKPOINT_PASSIVE); err != nil {
			return err
		}
	}
	if s.lane.take(ctx) != nil {
		return nil
	}
	defer s.lane.give()
	_, _, err := l.move(ctx, s, sqlite3.CHECKPOINT_PASSIVE)
	return err
}

// move runs one checkpoint. It returns how many pages the log has and how many of them are in the database file. The
// caller has the turn.
func (l *log) move(ctx context.Context, s *store, mode sqlite3.CheckpointMode) (pages, moved int, err error) {
	if err := l.open(s); err != nil {
		return 0, 0, err
	}
	l.keeper.db.SetInterrupt(ctx)
	pages, moved, err = l.keeper.db.WALCheckpoint("main", mode)
	l.keeper.db.SetInterrupt(context.Background())
	if err == nil {
		l.moved.Store(int64(moved))
		return pages, moved, nil
	}
	err = interrupted(ctx, l.keeper.failed("move the log into the file", err))
	if l.keeper.broken {
		err = errors.Join(err, l.close())
	}
	return pages, moved, err
}

func (l *log) open(s *store) error {
	if l.keeper != nil {
		return nil
	}
	c, err := s.dialWriter()
	if err != nil {
		return err
	}
	// While it waits for readers it keeps writers out, so it waits briefly and often.
	if err := c.db.BusyTimeout(20 * time.Millisecond); err != nil {
		return errors.Join(translate("set the keeper's patience", err), c.close())
	}
	l.keeper = c
	return nil
}

func (l *log) close() error {
	c := l.keeper
	l.keeper = nil
	if c == nil {
		return nil
	}
	return c.close()
}

// settle moves the whole log into the file, waiting for readers. The mode TRUNCATE also empties the log's file. The
// caller has the turn.
func (l *log) settle(ctx context.Context, s *store, mode sqlite3.CheckpointMode) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errHeld)
	defer cancel()
	for {
		if err := s.lane.take(ctx); err != nil {
			return fmt.Errorf("wait for the writer: %w", context.Cause(ctx))
		}
		_, _, err := l.move(ctx, s, mode)
		s.lane.give()
		if !errors.Is(err, engine.ErrRetry) {
			return err
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Scrub implements engine.Engine: it moves the log into the database file, where freed pages are overwritten, and cuts
// the log to nothing. When the disk is full it uses the reserve. A reader that holds on to an old snapshot for longer
// than five seconds is an error, which is engine.ErrRetry.
func (e *Engine) Scrub(ctx context.Context, tenant ids.Tenant) error {
	s, err := e.enter(ctx, tenant)
	if err != nil {
		return err
	}
	defer e.leave(s)
	err = s.log.scrub(ctx, s)
	if errors.Is(err, engine.ErrFull) {
		if err := e.ReleaseReserve(); err != nil {
			return err
		}
		err = s.log.scrub(ctx, s)
	}
	if err != nil {
		return fmt.Errorf("scrub: %w", err)
	}
	return nil
}

func (l *log) scrub(ctx context.Context, s *store) error {
	if err := l.turn.take(ctx); err != nil {
		return err
	}
	defer l.turn.give()
	return l.settle(ctx, s, sqlite3.CHECKPOINT_TRUNCATE)
}
