package deadline_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"aver/base/deadline"
)

func regime(t testing.TB, id string) deadline.Regime {
	t.Helper()
	r, err := deadline.Of(id, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheLastDayIsTheOneThatTheLawNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, regime, place, received, legal string }{
		{"the example of EDPB Guidelines 01/2022, number 159", deadline.GDPR, "eu", "2022-03-05T10:00:00Z", "2022-04-05"},
		{"their example of a month that is shorter", deadline.GDPR, "eu", "2022-08-31T10:00:00Z", "2022-09-30"},
		{"31 January; 28 February 2027 is a Sunday", deadline.GDPR, "eu", "2027-01-31T10:00:00Z", "2027-03-01"},
		{"31 January of a leap year", deadline.GDPR, "eu", "2028-01-31T10:00:00Z", "2028-02-29"},
		{"29 February", deadline.GDPR, "eu", "2028-02-29T10:00:00Z", "2028-03-29"},
		{"a month later it is Saturday", deadline.GDPR, "eu", "2027-02-13T10:00:00Z", "2027-03-15"},
		{"a month later it is Easter Monday in Germany", deadline.GDPR, "de", "2027-02-28T10:00:00Z", "2027-03-30"},
		{"Easter Monday where only weekends are known", deadline.GDPR, "eu", "2027-02-28T10:00:00Z", "2027-03-29"},
		{"Good Friday, a weekend and Easter Monday in Germany", deadline.GDPR, "de", "2027-02-26T10:00:00Z", "2027-03-30"},
		{"an hour before midnight in London it is tomorrow in Berlin", deadline.GDPR, "de", "2027-05-06T23:00:00Z", "2027-06-07"},
		{"45 days, of which weekends are some", deadline.CCPA, "us", "2027-01-01T20:00:00Z", "2027-02-15"},
		{"15 business days over two holidays", deadline.CCPAOptOut, "us", "2026-12-23T20:00:00Z", "2027-01-15"},
		{"Independence Day on a Sunday is kept on the Monday", deadline.CCPAOptOut, "us", "2027-06-25T20:00:00Z", "2027-07-19"},
	} {
		p := deadline.PlaceOf(c.place)
		zone, err := time.LoadLocation(p.Zone)
		if err != nil {
			t.Fatal(err)
		}
		due := regime(t, c.regime).Due(at(t, c.received), p, 0)
		if got := due.Legal.In(zone).Format(time.DateTime); got != c.legal+" 23:59:59" {
			t.Errorf("%s: got %s, want the end of %s", c.why, got, c.legal)
		}
	}
}

func TestTheOtherDaysFollow(t *testing.T) {
	t.Parallel()
	due := regime(t, deadline.GDPR).Due(at(t, "2026-11-30T09:00:00Z"), deadline.PlaceOf("eu"), 0)
	if got := due.Extended.Format(time.DateOnly); got != "2027-03-01" { // 28 February 2027 is a Sunday
		t.Errorf("extended to %s", got)
	}
	if got := due.Promised.Format(time.DateOnly); got != "2026-12-07" {
		t.Errorf("promised by %s", got)
	}
	if got := due.Alarm.Format(time.DateOnly); got != "2026-12-06" || !due.Confirm.IsZero() {
		t.Errorf("alarm on %s, confirmation at %s", got, due.Confirm)
	}
	due = regime(t, deadline.CCPA).Due(at(t, "2026-12-18T20:00:00Z"), deadline.PlaceOf("us"), 0)
	if got := due.Confirm.Format(time.DateOnly); got != "2027-01-06" { // 23:59 in Los Angeles, over Christmas and New Year
		t.Errorf("confirmed by %s", got)
	}
	if got := due.Extended.Format(time.DateOnly) + " instead of " + due.Legal.Format(time.DateOnly); got != "2027-03-19 instead of 2027-02-02" {
		t.Errorf("extended by %s", got)
	}
}

func TestOnlyTheEuropeanClockStopsWhileSomebodyProvesWhoTheyAre(t *testing.T) {
	t.Parallel()
	received, eu := at(t, "2027-05-03T10:00:00Z"), deadline.PlaceOf("eu")
	for id, want := range map[string]time.Duration{deadline.GDPR: 4 * 24 * time.Hour, deadline.CCPA: 0, deadline.CCPAOptOut: 0} {
		r := regime(t, id)
		if got := r.Due(received, eu, 4*24*time.Hour+23*time.Hour).Legal.Sub(r.Due(received, eu, 0).Legal); got != want {
			t.Errorf("%s: four days and some hours of proving give %s more, want %s", id, got, want)
		}
	}
}

