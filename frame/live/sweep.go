package live

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"aver/frame/live/wire"
)

// hangUp is how long the other end may take to answer our last words, in nanoseconds.
const hangUp = int64(3 * time.Second)

// halfSent is how long a message may take from its first byte to its last, in nanoseconds.
const halfSent = int64(30 * time.Second)

// sweep looks after all sessions with one ticker instead of timers of their own: it visits one shard at a time, so
// that each session is seen about once a second and the work is spread.
func (h *Hub) sweep() {
	o := &h.options
	period := min(time.Second, o.PingEvery/4, o.PongWait/4, o.HelloWait/4, o.WriteWait/4, o.AskEvery/4)
	ticker := time.NewTicker(max(period/time.Duration(len(h.shards)), time.Millisecond))
	defer ticker.Stop()
	for i := 0; ; i = (i + 1) % len(h.shards) {
		select {
		case <-h.ctx.Done():
			return
		case <-ticker.C:
		}
		now := h.now()
		shard := &h.shards[i]
		shard.mu.Lock()
		for _, s := range shard.sessions {
			s.inspect(now)
		}
		shard.mu.Unlock()
	}
}

// inspect pings who is silent, cuts who is gone, stuck or late, and has it found out who is due to be asked about. It
// waits for nothing.
func (s *Session) inspect(now int64) {
	o := &s.hub.options
	quiet := o.PingEvery
	if s.mute {
		quiet = quiet * 4 / 5 // heartbeats every 20 s
	}
	over := func(since int64, wait time.Duration) bool { return since != 0 && now-since > int64(wait) }
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.who != nil && !s.closing && over(s.asked, o.AskEvery) {
		s.askAgain(now)
	}
	seen := s.seen.Load()
	switch {
	case s.closing:
		if over(s.closedAt, time.Duration(hangUp)) {
			s.closed = true
			go s.line.kill() // a TLS connection may take its time
		}
	case over(s.writing, o.WriteWait):
		s.cut(CloseSlow, "too slow")
	case s.busy:
		// It is we who are slow.
	case s.who == nil && over(s.opened, o.HelloWait):
		s.cut(CloseNoHello, "no hello")
	case over(s.partial.Load(), time.Duration(halfSent)):
		s.cut(CloseNoPong, "message half sent")
	case s.pinged > seen && over(s.pinged, o.PongWait):
		s.cut(CloseNoPong, "no pong")
	case s.pinged <= seen && over(seen, quiet) && s.writing == 0:
		s.pinged = now
		s.charge(len(wire.Ping.Bytes))
		s.queue = append(s.queue, wire.Ping)
		s.wake()
	}
}

// askAgain lets the module say who this is by now, unless so many are being asked about that it has to wait for another
// sweep. It needs the lock.
func (s *Session) askAgain(now int64) {
	if s.handler.Again == nil {
		return
	}
	select {
	case s.hub.asking <- struct{}{}:
	default:
		return
	}
	s.asked = now
	who := s.who
	s.hub.workers.Go(func() {
		defer func() { <-s.hub.asking }()
		s.again(who)
	})
}

// again ends the session if who it belongs to is nobody any more. While that cannot be found out it goes on.
func (s *Session) again(who Who) {
	now, err := s.check(func(ctx context.Context) (any, error) { return s.handler.Again(ctx, who) })
	if err == nil && now.Tenant() != who.Tenant() {
		err = errNobody
	}
	if err == nil {
		s.mu.Lock()
		s.who = now
		s.mu.Unlock()
		return
	}
	if code := refusalCode(err); code >= CloseBadToken {
		s.dismiss(code)
	}
}

// Drain ends the hub: no new connections, requests under way are answered, then everybody is told to come back at a
// moment of their own, spread so that another process can take them in. When ctx ends first, the rest is hung up on
// and ctx's error returned. It comes before http.Server.Shutdown, which waits for event streams and knows no sockets.
func (h *Hub) Drain(ctx context.Context) error {
	h.mu.Lock()
	h.leaving = true
	h.mu.Unlock()
	sessions := h.sessions()
	spread := 1000 + len(sessions)/2 // milliseconds: at 2,000 a second, which one process can bear with TLS
	for _, s := range sessions {
		s.Close(CloseLeaving, "retry="+strconv.Itoa(rand.IntN(spread)))
	}
	empty := make(chan struct{})
	go func() { h.open.Wait(); close(empty) }()
	var err error
	select {
	case <-empty:
	case <-ctx.Done():
		err = ctx.Err()
		h.stop() // requests under way
		for _, s := range h.sessions() {
			s.line.kill()
		}
		select {
		case <-empty:
		case <-time.After(time.Second): // a request that heeds no context is left behind
		}
	}
	h.stop()
	h.workers.Wait()
	return err
}
