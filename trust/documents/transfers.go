package documents

import (
	"strings"

	"aver/trust/documents/paper"
	"aver/trust/documents/ui"
)

// Role is what a party of a transfer is under GDPR Art. 4.
type Role string

// The roles.
const (
	Controller Role = "controller"
	Processor  Role = "processor"
)

// Module is the module of the standard contractual clauses (Commission Implementing Decision (EU) 2021/914, Annex) for
// an exporter and an importer: 1 controller to controller, 2 controller to processor, 3 processor to processor, 4
// processor to controller.
func Module(exporter, importer Role) int {
	switch {
	case exporter == Controller && importer == Controller:
		return 1
	case exporter == Controller:
		return 2
	case importer == Processor:
		return 3
	}
	return 4
}

const decision = "Implementing Decision (EU) 2021/914"

// annexII are the promises that are a transfer's technical and organisational measures, in the order of the annex's
// examples: pseudonymisation and encryption, confidentiality, availability, testing, logging, minimisation, deletion.
var annexII = []string{"enc-", "iso-", "idn-", "aud-", "ava-", "min-", "ret-", "rgt-4"}

// sheets are the transfer sheets of a workspace: one section with the annexes for each sub-processor beyond its region.
// Receivers of the tenant's own choice are not in them: where those are, only the tenant knows.
func (f Facts) sheets() paper.Paper {
	p := head(Transfers, f.Workspace.Name)
	list := f.Transfers()
	if len(list) == 0 {
		p.Sections = []paper.Section{{ID: "none", Title: ui.Say("transfers.none"), Law: "GDPR Art. 44", None: ui.Say("record.transfers.none", f.Workspace.Region)}}
		return p
	}
	for _, r := range list {
		p.Sections = append(p.Sections, f.partiesOf(r), f.described(r),
			paper.Section{ID: r.Source.Ref + "-measures", Title: ui.Say("sheet.measures", r.Name), Law: decision + ", Annex II", None: ui.Say("record.measures.none"), Lines: f.measureLines(annexII...)},
			f.impact(r))
	}
	return p
}

// exporter is who sends data out of the region: whoever runs the installation, on behalf of the controller, or the
// controller itself where it runs the installation.
func (f Facts) exporter() (Entity, Role, string) {
	if f.Operator.named() {
		return f.Operator, Processor, "aver papers operator"
	}
	return f.Controller, Controller, legalPage
}

func (f Facts) partiesOf(r Recipient) paper.Section {
	exporter, role, where := f.exporter()
	out := paper.Section{ID: r.Source.Ref, Title: ui.Say("sheet", r.Name), Lead: ui.Say("sheet.lead", f.Workspace.Region, r.Region), Law: decision + ", Annex I.A"}
	module := Module(role, Processor)
	out.Lines = []paper.Line{
		{Name: ui.Say("sheet.module"), Text: ui.Say("sheet.module.text", module, ui.Say("role."+string(role)), ui.Say("role."+string(Processor))), Source: paper.Source{Origin: paper.Law, Ref: decision}},
		{Name: ui.Say("sheet.exporter"), Text: ui.Say("role." + string(role)), Source: paper.Source{Origin: paper.Program, Ref: "who runs the installation"}},
	}
	out.Lines = append(out.Lines, parties(exporter, where)...)
	out.Lines = append(out.Lines,
		paper.Line{Name: ui.Say("sheet.importer"), Text: joined(", ", r.Name, r.Address), Items: []string{ui.Say("role." + string(Processor))}, Source: r.Source},
		paper.Line{Name: ui.Say("sheet.authority"), Text: f.Controller.Authority, Gap: f.Controller.Authority == "", Source: setting("lead_authority")})
	if f.Controller.Authority == "" {
		out.Lines[len(out.Lines)-1].Text = ui.Say("entity.missing", legalPage)
	}
	return out
}

// described is Annex I.B: what is transferred.
func (f Facts) described(r Recipient) paper.Section {
	out := paper.Section{ID: r.Source.Ref + "-what", Title: ui.Say("sheet.what", r.Name), Law: decision + ", Annex I.B"}
	out.Lines = []paper.Line{
		{Name: ui.Say("record.people"), Text: ui.Say("group.visitors"), Source: r.Source},
		{Name: ui.Say("sheet.categories"), Items: r.Categories, Source: r.Source},
		{Name: ui.Say("sheet.sensitive"), Text: ui.Say("sheet.sensitive.text"), Source: paper.Source{Origin: paper.Program, Ref: "categories of the data catalogue"}},
		{Name: ui.Say("sheet.frequency"), Text: ui.Say("sheet.frequency.text"), Source: paper.Source{Origin: paper.Program, Ref: "frame/egress"}},
		{Name: ui.Say("record.purpose"), Text: strings.Join(r.For, ", "), Source: r.Source},
		{Name: ui.Say("sheet.hosts"), Items: r.Hosts, Source: r.Source},
	}
	safeguard := paper.Line{Name: ui.Say("sheet.safeguard"), Text: r.Safeguard, Source: r.Source}
	if r.Safeguard == "" {
		safeguard.Text, safeguard.Gap = ui.Say("sheet.safeguard.missing"), true
	}
	out.Lines = append(out.Lines, safeguard)
	for _, c := range f.About(Visitors) {
		for _, category := range c.Categories {
			if receives(r.Categories, category) {
				out.Lines = append(out.Lines, c.keptLine())
				break
			}
		}
	}
	return out
}

// receives tells whether one of the categories is this one or one that it belongs to.
func receives(categories []string, one string) bool {
	for _, c := range categories {
		if c == one || strings.HasPrefix(one, c+".") || strings.HasPrefix(c, one+".") {
			return true
		}
	}
	return false
}

// impact is the transfer impact assessment that clause 14 asks of the parties: a program cannot answer it.
func (f Facts) impact(r Recipient) paper.Section {
	out := paper.Section{ID: r.Source.Ref + "-impact", Title: ui.Say("sheet.impact", r.Name), Law: decision + ", Clause 14; EDPB Recommendations 01/2020"}
	for _, id := range transferQuestions {
		out.Lines = append(out.Lines, f.judged(transferQuestion(r, id), ui.Say("tia."+id)))
	}
	return out
}
