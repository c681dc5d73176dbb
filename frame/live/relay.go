package live

import (
	"context"
	"crypto/rand"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
)

// Relay carries short texts between the processes of one installation: LISTEN and NOTIFY, NATS. What it carries holds
// identifiers only.
type Relay interface {
	// Notify tells all listeners, this process included, a text of at most 8,000 bytes.
	Notify(ctx context.Context, payload string) error

	// Listen calls receive with what is notified, one at a time, until ctx ends or the connection is lost. Whenever
	// it has begun to listen it first calls receive with an empty text: what was told before that is lost.
	Listen(ctx context.Context, receive func(payload string)) error
}

// Fetch reads again, from the database, the news another process published: the push of this kind and N. It is only
// called if somebody here listens. An error sends the listeners back to ask for what they missed.
type Fetch func(ctx context.Context, topic Topic, kind string, n int64) (Push, error)

const (
	dismissal    = "-"    // the kind of a Dismiss; n is the code
	lost         = "lost" // told instead of a notice when some could not be told
	longestTold  = 7900   // bytes; PostgreSQL's limit is 8,000
	mostNotices  = 4096   // waiting, each way
	fetchers     = 4
	relayTimeout = 5 * time.Second
	relayPause   = 500 * time.Millisecond
)

// relaying is the hub's side of a relay.
type relaying struct {
	hub     *Hub
	relay   Relay
	fetch   Fetch
	self    string // to know our own words
	out     chan string
	dropped chan struct{} // holds one token while something was not told
	in      [fetchers]chan notice
	seed    maphash.Seed
}

// notice is what travels: "process tenant n kind channel".
type notice struct {
	topic Topic
	kind  string
	n     int64
}

// Join connects the hub with those of other processes. It is called once, before the hub serves.
func (h *Hub) Join(relay Relay, fetch Fetch) {
	r := &relaying{hub: h, relay: relay, fetch: fetch, self: rand.Text(), out: make(chan string, mostNotices), dropped: make(chan struct{}, 1), seed: maphash.MakeSeed()}
	for i := range r.in {
		r.in[i] = make(chan notice, mostNotices)
		h.workers.Go(func() { r.work(r.in[i]) })
	}
	h.workers.Go(r.tell)
	h.workers.Go(r.listen)
	h.relay.Store(r)
}

// pass hands a notice to the relay and returns at once.
func (h *Hub) pass(topic Topic, kind string, n int64) {
	r := h.relay.Load()
	if r == nil {
		return
	}
	text := strings.Join([]string{r.self, topic.Tenant.String(), strconv.FormatInt(n, 10), kind, topic.Channel}, " ")
	select {
	case r.out <- text:
	default:
		r.drop()
	}
}

func (r *relaying) drop() {
	select {
	case r.dropped <- struct{}{}:
	default:
	}
}

// tell sends what waits until the hub ends, and then what is left.
func (r *relaying) tell() {
	var first string
	for {
		text, next, ok := r.collect(first)
		if !ok {
			return
		}
		r.notify(text)
		first = next
	}
}

// collect waits for a notice and adds what fits into the same text: a busy process tells hundreds in one round trip.
// The one that no longer fitted is returned as the next.
func (r *relaying) collect(first string) (text, next string, ok bool) {
	if first == "" {
		select {
		case first = <-r.out:
		case <-r.dropped:
			first = r.self + " " + lost
		case <-r.hub.ctx.Done():
			select {
			case first = <-r.out:
			default:
				return "", "", false
			}
		}
	}
	var all strings.Builder
	all.WriteString(first)
	for {
		select {
		case more := <-r.out:
			if all.Len()+1+len(more) > longestTold {
				return all.String(), more, true
			}
			all.WriteString("\n" + more)
		default:
			return all.String(), "", true
		}
	}
}

// notify tries until it is told: while it cannot be, out fills up, and the overflow becomes one word, lost.
func (r *relaying) notify(text string) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), relayTimeout) // outlives the hub, for its last words
		err := r.relay.Notify(ctx, text)
		cancel()
		if err == nil || r.hub.ctx.Err() != nil {
			return
		}
		r.hub.options.Log.Warn("telling other processes failed; trying again", "error", err)
		r.pause()
	}
}

func (r *relaying) pause() {
	select {
	case <-r.hub.ctx.Done():
	case <-time.After(relayPause):
	}
}

func (r *relaying) listen() {
	for r.hub.ctx.Err() == nil {
		err := r.relay.Listen(r.hub.ctx, r.receive)
		if r.hub.ctx.Err() == nil {
			r.hub.options.Log.Warn("listening to other processes ended; trying again", "error", err)
			r.pause()
		}
	}
}

func (r *relaying) receive(payload string) {
	if payload == "" {
		r.missed()
		return
	}
	for line := range strings.SplitSeq(payload, "\n") {
		from, rest, _ := strings.Cut(line, " ")
		if from == r.self {
			continue
		}
		n, err := parseNotice(rest)
		if err != nil { // lost, or the words of another version
			r.missed()
			return
		}
		r.sort(n)
	}
}

// sort hands a notice to the worker of its topic, so that the news of one topic stays in order.
func (r *relaying) sort(n notice) {
	if n.kind == dismissal {
		r.hub.dismiss(n.topic, int(n.n))
		return
	}
	if !r.hub.topics.listening(n.topic) {
		return
	}
	select {
	case r.in[maphash.Comparable(r.seed, n.topic)%fetchers] <- n:
	default:
		r.hub.dismiss(n.topic, CloseMissed)
	}
}

func (r *relaying) work(in <-chan notice) {
	for {
		select {
		case <-r.hub.ctx.Done():
			return
		case n := <-in:
			r.relayed(n)
		}
	}
}

func (r *relaying) relayed(n notice) {
	if !r.hub.topics.listening(n.topic) {
		return
	}
	ctx, cancel := context.WithTimeout(r.hub.ctx, relayTimeout)
	defer cancel()
	push, err := r.fetch(ctx, n.topic, n.kind, n.n)
	if err == nil {
		err = r.hub.deliver(n.topic, push)
	}
	if err != nil {
		r.hub.options.Log.Warn("news of another process could not be fetched", "kind", n.kind, "error", err)
		r.hub.dismiss(n.topic, CloseMissed)
	}
}

// missed sends everybody who listens to anything back to ask: nobody knows what was not told.
func (r *relaying) missed() {
	for _, s := range r.hub.sessions() {
		s.mu.Lock()
		listens := len(s.subs) > 0 || s.busy // or is about to
		s.mu.Unlock()
		if listens {
			s.Close(CloseMissed, "")
		}
	}
}

func parseNotice(text string) (notice, error) {
	parts := strings.SplitN(text, " ", 4)
	if len(parts) != 4 {
		return notice{}, errs.New(errs.Invalid, "This is no notice.")
	}
	tenant, err := ids.ParseTenant(parts[0])
	if err != nil {
		return notice{}, err
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return notice{}, err
	}
	return notice{Topic{tenant, parts[3]}, parts[2], n}, nil
}
