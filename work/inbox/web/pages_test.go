package web_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/page/pagetest"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/inbox"
	"aver/work/inbox/desk"
)

// drawing is a picture as bytes.
func drawing(t testing.TB, width, height int) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.Set(x, y, color.RGBA{R: uint8(x), G: uint8(y), B: 120, A: 255})
		}
	}
	var out bytes.Buffer
	must(t, png.Encode(&out, picture))
	return out.String()
}

// found is the first match of a pattern's group in a page.
func found(t testing.TB, body, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("nothing matches %s", pattern)
	}
	return m[1]
}

func TestReadingAndAnsweringNeedNoScript(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		conv := h.receive(t, h.visitor(t, "Maria Kowal"), "Is the lamp <b>back</b>?")
		list := h.get(t, "/inbox?who=unassigned")
		pagetest.Check(t, list.body)
		href := strings.ReplaceAll(found(t, list.body, `href="(/inbox/cnv_[^"]*)"`), "&amp;", "&")
		thread := h.get(t, href)
		pagetest.Check(t, thread.body)
		if !strings.Contains(thread.body, "Is the lamp &lt;b&gt;back&lt;/b&gt;?") {
			t.Error("the thread does not show what was written")
		}
		action := strings.ReplaceAll(found(t, thread.body, `<form class="composer" method="post" action="([^"]*)"`), "&amp;", "&")
		client := found(t, thread.body, `name="client_id" value="([^"]*)"`)
		for range 2 { // a double click
			if a := h.post(t, action, "kind", "reply", "text", "It is.", "client_id", client); a.status != http.StatusSeeOther || a.header.Get("Location") != href {
				t.Errorf("sent: %d to %s", a.status, a.header.Get("Location"))
			}
		}
		h.post(t, action, "kind", "note", "text", "a regular")
		after := h.get(t, href).body
		if strings.Count(after, "It is.") != 1 || strings.Count(after, "a regular") != 1 {
			t.Errorf("shown %d and %d times", strings.Count(after, "It is."), strings.Count(after, "a regular"))
		}
		if a := h.post(t, action, "kind", "reply", "text", strings.Repeat("x", 10_001)); a.status != http.StatusRequestEntityTooLarge || !strings.Contains(a.body, "10,000 characters") || !strings.Contains(a.body, strings.Repeat("x", 10_001)) {
			t.Errorf("too long: %d, and what was written is lost", a.status)
		}
		c, err := h.inbox.Conversation(t.Context(), h.operator.Actor, conv)
		must(t, err)
		if c.LastSeq != 2 || c.LastNote != 1 {
			t.Errorf("%d messages, %d notes", c.LastSeq, c.LastNote)
		}
	})
}

