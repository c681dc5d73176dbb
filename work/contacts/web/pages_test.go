package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"aver/base/ids"
	"aver/frame/page/pagetest"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
)

// shows checks a page and that it says all this.
func (h *house) shows(t testing.TB, a answer, status int, words ...string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("answered %d, not %d: %s", a.status, status, a.body)
	}
	pagetest.Check(t, a.body)
	if strings.Contains(a.body, "[") && strings.Contains(a.body, ".") {
		for _, mark := range []string{"[list.", "[form.", "[person.", "[time.", "[data.", "[merge.", "[tags.", "[segments.", "[attributes.", "[field.", "[role.", "[flash.", "[import."} {
			if strings.Contains(a.body, mark) {
				t.Errorf("a text is missing: %s…", mark)
			}
		}
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			t.Errorf("does not say %q", w)
		}
	}
}

func TestAPersonIsAddedCorrectedAndShownWithTheirHistory(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.contacts.Attributes.Define(t.Context(), h.owner, attributes.Attribute{Name: "plan", Label: "Plan", Kind: attributes.Choice, Options: []string{"free", "gold"}})
		must(t, err)
		h.shows(t, h.get(t, "/contacts"), 200, "Nobody yet", "Import a list")
		h.shows(t, h.get(t, "/contacts/new"), 200, "Add a person", "Plan")
		h.shows(t, h.post(t, "/contacts", "name", "Maria", "email", "nonsense", "custom_attributes.plan", "gold"), 422, "Write an e-mail address", `value="Maria"`, `value="nonsense"`)
		made := h.post(t, "/contacts", "name", "Maria <b>Kowal</b>", "email", "maria@kowal.example", "custom_attributes.plan", "gold", "basis", "contract")
		path := made.header.Get("Location")
		if made.status != http.StatusSeeOther || !strings.HasPrefix(path, "/contacts/con_") {
			t.Fatalf("added: %d to %q", made.status, path)
		}
		h.shows(t, h.get(t, path), 200, "Maria &lt;b&gt;Kowal&lt;/b&gt;", "maria@kowal.example", "gold", "contract", "Claimed by whoever wrote")
		h.shows(t, h.get(t, path+"/edit"), 200, `value="maria@kowal.example"`)
		h.shows(t, h.post(t, path+"/edit", "name", "Maria", "phone", "12"), 422, "country code")
		if a := h.post(t, path+"/edit", "name", "Maria Kowal", "email", "", "phone", "+49 30 901820", "custom_attributes.plan", ""); a.status != http.StatusSeeOther {
			t.Fatalf("corrected: %d %s", a.status, a.body)
		}
		h.shows(t, h.get(t, path), 200, "E-mail address changed", "maria@kowal.example → –", "+4930901820", "Plan: gold → Plan: –")
		h.shows(t, h.get(t, path+"?tab=data"), 200, "contact_changes", "Exists", "knowing who writes to us")
		h.shows(t, h.get(t, path+"/erase"), 200, "Erase Maria Kowal?", `/erase"`)
		h.shows(t, h.get(t, "/contacts"), 200, "Maria Kowal")
		h.shows(t, h.get(t, "/contacts?role=visitor"), 200, "Nobody fits")
	})
}

func TestNotesLabelsAndMarksOnAPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		path := "/contacts/" + h.make(t, contacts.Draft{Name: "Maria"}).String()
		went := func(to string, a answer) {
			t.Helper()
			if a.status != http.StatusSeeOther || a.header.Get("Location") != to {
				t.Fatalf("%d to %q: %s", a.status, a.header.Get("Location"), a.body)
			}
		}
		h.shows(t, h.post(t, path+"/notes", "body", " "), 422, "Write something")
		went(path, h.post(t, path+"/notes", "body", "Prefers <script>alert(1)</script> afternoons"))
		h.shows(t, h.post(t, "/settings/tags", "name", " ", "hue", "3"), 422, "Write a name")
		went("/settings/tags", h.post(t, "/settings/tags", "name", "Patient", "hue", "3"))
		h.shows(t, h.post(t, "/settings/tags", "name", "patient", "hue", "1"), 422, "Choose another name")
		tags, err := h.contacts.Tags(t.Context(), h.operator)
		must(t, err)
		tag := tags[0].ID.String()
		h.shows(t, h.get(t, "/settings/tags"), 200, "Patient")
		went(path, h.post(t, path+"/labels", "label", tag))
		h.shows(t, h.get(t, path), 200, "Prefers &lt;script&gt;", "Patient", "Take off Patient")
		h.shows(t, h.get(t, "/contacts?label="+tag), 200, "Maria", "Patient")
		went(path, h.post(t, path+"/labels/"+tag+"/remove"))
		went("/settings/tags", h.post(t, "/settings/tags/"+tag, "name", "Patients", "hue", "8"))
		went("/settings/tags", h.post(t, "/settings/tags/"+tag+"/remove"))
		went(path, h.post(t, path+"/block", "on", "yes"))
		went(path, h.post(t, path+"/archive", "on", "yes"))
		h.shows(t, h.get(t, path), 200, "This person is blocked", "This person is archived")
		h.shows(t, h.get(t, "/contacts?archived=1"), 200, "Maria")
		went(path, h.post(t, path+"/block", "on", "no"))
		went(path, h.post(t, path+"/archive", "on", "no"))
	})
}

