// Package ui draws the contacts: the list, a person, the forms, the settings, the import.
package ui

//go:generate go tool -modfile=../../../tools/go.mod templ generate -include-version=false

import (
	_ "embed"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/text/language"

	"aver/base/ids"
	"aver/frame/page"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/fields"
)

//go:embed strings.en.json
var english []byte

var text = page.MustStrings(language.English, english)

// Flash is the sentence after something was done.
func Flash(key string) string { return text.T("flash." + key) }

// Name is the word for a person: what is known of them, or the end of their identifier.
func Name(c contacts.Contact) string {
	if shown := c.Shown(); !shown.IsZero() {
		return shown.Reveal()
	}
	id := c.ID.String()
	return text.T("stranger", id[max(0, len(id)-4):])
}

// People is the list.
type People struct {
	Page     contacts.Page
	Filter   contacts.Filter
	Tags     []contacts.Tag
	Segments []contacts.Segment
	MayWrite bool
	Any      bool // there is anybody at all
}

const (
	chipsOfTags = 12
	mostFound   = 50
)

// address is the list with a part of the filter turned over.
func (p People) address(change func(url.Values)) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("q", p.Filter.Search)
	set("role", string(p.Filter.Role))
	set("label", p.Filter.Label.String())
	set("segment", p.Filter.Segment.String())
	if p.Filter.Archived {
		q.Set("archived", "1")
	}
	change(q)
	if len(q) == 0 {
		return "/contacts"
	}
	return "/contacts?" + q.Encode()
}

// chip turns a filter on, or off if it is on.
func (p People) chip(label, name, value, now, icon string) page.Chip {
	on := value == now
	return page.Chip{Label: label, On: on, Icon: icon, Href: p.address(func(q url.Values) {
		if on {
			q.Del(name)
		} else {
			q.Set(name, value)
		}
	})}
}

func (p People) chips() []page.Chip {
	f := p.Filter
	everyone := f.Role == "" && f.Label.IsZero() && f.Segment.IsZero() && !f.Archived
	out := []page.Chip{{Label: text.T("list.everyone"), On: everyone, Href: p.address(func(q url.Values) {
		for _, name := range []string{"role", "label", "segment", "archived"} {
			q.Del(name)
		}
	})}}
	for _, r := range []contacts.Role{contacts.User, contacts.Lead, contacts.Visitor} {
		out = append(out, p.chip(text.T("role."+string(r)), "role", string(r), string(f.Role), ""))
	}
	for _, g := range p.Segments {
		out = append(out, p.chip(g.Name, "segment", g.ID.String(), f.Segment.String(), "list-filter"))
	}
	for n, t := range p.Tags {
		if n < chipsOfTags || t.ID == f.Label {
			out = append(out, p.chip(t.Name, "label", t.ID.String(), f.Label.String(), "tag"))
		}
	}
	archived := ""
	if f.Archived {
		archived = "1"
	}
	return append(out, p.chip(text.T("list.archived"), "archived", "1", archived, "archive"))
}

func (p People) older() string {
	if p.Page.Next.IsZero() {
		return ""
	}
	return p.address(func(q url.Values) { q.Set("after", p.Page.Next.String()) })
}

func (p People) newer() string {
	if p.Filter.After.IsZero() {
		return ""
	}
	return p.address(func(url.Values) {})
}

func (p People) row(c contacts.Contact) page.Row {
	name := Name(c)
	r := page.Row{Href: "/contacts/" + c.ID.String(), Title: name, Avatar: name, Last: page.Ago(c.SeenAt)}
	for _, note := range []string{c.Email.Reveal(), c.PhoneShown(), c.Company.Reveal()} {
		if note != "" && note != name {
			r.Note = note
			break
		}
	}
	if r.Note == "" && !c.Verified {
		r.Note = text.T("claimed")
	}
	for _, id := range p.Page.Tags[c.ID] {
		if i := slices.IndexFunc(p.Tags, func(t contacts.Tag) bool { return t.ID == id }); i >= 0 && len(r.Tags) < 3 {
			r.Tags = append(r.Tags, page.Tag{Text: p.Tags[i].Name, Hue: p.Tags[i].Hue})
		}
	}
	return r
}

// Form is the form of a person; Contact is zero for a new one.
type Form struct {
	Contact    contacts.Contact
	Attributes []attributes.Attribute
	Off        fields.Set // not asked for
	Sheet      page.Sheet
}

func (f Form) fresh() bool { return f.Contact.ID.IsZero() }

func (f Form) sheet() page.Sheet {
	s := f.Sheet
	s.Action = "/contacts"
	if !f.fresh() {
		s.Action = "/contacts/" + f.Contact.ID.String() + "/edit"
	}
	return s
}

func (f Form) title() string {
	if f.fresh() {
		return text.T("form.new")
	}
	return text.T("form.edit", Name(f.Contact))
}

func (f Form) crumbs() []page.Link {
	out := []page.Link{{Label: text.T("contacts"), Href: "/contacts"}}
	if !f.fresh() {
		out = append(out, page.Link{Label: Name(f.Contact), Href: "/contacts/" + f.Contact.ID.String()})
	}
	return out
}