func TestFormsChangeWhatTheySay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		conv := h.receive(t, h.visitor(t, "Maria Kowal"), "hello")
		label, err := h.inbox.SaveLabel(t.Context(), h.operator.Actor, inbox.Label{Name: "Urgent"})
		must(t, err)
		team, err := h.inbox.SaveTeam(t.Context(), h.owner.Actor, inbox.Staffed{Team: inbox.Team{Name: "Billing"}})
		must(t, err)
		path := "/inbox/" + conv.String()
		now := func() string {
			row, err := h.inbox.Row(t.Context(), h.operator.Actor, conv)
			must(t, err)
			return fmt.Sprint(row.State, " ", row.Assigned.Reveal(), " ", row.Team == team.ID, " ", len(row.Labels))
		}
		for _, step := range []struct {
			act   string
			pairs []string
			want  string
		}{
			{"assign", []string{"take", "yes"}, "open Ben Okafor false 0"},
			{"assign", []string{"team", team.ID.String()}, "open Ben Okafor true 0"},
			{"assign", []string{"user", h.owner.User().String()}, "open Ines Moreau true 0"},
			{"label", []string{"label", label.ID.String(), "on", "yes"}, "open Ines Moreau true 1"},
			{"label", []string{"label", label.ID.String(), "on", "no"}, "open Ines Moreau true 0"},
			{"assign", []string{"team", "none"}, "open Ines Moreau false 0"},
			{"assign", []string{"user", "none"}, "open  false 0"},
			{"snooze", []string{"until", vaulttest.Start.Add(time.Hour).Format(time.RFC3339)}, "snoozed  false 0"},
			{"state", []string{"state", "open"}, "open  false 0"},
			{"snooze", []string{"pick", "2026-11-30T09:00"}, "snoozed  false 0"},
			{"state", []string{"state", "closed"}, "closed  false 0"},
		} {
			if a := h.post(t, path+"/"+step.act, step.pairs...); a.status != http.StatusSeeOther {
				t.Errorf("%s %v: %d %s", step.act, step.pairs, a.status, a.body)
			}
			if got := now(); got != step.want {
				t.Errorf("after %s %v: %q, want %q", step.act, step.pairs, got, step.want)
			}
		}
		ask := h.get(t, path+"/redact?seq=1&note=0")
		pagetest.Check(t, ask.body)
		if ask.status != http.StatusOK || !strings.Contains(ask.body, "hello") {
			t.Errorf("asked: %d", ask.status)
		}
		if a := h.post(t, path+"/redact?seq=1&note=0"); a.status != http.StatusSeeOther {
			t.Errorf("removed: %d", a.status)
		}
		if body := h.get(t, path).body; strings.Contains(body, "hello") || !strings.Contains(body, "This message was removed") {
			t.Error("the message is still shown")
		}
		for _, bad := range []struct {
			act    string
			pairs  []string
			status int
		}{
			{"state", []string{"state", "sold"}, 422}, {"snooze", []string{"until", "yesterday"}, 422}, {"snooze", []string{"pick", "x"}, 422}, {"assign", []string{"user", "usr_x"}, 404},
			{"assign", []string{"team", desk.TeamID{1}.String()}, 404}, {"label", []string{"label", "lbl_x"}, 404}, {"redact", nil, 404},
		} {
			if a := h.post(t, path+"/"+bad.act, bad.pairs...); a.status != bad.status {
				t.Errorf("%s %v: %d", bad.act, bad.pairs, a.status)
			}
		}
	})
}

func TestPagesAreForThoseWhoMay(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "hello")
	path := "/inbox/" + conv.String()
	auditor, dpo, outsider := vaulttest.User(h.Tenant, vault.Auditor), vaulttest.User(h.Tenant, vault.DPO), vaulttest.User(h.Other, vault.Owner)
	for who, c := range map[string]struct {
		actor         vault.Actor
		page, replied int
	}{"an auditor": {auditor, 403, 403}, "a data protection officer": {dpo, 200, 403}, "another tenant": {outsider, 404, 404}, "nobody": {vault.Actor{}, 401, 401}} {
		a := h.do(t, c.actor, "GET", path, "", "")
		if a.status != c.page || a.status != 200 && strings.Contains(a.body, "hello") {
			t.Errorf("%s reads: %d", who, a.status)
		}
		if a.status == 200 && strings.Contains(a.body, "composer-foot") {
			t.Errorf("%s is offered to answer", who)
		}
		if a := h.do(t, c.actor, "POST", path+"/reply", "application/x-www-form-urlencoded", "kind=reply&text=x"); a.status != c.replied {
			t.Errorf("%s answers: %d", who, a.status)
		}
	}
	for _, path := range []string{"/inbox/cnv_x", "/inbox/" + ids.NewConversation(vaulttest.Start).String(), "/attachments/obj_x", "/attachments/" + ids.NewObject(vaulttest.Start).String()} {
		if a := h.get(t, path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestARowIsDrawnOnlyWhereItBelongs(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "hello")
	for query, status := range map[string]int{"": 200, "?who=unassigned": 200, "?who=mine": 204, "?state=closed": 204, "?q=hello": 204, "?label=" + desk.LabelID{1}.String(): 204} {
		if a := h.get(t, "/inbox/"+conv.String()+"/row"+query); a.status != status {
			t.Errorf("%q: %d", query, a.status)
		}
	}
}

func TestFilesOfStrangersAreSavedAndNeverShown(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	maria := h.visitor(t, "Maria Kowal")
	up := func(name, content string) ids.Object {
		f, err := h.inbox.Upload(t.Context(), maria, maria.Subject(), personal.Of(name), strings.NewReader(content))
		must(t, err)
		return f.ID
	}
	paper, picture := up("Rechnung \"März\".pdf", "%PDF-1.7 <script>alert(1)</script>"), up("cat.png", drawing(t, 20, 20))
	h.receive(t, maria, "here", paper, picture)
	a := h.get(t, "/attachments/"+paper.String())
	if a.status != 200 || a.header.Get("Content-Disposition") != "attachment; filename*=utf-8''Rechnung%20M%C3%A4rz.pdf" || a.header.Get("Content-Type") != "application/pdf" ||
		!strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a paper: %d %v", a.status, a.header)
	}
	if a := h.get(t, "/attachments/"+picture.String()); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Disposition"), "inline") || a.header.Get("Content-Type") != "image/png" {
		t.Errorf("a picture: %d %v", a.status, a.header)
	}
	if a := h.do(t, vaulttest.User(h.Tenant, vault.Auditor), "GET", "/attachments/"+paper.String(), "", ""); a.status != 403 {
		t.Errorf("an auditor: %d", a.status)
	}
}

