// Package ui draws the settings page on which a tenant says what people's data is used for, and writes what people are
// shown before they agree; and how a person's consents stood over time.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"net/url"
	"strings"

	"golang.org/x/text/language"

	"aver/frame/page"
	"aver/vault/purpose"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// View is what the page shows.
type View struct {
	All      []Purpose
	Purpose  Purpose // the one that is open
	Notices  Notices // of it
	MayWrite bool
	Demanded bool // people's data is refused that comes without a ground
}

// Purpose is what data is used for.
type Purpose struct {
	ID         string
	Version    int // 0: as Aver brings it
	Basis      string
	Shares     bool
	Automated  bool
	Names      map[string]string
	Recipients []string
	Keep       string
	Fixed      bool // cannot be changed
	Own        bool // of the tenant's
	Fresh      bool // not defined yet
	Sheet      page.Sheet
}

// Notices is what people are shown for the open purpose.
type Notices struct {
	Purpose   string
	Languages []string
	Open      Notice // the one in the form
	Sheet     page.Sheet
}

// Notice is the notice in force in one language; version 0 is none yet.
type Notice struct {
	Language string
	Version  int
	Text     string
	URL      string
	Own      bool
}

// Saved says that a version of a notice is in force.
func Saved(version int) string { return text.T("saved", version) }

// DemandSaved says that grounds are, or are not, demanded now.
func DemandSaved(on bool) string {
	if on {
		return text.T("demand.on")
	}
	return text.T("demand.off")
}

// Defined says that a version of a purpose is.
func Defined(version int) string { return text.T("defined", version) }

// Address is where a purpose and its notice in a language are shown.
func Address(id, lang string) string {
	return "/settings/consent?" + url.Values{"purpose": {id}, "lang": {lang}}.Encode()
}

func (n Notices) tabs() []page.Tab {
	var tabs []page.Tab
	for _, lang := range n.Languages {
		tabs = append(tabs, page.Tab{Label: text.T("language." + lang), Href: Address(n.Purpose, lang), On: lang == n.Open.Language})
	}
	return tabs
}

func (n Notices) sheet() page.Sheet {
	s := n.Sheet
	s.Action = "/settings/consent"
	return s
}

func (p Purpose) sheet() page.Sheet {
	s := p.Sheet
	s.Action = "/settings/consent/purpose"
	return s
}

func (n Notice) origin() string {
	switch {
	case n.Version == 0:
		return text.T("unwritten")
	case n.Own:
		return text.T("own", n.Version)
	}
	return text.T("shipped", n.Version)
}

// Name is what a purpose is called: by the tenant, in English or the first language there is, else by Aver, else by its
// identifier.
func (p Purpose) Name() string {
	if name := p.Names["en"]; name != "" {
		return name
	}
	for _, lang := range languages {
		if name := p.Names[lang]; name != "" {
			return name
		}
	}
	return Named(p.ID)
}

var languages = []string{"en", "de", "fr", "es", "it", "pt", "nl", "pl", "ar", "hi"}

// Named is what Aver calls a purpose; one of the tenant's own goes by its identifier.
func Named(id string) string {
	if purpose.Of(id).Human || isKnown(id) {
		return text.T("purpose." + id)
	}
	return strings.ReplaceAll(id, "_", " ")
}

func isKnown(id string) bool {
	for _, known := range purpose.Known {
		if known == id {
			return true
		}
	}
	return false
}

func (p Purpose) about() string {
	if p.Own || p.Fresh {
		return ""
	}
	return text.T("about." + p.ID)
}

func (p Purpose) doneBy() string {
	if p.Automated {
		return text.T("by.programs")
	}
	return text.T("by.people")
}

func (p Purpose) version() string {
	if p.Version == 0 {
		return text.T("brought")
	}
	return page.Number(p.Version)
}

func bases() (out []page.Option) {
	for _, b := range purpose.Bases {
		out = append(out, page.Option{Value: string(b), Label: text.T("basis." + string(b))})
	}
	return out
}
