package identity

import (
	"net/netip"
	"slices"
	"time"
)

// Wrong passwords count against the network they come from, which soon has to wait. So somebody else's guessing does not
// keep a user out who comes from elsewhere; only guessing from very many networks together makes everybody wait, and then
// for a quarter of an hour at most.
const (
	freeFailures = 5    // from one network
	mostFailures = 1000 // from all networks together
	longestWait  = 15 * time.Minute
	mostStrikes  = 64             // networks remembered of one user
	strikesLast  = 24 * time.Hour // after the last of them
)

// atTheDesk is where somebody is who is signed in already, or holds an invitation.
const atTheDesk = ""

// strike is how often a password was wrong that came from one network.
type strike struct {
	From  string    `json:"from"`
	Times int       `json:"times"`
	At    time.Time `json:"at"`   // the last time
	Until time.Time `json:"wait"` // no password from there is looked at before
}

// network is what passwords are counted by: as much as one customer of a provider easily has.
func network(address netip.Addr) string {
	address = address.Unmap()
	bits := 24
	if address.Is6() {
		bits = 64
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return atTheDesk
	}
	return prefix.String()
}

// waits tells whether no password from this network is looked at now.
func (u User) waits(from string, now time.Time) bool {
	return now.Before(u.WaitUntil) || slices.ContainsFunc(u.Strikes, func(s strike) bool { return s.From == from && now.Before(s.Until) })
}

// missed counts a wrong password.
func (u *User) missed(from string, now time.Time) {
	next := strike{From: from, At: now}
	var others []strike
	for _, s := range u.Strikes {
		switch {
		case now.Sub(s.At) > strikesLast:
		case s.From == from:
			next.Times = s.Times
		default:
			others = append(others, s)
		}
	}
	if next.Times == 0 && len(others) == 0 {
		u.Failures = 0 // nothing was wrong for a day
	}
	u.Failures++
	next.Times++
	next.Until, u.WaitUntil = pause(next.Times-freeFailures, now), pause(u.Failures-mostFailures, now)
	u.Strikes = append(others[max(0, len(others)-mostStrikes+1):], next)
}

// pause is until when one has to wait after so many wrong passwords too many; zero if one has not.
func pause(over int, now time.Time) time.Time {
	if over <= 0 {
		return time.Time{}
	}
	return now.Add(min(time.Second<<min(over, 20), longestWait))
}

// proved forgives those who know the password what went wrong where they are.
func (u *User) proved(from string) {
	u.Failures, u.WaitUntil = 0, time.Time{}
	u.Strikes = slices.DeleteFunc(slices.Clone(u.Strikes), func(s strike) bool { return s.From == from })
}
