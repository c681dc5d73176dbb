package documents

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/documents/paper"
	"aver/trust/documents/ui"
	"aver/vault"
)

// The papers that there are.
const (
	Notice     = "notice"
	Record     = "record"     // GDPR Art. 30(1): of the controller
	Processing = "processing" // GDPR Art. 30(2): of the processor
	Assessment = "assessment" // GDPR Art. 35(7)
	Transfers  = "transfers"  // (EU) 2021/914, one sheet for each sub-processor beyond the region
	Catalogue  = "catalogue"
)

// Kinds lists the papers in the order of the page.
var Kinds = []string{Notice, Record, Processing, Assessment, Transfers, Catalogue}

// Forms lists in which forms a paper is handed out.
func Forms(kind string) []paper.Form {
	if kind == Record || kind == Processing {
		return []paper.Form{paper.HTML, paper.CSV, paper.JSON, paper.DPV}
	}
	return []paper.Form{paper.HTML, paper.CSV, paper.JSON}
}

var errNoPaper = errs.New(errs.NotFound, "There is no such paper.")

// Paper makes a paper about the actor's workspace; the journal says who read it.
func (s *Service) Paper(ctx context.Context, actor vault.Actor, kind string) (paper.Paper, error) {
	if !slices.Contains(Kinds, kind) {
		return paper.Paper{}, errNoPaper
	}
	f, err := s.facts(ctx, actor)
	if err != nil {
		return paper.Paper{}, err
	}
	return s.Write(f, kind)
}

// facts are the workspace's for a reader, noted in its log.
func (s *Service) facts(ctx context.Context, actor vault.Actor) (Facts, error) {
	if err := s.vault.View(ctx, actor, actRead, func(*vault.Tx) error { return nil }); err != nil {
		return Facts{}, err
	}
	return s.Collect(ctx, actor.Tenant())
}

// Write makes a paper of facts.
func (s *Service) Write(f Facts, kind string) (paper.Paper, error) {
	switch kind {
	case Notice:
		return s.finish(f, f.notice(Languages[0]))
	case Record:
		return s.finish(f, f.record())
	case Processing:
		return s.finish(f, processing(f.Operator, f))
	case Assessment:
		return s.finish(f, f.assessment())
	case Transfers:
		return s.finish(f, f.sheets())
	case Catalogue:
		return s.finish(f, f.catalogue())
	}
	return paper.Paper{}, errNoPaper
}

// File makes a paper in a form, with the name of its file.
func (s *Service) File(ctx context.Context, actor vault.Actor, kind string, form paper.Form) (content []byte, name string, err error) {
	if !slices.Contains(Kinds, kind) || !slices.Contains(Forms(kind), form) {
		return nil, "", errNoPaper
	}
	f, err := s.facts(ctx, actor)
	if err != nil {
		return nil, "", err
	}
	content, err = s.Form(ctx, f, kind, form)
	return content, fmt.Sprintf("%s-%s-%s.%s", f.Workspace.Slug, kind, f.At.Format("2006-01-02"), form), err
}

// Form writes a paper of facts in a form.
func (s *Service) Form(ctx context.Context, f Facts, kind string, form paper.Form) ([]byte, error) {
	p, err := s.Write(f, kind)
	if err != nil {
		return nil, err
	}
	if form == paper.DPV {
		return f.dpv(p)
	}
	return p.As(ctx, form)
}

// ForInstallation is the processor's record over all workspaces, for whoever runs the installation.
func (s *Service) ForInstallation(ctx context.Context) (paper.Paper, error) {
	tenants, err := s.vault.AllTenants(ctx, false)
	if err != nil {
		return paper.Paper{}, err
	}
	var all []Facts
	for _, t := range tenants {
		f, err := s.Collect(ctx, t.ID)
		if err != nil {
			return paper.Paper{}, err
		}
		all = append(all, f)
	}
	operator, err := s.entity(ctx, ids.Installation)
	if err != nil {
		return paper.Paper{}, err
	}
	return s.finish(Facts{At: s.vault.Now()}, processing(operator, all...))
}

