// Package ui draws the public pages of the trust centre.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	"embed"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

//go:embed style/trust.css
var files embed.FS

// Style is the pages' own style, to be mounted at its Path.
var Style = page.BundleFS(files)

func public(p page.Page) page.Page {
	p.Wide = true
	p.Styles = []string{Style.URL("style/trust.css")}
	return p
}

// Summary is the answer to "do the promises hold now?".
type Summary struct {
	Holding, Total, Failing int
	Oldest                  time.Time
	Removed                 int
}

// Drill is the last rehearsal of a restore.
type Drill struct {
	At    time.Time
	Took  time.Duration
	Holds bool
}

// Home is the first page.
type Home struct {
	Now     time.Time
	Region  string
	Only    string // the state that the list is narrowed to
	Summary Summary
	Drill   Drill
	States  map[string]int
	Themes  []Theme
}

// Theme is a group of claims.
type Theme struct {
	Name string
	Rows []page.ClaimRow
}

// Add puts a claim under its theme, in the order in which themes first come.
func (h *Home) Add(theme string, row page.ClaimRow) {
	for i := range h.Themes {
		if h.Themes[i].Name == theme {
			h.Themes[i].Rows = append(h.Themes[i].Rows, row)
			return
		}
	}
	h.Themes = append(h.Themes, Theme{Name: theme, Rows: []page.ClaimRow{row}})
}

// Claim is the page of one claim.
type Claim struct {
	Row                                       page.ClaimRow
	Theme, Sentence, Predicate, Method, Owner string
	Measured                                  bool
	Every, FreshFor                           time.Duration
	Since                                     time.Time
	References                                []string
	Fault                                     string
	Removed                                   int
	Now                                       time.Time
	Check, Broken                             []string
	Saw                                       []Observation
	Runs                                      []Run
}

// Observation is one thing the last run saw.
type Observation struct {
	What, Saw string
	Holds     bool
}

// Run is one measurement.
type Run struct {
	Seq     int64
	At      time.Time
	State   page.State
	Changed bool
	Took    time.Duration
	Href    string
}

// Companies is the public register.
type Companies struct {
	Region  string
	List    []Company
	Claim   *page.ClaimRow
	Refused int
}

// Company is one sub-processor.
type Company struct {
	Name, Address, Region, Safeguard string
	Purposes, Categories, Hosts      []string
	AuditedAt, LiveAt                time.Time
}

// Log is the page of signed checkpoints.
type Log struct {
	Key, Origin, Host string
	List              []Checkpoint
}

// Checkpoint is what was signed at a moment.
type Checkpoint struct {
	At   time.Time
	Size int64
	Root string
	Good bool
	Note string
}

// place is where a region lies, in degrees.
type place struct{ latitude, longitude float64 }

var places = map[string]place{
	"eu": {50, 9}, "de": {51, 10}, "fr": {47, 2}, "ie": {53, -7}, "uk": {53, -1}, "gb": {53, -1}, "ch": {47, 8}, "pl": {52, 20}, "nl": {52, 5}, "se": {60, 16}, "es": {40, -4}, "it": {43, 12},
	"in": {21, 78}, "us": {39, -98}, "us-east": {39, -77}, "us-west": {45, -121}, "ca": {52, -105}, "br": {-15, -50}, "sg": {3, 103}, "jp": {36, 138}, "au": {-25, 134}, "za": {-29, 24}, "ae": {24, 54},
}

// Region is a region's name in words; one that has none is shown as it was set.
func Region(code string) string {
	key := "region." + strings.ToLower(code)
	if name := text.T(key); name != "["+key+"]" {
		return name
	}
	return code
}

func (h Home) answers() []page.Answer {
	return []page.Answer{h.hold(), h.freshness(), h.where(), h.restored()}
}

func (h Home) hold() page.Answer {
	s := h.Summary
	a := page.Answer{Question: text.T("hold.question"), Value: text.T("hold.value", s.Holding, s.Total), State: page.Holds, Note: text.T("hold.note")}
	switch {
	case s.Total == 0:
		a.Value, a.State, a.Note = text.T("hold.none"), page.Unknown, ""
	case s.Failing > 0:
		a.State, a.Note, a.Href = page.Failing, text.T("hold.failing", s.Failing), "/trust?state=failing"
	case s.Holding < s.Total:
		a.State, a.Note = page.Stale, text.T("hold.waiting", s.Total-s.Holding)
	}
	return a
}

func (h Home) freshness() page.Answer {
	if h.Summary.Oldest.IsZero() {
		return page.Answer{Question: text.T("fresh.question"), Value: text.T("fresh.none"), Note: text.T("fresh.none.note")}
	}
	return page.Answer{Question: text.T("fresh.question"), Value: upper(age(h.Now.Sub(h.Summary.Oldest))), Note: text.T("fresh.note")}
}

func (h Home) where() page.Answer {
	a := page.Answer{Question: text.T("where.question"), Value: Region(h.Region), Note: text.T("where.note")}
	if p, known := places[strings.ToLower(h.Region)]; known {
		a.More = page.WorldMap{Latitude: p.latitude, Longitude: p.longitude, Label: text.T("where.map", Region(h.Region))}
	}
	return a
}