func TestSettingsAreEditedOnPages(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	page := func(path string) string {
		a := h.do(t, h.owner.Actor, "GET", path, "", "")
		pagetest.Check(t, a.body)
		if a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
		return a.body
	}
	post := func(path string, status int, pairs ...string) string {
		t.Helper()
		var form []string
		for i := 0; i < len(pairs); i += 2 {
			form = append(form, pairs[i]+"="+strings.ReplaceAll(pairs[i+1], " ", "+"))
		}
		a := h.do(t, h.owner.Actor, "POST", path, "application/x-www-form-urlencoded", strings.Join(form, "&"))
		if a.status != status {
			t.Errorf("%s %v: %d %s", path, pairs, a.status, a.body)
		}
		return a.body
	}
	for _, name := range []string{"replies", "labels", "teams", "hours"} {
		page("/settings/" + name)
	}
	post("/settings/replies", 303, "shortcut", "hours", "text", "From 9 to 17.")
	if body := post("/settings/replies", 422, "shortcut", "two words", "text", "kept"); !strings.Contains(body, "kept") || !strings.Contains(body, "fault") {
		t.Error("what was entered is lost")
	}
	id := found(t, page("/settings/replies"), `\?edit=(mac_[a-z0-9]+)`)
	post("/settings/replies", 303, "id", id, "shortcut", "hours", "text", "From 8 to 18.")
	if body := page("/settings/replies?edit=" + id); !strings.Contains(body, "From 8 to 18.</textarea>") {
		t.Error("the form does not show the answer")
	}
	post("/settings/replies/"+id+"/remove", 303)
	post("/settings/labels", 303, "name", "Urgent", "hue", "5")
	post("/settings/labels", 409, "name", "urgent", "hue", "2")
	post("/settings/labels/"+found(t, page("/settings/labels"), `\?edit=(lbl_[a-z0-9]+)`)+"/remove", 303)
	post("/settings/teams", 303, "name", "Billing", "member", h.operator.User().String())
	if body := page("/settings/teams"); !strings.Contains(body, "1 member") {
		t.Error("the team has no member")
	}
	post("/settings/teams/"+found(t, page("/settings/teams"), `\?edit=(tea_[a-z0-9]+)`)+"/remove", 303)
	post("/settings/hours", 303, "limited", "yes", "zone", "Europe/Berlin", "day-1", "9-12, 13:30 – 17.00", "away", "We are away.")
	if body := page("/settings/hours"); !strings.Contains(body, `value="9:00-12:00, 13:30-17:00"`) || !strings.Contains(body, "We are away.") {
		t.Error("the hours are not as they were set")
	}
	if body := post("/settings/hours", 422, "limited", "yes", "zone", "Europe/Berlin", "day-1", "nine to five", "day-2", "17-9"); strings.Count(body, `class="fault"`) != 2 {
		t.Error("two days are wrong")
	}
	post("/settings/hours", 422, "limited", "yes", "zone", "Atlantis")
}
