// Package ui draws the privacy pages of the people who answer requests.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"aver/base/deadline"
	"aver/base/errs"
	"aver/frame/page"
	"aver/trust/rights/letters"
	"aver/trust/rights/record"
	"aver/trust/rights/settings"
	"aver/trust/rights/state"
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
	ID, Via, Contact, Regime, Decider    string
	Kind                                 state.Kind
	State                                state.State
	Reason                               state.Reason
	Delay                                state.Delay
	Policy                               state.Policy
	Passed                               bool
	Asked, Alarm, Due, Legal, Ended, Now time.Time
	ConfirmBy, Confirmed, Extended       time.Time
	Entered, ProofAt, ProveUntil, Proved time.Time
	Proof                                state.Proof
	Counts                               map[string]int // rows of each class that were copied or erased
	Stopped                              bool           // the law's clock stands still
	File                                 bool
	Entry                                int64
	Returned                             []string // letters that could not be delivered, by name
	Task                                 Task
}

// ListView is the page of all requests.
type ListView struct {
	Requests []Request
	Older    string
	May      bool // whoever looks may write a request down
}

// NewView is the form for a request that reached the tenant another way.
type NewView struct {
	Person, Regime, Today string
	Mails, May            bool
	Sheet                 page.Sheet
}

// RequestView is the page of one request.
type RequestView struct {
	Request
	Receipt, Leaf         string
	Checked               bool
	Address, Words, Reply string     // what was typed, and what was answered
	May                   bool       // whoever looks may decide
	Sheet                 page.Sheet // of the form that was refused; its ID says which
}

// EraseView asks an operator before an erasure.
type EraseView struct {
	Contact, Word string
	Request       string // that waits for it; empty when nobody asked
	Rows          map[string]int
	Faults        []errs.Field
}

// SettingsView is the page of how the tenant answers people.
type SettingsView struct {
	Settings settings.Privacy
	Portal   string // the address of the public page
	Sheet    page.Sheet
}

// NotTheWord says that what was typed back is something else.
func NotTheWord() string { return text.T("confirm.mismatch") }

// Erased says that somebody is gone.
func Erased() string { return text.T("erased") }

// Entered says that a request was written down.
func Entered() string { return text.T("entered") }

// Decided says that a decision was stored.
func Decided(what string) string { return text.T("decided." + what) }

// SettingsTitle names the page of settings, SettingsAbout says what it is for, SettingsSaved that it was saved.
func SettingsTitle() string { return text.T("settings.title") }

// SettingsAbout says what the page of settings is for.
func SettingsAbout() string { return text.T("settings.about") }

// SettingsSaved says that the settings were saved.
func SettingsSaved() string { return text.T("settings.saved") }

func (r Request) over() bool { return r.State.Over() }

// waits tells whether it waits for us, and not for the person.
func (r Request) waits() bool { return r.State == state.Open || r.State == state.Running }

// mark is how a request stands: late, soon due, on its way, done.
func (r Request) mark() page.State {
	switch {
	case r.State == state.Fulfilled:
		return page.Holds
	case r.over() || !r.waits():
		return page.Unknown
	case r.Now.After(r.Due):
		return page.Failing
	default:
		return page.Stale
	}
}

func (r Request) verifying() bool { return r.State == state.Verifying }

func (r Request) stateWord() string { return text.T("state." + string(r.State)) }

func (r Request) kindWord() string { return text.T("kind." + string(r.Kind)) }

func (r Request) row() page.Row {
	note := text.T("via."+r.Via) + " · " + r.stateWord()
	switch {
	case r.Reason != "":
		note += ": " + text.T("reason."+string(r.Reason))
	case r.Passed && !r.over():
		note += " · " + text.T("passed.short")
	}
	if r.Stopped {
		note += " · " + text.T("due.stands")
	}
	if len(r.Returned) > 0 {
		note = text.T("returned.short") + " · " + note
	}
	if r.waits() {
		note += " · " + text.T("due.by", r.Due.Format(time.DateOnly))
	}
	return page.Row{Href: "/privacy/requests/" + r.ID, State: r.mark(), Title: r.kindWord(), Note: note, Last: page.Ago(r.Asked)}
}