func (h Home) restored() page.Answer {
	a := page.Answer{Question: text.T("restore.question"), More: incidents()}
	switch d := h.Drill; {
	case d.At.IsZero():
		a.Value, a.Note, a.State = text.T("restore.none"), text.T("restore.none.note"), page.Unknown
	case !d.Holds:
		a.Value, a.Note, a.State = text.T("restore.failed", page.Age(h.Now.Sub(d.At))), text.T("restore.failed.note"), page.Failing
	default:
		a.Value, a.Note = text.T("restore.done", page.Age(h.Now.Sub(d.At))), text.T("restore.took", took(d.Took))
	}
	return a
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// age is a length of time that nobody counts in seconds.
func age(d time.Duration) string {
	if d < time.Minute {
		return text.T("moment")
	}
	return page.Age(d)
}

// took is a short length of time with its unit.
func took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return page.Age(d)
	}
}

// chips are the filters: only states that occur.
func (h Home) chips() []page.Chip {
	out := []page.Chip{{Label: text.T("all"), Href: "/trust", On: h.Only == "", Count: h.Summary.Total}}
	for _, s := range []string{"holds", "failing", "stale", "unknown"} {
		if h.States[s] > 0 || h.Only == s {
			out = append(out, page.Chip{Label: page.State(s).Word(), Href: "/trust?state=" + s, On: h.Only == s, Count: h.States[s]})
		}
	}
	return out
}

func (c Claim) crumbs() []page.Link {
	return []page.Link{{Label: text.T("trust"), Href: "/trust"}, {Label: c.Theme, Href: "/trust"}}
}

func (c Claim) notice() page.Notice {
	switch {
	case c.Row.Checked.IsZero():
		return page.Notice{State: page.Unknown, Text: text.T("claim.never")}
	case c.Row.State == page.Failing:
		return page.Notice{State: page.Failing, Title: text.T("claim.failing", age(c.Now.Sub(c.Since))), Text: c.firstFault()}
	case c.Row.State == page.Stale:
		return page.Notice{State: page.Stale, Title: text.T("claim.stale", age(c.Now.Sub(c.Row.Checked))), Text: text.T("claim.stale.text", every(c.FreshFor))}
	case c.Fault != "":
		return page.Notice{State: page.Stale, Title: text.T("claim.unmeasured"), Text: c.Fault}
	}
	return page.Notice{State: page.Holds, Title: text.T("claim.holds"), Text: text.T("claim.holds.text", age(c.Now.Sub(c.Since)), age(c.Now.Sub(c.Row.Checked)))}
}

func (c Claim) firstFault() string {
	for _, o := range c.Saw {
		if !o.Holds {
			return o.What + ": " + o.Saw
		}
	}
	return c.Fault
}

// every is a clock in words: 15 min, 1 h.
func every(d time.Duration) string {
	switch {
	case d < time.Minute:
		return text.T("seconds", int(d/time.Second))
	case d < time.Hour:
		return text.T("minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return text.T("hours", int(d/time.Hour))
	default:
		return text.T("days", int(d/(24*time.Hour)))
	}
}

func (c Claim) facts() []page.KeyValue {
	out := []page.KeyValue{
		{Key: text.T("fact.id"), Value: c.Row.ID},
		{Key: text.T("fact.kind"), Value: text.T("kind." + kind(c.Measured))},
		{Key: text.T("fact.clock"), Value: text.T("fact.every", every(c.Every)), Help: text.T("fact.fresh", every(c.FreshFor))},
		{Key: text.T("fact.owner"), Value: c.Owner},
	}
	if !c.Since.IsZero() {
		out = append(out, page.KeyValue{Key: text.T("fact.since"), Part: page.Ago(c.Since)})
	}
	if len(c.References) > 0 {
		out = append(out, page.KeyValue{Key: text.T("fact.maps"), Part: references(c.References)})
	}
	return out
}

func kind(measured bool) string {
	if measured {
		return "measured"
	}
	return "attested"
}

func state(holds bool) page.State {
	if holds {
		return page.Holds
	}
	return page.Failing
}

func (c Company) facts() []page.KeyValue {
	out := []page.KeyValue{
		{Key: text.T("company.address"), Value: c.Address},
		{Key: text.T("company.purposes"), Value: strings.Join(c.Purposes, ", ")},
		{Key: text.T("company.categories"), Value: strings.Join(c.Categories, ", ")},
		{Key: text.T("company.region"), Value: c.Region},
		{Key: text.T("company.hosts"), Value: strings.Join(c.Hosts, ", ")},
	}
	if c.Safeguard != "" {
		out = append(out, page.KeyValue{Key: text.T("company.safeguard"), Value: c.Safeguard})
	}
	return append(out, page.KeyValue{Key: text.T("company.audited"), Value: c.AuditedAt.UTC().Format("2 Jan 2006")})
}

func (l Log) steps() []string {
	return []string{
		"curl https://" + l.Host + "/trust/log/checkpoint",
		"aver audit verify --key '" + l.Key + "' bundle.aver",
	}
}
