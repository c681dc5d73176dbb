// Package portal draws the public pages on which people ask about their own data, in their language where Aver has it.
//
// The pages work without scripts. What they show is the same whether or not a person is known, until that person has proved
// who they are.
package portal

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	"embed"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"aver/base/errs"
	"aver/frame/page"
	"aver/trust/rights/letters"
	"aver/trust/rights/receipt"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
)

//go:embed strings.*.json
var files embed.FS

var texts = page.MustTranslations(files, letters.Languages...)

// Language is the one to show a page in: the one that was asked for, or what the browser says.
func Language(asked, accept string) string {
	if slices.Contains(letters.Languages, asked) {
		return asked
	}
	return texts.Match(accept)
}

// CheckPath is where the page lies that says how receipts are checked.
const CheckPath = "/my-data/receipts"

// Text is a text of the pages.
func Text(lang, key string) string { return texts.In(lang).T(key) }

// kinds are the wishes on the page, in its order. What a law calls them follows from where the person lives.
var kinds = []state.Kind{state.Access, state.Portability, state.Rectification, state.Erasure, state.Restriction, state.Objection, state.NoAutomation, state.OptOut, state.Limit}

// residences are the answers to where somebody lives.
var residences = []string{"eu", "us", "other"}

// Form is the page on which a request begins.
type Form struct {
	Workspace string
	Base      string // its address
	Lang      string
	Sheet     page.Sheet
	Mail      bool
	Signed    bool // the tenant's site has signed who it is
}

// Answer is the page of one request, for the browser that asked.
type Answer struct {
	Form
	ID      string
	Kind    state.Kind
	State   state.State
	Reason  state.Reason
	GDPR    bool
	File    string // where the finished copy or the receipt is; empty when there is none (any more)
	Receipt string
	Told    []string // who was told what, in words
	Limited
	Beside  templ.Component // what is offered together with a copy
	Done    int64           // of a copy that is put together
	Total   int64
	By      time.Time
	Law     time.Time
	Until   time.Time // by when the person can prove who they are
	Stopped bool      // the law's clock stands still until then
}

// Followed is the page to which a mailed link leads.
type Followed struct {
	Form
	ID, Link string
	Over     bool // the link is not valid any more
	Sent     bool // another one is on its way
}

func (f Form) t(key string, args ...any) string { return texts.In(f.Lang).T(key, args...) }

func (f Form) options() []page.Option {
	var out []page.Option
	for _, k := range kinds {
		out = append(out, page.Option{Value: string(k), Label: f.t("kind." + string(k)), Help: f.t("help." + string(k))})
	}
	return out
}

func (f Form) places() []page.Option {
	var out []page.Option
	for _, r := range residences {
		out = append(out, page.Option{Value: r, Label: f.t("lives." + r)})
	}
	return out
}

// languages link to the same page in the others.
func (f Form) languages() []page.Link {
	var out []page.Link
	for _, l := range letters.Languages {
		if l != f.Lang {
			out = append(out, page.Link{Label: letters.Named(l), Href: f.Base + "?lang=" + l})
		}
	}
	return out
}

func (a Answer) day(t time.Time) string { return letters.Day(a.Lang, t) }

// silent tells whether the answer must not depend on what came of the request, for nobody has proved anything.
func (a Answer) silent() bool { return a.Kind.Unproved() }

func (a Answer) deed(d state.Deed) bool { return a.Kind.Deed() == d }

// revocable tells whether the request can still be taken back.
func (a Answer) revocable() bool { return a.State.May(state.Revoked) && !a.silent() }

func (a Answer) progress() page.Progress {
	return page.Progress{ID: "copy", Label: a.t("copy.label"), Done: a.Done, Total: a.Total, Unit: a.t("copy.unit")}
}

func (a Answer) reason() string { return letters.Reason(a.Lang, a.Reason) }

func (a Answer) complain() string { return letters.Complain(a.Lang, a.GDPR) }

// Erased says what was erased, when, and what the law made the workspace keep, as the receipt does.
func Erased(lang, workspace string, r record.Request) string {
	t := texts.In(lang)
	said := t.T("erased.text", workspace, r.Contact.String(), letters.Day(lang, r.EndedAt.UTC()), int(r.Entry))
	for _, k := range receipt.Spared(r.Kept) {
		said += " " + t.T("erased.kept", strings.Join(k.Classes, ", "), t.T("ground."+string(k.Ground)))
	}
	return said
}

// Fault says in the page's language what was wrong with a field.
func Fault(lang, field, code string) errs.Field {
	return errs.Field{Field: field, Code: code, Message: Text(lang, "wrong."+field)}
}

// Unsigned says that what the tenant's site signed does not count, at the field that takes its place.
func Unsigned(lang string) errs.Field {
	return errs.Field{Field: "email", Code: "refused", Message: Text(lang, "wrong.signed")}
}
