package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/inbox/desk"
)

type object = map[string]any

func TestAProgramAnswersAConversation(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		program := vaulttest.Key(h.Tenant, "conversations:read", "conversations:write")
		maria := h.visitor(t, "Maria Kowal")
		conv := h.receive(t, maria, "hello")
		path := "/v1/conversations/" + conv.String()
		var one object
		if a := h.call(t, program, "GET", path, nil, &one); a.Status != 200 || one["contact_id"] != maria.Subject().String() || one["state"] != "open" || one["unread"] != 1.0 || one["preview"] != "hello" {
			t.Errorf("read %d %v", a.Status, one)
		}
		var sent object
		client := clientID()
		for _, again := range []bool{false, true} {
			if a := h.call(t, program, "POST", path+"/reply", object{"text": "yes", "client_id": client}, &sent); a.Status != 201 || sent["seq"] != 2.0 || sent["duplicate"] != again {
				t.Errorf("replied %d %v", a.Status, sent)
			}
		}
		h.call(t, program, "POST", path+"/reply", object{"type": "note", "text": "among us"}, &sent)
		var parts struct {
			Data []object
			More bool
		}
		h.call(t, program, "GET", path+"/parts", nil, &parts)
		var got []string
		for _, p := range parts.Data {
			got = append(got, fmt.Sprintf("%v %v %v", p["seq"], p["type"], p["text"]))
		}
		if want := "1 visitor hello|2 operator yes|2 note among us"; strings.Join(got, "|") != want || parts.More {
			t.Errorf("parts %q", got)
		}
		for _, step := range []struct {
			method, path string
			body         object
			status       int
			want         string
		}{
			{"PUT", path, object{"state": "closed", "seen_seq": 1}, 409, "not looked at"},
			{"POST", path + "/snooze", object{"until": vaulttest.Start.Add(time.Hour), "seen_seq": 1}, 409, "not looked at"},
			{"PUT", path, object{"state": "closed", "seen_seq": 2}, 200, "closed"},
			{"PUT", path, object{"state": "open"}, 200, "open"},
			{"POST", path + "/snooze", object{"until": vaulttest.Start.Add(time.Hour)}, 200, "snoozed"},
			{"PUT", path + "/assignment", object{"assignee_id": h.operator.User().String()}, 200, h.operator.User().String()},
			{"POST", path + "/read", object{"seq": 2}, 200, `"unread":0`},
		} {
			if a := h.call(t, program, step.method, step.path, step.body, nil); a.Status != step.status || !strings.Contains(a.Body, step.want) {
				t.Errorf("%s %s %v: %d %s", step.method, step.path, step.body, a.Status, a.Body)
			}
		}
		if a := h.call(t, program, "POST", "/v1/conversations/redact", object{"conversation_id": conv.String(), "seq": 1}, nil); a.Status != 204 {
			t.Errorf("redacted %d %s", a.Status, a.Body)
		}
		if a := h.call(t, program, "GET", path+"/parts", nil, nil); strings.Contains(a.Body, "hello") || !strings.Contains(a.Body, `"redacted":true`) {
			t.Errorf("after it %s", a.Body)
		}
	})
}

func TestAProgramSetsTheDeskUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		program := vaulttest.Key(h.Tenant, "conversations:read", "conversations:write")
		conv := h.receive(t, h.visitor(t, "Maria Kowal"), "hello")
		for path, c := range map[string]struct {
			made, changed object
			shows         string
		}{
			"/v1/tags":   {object{"name": "Urgent", "hue": 5}, object{"name": "Very urgent", "hue": 5}, "Very urgent"},
			"/v1/macros": {object{"shortcut": "hours", "text": "9 to 17"}, object{"shortcut": "hours", "text": "8 to 18"}, "8 to 18"},
			"/v1/teams":  {object{"name": "Billing"}, object{"name": "Billing", "member_ids": []string{h.operator.User().String()}}, h.operator.User().String()},
		} {
			var one object
			if a := h.call(t, program, "POST", path, c.made, &one); a.Status != 201 {
				t.Fatalf("%s: made %d %s", path, a.Status, a.Body)
			}
			if a := h.call(t, program, "POST", path, c.made, nil); a.Status != 409 {
				t.Errorf("%s: made twice %d", path, a.Status)
			}
			id := path + "/" + one["id"].(string)
			if a := h.call(t, program, "PUT", id, c.changed, nil); a.Status != 200 {
				t.Errorf("%s: changed %d %s", path, a.Status, a.Body)
			}
			if a := h.call(t, program, "GET", path, nil, nil); a.Status != 200 || !strings.Contains(a.Body, c.shows) {
				t.Errorf("%s: listed %d %s", path, a.Status, a.Body)
			}
			if path == "/v1/tags" {
				tagged := "/v1/conversations/" + conv.String() + "/tags/" + one["id"].(string)
				if a := h.call(t, program, "PUT", tagged, nil, nil); a.Status != 204 {
					t.Errorf("tagged %d %s", a.Status, a.Body)
				}
				if a := h.call(t, program, "GET", "/v1/conversations?tag_id="+one["id"].(string), nil, nil); !strings.Contains(a.Body, conv.String()) {
					t.Errorf("listed by tag %s", a.Body)
				}
				if a := h.call(t, program, "DELETE", tagged, nil, nil); a.Status != 204 {
					t.Errorf("untagged %d", a.Status)
				}
			}
			if a := h.call(t, program, "DELETE", id, nil, nil); a.Status != 204 {
				t.Errorf("%s: deleted %d", path, a.Status)
			}
			if a := h.call(t, program, "DELETE", id, nil, nil); a.Status != 404 {
				t.Errorf("%s: deleted twice %d", path, a.Status)
			}
		}
		week := make([][]object, 7)
		for day := range week {
			week[day] = []object{{"from": 540, "to": 1020}}
		}
		schedule := "/v1/office_hours_schedules/" + desk.DefaultSchedule.String()
		if a := h.call(t, program, "PUT", schedule, object{"time_zone": "Europe/Berlin", "limited": true, "week": week, "offline_message": "away"}, nil); a.Status != 200 {
			t.Errorf("hours set %d %s", a.Status, a.Body)
		}
		if a := h.call(t, program, "PUT", schedule, object{"time_zone": "Atlantis", "limited": true}, nil); a.Status != 422 {
			t.Errorf("hours of nowhere %d", a.Status)
		}
		if a := h.call(t, program, "GET", "/v1/office_hours_schedules", nil, nil); !strings.Contains(a.Body, `"time_zone":"Europe/Berlin"`) || !strings.Contains(a.Body, `"from":540`) {
			t.Errorf("hours %s", a.Body)
		}
	})
}

func TestTheAPIPagesThroughEveryConversationOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		program := vaulttest.Key(h.Tenant, "conversations:read")
		for i := range 7 {
			if i%3 == 0 { // several of the same moment
				h.Clock.Advance(time.Second)
			}
			h.receive(t, h.visitor(t, "Maria Kowal"), "hello lamp")
		}
		seen := map[string]bool{}
		path := "/v1/conversations?per_page=2"
		for range 10 {
			var p struct {
				Data []object
				Next string
			}
			h.call(t, program, "GET", path, nil, &p)
			for _, c := range p.Data {
				seen[c["id"].(string)] = true
			}
			if p.Next == "" {
				break
			}
			path = "/v1/conversations?per_page=2&starting_after=" + p.Next
		}
		if len(seen) != 7 {
			t.Errorf("%d conversations", len(seen))
		}
		for query, want := range map[string]int{"?unassigned=true": 7, "?state=closed": 0, "?assignee_id=" + h.operator.User().String(): 0} {
			var p struct{ Data []object }
			if h.call(t, program, "GET", "/v1/conversations"+query, nil, &p); len(p.Data) != want {
				t.Errorf("%s: %d", query, len(p.Data))
			}
		}
		eventually.Must(t, "the words are filed and found", func() bool {
			var p struct{ Data []object }
			h.call(t, program, "POST", "/v1/conversations/search", object{"query": "lam"}, &p)
			return len(p.Data) == 7
		})
	})
}

func TestTheAPIRefusesWhatItMust(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "canary")
	program, reader := vaulttest.Key(h.Tenant, "conversations:read", "conversations:write"), vaulttest.Key(h.Tenant, "conversations:read")
	outsider := vaulttest.Key(h.Other, "conversations:read", "conversations:write")
	absent := ids.NewConversation(vaulttest.Start).String()
	for _, c := range []struct {
		method, path string
		body         object
	}{
		{"GET", "", nil}, {"GET", "/parts", nil}, {"POST", "/reply", object{"text": "x"}}, {"PUT", "", object{"state": "closed"}}, {"PUT", "/assignment", object{}},
		{"POST", "/snooze", object{"until": vaulttest.Start.Add(time.Hour)}}, {"POST", "/read", object{"seq": 1}}, {"PUT", "/tags/" + desk.LabelID{1}.String(), nil},
	} {
		foreign := h.call(t, outsider, c.method, "/v1/conversations/"+conv.String()+c.path, c.body, nil)
		none := h.call(t, outsider, c.method, "/v1/conversations/"+absent+c.path, c.body, nil)
		if foreign.Status != 404 || foreign.Body != none.Body {
			t.Errorf("%s %s: %d %s, and %s of one that does not exist", c.method, c.path, foreign.Status, foreign.Body, none.Body)
		}
		if a := h.call(t, reader, c.method, "/v1/conversations/"+conv.String()+c.path, c.body, nil); c.method != "GET" && a.Status != 403 {
			t.Errorf("%s %s by a reader: %d", c.method, c.path, a.Status)
		}
	}
	for _, c := range []struct {
		method, path string
		body         object
	}{
		{"POST", "/reply", object{"text": ""}}, {"POST", "/reply", object{"text": "x", "type": "whisper"}}, {"POST", "/reply", object{"text": "x", "client_id": "1"}},
		{"PUT", "", object{"state": "snoozed"}}, {"POST", "/snooze", object{"until": vaulttest.Start}}, {"POST", "/reply", object{"text": "x", "unknown": 1}},
	} {
		if a := h.call(t, program, c.method, "/v1/conversations/"+conv.String()+c.path, c.body, nil); a.Status != 422 {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.body, a.Status, a.Body)
		}
	}
	if a := h.call(t, vaulttest.User(h.Tenant, vault.Auditor), "GET", "/v1/conversations", nil, nil); a.Status != 403 || strings.Contains(a.Body, "canary") {
		t.Errorf("an auditor lists: %d", a.Status)
	}
}
