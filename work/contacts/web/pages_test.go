package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/frame/page/pagetest"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
)

// shows checks a page and that it says all this.
func (h *house) shows(t testing.TB, a moduletest.Answer, status int, words ...string) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("answered %d, not %d: %s", a.Status, status, a.Body)
	}
	pagetest.Check(t, a.Body)
	if strings.Contains(a.Body, "[") && strings.Contains(a.Body, ".") {
		for _, mark := range []string{"[list.", "[form.", "[person.", "[time.", "[data.", "[merge.", "[tags.", "[segments.", "[attributes.", "[field.", "[role.", "[flash.", "[import."} {
			if strings.Contains(a.Body, mark) {
				t.Errorf("a text is missing: %s…", mark)
			}
		}
	}
	for _, w := range words {
		if !strings.Contains(a.Body, w) {
			t.Errorf("does not say %q", w)
		}
	}
}

func TestAPersonIsAddedCorrectedAndShownWithTheirHistory(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.contacts.Attributes.Define(t.Context(), h.owner, attributes.Attribute{Name: "plan", Label: "Plan", Kind: attributes.Choice, Options: []string{"free", "gold"}})
		must(t, err)
		h.shows(t, h.get("/contacts"), 200, "Nobody yet", "Import a list")
		h.shows(t, h.get("/contacts/new"), 200, "Add a person", "Plan")
		h.shows(t, h.post("/contacts", "name", "Maria", "email", "nonsense", "custom_attributes.plan", "gold"), 422, "Write an e-mail address", `value="Maria"`, `value="nonsense"`)
		made := h.post("/contacts", "name", "Maria <b>Kowal</b>", "email", "maria@kowal.example", "custom_attributes.plan", "gold", "grounds.basis", "contract", "grounds.purpose", "support", "grounds.since", "2026-01-02", "grounds.words", "order 17")
		path := made.Header.Get("Location")
		if made.Status != http.StatusSeeOther || !strings.HasPrefix(path, "/contacts/con_") {
			t.Fatalf("added: %d to %q", made.Status, path)
		}
		h.shows(t, h.get(path), 200, "Maria &lt;b&gt;Kowal&lt;/b&gt;", "maria@kowal.example", "gold", "contract", "Claimed by whoever wrote")
		h.shows(t, h.get(path+"/edit"), 200, `value="maria@kowal.example"`)
		h.shows(t, h.post(path+"/edit", "name", "Maria", "phone", "12"), 422, "country code")
		if a := h.post(path+"/edit", "name", "Maria Kowal", "email", "", "phone", "+49 30 901820", "custom_attributes.plan", ""); a.Status != http.StatusSeeOther {
			t.Fatalf("corrected: %d %s", a.Status, a.Body)
		}
		h.shows(t, h.get(path), 200, "E-mail address changed", "maria@kowal.example → –", "+4930901820", "Plan: gold → –")
		h.shows(t, h.get(path+"?tab=data"), 200, "contact_changes", "Exists", "knowing who writes to us")
		h.shows(t, h.get(path+"/erase"), 200, "Erase Maria Kowal?", `/erase"`)
		h.shows(t, h.get("/contacts"), 200, "Maria Kowal")
		h.shows(t, h.get("/contacts?role=visitor"), 200, "Nobody fits")
	})
}

func TestNotesLabelsAndMarksOnAPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		path := "/contacts/" + h.make(t, contacts.Draft{Name: "Maria"}).String()
		went := func(to string, a moduletest.Answer) {
			t.Helper()
			if a.Status != http.StatusSeeOther || a.Header.Get("Location") != to {
				t.Fatalf("%d to %q: %s", a.Status, a.Header.Get("Location"), a.Body)
			}
		}
		h.shows(t, h.post(path+"/notes", "body", " "), 422, "Write something")
		went(path, h.post(path+"/notes", "body", "Prefers <script>alert(1)</script> afternoons"))
		h.shows(t, h.post("/settings/tags", "name", " ", "hue", "3"), 422, "Write a name")
		went("/settings/tags", h.post("/settings/tags", "name", "Patient", "hue", "3"))
		h.shows(t, h.post("/settings/tags", "name", "patient", "hue", "1"), 409, "Choose another name")
		tags, err := h.contacts.Tags(t.Context(), h.operator)
		must(t, err)
		tag := tags[0].ID.String()
		h.shows(t, h.get("/settings/tags"), 200, "Patient")
		went(path, h.post(path+"/labels", "label", tag))
		h.shows(t, h.get(path), 200, "Prefers &lt;script&gt;", "Patient", "Take off Patient")
		h.shows(t, h.get("/contacts?label="+tag), 200, "Maria", "Patient")
		went(path, h.post(path+"/labels/"+tag+"/remove"))
		went("/settings/tags", h.post("/settings/tags/"+tag, "name", "Patients", "hue", "8"))
		went("/settings/tags", h.post("/settings/tags/"+tag+"/remove"))
		went(path, h.post(path+"/block", "on", "yes"))
		went(path, h.post(path+"/archive", "on", "yes"))
		h.shows(t, h.get(path), 200, "This person is blocked", "This person is archived")
		h.shows(t, h.get("/contacts?archived=1"), 200, "Maria")
		went(path, h.post(path+"/block", "on", "no"))
		went(path, h.post(path+"/archive", "on", "no"))
	})
}