func TestTwoEntriesOfOnePersonAreShownTogether(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		from, into := h.make(t, contacts.Draft{Name: "M. Kowal", Email: "maria@kowal.example"}), h.make(t, contacts.Draft{Name: "Maria Kowal", Email: "maria@kowal.example"})
		path := "/contacts/" + from.String()
		h.shows(t, h.get(t, path+"/merge"), 200, "Maria Kowal", "Merge into", `value="`+into.String()+`"`)
		h.shows(t, h.post(t, path+"/merge"), 422, "Choose whom to merge into")
		a := h.post(t, path+"/merge", "into", into.String())
		if a.status != http.StatusSeeOther || a.header.Get("Location") != "/contacts/"+into.String() {
			t.Fatalf("merged: %d %s", a.status, a.body)
		}
		h.shows(t, h.get(t, "/contacts/"+into.String()), 200, "M. Kowal merged into this person", "Merged into this person")
		h.shows(t, h.get(t, path), 200, "Shown with Maria Kowal", "Undo the merge")
		h.shows(t, h.post(t, path+"/merge", "into", into.String()), 422, "merged already")
		if a := h.post(t, path+"/unmerge"); a.status != http.StatusSeeOther {
			t.Fatalf("undone: %d %s", a.status, a.body)
		}
		h.shows(t, h.get(t, path), 200, "The merge was undone")
	})
}

func TestSegmentsAndFieldsAreDefinedInTheSettings(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.shows(t, h.get(t, "/settings/segments"), 200, "No segments yet")
		h.shows(t, h.post(t, "/settings/segments", "name", "Empty"), 422, "Say what the people in it have in common")
		h.shows(t, h.post(t, "/settings/segments", "name", "Odd", "seen", "-3"), 422, "number of days")
		if a := h.post(t, "/settings/segments", "name", "Asleep", "role", "user", "unseen", "30", "blocked", "yes"); a.status != http.StatusSeeOther {
			t.Fatal(a)
		}
		h.shows(t, h.get(t, "/settings/segments"), 200, "users, not here for 30 days, blocked")
		all, err := h.contacts.Segments(t.Context(), h.operator)
		must(t, err)
		h.shows(t, h.get(t, "/contacts?segment="+all[0].ID.String()), 200, "Nobody")
		if a := h.post(t, "/settings/segments/"+all[0].ID.String()+"/remove"); a.status != http.StatusSeeOther {
			t.Fatal(a)
		}
		h.shows(t, h.get(t, "/contacts?segment="+all[0].ID.String()), 200, "Contacts") // an old address
		h.shows(t, h.get(t, "/settings/attributes"), 200, "Owners and administrators define fields")
		form := "label=Plan&name=Plan!&kind=list&options=free%0Agold"
		h.shows(t, h.do(t, h.owner, "POST", "/settings/attributes", "application/x-www-form-urlencoded", form), 422, "small letters", `>free`)
		if a := h.do(t, h.owner, "POST", "/settings/attributes", "application/x-www-form-urlencoded", strings.Replace(form, "Plan!", "plan", 1)); a.status != http.StatusSeeOther {
			t.Fatal(a)
		}
		h.shows(t, h.do(t, h.owner, "GET", "/settings/attributes", "", ""), 200, "One of a list")
	})
}

