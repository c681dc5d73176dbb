// Package claim states a promise so that it can be checked.
//
// A claim is a sentence with live numbers, the predicate behind it, and a probe that finds out whether the predicate
// holds of the running installation. A probe is a function over its target; the same function, pointed at a world that
// was broken on purpose (a Fixture), must say no. A claim without a fixture that makes it fail is not a claim.
//
// Sentences that nobody can probe belong into a document, with an owner and a date, and not here.
package claim

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"aver/base/clock"
)

// Kind tells how a claim is known.
type Kind string

// The kinds. They are never shown as one another.
const (
	Measured Kind = "measured" // a probe of the running system
	Attested Kind = "attested" // a named person's word, with a document and a date it ends
	Document Kind = "document" // generated from live settings
)

// References say which requirements a claim speaks to: identifiers only.
type References struct {
	ISO  []string `json:"iso_27001,omitempty"` // controls of Annex A of ISO/IEC 27001:2022, such as A.8.24
	SOC2 []string `json:"soc_2,omitempty"`     // trust services criteria, such as CC6.1
	GDPR []string `json:"gdpr,omitempty"`      // articles, such as 32(1)(a)
}

// Claim is one promise.
type Claim struct {
	ID        string // of the list of promises: enc-1
	Theme     string // what it is shown under
	Wording   string // the sentence, with {name} where a live number of the evidence goes
	Predicate string // exactly what is checked, in one sentence
	Method    string // how
	Owner     string // which role answers for it
	Kind      Kind
	Every     time.Duration // how often the probe runs
	On        []string      // kinds of events after which it runs besides
	FreshFor  time.Duration // evidence older than this is stale
	Within    time.Duration // how long one run may take; a minute if zero
	Until     time.Time     // of an attested claim: when the word ends
	Check     string        // the command with which a reader checks it
	Refs      References
	Probe     func(ctx context.Context) (Evidence, error)
	Fixtures  []Fixture
}

// Fixture is a world broken on purpose. Its probe must find that the claim does not hold.
type Fixture struct {
	Name  string // what is broken: "a certificate without forward secrecy"
	Probe func(ctx context.Context) (Evidence, error)
}

// Evidence is what a probe found. It holds no personal data.
type Evidence struct {
	Holds        bool              `json:"holds"`
	Figures      map[string]string `json:"figures,omitempty"` // the live numbers, with units, by their name in the wording
	Observations []Observation     `json:"observations,omitempty"`
}

// Observation is one thing a probe saw.
type Observation struct {
	What  string `json:"what"`
	Saw   string `json:"saw"`
	Holds bool   `json:"holds"`
}

// See notes an observation; the evidence holds while all of its observations do. Start with Evidence{Holds: true}.
func (e *Evidence) See(holds bool, what, format string, args ...any) {
	e.Observations = append(e.Observations, Observation{What: what, Saw: fmt.Sprintf(format, args...), Holds: holds})
	e.Holds = e.Holds && holds
}

// Figure sets a live number of the wording.
func (e *Evidence) Figure(name, format string, args ...any) {
	if e.Figures == nil {
		e.Figures = map[string]string{}
	}
	e.Figures[name] = fmt.Sprintf(format, args...)
}

// Complete gives claims what follows from the rest of them (that they are measured, the command that checks them, when
// evidence is stale), and puts those of a theme together, themes in the order in which they first come.
func Complete(claims []Claim) []Claim {
	var themes []string
	for i, c := range claims {
		if !slices.Contains(themes, c.Theme) {
			themes = append(themes, c.Theme)
		}
		claims[i].Check = "aver claims verify " + c.ID
		if c.Kind == "" {
			claims[i].Kind = Measured
		}
		if c.FreshFor == 0 {
			claims[i].FreshFor = 3 * c.Every
		}
	}
	sort.SliceStable(claims, func(i, j int) bool {
		return slices.Index(themes, claims[i].Theme) < slices.Index(themes, claims[j].Theme)
	})
	return claims
}

// Part is a piece of a claim's sentence. Live parts are numbers that were measured.
type Part struct {
	Text string
	Live bool
}

// Parts is the wording with the evidence's numbers in it, in pieces. A number that is not known is shown as a dash.
func (c Claim) Parts(e Evidence) []Part {
	var out []Part
	rest := c.Wording
	for {
		before, after, found := strings.Cut(rest, "{")
		if before != "" {
			out = append(out, Part{Text: before})
		}
		if !found {
			return out
		}
		name, tail, _ := strings.Cut(after, "}")
		figure := e.Figures[name]
		if figure == "" {
			figure = "–"
		}
		out = append(out, Part{Text: figure, Live: true})
		rest = tail
	}
}

// Sentence is the wording with the evidence's numbers in it.
func (c Claim) Sentence(e Evidence) string {
	var out strings.Builder
	for _, p := range c.Parts(e) {
		out.WriteString(p.Text)
	}
	return out.String()
}

// State is how a claim stands.
type State string

// The states.
const (
	Holds   State = "holds"
	Failing State = "failing"
	Stale   State = "stale"   // the evidence is older than it may be
	Unknown State = "unknown" // never measured, or the probe itself failed
)

// StateAt tells how a claim stands at a moment, given its last run.
func (c Claim) StateAt(now, measured time.Time, e Evidence, probeFailed bool) State {
	switch {
	case measured.IsZero() || probeFailed:
		return Unknown
	case !e.Holds:
		return Failing
	case !clock.Within(now, measured, c.FreshFor):
		return Stale
	default:
		return Holds
	}
}

// List is the references in the order in which they are read, such as "ISO 27001 A.8.24".
func (r References) List() []string {
	var out []string
	for _, list := range []struct {
		name string
		ids  []string
	}{{"ISO 27001 ", r.ISO}, {"SOC 2 ", r.SOC2}, {"GDPR Art. ", r.GDPR}} {
		for _, id := range slices.Sorted(slices.Values(list.ids)) {
			out = append(out, list.name+id)
		}
	}
	return out
}

// Markdown writes the claims as a list for people who read the source: what is promised and what exactly is checked.
func Markdown(claims []Claim) string {
	var out strings.Builder
	out.WriteString("# What Aver promises\n\nWritten by `go generate`; each line is a claim with a probe of the running system, shown on `/trust`.\n")
	theme := ""
	for _, c := range claims {
		if c.Theme != theme {
			theme = c.Theme
			fmt.Fprintf(&out, "\n## %s\n", theme)
		}
		fmt.Fprintf(&out, "\n**%s** (%s) %s\n- Checked: %s\n- How: %s\n- Clock: every %s; stale after %s. Owner: %s. Speaks to: %s.\n",
			c.ID, c.Kind, c.Wording, c.Predicate, c.Method, short(c.Every.String()), short(c.FreshFor.String()), c.Owner, strings.Join(c.Refs.List(), ", "))
		for _, f := range c.Fixtures {
			fmt.Fprintf(&out, "- Fails when: %s\n", f.Name)
		}
	}
	return out.String()
}

// short leaves out the parts of a duration that are zero.
func short(d string) string {
	d = strings.TrimSuffix(strings.TrimSuffix(d, "0s"), "0m")
	if d == "" {
		return "0s"
	}
	return d
}