func (r Request) facts() []page.KeyValue {
	out := []page.KeyValue{
		{Key: text.T("fact.state"), Part: page.Badge{State: r.mark(), Word: r.stateWord()}},
		{Key: text.T("fact.via"), Value: text.T("via." + r.Via)},
		{Key: text.T("fact.law"), Value: text.T("law." + r.Regime)},
	}
	if r.Reason != "" {
		out = append(out, page.KeyValue{Key: text.T("fact.reason"), Value: text.T("reason." + string(r.Reason))})
	}
	switch {
	case r.Decider != "":
		out = append(out, page.KeyValue{Key: text.T("fact.decided"), Value: r.Decider})
	case r.Policy != "":
		out = append(out, page.KeyValue{Key: text.T("fact.decided"), Value: text.T("fact.policy"), Help: text.T("policy." + string(r.Policy))})
	}
	switch {
	case r.Proof == "":
	case r.Proved.IsZero():
		out = append(out, page.KeyValue{Key: text.T("fact.proof"), Value: text.T("fact.proof.open"), Help: text.T("proof." + string(r.Proof))})
	default:
		out = append(out, page.KeyValue{Key: text.T("fact.proof"), Value: text.T("proof." + string(r.Proof))})
	}
	if r.Delay != "" && r.Extended.IsZero() {
		out = append(out, page.KeyValue{Key: text.T("fact.delay"), Value: text.T("delay." + string(r.Delay)), Help: text.T("fact.delay.help")})
	}
	if r.Contact != "" {
		out = append(out, page.KeyValue{Key: text.T("fact.person"), Part: page.Code{Value: r.Contact, Label: text.T("fact.person"), Short: 8}})
	}
	return append(out, page.KeyValue{Key: text.T("fact.number"), Part: page.Code{Value: r.ID, Label: text.T("fact.number"), Short: 8}})
}

// What is said while it is still to be proved who asked.
func (r Request) standTitle() string {
	if r.Stopped {
		return text.T("stands")
	}
	return text.T("runs")
}

func (r Request) standText() string {
	if r.Stopped {
		return text.T("stands.text", r.ProofAt.Format(time.DateOnly), r.ProveUntil.Format(time.DateOnly))
	}
	return text.T("runs.text", r.Legal.Format(time.DateOnly), r.ProveUntil.Format(time.DateOnly))
}

func (r Request) returned() string {
	var which []string
	for _, name := range r.Returned {
		which = append(which, text.T("letter."+name))
	}
	return text.T("returned.text", strings.Join(which, "; "))
}

// course is the request's days on a line.
func (r Request) course() page.Course {
	c := page.Course{Label: text.T("course.label", r.Due.Format(time.DateOnly), r.Legal.Format(time.DateOnly)), Now: r.Now}
	if r.verifying() {
		c.Label = text.T("course.stands", r.ProveUntil.Format(time.DateOnly))
	}
	add := func(key string, at time.Time, s page.State) {
		if !at.IsZero() {
			c.Stations = append(c.Stations, page.Station{Label: text.T("course." + key), At: at, State: s})
		}
	}
	ahead := func(at time.Time) page.State {
		switch {
		case r.over():
			return page.Unknown
		case r.Now.After(at):
			return page.Failing
		}
		return page.Stale
	}
	add("asked", r.Asked, page.Holds)
	if !r.ProofAt.IsZero() && r.ProofAt.Sub(r.Asked) > time.Hour {
		add("proof", r.ProofAt, page.Holds)
	}
	if r.Proved.Sub(r.Asked) > time.Hour && !r.ProofAt.IsZero() {
		add("proved", r.Proved, page.Holds)
	}
	add("confirmed", r.Confirmed, page.Holds)
	if r.Confirmed.IsZero() && !r.over() {
		add("confirm", r.ConfirmBy, ahead(r.ConfirmBy))
	}
	add("extended", r.Extended, page.Holds)
	if r.verifying() {
		add("prove", r.ProveUntil, page.Unknown)
	}
	if r.Stopped { // the days that are due are not known yet
		return c
	}
	switch {
	case r.over():
		add("ended", r.Ended, page.Holds)
	case !r.verifying():
		add("alarm", r.Alarm, page.Unknown)
	}
	if !r.Due.Equal(r.Legal) {
		add("due", r.Due, ahead(r.Due))
	}
	add("legal", r.Legal, ahead(r.Legal))
	return c
}

// progress shows a copy that is put together.
func (r Request) progress() page.Progress {
	return page.Progress{ID: "copy", Label: text.T("copy.label"), Done: r.Task.Done, Total: r.Task.Total, Unit: text.T("copy.unit"), Refresh: "/privacy/requests/" + r.ID + "/progress"}
}

// why says why there is no copy to download.
func (r Request) why() string {
	if r.State == state.Fulfilled {
		return text.T("copy.gone")
	}
	return r.stateWord()
}

func (v RequestView) copies() bool {
	return v.Kind.Deed() == state.Copy && (v.State == state.Running || v.State == state.Fulfilled)
}

func (v RequestView) typed() bool { return v.Address != "" || v.Words != "" || v.Reply != "" }

