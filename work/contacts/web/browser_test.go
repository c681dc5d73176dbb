package web_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/imports"
)

// lived is a workspace with some people in it, and the addresses of its pages by name.
func lived(t *testing.T, h *house) map[string]string {
	t.Helper()
	ctx, s := t.Context(), h.contacts
	_, err := s.Attributes.Define(ctx, h.owner, attributes.Attribute{Name: "insurer", Label: "Insurer", Kind: attributes.Choice, Options: []string{"Nordkasse", "Ostkasse"}})
	must(t, err)
	_, err = s.Attributes.Define(ctx, h.owner, attributes.Attribute{Name: "since", Label: "Patient since", Kind: attributes.Date})
	must(t, err)
	patient, err := s.MakeTag(ctx, h.operator, "Patient", 8)
	must(t, err)
	invoice, err := s.MakeTag(ctx, h.operator, "Invoice", 1)
	must(t, err)
	_, err = s.MakeSegment(ctx, h.operator, "Not seen for a month", contacts.Rule{Role: contacts.User, Unseen: 30, Label: patient.ID})
	must(t, err)
	h.Clock.Advance(-90 * 24 * time.Hour)
	var all []ids.Contact
	for _, d := range []contacts.Draft{
		{Name: "Tomasz Zieliński", Email: "tomasz@zielinski.example"}, {Name: "Lena Brandt", Email: "lena@brandt.example", ExternalID: "p-1002"},
		{Name: "Óscar de la Fuente", Email: "oscar.delafuente@a-rather-long-company-name.example", Company: "A rather long company name"},
		{Name: "عمر الخطيب", Phone: "+49 30 90182010"}, {Name: "Aiko Tanaka", Phone: "+81 3 5550 1200"},
		{Name: "Maria Kowal", Email: "maria@kowal.example", Phone: "+49 69 5550 1020", ExternalID: "p-1001", Grounds: []identity.Ground{{Basis: purpose.Contract, Purpose: purpose.Support, Since: time.Date(2021, 3, 4, 0, 0, 0, 0, time.UTC), Words: "Treatment contract of 2021"}}, Attributes: attributes.Values{"insurer": "Nordkasse", "since": "2021-03-04"}},
	} {
		h.Clock.Advance(71 * time.Hour)
		all = append(all, h.make(t, d))
	}
	maria := all[5]
	_, err = s.NewVisitor(ctx, h.Tenant, contacts.Draft{})
	must(t, err)
	other := h.make(t, contacts.Draft{Name: "M. Kowal", Email: "maria@kowal.example"})
	must(t, s.Merge(ctx, h.operator, other, maria, "same address and voice"))
	_, err = s.Update(ctx, h.operator, maria, contacts.Draft{Email: "maria.kowal@kowal.example"})
	must(t, err)
	for _, tag := range []contacts.TagID{patient.ID, invoice.ID} {
		must(t, s.Label(ctx, h.operator, maria, tag))
	}
	_, err = s.Notes.Add(ctx, h.operator, maria, "Prefers appointments in the afternoon.\nCalls back from another number.")
	must(t, err)
	notice, err := consent.New(h.Vault).Current(ctx, h.Tenant, "en")
	must(t, err)
	must(t, consent.New(h.Vault).Record(ctx, vaulttest.System(h.Tenant), maria, consent.Choice{Purpose: consent.Support, Granted: true, Version: fmt.Sprint(notice.Version), Language: "en"}))
	letters(t, h, maria)
	_, err = s.Identify(ctx, h.Tenant, all[1], identity.TokenClaims{UserID: "p-1002", Name: "Lena Brandt"})
	must(t, err)
	list := "Patient no;Name;E-mail;Phone;Insurer\np-1;Jonas Weber;jonas@weber.example;069 5550 1021;Nordkasse\np-2;Li 李;nonsense;;Ostkasse\np-3;Zoë Novák;zoe@novak.example;;Westkasse\n"
	imported := func(steps int) string {
		i, err := h.imports.Upload(ctx, h.operator, "patients of the old practice.csv", strings.NewReader(list))
		must(t, err)
		if steps > 0 {
			must(t, h.imports.Try(ctx, h.operator, i.ID, imports.Plan{Fields: []string{"external_id", "name", "email", "phone", "custom_attributes.insurer"}, Ground: identity.Ground{Basis: purpose.Contract, Purpose: purpose.Support, Since: time.Date(2021, 3, 4, 0, 0, 0, 0, time.UTC), Words: "Treatment contract"}, Country: "DE"}))
		}
		if steps > 1 {
			must(t, h.imports.Start(ctx, h.operator, i.ID))
		}
		return "/contacts/import/run/" + i.ID.String()
	}
	for lag := int64(1); lag > 0; { // so that the search on the merge page finds Aiko
		lag, err = h.Vault.Lag(ctx, h.Tenant, "words")
		must(t, err)
	}
	return map[string]string{"import": "/contacts/import", "import-map": imported(0), "import-tried": imported(1), "import-done": imported(2), "list": "/contacts", "filtered": "/contacts?label=" + patient.ID.String(), "nobody": "/contacts?q=xyz123&archived=1", "new": "/contacts/new",
		"person": "/contacts/" + maria.String(), "consent": "/contacts/" + maria.String() + "?tab=consent", "unasked": "/contacts/" + other.String() + "?tab=consent", "data": "/contacts/" + maria.String() + "?tab=data", "edit": "/contacts/" + maria.String() + "/edit", "signed": "/contacts/" + all[1].String() + "/edit",
		"merged": "/contacts/" + other.String(), "merge": "/contacts/" + all[0].String() + "/merge?q=aiko", "apart": "/contacts/" + all[0].String() + "/merge?q=lena%40brandt.example", "erase": "/contacts/" + maria.String() + "/erase",
		"tags": "/settings/tags", "segments": "/settings/segments", "attributes": "/settings/attributes"}
}

