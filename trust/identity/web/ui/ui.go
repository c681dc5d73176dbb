// Package ui draws the pages on which people come in, and the settings about themselves, their team and its keys.
package ui

//go:generate go tool -modfile=../../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// T is a sentence of these pages, for those that a redirect carries.
func T(key string, args ...any) string { return text.T(key, args...) }

// Door is the page to sign in.
type Door struct {
	Sheet     page.Sheet
	Next      string // where to go afterwards
	Workspace string // among several of the same address
	Wrong     string // why the last attempt was refused
}

// Invitation is the page on which somebody takes up an invitation, or the owner of a new workspace sets a password.
type Invitation struct {
	Sheet     page.Sheet
	Setup     bool
	Workspace string
	Email     string // to whom it was sent; asked for if empty
}

func (i Invitation) title() string {
	if i.Setup {
		return text.T("setup.title", i.Workspace)
	}
	return text.T("accept.title", i.Workspace)
}

func (i Invitation) lead() string {
	if i.Setup {
		return text.T("setup.lead")
	}
	return text.T("accept.lead")
}
