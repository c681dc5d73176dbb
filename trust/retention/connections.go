package retention

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
)

// Connection is a line of the connection log: who connected from where with what, at most once an hour each and
// at most 20 lines an hour of one place, whose further requests are one line more. What they did is not in it.
type Connection struct {
	ID    ids.Object `vault:"id,key"`
	At    time.Time  `vault:"seen_at,state,keep"`
	IP    string     `vault:"ip,tenant:user.device.ip_address"`
	Agent string     `vault:"agent,tenant:user.device"`
	Class string     `vault:"class,state"` // of the route: page, api, widget, …
	Who   string     `vault:"who,state"`   // user, key, visitor or nobody
}

// Connections is the connection log.
var Connections = vault.Define[Connection]("connections", vault.Purpose("finding out about attacks and faults"), vault.KeepFor(90*day))

// Seen is what the edge tells of a request.
type Seen struct {
	Tenant ids.Tenant // zero: the installation's own pages
	Client netip.Addr
	Agent  string
	Class  string
	Who    vault.ActorKind
}

const (
	waiting    = 1024
	flushAfter = 5 * time.Second
	perChange  = 200
	maxAgent   = 200 // bytes
	maxKnown   = 50_000
	perPlace   = 20 // lines of one place in an hour: whoever comes with ever new programs fills no log
)

// connections is the way of a line from the edge into the log, which nobody waits for.
type connections struct {
	line    chan Seen
	dropped *atomic.Int64
	known   *recent
}

// recent remembers who was written down this hour.
type recent struct {
	mu    sync.Mutex
	hour  int64
	seen  map[Seen]struct{}
	lines map[place]int // that were asked for, also those above perPlace
	owed  []Seen        // a line for each place that asked for more
}

// place is where connections come from: an IPv4 address, or the 64-bit network a single customer gets in IPv6.
type place struct {
	tenant  ids.Tenant
	network netip.Addr
}

func placeOf(s Seen) place {
	at := s.Client.Unmap()
	if network, err := at.Prefix(64); err == nil && at.Is6() {
		at = network.Addr()
	}
	return place{s.Tenant, at}
}

func newConnections() connections {
	return connections{line: make(chan Seen, waiting), dropped: new(atomic.Int64), known: &recent{seen: map[Seen]struct{}{}, lines: map[place]int{}}}
}

// fresh tells whether this was not seen this hour and its place has a line left. When there is too much to remember it
// is written down again.
func (r *recent) fresh(s Seen, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if hour := now.Unix() / 3600; hour != r.hour || len(r.seen) >= maxKnown || len(r.lines) >= maxKnown {
		r.close()
		r.hour = hour
	}
	if _, known := r.seen[s]; known {
		return false
	}
	at := placeOf(s)
	if r.lines[at]++; r.lines[at] > perPlace {
		return false
	}
	r.seen[s] = struct{}{}
	return true
}

// close ends an hour.
func (r *recent) close() {
	for at, n := range r.lines {
		if n > perPlace {
			r.owed = append(r.owed, Seen{Tenant: at.tenant, Client: at.network, Agent: fmt.Sprintf("%d more requests, of further programs", n-perPlace), Class: "other"})
		}
	}
	clear(r.seen)
	clear(r.lines)
}

// rest takes the lines about ended hours; with all, about this one too.
func (r *recent) rest(now time.Time, all bool) []Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all || now.Unix()/3600 != r.hour {
		r.close()
	}
	out := r.owed
	r.owed = nil
	return out
}

// Record notes a connection. It never waits: when too many come at once the line is dropped and counted.
func (s *Service) Record(seen Seen) {
	if seen.Tenant.IsZero() {
		seen.Tenant = ids.Installation
	}
	seen.Agent = seen.Agent[:min(len(seen.Agent), maxAgent)]
	if !s.known.fresh(seen, s.vault.Now()) {
		return
	}
	select {
	case s.line <- seen:
	default:
		s.dropped.Add(1)
	}
}

// Run writes the connection log until ctx ends, and then what is left.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(flushAfter)
	defer tick.Stop()
	var some []Seen
	for {
		select {
		case seen := <-s.line:
			if some = append(some, seen); len(some) < perChange {
				continue
			}
		case <-tick.C:
			some = append(some, s.known.rest(s.vault.Now(), false)...)
		case <-ctx.Done():
			for {
				select {
				case seen := <-s.line:
					some = append(some, seen)
					continue
				default:
				}
				break
			}
			s.write(context.WithoutCancel(ctx), append(some, s.known.rest(s.vault.Now(), true)...))
			return
		}
		s.write(ctx, some)
		some = some[:0]
	}
}

// write stores lines, a change for each tenant. Lines that cannot be stored are given up: a log of connections is not
// worth stopping anything for.
func (s *Service) write(ctx context.Context, some []Seen) {
	if n := s.dropped.Swap(0); n > 0 {
		slog.Warn("connections came too fast to be written down", "lines", n)
	}
	byTenant := map[ids.Tenant][]Seen{}
	for _, seen := range some {
		byTenant[seen.Tenant] = append(byTenant[seen.Tenant], seen)
	}
	for tenant, lines := range byTenant {
		err := s.vault.Do(ctx, identity.System(tenant, "connections"), actSeen, func(tx *vault.Tx) error {
			for _, l := range lines {
				c := Connection{ID: ids.NewObject(tx.Now()), At: tx.Now(), IP: l.Client.String(), Agent: l.Agent, Class: l.Class, Who: whoWord(l.Who)}
				if err := Connections.Add(tx, c); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !errs.Is(err, errs.NotFound) { // closed meanwhile
			slog.Error("write connections down", "lines", len(lines), "error", err)
		}
	}
}

func whoWord(kind vault.ActorKind) string {
	switch kind {
	case vault.AsUser:
		return "user"
	case vault.AsKey:
		return "key"
	case vault.AsPerson:
		return "visitor"
	default:
		return "nobody"
	}
}

// ConnectionList reads the connection log, newest first, from the given place on.
func (s *Service) ConnectionList(ctx context.Context, actor vault.Actor, at time.Time, after ids.Object, limit int) (list []Connection, err error) {
	err = s.vault.View(ctx, actor, actReview, func(tx *vault.Tx) error {
		if after.IsZero() {
			list, err = Connections.Find(tx, "ORDER BY seen_at DESC, id DESC LIMIT ?", limit)
			return err
		}
		list, err = Connections.Find(tx, "(seen_at, id) < (?, ?) ORDER BY seen_at DESC, id DESC LIMIT ?", at, after, limit)
		return err
	})
	return list, err
}
