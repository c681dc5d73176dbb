// Package ui draws what a person has closed, as pages about people show it.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"aver/base/ids"
	"aver/frame/page"
	"aver/vault/purpose"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Closed is what the panel shows.
type Closed struct {
	Contact ids.Contact
	Limits  []Limit
	MaySet  bool
	MayLift bool
}

// Limit is something that a person has closed.
type Limit struct {
	Kind    string
	Purpose string
	Since   time.Time
	Except  []string // of a restriction: what goes on all the same

	Announced, Opens time.Time // of its end: zero where none is announced; zero until the person was told
	Untold           bool
}

// Placed and Lifted say what a form has done.
func Placed() string { return text.T("placed") }

// Lifted says that something is open again.
func Lifted() string { return text.T("lifted") }

// Announced says that a restriction ends when the person was told.
func Announced() string { return text.T("announced") }

// Excepted says that something goes on in spite of a restriction.
func Excepted() string { return text.T("excepted") }

// mayExcept tells whether there is a restriction from which whoever looks may except something.
func (c Closed) mayExcept() bool {
	return c.MayLift && slices.ContainsFunc(c.Limits, Limit.restricts)
}

func exceptions() []page.Option {
	var out []page.Option
	for _, name := range []string{purpose.LegalClaims, purpose.Protection, purpose.PublicInterest} {
		out = append(out, page.Option{Value: string(purpose.Restrict) + " " + name, Label: Purpose(name)})
	}
	return out
}

// title says what is closed: Restricted; Objects to outreach.
func (l Limit) title() string {
	if l.Kind == string(purpose.Object) && l.Purpose != purpose.All {
		return text.T("kind.object.one", Purpose(l.Purpose))
	}
	return text.T("kind." + l.Kind)
}

func (l Limit) restricts() bool { return l.Kind == string(purpose.Restrict) }

// ends says how far it is with the end of a restriction; empty where none is announced, or there is a day for it.
func (l Limit) ends() string {
	switch {
	case l.Announced.IsZero() || !l.Opens.IsZero():
		return ""
	case l.Untold:
		return text.T("ends.untold")
	}
	return text.T("ends.owed")
}

func (c Closed) path() string { return "/contacts/" + c.Contact.String() + "/restrictions" }

func (l Limit) meaning() string {
	if len(l.Except) > 0 {
		names := make([]string, len(l.Except))
		for i, name := range l.Except {
			names[i] = Purpose(name)
		}
		return text.T("meaning.restrict.except", strings.Join(names, ", "))
	}
	return text.T("meaning." + l.Kind)
}

var words = map[string]bool{purpose.Support: true, purpose.Assistant: true, purpose.Outreach: true, purpose.Enrichment: true, purpose.Analytics: true,
	purpose.Sync: true, purpose.Improvement: true, purpose.Sale: true, purpose.LegalClaims: true, purpose.Protection: true, purpose.PublicInterest: true}

// Purpose is a purpose's name in words, of the tenant's own what it is called in the program.
func Purpose(name string) string {
	if words[name] {
		return text.T("purpose." + name)
	}
	return strings.ReplaceAll(name, "_", " ")
}

// choices are what can be closed, as one list: the kind and, of objections and restrictions, the purpose.
func choices() []page.Option {
	out := []page.Option{{Value: "restrict", Label: text.T("choice.restrict")}, {Value: "restrict " + purpose.LegalClaims, Label: text.T("choice.restrict.claims")}, {Value: "object", Label: text.T("choice.object")}}
	for _, name := range purpose.Known {
		out = append(out, page.Option{Value: "object " + name, Label: text.T("kind.object.one", Purpose(name))})
	}
	for _, kind := range []purpose.Kind{purpose.NoAutomatedDecision, purpose.OptOutSale, purpose.LimitSensitive} {
		out = append(out, page.Option{Value: string(kind), Label: text.T("kind." + string(kind))})
	}
	return out
}
