package keeping

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"aver/base/ids"
	"aver/frame/claim"
	"aver/frame/page"
	"aver/trust/canary"
	"aver/trust/canary/inside"
	"aver/trust/documents"
	"aver/trust/documents/drift"
	"aver/trust/documents/paper"
	"aver/trust/probes/world"
	"aver/trust/retention"
	"aver/vault"
)

// least is what was seen of how little is kept.
type least struct {
	tables, columns int
	undeclared      []string // how the stores differ from the catalogue
	vague           []string // classes about people without a purpose, or with neither a limit nor a reason
	refused         bool     // a value of a field that was switched off
	held            int      // contacts with a value of it
}

// minimum is min-1.
func minimum(w *world.World) claim.Claim {
	good := least{tables: 50, columns: 400, refused: true}
	broken := func(name string, change func(*least)) claim.Fixture {
		l := good
		change(&l)
		return world.Fixture(name, func(context.Context) (claim.Evidence, error) { return judgeMinimum(l), nil })
	}
	drifted := func(name string, spoil func(map[string][]string)) claim.Fixture {
		return broken(name, func(l *least) {
			stored := map[string][]string{}
			for _, c := range retention.Connections.Columns() {
				stored[retention.Connections.Name()] = append(stored[retention.Connections.Name()], c.Name)
			}
			spoil(stored)
			l.undeclared = drift.Undeclared(stored, []vault.AnyTable{retention.Connections})
		})
	}
	return claim.Claim{
		ID: "min-1", Theme: world.Keeping, Owner: world.DPO, Every: world.Hourly, On: []string{"contact_field."},
		Wording:   "What is kept is in the data catalogue, which equals the schema: {columns} columns of {tables} tables looked up in the database, {undeclared} not declared; a field that a workspace switched off was {field}",
		Predicate: "In the stores of the installation and of a workspace each table and column is declared and each declared one is there; each class about people has a purpose and a limit or a reason why there is none; a value of a field that was switched off is refused, and no contact holds one.",
		Method:    "The probe asks the database for its own columns, reads the catalogue, switches a field of a canary workspace off, tries to store a value of it, lets the sweep go through, looks at the stored rows, and switches it on again.",
		Refs:      claim.References{ISO: []string{"A.5.9", "A.5.12", "A.5.34"}, SOC2: []string{"P3.1", "P4.1"}, GDPR: []string{"5(1)(c)", "25(2)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			l, err := lookAtLeast(ctx, w, nil)
			return judgeMinimum(l), err
		},
		Fixtures: []claim.Fixture{
			drifted("a table that nobody declared", func(stored map[string][]string) { stored["hoard"] = []string{"id", "words"} }),
			drifted("a column that nobody declared", func(stored map[string][]string) { stored["connections"] = append(stored["connections"], "referrer") }),
			drifted("a declared table that is not there", func(stored map[string][]string) { delete(stored, "connections") }),
			broken("a class of which nobody says how long", func(l *least) { l.vague = []string{"messages"} }),
			w.Scratch.Broken("a switched-off field that nobody sweeps", unsweptField),
			w.Scratch.Broken("a switched-off field that is taken", func(ctx context.Context, w *world.World) (claim.Evidence, error) {
				l, err := lookAtLeast(ctx, w, func(set func(context.Context, bool) error) error { return set(ctx, true) })
				return judgeMinimum(l), err
			}),
			broken("nothing to look at", func(l *least) { l.tables = 0 }),
		},
	}
}

func judgeMinimum(l least) claim.Evidence {
	e := world.Evidence()
	e.See(l.tables > 0 && l.columns > l.tables, "the database's own columns", "%d of %d tables", l.columns, l.tables)
	e.See(len(l.undeclared) == 0, "different from the catalogue", "%d %s", len(l.undeclared), strings.Join(l.undeclared, ", "))
	e.See(len(l.vague) == 0, "classes about people without terms", "%d %s", len(l.vague), strings.Join(l.vague, ", "))
	e.See(l.refused, "a value of a field that was switched off", "%s", map[bool]string{true: "refused", false: "taken"}[l.refused])
	e.See(l.held == 0, "contacts that hold one", "%d", l.held)
	e.Figure("tables", "%d", l.tables)
	e.Figure("columns", "%s", page.Number(l.columns))
	e.Figure("undeclared", "%d", len(l.undeclared))
	e.Figure("field", "%s", map[bool]string{true: "refused, and none of it is stored", false: "taken, or is stored"}[l.refused && l.held == 0])
	return e
}

// probed is the field that the probe switches off, as the API and the store call it. Canaries have no companies.
const probed = "company"

// unsweptField is the probe where a contact has a value of the field and the sweep does not come.
func unsweptField(ctx context.Context, w *world.World) (claim.Evidence, error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return claim.Evidence{}, err
	}
	body, err := json.Marshal(map[string]any{probed: side.Root})
	if err != nil {
		return claim.Evidence{}, err
	}
	p, err := w.NewPerson(ctx)
	if err != nil {
		return claim.Evidence{}, err
	}
	broken := *w
	broken.Sweep = func(context.Context, ids.Tenant) error { return nil }
	err = w.Ask(ctx, p, http.MethodPut, "/v1/contacts/{contact}", string(body), nil)
	if err != nil {
		return claim.Evidence{}, errors.Join(err, w.Forget(ctx, p))
	}
	l, err := lookAtLeast(ctx, &broken, nil)
	return judgeMinimum(l), errors.Join(err, w.Forget(ctx, p))
}

