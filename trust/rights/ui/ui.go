// Package ui draws the privacy pages: those of the people who answer requests, and the public one where anybody asks.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"slices"
	"time"

	"golang.org/x/text/language"

	"aver/base/errs"
	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Task is how far a copy is.
type Task struct {
	State string
	Done  int64
	Total int64
}

// Request is a request as pages show it.
type Request struct {
	ID, Kind, State, Via, Reason, Contact string
	Asked, Due, Ended, Now                time.Time
	People                                int
	File                                  bool
	Entry                                 int64
	Task                                  Task
}

// ListView is the page of all requests.
type ListView struct {
	Requests []Request
	Older    string
}

// RequestView is the page of one request.
type RequestView struct {
	Request
	Receipt, Leaf string
	Checked       bool
}

// EraseView asks an operator before an erasure.
type EraseView struct {
	Contact, Word string
	Rows          map[string]int
	Faults        []errs.Field
}

// PortalView is the public page.
type PortalView struct {
	Workspace string
	Sheet     page.Sheet
	Mail      bool
}

// AnswerView is the public page of one request.
type AnswerView struct {
	Request
	Workspace, Base, File, Receipt string // File is the address of a finished copy
	Faults                         []errs.Field
}

// NotTheWord says that what was typed back is something else.
func NotTheWord() string { return text.T("confirm.mismatch") }

// Erased says that somebody is gone.
func Erased() string { return text.T("erased") }

// NoAddress says that a mail address is missing.
func NoAddress() string { return text.T("portal.email.wrong") }

// EraseWord is what a person types to erase themselves.
func EraseWord() string { return text.T("portal.word") }

// Tabs are the views of Privacy.
func Tabs(on string) []page.Tab {
	var out []page.Tab
	for _, path := range []string{"/privacy", "/privacy/holds", "/privacy/papers", "/privacy/catalogue", "/settings/retention"} {
		out = append(out, page.Tab{Label: text.T("tab." + path), Href: path, On: path == on})
	}
	return out
}

func (r Request) over() bool { return !r.Ended.IsZero() }

// mark is how a request stands: late, soon due, on its way, done.
func (r Request) mark() page.State {
	switch {
	case r.State == "done":
		return page.Holds
	case r.over():
		return page.Unknown
	case r.Now.After(r.Due):
		return page.Failing
	case r.State == "verifying" || r.State == "proved":
		return page.Unknown
	default:
		return page.Stale
	}
}

func (r Request) stateWord() string { return text.T("state." + r.State) }

func (r Request) row() page.Row {
	note := text.T("via."+r.Via) + " · " + r.stateWord()
	if r.Reason != "" {
		note = text.T("via."+r.Via) + " · " + text.T("reason."+r.Reason)
	}
	last := page.Ago(r.Asked)
	return page.Row{Href: "/privacy/requests/" + r.ID, State: r.mark(), Title: text.T("kind." + r.Kind), Note: note, Last: last}
}

func (r Request) facts() []page.KeyValue {
	out := []page.KeyValue{
		{Key: text.T("fact.state"), Part: page.Badge{State: r.mark(), Word: r.stateWord()}},
		{Key: text.T("fact.asked"), Part: page.Exact(r.Asked)},
		{Key: text.T("fact.via"), Value: text.T("via." + r.Via)},
	}
	if r.over() {
		out = append(out, page.KeyValue{Key: text.T("fact.ended"), Part: page.Exact(r.Ended)})
	} else {
		out = append(out, page.KeyValue{Key: text.T("fact.due"), Part: page.Day(r.Due), Help: text.T("fact.due.help")})
	}
	if r.Reason != "" {
		out = append(out, page.KeyValue{Key: text.T("fact.reason"), Value: text.T("reason." + r.Reason)})
	}
	if r.Contact != "" {
		out = append(out, page.KeyValue{Key: text.T("fact.person"), Part: page.Code{Value: r.Contact, Label: text.T("fact.person"), Short: 8}})
	}
	return out
}

// progress shows a copy that is put together.
func (r Request) progress(live bool) page.Progress {
	p := page.Progress{ID: "copy", Label: text.T("copy.label"), Done: r.Task.Done, Total: r.Task.Total, Unit: text.T("copy.unit")}
	if live {
		p.Refresh = "/privacy/requests/" + r.ID + "/progress"
	}
	return p
}

// why says why there is no copy to download.
func (r Request) why() string {
	if r.State == "done" {
		return text.T("copy.gone")
	}
	return text.T("reason." + orFailed(r.Reason))
}

func orFailed(reason string) string {
	if reason == "" {
		return "failed"
	}
	return reason
}

type count struct {
	Table string
	Rows  int
}

// counts are the tables with most rows first.
func (v EraseView) counts() []count {
	var out []count
	for table, n := range v.Rows {
		if n > 0 {
			out = append(out, count{table, n})
		}
	}
	slices.SortFunc(out, func(a, b count) int { return b.Rows - a.Rows })
	return out
}

func (v EraseView) sheet() page.Sheet {
	return page.Sheet{Action: "/privacy/people/" + v.Contact + "/erase", Errors: v.Faults}
}
