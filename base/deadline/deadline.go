// Package deadline counts by when somebody is owed an answer, as each law counts.
//
// The laws are data: a regime has an identifier, the day from which it holds and where it is written, so that a change of
// law is a new entry and not a new program. What is counted is calendar days in the zone of whoever must answer; a day ends
// with its last hour. Where a rule can be read in two ways the earlier day is taken: being early breaks no law.
//
// Nothing here asks what time it is. Use it with the time at which a request was received.
package deadline

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

// The regimes.
const (
	Promise    = "aver" // ours, which is never later than the law's
	GDPR       = "gdpr"
	CCPA       = "ccpa"
	CCPAOptOut = "ccpa_opt_out"
)

// Span is a length of time as laws put it; one of its fields is set.
type Span struct {
	Months       int `json:"months"`
	Days         int `json:"days"`
	BusinessDays int `json:"business_days"`
}

// IsZero tells whether there is no such time.
func (s Span) IsZero() bool { return s == Span{} }

// Regime is what one law says about time, from one day on.
type Regime struct {
	ID       string `json:"id"`
	From     string `json:"from"` // 2006-01-02
	Title    string `json:"title"`
	Source   string `json:"source"`
	Answer   Span   `json:"answer"`
	Extended Span   `json:"extended"` // from receipt, with the extension; zero where there is none
	Confirm  Span   `json:"confirm"`  // by when receipt is confirmed; zero where it need not be
	Moves    bool   `json:"moves"`    // a last day on which nobody works becomes the next one on which somebody does
	Pauses   bool   `json:"pauses"`   // the time stands still while the person proves who they are
}

//go:embed regimes.json
var regimesFile []byte

var regimes = mustRead[Regime](regimesFile)

func mustRead[T any](file []byte) []T {
	var all []T
	if err := json.Unmarshal(file, &all); err != nil {
		panic(fmt.Sprintf("deadline: an embedded table cannot be read: %v", err)) // part of the program, found by its first test
	}
	return all
}

// Regimes lists every version of every regime.
func Regimes() []Regime { return append([]Regime(nil), regimes...) }

// Of finds the version of a regime that holds for what was received then; the oldest for what came before any.
func Of(id string, received time.Time) (Regime, error) {
	var found Regime
	for _, r := range regimes {
		if r.ID == id && (found.ID == "" || r.From > found.From && r.From <= received.UTC().Format(time.DateOnly)) {
			found = r
		}
	}
	if found.ID == "" {
		return found, fmt.Errorf("there is no regime %q", id)
	}
	return found, nil
}

// Due is by when what is owed. Each time is the last second at which it is not late.
type Due struct {
	Promised time.Time // the answer, as this product promises it
	Legal    time.Time // the answer, as the law has it. Whoever extends it must have said so, with reasons, by then
	Alarm    time.Time // four fifths of the way to Promised
	Confirm  time.Time // that the request has come; zero where the law does not ask for it
	Extended time.Time // the answer, once the time was extended; zero where it cannot be
}

// Due counts what is owed for a request that was received then, in this place. The time during which the person was asked
// to prove who they are counts only where the law does not stop for it, and then in whole days. That the clock stood still can
// be read in two ways: the last day is as many days later, or it is counted from a day that is as many days later.
func (r Regime) Due(received time.Time, at Place, proving time.Duration) Due {
	day := dayOf(received.In(at.location()))
	last := func(by Regime, s Span, moves bool) time.Time {
		if s.IsZero() {
			return time.Time{}
		}
		waited := by.stops(proving)
		d := at.after(day, s).AddDate(0, 0, waited)
		if other := at.after(day.AddDate(0, 0, waited), s); other.Before(d) {
			d = other
		}
		for moves && !at.Works(d) {
			d = d.AddDate(0, 0, 1)
		}
		return endOf(d)
	}
	due := Due{Legal: last(r, r.Answer, r.Moves), Extended: last(r, r.Extended, r.Moves), Confirm: last(r, r.Confirm, false)}
	due.Promised = due.Legal
	if promise := last(promised, promised.Answer, false); promise.Before(due.Promised) {
		due.Promised = promise
	}
	due.Alarm = Alarm(received.Add(time.Duration(promised.stops(proving))*24*time.Hour), due.Promised)
	return due
}

// stops is for how many days the clock stands still.
func (r Regime) stops(proving time.Duration) int {
	if !r.Pauses {
		return 0
	}
	return max(0, int(proving/(24*time.Hour)))
}

var promised = func() Regime {
	r, err := Of(Promise, time.Time{})
	if err != nil {
		panic("deadline: " + err.Error()) // part of the program, found by its first test
	}
	return r
}()

// Alarm is when four fifths of the time have passed.
func Alarm(from, to time.Time) time.Time {
	if !from.Before(to) {
		return to
	}
	return from.Add(to.Sub(from) / 5 * 4).Truncate(time.Microsecond)
}

// after is the last day of a span that began on this one. The first day does not count (Regulation 1182/71 Art. 3(1)); a
// month ends on the day of the same number, or on its last (Art. 3(2)(c)).
func (p Place) after(day time.Time, s Span) time.Time {
	switch {
	case s.Months > 0:
		first := time.Date(day.Year(), day.Month()+time.Month(s.Months), 1, 0, 0, 0, 0, day.Location())
		return first.AddDate(0, 0, min(day.Day(), first.AddDate(0, 1, -1).Day())-1)
	case s.BusinessDays > 0:
		for n := s.BusinessDays; n > 0; {
			if day = day.AddDate(0, 0, 1); p.Works(day) {
				n--
			}
		}
		return day
	}
	return day.AddDate(0, 0, s.Days)
}

func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// endOf is the last second of a day, which has 23 to 25 hours.
func endOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, day.Location()).UTC()
}
