package documents_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/consent"
	"aver/trust/documents"
	"aver/trust/documents/paper"
	"aver/trust/documents/ui"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

func (w *world) notice(t *testing.T, lang string) (paper.Paper, int) {
	t.Helper()
	p, number, since, err := w.Notice(t.Context(), w.Tenant, lang)
	must(t, err)
	if since.IsZero() || since.After(w.Clock.Now()) {
		t.Errorf("in force since %s", since)
	}
	return p, number
}

func TestTheNoticeChangesWithTheFactsAndCountsItsVersions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		before, number := w.notice(t, "en")
		if number != 1 {
			t.Fatalf("the first version is %d", number)
		}
		connections := paper.Source{Origin: paper.Schedule, Ref: "connections"}
		if l, ok := from(before, "data", connections); !ok || l.Text != "90 days" {
			t.Errorf("the connection log is %+v", l)
		}
		if again, number := w.notice(t, "de"); number != 1 || again.Hash == before.Hash {
			t.Errorf("another language is version %d with the hash %s", number, again.Hash)
		}

		must(t, w.retention.SetLimit(t.Context(), w.owner(), "connections", 5))
		limited, number := w.notice(t, "en")
		if l, _ := from(limited, "data", connections); l.Text != "5 days" || number != 2 {
			t.Errorf("after the limit changed: version %d, %+v", number, l)
		}

		c := w.company(t, "Modell Inc", "us")
		w.receivers, w.active = []documents.Receiver{{Ref: "whk_1", Host: "hooks.kowal.example"}}, []string{"sync"}
		named, number := w.notice(t, "en")
		if number != 3 {
			t.Errorf("after a company and a receiver came: version %d", number)
		}
		if l, ok := from(named, "purposes", paper.Source{Origin: paper.Purpose, Ref: "sync"}); !ok || l.Name != "Telling other programs of acme what happened" || !strings.Contains(l.Text, "6(1)(f)") {
			t.Errorf("the purpose of the receiver is %+v", l)
		}
		for _, section := range []string{"recipients", "transfers"} {
			if _, ok := from(named, section, paper.Source{Origin: paper.Register, Ref: c.ID.String()}); !ok {
				t.Errorf("the company is not among the %s", section)
			}
		}
		if _, ok := find(named, "hooks.kowal.example"); !ok {
			t.Error("the receiver is not named")
		}

		agreed, err := consent.New(w.Vault).SetPurpose(t.Context(), w.owner(), consent.Definition{ID: "warranty", Basis: purpose.Contract, Names: map[string]string{"en": "Keeping to the warranty"}, Recipients: []string{"Werk AG"}})
		must(t, err)
		defined, number := w.notice(t, "en")
		if l, ok := from(defined, "purposes", paper.Source{Origin: paper.Purpose, Ref: agreed.ID}); !ok || l.Name != "Keeping to the warranty" || !strings.Contains(l.Text, "6(1)(b)") || number != 4 {
			t.Errorf("version %d, the purpose that the workspace defined is %+v", number, l)
		}
		if l, ok := find(defined, "Werk AG"); !ok || l.Text != "Receives data for this: Keeping to the warranty" {
			t.Errorf("whom it names is %+v", l)
		}

		w.off = []string{"connections.ip"}
		less, number := w.notice(t, "en")
		if l, _ := from(less, "data", connections); strings.Contains(strings.Join(l.Items, ""), "network address") || number != 5 {
			t.Errorf("after a field was switched off: version %d, %+v", number, l)
		}

		must(t, w.companies.Remove(t.Context(), vaulttest.System(ids.Installation), c.ID))
		w.Clock.Advance(day)
		gone, number := w.notice(t, "en")
		if _, ok := find(gone, "Modell Inc"); ok || number != 6 {
			t.Errorf("after the company left: version %d, named: %t", number, ok)
		}
	})
}