func (f Form) value(a attributes.Attribute) string {
	values, err := f.Contact.Values()
	if err != nil {
		return ""
	}
	return a.Show(values[a.Name])
}

func options(a attributes.Attribute) []page.Option {
	out := []page.Option{{Label: text.T("form.choose")}}
	if a.Kind == attributes.Boolean {
		return append(out, page.Option{Value: "yes", Label: text.T("form.yes")}, page.Option{Value: "no", Label: text.T("form.no")})
	}
	for _, o := range a.Options {
		out = append(out, page.Option{Value: o, Label: o})
	}
	return out
}

func roleOptions() []page.Option {
	var out []page.Option
	for _, r := range []contacts.Role{contacts.Lead, contacts.User, contacts.Visitor} {
		out = append(out, page.Option{Value: string(r), Label: text.T("role." + string(r) + ".one")})
	}
	return out
}

// grounds are those of GDPR Art. 6(1), to choose from.
func grounds() []page.Option {
	out := []page.Option{{Label: text.T("form.choose")}}
	for _, b := range purpose.Bases {
		out = append(out, page.Option{Value: string(b), Label: text.T("ground." + string(b))})
	}
	return out
}

func purposeOf(g identity.Ground) string {
	if g.Purpose == "" {
		return purpose.Support
	}
	return g.Purpose
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// inputKind is the sort of line that suits an attribute.
func inputKind(a attributes.Attribute) string {
	if a.Kind == attributes.Date {
		return "date"
	}
	return "text"
}

// Person is a person's page.
type Person struct {
	contacts.Person
	Tags     []contacts.Tag // all there are
	Tables   []vault.AnyTable
	Sheet    page.Sheet        // of the form for a note
	Panels   []templ.Component // what other modules show beside a person
	MayWrite bool
	Tab      string          // which one is open
	History  templ.Component // of consents, on their tab
}

// The tabs besides the overview.
const (
	TabData    = "data"
	TabConsent = "consent"
)

func (p Person) path(rest string) string { return "/contacts/" + p.Contact.ID.String() + rest }

func (p Person) privacy(rest string) string { return "/privacy/people/" + p.Contact.ID.String() + rest }

func (p Person) tabs() []page.Tab {
	return []page.Tab{{Label: text.T("person.overview"), Href: p.path(""), On: p.Tab != TabConsent && p.Tab != TabData},
		{Label: text.T("person.consents"), Href: p.path("?tab=" + TabConsent), On: p.Tab == TabConsent},
		{Label: text.T("person.data"), Href: p.path("?tab=" + TabData), On: p.Tab == TabData}}
}

func (p Person) noteSheet() page.Sheet {
	s := p.Sheet
	s.Action, s.ID = p.path("/notes"), "note"
	return s
}

func (p Person) about() []page.KeyValue {
	c := p.Contact
	identity := "claimed"
	if c.Verified {
		identity = "verified"
	} else if !c.ExternalID.IsZero() {
		identity = "known"
	}
	var out []page.KeyValue
	add := func(key, value string) {
		if value != "" {
			out = append(out, page.KeyValue{Key: key, Value: value})
		}
	}
	add(text.T("form.email"), c.Email.Reveal())
	add(text.T("form.phone"), c.PhoneShown())
	add(text.T("form.company"), c.Company.Reveal())
	add(text.T("person.role"), text.T("role."+string(c.Role)+".one"))
	add(text.T("person.identity"), text.T("person.identity."+identity))
	add(text.T("form.external"), c.ExternalID.Reveal())
	add(text.T("form.language"), c.Language)
	values, _ := c.Values() // what cannot be read is not shown here; the form says so
	for _, a := range p.Attributes {
		add(a.Label, a.Show(values[a.Name]))
	}
	return append(out, page.KeyValue{Key: text.T("person.since"), Part: page.Day(c.CreatedAt)}, page.KeyValue{Key: text.T("person.seen"), Part: page.Ago(c.SeenAt)})
}

func (p Person) rights() []page.KeyValue {
	c := p.Contact
	out := []page.KeyValue{{Key: text.T("person.basis"), Value: text.T("person.basis." + string(c.Basis))}}
	agreed := text.T("person.consent.none")
	if len(p.Consents) > 0 {
		var all []string
		for _, s := range p.Consents {
			if s.Granted {
				all = append(all, text.T("person.consent.yes", s.Purpose, s.Version))
			} else {
				all = append(all, text.T("person.consent.no", s.Purpose))
			}
		}
		agreed = strings.Join(all, ", ")
	}
	for _, g := range p.latest() {
		out = append(out, page.KeyValue{Key: text.T("person.ground", strings.ReplaceAll(g.Purpose, "_", " ")), Value: text.T("person.ground.text", text.T("ground."+string(g.Basis)), g.Since.Format("2 January 2006"), g.Words.Reveal())})
	}
	return append(out,
		page.KeyValue{Key: text.T("person.consent"), Value: agreed},
		page.KeyValue{Key: text.T("person.kept"), Value: text.T("person.kept.value")},
		page.KeyValue{Key: text.T("person.key"), Part: p.keyState()})
}

// latest are the grounds that the tenant stated last, one for each purpose.
func (p Person) latest() (out []consent.Assertion) {
	for _, g := range p.Grounds {
		if !slices.ContainsFunc(out, func(later consent.Assertion) bool { return later.Purpose == g.Purpose }) {
			out = append(out, g)
		}
	}
	return out
}

func (p Person) keyState() page.Badge {
	if p.Key {
		return page.Badge{State: page.Holds, Word: text.T("person.key.there")}
	}
	return page.Badge{State: page.Failing, Word: text.T("person.key.gone")}
}

const mostMoments = 60

// moments is what happened, newest first.
func (p Person) moments() []page.Moment {
	who := func(u ids.User) string { return p.Authors[u].Reveal() }
	out := []page.Moment{{At: p.Contact.CreatedAt, Icon: "user-plus", Title: text.T("time.created")}}
	for _, c := range p.Changes {
		field, detail := text.T("field."+c.Field), text.T("time.change.text", orNone(c.Old.Reveal()), orNone(c.New.Reveal()))
		if c.Request != "" {
			detail = text.T("time.change.asked", detail)
		}
		out = append(out, page.Moment{At: c.At, Icon: "pencil", Title: text.T("time.change", field), Text: detail, Who: who(c.Author)})
	}
	for _, m := range p.Merges {
		title := text.T("time.merged.away", Name(p.Into))
		if m.Into == p.Contact.ID {
			title = text.T("time.merged", p.linkedName(m.Contact))
		}
		out = append(out, page.Moment{At: m.At, Icon: "git-merge", Title: title, Text: m.Reason.Reveal(), Who: who(m.Author)})
		if !m.UndoneAt.IsZero() {
			out = append(out, page.Moment{At: m.UndoneAt, Icon: "undo-2", Title: text.T("time.unmerged"), Who: who(m.UndoneBy)})
		}
	}
	for _, s := range p.Consents {
		key, state := "time.consent.no", page.State("")
		if s.Granted {
			key, state = "time.consent.yes", page.Holds
		}
		out = append(out, page.Moment{At: s.Since, Icon: "check", State: state, Title: text.T(key, s.Purpose)})
	}
	for _, e := range p.Events {
		out = append(out, page.Moment{At: e.At, Icon: e.Icon, Title: e.Title, Text: e.Text.Reveal(), Who: who(e.Who)})
	}
	slices.Reverse(out) // of the same moment, the entry's making came first
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.After(out[j].At) })
	return out[:min(len(out), mostMoments)]
}