func TestWhoMayOnlyLookSeesNothingToPress(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dpo := vaulttest.User(h.Tenant, vault.DPO)
		path := "/contacts/" + h.make(t, contacts.Draft{Name: "Maria"}).String()
		for _, p := range []string{"/contacts", path, "/settings/tags", "/settings/segments", "/settings/attributes"} {
			a := h.do(t, dpo, "GET", p, "", "")
			h.shows(t, a, 200)
			for _, word := range []string{"Add a person", "Keep note", "Block", "Add label", "Keep segment", "Add field"} {
				if strings.Contains(a.body, ">"+word+"<") {
					t.Errorf("%s offers %s", p, word)
				}
			}
		}
		if a := h.do(t, dpo, "GET", path+"/edit", "", ""); a.status != http.StatusForbidden {
			t.Errorf("the form: %d", a.status)
		}
		if a := h.do(t, dpo, "POST", path+"/block", "application/x-www-form-urlencoded", "on=yes"); a.status != http.StatusForbidden {
			t.Errorf("blocks: %d", a.status)
		}
	})
}

func TestPagesOfOthersAnswerLikeNone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		foreign := vaulttest.User(h.Other, vault.Owner)
		id, none := h.make(t, contacts.Draft{Name: "Maria"}), ids.NewSubject(vaulttest.Start)
		for method, paths := range map[string][]string{"GET": {"", "/edit", "/merge", "/erase"}, "POST": {"/edit", "/block", "/archive", "/unmerge", "/labels/tag_00000000000000000000000008/remove"}} {
			for _, p := range paths {
				theirs := h.do(t, foreign, method, "/contacts/"+id.String()+p, "application/x-www-form-urlencoded", "name=x")
				nobodys := h.do(t, foreign, method, "/contacts/"+none.String()+p, "application/x-www-form-urlencoded", "name=x")
				if theirs.status != 404 || nobodys.status != 404 {
					t.Errorf("%s %s: %d, of nobody %d", method, p, theirs.status, nobodys.status)
				}
			}
		}
		if a := h.get(t, "/contacts/nonsense"); a.status != 404 {
			t.Errorf("nonsense: %d", a.status)
		}
	})
}

// upload sends a file as a browser's form does.
func (h *house) upload(t testing.TB, name, text string) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	must(t, err)
	_, err = part.Write([]byte(text))
	must(t, err)
	must(t, form.Close())
	return h.do(t, h.operator, "POST", "/contacts/import/upload", form.FormDataContentType(), body.String())
}

func TestAListIsImportedInThreeSteps(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.shows(t, h.get(t, "/contacts/import"), 200, "Read the file")
		if a := h.upload(t, "x.csv", "a\x00b"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/contacts/import" {
			t.Errorf("no text: %d to %q", a.status, a.header.Get("Location"))
		}
		a := h.upload(t, "patients.csv", "Nr;Name;E-Mail\np1;<b>Ada</b>;ada@x.example\np2;Bob;nonsense\np3;=1+1;\n")
		path := a.header.Get("Location")
		if a.status != http.StatusSeeOther || !strings.HasPrefix(path, "/contacts/import/run/imp_") {
			t.Fatalf("sent: %d to %q: %s", a.status, path, a.body)
		}
		h.shows(t, h.get(t, path), 200, "Import patients.csv", "&lt;b&gt;Ada&lt;/b&gt;", "3 rows, written in UTF-8")
		h.shows(t, h.post(t, path, "column0", "external_id", "column1", "external_id", "column2", "email"), 422, "one column", "Say in up to 250 characters")
		plan := []string{"column0", "external_id", "column1", "name", "column2", "email", "basis", "contract"}
		if a := h.post(t, path, plan...); a.status != http.StatusSeeOther {
			t.Fatalf("tried: %d %s", a.status, a.body)
		}
		h.shows(t, h.get(t, path), 200, "Nobody has been stored yet", "Import 2 people", "Write an e-mail address", "people would be added")
		h.shows(t, h.get(t, path+"?change=1"), 200, "Try it", `value="contract"`)
		if a := h.post(t, path+"/start"); a.status != http.StatusSeeOther {
			t.Fatalf("started: %d %s", a.status, a.body)
		}
		h.shows(t, h.get(t, path), 200, "The import is done", "people added", "Rows that were left out")
		h.shows(t, h.get(t, "/contacts/import"), 200, "patients.csv", "done")
		report := h.get(t, strings.Replace(path, "/run/", "/errors/", 1))
		if report.status != 200 || !strings.Contains(report.body, "3,Write an e-mail address") || !strings.HasPrefix(report.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("the report: %d %q", report.status, report.body)
		}
		if a := h.post(t, path+"/cancel"); a.status != http.StatusConflict {
			t.Errorf("cancelled at the end: %d", a.status)
		}
		if a := h.do(t, vaulttest.User(h.Other, vault.Owner), "GET", path, "", ""); a.status != 404 {
			t.Errorf("another tenant: %d", a.status)
		}
	})
}
