// Package ui draws where people are looked up, and what was found beside a person.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"strings"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// T is a sentence of these pages, for those that a redirect carries.
func T(key string, args ...any) string { return text.T(key, args...) }

// Source is where people are looked up.
type Source struct {
	Kind, URL, Host, Fields  string
	On, Registered, HasToken bool
	Sheet                    page.Sheet
}

// View is the page of settings.
type View struct {
	Sources       []Source
	MayWrite      bool
	Mail          bool // letters can be sent
	Waiting, Late int  // letters
}

// Value is something that was found.
type Value struct {
	Field, Words, Source string
	Picture              bool
	At                   time.Time
}

// Found is what is shown beside a person.
type Found struct {
	Base              string // of the addresses of its buttons
	Values            []Value
	Told, Due         time.Time // the letter about it; zero when none went or none is owed
	Closed            bool      // the person is not to be looked up
	MayAsk, MayForget bool
}

func (s Source) title() string { return text.T(s.Kind) }

func (s Source) badge() page.Badge {
	switch {
	case !s.On:
		return page.Badge{State: page.Unknown, Word: text.T("off")}
	case !s.Registered:
		return page.Badge{State: page.Failing, Word: text.T("unregistered")}
	}
	return page.Badge{State: page.Holds, Word: text.T("on")}
}

func (s Source) tokenHelp() string {
	if s.HasToken {
		return text.T("token.kept")
	}
	return text.T("token.help")
}

func (f Found) pairs() []page.KeyValue {
	var out []page.KeyValue
	for _, v := range f.Values {
		words := strings.ReplaceAll(v.Field, "_", " ")
		pair := page.KeyValue{Key: strings.ToUpper(words[:1]) + words[1:], Value: v.Words, Help: text.T("from", v.Source, v.At.UTC().Format("2 January 2006"))}
		if v.Picture {
			pair.Part = picture(f.Base+"/picture", v.Source)
		}
		out = append(out, pair)
	}
	return out
}

func (f Found) told() string {
	switch {
	case !f.Told.IsZero():
		return text.T("told", f.Told.UTC().Format("2 January 2006"))
	case !f.Due.IsZero():
		return text.T("due", f.Due.UTC().Format("2 January 2006"))
	}
	return ""
}

func crumbs() []page.Link { return []page.Link{{Label: text.T("settings"), Href: "/settings"}} }
