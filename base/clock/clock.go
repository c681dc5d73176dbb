// Package clock tells time in a way that tests can steer and that never runs backwards.
//
// Code that only measures how long something took may use the time package; code that decides (is it due, has it
// expired, in which order) asks a Clock.
package clock

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clock tells what time it is, in UTC with microseconds.
type Clock interface{ Now() time.Time }

// System is the machine's clock, made monotonic: when the machine's clock is set back, time stands still until it
// has caught up, so that order and retention never depend on an administrator's typing error.
type System struct {
	mu   sync.Mutex
	last time.Time
}

// Now returns the current time, never earlier than a time it returned before.
func (s *System) Now() time.Time {
	now := time.Now().UTC().Truncate(time.Microsecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.last) {
		return s.last
	}
	s.last = now
	return now
}

// ahead is by how much clocks of one installation may differ.
const ahead = time.Minute

// Within tells whether something happened less than limit ago. What is dated further in the future than clocks may differ
// did not: a clock was wrong when it was written down, and nobody knows how old it is.
func Within(now, at time.Time, limit time.Duration) bool {
	age := now.Sub(at)
	return age >= -ahead && age < limit
}

// Ran is how long it goes on, since some moment of this process's or before it, whatever the machine's clock was set to
// meanwhile: only what lies between two answers means something. It counts while the machine sleeps, where it knows.
func Ran(c Clock) time.Duration {
	if m, is := c.(*Manual); is {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.ran
	}
	return machine()()
}

var began = time.Now()

// machine chooses once how it is told: by how long the machine is up, which Linux counts while it sleeps.
var machine = sync.OnceValue(func() func() time.Duration {
	if up() > 0 {
		return up
	}
	return func() time.Duration { return time.Since(began) }
})

// up is zero where the machine does not say.
func up() time.Duration {
	text, _ := os.ReadFile("/proc/uptime")
	first, _, _ := strings.Cut(string(text), " ")
	seconds, _ := strconv.ParseFloat(first, 64)
	return time.Duration(seconds * float64(time.Second))
}

// Manual stands still until it is moved. It is for tests.
type Manual struct {
	mu  sync.Mutex
	now time.Time
	ran time.Duration
}

// At starts a manual clock.
func At(t time.Time) *Manual { return &Manual{now: t.UTC().Truncate(time.Microsecond)} }

// Now returns the time it was last set to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance lets time go by; a negative duration sets the clock back, as a bad administrator would.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now, m.ran = m.now.Add(d), m.ran+max(d, 0)
}

// Set sets the clock ahead or back, while no time goes by.
func (m *Manual) Set(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}
