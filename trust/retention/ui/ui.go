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
	Own, Strict         bool
	Follows             string
	Until               time.Time // an exception makes the limit longer until then
	Age                 time.Duration
	Oldest              time.Time
	Over                time.Duration
}

// Exception is somebody's wish to keep a class longer.
type Exception struct {
	ID, Class, State, Reason string
	Days                     int
	AskedBy, DecidedBy       string // names
	AskedAt, Until           time.Time
	MayDecide, MayEnd        bool
}

// Unlimited is a table whose rows have no age of their own.
type Unlimited struct{ Name, Reason string }

// View is the page of the schedule.
type View struct {
	Classes             []Class
	Open                *Class // whose form is open
	Except              *Class // for which an exception can be asked
	Sheet               page.Sheet
	MayWrite            bool
	Exceptions          []Exception
	Unlimited           []Unlimited
	Held                int // people whose data a legal hold keeps
	Last, Next, Doubted time.Time
	Removed             int
	Failed              []string // classes that the last sweep could not end
	Sweeping            string
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

// Asked says that an exception was asked for.
func Asked() string { return text.T("except.asked") }

// Decided says that an exception was decided.
func Decided() string { return text.T("except.decided") }

// Ended says that an exception counts no more.
func Ended() string { return text.T("except.ended") }

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

// meter draws how near the oldest is to its limit.
func (c Class) meter() page.Meter {
	return page.Meter{Part: float64(c.Age) / float64(c.Limit), State: c.state(), Label: text.T("meter", page.Age(c.Age), days(c.Limit))}
}

// why says where the limit comes from, when it is not the default.
func (c Class) why() string {
	switch {
	case c.Follows != "":
		return text.T("follows", c.Follows)
	case !c.Until.IsZero():
		return text.T("excepted", c.Until.UTC().Format("2 January 2006"))
	case c.Own:
		return text.T("own")
	}
	return ""
}

func (e Exception) tint() page.State {
	switch e.State {
	case "approved":
		return page.Attested
	case "asked":
		return page.Stale
	}
	return page.Unknown
}

func (e Exception) path(act string) string {
	return "/settings/retention/exceptions/" + e.ID + "/" + act
}

func (c Class) most() int {
	if c.Cap > 0 {
		return int(c.Cap / day)
	}
	return 3650
}

func (v View) sheet(path string) page.Sheet {
	s := v.Sheet
	s.Action = path
	return s
}