func TestTheNoticeIsWholeInEveryLanguage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.SetLegal(t.Context(), w.owner(), entity("Kowal GmbH")))
		must(t, w.SetLegal(t.Context(), vaulttest.System(ids.Installation), entity("Betrieb AG")))
		w.company(t, "Modell Inc", "us")
		w.receivers = []documents.Receiver{{Ref: "whk_1", Host: "hooks.kowal.example"}}
		titles := map[string]bool{}
		pages := moduletest.Edge(moduletest.Mux(w.Module()), vault.Actor{}, page.View{})
		for _, lang := range documents.Languages {
			p, _ := w.notice(t, lang)
			said, err := json.Marshal(p)
			must(t, err)
			if p.Language != lang || strings.Contains(string(said), "{0}") || bytes.Contains(said, []byte(`"[`)) {
				t.Errorf("%s: %s", lang, said)
			}
			titles[p.Title] = true
			whole := `<html lang="` + lang + `" dir="ltr"`
			switch lang {
			case "en":
				whole = `<html lang="en-GB" dir="ltr"`
			case "ar":
				whole = `<html lang="ar" dir="rtl"`
			}
			if shown := moduletest.Get(pages, "/my-data/acme/notice?lang="+lang); !strings.Contains(shown.Body, whole) {
				t.Errorf("the page around it does not speak %s: %d %.200s", lang, shown.Status, shown.Body)
			}
			for _, word := range []string{"Kowal GmbH", "Dana Weiß", "Betrieb AG", "Modell Inc", "hooks.kowal.example", "HmbBfDI"} {
				if !strings.Contains(string(said), word) {
					t.Errorf("%s does not name %s", lang, word)
				}
			}
			if got, want := ui.Notice(lang).Keys(), ui.Notice("en").Keys(); !slices.Equal(got, want) {
				t.Errorf("%s has the texts %q, English %q", lang, got, want)
			}
			for _, key := range ui.Notice("en").Keys() {
				got, want := ui.Notice(lang).T(key, "<0>", "<1>", "<2>"), ui.Notice("en").T(key, "<0>", "<1>", "<2>")
				for _, told := range []string{"<0>", "<1>", "<2>"} {
					if strings.Count(got, told) != strings.Count(want, told) {
						t.Errorf("%s: %s is %q, in English %q", lang, key, got, want)
					}
				}
				if lang != "en" && len(want) > 20 && got == want {
					t.Errorf("%s: %s is English", lang, key)
				}
			}
		}
		if len(titles) != len(documents.Languages) {
			t.Errorf("the titles are %v", titles)
		}
	})
}

func TestEveryLineOfEveryPaperSaysWhereItComesFrom(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 2 { // first as a new workspace, then with all there can be
			for _, kind := range documents.Kinds {
				p := w.paper(t, kind)
				if bare := p.Unsourced(); len(bare) > 0 {
					t.Errorf("%s: no source for %q", kind, bare)
				}
				if len(p.Sections) == 0 || len(p.Hash) != 64 || p.Program != "aver test" || !p.At.Equal(w.Clock.Now()) {
					t.Errorf("%s: %d sections, hash %q, by %q at %s", kind, len(p.Sections), p.Hash, p.Program, p.At)
				}
				said, err := json.Marshal(p)
				must(t, err)
				if bytes.Contains(said, []byte(`"[`)) && !bytes.Contains(said, []byte(`"items":[`)) || bytes.Contains(said, []byte("{0}")) {
					t.Errorf("%s misses a text: %s", kind, said)
				}
			}
			must(t, w.SetLegal(t.Context(), w.owner(), entity("Kowal GmbH")))
			w.company(t, "Modell Inc", "us")
			w.receivers = []documents.Receiver{{Ref: "whk_1", Host: "hooks.kowal.example", Events: []string{"message.created"}}}
		}
	})
}

