package main

import (
	"context"
	"fmt"
	"strings"

	"aver/base/deadline"
)

var deadlinesCommand = command{name: "deadlines", summary: "count a year of deadlines under every law, and check them", run: deadlines, usage: `
aver deadlines simulate --year YEAR [--place ID] [--json]

A request comes in on every day of the year. Its last day is counted under every regime, and again day by day as one does
with a calendar on the wall; every difference is a fault. A line is one month: how many days the answer may take, and the
odd days, whose last day is not where a naive count ends. Then the same once more for people who take days to prove who they
are: the clock stands still for them under the laws that say so, and under no other. Places are ` + strings.Join(placeIDs(), ", ") + `; eu knows weekends and no holidays.

Exit status: 0 if every day agrees, 1 if one does not.

Examples:
  aver deadlines simulate --year 2027
  aver deadlines simulate --year 2028 --place de --json`}

func placeIDs() (all []string) {
	for _, p := range deadline.Places() {
		all = append(all, p.ID)
	}
	return all
}

func deadlines(_ context.Context, c *call) error {
	year := c.flags.Int("year", 0, "year in which the requests come in")
	place := c.flags.String("place", "eu", "where they are answered: whose holidays, and when a day ends")
	words, err := c.parse()
	switch {
	case err != nil:
		return err
	case len(words) != 1 || words[0] != "simulate":
		return fmt.Errorf("say simulate: %w", errUsage)
	case *year < 2018 || *year > 2199:
		return fmt.Errorf("say a --year from 2018 to 2199: %w", errUsage)
	case deadline.PlaceOf(*place).ID != *place:
		return fmt.Errorf("there is no place %q: %w", *place, errUsage)
	}
	s := deadline.Simulate(*year, deadline.PlaceOf(*place))
	if c.json {
		err = printJSON(c.out, s)
	} else {
		sayDeadlines(c, s)
	}
	if err == nil && len(s.Faults) > 0 {
		return errNo
	}
	return err
}

// sayOdd names the days that a month's end moves, and counts those that a weekend or a holiday does.
func sayOdd(all []deadline.Odd) string {
	var out []string
	moved := 0
	for _, o := range all {
		if o.Why == deadline.NobodyWorks {
			moved++
			continue
		}
		out = append(out, o.Received[5:]+" to "+o.Last[5:]+" ("+o.Why+")")
	}
	if moved > 0 {
		out = append(out, fmt.Sprintf("%d to the next working day", moved))
	}
	return strings.Join(out, ", ")
}

func sayDeadlines(c *call, s deadline.Simulation) {
	fmt.Fprintf(c.out, "%-13s %-10s %5s  %s\n", "regime", "received", "days", "odd days")
	for _, m := range s.Months {
		days := fmt.Sprintf("%d-%d", m.Shortest, m.Longest)
		if m.Shortest == m.Longest {
			days = fmt.Sprint(m.Longest)
		}
		fmt.Fprintf(c.out, "%-13s %-10s %5s  %s\n", m.Regime, m.Month, days, sayOdd(m.Odd))
	}
	fmt.Fprintf(c.out, "The clock stands still while a person proves who they are under %s, and under no other: counted with %s days of it.\n",
		strings.Join(s.Stops, " and "), strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s.Stood)), ", "), "[]"))
	for _, fault := range s.Faults {
		fmt.Fprintln(c.out, "WRONG:", fault)
	}
	fmt.Fprintf(c.out, "%d days counted for %d regimes in %s: %d wrong.\n", s.Days, len(deadline.Regimes()), s.Place, len(s.Faults))
}