func head(kind, workspace string) paper.Paper {
	return paper.Paper{Kind: kind, Title: ui.Say("paper." + kind), Lead: ui.Say("paper."+kind+".lead", workspace), Language: "en", Workspace: workspace}
}

// parties says who somebody responsible is. where is the page or command that writes it down.
func parties(e Entity, where string) []paper.Line {
	from := func(field string) paper.Source { return paper.Source{Origin: paper.Setting, Ref: where + " " + field} }
	if !e.named() {
		return []paper.Line{{Name: ui.Say("entity.name"), Text: ui.Say("entity.missing", where), Gap: true, Source: from("name")}}
	}
	lines := []paper.Line{
		{Name: ui.Say("entity.name"), Text: e.Name, Source: from("name")},
		{Name: ui.Say("entity.address"), Text: joined(", ", e.Address, e.Country), Source: from("address")},
		{Name: ui.Say("entity.email"), Text: e.Email, Source: from("email")},
	}
	if e.Representative != "" {
		lines = append(lines, paper.Line{Name: ui.Say("entity.representative"), Text: e.Representative, Source: from("representative")})
	}
	officer := paper.Line{Name: ui.Say("entity.officer"), Text: joined(", ", e.Officer, e.OfficerEmail, e.OfficerPlace), Source: from("dpo_name")}
	if e.Officer == "" {
		officer.Text = ui.Say("entity.no_officer")
	}
	return append(lines, officer)
}

// kept says in words how long a class is kept.
func (c Class) kept() string {
	if c.Limit > 0 {
		return ui.Say("kept.days", days(c.Limit))
	}
	return ui.Say("kept.while", c.While)
}

// dataLine is what a class holds, for a record.
func (c Class) dataLine() paper.Line {
	return paper.Line{Name: c.Name, Text: c.For, Items: c.Categories, Source: paper.Source{Origin: paper.Table, Ref: c.Name}}
}

func (c Class) keptLine() paper.Line {
	return paper.Line{Name: ui.Say("record.erased", c.Name), Text: c.kept(), Source: paper.Source{Origin: paper.Schedule, Ref: c.Name}}
}

func (r Recipient) line() paper.Line {
	text := ui.Say("recipient."+string(r.Kind), strings.Join(r.For, ", "))
	if r.Kind == Program && len(r.For) == 0 {
		text = ui.Say("recipient.program.all")
	}
	return paper.Line{Name: r.Name, Text: joined(", ", text, r.Address, r.Region), Items: r.Categories, Source: r.Source}
}

// measureLines are promises as measures, each with how it stands now; all of them if no beginnings of names are given.
func (f Facts) measureLines(begin ...string) (out []paper.Line) {
	for _, m := range f.Measures {
		if len(begin) == 0 || slices.ContainsFunc(begin, func(b string) bool { return strings.HasPrefix(m.ID, b) }) {
			out = append(out, paper.Line{Name: m.ID, Text: m.Sentence, State: string(m.State), Source: paper.Source{Origin: paper.Claim, Ref: m.ID}})
		}
	}
	return out
}

func (f Facts) transferLines() (out []paper.Line) {
	for _, r := range f.Transfers() {
		line := paper.Line{Name: r.Name, Text: ui.Say("transfer.line", r.Region, r.Safeguard), Source: r.Source}
		if r.Safeguard == "" {
			line.Text, line.Gap = ui.Say("transfer.bare", r.Region), true
		}
		out = append(out, line)
	}
	return out
}

// backupLine says how long a backup keeps what was deleted.
func backupLine(life time.Duration) paper.Line {
	return paper.Line{Name: ui.Say("backups"), Text: ui.Say("backups.text", ui.Say("kept.days", days(life))), Source: paper.Source{Origin: paper.Claim, Ref: "ret-4"}}
}
