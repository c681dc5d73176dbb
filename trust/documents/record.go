package documents

import (
	"cmp"

	"aver/trust/documents/paper"
	"aver/trust/documents/ui"
)

// record is the record of processing activities of a controller (GDPR Art. 30(1)): who, then for each purpose what is
// done with whose data, then what leaves the region, then how it is protected.
func (f Facts) record() paper.Paper {
	p := head(Record, f.Workspace.Name)
	p.Sections = append(p.Sections, paper.Section{ID: "controller", Title: ui.Say("record.controller"), Law: "GDPR Art. 30(1)(a)", Lines: parties(f.Controller, legalPage)})
	for _, purpose := range f.Purposes {
		if classes := f.Of(purpose.ID); len(classes) > 0 {
			p.Sections = append(p.Sections, f.activity(purpose, classes))
		}
	}
	p.Sections = append(p.Sections,
		paper.Section{ID: "recipients", Title: ui.Say("record.recipients"), Law: "GDPR Art. 30(1)(d)", None: ui.Say("record.recipients.none"), Lines: f.recipientLines()},
		paper.Section{ID: "transfers", Title: ui.Say("record.transfers"), Law: "GDPR Art. 30(1)(e)", None: ui.Say("record.transfers.none", f.Workspace.Region), Lines: f.transferLines()},
		paper.Section{ID: "backups", Title: ui.Say("record.backups"), Law: "GDPR Art. 30(1)(f)", Lines: []paper.Line{backupLine(f.Backups)}},
		paper.Section{ID: "measures", Title: ui.Say("record.measures"), Law: "GDPR Art. 30(1)(g), 32(1)", None: ui.Say("record.measures.none"), Lines: f.measureLines()})
	return p
}

func (f Facts) recipientLines() (out []paper.Line) {
	for _, r := range f.Recipients {
		out = append(out, r.line())
	}
	return out
}

// activity is what is done for one purpose.
func (f Facts) activity(purpose Purpose, classes []Class) paper.Section {
	out := paper.Section{ID: "activity-" + purpose.ID, Title: ui.Say("record.activity", purpose.name()), Law: "GDPR Art. 30(1)(b), (c), (f)"}
	out.Lines = []paper.Line{
		{Name: ui.Say("record.purpose"), Text: purpose.name(), Items: some(purpose.Words[Languages[0]]), Source: purpose.Source},
		{Name: ui.Say("record.basis"), Text: ui.Say("basis." + string(purpose.Basis)), Items: []string{purpose.article()}, Source: purpose.Source},
	}
	if purpose.Idle {
		out.Lines = append(out.Lines, paper.Line{Name: ui.Say("record.idle"), Text: ui.Say("record.idle.text"), Source: purpose.Source})
	}
	seen := map[Group]bool{}
	for _, c := range classes {
		if !seen[c.Group] {
			seen[c.Group] = true
			out.Lines = append(out.Lines, paper.Line{Name: ui.Say("record.people"), Text: ui.Say("group." + string(c.Group)), Source: paper.Source{Origin: paper.Table, Ref: c.Name}})
		}
	}
	for _, c := range classes {
		out.Lines = append(out.Lines, c.dataLine(), c.keptLine())
	}
	return out
}

// name is a purpose in words: those of Aver's own, or the tenant's identifier.
func (p Purpose) name() string {
	if key := "purpose." + p.ID; ui.Says(key) {
		return ui.Say(key)
	}
	return cmp.Or(p.Names[Languages[0]], p.ID)
}

// processing is the record of a processor (GDPR Art. 30(2)): whoever runs the installation, for each controller whose
// workspace it holds.
func processing(operator Entity, controllers ...Facts) paper.Paper {
	name := operator.Name
	if name == "" {
		name = ui.Say("operator")
	}
	p := head(Processing, name)
	p.Sections = []paper.Section{{ID: "processor", Title: ui.Say("record.processor"), Law: "GDPR Art. 30(2)(a)", Lines: parties(operator, "aver papers operator")}}
	for _, f := range controllers {
		p.Sections = append(p.Sections,
			paper.Section{ID: "controller-" + f.Workspace.Slug, Title: ui.Say("record.behalf", f.Workspace.Name), Law: "GDPR Art. 30(2)(a)", Lines: parties(f.Controller, legalPage)},
			f.behalf(),
			paper.Section{ID: "transfers-" + f.Workspace.Slug, Title: ui.Say("record.transfers.of", f.Workspace.Name), Law: "GDPR Art. 30(2)(c)",
				None: ui.Say("record.transfers.none", f.Workspace.Region), Lines: f.transferLines()})
	}
	if len(controllers) > 0 {
		p.Sections = append(p.Sections, paper.Section{ID: "measures", Title: ui.Say("record.measures"), Law: "GDPR Art. 30(2)(d), 32(1)", None: ui.Say("record.measures.none"), Lines: controllers[0].measureLines()})
	}
	return p
}

// behalf lists the categories of processing that are carried out for a controller.
func (f Facts) behalf() paper.Section {
	out := paper.Section{ID: "categories-" + f.Workspace.Slug, Title: ui.Say("record.categories", f.Workspace.Name), Law: "GDPR Art. 30(2)(b)"}
	for _, purpose := range f.Purposes {
		for _, c := range f.Of(purpose.ID) {
			line := c.dataLine()
			line.Text = joined(": ", purpose.name(), c.For)
			out.Lines = append(out.Lines, line)
		}
	}
	for _, r := range f.Recipients {
		if r.Kind == Company {
			line := r.line()
			line.Name = ui.Say("record.subprocessor", r.Name)
			out.Lines = append(out.Lines, line)
		}
	}
	return out
}
