// Package ui draws the pages about improvement sets.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

const home = "/settings/improvement"

// Set is one set.
type Set struct {
	ID, State, Label                                           string
	MadeAt, GoneAt                                             time.Time
	Looked, People, Transcripts, Messages, Rare, Alike, Shared int
	K                                                          int // how many people must look alike
	Recall, RecallGoal, Structured, StructuredGoal             float64
}

// View is the list.
type View struct {
	On, MayDecide bool
	K             int
	Sets          []Set
}

// SetView is the page of one set.
type SetView struct {
	Set       Set
	MayDecide bool
	Sample    []Transcript
}

// Transcript is one of a set.
type Transcript struct {
	Language, Period, Channel, Company string
	Lines                              []Line
}

// Line is a message.
type Line struct{ From, Text string }

// Switched says that it was turned on or off.
func Switched(on bool) string {
	if on {
		return text.T("switched.on")
	}
	return text.T("switched.off")
}

// Asked says that a set is being made.
func Asked() string { return text.T("asked") }

// Removed says that a set was removed.
func Removed() string { return text.T("removed") }

func (s Set) done() bool { return s.State == "done" }

func (s Set) failed() bool { return s.State == "failed" }

// badge is what the set may be called, or how far it is.
func (s Set) badge() page.Badge {
	switch {
	case s.failed():
		return page.Badge{State: page.Failing, Word: text.T("state.failed")}
	case !s.done():
		return page.Badge{State: page.Unknown, Word: text.T("state." + s.State)}
	case s.Label == "anonymised":
		return page.Badge{State: page.Holds, Word: text.T("label.anonymised")}
	}
	return page.Badge{State: page.Stale, Word: text.T("label.pseudonymised")}
}

func (s Set) href() string { return home + "/sets/" + s.ID }

func (s Set) download() string { return home + "/download/" + s.ID }

// making is the set that is being made, if there is one.
func (v View) making() *Set {
	for i := range v.Sets {
		if s := &v.Sets[i]; !s.done() && !s.failed() {
			return s
		}
	}
	return nil
}

func share(f float64) string { return fmt.Sprintf("%.1f %%", 100*f) }

// test is one of the three questions of WP 216.
type test struct {
	name, answer string
	state        page.State
}

func holds(yes bool) page.State {
	if yes {
		return page.Holds
	}
	return page.Failing
}

func (s Set) tests() []test {
	return []test{
		{"single", text.T("single.answer", s.Alike, s.K), holds(s.Alike >= s.K)},
		{"link", text.T("link.answer", share(s.Recall), share(s.RecallGoal), share(s.Structured), share(s.StructuredGoal)), holds(s.Recall >= s.RecallGoal && s.Structured >= s.StructuredGoal)},
		{"infer", text.T("infer.answer", s.Shared, s.Rare), holds(s.Shared >= s.K)},
	}
}

func (s Set) values() []page.KeyValue {
	return []page.KeyValue{
		{Key: text.T("transcripts"), Value: page.Number(s.Transcripts)},
		{Key: text.T("people"), Value: page.Number(s.People)},
		{Key: text.T("messages"), Value: page.Number(s.Messages)},
		{Key: text.T("looked"), Value: page.Number(s.Looked)},
	}
}

// head says what is left of a transcript's circumstances.
func (t Transcript) head() string {
	parts := []string{}
	for _, part := range []string{t.Channel, t.Period, t.Language, t.Company} {
		if part != "" && part != "*" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " · ")
}