func (p Person) linkedName(id ids.Contact) string {
	for _, c := range p.Linked {
		if c.ID == id {
			return Name(c)
		}
	}
	return Name(contacts.Contact{ID: id})
}

func orNone(s string) string {
	if s == "" {
		return text.T("none")
	}
	return s
}

// left are the labels that the person does not carry.
func (p Person) left() []page.Option {
	var out []page.Option
	for _, t := range p.Tags {
		if !slices.ContainsFunc(p.Person.Tags, func(on contacts.Tag) bool { return on.ID == t.ID }) {
			out = append(out, page.Option{Value: t.ID.String(), Label: t.Name})
		}
	}
	return out
}

// held is a table that holds something about the person.
type held struct {
	name, purpose, sealed, kept string
	rows                        int
}

func (p Person) held() []held {
	var out []held
	for _, t := range p.Tables {
		n := p.Rows[t.Name()]
		if n == 0 {
			continue
		}
		h := held{name: t.Name(), purpose: t.Terms().Purpose, rows: n, kept: text.T("data.kept.while")}
		var sealed []string
		for _, c := range t.Columns() {
			if c.Class == "personal" {
				sealed = append(sealed, strings.ReplaceAll(c.Name, "_", " "))
			}
		}
		if h.sealed = strings.Join(sealed, ", "); h.sealed == "" {
			h.sealed = text.T("data.links")
		}
		if d := t.Terms().KeepFor; d > 0 {
			h.kept = text.T("days", int(d/(24*time.Hour)))
		}
		out = append(out, h)
	}
	return out
}

// Merge is the page on which one chooses whom a person is merged into.
type Merge struct {
	From    contacts.Contact
	Search  string
	Matches []contacts.Contact
	Sheet   page.Sheet
}

func (m Merge) sheet() page.Sheet {
	s := m.Sheet
	s.Action = "/contacts/" + m.From.ID.String() + "/merge"
	return s
}

// options are the people that a merge would not refuse at once.
func (m Merge) options() []page.Option {
	var out []page.Option
	for _, c := range m.Matches {
		if c.Verified == m.From.Verified {
			out = append(out, page.Option{Value: c.ID.String(), Label: Name(c), Help: strings.Trim(c.Email.Reveal()+" · "+c.PhoneShown(), " ·")})
		}
	}
	return out
}

// apart are the names of those who stay apart, because one identity is verified and the other a claim.
func (m Merge) apart() []string {
	var out []string
	for _, c := range m.Matches {
		if c.Verified != m.From.Verified {
			out = append(out, Name(c))
		}
	}
	return out
}