// lookAtLeast looks at the schema, the terms, and a field that is switched off. Who meddles may switch it, too.
func lookAtLeast(ctx context.Context, w *world.World, meddle func(set func(context.Context, bool) error) error) (l least, err error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return l, err
	}
	for _, tenant := range []ids.Tenant{ids.Installation, side.Tenant} {
		stored, err := w.Vault.StoredColumns(ctx, tenant)
		if err != nil {
			return l, err
		}
		l.undeclared = append(l.undeclared, drift.Undeclared(stored, w.Vault.Tables())...)
		l.tables, l.columns = len(stored), 0
		for _, columns := range stored {
			l.columns += len(columns)
		}
	}
	f, err := w.Documents.Collect(ctx, side.Tenant)
	if err != nil {
		return l, err
	}
	for _, c := range slices.Concat(f.About(documents.Visitors), f.About(documents.Staff)) {
		known := slices.ContainsFunc(f.Purposes, func(p documents.Purpose) bool { return p.ID == c.Purpose })
		if c.For == "" || !known || c.Limit == 0 && c.While == "" {
			l.vague = append(l.vague, c.Name)
		}
	}
	return l, w.Canaries.Alone(func() error { return l.switchOff(ctx, w, side, meddle) })
}

// switchOff lets a canary do without a field for a moment.
func (l *least) switchOff(ctx context.Context, w *world.World, side *canary.Side, meddle func(set func(context.Context, bool) error) error) (err error) {
	set := func(ctx context.Context, processed bool) error {
		a, err := ask(ctx, w, side, http.MethodPut, "/v1/contact_fields/"+probed, map[string]any{"processed": processed})
		if err == nil && a.Status >= 300 {
			err = fmt.Errorf("switch a field of the canary: %d", a.Status)
		}
		return err
	}
	if err := set(ctx, false); err != nil {
		return err
	}
	defer func() {
		if again := set(context.WithoutCancel(ctx), true); err == nil {
			err = again
		}
	}()
	if meddle != nil {
		if err := meddle(set); err != nil {
			return err
		}
	}
	a, err := ask(ctx, w, side, http.MethodPost, "/v1/contacts", map[string]any{"name": side.Root, probed: side.Root})
	if err != nil {
		return err
	}
	l.refused = a.Status == http.StatusUnprocessableEntity && strings.Contains(string(a.Body), "not-processed")
	if err := w.Sweep(ctx, side.Tenant); err != nil {
		return err
	}
	l.held, err = holding(ctx, w.Vault, side.Tenant)
	return err
}

// holding counts the contacts with something in the probed field, as the rows are stored.
func holding(ctx context.Context, v *vault.Vault, tenant ids.Tenant) (n int, err error) {
	stored, err := v.StoredColumns(ctx, tenant)
	if err != nil {
		return 0, err
	}
	at := slices.Index(stored["contacts"], probed)
	if at < 0 {
		return 0, fmt.Errorf("contacts have no column %s", probed)
	}
	err = v.Stored(ctx, tenant, func(table string, row []any) error {
		if table == "contacts" && row[at] != nil {
			n++
		}
		return nil
	})
	return n, err
}

// ask calls the API with a canary's key.
func ask(ctx context.Context, w *world.World, side *canary.Side, method, path string, body any) (inside.Answer, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return inside.Answer{}, err
	}
	return w.Canaries.Door().Do(ctx, inside.Request{Method: method, Path: path, Header: world.WithJSON(inside.Bearer(side.Key)), Body: raw})
}