func (v RequestView) typedWords() []page.KeyValue {
	var out []page.KeyValue
	for _, one := range []struct{ key, value string }{{"typed.address", v.Address}, {"typed.words", v.Words}, {"typed.reply", v.Reply}} {
		if one.value != "" {
			out = append(out, page.KeyValue{Key: text.T(one.key), Value: one.value})
		}
	}
	return out
}

// Which forms the page of a request has for whoever may decide it.
func (v RequestView) mayFulfil() bool { return v.May && v.State == state.Open }
func (v RequestView) mayRetry() bool {
	return v.May && v.State == state.Open && !v.Passed && (v.Kind.Deed() == state.Copy || v.Kind.Deed() == state.Hold)
}

// mayErase tells whether an erasure waits for a colleague's last word.
func (v RequestView) mayErase() bool {
	return v.May && v.State == state.Open && !v.Passed && v.Kind.Deed() == state.Erase
}
func (v RequestView) mayDeny() bool { return v.May && v.State.May(state.Denied) }
func (v RequestView) mayConfirm() bool {
	return v.May && !v.over() && !v.ConfirmBy.IsZero() && v.Confirmed.IsZero()
}
func (v RequestView) mayExtend() bool {
	return v.May && v.waits() && v.Delay == "" && !v.Now.After(v.Legal) && v.Kind.Clock(v.Regime) != deadline.CCPAOptOut
}

// sheet is that of one of the forms, with what was refused if it is the one.
func (v RequestView) sheet(act string) page.Sheet {
	s := page.Sheet{ID: act}
	if v.Sheet.ID == act {
		s = v.Sheet
	}
	s.Action = "/privacy/requests/" + v.ID + "/" + act
	return s
}

func (v RequestView) reasons() []page.Option {
	var out []page.Option
	for _, r := range state.Reasons(v.Kind) {
		out = append(out, page.Option{Value: string(r), Label: text.T("reason." + string(r))})
	}
	return out
}

func delays() []page.Option {
	var out []page.Option
	for _, d := range state.Delays {
		out = append(out, page.Option{Value: string(d), Label: text.T("delay." + string(d))})
	}
	return out
}

func places() []page.Option {
	var out []page.Option
	for _, p := range deadline.Places() {
		out = append(out, page.Option{Value: p.ID, Label: text.T("place." + p.ID)})
	}
	return out
}

func kinds() []page.Option {
	var out []page.Option
	for _, k := range state.Kinds {
		out = append(out, page.Option{Value: string(k), Label: text.T("kind." + string(k))})
	}
	return out
}

// languages are those in which people are written to, in their own words.
func languages() []page.Option {
	var out []page.Option
	for _, l := range letters.Languages {
		out = append(out, page.Option{Value: l, Label: letters.Named(l)})
	}
	return out
}

func vias() []page.Option {
	var out []page.Option
	for _, v := range record.Brought {
		out = append(out, page.Option{Value: string(v), Label: text.T("via." + string(v))})
	}
	return out
}

func (v NewView) proofs() []page.Option {
	out := []page.Option{{Value: string(state.Seen), Label: text.T("proof.seen"), Help: text.T("proof.seen.help")}}
	if v.Mails {
		out = append(out, page.Option{Value: string(state.Link), Label: text.T("proof.link"), Help: text.T("proof.link.help")})
	}
	return out
}

func laws() []page.Option {
	var out []page.Option
	for _, r := range state.Regimes {
		out = append(out, page.Option{Value: r, Label: text.T("law." + r)})
	}
	return out
}

type count struct {
	Table string
	Rows  int
}

// counted are the tables with most rows first.
func counted(rows map[string]int) []count {
	var out []count
	for table, n := range rows {
		if n > 0 {
			out = append(out, count{table, n})
		}
	}
	slices.SortFunc(out, func(a, b count) int {
		if a.Rows != b.Rows {
			return b.Rows - a.Rows
		}
		return strings.Compare(a.Table, b.Table)
	})
	return out
}

func (v RequestView) countsTitle() string {
	if v.Kind.Deed() == state.Erase {
		return text.T("counts.erased")
	}
	return text.T("counts.copied")
}

// back leads to the page from which somebody came to erase.
func (v EraseView) back() page.Link {
	if v.Request != "" {
		return page.Link{Label: text.T("erase.back"), Href: "/privacy/requests/" + v.Request}
	}
	return page.Link{Label: text.T("erase.back"), Href: "/contacts/" + v.Contact}
}

func (v EraseView) sheet() page.Sheet {
	return page.Sheet{Action: "/privacy/people/" + v.Contact + "/erase", Errors: v.Faults}
}
