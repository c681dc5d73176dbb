// Package ui draws the pages about keys and the audit log.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Line is an entry in a list.
type Line struct {
	Index  int64
	At     time.Time
	Action string
	Denied bool
	By     string // user, key, visitor, system
	Who    string // a user's name or a part of the system
	Actor  string // identifier
	Person string // identifier of whom it is about
}

// LogView is the page of the log.
type LogView struct {
	Query        url.Values
	Entries      []Line
	Older, Newer string
	Back         time.Time // how far back this page looked when it gave up
}

// Pair is three cells of a small table.
type Pair struct{ A, B, C string }

// EntryView is the page of one entry.
type EntryView struct {
	Line
	Commitment, Leaf, Head, Signed string
	Size                           int64
	Inclusion                      []string
	Holds                          bool
	Touched, Events                []Pair
}

// KeyVersion is one version of a tenant's key.
type KeyVersion struct {
	Purpose string
	Version int
	Made    time.Time
	Current bool
}

// RootVersion is a version of the root key that still wraps keys of the tenant's.
type RootVersion struct{ Version, Wraps int }

// Rotation is the last change of keys.
type Rotation struct {
	State        string
	Began, Ended time.Time
}

// KeysView is the page of the keys.
type KeysView struct {
	Versions  []KeyVersion
	Root      []RootVersion
	Next      time.Time
	Rotation  *Rotation
	Unsafe    string
	MayRotate bool
}

// Rotating says that new keys are being made.
func Rotating() string { return text.T("rotating") }

// Address is the log's address with one parameter changed; an empty value removes it.
func Address(q url.Values, name, value string) string {
	out := url.Values{}
	for k, v := range q {
		if k != name && k != "before" && len(v) > 0 && v[0] != "" {
			out[k] = v[:1]
		}
	}
	if value != "" {
		out.Set(name, value)
	}
	if len(out) == 0 {
		return "/security/log"
	}
	return "/security/log?" + out.Encode()
}

// chips are filters that one press turns on and off.
func (v LogView) chips() []page.Chip {
	var out []page.Chip
	for _, c := range [][2]string{{"outcome", "denied"}, {"by", "user"}, {"by", "key"}, {"by", "visitor"}, {"by", "system"}} {
		on := v.Query.Get(c[0]) == c[1]
		value := c[1]
		if on {
			value = ""
		}
		out = append(out, page.Chip{Label: text.T("chip." + c[1]), Href: Address(v.Query, c[0], value), On: on})
	}
	for _, name := range []string{"action", "actor", "person", "object", "table", "part", "since", "until"} {
		if value := v.Query.Get(name); value != "" {
			out = append(out, page.Chip{Label: text.T("chip."+name, value), Href: Address(v.Query, name, ""), On: true, Icon: "x"})
		}
	}
	return out
}

func (l Line) who() string {
	if l.Who != "" && l.By == "system" {
		return text.T("who.part", l.Who)
	}
	if l.Who != "" {
		return l.Who
	}
	return text.T("who." + l.By)
}

func (l Line) row() page.Row {
	row := page.Row{Href: "/security/log/" + strconv.FormatInt(l.Index, 10), Title: l.Action, Note: l.who(), Last: page.Ago(l.At)}
	if l.Denied {
		row.Tags = []page.Tag{{Text: text.T("denied"), Hue: 1, Icon: "circle-x"}}
	}
	return row
}

func (l Line) facts() []page.KeyValue {
	out := []page.KeyValue{{Key: text.T("time"), Part: page.Exact(l.At)}, {Key: text.T("who"), Value: l.who()}}
	if l.Actor != "" {
		out = append(out, page.KeyValue{Key: text.T("actor"), Part: filterLink("actor", l.Actor)})
	}
	out = append(out, page.KeyValue{Key: text.T("did"), Part: filterLink("action", l.Action)}, page.KeyValue{Key: text.T("outcome"), Value: text.T("outcome." + strconv.FormatBool(l.Denied))})
	if l.Person != "" {
		out = append(out, page.KeyValue{Key: text.T("person"), Part: filterLink("person", l.Person)})
	}
	return out
}

func (v EntryView) state() page.State {
	if v.Holds {
		return page.Holds
	}
	return page.Failing
}

func (v KeysView) progress() page.Progress {
	return page.Progress{ID: "rotation", Label: text.T("rotation.label"), Refresh: "/security/rotation"}
}

func (r Rotation) state() page.State {
	if r.State == "failed" {
		return page.Failing
	}
	return page.Holds
}

func purpose(p string) string { return text.T("key." + p) }

func current(on bool) string { return text.T("key.current." + strconv.FormatBool(on)) }
