package deadline

import (
	_ "embed"
	"slices"
	"sync"
	"time"
)

// Place is where somebody must answer: which days nobody works there, and when a day ends. Listed are the holidays of the
// whole country that need no second look; a day too few makes a deadline earlier, never later than the law. "eu" knows
// weekends alone. The United States' are those that are holidays by federal law and in California.
type Place struct {
	ID       string    `json:"id"`
	Zone     string    `json:"zone"`
	Fixed    []string  `json:"fixed"`            // month and day, 01-02
	Easter   []int     `json:"easter"`           // days after Easter Sunday
	Weekdays []weekday `json:"weekdays"`         // the third Monday of January
	Monday   bool      `json:"sunday_to_monday"` // a fixed holiday on a Sunday is kept on the Monday
}

type weekday struct {
	Month   time.Month   `json:"month"`
	Weekday time.Weekday `json:"weekday"`
	Nth     int          `json:"nth"` // -1 is the last
}

//go:embed places.json
var placesFile []byte

var places = mustRead[Place](placesFile)

// Places lists them, the one without holidays first.
func Places() []Place { return append([]Place(nil), places...) }

// PlaceOf finds a place; the first one, which only knows weekends, for any it does not know.
func PlaceOf(id string) Place {
	if i := slices.IndexFunc(places, func(p Place) bool { return p.ID == id }); i >= 0 {
		return places[i]
	}
	return places[0]
}

var zones sync.Map // name → *time.Location: reading one takes longer than counting

// location is UTC where the machine does not know the zone.
func (p Place) location() *time.Location {
	if zone, known := zones.Load(p.Zone); known {
		return zone.(*time.Location)
	}
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		zone = time.UTC
	}
	zones.Store(p.Zone, zone)
	return zone
}

// Day is noon of a day there, such as 2027-01-31: a moment of that day by every clock nearby.
func (p Place) Day(text string) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, text, p.location())
	return day.Add(12 * time.Hour), err
}

// Today is the day there, at this moment.
func (p Place) Today(now time.Time) string { return now.In(p.location()).Format(time.DateOnly) }

// Works tells whether a day is a working day there.
func (p Place) Works(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !p.holiday(day)
}

func (p Place) holiday(day time.Time) bool {
	if slices.Contains(p.Fixed, day.Format("01-02")) {
		return true
	}
	if p.Monday && day.Weekday() == time.Monday && slices.Contains(p.Fixed, day.AddDate(0, 0, -1).Format("01-02")) {
		return true
	}
	if slices.Contains(p.Easter, day.YearDay()-easter(day.Year()).YearDay()) {
		return true
	}
	return slices.ContainsFunc(p.Weekdays, func(w weekday) bool { return w.is(day) })
}

func (w weekday) is(day time.Time) bool {
	if day.Month() != w.Month || day.Weekday() != w.Weekday {
		return false
	}
	if w.Nth < 0 {
		return day.AddDate(0, 0, 7).Month() != w.Month
	}
	return (day.Day()-1)/7 == w.Nth-1
}

// easter is Easter Sunday of a year (the anonymous Gregorian algorithm, Nature 1876; Meeus, Astronomical Algorithms, ch. 8).
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}
