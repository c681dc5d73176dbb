package live

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/live/wire"
)

// Options says how much a hub bears. The zero value is fit for a machine with 2 processors and 2 GB.
type Options struct {
	Connections int // in total; 50,000 if 0
	PerTenant   int // 20,000 if 0
	PerAddress  int // per IPv4 address or IPv6 /64; 500 if 0: whole offices come from one address

	QueueFrames int // waiting for one reader; 256 if 0
	QueueBytes  int // waiting for one reader; 512 KB if 0

	PingEvery time.Duration // after this much silence; 25 s if 0
	PongWait  time.Duration // then this long for any sign of life; 10 s if 0
	HelloWait time.Duration // for the first frame; 10 s if 0
	WriteWait time.Duration // for one write to a reader that does not read; 10 s if 0
	AskEvery  time.Duration // whether the other end is still who it was, see Handler.Again; 5 minutes if 0

	Address func(*http.Request) netip.Addr // who calls; the connection's own address if nil. Behind a proxy, edge knows
	Log     *slog.Logger                   // slog.Default() if nil
}

func (o Options) filled() Options {
	o.Connections = cmp.Or(o.Connections, 50_000)
	o.PerTenant = cmp.Or(o.PerTenant, 20_000)
	o.PerAddress = cmp.Or(o.PerAddress, 500)
	o.QueueFrames = cmp.Or(o.QueueFrames, 256)
	o.QueueBytes = cmp.Or(o.QueueBytes, 512<<10)
	o.PingEvery = cmp.Or(o.PingEvery, 25*time.Second)
	o.PongWait = cmp.Or(o.PongWait, 10*time.Second)
	o.HelloWait = cmp.Or(o.HelloWait, 10*time.Second)
	o.WriteWait = cmp.Or(o.WriteWait, 10*time.Second)
	o.AskEvery = cmp.Or(o.AskEvery, 5*time.Minute)
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.Address == nil {
		o.Address = connectionAddress
	}
	return o
}

func connectionAddress(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// Hub is the listeners of one process. Make it with New and end it with Drain.
type Hub struct {
	options Options
	start   time.Time
	topics  *topics
	shards  [16]sessionShard
	kicks   atomic.Int64 // how often somebody was thrown out, to notice it during authentication

	ctx     context.Context // of requests; cancelled at the end
	stop    context.CancelFunc
	asking  chan struct{}  // room for as many sessions as may be asked about at once
	workers sync.WaitGroup // sweeper, relay and those who ask
	open    sync.WaitGroup // sessions

	mu        sync.Mutex
	leaving   bool
	total     int
	byTenant  map[ids.Tenant]int
	byAddress map[netip.Addr]int

	relay atomic.Pointer[relaying]

	slowCuts, queueBytes atomic.Int64
}

type sessionShard struct {
	mu       sync.Mutex
	sessions []*Session
}

// New starts a hub.
func New(o Options) *Hub {
	h := &Hub{options: o.filled(), start: time.Now(), topics: newTopics(), byTenant: make(map[ids.Tenant]int), byAddress: make(map[netip.Addr]int),
		asking: make(chan struct{}, 8)}
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.workers.Go(h.sweep)
	return h
}

// now is the hub's time in nanoseconds, never 0 and never set back.
func (h *Hub) now() int64 { return int64(time.Since(h.start)) + 1 }

// Stats is a snapshot of a hub's counters.
type Stats struct {
	Connections int   // open now
	SlowCuts    int64 // sessions cut because they did not read
	QueueBytes  int64 // waiting to be written now
}

// Stats returns the counters.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{h.total, h.slowCuts.Load(), h.queueBytes.Load()}
}

// Publish tells all listeners of the topic, here and in other processes. It waits for nobody. The only errors are a
// topic or push that cannot travel and data that cannot be marshalled.
func (h *Hub) Publish(topic Topic, p Push) error {
	if topic.Tenant.IsZero() || !travels(topic.Channel) || !travels(p.Kind) || strings.Contains(p.Kind, " ") {
		return errs.New(errs.Internal, "A push needs a tenant, a channel and a kind.")
	}
	n := p.N
	if n == 0 {
		n = p.Offset
	}
	h.pass(topic, p.Kind, n)
	return h.deliver(topic, p)
}

