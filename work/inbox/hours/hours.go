// Package hours tells when somebody answers: office hours by the clock on a tenant's wall.
package hours

import (
	"strings"
	"time"
	_ "time/tzdata" // the zones' rules, for machines that have none
	"unicode/utf8"

	"aver/base/errs"
)

// Hours says when somebody answers. The zero Hours is always.
type Hours struct {
	Zone    string    `json:"zone"`    // IANA name; empty is UTC
	Week    [7][]Span `json:"week"`    // from Sunday, as time.Weekday counts
	Limited bool      `json:"limited"` // false: always open, whatever Week says
	Away    string    `json:"away"`    // what visitors read while nobody answers; empty: words of the channel's own
}

// Span is a part of a day by the clock on the wall, in minutes since midnight. From is part of it and To is not.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"` // up to 1440
}

const dayMinutes = 24 * 60

// Open tells whether somebody answers at the moment.
func (h Hours) Open(at time.Time) bool {
	if !h.Limited {
		return true
	}
	local := at.In(h.location())
	minute := local.Hour()*60 + local.Minute()
	for _, span := range h.Week[local.Weekday()] {
		if minute >= span.From && minute < span.To {
			return true
		}
	}
	return false
}

// Next is when somebody will answer again: the moment itself while open, and the zero time if never.
func (h Hours) Next(at time.Time) time.Time {
	if h.Open(at) {
		return at
	}
	local := at.In(h.location())
	for day := range 8 {
		date := time.Date(local.Year(), local.Month(), local.Day()+day, 0, 0, 0, 0, local.Location())
		for _, span := range h.Week[date.Weekday()] {
			opens := time.Date(date.Year(), date.Month(), date.Day(), span.From/60, span.From%60, 0, 0, local.Location())
			if opens.After(at) {
				return opens.UTC()
			}
		}
	}
	return time.Time{}
}

// Changes is when Open will next tell something else than at the moment, and the zero time if never.
func (h Hours) Changes(at time.Time) time.Time {
	if !h.Limited {
		return time.Time{}
	}
	open := h.Open(at)
	local := at.In(h.location())
	for day := range 8 {
		for _, span := range h.Week[(int(local.Weekday())+day)%7] {
			for _, minute := range []int{span.From, span.To} {
				bound := time.Date(local.Year(), local.Month(), local.Day()+day, 0, minute, 0, 0, local.Location())
				if bound.After(at) && h.Open(bound) != open {
					return bound.UTC()
				}
			}
		}
	}
	return time.Time{}
}

func (h Hours) location() *time.Location {
	zone, err := time.LoadLocation(h.Zone)
	if err != nil { // checked when it was saved
		return time.UTC
	}
	return zone
}

// Check brings hours into one form and tells what is wrong with them.
func (h *Hours) Check() error {
	if _, err := time.LoadLocation(h.Zone); err != nil || h.Zone == "Local" || len(h.Zone) > 60 {
		return invalid("zone", "unknown", "Choose a time zone such as Europe/Berlin.")
	}
	h.Away = strings.TrimSpace(h.Away)
	if utf8.RuneCountInString(h.Away) > 500 || !utf8.ValidString(h.Away) {
		return invalid("away", "too-long", "Write at most 500 characters.")
	}
	for _, spans := range h.Week {
		last := 0
		for _, span := range spans {
			if span.From < last || span.To <= span.From || span.To > dayMinutes || len(spans) > 6 {
				return invalid("week", "order", "The times of a day must follow each other and end by midnight.")
			}
			last = span.To
		}
	}
	return nil
}

func invalid(field, code, message string) error {
	return errs.New(errs.Invalid, "These hours cannot be used.", errs.Field{Field: field, Code: code, Message: message})
}
