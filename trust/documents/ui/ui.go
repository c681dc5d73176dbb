// Package ui draws the papers of data protection: the public notice, the console's pages of papers, answers and the data
// catalogue with its map, and the setting of who is responsible.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	"embed"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"aver/frame/page"
	"aver/trust/documents/paper"
	"aver/trust/rights/letters"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Say is a text of the papers, in English.
func Say(key string, args ...any) string { return text.T(key, args...) }

// Says tells whether there is such a text.
func Says(key string) bool { return slices.Contains(text.Keys(), key) }

// Languages are those that the notice speaks: those in which people are written to. The first is what people get whose
// language is none of them.
var Languages = letters.Languages

//go:embed notice.*.json
var notices embed.FS

var spoken = mustSpeak()

func mustSpeak() map[string]page.Strings {
	out := map[string]page.Strings{}
	for _, lang := range Languages {
		file, err := notices.ReadFile("notice." + lang + ".json")
		if err != nil {
			panic("documents: " + err.Error()) // part of the program, found by its first test
		}
		out[lang] = page.MustStrings(language.Make(lang), file)
	}
	return out
}

// Notice are the fixed words of the notice in a language.
func Notice(lang string) page.Strings { return spoken[lang] }

//go:embed style/papers.css
var files embed.FS

// Style is the pages' own style, to be mounted at its Path.
var Style = page.BundleFS(files)

func styles() []string { return []string{Style.URL("style/papers.css")} }

// NoticeView is the public notice of a workspace.
type NoticeView struct {
	Paper    paper.Paper
	Version  int
	Since    time.Time
	Here     string // the page's own path
	Portal   string // where people ask
	Language string
}

func (v NoticeView) say(key string, args ...any) string { return Notice(v.Language).T(key, args...) }

// since is a day as every language reads it.
func (v NoticeView) since() string { return letters.Day(v.Language, v.Since.UTC()) }

func (v NoticeView) languages() (out []page.Tab) {
	for _, lang := range Languages {
		out = append(out, page.Tab{Label: letters.Named(lang), Href: v.Here + "?lang=" + lang, On: lang == v.Language})
	}
	return out
}

// PapersView is the list of papers.
type PapersView struct {
	Papers []PaperRow
	Notice string // the public address of the notice
}

// PaperRow is a line of it.
type PaperRow struct {
	Kind, Title, Lead, Hash string
	At                      time.Time
	Lines, Gaps             int
	Forms                   []string
}

func file(kind, form string) string { return "/privacy/papers/download/" + kind + "?format=" + form }

// PaperView is the page of one paper.
type PaperView struct {
	Paper   paper.Paper
	Forms   []string
	Answers bool // it leaves something to a person
}

func (v PaperView) facts() []page.KeyValue {
	return []page.KeyValue{
		{Key: text.T("made"), Part: page.Exact(v.Paper.At)},
		{Key: text.T("hash"), Part: page.Code{Value: v.Paper.Hash, Label: text.T("hash"), Short: 10}, Help: text.T("hash.help")},
		{Key: text.T("program"), Value: v.Paper.Program},
	}
}

// mark is how a measured line stands.
func mark(l paper.Line) page.State { return page.State(l.State) }

// wordOf is the state's word.
func wordOf(l paper.Line) string { return mark(l).Word() }

// sourceLink leads to where a line was taken from, if there is a page of it.
func sourceLink(s paper.Source) string {
	path, _, _ := strings.Cut(s.Ref, " ")
	switch s.Origin {
	case paper.Table:
		return "/privacy/catalogue#" + s.Ref
	case paper.Schedule:
		return "/settings/retention?class=" + s.Ref
	case paper.Register:
		return "/settings/subprocessors"
	case paper.Claim:
		return "/trust/claims/" + s.Ref
	case paper.Purpose:
		return "/settings/consent"
	case paper.Receiver:
		return "/settings/webhooks/" + s.Ref
	case paper.Setting:
		if strings.HasPrefix(path, "/") {
			return path
		}
	}
	return ""
}

func origin(s paper.Source) string { return text.T("origin."+string(s.Origin)) + " " + s.Ref }

// AnswersView is where people write what a program cannot judge.
type AnswersView struct {
	Questions []Question
	Sheet     page.Sheet
	MayWrite  bool
}

// Question is one of them.
type Question struct {
	ID, Title, Help, Answer string
	At                      time.Time
}

// Answered says that answers are kept.
func Answered() string { return text.T("answered") }

// LegalView is the setting of who is responsible.
type LegalView struct {
	Sheet    page.Sheet
	Values   map[string]string
	MayWrite bool
}

// Saved says that it is written down.
func Saved() string { return text.T("legal.saved") }

// legalFields are the inputs in their order; those without a star may be empty.
var legalFields = []struct {
	name, kind string
	optional   bool
}{{"name", "", false}, {"address", "", false}, {"country", "", false}, {"email", "email", false}, {"representative", "", true}, {"dpo_name", "", true},
	{"dpo_email", "email", true}, {"dpo_place", "", true}, {"lead_authority", "", true}, {"lead_authority_url", "url", true}}

func (v LegalView) inputs() (out []page.Input) {
	for _, f := range legalFields {
		out = append(out, page.Input{Name: f.name, Label: text.T("legal." + f.name), Help: text.T("legal." + f.name + ".help"), Value: v.Values[f.name], Type: f.kind, Optional: f.optional, Max: 250, Narrow: f.name == "country"})
	}
	return out
}

func (v LegalView) pairs() (out []page.KeyValue) {
	for _, f := range legalFields {
		if value := v.Values[f.name]; value != "" {
			out = append(out, page.KeyValue{Key: text.T("legal." + f.name), Value: value})
		}
	}
	return out
}

