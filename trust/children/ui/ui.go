// Package ui draws the page about children, the note beside a person, and the letter.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Review is one.
type Review struct {
	ID, Contact, Conversation, State string
	Age                              int
	Opened, Ended                    time.Time
	ByItself                         bool // strict mode decided it
}

// View is the page.
type View struct {
	Reviews           []Review
	Strict            bool
	MayDecide, MaySet bool
	Asked             string // the review that is to be confirmed, once more asked
}

// Saved says that the setting was changed.
func Saved() string { return text.T("saved") }

// Erased says that a child was erased.
func Erased() string { return text.T("erased") }

// Dismissed says that it was no child.
func Dismissed() string { return text.T("dismissed") }

// Letter is what those are told who look after data protection. It names nobody.
func Letter(address string) (subject, words string) {
	return text.T("letter.subject"), text.T("letter.text", address)
}

func (v View) open() (out []Review) {
	for _, r := range v.Reviews {
		if r.State == "open" {
			out = append(out, r)
		}
	}
	return out
}

func (v View) ended() []Review { return v.Reviews[len(v.open()):] }

func (r Review) path(act string) string { return "/settings/children/" + r.ID + "/" + act }

func (r Review) where() string {
	if r.Conversation == "" {
		return "/contacts/" + r.Contact
	}
	return "/inbox/" + r.Conversation
}

func (r Review) place() string {
	if r.Conversation == "" {
		return text.T("in.fields")
	}
	return text.T("in.message")
}

// state is how a review ended.
func (r Review) state() page.Badge {
	switch {
	case r.State == "dismissed":
		return page.Badge{State: page.Attested, Word: text.T("state.dismissed")}
	case r.ByItself:
		return page.Badge{State: page.Holds, Word: text.T("state.strict")}
	}
	return page.Badge{State: page.Holds, Word: text.T("state.erased")}
}

func (r Review) confirm() page.Confirm {
	return page.Confirm{Title: text.T("confirm.title"), Happens: []string{text.T("confirm.all"), text.T("confirm.never"), text.T("confirm.log")},
		Act: text.T("confirm"), Action: r.path("confirm"), Back: "/settings/children"}
}
