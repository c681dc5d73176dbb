package ui

import (
	"fmt"

	"aver/frame/page"
)

// Reply is a ready answer in its settings.
type Reply struct{ ID, Shortcut, Text string }

// Replies is the page of ready answers.
type Replies struct {
	All      []Reply
	Open     Reply // in the form; without an ID it is a new one
	Sheet    page.Sheet
	MayWrite bool
}

// Label is a label in its settings.
type Label struct {
	ID, Name string
	Hue      int
}

// Labels is the page of labels.
type Labels struct {
	All      []Label
	Open     Label
	Sheet    page.Sheet
	MayWrite bool
}

// Crew is a team in its settings.
type Crew struct {
	ID, Name string
	Members  []string // identifiers
}

// Teams is the page of teams.
type Teams struct {
	All      []Crew
	Open     Crew
	Users    []Choice
	Sheet    page.Sheet
	MayWrite bool
}

// Hours is the page of office hours.
type Hours struct {
	Zone     string
	Limited  bool
	Days     [7]string // as they are written: 9:00-12:00, 13:00-17:00
	Away     string
	OpenNow  bool
	Sheet    page.Sheet
	MayWrite bool
}

func settingsPage(name string) page.Page {
	return page.Page{Title: text.T(name + ".title"), Lead: text.T(name + ".lead"), Styles: []string{Assets.URL("inbox.css")}, Crumbs: []page.Link{{Label: text.T("settings"), Href: "/settings"}}}
}

func sheetFor(s page.Sheet, action string) page.Sheet {
	s.Action, s.ID = action, "entry"
	return s
}

func formTitle(name, id string) string {
	if id == "" {
		return text.T(name + ".new")
	}
	return text.T(name + ".change")
}

func formAct(id string) string {
	if id == "" {
		return text.T("add")
	}
	return text.T("save")
}

func hueOptions() []page.Option {
	var all []page.Option
	for hue := range 9 {
		all = append(all, page.Option{Value: fmt.Sprint(hue), Label: text.T(fmt.Sprintf("labels.hue.%d", hue))})
	}
	return all
}

func limitedOptions() []page.Option {
	return []page.Option{{Value: "no", Label: text.T("hours.always")}, {Value: "yes", Label: text.T("hours.times")}}
}

// week lists the days from Monday.
func week() []int { return []int{1, 2, 3, 4, 5, 6, 0} }

func (c Crew) has(user string) bool {
	for _, m := range c.Members {
		if m == user {
			return true
		}
	}
	return false
}

func limitedValue(limited bool) string {
	if limited {
		return "yes"
	}
	return "no"
}

// BadTimes says how times of a day are written.
func BadTimes() string { return text.T("hours.bad") }
