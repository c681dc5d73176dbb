package relay

import (
	"net"
	"time"
)

// NewCrowd is newCrowd.
func NewCrowd(l net.Listener, each int) net.Listener { return newCrowd(l, each) }

// Hurry shortens a relay's patience with those who stop sending or reading.
func Hurry(r *Relay, pause time.Duration) { r.pause = pause }

// Learn is what a relay does when it is told a workspace's region; Known tells how many it remembers.
func Learn(r *Relay, name, region string) { r.homes.learn(name, region) }

// Known tells how many workspaces a relay remembers, and where it believes this one is.
func Known(r *Relay, name string) (all int, region string) {
	e, _ := r.homes.recall(name)
	r.homes.mu.Lock()
	defer r.homes.mu.Unlock()
	return len(r.homes.known), e.region
}

// The limits, for tests that reach them.
const (
	PerMinute  = perMinute
	Remembered = remembered
)
