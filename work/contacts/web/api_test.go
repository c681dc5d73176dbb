package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aver/vault/vaulttest"
)

type object = map[string]any

func TestAProgramKeepsAPersonByItsOwnIdentifier(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var made, again object
		if a := h.call(t, h.program, "PUT", "/v1/contacts/by-external-id/crm%2F7", object{"email": "maria@kowal.example", "name": "Maria"}, &made); a.Status != 201 {
			t.Fatalf("the first time: %d %s", a.Status, a.Body)
		}
		if a := h.call(t, h.program, "PUT", "/v1/contacts/by-external-id/crm%2F7", object{"name": "", "phone": "+49 30 901820"}, &again); a.Status != 200 {
			t.Fatalf("the second time: %d %s", a.Status, a.Body)
		}
		if made["id"] != again["id"] || again["external_id"] != "crm/7" || again["name"] != nil || again["email"] != "maria@kowal.example" || again["phone"] != "+4930901820" || again["role"] != "user" || again["basis"] != "api" {
			t.Errorf("kept %v", again)
		}
	})
}

func TestWhatTheAPITellsOfAPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		call := func(method, path string, in any, want int) object {
			t.Helper()
			out := object{}
			if a := h.call(t, h.program, method, path, in, &out); a.Status != want {
				t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
			}
			return out
		}
		if a := h.call(t, h.owner, "POST", "/v1/data_attributes", object{"name": "plan", "data_type": "list", "options": []string{"free", "gold"}}, nil); a.Status != 201 {
			t.Fatal(a)
		}
		maria := call("POST", "/v1/contacts", object{"name": "Maria", "email": "maria@kowal.example", "custom_attributes": object{"plan": "gold"}, "grounds": []object{{"basis": "contract", "purpose": "support", "since": "2026-01-02T00:00:00Z", "words": "order 17"}}}, 201)
		path := "/v1/contacts/" + maria["id"].(string)
		tag := call("POST", "/v1/contact_tags", object{"name": "VIP", "hue": 2}, 201)
		call("POST", path+"/tags", object{"id": tag["id"]}, 204)
		call("POST", path+"/notes", object{"body": "Calls back."}, 201)
		segment := call("POST", "/v1/segments", object{"name": "VIPs", "rule": object{"tag_id": tag["id"], "created": 7}}, 201)
		got := call("GET", path, nil, 200)
		if fmt.Sprintf("%v %v %v", got["custom_attributes"], got["tags"], got["verified"]) != fmt.Sprintf("map[plan:gold] [%s] false", tag["id"]) {
			t.Errorf("got %v", got)
		}
		for path, want := range map[string]int{"/v1/contacts": 1, "/v1/contacts?segment_id=" + segment["id"].(string): 1, "/v1/contacts?tag_id=" + tag["id"].(string) + "&role=lead": 1,
			"/v1/contacts?role=user": 0, path + "/notes": 1, path + "/tags": 1, path + "/segments": 1, path + "/merge_history": 0, "/v1/segments": 1, "/v1/contact_tags": 1, "/v1/data_attributes": 1} {
			if n := len(call("GET", path, nil, 200)["data"].([]any)); n != want {
				t.Errorf("%s lists %d, not %d", path, n, want)
			}
		}
		call("POST", path+"/block", nil, 204)
		call("POST", path+"/archive", nil, 204)
		if got := call("GET", path, nil, 200); got["blocked"] != true || got["archived"] != true {
			t.Errorf("marked %v", got)
		}
		call("DELETE", path+"/block", nil, 204)
		call("DELETE", path+"/archive", nil, 204)
		other := call("POST", "/v1/contacts", object{"name": "Maria Kowal"}, 201)
		call("POST", "/v1/contacts/merge", object{"from": other["id"], "into": maria["id"], "reason": "same address"}, 200)
		if got := call("GET", "/v1/contacts/"+other["id"].(string), nil, 200); got["merged_into"] != maria["id"] {
			t.Errorf("merged %v", got)
		}
		call("DELETE", "/v1/contacts/"+other["id"].(string)+"/merge", nil, 204)
		call("DELETE", path+"/tags/"+tag["id"].(string), nil, 204)
		call("DELETE", "/v1/contact_tags/"+tag["id"].(string), nil, 204)
		found := call("POST", "/v1/contacts/search", object{"query": "maria@kowal.example"}, 200)
		if n := len(found["data"].([]any)); n != 1 {
			t.Errorf("a search finds %d", n)
		}
	})
}

func TestTheAPIPagesThroughEverybodyOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for n := range 7 {
			h.Clock.Advance(time.Duration(n%2) * time.Second)
			h.call(t, h.program, "POST", "/v1/contacts", object{"name": fmt.Sprint("person ", n)}, nil)
		}
		seen := map[any]bool{}
		after := ""
		for range 4 {
			var p struct {
				Data  []object `json:"data"`
				After string   `json:"starting_after"`
			}
			if a := h.call(t, h.program, "GET", "/v1/contacts?per_page=2&starting_after="+after, nil, &p); a.Status != 200 {
				t.Fatal(a)
			}
			for _, c := range p.Data {
				seen[c["id"]] = true
			}
			after = p.After
		}
		if len(seen) != 7 || after != "" {
			t.Errorf("saw %d people, next %q", len(seen), after)
		}
	})
}

func TestNoFieldCanBeSetThatIsNotOffered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, field := range []string{"verified", "id", "basis", "merged_into", "blocked", "created_at", "last_seen_at", "Name"} {
			for method, path := range map[string]string{"POST": "/v1/contacts", "PUT": "/v1/contacts/by-external-id/u1"} {
				a := h.call(t, h.program, method, path, object{"name": "x", field: true}, nil)
				if a.Status != 422 {
					t.Errorf("%s with %s: %d", method, field, a.Status)
				}
			}
		}
		if a := h.call(t, h.program, "PUT", "/v1/contacts/by-external-id/u1", object{"external_id": "u2"}, nil); a.Status != 422 {
			t.Errorf("two identifiers: %d", a.Status)
		}
	})
}

func TestIdentifiersOfOthersAnswerLikeNone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var c, tag object
		h.call(t, h.program, "POST", "/v1/contacts", object{"name": "Maria"}, &c)
		h.call(t, h.program, "POST", "/v1/contact_tags", object{"name": "VIP"}, &tag)
		foreign := vaulttest.Key(h.Other, "contacts:read", "contacts:write")
		none := "con_" + strings.Repeat("0", 25) + "8"
		for _, call := range []struct {
			method, path string
			in           any
		}{
			{"GET", "", nil}, {"PUT", "", object{"name": "x"}}, {"GET", "/notes", nil}, {"POST", "/notes", object{"body": "x"}}, {"GET", "/tags", nil},
			{"POST", "/tags", object{"id": tag["id"]}}, {"GET", "/segments", nil}, {"GET", "/merge_history", nil}, {"POST", "/block", nil}, {"DELETE", "/archive", nil}, {"DELETE", "/merge", nil},
		} {
			theirs := h.call(t, foreign, call.method, "/v1/contacts/"+c["id"].(string)+call.path, call.in, nil)
			nobodys := h.call(t, foreign, call.method, "/v1/contacts/"+none+call.path, call.in, nil)
			if theirs.Status != 404 || theirs.Body != nobodys.Body {
				t.Errorf("%s %s: %d %s, and of nobody %d %s", call.method, call.path, theirs.Status, theirs.Body, nobodys.Status, nobodys.Body)
			}
		}
	})
}
