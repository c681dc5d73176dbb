package webhooks_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/frame/page/pagetest"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/webhooks"
)

// site is the module's pages and operations, as an actor meets them.
func (h *house) site(who vault.Actor) http.Handler {
	return moduletest.Edge(moduletest.Mux(h.hooks.Module()), who, page.View{User: "Ada Kowal", Role: "Owner", Tenant: "Kowal Bikes", Region: "eu"})
}

func (h *house) as(who vault.Actor, method, path, kind, body string) (int, string) {
	a := moduletest.Do(h.site(who), method, path, kind, body)
	return a.Status, a.Body
}

func (h *house) api(method, path, body string) (int, map[string]any) {
	h.t.Helper()
	code, text := h.as(h.owner, method, path, "application/json", body)
	var out map[string]any
	if text != "" {
		must(h.t, json.Unmarshal([]byte(text), &out))
	}
	return code, out
}

func TestAProgramManagesEndpoints(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(nil)
		code, made := h.api("POST", "/v1/webhooks", `{"url":"`+r.URL+`","description":"Shop","events":["contact.created"],"scheme":"v1"}`)
		key, _ := made["key"].(string)
		if code != 201 || !strings.HasPrefix(key, "whsec_") || made["state"] != "active" {
			t.Fatalf("making one: %d %v", code, made)
		}
		one := "/v1/webhooks/" + made["id"].(string)
		if code, got := h.api("GET", one, ""); code != 200 || got["key"] != nil || strings.Contains(jsonOf(got), key) || got["description"] != "Shop" {
			t.Errorf("reading it: %d %v", code, got)
		}
		if code, got := h.api("PUT", one, `{"url":"`+r.URL+`/new"}`); code != 200 || got["url"] != r.URL+"/new" || len(got["events"].([]any)) != 0 {
			t.Errorf("changing it: %d %v", code, got)
		}
		if code, got := h.api("POST", one+"/rotate", `{"scheme":"v1a"}`); code != 200 || !strings.HasPrefix(got["key"].(string), "whpk_") {
			t.Errorf("rotating: %d %v", code, got)
		}
		code, tried := h.api("POST", one+"/test", "")
		if code != 202 {
			t.Fatalf("testing it: %d %v", code, tried)
		}
		e, err := h.hooks.List(t.Context(), h.owner)
		must(t, err)
		h.run(e[0])
		code, sent := h.api("GET", one+"/deliveries?state=delivered", "")
		list := sent["data"].([]any)
		if code != 200 || len(list) != 1 || list[0].(map[string]any)["id"] != tried["id"] || list[0].(map[string]any)["status"] != 200.0 {
			t.Errorf("its messages: %d %v", code, sent)
		}
		if code, _ := h.api("POST", one+"/deliveries/"+tried["id"].(string)+"/replay", ""); code != 202 {
			t.Errorf("sending one again: %d", code)
		}
		if code, got := h.api("POST", one+"/replay", `{"since":"2026-01-01T00:00:00Z"}`); code != 202 || got["count"] != 0.0 {
			t.Errorf("sending what failed again: %d %v", code, got)
		}
		if code, got := h.api("POST", one+"/disable", ""); code != 200 || got["state"] != "disabled" {
			t.Errorf("switching it off: %d %v", code, got)
		}
		if code, got := h.api("POST", one+"/enable", ""); code != 200 || got["state"] != "active" {
			t.Errorf("switching it on: %d %v", code, got)
		}
		if code, got := h.api("GET", "/v1/webhooks", ""); code != 200 || len(got["data"].([]any)) != 1 {
			t.Errorf("the list: %d %v", code, got)
		}
		if code, _ := h.api("DELETE", one, ""); code != 204 {
			t.Errorf("removing it: %d", code)
		}
	})
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestAPersonManagesEndpoints(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.receiver(status(500))
		form := func(path string, pairs ...string) (int, string) {
			values := url.Values{}
			for i := 0; i < len(pairs); i += 2 {
				values.Add(pairs[i], pairs[i+1])
			}
			return h.as(h.owner, "POST", "/settings/webhooks"+path, "application/x-www-form-urlencoded", values.Encode()+"&x=1")
		}
		if code, text := form("", "url", "http://shop.example", "events", "nonsense"); code != 422 || !strings.Contains(text, "must begin with https://") {
			t.Errorf("a bad form: %d", code)
		} else {
			pagetest.Check(t, text)
		}
		if code, text := form("", "url", r.URL); code != 422 || !strings.Contains(text, "at least one event") {
			t.Errorf("a form without events: %d", code)
		}
		code, text := form("", "url", r.URL, "description", "Shop", "events", "contact.created", "scheme", "v1")
		if code != 201 || !strings.Contains(text, "whsec_") {
			t.Fatalf("a good form: %d", code)
		}
		pagetest.Check(t, text)
		all, err := h.hooks.List(t.Context(), h.owner)
		must(t, err)
		one := "/" + all[0].ID.String()
		for _, step := range []string{"/test", "/disable", "/enable"} {
			if code, _ := form(one + step); code != 303 {
				t.Errorf("%s: %d", step, code)
			}
		}
		h.run(all[0])
		for _, path := range []string{"", "/new", one, one + "/edit", one + "?state=failed", one + "?state=waiting&after=nonsense"} {
			code, text := h.as(h.owner, "GET", "/settings/webhooks"+path, "", "")
			if code != 200 || strings.Contains(text, "whsec_") {
				t.Errorf("%s: %d", path, code)
			}
			pagetest.Check(t, text)
			if code, _ := h.as(vaulttest.User(h.Tenant, vault.Operator), "GET", "/settings/webhooks"+path, "", ""); code != 403 {
				t.Errorf("%s for an operator: %d", path, code)
			}
			if code, _ := h.as(vault.Actor{}, "GET", "/settings/webhooks"+path, "", ""); code != 401 && code != 403 {
				t.Errorf("%s for nobody: %d", path, code)
			}
		}
		if code, text := form(one + "/rotate"); code != 200 || !strings.Contains(text, "whsec_") {
			t.Errorf("rotating: %d", code)
		}
		if code, _ := form(one, "url", r.URL+"/new", "events", "contact.erased"); code != 303 {
			t.Errorf("changing: %d", code)
		}
		if code, _ := form(one+"/replay", "days", "7"); code != 303 {
			t.Errorf("sending failed ones again: %d", code)
		}
		if code, _ := form(one+"/replay", "message", webhooks.MessageID{1}.String()); code != 404 {
			t.Errorf("sending what does not exist: %d", code)
		}
		if code, _ := form(one + "/remove"); code != 303 {
			t.Errorf("removing: %d", code)
		}
	})
}