// TestThirtyDaysAreNotAMonth counts what two other products get wrong.
func TestThirtyDaysAreNotAMonth(t *testing.T) {
	t.Parallel()
	r, late := regime(t, deadline.GDPR), 0
	r.Moves = false
	for day := at(t, "2027-01-01T10:00:00Z"); day.Year() == 2027; day = day.AddDate(0, 0, 1) {
		if day.AddDate(0, 0, 30).After(r.Due(day, deadline.PlaceOf("eu"), 0).Legal) {
			late++
		}
	}
	if late != 30 {
		t.Errorf("thirty days would be late for %d days of 2027, want 30", late)
	}
}

func TestEasterIsWhenItIs(t *testing.T) {
	t.Parallel()
	for _, monday := range []string{"2019-04-22", "2024-04-01", "2025-04-21", "2026-04-06", "2027-03-29", "2028-04-17", "2038-04-26", "2049-04-19"} {
		day, err := time.Parse(time.DateOnly, monday)
		if err != nil {
			t.Fatal(err)
		}
		if deadline.PlaceOf("de").Works(day) || !deadline.PlaceOf("eu").Works(day) {
			t.Errorf("%s is not taken for Easter Monday", monday)
		}
	}
}

func TestEveryDayOfManyYearsAgreesWithTheCalendarOnTheWall(t *testing.T) {
	t.Parallel()
	for _, place := range deadline.Places() {
		for year := 2026; year <= 2029; year++ {
			s := deadline.Simulate(year, place)
			if days := time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay() * len(deadline.Regimes()); s.Days != days {
				t.Errorf("%d in %s: %d days were counted, want %d", year, place.ID, s.Days, days)
			}
			for _, fault := range s.Faults {
				t.Errorf("%s: %s", place.ID, fault)
			}
		}
	}
}

// naive is how long by the calendar, found without any of the package: by the day's number alone.
func naive(received time.Time, months int) time.Time {
	y, m, d := received.Date()
	for want := (int(m)-1+months)%12 + 1; ; d-- {
		if t := time.Date(y, m+time.Month(months), d, 23, 59, 59, 0, time.UTC); int(t.Month()) == want {
			return t
		}
	}
}

func TestWhateverTheMomentNothingIsLaterThanTheLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		received := time.Unix(rapid.Int64Range(1.7e9, 4e9).Draw(t, "received"), 0).UTC()
		place := rapid.SampledFrom(deadline.Places()).Draw(t, "place")
		for _, r := range deadline.Regimes() {
			due := r.Due(received, place, 0)
			later := r.Due(received.Add(time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "wait"))), place, 0)
			switch {
			case due.Promised.After(due.Legal), due.Alarm.After(due.Promised), due.Alarm.Before(received), due.Confirm.After(due.Legal):
				t.Fatalf("%s: out of order: %+v", r.ID, due)
			case later.Legal.Before(due.Legal):
				t.Fatalf("%s: who asks later is answered earlier: %s before %s", r.ID, later.Legal, due.Legal)
			}
		}
		utc := deadline.Place{ID: "utc", Zone: "UTC"}
		r := deadline.Regime{ID: "months", Answer: deadline.Span{Months: rapid.IntRange(1, 14).Draw(t, "months")}}
		if got, want := r.Due(received, utc, 0).Legal, naive(received, r.Answer.Months); !got.Equal(want) {
			t.Fatalf("%d months from %s: got %s, want %s", r.Answer.Months, received, got, want)
		}
	})
}

func TestARegimeIsTheVersionThatHeld(t *testing.T) {
	t.Parallel()
	for _, r := range deadline.Regimes() {
		if _, err := time.Parse(time.DateOnly, r.From); err != nil || r.Source == "" || r.Title == "" || r.Answer.IsZero() {
			t.Errorf("%s: %v", r.ID, r)
		}
	}
	if _, err := deadline.Of("somewhere else", time.Now()); err == nil {
		t.Error("a regime that does not exist is found")
	}
	if got := deadline.PlaceOf("atlantis").ID; got != "eu" {
		t.Errorf("an unknown place counts as %s", got)
	}
}
