package keeping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/trust/canary"
	"aver/trust/canary/inside"
	"aver/trust/documents"
	"aver/trust/documents/paper"
	"aver/trust/probes/world"
	"aver/trust/residency"
	"aver/trust/subprocessors"
)

// transfers is res-3.
func transfers(w *world.World) claim.Claim {
	return claim.Claim{
		ID: "res-3", Theme: world.Keeping, Owner: world.DPO, Kind: claim.Document, Every: world.Hourly, On: []string{"subprocessor."},
		Wording:   "Each sub-processor outside the region of a workspace has a transfer sheet with the standard contractual clauses and the questions of a transfer impact assessment: {outside} outside, {sheets} sheets",
		Predicate: "For each live entry of the register that processes outside the area of law of a workspace's region there is a sheet with a module of the clauses, measures, and the questions of clause 14, and there is no other sheet; for a company made up for the purpose one is written, too.",
		Method:    "The probe compares the register with the transfer sheets of a canary workspace as the API gives them.",
		Refs:      claim.References{ISO: []string{"A.5.14", "A.5.20", "A.5.34"}, SOC2: []string{"P6.1", "P6.4"}, GDPR: []string{"44", "46(2)(c)"}},
		Probe:     func(ctx context.Context) (claim.Evidence, error) { return lookAtTransfers(ctx, w, smuggling{}) },
		Fixtures: []claim.Fixture{
			abroad(w, "a company in another region without a sheet", func(w *world.World, c subprocessors.Company) smuggling {
				return smuggling{meanwhile: func(ctx context.Context) error { return w.Companies.Remove(ctx, world.System(ids.Installation), c.ID) }}
			}),
			abroad(w, "a sheet of a company that is not outside", func(w *world.World, c subprocessors.Company) smuggling {
				return smuggling{meanwhile: func(ctx context.Context) error {
					c.ID, c.Name = subprocessors.ID{}, "Another company of a probe"
					_, err := w.Companies.Save(ctx, world.System(ids.Installation), c)
					return err
				}}
			}),
			abroad(w, "a sheet without clauses", loses("")),
			abroad(w, "a sheet without the assessment", loses("-impact")),
			abroad(w, "sheets that nobody can write for want of measures", func(*world.World, subprocessors.Company) smuggling {
				return smuggling{facts: func(f *documents.Facts) { f.Measures = nil }}
			}),
		},
	}
}

// smuggling is what a fixture does to the sheets.
type smuggling struct {
	meanwhile func(context.Context) error // after the register was read, and before the sheets are
	sheets    func(*paper.Paper)          // when they have come
	facts     func(*documents.Facts)      // of which the sheet is written of the company made up for the purpose
}

// abroad is the probe where a company of another region is live, and something is done to its sheet.
func abroad(w *world.World, name string, spoil func(*world.World, subprocessors.Company) smuggling) claim.Fixture {
	return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (e claim.Evidence, err error) {
		root := world.System(ids.Installation)
		c, err := w.Companies.Save(ctx, root, subprocessors.Company{Name: "A company of a probe", Address: "Main Street 1, Springfield", Purposes: []string{"assistant"}, Categories: []string{"user.content"},
			Region: "us", Hosts: []string{"api.invalid"}, AuditedAt: w.Vault.Now(), Contract: "a drawer", Status: subprocessors.Live})
		if err != nil {
			return e, err
		}
		defer func() { err = errors.Join(err, dismiss(context.WithoutCancel(ctx), w)) }()
		if e, err = lookAtTransfers(ctx, w, smuggling{}); err == nil && !e.Holds {
			err = fmt.Errorf("before anything is spoilt: %+v", e.Observations)
		}
		if err != nil {
			return e, err
		}
		return lookAtTransfers(ctx, w, spoil(w, c))
	})
}

