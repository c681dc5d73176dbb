package live

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"aver/base/ids"
	"aver/frame/live/wire"
)

// line is the way to one browser. write and close are called by one goroutine at a time; kill by anybody.
type line interface {
	write(batch []*wire.Frame) error
	close(code int, reason string) // last words; the other end then has a moment to hang up
	kill()                         // hang up now, even under a write that is stuck
}

// mostChannels one session may listen to.
const mostChannels = 128

// Session is one open connection of somebody, or one request of somebody over Send.
type Session struct {
	// State is the module's own, for its ops and Stream only: in one session they never run at the same time.
	State any

	hub     *Hub
	handler *Handler
	line    line // nil over Send
	mute    bool // an event stream: the other end cannot answer pings
	address netip.Addr
	opened  int64 // hub time, as all times here
	seen    atomic.Int64
	partial atomic.Int64 // since when a message is half received, or 0
	place   int          // in its shard

	mu       sync.Mutex
	who      Who
	queue    []*wire.Frame // to be written; nil when there is nothing, so that an idle session holds no memory for it
	held     []*wire.Frame // pushes that must not overtake the reply of the request that subscribed
	queued   int           // bytes in queue, in held and in the write under way
	writing  int64         // since when the writer has been at its present batch; 0 if there is no writer
	pinged   int64
	asked    int64 // when it was last asked who this is
	subs     []*subscription
	opening  bool // a stream whose first event is not ready: nothing may be written before it
	busy     bool // a request is being carried out
	holding  bool // pushes go to held
	parting  bool // close after the request under way
	closing  bool // nothing is queued any more
	closed   bool // last words were written
	dead     bool // gone from the hub
	closedAt int64
	code     int
	reason   string
	writers  sync.WaitGroup
	bucket   bucket
}

// Who is whom authentication named, of the type the module's Handler returned.
func (s *Session) Who() Who {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who
}

// Subscribe makes the session listen to a channel of its own tenant. The caller has checked that it may. Pushes that
// arrive while the request that subscribed is carried out follow its reply, so a handler subscribes first, then reads
// what was missed: nothing falls between, and a client skips what it has by offset.
func (s *Session) Subscribe(channel string) error {
	if s.line == nil {
		return errOneShot
	}
	return s.hub.topics.add(s, Topic{s.Who().Tenant(), channel})
}

// Unsubscribe ends it; a channel the session does not listen to is no error.
func (s *Session) Unsubscribe(channel string) {
	s.mu.Lock()
	i := slices.IndexFunc(s.subs, func(sub *subscription) bool { return sub.topic.Channel == channel })
	if i < 0 {
		s.mu.Unlock()
		return
	}
	sub := s.subs[i]
	s.subs = slices.Delete(s.subs, i, i+1)
	s.mu.Unlock()
	s.hub.topics.remove(sub)
}

// remember keeps the subscription for the end of the session. It returns false if the session listens already.
func (s *Session) remember(sub *subscription) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead || s.closing {
		return false, errClosed
	}
	s.holding = s.holding || s.busy
	if slices.ContainsFunc(s.subs, func(have *subscription) bool { return have.topic == sub.topic }) {
		return false, nil
	}
	if len(s.subs) == mostChannels {
		return false, errChannels
	}
	s.subs = append(s.subs, sub)
	return true, nil
}

// send queues a frame, or cuts the session if it reads too slowly.
func (s *Session) send(f *wire.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	if !s.fits(f) {
		s.cut(CloseSlow, "too slow")
		return
	}
	s.charge(len(f.Bytes))
	if s.holding && f.Op == wire.Text {
		s.held = append(s.held, f)
		return
	}
	s.queue = append(s.queue, f)
	s.wake()
}

func (s *Session) fits(f *wire.Frame) bool {
	o := &s.hub.options
	return len(s.queue)+len(s.held) < o.QueueFrames && s.queued+len(f.Bytes) <= o.QueueBytes
}

func (s *Session) charge(bytes int) {
	s.queued += bytes
	s.hub.queueBytes.Add(int64(bytes))
}

