// Package ui draws the page about backups and restore drills.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"fmt"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Backup is one that exists.
type Backup struct {
	Name    string
	Made    time.Time
	Entries int64 // of the workspace's log
	Signed  bool
}

// Drill is what a try of a restore showed.
type Drill struct {
	Began time.Time
	Took  time.Duration
	Holds bool
	Fault string
}

// Stage is how far the work is that runs now, in per cent.
type Stage struct {
	What        string
	Done, Total int64
}

// View is the page.
type View struct {
	Backups []Backup
	Drills  []Drill
	Working *Stage
	MayMake bool
	Now     time.Time
}

// Started says that a backup is on its way.
func Started() string { return text.T("started") }

// DrillStarted says that a drill is on its way.
func DrillStarted() string { return text.T("drill.started") }

func (b Backup) state() page.State {
	if b.Signed {
		return page.Holds
	}
	return page.Failing
}

func (d Drill) state() page.State {
	if d.Holds {
		return page.Holds
	}
	return page.Failing
}

// newest is whether the newest backup is fresh.
func (v View) newest() page.State {
	switch {
	case len(v.Backups) == 0:
		return page.Unknown
	case v.Now.Sub(v.Backups[0].Made) > 36*time.Hour:
		return page.Stale
	}
	return v.Backups[0].state()
}

func (d Drill) moment() page.Moment {
	m := page.Moment{At: d.Began, Icon: "rotate-ccw", State: d.state(), Title: text.T("drill." + string(d.state())), Text: d.Fault}
	if d.Holds {
		m.Text = text.T("drill.text", took(d.Took))
	}
	return m
}

func took(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func (v View) moments() []page.Moment {
	var out []page.Moment
	for _, d := range v.Drills {
		out = append(out, d.moment())
	}
	return out
}

func (v View) progress() page.Progress {
	return page.Progress{ID: "working", Label: text.T("working." + v.Working.What), Done: v.Working.Done, Total: v.Working.Total, Unit: text.T("unit"), Refresh: "/settings/backups/progress"}
}
