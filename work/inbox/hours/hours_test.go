package hours_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aver/base/errs"
	"aver/work/inbox/hours"
)

func berlin(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// weekdays from nine to five, with a break on Mondays.
func weekdays() hours.Hours {
	h := hours.Hours{Zone: "Europe/Berlin", Limited: true}
	for day := time.Monday; day <= time.Friday; day++ {
		h.Week[day] = []hours.Span{{From: 9 * 60, To: 17 * 60}}
	}
	h.Week[time.Monday] = []hours.Span{{From: 9 * 60, To: 12 * 60}, {From: 13 * 60, To: 17 * 60}}
	return h
}

func TestSomebodyAnswersByTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	h := weekdays()
	for at, want := range map[string]string{
		"2026-11-23 08:59": "2026-11-23 09:00", // a Monday
		"2026-11-23 09:00": "open",
		"2026-11-23 12:00": "2026-11-23 13:00",
		"2026-11-23 16:59": "open",
		"2026-11-23 17:00": "2026-11-24 09:00",
		"2026-11-27 20:00": "2026-11-30 09:00", // over the weekend
		"2026-03-28 12:00": "2026-03-30 09:00", // the clocks go forward
		"2026-10-24 12:00": "2026-10-26 09:00", // and back
	} {
		moment := berlin(t, at)
		next := h.Next(moment.UTC())
		if want == "open" {
			if !h.Open(moment) || !next.Equal(moment) {
				t.Errorf("%s: open %v, next %v", at, h.Open(moment), next)
			}
			continue
		}
		if h.Open(moment) || !next.Equal(berlin(t, want)) {
			t.Errorf("%s: open %v, next %v", at, h.Open(moment), next)
		}
	}
	if (hours.Hours{Limited: true}).Next(time.Unix(0, 0)) != (time.Time{}) {
		t.Error("hours without a span have a next one")
	}
	if !(hours.Hours{}).Open(time.Unix(0, 0)) {
		t.Error("without hours nobody answers")
	}
}

func TestTheNextOpeningIsOpenAndNothingBeforeItIs(t *testing.T) {
	t.Parallel()
	h := weekdays()
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1767225600, 1798761600).Draw(t, "second"), 0).UTC()
		next := h.Next(at)
		if !h.Open(next) || next.Before(at) {
			t.Fatalf("after %v comes %v", at, next)
		}
		for between := at; between.Before(next); between = between.Add(10 * time.Minute) {
			if h.Open(between) {
				t.Fatalf("open at %v, before %v", between, next)
			}
		}
	})
}

func TestTheNextChangeIsOneAndNothingBeforeItIs(t *testing.T) {
	t.Parallel()
	h := weekdays()
	h.Week[time.Friday] = []hours.Span{{From: 0, To: 12 * 60}, {From: 12 * 60, To: 24 * 60}} // noon changes nothing
	h.Week[time.Saturday] = []hours.Span{{From: 0, To: 6 * 60}}                              // nor does this midnight
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(1767225600, 1798761600).Draw(t, "second"), 0).UTC()
		next := h.Changes(at)
		if h.Open(next) == h.Open(at) || !next.After(at) {
			t.Fatalf("after %v comes %v", at, next)
		}
		for between := at; between.Before(next); between = between.Add(10 * time.Minute) {
			if h.Open(between) != h.Open(at) {
				t.Fatalf("changes at %v, before %v", between, next)
			}
		}
	})
	always := hours.Hours{Limited: true}
	for day := range always.Week {
		always.Week[day] = []hours.Span{{From: 0, To: 24 * 60}}
	}
	for name, h := range map[string]hours.Hours{"always": {}, "never": {Limited: true}, "day and night": always} {
		if next := h.Changes(time.Unix(1767225600, 0)); !next.IsZero() {
			t.Errorf("%s: changes at %v", name, next)
		}
	}
}

func TestHoursAreChecked(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*hours.Hours){
		"a zone":            func(h *hours.Hours) { h.Zone = "Europe/Atlantis" },
		"the server's zone": func(h *hours.Hours) { h.Zone = "Local" },
		"backwards":         func(h *hours.Hours) { h.Week[1] = []hours.Span{{From: 600, To: 540}} },
		"overlapping":       func(h *hours.Hours) { h.Week[1] = []hours.Span{{From: 0, To: 600}, {From: 540, To: 700}} },
		"past midnight":     func(h *hours.Hours) { h.Week[1] = []hours.Span{{From: 600, To: 1441}} },
		"negative":          func(h *hours.Hours) { h.Week[1] = []hours.Span{{From: -1, To: 60}} },
		"too many":          func(h *hours.Hours) { h.Week[1] = make([]hours.Span, 7) },
		"a long message":    func(h *hours.Hours) { h.Away = strings.Repeat("x", 501) },
	} {
		h := weekdays()
		spoil(&h)
		if err := h.Check(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h := weekdays()
	h.Away = "  We are away.  "
	if err := h.Check(); err != nil || h.Away != "We are away." {
		t.Errorf("%v, %q", err, h.Away)
	}
}
