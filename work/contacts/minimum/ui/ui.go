// Package ui draws the settings page on which a tenant decides what is kept of a person.
package ui

//go:generate go tool -modfile=../../../../tools/go.mod templ generate -include-version=false

import (
	"context"
	_ "embed"
	"strings"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/text/language"

	"aver/frame/page"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// View is the page.
type View struct {
	Fields   []Field
	People   int
	MayWrite bool
}

// Field is a field and how it stands.
type Field struct {
	Name            string
	Off, Done       bool
	OffAt           time.Time
	Looked, Removed int
	Held            int // people of whom a legal hold keeps it
}

// Switched says what was done.
func Switched(field string, on bool) string {
	if on {
		return text.T("switched.on", label(field))
	}
	return text.T("switched.off", label(field))
}

func label(field string) string { return text.T("field." + field) }

// heading is the field's name at the beginning of a line.
func (f Field) heading() string {
	name := label(f.Name)
	return strings.ToUpper(name[:1]) + name[1:]
}

// refresh fetches the list anew while anything is swept.
func (v View) refresh() bool {
	for _, f := range v.Fields {
		if f.Off && !f.Done {
			return true
		}
	}
	return false
}

func (f Field) progress(people int) page.Progress {
	return page.Progress{ID: "sweep-" + f.Name, Label: text.T("sweeping"), Done: int64(f.Looked), Total: int64(max(people, f.Looked)), Unit: text.T("people")}
}

func ask(field string, people int) page.Confirm {
	return page.Confirm{ID: "off", Title: text.T("ask", label(field)), Happens: []string{text.T("ask.refused"), text.T("ask.dropped"), text.T("ask.erased", people), text.T("ask.held"), text.T("ask.final")},
		Act: text.T("off", label(field)), Action: "/settings/fields", Name: "field", Value: field, Back: "/settings/fields"}
}

// refreshing are the attributes that fetch the list anew every second.
func refreshing(ctx context.Context, v View) templ.Attributes {
	if !v.refresh() {
		return nil
	}
	return templ.Attributes{"hx-get": "/settings/fields/progress", "hx-trigger": "every 1s", "hx-swap": "outerHTML", "hx-nonce": page.Nonce(ctx)}
}