// letters has somebody agree to letters, take it back, and agree again before the words are changed.
func letters(t *testing.T, h *house, who ids.Contact) {
	t.Helper()
	ctx, s := t.Context(), consent.New(h.Vault)
	_, err := s.SetPurpose(ctx, h.owner, consent.Definition{ID: "letters", Basis: purpose.Consent, Names: map[string]string{"en": "Letters about new treatments"}})
	must(t, err)
	worded := func(text string) {
		_, err := s.SetNotice(ctx, h.owner, consent.Notice{Purpose: "letters", Language: "en", Text: text})
		must(t, err)
	}
	say := func(granted bool) {
		must(t, s.Record(ctx, vaulttest.Visitor(h.Tenant, who), who, consent.Choice{Purpose: "letters", Granted: granted, Version: "1", Language: "en"}))
	}
	worded("We write to you four times a year about new treatments.")
	for _, granted := range []bool{true, false, true} {
		say(granted)
		h.Clock.Advance(20 * 24 * time.Hour)
	}
	worded("We write to you twelve times a year about new treatments.")
	h.Clock.Advance(30 * 24 * time.Hour)
}

func TestEveryPageFitsItsWindowAndLeavesNobodyOut(t *testing.T) {
	t.Parallel()
	h := furnish(vaulttest.Embedded(t, config(t)))
	pages := lived(t, h)
	server := httptest.NewServer(h.as(h.owner))
	t.Cleanup(server.Close)
	b := browser.New(t)
	for name, path := range pages {
		b.Goto(server.URL + path)
		axe.Look(t, b, "contacts-"+name)
	}
	if said := b.Console(); len(said) > 0 {
		t.Errorf("the console said %s", strings.Join(said, "\n"))
	}
}

func TestAnImportIsWatchedInTheBrowser(t *testing.T) {
	t.Parallel()
	h := furnish(vaulttest.Embedded(t, config(t)))
	queue := moduletest.Queue(t)
	must(t, h.imports.Module().Jobs(queue))
	must(t, queue.Start(t.Context()))
	h.jobs = queue
	server := httptest.NewServer(h.as(h.owner))
	t.Cleanup(server.Close)
	var list strings.Builder
	list.WriteString("id,name,email\n")
	for n := range 400 {
		fmt.Fprintf(&list, "c%d,Person %d,p%d@x.example\n", n, n, n)
	}
	file := filepath.Join(t.TempDir(), "people.csv")
	must(t, os.WriteFile(file, []byte(list.String()), 0o600))
	b := browser.New(t)
	b.Goto(server.URL + "/contacts/import")
	b.Do(chromedp.SetUploadFiles("#file", []string{file}))
	b.Click("form[enctype] button")
	b.Until("the columns", `document.querySelector("[name='grounds.basis']")`)
	for name, value := range map[string]string{"basis": "contract", "since": "2026-01-02", "words": "order forms of the fair"} {
		b.Do(chromedp.SetValue(`[name="grounds.`+name+`"]`, value))
	}
	b.Click("form.form button.primary")
	b.Until("the trial's end", `document.body.textContent.includes("Import 400 people") && window.aver`)
	b.Click(".actions button.primary")
	b.Until("the progress or the end", `document.querySelector("progress") || document.body.textContent.includes("The import is done")`)
	b.Picture("contacts-import-running")
	b.Until("the end, without a reload by hand", `document.body.textContent.includes("The import is done")`)
	b.WaitText(".stat", "400")
}