// dismiss empties the register of a scratch installation.
func dismiss(ctx context.Context, w *world.World) error {
	live, err := w.Companies.Live(ctx)
	for _, c := range live {
		err = errors.Join(err, w.Companies.Remove(ctx, world.System(ids.Installation), c.ID))
	}
	return err
}

// loses takes a part of the company's sheet away.
func loses(part string) func(*world.World, subprocessors.Company) smuggling {
	return func(_ *world.World, c subprocessors.Company) smuggling {
		return smuggling{sheets: func(p *paper.Paper) {
			p.Sections = slices.DeleteFunc(p.Sections, func(s paper.Section) bool { return s.ID == c.ID.String()+part })
		}}
	}
}

func lookAtTransfers(ctx context.Context, w *world.World, m smuggling) (claim.Evidence, error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return claim.Evidence{}, err
	}
	outside, err := beyond(ctx, w, side.Tenant)
	if err != nil {
		return claim.Evidence{}, err
	}
	if m.meanwhile != nil {
		if err := m.meanwhile(ctx); err != nil {
			return claim.Evidence{}, err
		}
	}
	a, err := w.Canaries.Door().Get(ctx, "/v1/documents/"+documents.Transfers+"?format=json", inside.Bearer(side.Key))
	if err != nil {
		return claim.Evidence{}, err
	}
	var p paper.Paper
	if err := json.Unmarshal(a.Body, &p); err != nil {
		return claim.Evidence{}, fmt.Errorf("read the transfer sheets: %w", err)
	}
	if m.sheets != nil {
		m.sheets(&p)
	}
	f, err := w.Documents.Collect(ctx, side.Tenant)
	if err != nil {
		return claim.Evidence{}, err
	}
	f.Recipients = []documents.Recipient{{Kind: documents.Company, Name: "Nobody Ltd", Region: "nowhere", Outside: true, Source: paper.Source{Origin: paper.Register, Ref: "sbp_nobody"}}}
	if m.facts != nil {
		m.facts(&f)
	}
	made, err := w.Documents.Write(f, documents.Transfers)
	return judgeTransfers(outside, p, whole(made, "sbp_nobody")), err
}

// beyond are the companies of the register that process outside the area of law of a workspace's region.
func beyond(ctx context.Context, w *world.World, tenant ids.Tenant) (outside []string, err error) {
	home, err := w.Vault.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	live, err := w.Companies.Live(ctx)
	for _, c := range live {
		if residency.Outside(home.Region, c.Region) {
			outside = append(outside, c.ID.String())
		}
	}
	return outside, err
}

// whole tells whether a company's sheet has a module of the clauses, measures and the questions.
func whole(p paper.Paper, ref string) bool {
	parts := map[string]int{}
	for _, s := range p.Sections {
		parts[s.ID] = len(s.Lines)
		if s.ID == ref && !slices.ContainsFunc(s.Lines, func(l paper.Line) bool {
			return strings.Contains(l.Source.Ref, "2021/914") && strings.HasPrefix(l.Text, "Module ")
		}) {
			parts[s.ID] = 0
		}
	}
	return parts[ref] > 0 && parts[ref+"-measures"] > 0 && parts[ref+"-impact"] > 0
}

func judgeTransfers(outside []string, p paper.Paper, writes bool) claim.Evidence {
	e, sheets := world.Evidence(), 0
	for _, ref := range outside {
		e.See(whole(p, ref), "the sheet of "+ref, "%s", map[bool]string{true: "whole", false: "absent or not whole"}[whole(p, ref)])
	}
	for _, s := range p.Sections {
		if strings.HasPrefix(s.ID, "sbp_") && !strings.Contains(s.ID, "-") {
			sheets++
			e.See(slices.Contains(outside, s.ID), "whose sheet there is", "%s", s.ID)
		}
	}
	e.See(writes, "the sheet of a company made up for the purpose", "%s", map[bool]string{true: "whole", false: "not whole"}[writes])
	e.Figure("outside", "%d", len(outside))
	e.Figure("sheets", "%d", sheets)
	return e
}
