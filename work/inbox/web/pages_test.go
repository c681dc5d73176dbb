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
	"aver/frame/module/moduletest"
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
		list := h.get("/inbox?who=unassigned")
		pagetest.Check(t, list.Body)
		href := strings.ReplaceAll(found(t, list.Body, `href="(/inbox/cnv_[^"]*)"`), "&amp;", "&")
		thread := h.get(href)
		pagetest.Check(t, thread.Body)
		if !strings.Contains(thread.Body, "Is the lamp &lt;b&gt;back&lt;/b&gt;?") {
			t.Error("the thread does not show what was written")
		}
		action := strings.ReplaceAll(found(t, thread.Body, `<form class="composer" method="post" action="([^"]*)"`), "&amp;", "&")
		client := found(t, thread.Body, `name="client_id" value="([^"]*)"`)
		for range 2 { // a double click
			if a := h.post(action, "kind", "reply", "text", "It is.", "client_id", client); a.Status != http.StatusSeeOther || a.Header.Get("Location") != href {
				t.Errorf("sent: %d to %s", a.Status, a.Header.Get("Location"))
			}
		}
		h.post(action, "kind", "note", "text", "a regular")
		after := h.get(href).Body
		if strings.Count(after, "It is.") != 1 || strings.Count(after, "a regular") != 1 {
			t.Errorf("shown %d and %d times", strings.Count(after, "It is."), strings.Count(after, "a regular"))
		}
		if a := h.post(action, "kind", "reply", "text", strings.Repeat("x", 10_001)); a.Status != http.StatusRequestEntityTooLarge || !strings.Contains(a.Body, "10,000 characters") || !strings.Contains(a.Body, strings.Repeat("x", 10_001)) {
			t.Errorf("too long: %d, and what was written is lost", a.Status)
		}
		c, err := h.inbox.Conversation(t.Context(), h.operator.Actor, conv)
		must(t, err)
		if c.LastSeq != 2 || c.LastNote != 1 {
			t.Errorf("%d messages, %d notes", c.LastSeq, c.LastNote)
		}
	})
}

func TestWhatWasRefusedKeepsItsKind(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	path := "/inbox/" + h.receive(t, h.visitor(t, "Maria Kowal"), "hello").String()
	for _, kind := range []string{"note", "reply"} {
		a := h.post(path+"/reply", "kind", kind, "text", strings.Repeat("x", 10_001))
		if got := found(t, a.Body, `<input type="radio" name="kind" value="([a-z]+)" checked`); a.Status != http.StatusRequestEntityTooLarge || got != kind {
			t.Errorf("a refused %s: %d, and it would be sent again as a %s", kind, a.Status, got)
		}
	}
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
			{"assign", []string{"take", "none"}, "open Ben Okafor false 0"},
			{"assign", []string{"team", team.ID.String()}, "open Ben Okafor true 0"},
			{"assign", []string{"user", h.owner.User().String()}, "open Ines Moreau true 0"},
			{"label", []string{"label", label.ID.String(), "on", "yes"}, "open Ines Moreau true 1"},
			{"label", []string{"label", label.ID.String(), "on", "no"}, "open Ines Moreau true 0"},
			{"assign", []string{"team", "none"}, "open Ines Moreau false 0"},
			{"assign", []string{"user", "none"}, "open  false 0"},
			{"snooze", []string{"seen", "1", "until", vaulttest.Start.Add(time.Hour).Format(time.RFC3339)}, "snoozed  false 0"},
			{"state", []string{"seen", "1", "state", "open"}, "open  false 0"},
			{"snooze", []string{"seen", "1", "pick", "2026-11-30T09:00"}, "snoozed  false 0"},
			{"state", []string{"seen", "1", "state", "closed"}, "closed  false 0"},
		} {
			if a := h.post(path+"/"+step.act, step.pairs...); a.Status != http.StatusSeeOther {
				t.Errorf("%s %v: %d %s", step.act, step.pairs, a.Status, a.Body)
			}
			if got := now(); got != step.want {
				t.Errorf("after %s %v: %q, want %q", step.act, step.pairs, got, step.want)
			}
		}
		ask := h.get(path + "/redact?seq=1&note=0")
		pagetest.Check(t, ask.Body)
		if ask.Status != http.StatusOK || !strings.Contains(ask.Body, "hello") {
			t.Errorf("asked: %d", ask.Status)
		}
		if a := h.post(path + "/redact?seq=1&note=0"); a.Status != http.StatusSeeOther {
			t.Errorf("removed: %d", a.Status)
		}
		if body := h.get(path).Body; strings.Contains(body, "hello") || !strings.Contains(body, "This message was removed") {
			t.Error("the message is still shown")
		}
		for _, bad := range []struct {
			act    string
			pairs  []string
			status int
		}{
			{"state", []string{"seen", "1", "state", "sold"}, 422}, {"state", []string{"state", "closed"}, 422}, {"snooze", []string{"until", "yesterday"}, 422}, {"snooze", []string{"pick", "x"}, 422},
			{"snooze", []string{"until", vaulttest.Start.Add(time.Hour).Format(time.RFC3339)}, 422}, {"assign", []string{"user", "usr_x"}, 404},
			{"assign", []string{"team", desk.TeamID{1}.String()}, 404}, {"label", []string{"label", "lbl_x"}, 404}, {"redact", nil, 404},
		} {
			if a := h.post(path+"/"+bad.act, bad.pairs...); a.Status != bad.status {
				t.Errorf("%s %v: %d", bad.act, bad.pairs, a.Status)
			}
		}
	})
}

