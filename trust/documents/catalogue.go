package documents

import (
	"slices"
	"strings"

	"aver/trust/documents/paper"
	"aver/trust/documents/ui"
	"aver/vault"
)

// catalogue is the data catalogue as a paper: every table there is, under this workspace's terms.
func (f Facts) catalogue() paper.Paper {
	p := head(Catalogue, f.Workspace.Name)
	p.Sections = []paper.Section{{ID: "store", Title: ui.Say("catalogue.where"), Law: "GDPR Art. 30(1)(g)", Lines: []paper.Line{
		{Name: ui.Say("catalogue.workspace"), Text: f.Store, Source: paper.Source{Origin: paper.Program, Ref: "configuration of the store"}}}}}
	for _, g := range []Group{Visitors, Staff, Nobody} {
		for _, c := range f.Classes {
			if c.Group == g {
				p.Sections = append(p.Sections, f.entry(c))
			}
		}
	}
	return p
}

// entry is one table.
func (f Facts) entry(c Class) paper.Section {
	from := paper.Source{Origin: paper.Table, Ref: c.Name}
	out := paper.Section{ID: c.Name, Title: c.Name, Law: "GDPR Art. 5(2), 30(1)"}
	purpose := f.purpose(c.Purpose)
	out.Lines = []paper.Line{
		{Name: ui.Say("catalogue.for"), Text: c.For, Source: from},
		{Name: ui.Say("record.people"), Text: ui.Say("group." + string(c.Group)), Source: from},
		{Name: ui.Say("catalogue.columns"), Items: c.columns(), Source: from},
		{Name: ui.Say("catalogue.kept"), Text: c.kept(), Source: paper.Source{Origin: paper.Schedule, Ref: c.Name}},
		{Name: ui.Say("region"), Text: f.Workspace.Region, Source: paper.Source{Origin: paper.Program, Ref: "region of the workspace"}},
		{Name: ui.Say("catalogue.where"), Text: c.lies(), Source: paper.Source{Origin: paper.Program, Ref: "configuration of the store"}},
	}
	if c.Group == Nobody {
		return out
	}
	ground := []paper.Line{
		{Name: ui.Say("record.purpose"), Text: purpose.name(), Source: purpose.Source},
		{Name: ui.Say("record.basis"), Text: ui.Say("basis." + string(purpose.Basis)), Items: []string{purpose.article()}, Source: purpose.Source},
	}
	for _, r := range f.receiving(c) {
		ground = append(ground, paper.Line{Name: ui.Say("catalogue.recipient"), Text: joined(", ", r.Name, r.Region), Source: r.Source})
	}
	out.Lines = slices.Insert(out.Lines, 1, ground...)
	return out
}

func (f Facts) purpose(id string) Purpose {
	i := slices.IndexFunc(f.Purposes, func(p Purpose) bool { return p.ID == id })
	if i < 0 {
		return f.Purposes[0]
	}
	return f.Purposes[i]
}

// receiving lists whom data of a class may be sent to.
func (f Facts) receiving(c Class) (out []Recipient) {
	for _, r := range f.Recipients {
		if slices.ContainsFunc(c.Categories, func(one string) bool { return receives(r.Categories, one) }) {
			out = append(out, r)
		}
	}
	return out
}

// lies says where the rows of a class are.
func (c Class) lies() string {
	if c.Installed {
		return ui.Say("catalogue.installation")
	}
	return ui.Say("catalogue.workspace")
}

func (c Class) columns() (out []string) {
	for _, col := range c.Columns {
		out = append(out, joined(" · ", col.Name, c.howStored(col), col.Category))
	}
	return out
}

func (c Class) howStored(col vault.Column) string {
	if slices.Contains(c.Off, col.Name) {
		return ui.Say("stored.off")
	}
	return ui.Say("stored." + col.Class)
}

// Map is the way of data as a picture: from people to the edge, to the store, to those who receive.
func (f Facts) Map() ui.Map {
	m := ui.Map{Region: f.Workspace.Region, Store: f.Store, Workspace: f.Workspace.Name}
	for _, c := range f.About(Visitors) {
		m.Classes++
		for _, category := range c.Categories {
			if !slices.Contains(m.Categories, category) {
				m.Categories = append(m.Categories, category)
			}
		}
	}
	slices.Sort(m.Categories)
	for _, r := range f.Recipients {
		m.Recipients = append(m.Recipients, ui.Receiver{Name: r.Name, Kind: string(r.Kind), Region: r.Region, Outside: r.Outside, Gets: strings.Join(r.Categories, ", ")})
	}
	return m
}
