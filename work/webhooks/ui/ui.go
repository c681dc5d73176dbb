// Package ui draws the settings pages about webhooks.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// T is a sentence of these pages, for those that a redirect carries.
func T(key string, args ...any) string { return text.T(key, args...) }

// Endpoint is where the tenant wants to be told.
type Endpoint struct {
	ID, URL, About string
	Events         []string // none means all
	State          string
	Failures       int
	Paused         time.Time // zero unless nothing is sent before
	Made           time.Time
	Disabled       time.Time
}

// List is the first page.
type List struct {
	All      []Endpoint
	MayWrite bool
}

// Form makes or changes an endpoint.
type Form struct {
	Sheet    page.Sheet
	Endpoint Endpoint
	Fresh    bool
	Types    []string
}

// Key shows how to check signatures.
type Key struct {
	Endpoint Endpoint
	Value    string
	Secret   bool // a shared secret, which is shown this once
	Rotated  bool
}

// SigningKey is a key that signs now.
type SigningKey struct {
	Scheme string
	Public string // empty for a shared secret
	Made   time.Time
	Until  time.Time
}

// Message is something that was or is to be sent.
type Message struct {
	ID, Event, State  string
	Attempts, Code    int
	Fault             string
	Made, Tried, Next time.Time
}

// One is the page about an endpoint.
type One struct {
	Endpoint Endpoint
	Keys     []SigningKey
	Messages []Message
	State    string // of the messages shown
	Older    string // cursor
	First    bool   // the newest are shown
	MayWrite bool
}

func (e Endpoint) state() page.Badge {
	switch {
	case e.State != "active":
		return page.Badge{State: page.Unknown, Word: text.T("state." + e.State)}
	case e.Failures > 0:
		return page.Badge{State: page.Failing, Word: text.T("state.failing")}
	}
	return page.Badge{State: page.Holds, Word: text.T("state.active")}
}

func (e Endpoint) on() bool { return e.State == "active" }

// title is what the tenant calls it.
func (e Endpoint) title() string {
	if e.About == "" {
		return e.URL
	}
	return e.About
}

func (e Endpoint) wants(event string) bool {
	return len(e.Events) == 0 || slices.Contains(e.Events, event)
}

func (e Endpoint) eventWords() string {
	if len(e.Events) == 0 {
		return text.T("events.all")
	}
	return text.T("events.some", len(e.Events))
}

func (e Endpoint) path(more string) string { return "/settings/webhooks/" + e.ID + more }

func (m Message) badge() page.Badge {
	return page.Badge{State: map[string]page.State{"delivered": page.Holds, "failed": page.Failing}[m.State], Word: text.T("message." + m.State)}
}

// answer is what the receiver said last.
func (m Message) answer() string {
	switch {
	case m.Code != 0:
		return fmt.Sprint(m.Code)
	case m.Fault != "":
		return text.T("fault." + m.Fault)
	}
	return "–"
}

func (o One) chips() []page.Chip {
	var all []page.Chip
	for _, state := range []string{"", "waiting", "delivered", "failed"} {
		href, label := o.Endpoint.path(""), text.T("message.all")
		if state != "" {
			href, label = href+"?state="+state, text.T("message."+state)
		}
		all = append(all, page.Chip{Label: label, Href: href, On: state == o.State})
	}
	return all
}

func (o One) paging() page.Older {
	base := o.Endpoint.path("?state=" + o.State)
	var p page.Older
	if o.Older != "" {
		p.Older = base + "&after=" + o.Older
	}
	if !o.First {
		p.Newer = base
	}
	return p
}

func crumbs(more ...page.Link) []page.Link {
	return append([]page.Link{{Label: text.T("settings"), Href: "/settings"}}, more...)
}

func home() page.Link { return page.Link{Label: text.T("title"), Href: "/settings/webhooks"} }

func (f Form) title() string {
	if f.Fresh {
		return text.T("new")
	}
	return text.T("edit.title")
}

func (k Key) title() string {
	if k.Rotated {
		return text.T("key.rotated")
	}
	return text.T("key.made")
}

func schemes() []page.Option {
	return []page.Option{{Value: "v1a", Label: text.T("scheme.v1a"), Help: text.T("scheme.v1a.help")}, {Value: "v1", Label: text.T("scheme.v1"), Help: text.T("scheme.v1.help")}}
}