func TestWhoWasOvertakenIsShownHowItIsNow(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	maria := h.visitor(t, "Maria Kowal")
	conv := h.receive(t, maria, "thanks, that is all")
	path := "/inbox/" + conv.String()
	before := h.get(path).Body
	h.receive(t, maria, "no, wait")
	must(t, h.inbox.Assign(t.Context(), h.owner.Actor, conv, inbox.Assignment{User: new(h.owner.User())}))
	seen := found(t, before, `name="seen" value="([0-9]+)"`)
	for act, c := range map[string]struct {
		pairs []string
		says  string
	}{
		"state":  {[]string{"seen", seen, "state", "closed"}, "Another message has come in"},
		"snooze": {[]string{"seen", seen, "until", vaulttest.Start.Add(time.Hour).Format(time.RFC3339)}, "Another message has come in"},
		"assign": {[]string{"take", found(t, before, `name="take" value="([^"]+)"`)}, "Somebody else was assigned meanwhile"},
	} {
		if a := h.post(path+"/"+act, c.pairs...); a.Status != http.StatusConflict || !strings.Contains(a.Body, c.says) || !strings.Contains(a.Body, "no, wait") {
			t.Errorf("%s: %d", act, a.Status)
		}
	}
	now := h.get(path).Body
	h.post(path+"/assign", "take", found(t, now, `name="take" value="([^"]+)"`))
	h.post(path+"/state", "seen", found(t, now, `name="seen" value="([0-9]+)"`), "state", "closed")
	c, err := h.inbox.Conversation(t.Context(), h.operator.Actor, conv)
	must(t, err)
	if c.State != inbox.Closed || c.Assignee != h.operator.User() {
		t.Errorf("who has seen it all left it %s and %v's", c.State, c.Assignee)
	}
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
		a := moduletest.Get(h.as(c.actor), path)
		if a.Status != c.page || a.Status != 200 && strings.Contains(a.Body, "hello") {
			t.Errorf("%s reads: %d", who, a.Status)
		}
		if a.Status == 200 && strings.Contains(a.Body, "composer-foot") {
			t.Errorf("%s is offered to answer", who)
		}
		if a := moduletest.Do(h.as(c.actor), "POST", path+"/reply", "application/x-www-form-urlencoded", "kind=reply&text=x"); a.Status != c.replied {
			t.Errorf("%s answers: %d", who, a.Status)
		}
	}
	for _, path := range []string{"/inbox/cnv_x", "/inbox/" + ids.NewConversation(vaulttest.Start).String(), "/attachments/obj_x", "/attachments/" + ids.NewObject(vaulttest.Start).String()} {
		if a := h.get(path); a.Status != 404 {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
}

func TestARowIsDrawnOnlyWhereItBelongs(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "hello")
	for query, status := range map[string]int{"": 200, "?who=unassigned": 200, "?who=mine": 204, "?state=closed": 204, "?q=hello": 204, "?label=" + desk.LabelID{1}.String(): 204} {
		if a := h.get("/inbox/" + conv.String() + "/row" + query); a.Status != status {
			t.Errorf("%q: %d", query, a.Status)
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
	a := h.get("/attachments/" + paper.String())
	if a.Status != 200 || a.Header.Get("Content-Disposition") != "attachment; filename*=utf-8''Rechnung%20M%C3%A4rz.pdf" || a.Header.Get("Content-Type") != "application/pdf" ||
		!strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a paper: %d %v", a.Status, a.Header)
	}
	if a := h.get("/attachments/" + picture.String()); a.Status != 200 || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "inline") || a.Header.Get("Content-Type") != "image/png" {
		t.Errorf("a picture: %d %v", a.Status, a.Header)
	}
	if a := moduletest.Get(h.as(vaulttest.User(h.Tenant, vault.Auditor)), "/attachments/"+paper.String()); a.Status != 403 {
		t.Errorf("an auditor: %d", a.Status)
	}
}

func TestSettingsAreEditedOnPages(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	page := func(path string) string {
		a := moduletest.Get(h.as(h.owner.Actor), path)
		pagetest.Check(t, a.Body)
		if a.Status != 200 {
			t.Errorf("%s: %d", path, a.Status)
		}
		return a.Body
	}
	post := func(path string, status int, pairs ...string) string {
		t.Helper()
		var form []string
		for i := 0; i < len(pairs); i += 2 {
			form = append(form, pairs[i]+"="+strings.ReplaceAll(pairs[i+1], " ", "+"))
		}
		a := moduletest.Do(h.as(h.owner.Actor), "POST", path, "application/x-www-form-urlencoded", strings.Join(form, "&"))
		if a.Status != status {
			t.Errorf("%s %v: %d %s", path, pairs, a.Status, a.Body)
		}
		return a.Body
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
