package portal

import (
	"time"

	"aver/trust/rights"
	"aver/trust/rights/letters"
	"aver/trust/rights/state"
)

// Offer is what the widget shows of the rights for which it has no screen of its own, in the visitor's language where
// there are words in it.
type Offer struct {
	Title string `json:"title"`
	Label string `json:"label"`
	Kinds []Kind `json:"kinds"`
	Words string `json:"words"` // the label of a field, with Help
	Help  string `json:"help"`
	Ask   string `json:"ask"` // the word on the button

	ToldTitle string   `json:"told_title"`
	Told      []string `json:"told,omitempty"` // who was told what was done with the person's data

	ExceptTitle string   `json:"except_title"`
	Except      []string `json:"except,omitempty"` // what goes on in spite of a restriction, and why
	EndsTitle   string   `json:"ends_title"`
	Ends        string   `json:"ends,omitempty"` // when the restriction ends
}

// Kind is one of them.
type Kind struct {
	Value state.Kind `json:"value"`
	Label string     `json:"label"`
	Help  string     `json:"help"`
}

// widgets are the wishes that the widget offers beside a copy and an erasure.
var widgets = []state.Kind{state.Rectification, state.Restriction, state.Objection, state.NoAutomation, state.OptOut, state.Limit}

// OfferIn makes the offer in a language, with what was told to whom and what becomes of a restriction.
func OfferIn(lang, workspace string, told []rights.Told, limited Limited) Offer {
	t := texts.In(lang)
	o := Offer{Title: t.T("more"), Label: t.T("kind"), Words: t.T("words"), Help: t.T("words.help"), Ask: t.T("more.ask"), ToldTitle: t.T("told"),
		ExceptTitle: t.T("except"), Except: limited.excepted(lang, workspace), EndsTitle: t.T("ends"), Ends: limited.ends(lang, workspace)}
	for _, k := range widgets {
		o.Kinds = append(o.Kinds, Kind{k, t.T("kind." + string(k)), t.T("help." + string(k))})
	}
	o.Told = Telling(lang, told)
	return o
}

// Telling puts into words who was told what, by which way and when.
func Telling(lang string, told []rights.Told) (lines []string) {
	t := texts.In(lang)
	for _, one := range told {
		when := t.T("told.waits")
		if !one.At.IsZero() {
			when = letters.Day(lang, one.At)
		}
		lines = append(lines, t.T("told.line", one.Name, t.T("told."+one.Event), t.T("told.by."+one.Via), when))
	}
	return lines
}

// Said tells a visitor of the widget what became of a request.
func Said(lang, workspace string, s state.State, by, law time.Time) string {
	t := texts.In(lang)
	if s == state.Fulfilled {
		return t.T("done.text", workspace)
	}
	return t.T("open.text", workspace, letters.Day(lang, by), letters.Day(lang, law))
}

// Spoken is the language of the letters to somebody who reads this one.
func Spoken(lang string) string { return Language(lang, lang) }