func TestTheRecordNamesWhatTheLawAsksFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.SetLegal(t.Context(), w.owner(), entity("Kowal GmbH")))
		c := w.company(t, "Modell Inc", "us")
		p := w.paper(t, documents.Record)
		for _, want := range []struct {
			section string
			from    paper.Source
			says    string
		}{
			{"controller", paper.Source{Origin: paper.Setting, Ref: "/settings/legal name"}, "Kowal GmbH"},
			{"controller", paper.Source{Origin: paper.Setting, Ref: "/settings/legal dpo_name"}, "Dana Weiß, dpo@kowal.example, Hamburg"},
			{"activity-security", paper.Source{Origin: paper.Schedule, Ref: "connections"}, "90 days"},
			{"activity-security", paper.Source{Origin: paper.Table, Ref: "connections"}, "People who write to the controller"},
			{"activity-rights", paper.Source{Origin: paper.Table, Ref: "consents"}, "knowing what a person has agreed to"},
			{"recipients", paper.Source{Origin: paper.Register, Ref: c.ID.String()}, "sub-processor for assistant, Main Street 1, Springfield, us"},
			{"recipients", paper.Source{Origin: paper.Program, Ref: "server mail.example"}, "the operator’s own server for mail, eu"},
			{"transfers", paper.Source{Origin: paper.Register, Ref: c.ID.String()}, "Region us; no safeguard is written into the register"},
			{"backups", paper.Source{Origin: paper.Claim, Ref: "ret-4"}, "What was deleted stays in encrypted backups for 7 days at most; erased people cannot be read there."},
		} {
			if l, ok := from(p, want.section, want.from); !ok || l.Text != want.says {
				t.Errorf("%s %s says %q, want %q", want.section, want.from, l.Text, want.says)
			}
		}
		if l, ok := find(p, "connections"); !ok || l.Text != "finding out about attacks and faults" || !slices.Equal(l.Items, []string{"user.device", "user.device.ip_address"}) {
			t.Errorf("the connection log is %+v", l)
		}
		if l, ok := find(p, "enc-1"); !ok || l.State != "holds" || l.Text != "Everything is sealed with AES-256" {
			t.Errorf("the measure is %+v", l)
		}
		if p := w.paper(t, documents.Processing); p.Gaps() == 0 {
			t.Error("nobody wrote down who runs the installation, and the record does not miss it")
		}
	})
}

func TestAPaperIsHandedOutInEveryFormWithoutFormulas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.company(t, "=cmd|' /C calc'!A0", "us")
		for _, kind := range documents.Kinds {
			for _, form := range documents.Forms(kind) {
				content, name, err := w.File(t.Context(), w.owner(), kind, form)
				must(t, err)
				if want := "acme-" + kind + "-2026-11-22." + string(form); name != want {
					t.Errorf("the file is called %s, want %s", name, want)
				}
				read(t, kind, form, content)
			}
		}
		if _, _, err := w.File(t.Context(), w.owner(), documents.Assessment, paper.DPV); !errs.Is(err, errs.NotFound) {
			t.Errorf("an assessment in DPV: %v", err)
		}
	})
}

func read(t *testing.T, kind string, form paper.Form, content []byte) {
	t.Helper()
	switch form {
	case paper.CSV:
		rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
		must(t, err)
		for _, row := range rows {
			for _, cell := range row {
				if strings.HasPrefix(cell, "=") {
					t.Errorf("%s: a cell is the formula %s", kind, cell)
				}
			}
		}
		if len(rows) < 8 || rows[4][2] != "content_sha256" || len(rows[4][3]) != 64 {
			t.Errorf("%s: the first rows are %q", kind, rows[:min(len(rows), 8)])
		}
	case paper.JSON:
		var p paper.Paper
		must(t, json.Unmarshal(content, &p))
		again, err := p.Finish(p.Program, p.At)
		must(t, err)
		if again.Hash != p.Hash || p.Format != paper.Version {
			t.Errorf("%s: the hash %s is not that of what it says, %s", kind, p.Hash, again.Hash)
		}
	case paper.DPV:
		var graph struct {
			Graph []map[string]any `json:"@graph"`
		}
		must(t, json.Unmarshal(content, &graph))
		kinds := map[any]int{}
		for _, node := range graph.Graph {
			kinds[node["@type"]]++
		}
		if kinds["dpv:RegisterOfProcessingActivities"] != 1 || kinds["dpv:DataController"] != 1 || kinds["dpv:Process"] < 2 || kinds["dpv:DataSubProcessor"] != 1 {
			t.Errorf("%s: the graph has %v", kind, kinds)
		}
	case paper.HTML:
		if !bytes.Contains(content, []byte("content_sha256: ")) || bytes.Contains(content, []byte("<script")) {
			t.Errorf("%s: %s", kind, content)
		}
	}
}

