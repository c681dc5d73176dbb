package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aver/frame/page"
)

// History is how a person's consents stood over time: acts, oldest first.
type History struct {
	Acts []Act
	Now  time.Time
}

// Kind is what happened.
type Kind string

// The kinds.
const (
	Given     Kind = "given"
	Withdrawn Kind = "withdrawn"
	Refused   Kind = "refused" // without ever having agreed
	Asked     Kind = "asked"   // newer words are in force than those that were agreed to
	Stated    Kind = "stated"  // the tenant's word on what ground it keeps the person
)

// Act is one thing that happened.
type Act struct {
	Kind     Kind
	Purpose  string
	At       time.Time // of a ground: since when it holds
	Version  int       // of the text that was shown
	Language string
	How      string
	Basis    string // of a ground, with the tenant's words
	Words    string
	SignedBy string
	Receipt  string // where its receipt is; may be empty
}

// lane is the line of a purpose in the picture. Places are shares of the width in per cent, so that words keep their size
// on a phone.
type lane struct {
	name  string
	spans []span
	marks []mark
}

// span is a time in which a purpose stood in one way.
type span struct {
	kind  Kind
	x     string
	width string
}

// mark is an act.
type mark struct {
	kind   Kind
	x      string
	label  string // the version; empty where there is no room for it
	anchor string
}

const (
	laneHeight = 56
	room       = 9.0 // per cent that a label takes
)

// from is where the picture begins: at what the person did first. A ground that holds for years stands at the edge, so that
// it does not press the rest together; without anything the person did, the grounds are all there is.
func (h History) from() time.Time {
	for _, a := range h.Acts {
		if a.Kind != Stated {
			return a.At
		}
	}
	return h.Acts[0].At
}

// share is where a time stands, in per cent.
func (h History) share(at time.Time) float64 {
	whole := h.Now.Sub(h.from())
	if whole <= 0 {
		return 1
	}
	return 1 + 98*min(1, max(0, float64(at.Sub(h.from()))/float64(whole)))
}

func percent(x float64) string { return fmt.Sprintf("%.2f%%", x) }

// lanes are the purposes in the order in which they came up.
func (h History) lanes() []lane {
	var out []lane
	for _, a := range h.Acts {
		if !slices.ContainsFunc(out, func(l lane) bool { return l.name == a.lane() }) {
			out = append(out, h.lane(a.lane()))
		}
	}
	return out
}

// lane is what the line is called on which an act stands: what the person says and what the tenant says lie apart.
func (a Act) lane() string {
	if a.Kind == Stated {
		return text.T("history.lane", a.Purpose)
	}
	return a.Purpose
}

func (h History) lane(name string) lane {
	l, labelled := lane{name: name}, -room
	var open *span // the state that lasts
	var since float64
	for _, a := range h.Acts {
		if a.lane() != name {
			continue
		}
		x := h.share(a.At)
		m := mark{kind: a.Kind, x: percent(x), anchor: "middle"}
		if label := h.label(a); label != "" && x-labelled >= room {
			m.label, labelled = label, x
		}
		if x < room/2 {
			m.anchor = "start"
		} else if x > 100-room/2 {
			m.anchor = "end"
		}
		l.marks = append(l.marks, m)
		if a.Kind == Asked {
			continue // what lasts goes on
		}
		if open != nil {
			open.width = percent(x - since)
		}
		l.spans, since = append(l.spans, span{kind: a.Kind, x: m.x}), x
		open = &l.spans[len(l.spans)-1]
	}
	if open != nil {
		open.width = percent(max(0, 99-since))
	}
	return l
}

// label is which version was shown, or since when a ground holds that is older than the picture.
func (h History) label(a Act) string {
	switch {
	case a.Version > 0:
		return text.T("history.version", a.Version)
	case a.At.Before(h.from()):
		return text.T("history.since", a.At.Format("January 2006"))
	}
	return ""
}

func (h History) height() string  { return fmt.Sprint(len(h.lanes())*laneHeight + 24) }
func (h History) foot() string    { return fmt.Sprint(len(h.lanes())*laneHeight + 18) }
func top(n int, below int) string { return fmt.Sprint(n*laneHeight + below) }
func (h History) first() string   { return h.from().Format("2 January 2006") }
func (a Act) title() string       { return text.T("history." + string(a.Kind)) }
func (a Act) state() page.State   { return states[a.Kind] }

func (h History) newest() []Act {
	all := slices.Clone(h.Acts)
	slices.Reverse(all)
	return all
}

var states = map[Kind]page.State{Given: page.Holds, Withdrawn: page.Stale, Refused: page.Stale, Asked: page.Unknown, Stated: page.Attested}

// what says which words were shown, or which were said.
func (a Act) what() string {
	switch {
	case a.Kind == Stated:
		return text.T("history.ground", text.T("basis."+a.Basis), a.Words)
	case a.Version == 0:
		return text.T("history.unshown")
	}
	return text.T("history.shown", a.Version, a.Language)
}

func (a Act) by() string {
	switch {
	case a.How == "":
		return ""
	case a.SignedBy != "":
		return text.T("how.signed", a.SignedBy)
	}
	return text.T("how." + a.How)
}

// words say the picture in a sentence.
func (h History) words() string {
	var all []string
	for _, l := range h.lanes() {
		all = append(all, text.T("history.now", l.name, text.T("history."+string(l.now()))))
	}
	return text.T("history.label", strings.Join(all, "; "))
}

// now is how the purpose stands.
func (l lane) now() Kind {
	if len(l.spans) == 0 {
		return Asked
	}
	return l.spans[len(l.spans)-1].kind
}

// shape tells the kinds apart without colour: a disc, a cross, a diamond, a stroke.
func shape(k Kind) string {
	switch k {
	case Given:
		return "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0 -14 0z"
	case Withdrawn, Refused:
		return "M-6 -6L6 6M-6 6L6 -6"
	case Stated:
		return "M0 -8l8 8l-8 8l-8 -8z"
	}
	return "M0 -9V9M-5 9H5"
}

// kinds are those that the picture shows.
func (h History) kinds() (out []Kind) {
	for _, k := range []Kind{Given, Withdrawn, Refused, Asked, Stated} {
		if slices.ContainsFunc(h.Acts, func(a Act) bool { return a.Kind == k }) {
			out = append(out, k)
		}
	}
	return out
}
