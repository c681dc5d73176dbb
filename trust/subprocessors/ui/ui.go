// Package ui draws the register of sub-processors for those who keep it.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"strings"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Register is what the list shows.
type Register struct {
	Companies        []Company
	MayWrite         bool
	Allowed, Refused int // calls since the process started
}

// Company is one entry.
type Company struct {
	ID, Name, Address, Region, Safeguard, Contract string
	Purposes, Categories, Hosts                    []string
	AuditedAt                                      time.Time
	Live                                           bool
}

// Saved says that an entry is kept.
func Saved(name string) string { return text.T("saved", name) }

// Removed says that an entry is gone.
func Removed(name string) string { return text.T("removed", name) }

// WrongWord says that the name typed back is another one.
func WrongWord() string { return text.T("wrongword") }

func joined(lines []string) string { return strings.Join(lines, "\n") }

func (c Company) day() string {
	if c.AuditedAt.IsZero() {
		return ""
	}
	return c.AuditedAt.UTC().Format(time.DateOnly)
}

func (c Company) action() string {
	if c.ID == "" {
		return "/settings/subprocessors"
	}
	return "/settings/subprocessors/" + c.ID
}

// address is where an entry is shown: its form, or the public register for those who do not keep it.
func (r Register) address(c Company) string {
	if r.MayWrite {
		return c.action()
	}
	return "/trust/subprocessors"
}

func (c Company) title() string {
	if c.ID == "" {
		return text.T("new")
	}
	return c.Name
}

func (c Company) sheet(s page.Sheet) page.Sheet {
	s.Action = c.action()
	return s
}

func (c Company) tag() []page.Tag {
	if c.Live {
		return []page.Tag{{Text: text.T("live"), Hue: 4, Icon: "check"}}
	}
	return []page.Tag{{Text: text.T("draft")}}
}

func crumbs(deep bool) []page.Link {
	way := []page.Link{{Label: text.T("settings"), Href: "/settings"}}
	if deep {
		way = append(way, page.Link{Label: text.T("title"), Href: "/settings/subprocessors"})
	}
	return way
}
