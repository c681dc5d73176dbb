// Package ui draws the settings page on which a tenant writes what people are shown before they agree.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Notices is what the page shows.
type Notices struct {
	All      []Notice // one per language
	Open     Notice   // the one in the form
	Sheet    page.Sheet
	MayWrite bool
}

// Notice is the notice in force in one language.
type Notice struct {
	Language string
	Version  int
	Text     string
	URL      string
	Own      bool
}

// Saved says that a version is in force.
func Saved(version int) string { return text.T("saved", version) }

func (n Notices) tabs() []page.Tab {
	var tabs []page.Tab
	for _, one := range n.All {
		tabs = append(tabs, page.Tab{Label: text.T("language." + one.Language), Href: "/settings/consent?lang=" + one.Language, On: one.Language == n.Open.Language})
	}
	return tabs
}

func (n Notices) sheet() page.Sheet {
	s := n.Sheet
	s.Action = "/settings/consent"
	return s
}

func (n Notice) origin() string {
	if n.Own {
		return text.T("own", n.Version)
	}
	return text.T("shipped", n.Version)
}
