package deadline

import (
	"fmt"
	"time"
)

// Month is what comes of the requests that are received in one month.
type Month struct {
	Regime   string     `json:"regime"`
	Month    time.Month `json:"month"`
	Requests int        `json:"requests"` // one a day
	Shortest int        `json:"shortest"` // days from receipt to the last day
	Longest  int        `json:"longest"`
	Odd      []Odd      `json:"odd"`
}

// Odd is a request whose last day is not the one that a naive count gives, and why.
type Odd struct {
	Received string `json:"received"`
	Last     string `json:"last"`
	Why      string `json:"why"`
}

// Why a day is odd; both may be.
const (
	MonthEnds   = "the month ends"
	NobodyWorks = "nobody works"
)

// Simulation is a year of requests, one a day under each regime.
type Simulation struct {
	Year   int      `json:"year"`
	Place  string   `json:"place"`
	Days   int      `json:"days"`  // counted in all
	Stops  []string `json:"stops"` // the regimes whose clock stands still while somebody proves who they are
	Stood  []int    `json:"stood"` // for how many days it stood still, in each request once more
	Months []Month  `json:"months"`
	Faults []string `json:"faults"` // where a day is not the one that counting on the fingers gives; none when all is well
}

// Simulate counts the deadlines of every day of a year under every regime, and checks each against a count on the fingers.
func Simulate(year int, at Place) Simulation {
	out := Simulation{Year: year, Place: at.ID, Stood: []int{1, 10, 30}}
	for _, r := range regimes {
		if r.Pauses {
			out.Stops = append(out.Stops, r.ID)
		}
		for month := time.January; month <= time.December; month++ {
			out.Months = append(out.Months, out.month(r, month, at))
		}
	}
	return out
}

func (s *Simulation) month(r Regime, month time.Month, at Place) Month {
	m := Month{Regime: r.ID, Month: month, Odd: []Odd{}}
	for day := time.Date(s.Year, month, 1, 0, 0, 0, 0, at.location()); day.Month() == month; day = day.AddDate(0, 0, 1) {
		due := r.Due(day.Add(12*time.Hour), at, 0)
		last := dayOf(due.Legal.In(at.location()))
		took := between(day, last)
		m.Requests++
		s.Days++
		m.Longest = max(m.Longest, took)
		if m.Shortest == 0 || took < m.Shortest {
			m.Shortest = took
		}
		if why := r.odd(day, last, at); why != "" {
			m.Odd = append(m.Odd, Odd{day.Format(time.DateOnly), last.Format(time.DateOnly), why})
		}
		found := faults(r, day, due, at)
		for _, stood := range s.Stood {
			found = append(found, stopFaults(r, day, stood, at)...)
		}
		for _, fault := range found {
			s.Faults = append(s.Faults, fmt.Sprintf("%s, received on %s: %s", r.ID, day.Format(time.DateOnly), fault))
		}
	}
	return m
}

// odd says why the last day is not the one on which a naive count ends.
func (r Regime) odd(day, last time.Time, at Place) string {
	counted := at.after(day, r.Answer)
	ends := r.Answer.Months > 0 && counted.Day() != day.Day()
	moved := !last.Equal(counted)
	switch {
	case ends && moved:
		return MonthEnds + ", " + NobodyWorks
	case ends:
		return MonthEnds
	case moved:
		return NobodyWorks
	}
	return ""
}

// faults compares what was counted with what fingers count, and with what must hold of it whatever the law.
func faults(r Regime, day time.Time, due Due, at Place) []string {
	var out []string
	check := func(what string, got time.Time, s Span, moves bool) {
		if s.IsZero() {
			if !got.IsZero() {
				out = append(out, what+" is due although no law asks for it")
			}
			return
		}
		if want := endOf(fingers(day, s, moves, at)); !got.Equal(want) {
			out = append(out, fmt.Sprintf("%s is due at %s, and not at %s", what, got.Format(time.DateTime), want.Format(time.DateTime)))
		}
	}
	check("the answer", due.Legal, r.Answer, r.Moves)
	check("the extended answer", due.Extended, r.Extended, r.Moves)
	check("the confirmation", due.Confirm, r.Confirm, false)
	for what, wrong := range map[string]bool{
		"the promise is later than the law":            due.Promised.After(due.Legal),
		"the promise is over a week":                   between(day, due.Promised.In(at.location())) > 7,
		"the alarm is not before the promise":          !due.Alarm.Before(due.Promised) || due.Alarm.Before(day),
		"the extension ends before the answer is":      !due.Extended.IsZero() && !due.Extended.After(due.Legal),
		"the confirmation is later than the answer":    due.Confirm.After(due.Legal),
		"the last day is one on which nobody works":    r.Moves && !at.Works(due.Legal.In(at.location())),
		"the last day is before the day of receipt":    due.Legal.Before(day),
		"the last day does not end with its last hour": due.Legal.In(at.location()).Format(time.TimeOnly) != "23:59:59",
	} {
		if wrong {
			out = append(out, what)
		}
	}
	return out
}

// stopFaults compares the days of a request whose person took so long to prove who they are with what fingers count.
func stopFaults(r Regime, day time.Time, stood int, at Place) []string {
	proved := day.AddDate(0, 0, stood)
	due := r.Due(day.Add(12*time.Hour), at, proved.Add(5*time.Hour).Sub(day))
	want := fingers(day, r.Answer, r.Moves, at)
	if r.Pauses {
		want = fingers(proved, r.Answer, r.Moves, at)
		if other := stoodStill(fingers(day, r.Answer, false, at), stood, r.Moves, at); other.Before(want) {
			want = other
		}
	}
	var out []string
	promise := between(proved, due.Promised.In(at.location()))
	for what, wrong := range map[string]bool{
		fmt.Sprintf("the answer is due at %s, and not at %s", due.Legal.Format(time.DateTime), want.Format(time.DateOnly)): !due.Legal.Equal(endOf(want)),
		"the promise is later than the law":                             due.Promised.After(due.Legal),
		"the promise is over a week from the proof":                     promise > 7,
		"the promise leaves less than a week although the law has more": promise < 7 && due.Promised.Before(due.Legal),
		"the alarm is not between the proof and the promise":            due.Alarm.Before(proved) && due.Alarm.Before(due.Promised) || due.Alarm.After(due.Promised),
	} {
		if wrong {
			out = append(out, fmt.Sprintf("with %d days of proving, %s", stood, what))
		}
	}
	return out
}

// stoodStill goes on from a last day, a day for each that the clock stood still.
func stoodStill(day time.Time, stood int, moves bool, at Place) time.Time {
	for ; stood > 0 || moves && !at.Works(day); stood-- {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// fingers goes from day to day and counts, as one does with a calendar on the wall.
func fingers(day time.Time, s Span, moves bool, at Place) time.Time {
	number, months, days, business := day.Day(), 0, 0, 0
	for {
		tomorrow := day.AddDate(0, 0, 1)
		reached := s.Months > 0 && months == s.Months && (day.Day() == number || tomorrow.Month() != day.Month()) ||
			s.Days > 0 && days == s.Days || s.BusinessDays > 0 && business == s.BusinessDays
		if reached {
			break
		}
		days++
		if tomorrow.Month() != day.Month() {
			months++
		}
		if at.Works(tomorrow) {
			business++
		}
		day = tomorrow
	}
	for moves && !at.Works(day) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// between counts the days from one to another, whatever hours they have.
func between(from, to time.Time) int {
	n := 0
	for to = dayOf(to); from.Before(to); n++ {
		from = from.AddDate(0, 0, 1)
	}
	return n
}