// CatalogueView is the data catalogue of a workspace.
type CatalogueView struct {
	Map    Map
	Groups []CatalogueGroup
}

// CatalogueGroup are the classes about the same people.
type CatalogueGroup struct {
	Name    string
	Classes []Class
}

// Class is a table with the terms under which its rows are kept.
type Class struct {
	Name, For, Purpose, Basis, Article, Kept, Region, Where string
	Categories, Recipients                                  []string
	Columns                                                 []Column
}

// Column is one of its columns.
type Column struct{ Name, Stored, Category string }

func (c Class) recipients() string {
	if len(c.Recipients) == 0 {
		return text.T("catalogue.nobody")
	}
	return strings.Join(c.Recipients, "; ")
}

// people tells whether the group's classes are about anybody.
func (g CatalogueGroup) people() bool { return g.Name != "nobody" }

func (g CatalogueGroup) columns() []page.Column {
	all := []string{"catalogue.class", "record.purpose", "catalogue.categories", "catalogue.recipient", "catalogue.kept", "catalogue.where"}
	if !g.people() {
		all = []string{"catalogue.class", "catalogue.kept", "catalogue.where"}
	}
	var out []page.Column
	for _, key := range all {
		out = append(out, page.Column{Label: text.T(key)})
	}
	return out
}

// Map is the way of data through the installation.
type Map struct {
	Workspace, Region, Store string
	Classes                  int
	Categories               []string
	Recipients               []Receiver
}

// Receiver is where the way ends.
type Receiver struct {
	Name, Kind, Region, Gets string
	Outside                  bool
}

// The picture's measures, in its own units.
const (
	boxWidth    = 168
	boxHeight   = 64
	boxGap      = 16
	columnStep  = 240
	mostShown   = 6
	mostLetters = 24
)

// stop is a box of the picture.
type stop struct {
	X, Y         int
	Title, Note  string
	Outside      bool
	fromX, fromY int // where the arrow to it begins
}

func (s stop) x() string      { return strconv.Itoa(s.X) }
func (s stop) y() string      { return strconv.Itoa(s.Y) }
func (s stop) textX() string  { return strconv.Itoa(s.X + 12) }
func (s stop) titleY() string { return strconv.Itoa(s.Y + 27) }
func (s stop) noteY() string  { return strconv.Itoa(s.Y + 47) }

// arrow is the line from the box before, bent half way.
func (s stop) arrow() string {
	begin, end, y := s.fromX, s.X-6, s.Y+boxHeight/2
	half := strconv.Itoa((begin + end) / 2)
	return "M" + strconv.Itoa(begin) + " " + strconv.Itoa(s.fromY) + " C" + half + " " + strconv.Itoa(s.fromY) + " " + half + " " + strconv.Itoa(y) + " " + strconv.Itoa(end) + " " + strconv.Itoa(y)
}

func short(s string) string {
	if letters := []rune(s); len(letters) > mostLetters {
		return string(letters[:mostLetters-1]) + "…"
	}
	return s
}

func (m Map) ends() []stop {
	var out []stop
	add := func(title, note string, outside bool) {
		out = append(out, stop{X: 3 * columnStep, Y: len(out) * (boxHeight + boxGap), Title: short(title), Note: short(note), Outside: outside})
	}
	for i, r := range m.Recipients {
		if i == mostShown && len(m.Recipients) > mostShown+1 {
			add(text.T("map.more", len(m.Recipients)-i), text.T("map.more.note"), false)
			break
		}
		add(r.Name, r.where(), r.Outside)
	}
	if len(out) == 0 {
		add(text.T("map.nobody"), text.T("map.nobody.note"), false)
	}
	return out
}

func (r Receiver) where() string {
	if r.Region == "" {
		return text.T("map.unknown")
	}
	return text.T("map.kind."+r.Kind) + ", " + r.Region
}

// stops are all boxes, in the order in which data passes them.
func (m Map) stops() []stop {
	ends := m.ends()
	middle := (len(ends)*(boxHeight+boxGap)-boxGap)/2 - boxHeight/2
	out := []stop{
		{X: 0, Y: middle, Title: text.T("map.people"), Note: text.T("map.people.note")},
		{X: columnStep, Y: middle, Title: text.T("map.edge"), Note: short(text.T("map.region", m.Region))},
		{X: 2 * columnStep, Y: middle, Title: text.T("map.store", m.Classes), Note: short(text.T("map.region", m.Region))},
	}
	out = append(out, ends...)
	for i := 1; i < len(out); i++ {
		from := out[min(i-1, 2)]
		out[i].fromX, out[i].fromY = from.X+boxWidth, from.Y+boxHeight/2
	}
	return out
}

func (m Map) viewBox() string {
	height := len(m.ends())*(boxHeight+boxGap) - boxGap
	return "-2 -2 " + strconv.Itoa(3*columnStep+boxWidth+4) + " " + strconv.Itoa(height+4)
}

// words is the picture for those who do not see it.
func (m Map) words() []string {
	out := []string{text.T("map.words.in", m.Workspace, m.Region), text.T("map.words.store", m.Classes, m.Store), text.T("map.words.categories", strings.Join(m.Categories, ", "))}
	for _, r := range m.Recipients {
		gets := r.Gets
		if gets == "" {
			gets = text.T("map.words.unnamed")
		}
		out = append(out, text.T("map.words.to", r.Name, r.where(), gets))
	}
	if len(m.Recipients) == 0 {
		out = append(out, text.T("map.words.nobody"))
	}
	return out
}
