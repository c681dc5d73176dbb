// Package limit counts requests against quotas, in the memory of this process.
//
// A Table holds one token bucket per key in a bounded space. It is for whoever stands at the door; a quota that must
// hold over restarts or over several processes, such as a budget, is not this.
package limit

import (
	"container/list"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"aver/base/clock"
)

// Rate is a quota: so many requests per window, all at once if need be, then evenly.
type Rate struct {
	Quota  int
	Window time.Duration
}

func (r Rate) perSecond() rate.Limit { return rate.Limit(float64(r.Quota) / r.Window.Seconds()) }

// Decision is the answer to one request.
type Decision struct {
	OK         bool
	Name       string // of the policy
	Rate       Rate
	Remaining  int           // requests that would pass now
	Reset      time.Duration // until the whole quota is there again
	RetryAfter time.Duration // until one request would pass; zero when OK
}

// Write tells the caller about the quota: RateLimit-Policy and RateLimit as in
// draft-ietf-httpapi-ratelimit-headers-11, and Retry-After (RFC 9110 §10.2.3) with a refusal.
func (d Decision) Write(h http.Header) {
	name := strconv.Quote(d.Name)
	h.Set("RateLimit-Policy", name+";q="+strconv.Itoa(d.Rate.Quota)+";w="+strconv.Itoa(seconds(d.Rate.Window)))
	h.Set("RateLimit", name+";r="+strconv.Itoa(d.Remaining)+";t="+strconv.Itoa(seconds(d.Reset)))
	if !d.OK {
		h.Set("Retry-After", strconv.Itoa(d.Seconds()))
	}
}

// Seconds is RetryAfter in whole seconds, at least one.
func (d Decision) Seconds() int { return max(1, seconds(d.RetryAfter)) }

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// Table keeps a bucket for each of the most recent keys.
type Table[K comparable] struct {
	name   string
	rate   Rate
	size   int
	closed bool
	clock  clock.Clock

	mu      sync.Mutex
	buckets map[K]*list.Element
	recent  *list.List // of *bucket[K], the latest used in front
}

type bucket[K comparable] struct {
	key     K
	limiter *rate.Limiter
}

// New makes a table of at most size buckets. When it is full, the bucket that was not used for longest makes room.
// Where that would forgive a key that is still in debt, a closed table refuses the newcomer instead: an attacker with
// many addresses must not win fresh attempts by pushing old ones out.
func New[K comparable](name string, r Rate, size int, closed bool, c clock.Clock) *Table[K] {
	return &Table[K]{name: name, rate: r, size: size, closed: closed, clock: c, buckets: make(map[K]*list.Element), recent: list.New()}
}

// Take asks for one request of the key.
func (t *Table[K]) Take(key K) Decision {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.find(key, now)
	if b == nil {
		return Decision{Name: t.name, Rate: t.rate, RetryAfter: t.wait(t.oldest(), float64(t.rate.Quota), now), Reset: t.rate.Window}
	}
	ok := b.limiter.AllowN(now, 1)
	return t.decide(b, ok, now)
}

// Peek tells what Take would say, and takes nothing.
func (t *Table[K]) Peek(key K) Decision {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	e, known := t.buckets[key]
	if !known {
		return Decision{OK: true, Name: t.name, Rate: t.rate, Remaining: t.rate.Quota}
	}
	b := e.Value.(*bucket[K])
	return t.decide(b, b.limiter.TokensAt(now) >= 1, now)
}

func (t *Table[K]) decide(b *bucket[K], ok bool, now time.Time) Decision {
	d := Decision{OK: ok, Name: t.name, Rate: t.rate, Remaining: max(0, int(b.limiter.TokensAt(now))), Reset: t.wait(b, float64(t.rate.Quota), now)}
	if !ok {
		d.RetryAfter = t.wait(b, 1, now)
	}
	return d
}

// wait is how long until the bucket holds so many tokens.
func (t *Table[K]) wait(b *bucket[K], tokens float64, now time.Time) time.Duration {
	missing := tokens - b.limiter.TokensAt(now)
	return max(0, time.Duration(missing/float64(t.rate.perSecond())*float64(time.Second)))
}

// find returns the key's bucket, a fresh one, or nil when there is no room.
func (t *Table[K]) find(key K, now time.Time) *bucket[K] {
	if e, known := t.buckets[key]; known {
		t.recent.MoveToFront(e)
		return e.Value.(*bucket[K])
	}
	if len(t.buckets) >= t.size {
		oldest := t.oldest()
		if t.closed && t.wait(oldest, float64(t.rate.Quota), now) > 0 {
			return nil
		}
		t.recent.Remove(t.buckets[oldest.key])
		delete(t.buckets, oldest.key)
	}
	b := &bucket[K]{key: key, limiter: rate.NewLimiter(t.rate.perSecond(), t.rate.Quota)}
	t.buckets[key] = t.recent.PushFront(b)
	return b
}

func (t *Table[K]) oldest() *bucket[K] { return t.recent.Back().Value.(*bucket[K]) }