func TestTwoEntriesOfOnePersonAreShownTogether(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		from, into := h.make(t, contacts.Draft{Name: "M. Kowal", Email: "maria@kowal.example"}), h.make(t, contacts.Draft{Name: "Maria Kowal", Email: "maria@kowal.example"})
		path := "/contacts/" + from.String()
		h.shows(t, h.get(path+"/merge"), 200, "Maria Kowal", "Merge into", `value="`+into.String()+`"`)
		h.shows(t, h.post(path+"/merge"), 422, "Choose whom to merge into")
		a := h.post(path+"/merge", "into", into.String())
		if a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/contacts/"+into.String() {
			t.Fatalf("merged: %d %s", a.Status, a.Body)
		}
		h.shows(t, h.get("/contacts/"+into.String()), 200, "M. Kowal merged into this person", "Merged into this person")
		h.shows(t, h.get(path), 200, "Shown with Maria Kowal", "Undo the merge")
		h.shows(t, h.post(path+"/merge", "into", into.String()), 409, "merged already")
		if a := h.post(path + "/unmerge"); a.Status != http.StatusSeeOther {
			t.Fatalf("undone: %d %s", a.Status, a.Body)
		}
		h.shows(t, h.get(path), 200, "The merge was undone")
	})
}

func TestSegmentsAndFieldsAreDefinedInTheSettings(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.shows(t, h.get("/settings/segments"), 200, "No segments yet")
		h.shows(t, h.post("/settings/segments", "name", "Empty"), 422, "Say what the people in it have in common")
		h.shows(t, h.post("/settings/segments", "name", "Odd", "seen", "-3"), 422, "number of days")
		if a := h.post("/settings/segments", "name", "Asleep", "role", "user", "unseen", "30", "blocked", "yes"); a.Status != http.StatusSeeOther {
			t.Fatal(a)
		}
		h.shows(t, h.get("/settings/segments"), 200, "users, not here for 30 days, blocked")
		all, err := h.contacts.Segments(t.Context(), h.operator)
		must(t, err)
		h.shows(t, h.get("/contacts?segment="+all[0].ID.String()), 200, "Nobody")
		if a := h.post("/settings/segments/" + all[0].ID.String() + "/remove"); a.Status != http.StatusSeeOther {
			t.Fatal(a)
		}
		h.shows(t, h.get("/contacts?segment="+all[0].ID.String()), 200, "Contacts") // an old address
		h.shows(t, h.get("/settings/attributes"), 200, "Owners and administrators define fields")
		form := "label=Plan&name=Plan!&kind=list&options=free%0Agold"
		h.shows(t, moduletest.Do(h.as(h.owner), "POST", "/settings/attributes", "application/x-www-form-urlencoded", form), 422, "small letters", `>free`)
		if a := moduletest.Do(h.as(h.owner), "POST", "/settings/attributes", "application/x-www-form-urlencoded", strings.Replace(form, "Plan!", "plan", 1)); a.Status != http.StatusSeeOther {
			t.Fatal(a)
		}
		h.shows(t, moduletest.Get(h.as(h.owner), "/settings/attributes"), 200, "One of a list")
	})
}

func TestWhoMayOnlyLookSeesNothingToPress(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		dpo := vaulttest.User(h.Tenant, vault.DPO)
		path := "/contacts/" + h.make(t, contacts.Draft{Name: "Maria"}).String()
		for _, p := range []string{"/contacts", path, "/settings/tags", "/settings/segments", "/settings/attributes"} {
			a := moduletest.Get(h.as(dpo), p)
			h.shows(t, a, 200)
			for _, word := range []string{"Add a person", "Keep note", "Block", "Add label", "Keep segment", "Add field"} {
				if strings.Contains(a.Body, ">"+word+"<") {
					t.Errorf("%s offers %s", p, word)
				}
			}
		}
		if a := moduletest.Get(h.as(dpo), path+"/edit"); a.Status != http.StatusForbidden {
			t.Errorf("the form: %d", a.Status)
		}
		if a := moduletest.Do(h.as(dpo), "POST", path+"/block", "application/x-www-form-urlencoded", "on=yes"); a.Status != http.StatusForbidden {
			t.Errorf("blocks: %d", a.Status)
		}
	})
}