// begin marks a request as under way; false means that the session is ending.
func (s *Session) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.parting {
		return false
	}
	s.busy = true
	return true
}

// finish queues the reply, then the pushes that had to wait for it.
func (s *Session) finish(reply *wire.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.opening, s.holding = false, false, false
	if !s.closing {
		if s.fits(reply) {
			s.charge(len(reply.Bytes))
			s.queue = append(append(s.queue, reply), s.held...)
			s.held = nil
		} else {
			s.cut(CloseSlow, "too slow")
		}
	}
	if s.parting {
		s.shut(s.code, s.reason)
	}
	s.wake()
}

// Close ends the session after the request under way, if there is one, and what is queued. A handler may close its own
// session; the reply still goes out.
func (s *Session) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.busy {
		s.shut(code, reason)
		return
	}
	if !s.closing && !s.parting {
		s.parting, s.code, s.reason = true, code, reason
	}
}

// dismiss ends the session; for good means at once, whatever it is doing.
func (s *Session) dismiss(code int) {
	if code < CloseBadToken {
		s.Close(code, "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut(code, "")
}

// shut needs the lock.
func (s *Session) shut(code int, reason string) {
	if s.closing {
		return
	}
	s.closing, s.code, s.reason, s.closedAt = true, code, reason, s.hub.now()
	s.wake()
}

// cut ends the session without what is queued. It needs the lock.
func (s *Session) cut(code int, reason string) {
	if s.closing {
		return
	}
	if code == CloseSlow {
		s.hub.slowCuts.Add(1)
	}
	s.drop()
	s.shut(code, reason)
}

// drop forgets what waits. It needs the lock.
func (s *Session) drop() {
	for _, f := range append(s.queue, s.held...) {
		s.charge(-len(f.Bytes))
	}
	s.queue, s.held = nil, nil
}

// wake sees to it that somebody writes. A writer lives only while there is something to write, so an idle session
// costs its reader alone. It needs the lock.
func (s *Session) wake() {
	nothing := len(s.queue) == 0 && !s.closing
	if nothing || s.writing != 0 || s.opening || s.dead || s.closed {
		return
	}
	s.writing = s.hub.now()
	s.writers.Add(1)
	go s.write()
}

func (s *Session) write() {
	defer s.writers.Done()
	var batch []*wire.Frame
	for {
		batch = s.next(batch)
		if batch == nil {
			return
		}
		if len(batch) == 0 {
			s.line.close(s.code, s.reason) // fixed once closing is set
			continue
		}
		err := s.line.write(batch)
		s.written(batch, err)
		if err != nil {
			s.line.kill()
		}
	}
}

// next returns what to write: nil for nothing, an empty batch for last words. The last batch's memory is used again.
func (s *Session) next(last []*wire.Frame) []*wire.Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		batch := s.queue
		clear(last)
		s.queue = last[:0]
		s.writing = s.hub.now()
		return batch
	}
	s.queue = nil
	if s.closing && !s.closed {
		s.closed = true
		s.writing = s.hub.now()
		return []*wire.Frame{}
	}
	s.writing = 0
	return nil
}

func (s *Session) written(batch []*wire.Frame, err error) {
	bytes := 0
	for _, f := range batch {
		bytes += len(f.Bytes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.charge(-bytes)
	switch {
	case err != nil:
		s.drop()
		s.closing, s.closed = true, true
	case s.mute:
		s.seen.Store(s.hub.now()) // that it took something is all it will ever tell
	}
}

// end takes the session out of the hub. Its reader calls it, last of all.
func (s *Session) end() {
	s.mu.Lock()
	s.closing, s.dead = true, true
	s.drop()
	subs := s.subs
	s.subs = nil
	s.mu.Unlock()
	for _, sub := range subs {
		s.hub.topics.remove(sub)
	}
	s.line.kill()
	s.writers.Wait()
	s.hub.leave(s)
}

// tenant is the zero tenant before authentication.
func (s *Session) tenant() ids.Tenant {
	if who := s.Who(); who != nil {
		return who.Tenant()
	}
	return ids.Tenant{}
}
