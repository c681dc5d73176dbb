// Package ui draws the inbox. It gets words and addresses and knows nothing of where they come from.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/text/language"

	"aver/frame/page"
	limits "aver/trust/restriction/ui"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

//go:embed assets
var files embed.FS

// Assets are the inbox's own style and script.
var Assets = page.BundleFS(sub(files, "assets"))

func sub(from fs.FS, folder string) fs.FS {
	inner, err := fs.Sub(from, folder)
	if err != nil {
		panic(fmt.Sprintf("ui: the embedded folder %s: %v", folder, err)) // part of the program
	}
	return inner
}

// Title is what a page of settings is called.
func Title(name string) string { return text.T(name + ".title") }

// About says in a sentence what a page of settings is for.
func About(name string) string { return text.T(name + ".about") }

// Said is a sentence about what was done.
func Said(what string) string { return text.T("said." + what) }

// Inbox is the whole page.
type Inbox struct {
	List   List
	Thread *Thread // nil when none is open
	Column int     // which a phone shows: 0 list, 1 thread, 2 person
}

// List is the first column.
type List struct {
	States  []View
	Views   []View      // whose
	Chips   []page.Chip // the labels and teams that are chosen
	Labels  []Choice
	Teams   []Choice
	Words   string
	Rows    []Row
	Older   string
	Newer   string
	Empty   page.Empty
	Query   string // the view, for addresses that scripts make: "?state=closed", or ""
	State   string // which the list shows
	Whole   bool   // no filter but the state or the words: what is in it stays while its state does
	MayTidy bool   // labels can be managed
}

// View is a chip whose count scripts keep up to date.
type View struct {
	Name string
	page.Chip
}

// Row is one line of the list.
type Row struct {
	ID string
	page.ConversationRow
}

func (r Row) drawn() page.ConversationRow {
	r.ConversationRow.Attrs = templ.Attributes{"data-conversation": r.ID}
	return r.ConversationRow
}

// Choice is one of several things in a menu.
type Choice struct {
	Label string
	Href  string
	Value string
	On    bool
	Hue   int
}

// Thread is an open conversation.
type Thread struct {
	ID        string
	Epoch     string
	Offset    int64
	Name      string
	State     string
	Until     time.Time // snoozed until
	Address   string    // of the thread, without the view
	Query     string    // the view
	Back      string    // the list
	PersonURL string
	Mine      bool
	Assignee  string // identifier of whose it is, or "none"
	Team      string // the same of the team
	Empty     bool
	Earlier   string // address of what was written before; "" at the beginning
	Lines     []Line
	Read      int64 // how far the person has read
	Draft     string
	Note      bool   // the draft is one for the team alone
	Fault     string // why the last message was not sent
	ClientID  string // for the next one
	MayWrite  bool
	Silent    bool // the person has withdrawn consent
	Users     []Choice
	Teams     []Choice
	Labels    []Choice
	Snoozes   []Choice
	Pick      string // the earliest time that can be picked, as a datetime-local input has it
	Macros    []Macro
	Person    Person
}

// Line is a message in the thread, below a day if it is the first of it.
type Line struct {
	Day      string
	Bubble   page.Bubble
	Pictures []page.File
	Remove   string // address of the page that asks whether to remove it
	Removed  bool
}

// Macro is a ready answer.
type Macro struct{ Shortcut, Text string }

// Person is the third column.
type Person struct {
	Name     string
	Known    bool // there is a page about this person
	Email    string
	ReplyTo  string
	Href     string
	Verified bool
	Blocked  bool
	Active   time.Time
	Since    time.Time
	Consents []Consent
	Limits   []limits.Limit // what the person has closed
	Others   []Other
	Assignee string
	Team     string
	Labels   []page.Tag
}

// Consent is how a person's choice about a purpose stands.
type Consent struct {
	Purpose  string
	Granted  bool
	Version  int
	Language string
	Since    time.Time
}

// Other is another conversation with the person.
type Other struct {
	Href    string
	Preview string
	State   string
	At      time.Time
}

func (t *Thread) attrs() templ.Attributes {
	return templ.Attributes{
		"data-thread": t.ID, "data-epoch": t.Epoch, "data-offset": fmt.Sprint(t.Offset), "data-read": fmt.Sprint(t.Read),
		"data-state": t.State, "data-assignee": t.Assignee, "data-team": t.Team, "data-address": t.Address, "data-query": t.Query, "data-name": t.Name,
		"data-words-failed": text.T("live.failed"), "data-words-removed": text.T("thread.removed"), "data-words-team": text.T("thread.team"),
		"data-words-uploading": text.T("live.uploading", "%"), "data-words-remove": text.T("live.remove", "%"), "data-words-many": text.T("live.tooMany"),
	}
}

func (t *Thread) act(what string) string { return t.Address + "/" + what + t.Query }

func (c Consent) badge() page.Badge {
	if c.Granted {
		return page.Badge{State: page.Holds, Word: text.T("person.agreed")}
	}
	return page.Badge{State: page.Failing, Word: text.T("person.withdrawn")}
}

func (p Person) identity() page.Badge {
	switch {
	case p.Blocked:
		return page.Badge{State: page.Failing, Word: text.T("person.blocked")}
	case p.Verified:
		return page.Badge{State: page.Holds, Word: text.T("person.verified")}
	default:
		return page.Badge{State: page.Unknown, Word: text.T("person.claimed")}
	}
}

// facts are what is known of the person at a glance.
func (p Person) facts() []page.KeyValue {
	all := []page.KeyValue{{Key: text.T("person.identity"), Part: p.identity()}}
	if p.ReplyTo != "" && p.ReplyTo != p.Email {
		all = append(all, page.KeyValue{Key: text.T("person.answer"), Value: p.ReplyTo})
	}
	return append(all, page.KeyValue{Key: text.T("person.active"), Part: page.Ago(p.Active)}, page.KeyValue{Key: text.T("person.since"), Part: page.Ago(p.Since)})
}

func (p Person) consents() []page.KeyValue {
	if len(p.Consents) == 0 {
		return []page.KeyValue{{Key: text.T("person.purpose.support"), Part: page.Badge{State: page.Unknown, Word: text.T("person.asked")}}}
	}
	var all []page.KeyValue
	for _, c := range p.Consents {
		name := c.Purpose
		if c.Purpose == "support" {
			name = text.T("person.purpose.support")
		}
		all = append(all, page.KeyValue{Key: name, Part: consentPart(c)})
	}
	return all
}

func orNone(s, none string) string {
	if s == "" {
		return text.T(none)
	}
	return s
}