func TestTheClausesFollowTheRoles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to documents.Role
		want     int
	}{{documents.Controller, documents.Controller, 1}, {documents.Controller, documents.Processor, 2}, {documents.Processor, documents.Processor, 3}, {documents.Processor, documents.Controller, 4}} {
		if got := documents.Module(c.from, c.to); got != c.want {
			t.Errorf("%s to %s is module %d, want %d", c.from, c.to, got, c.want)
		}
	}
}

func TestEachSubProcessorBeyondTheRegionHasASheetAndNobodyElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.company(t, "Nah GmbH", "Germany")
		p := w.paper(t, documents.Transfers)
		if p.Lines() != 0 || !strings.Contains(p.Sections[0].None, "no sub-processor is outside the region “eu”") {
			t.Errorf("with nobody outside: %+v", p.Sections)
		}
		far := w.company(t, "Modell Inc", "us")
		must(t, w.SetLegal(t.Context(), w.owner(), entity("Kowal GmbH")))
		alone := w.paper(t, documents.Transfers)
		if l, _ := find(alone, "Standard contractual clauses"); l.Text != "Module 2: controller to processor" {
			t.Errorf("a controller with its own installation uses %q", l.Text)
		}
		must(t, w.SetLegal(t.Context(), vaulttest.System(ids.Installation), entity("Betrieb AG")))
		served := w.paper(t, documents.Transfers)
		if l, _ := find(served, "Standard contractual clauses"); l.Text != "Module 3: processor to processor" {
			t.Errorf("an operator uses %q", l.Text)
		}
		if l, _ := find(served, "Legal name"); l.Text != "Betrieb AG" {
			t.Errorf("the exporter is %q", l.Text)
		}
		if l, _ := find(served, "Importer"); l.Text != "Modell Inc, Main Street 1, Springfield" {
			t.Errorf("the importer is %q", l.Text)
		}
		gaps := served.Gaps()
		must(t, w.Answer(t.Context(), w.owner(), map[string]string{"transfer." + far.ID.String() + ".laws": "None that reach it."}))
		if now := w.paper(t, documents.Transfers); now.Gaps() != gaps-1 {
			t.Errorf("%d lines were missing, and after one answer %d", gaps, now.Gaps())
		}
	})
}

