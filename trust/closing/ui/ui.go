// Package ui draws the page on which an owner closes a workspace, and the one on which a former owner follows what becomes of it.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"strconv"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// T is a text of this package.
func T(key string, args ...any) string { return text.T(key, args...) }

// CloseView is the owner's page.
type CloseView struct {
	Slug  string
	Grace time.Duration
	Wrong bool // the name was not typed back
}

// ClosedView is the former owner's page.
type ClosedView struct {
	Name        string
	OrderedBy   string // owner or operator
	ClosedAt    time.Time
	Until       time.Time
	Begun       bool // there is no way back
	DestroyedAt time.Time
	Steps       []Step
	Download    string // where the certificate is

	Keys, Rows, Files int
	Bytes             int64
}

// Step is a line of the certificate.
type Step struct {
	What, Method string
	At           time.Time
}

// Day writes a day with its time, UTC.
func Day(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04") + " UTC" }

func days(d time.Duration) string { return text.T("days", strconv.Itoa(int(d.Hours()/24))) }

func (v CloseView) confirm() page.Confirm {
	return page.Confirm{ID: "close", Title: text.T("ask", v.Slug), Word: v.Slug, Act: text.T("act"), Action: "/settings/close", Back: "/settings",
		Happens: []string{text.T("happens.access"), text.T("happens.grace", days(v.Grace)), text.T("happens.keys"), text.T("happens.certificate")}}
}

func (v ClosedView) state() string {
	if v.Begun {
		return text.T("state.destroying")
	}
	return text.T("state.waiting", Day(v.Until))
}

func (v ClosedView) counts() string {
	return text.T("counts", page.Number(v.Keys), page.Number(v.Rows), page.Number(v.Files), page.Number(int(v.Bytes)))
}