// papers is doc-1.
func papers(w *world.World) claim.Claim {
	spoilt := func(name, kind string, form paper.Form, spoil func(*inside.Answer) error) claim.Fixture {
		return w.Scratch.Broken(name, func(ctx context.Context, w *world.World) (claim.Evidence, error) {
			return lookAtPapers(ctx, w, func(k string, f paper.Form, a *inside.Answer) error {
				if k == kind && (f == form || form == "") {
					return spoil(a)
				}
				return nil
			})
		})
	}
	fails := func(a *inside.Answer) error { a.Status = http.StatusInternalServerError; return nil }
	return claim.Claim{
		ID: "doc-1", Theme: world.Papers, Owner: world.DPO, Kind: claim.Document, Every: world.Hourly,
		Wording:   "Records of processing, impact assessment, transfer sheets, notice and catalogue are written from what is live: {papers} papers of {lines} lines made for a canary workspace, {unsourced} lines without a source",
		Predicate: "Each paper comes in each of its forms, has a hash, and each of its lines says where it was taken from; the record names every class about people and every registered sub-processor.",
		Method:    "The probe fetches the papers of a canary workspace from the API in each form and compares the record with the data catalogue and the register.",
		Refs:      claim.References{ISO: []string{"A.5.31", "A.5.34"}, SOC2: []string{"P1.1", "P8.1"}, GDPR: []string{"30", "35(7)"}},
		Probe:     func(ctx context.Context) (claim.Evidence, error) { return lookAtPapers(ctx, w, nil) },
		Fixtures: []claim.Fixture{
			spoilt("a line that says nothing of where it comes from", documents.Record, paper.JSON, rewritten(func(p *paper.Paper) { p.Sections[0].Lines[0].Source.Ref = "" })),
			spoilt("a class that the record does not name", documents.Record, paper.JSON, func(a *inside.Answer) error {
				a.Body = bytes.ReplaceAll(a.Body, []byte(`"messages"`), []byte(`"contacts"`))
				return nil
			}),
			spoilt("a paper that does not come", documents.Assessment, "", fails),
			spoilt("a paper without a hash", documents.Notice, paper.JSON, rewritten(func(p *paper.Paper) { p.Hash = "" })),
			spoilt("a form that does not come", documents.Record, paper.CSV, fails),
		},
	}
}

// rewritten is an answer with a paper that is not as it was written.
func rewritten(change func(*paper.Paper)) func(*inside.Answer) error {
	return func(a *inside.Answer) (err error) {
		var p paper.Paper
		if err := json.Unmarshal(a.Body, &p); err != nil {
			return err
		}
		change(&p)
		a.Body, err = json.Marshal(p)
		return err
	}
}

// lookAtPapers fetches the papers and looks at them. What a fixture does to an answer, it does before.
func lookAtPapers(ctx context.Context, w *world.World, spoil func(kind string, form paper.Form, a *inside.Answer) error) (claim.Evidence, error) {
	side, err := w.Canaries.Await(ctx, canary.South)
	if err != nil {
		return claim.Evidence{}, err
	}
	all, failed := map[string]paper.Paper{}, []string(nil)
	for _, kind := range documents.Kinds {
		for _, form := range documents.Forms(kind) {
			a, err := w.Canaries.Door().Get(ctx, "/v1/documents/"+kind+"?format="+string(form), inside.Bearer(side.Key))
			if err == nil && spoil != nil {
				err = spoil(kind, form, &a)
			}
			if err != nil {
				return claim.Evidence{}, err
			}
			if a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), form.Type()) {
				failed = append(failed, fmt.Sprintf("%s as %s: %d %s", kind, form, a.Status, a.Header.Get("Content-Type")))
				continue
			}
			var p paper.Paper
			if form == paper.JSON && json.Unmarshal(a.Body, &p) == nil {
				all[kind] = p
			}
		}
	}
	var named []string
	for _, t := range w.Vault.Tables() {
		for _, c := range t.Columns() {
			if c.Class == "personal" && !strings.HasPrefix(t.Name(), "backup_") { // of people whom a drill made up
				named = append(named, t.Name())
				break
			}
		}
	}
	live, err := w.Companies.Live(ctx)
	for _, c := range live {
		named = append(named, c.ID.String())
	}
	return judgePapers(all, named, failed), err
}

// judgePapers says no to papers that are not whole. named is what the record must have a line of.
func judgePapers(all map[string]paper.Paper, named, failed []string) claim.Evidence {
	e, lines, unsourced := world.Evidence(), 0, 0
	for _, kind := range documents.Kinds {
		p, made := all[kind]
		bare := p.Unsourced()
		lines, unsourced = lines+p.Lines(), unsourced+len(bare)
		e.See(made && p.Hash != "" && len(p.Sections) > 0, "the "+kind, "%d sections, %d lines", len(p.Sections), p.Lines())
		if len(bare) > 0 {
			e.See(false, "lines of the "+kind+" without a source", "%s", strings.Join(bare[:min(5, len(bare))], ", "))
		}
	}
	refs := map[string]bool{}
	for _, s := range all[documents.Record].Sections {
		for _, l := range s.Lines {
			refs[l.Source.Ref] = true
		}
	}
	var absent []string
	for _, name := range named {
		if !refs[name] {
			absent = append(absent, name)
		}
	}
	e.See(len(named) > 0 && len(absent) == 0, "classes and companies that the record must name", "%d, absent %d %s", len(named), len(absent), strings.Join(absent, ", "))
	e.See(len(failed) == 0, "forms that did not come", "%d %s", len(failed), strings.Join(failed, ", "))
	e.Figure("papers", "%d", len(all))
	e.Figure("lines", "%s", page.Number(lines))
	e.Figure("unsourced", "%d", unsourced)
	return e
}
