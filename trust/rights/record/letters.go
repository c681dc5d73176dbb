package record

import (
	"iter"
	"math/bits"
	"time"

	"aver/vault"
)

// Letters is a set of letters about a request, that jobs send. A letter's number is part of a job's identifier and must not
// change its meaning.
type Letters int64

// The letters.
const (
	ConfirmLetter Letters = 1 << iota
	ExtendedLetter
	DeniedLetter
	DoneLetter
	WaitingLetter  // to those who answer requests
	AlarmLetter    // to them, too
	ReturnedLetter // and to them: one of the others cannot be delivered
	CodeLetter     // or the link; not owed, for whoever asks gets another
	toOfficers     = WaitingLetter | AlarmLetter | ReturnedLetter
)

var letterNames = [...]string{"confirmed", "extended", "denied", "done", "waiting", "alarm", "returned", "code"}

// Names names the letters of a set.
func (l Letters) Names() (names []string) {
	for one := range l.Each() {
		names = append(names, letterNames[bits.TrailingZeros64(uint64(one))])
	}
	return names
}

// ToOfficers tells whether a letter goes to those who answer requests, rather than to whoever asked.
func (l Letters) ToOfficers() bool { return l&toOfficers != 0 }

// Each goes through the letters of a set.
func (l Letters) Each() iter.Seq[Letters] {
	return func(yield func(Letters) bool) {
		for ; l != 0; l &= l - 1 {
			if !yield(l & -l) {
				return
			}
		}
	}
}

// Forgotten tells whether nobody has looked yet whom a request of the public page is about, or has drawn what proves it: a
// crash came between. Its letter is not among those that are owed, because it is not known to whom.
func (r Request) Forgotten(now time.Time) bool {
	if r.Contact.IsZero() {
		return !r.Asker.IsZero() && !r.Passed
	}
	return r.Provable(now) && r.Code.IsZero() && now.Before(r.CodeUntil)
}

// noticedInDay is how many requests under addresses of nobody somebody is written to about; all are on the page.
const noticedInDay = 20

// Noticed tells whether those who answer requests are written to about one: not about each of those that strangers make
// up by the hundred under addresses of nobody.
func (r Request) Noticed(tx *vault.Tx) (bool, error) {
	if !r.Passed || r.Via != Portal {
		return true, nil
	}
	before, err := Requests.Count(tx, "asked_at > ? AND asked_at <= ? AND passed = ? AND via = ? AND id <> ?", r.AskedAt.Add(-24*time.Hour), r.AskedAt, true, string(Portal), r.ID)
	return before < noticedInDay, err
}