func TestTheJudgementsOfAnAssessmentArePeoples(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		gaps := w.paper(t, documents.Assessment).Gaps()
		must(t, w.Answer(t.Context(), w.owner(), map[string]string{"necessity": "  Without it nobody is answered. ", "risk.access": "Unlikely, grave."}))
		p := w.paper(t, documents.Assessment)
		if l, ok := find(p, "Why each purpose needs this data"); !ok || l.Text != "Without it nobody is answered." || l.Gap || p.Gaps() != gaps-2 {
			t.Errorf("the answer is %+v, %d of %d still missing", l, p.Gaps(), gaps)
		}
		must(t, w.Answer(t.Context(), w.owner(), map[string]string{"necessity": ""}))
		if p := w.paper(t, documents.Assessment); p.Gaps() != gaps-1 {
			t.Errorf("an answer that was taken back is still there: %d missing", p.Gaps())
		}
		if err := w.Answer(t.Context(), w.owner(), map[string]string{"weather": "fine"}); !errs.Is(err, errs.NotFound) {
			t.Errorf("an answer to nothing: %v", err)
		}
		if err := w.Answer(t.Context(), w.owner(), map[string]string{"scope": strings.Repeat("x", 8001)}); !errs.Is(err, errs.Invalid) {
			t.Errorf("an endless answer: %v", err)
		}
		if err := w.Answer(t.Context(), vaulttest.User(w.Tenant, vault.Operator), map[string]string{"scope": "x"}); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator judges: %v", err)
		}
		if p, err := w.Paper(t.Context(), vaulttest.User(w.Other, vault.Owner), documents.Assessment); err != nil || p.Gaps() <= gaps-2 {
			t.Errorf("another workspace's assessment: %d missing, %v", p.Gaps(), err)
		}
	})
}

func TestWhoIsResponsibleIsCheckedAndWhoReadsIsInTheLog(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for field, spoil := range map[string]func(*documents.Entity){
			"name":               func(e *documents.Entity) { e.Name = " " },
			"address":            func(e *documents.Entity) { e.Address = "" },
			"country":            func(e *documents.Entity) { e.Country = "Germany" },
			"email":              func(e *documents.Entity) { e.Email = "privacy" },
			"dpo_email":          func(e *documents.Entity) { e.OfficerEmail = "dpo" },
			"dpo_name":           func(e *documents.Entity) { e.Officer = "" },
			"lead_authority":     func(e *documents.Entity) { e.Authority = strings.Repeat("x", 251) },
			"lead_authority_url": func(e *documents.Entity) { e.AuthorityURL = "javascript:alert(1)" },
		} {
			e := entity("Kowal GmbH")
			spoil(&e)
			err := w.SetLegal(t.Context(), w.owner(), e)
			if p := errs.AsProblem(err); !errs.Is(err, errs.Invalid) || len(p.Errors) != 1 || p.Errors[0].Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if err := w.SetLegal(t.Context(), vaulttest.User(w.Tenant, vault.Operator), entity("Kowal GmbH")); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator says who is responsible: %v", err)
		}
		if _, err := w.Paper(t.Context(), vaulttest.User(w.Tenant, vault.Operator), documents.Record); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator reads the record: %v", err)
		}
		must(t, w.SetLegal(t.Context(), w.owner(), entity("Kowal GmbH")))
		w.paper(t, documents.Record)
		seen := map[string]int{}
		entries, err := w.Vault.Entries(t.Context(), w.Tenant, 0, 1000)
		must(t, err)
		for _, e := range entries {
			seen[e.Action]++
			if e.Outcome == journal.Denied {
				seen["denied "+e.Action]++
			}
		}
		if seen["document.read"] != 2 || seen["denied document.read"] != 1 || seen["denied legal_entity.write"] != 1 || seen["legal_entity.write"] != 2 {
			t.Errorf("the log has %v", seen)
		}
	})
}

func TestAProcessorsRecordCoversEveryWorkspace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		must(t, w.SetLegal(t.Context(), vaulttest.System(ids.Installation), entity("Betrieb AG")))
		must(t, w.SetLegal(t.Context(), w.owner(), entity("Kowal GmbH")))
		p, err := w.ForInstallation(t.Context())
		must(t, err)
		said, err := json.Marshal(p)
		must(t, err)
		for _, word := range []string{"Betrieb AG", "Kowal GmbH", "On behalf of other"} {
			if !bytes.Contains(said, []byte(word)) {
				t.Errorf("the record does not name %s", word)
			}
		}
		mine, err := json.Marshal(w.paper(t, documents.Processing))
		must(t, err)
		if bytes.Contains(mine, []byte("On behalf of other")) {
			t.Error("a workspace's own copy names another workspace")
		}
	})
}
