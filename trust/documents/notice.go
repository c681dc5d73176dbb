package documents

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/page"
	"aver/trust/documents/paper"
	"aver/trust/documents/ui"
	"aver/vault"
)

// Languages are those that the notice speaks. The first is what people get whose language is none of them.
var Languages = ui.Languages

// version is a state of the notice: what it said had this hash since then.
type version struct {
	Version int       `vault:"version,key"`
	Hash    string    `vault:"hash,state"`
	Since   time.Time `vault:"since,state"`
}

var versions = vault.Define[version]("notice_versions", vault.Purpose("showing since when the notice says what it says"), vault.KeepWhile("as long as the account"))

// Notice is the privacy notice of a workspace in a language, with its version and since when it is in force. The version
// counts the changes of what it says, whatever the language.
func (s *Service) Notice(ctx context.Context, tenant ids.Tenant, lang string) (p paper.Paper, number int, since time.Time, err error) {
	f, err := s.Collect(ctx, tenant)
	if err != nil {
		return p, 0, since, err
	}
	reference, err := s.finish(f, f.notice(Languages[0]))
	if err != nil {
		return p, 0, since, err
	}
	v, err := s.inForce(ctx, tenant, reference.Hash)
	if err != nil {
		return p, 0, since, err
	}
	p, err = s.finish(f, f.notice(lang))
	return p, v.Version, v.Since, err
}

// inForce finds the version with this hash if it is the newest, or begins a new one.
func (s *Service) inForce(ctx context.Context, tenant ids.Tenant, hash string) (v version, err error) {
	newest := func(tx *vault.Tx) error {
		found, err := versions.Find(tx, "ORDER BY version DESC LIMIT 1")
		if v = (version{}); err == nil && len(found) > 0 {
			v = found[0]
		}
		return err
	}
	for range 3 { // somebody else may see the same change at the same moment
		if err = s.vault.View(ctx, system(tenant), actFacts, newest); err != nil || v.Hash == hash {
			return v, err
		}
		err = s.vault.Do(ctx, system(tenant), actNotice, func(tx *vault.Tx) error {
			if err := newest(tx); err != nil || v.Hash == hash {
				return err
			}
			v = version{Version: v.Version + 1, Hash: hash, Since: tx.Now()}
			tx.Emit(vault.Event{Kind: "notice.changed", N: int64(v.Version)}, nil)
			return versions.Add(tx, v)
		})
		if !errs.Is(err, errs.Conflict) {
			return v, err
		}
	}
	return v, err
}

// writer makes the notice in one language.
type writer struct {
	Facts
	lang string
	page.Strings
	name string // what the controller is called
}

// notice is what people are told about the processing (GDPR Art. 13 and 14).
func (f Facts) notice(lang string) paper.Paper {
	if !slices.Contains(Languages, lang) {
		lang = Languages[0]
	}
	w := writer{f, lang, ui.Notice(lang), f.Workspace.Name}
	if f.Controller.named() {
		w.name = f.Controller.Name
	}
	return paper.Paper{Kind: "notice", Title: w.T("title", f.Workspace.Name), Lead: w.T("lead", f.Workspace.Name), Language: lang, Workspace: f.Workspace.Name,
		Sections: []paper.Section{w.who(), w.purposes(), w.data(), w.recipients(), w.transfers(), w.rights(), w.complaint(), w.origin()}}
}

const legalPage = "/settings/legal"

func setting(field string) paper.Source {
	return paper.Source{Origin: paper.Setting, Ref: legalPage + " " + field}
}