func TestPagesOfOthersAnswerLikeNone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		foreign := vaulttest.User(h.Other, vault.Owner)
		id, none := h.make(t, contacts.Draft{Name: "Maria"}), ids.NewSubject(vaulttest.Start)
		for method, paths := range map[string][]string{"GET": {"", "/edit", "/merge", "/erase"}, "POST": {"/edit", "/block", "/archive", "/unmerge", "/labels/tag_00000000000000000000000008/remove"}} {
			for _, p := range paths {
				theirs := moduletest.Do(h.as(foreign), method, "/contacts/"+id.String()+p, "application/x-www-form-urlencoded", "name=x")
				nobodys := moduletest.Do(h.as(foreign), method, "/contacts/"+none.String()+p, "application/x-www-form-urlencoded", "name=x")
				if theirs.Status != 404 || nobodys.Status != 404 {
					t.Errorf("%s %s: %d, of nobody %d", method, p, theirs.Status, nobodys.Status)
				}
			}
		}
		if a := h.get("/contacts/nonsense"); a.Status != 404 {
			t.Errorf("nonsense: %d", a.Status)
		}
	})
}

// upload sends a file as a browser's form does.
func (h *house) upload(t testing.TB, name, text string) moduletest.Answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	must(t, err)
	_, err = part.Write([]byte(text))
	must(t, err)
	must(t, form.Close())
	return moduletest.Do(h.as(h.operator), "POST", "/contacts/import/upload", form.FormDataContentType(), body.String())
}

func TestAListIsImportedInThreeSteps(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.shows(t, h.get("/contacts/import"), 200, "Read the file")
		if a := h.upload(t, "x.csv", "a\x00b"); a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/contacts/import" {
			t.Errorf("no text: %d to %q", a.Status, a.Header.Get("Location"))
		}
		a := h.upload(t, "patients.csv", "Nr;Name;E-Mail\np1;<b>Ada</b>;ada@x.example\np2;Bob;nonsense\np3;=1+1;\n")
		path := a.Header.Get("Location")
		if a.Status != http.StatusSeeOther || !strings.HasPrefix(path, "/contacts/import/run/imp_") {
			t.Fatalf("sent: %d to %q: %s", a.Status, path, a.Body)
		}
		h.shows(t, h.get(path), 200, "Import patients.csv", "&lt;b&gt;Ada&lt;/b&gt;", "3 rows, written in UTF-8")
		h.shows(t, h.post(path, "column0", "external_id", "column1", "external_id", "column2", "email"), 422, "one column", "Say in up to 1,000 characters")
		plan := []string{"column0", "external_id", "column1", "name", "column2", "email", "grounds.basis", "contract", "grounds.purpose", "support", "grounds.since", "2026-01-02", "grounds.words", "order 17"}
		if a := h.post(path, plan...); a.Status != http.StatusSeeOther {
			t.Fatalf("tried: %d %s", a.Status, a.Body)
		}
		h.shows(t, h.get(path), 200, "Nobody has been stored yet", "Import 2 people", "Write an e-mail address", "people would be added")
		h.shows(t, h.get(path+"?change=1"), 200, "Try it", `value="contract"`)
		if a := h.post(path + "/start"); a.Status != http.StatusSeeOther {
			t.Fatalf("started: %d %s", a.Status, a.Body)
		}
		h.shows(t, h.get(path), 200, "The import is done", "people added", "Rows that were left out")
		h.shows(t, h.get("/contacts/import"), 200, "patients.csv", "done")
		report := h.get(strings.Replace(path, "/run/", "/errors/", 1))
		if report.Status != 200 || !strings.Contains(report.Body, "3,Write an e-mail address") || !strings.HasPrefix(report.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("the report: %d %q", report.Status, report.Body)
		}
		if a := h.post(path + "/cancel"); a.Status != http.StatusConflict {
			t.Errorf("cancelled at the end: %d", a.Status)
		}
		if a := moduletest.Get(h.as(vaulttest.User(h.Other, vault.Owner)), path); a.Status != 404 {
			t.Errorf("another tenant: %d", a.Status)
		}
	})
}