func travels(s string) bool { return s != "" && len(s) <= 200 && !strings.ContainsAny(s, "\n\x00") }

// deliver reaches the listeners in this process.
func (h *Hub) deliver(topic Topic, p Push) error {
	if !h.topics.listening(topic) {
		return nil
	}
	f, err := wire.Push{Kind: p.Kind, Channel: topic.Channel, Epoch: p.Epoch, Offset: p.Offset, Data: p.Data}.Frame()
	if err != nil {
		h.dismiss(topic, CloseMissed) // whoever listens would have a hole
		return err
	}
	h.topics.each(topic, func(s *Session) { s.send(f) })
	return nil
}

// Dismiss closes all sessions that listen to the topic, here and in other processes, within a second.
func (h *Hub) Dismiss(topic Topic, code int) {
	h.pass(topic, dismissal, int64(code))
	h.dismiss(topic, code)
}

func (h *Hub) dismiss(topic Topic, code int) {
	h.kicks.Add(1)
	h.topics.each(topic, func(s *Session) { s.dismiss(code) })
}

// Kick closes the sessions of this process whose Who matches.
func (h *Hub) Kick(match func(Who) bool, code int) {
	h.kicks.Add(1)
	for _, s := range h.sessions() {
		if who := s.Who(); who != nil && match(who) {
			s.dismiss(code)
		}
	}
}

// sessions is a copy, so that nobody's code runs under a lock.
func (h *Hub) sessions() []*Session {
	var all []*Session
	for i := range h.shards {
		shard := &h.shards[i]
		shard.mu.Lock()
		all = append(all, shard.sessions...)
		shard.mu.Unlock()
	}
	return all
}

// admit counts a connection in, before anything is known but its address.
func (h *Hub) admit(address netip.Addr) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var err error
	switch {
	case h.leaving:
		err = errLeaving
	case h.total >= h.options.Connections:
		err = errFull
	case h.byAddress[address] >= h.options.PerAddress:
		err = errCrowd
	default:
		h.total++
		h.byAddress[address]++
		h.open.Add(1)
		return nil
	}
	return err
}

// retire counts it out.
func (h *Hub) retire(address netip.Addr, tenant ids.Tenant) {
	h.mu.Lock()
	h.total--
	countDown(h.byAddress, address)
	if !tenant.IsZero() {
		countDown(h.byTenant, tenant)
	}
	h.mu.Unlock()
	h.open.Done()
}

func countDown[K comparable](counts map[K]int, key K) {
	counts[key]--
	if counts[key] == 0 {
		delete(counts, key)
	}
}

// shardOf spreads sessions by the moment they were opened; a clock's low bits are as good as random.
func (h *Hub) shardOf(s *Session) *sessionShard {
	return &h.shards[uint64(s.opened)>>6%uint64(len(h.shards))]
}

// enter registers an admitted connection, so that it is swept and can be closed.
func (h *Hub) enter(s *Session) {
	shard := h.shardOf(s)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	s.place = len(shard.sessions)
	shard.sessions = append(shard.sessions, s)
}

func (h *Hub) leave(s *Session) {
	shard := h.shardOf(s)
	shard.mu.Lock()
	last := len(shard.sessions) - 1
	moved := shard.sessions[last]
	shard.sessions[s.place] = moved
	moved.place = s.place
	shard.sessions[last] = nil
	shard.sessions = shard.sessions[:last]
	shard.mu.Unlock()
	h.retire(s.address, s.tenant())
}

// name makes the session somebody's: counted with the tenant, listening to its own channels. The tenant's count is
// taken before the name is visible, and given back by leave.
func (h *Hub) name(s *Session, who Who) error {
	tenant := who.Tenant()
	h.mu.Lock()
	if h.byTenant[tenant] >= h.options.PerTenant {
		h.mu.Unlock()
		return errCrowd
	}
	h.byTenant[tenant]++
	h.mu.Unlock()
	s.mu.Lock()
	s.who = who
	s.asked = h.now() - rand.Int64N(int64(h.options.AskEvery)) // so that those who came together are not asked about together
	s.mu.Unlock()
	if s.handler.Channels == nil {
		return nil
	}
	for _, channel := range s.handler.Channels(who) {
		if err := s.Subscribe(channel); err != nil {
			return err
		}
	}
	return nil
}
