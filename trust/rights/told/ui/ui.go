// Package ui draws the page of those who got people's data, and who of them was told what.
package ui

//go:generate go tool -modfile=../../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Recipient is somebody who is told by mail.
type Recipient struct{ ID, Name, Email string }

// Telling is one thing told to one recipient.
type Telling struct {
	Contact, Event, Via, Name string
	Attempts                  int
	Happened, Told            time.Time
	Lost                      bool // nobody was there to be told
}

// View is the page.
type View struct {
	Recipients []Recipient
	Told       []Telling
	Sheet      page.Sheet
	MayWrite   bool
}

// Added says that somebody will be told.
func Added() string { return text.T("added") }

// Removed says that somebody will not be told any more.
func Removed() string { return text.T("removed") }

func (t Telling) state() page.Badge {
	if t.Lost {
		return page.Badge{State: page.Failing, Word: text.T("lost")}
	}
	if t.Told.IsZero() {
		return page.Badge{State: page.Stale, Word: text.T("waiting", t.Attempts)}
	}
	return page.Badge{State: page.Holds, Word: text.T("told")}
}
