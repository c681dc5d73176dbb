// Package ui draws the pages about how long data is kept, and the connection log.
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

const day = 24 * time.Hour

// Class is one class of data.
type Class struct {
	Name, Purpose       string
	Limit, Default, Cap time.Duration
	Own                 bool
	Oldest              time.Time
	Over                time.Duration
}

// View is the page of the schedule.
type View struct {
	Classes       []Class
	Open          *Class // whose form is open
	Sheet         page.Sheet
	MayWrite      bool
	Last, Doubted time.Time
	Removed       int
	Sweeping      string
}

// Connection is a line of the connection log.
type Connection struct {
	At                    time.Time
	IP, Agent, Class, Who string
}

// Connections is a page of it.
type Connections struct {
	List  []Connection
	Older string
}

// Saved says that a time was set.
func Saved() string { return text.T("saved") }

// Sweeping says that a sweep was started.
func Sweeping() string { return text.T("sweeping") }

func days(d time.Duration) string {
	if d == 0 {
		return text.T("unlimited")
	}
	return text.T("days", int(d/day))
}

func value(c Class) string {
	if !c.Own {
		return ""
	}
	return strconv.Itoa(int(c.Limit / day))
}

// state is whether the class keeps its limit. A sweep comes every hour, so an hour over is none.
func (c Class) state() page.State {
	if c.Over > 2*time.Hour {
		return page.Failing
	}
	return page.Holds
}

func (c Class) most() int {
	if c.Cap > 0 {
		return int(c.Cap / day)
	}
	return 3650
}

func (v View) sheet() page.Sheet {
	s := v.Sheet
	s.Action = "/settings/retention"
	return s
}

func tabs(on string, group ...string) []page.Tab {
	var out []page.Tab
	for _, path := range group {
		out = append(out, page.Tab{Label: text.T("tab." + path), Href: path, On: path == on})
	}
	return out
}
