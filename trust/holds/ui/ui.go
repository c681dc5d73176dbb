// Package ui draws the pages about legal holds.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"slices"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Hold is a hold as pages show it.
type Hold struct {
	ID, Contact, Ground           string
	Classes, Conversations        []string
	Placed, Review, Released, Now time.Time
}

// ListView is the page of all holds.
type ListView struct {
	Holds []Hold
	Older string
}

// NewView is the form of a new hold.
type NewView struct {
	Contact          string
	Grounds, Classes []string
	Review           time.Time
	Sheet            page.Sheet
}

// PanelView is what stands beside a person.
type PanelView struct {
	Contact  string
	Holds    []Hold
	MayWrite bool
}

// Count is how many items of a class are kept.
type Count struct {
	Class string
	N     int
}

// Item is something that is kept of somebody who was erased.
type Item struct {
	Class, Place string
	Fields       []page.KeyValue // of a row
	File         string          // where a file can be saved
}

// HoldView is the page of one hold.
type HoldView struct {
	Hold
	Reason   string
	Kept     []Count
	Lost     []string // files that could not be kept
	Items    []Item   // when they were opened
	Sheet    page.Sheet
	MayWrite bool
}

// Placed says that a hold was placed.
func Placed() string { return text.T("placed") }

// Reviewed says that somebody looks again later.
func Reviewed() string { return text.T("reviewed") }

// Released says that a hold was released.
func Released() string { return text.T("released") }

func (h Hold) over() bool { return !h.Released.IsZero() }

func (h Hold) parts() []string { return slices.Concat(h.Classes, h.Conversations) }

// mark is how a hold stands: in force, to be looked at again, over.
func (h Hold) mark() page.Badge {
	switch {
	case h.over():
		return page.Badge{State: page.Unknown, Word: text.T("state.released")}
	case h.Now.After(h.Review):
		return page.Badge{State: page.Failing, Word: text.T("state.review")}
	}
	return page.Badge{State: page.Holds, Word: text.T("state.active")}
}

func (h Hold) ground() string { return text.T("ground." + h.Ground) }

// scope says in a few words what is held.
func (h Hold) scope() string {
	switch {
	case len(h.Classes) > 0 && len(h.Conversations) > 0:
		return text.T("scope.both", len(h.Classes), len(h.Conversations))
	case len(h.Classes) > 0:
		return text.T("scope.classes", len(h.Classes))
	case len(h.Conversations) > 0:
		return text.T("scope.conversations", len(h.Conversations))
	}
	return text.T("scope.all")
}

func (h Hold) row() page.Row {
	return page.Row{Href: "/privacy/holds/" + h.ID, State: h.mark().State, Title: h.ground(), Note: h.scope() + " · " + h.mark().Word, Last: page.Ago(h.Placed)}
}

func (v HoldView) facts() []page.KeyValue {
	out := []page.KeyValue{
		{Key: text.T("fact.state"), Part: v.mark()},
		{Key: text.T("fact.ground"), Value: v.ground(), Help: text.T("ground." + v.Ground + ".help")},
		{Key: text.T("fact.scope"), Value: v.scope()},
		{Key: text.T("fact.person"), Part: page.Code{Value: v.Contact, Label: text.T("fact.person"), Short: 8}},
		{Key: text.T("fact.placed"), Part: page.Exact(v.Placed)},
	}
	if v.over() {
		return append(out, page.KeyValue{Key: text.T("fact.released"), Part: page.Exact(v.Hold.Released)})
	}
	return append(out, page.KeyValue{Key: text.T("fact.review"), Part: page.Day(v.Hold.Review)}, page.KeyValue{Key: text.T("fact.reason"), Value: v.Reason})
}

func (v NewView) grounds() []page.Option {
	var out []page.Option
	for _, g := range v.Grounds {
		out = append(out, page.Option{Value: g, Label: text.T("ground." + g), Help: text.T("ground." + g + ".help")})
	}
	return out
}

func scopes() []page.Option {
	return []page.Option{{Value: "all", Label: text.T("scope.all"), Help: text.T("scope.all.help")}, {Value: "classes", Label: text.T("scope.some")}}
}

func (v HoldView) review() page.Sheet {
	s := v.Sheet
	s.Action = "/privacy/holds/" + v.ID + "/review"
	return s
}