func (w writer) who() paper.Section {
	out := paper.Section{ID: "who", Title: w.T("who"), Law: w.T("law", "13(1)(a), (b)")}
	add := func(key, field, text string) {
		if text != "" {
			out.Lines = append(out.Lines, paper.Line{Name: w.T(key), Text: text, Source: setting(field)})
		}
	}
	c := w.Controller
	if !c.named() {
		out.Lines = append(out.Lines, paper.Line{Name: w.T("who.name"), Text: w.T("who.missing", w.Workspace.Name), Gap: true, Source: setting("name")})
	}
	add("who.name", "name", c.Name)
	add("who.address", "address", joined(", ", c.Address, c.Country))
	add("who.email", "email", c.Email)
	add("who.representative", "representative", c.Representative)
	if c.Officer == "" {
		out.Lines = append(out.Lines, paper.Line{Name: w.T("dpo"), Text: w.T("dpo.none"), Source: setting("dpo_name")})
	} else {
		add("dpo", "dpo_name", joined(", ", c.Officer, c.OfficerEmail, c.OfficerPlace))
	}
	if w.Operator.named() {
		out.Lines = append(out.Lines, paper.Line{Name: w.T("operator", w.name), Text: joined(", ", w.Operator.Name, w.Operator.Address, w.Operator.Country),
			Source: paper.Source{Origin: paper.Setting, Ref: "aver papers operator"}})
	}
	return out
}

func joined(between string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), between)
}

func (w writer) purposes() paper.Section {
	out := paper.Section{ID: "purposes", Title: w.T("purposes"), Law: w.T("law", "13(1)(c), (d)")}
	for _, p := range w.Purposes {
		if p.ID == forAccounts || p.Idle {
			continue // those who answer are told by whoever employs them
		}
		out.Lines = append(out.Lines, paper.Line{Name: w.purposeName(p), Text: w.T("basis." + string(p.Basis)), Items: some(p.Words[w.lang]), Source: p.Source})
	}
	return out
}

func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// purposeName is a purpose in a few words; those that the tenant made up go by their identifier.
func (w writer) purposeName(p Purpose) string {
	if key := "purpose." + p.ID; slices.Contains(w.Keys(), key) {
		return w.T(key, w.name)
	}
	return cmp.Or(p.Names[w.lang], p.name())
}

// data names each class about visitors with how long it is kept.
func (w writer) data() paper.Section {
	out := paper.Section{ID: "data", Title: w.T("data"), Law: w.T("law", "13(2)(a)")}
	for _, c := range w.About(Visitors) {
		if c.Empty && w.purpose(c.Purpose).Idle || c.Name == vault.Blobs.Name() {
			continue // files have classes of their own
		}
		line := paper.Line{Name: w.className(c), Text: w.T("kept.while", w.name), Source: paper.Source{Origin: paper.Schedule, Ref: c.Name}}
		if !slices.Equal(c.Categories, []string{"user"}) { // of which the name says more
			line.Items = some(strings.Join(w.categories(c), w.T("comma")))
		}
		if c.Limit > 0 {
			line.Text = w.T("kept.days", days(c.Limit))
		}
		out.Lines = append(out.Lines, line)
	}
	out.Lines = append(out.Lines, paper.Line{Name: w.T("kept.backups"), Text: w.T("kept.backups.text", w.T("kept.days", days(w.Backups))), Source: paper.Source{Origin: paper.Claim, Ref: "ret-4"}})
	return out
}

func days(d time.Duration) int { return int((d + 24*time.Hour - 1) / (24 * time.Hour)) }

// className says what a class is in the reader's words: those written for it, or its categories.
func (w writer) className(c Class) string {
	if key := "class." + c.Name; slices.Contains(w.Keys(), key) {
		return w.T(key)
	}
	return joined(", ", append(w.categories(c), "("+c.Name+")")...)
}

// categories are what a class holds, in the reader's words.
func (w writer) categories(c Class) (names []string) {
	for _, category := range c.Categories {
		if name := w.category(category); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// category is a fideslang category in words: its own, or those of the category that it belongs to.
func (w writer) category(name string) string {
	for name != "" {
		if key := "category." + name; slices.Contains(w.Keys(), key) {
			return w.T(key)
		}
		name = name[:max(0, strings.LastIndex(name, "."))]
	}
	return ""
}

func (w writer) recipients() paper.Section {
	out := paper.Section{ID: "recipients", Title: w.T("recipients"), Law: w.T("law", "13(1)(e)"), None: w.T("recipients.none", w.name)}
	for _, r := range w.Recipients {
		line := paper.Line{Name: r.Name, Source: r.Source}
		switch r.Kind {
		case Company:
			line.Text = w.T("recipient.company", w.name, strings.Join(r.For, ", "), joined(", ", r.Address, r.Region))
		case Program:
			line.Text = w.T("recipient.program", w.name)
		case Named:
			line.Text = w.T("recipient.named", w.purposeName(w.purpose(r.For[0])))
		case Machine:
			line.Text = w.T("recipient.machine")
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

func (w writer) transfers() paper.Section {
	out := paper.Section{ID: "transfers", Title: w.T("transfers"), Law: w.T("law", "13(1)(f)"), None: w.T("transfers.none", w.Workspace.Region)}
	for _, r := range w.Transfers() {
		line := paper.Line{Name: r.Name, Text: w.T("transfer", r.Region, r.Safeguard), Source: r.Source}
		if r.Safeguard == "" {
			line.Text, line.Gap = w.T("transfer.bare", r.Region), true
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

func (w writer) rights() paper.Section {
	out := paper.Section{ID: "rights", Title: w.T("rights"), Law: w.T("law", "13(2)(b), (c), (f)"), Lead: w.T("rights.lead")}
	portal := "/my-data/" + w.Workspace.Slug
	for _, right := range []struct{ name, article string }{{"access", "15"}, {"rectification", "16"}, {"erasure", "17"}, {"restriction", "18"}, {"portability", "20"}, {"objection", "21"}, {"withdrawal", "7(3)"}, {"decisions", "22"}} {
		out.Lines = append(out.Lines, paper.Line{Name: w.T("right." + right.name), Text: w.T("right." + right.name + ".text"), Source: paper.Source{Origin: paper.Law, Ref: "GDPR Art. " + right.article}})
	}
	out.Lines = append(out.Lines, paper.Line{Name: w.T("rights.where"), Text: w.T("rights.portal"), Href: portal, Source: paper.Source{Origin: paper.Program, Ref: portal}})
	return out
}

func (w writer) complaint() paper.Section {
	out := paper.Section{ID: "complaint", Title: w.T("complaint"), Law: w.T("law", "13(2)(d)")}
	out.Lines = append(out.Lines, paper.Line{Name: w.T("complaint.anywhere"), Text: w.T("complaint.text"), Source: paper.Source{Origin: paper.Law, Ref: "GDPR Art. 77"}})
	if c := w.Controller; c.Authority != "" {
		out.Lines = append(out.Lines, paper.Line{Name: w.T("complaint.lead"), Text: c.Authority, Href: c.AuthorityURL, Source: setting("lead_authority")})
	}
	return out
}

func (w writer) origin() paper.Section {
	return paper.Section{ID: "origin", Title: w.T("origin"), Law: w.T("law", "13(2)(e), 14(2)(f)"), Lines: []paper.Line{
		{Name: w.T("origin.you"), Text: w.T("origin.you.text"), Source: paper.Source{Origin: paper.Program, Ref: "work/channels/webchat"}},
		{Name: w.T("origin.site"), Text: w.T("origin.site.text", w.name), Source: paper.Source{Origin: paper.Program, Ref: "work/contacts"}},
		{Name: w.T("origin.must"), Text: w.T("origin.must.text"), Source: paper.Source{Origin: paper.Law, Ref: "GDPR Art. 13(2)(e)"}},
	}}
}

// finish stamps a paper.
func (s *Service) finish(f Facts, p paper.Paper) (paper.Paper, error) {
	return p.Finish(s.Program, f.At)
}
