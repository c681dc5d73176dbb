package enrichment_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/consent"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/enrichment"
)

func (h *house) pages(actor vault.Actor) http.Handler {
	return moduletest.Edge(moduletest.Mux(h.service.Module()), actor, page.View{})
}

func TestTheSettingsTellWhatIsWrongAndLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		pages := h.pages(h.owner)
		h.listed = false
		a := moduletest.Post(pages, "/settings/enrichment", "kind", "profile", "is_on", "yes", "url", "https://stranger.example/{email}", "fields", "job = /job\nteam = /team")
		if a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, "not in the register") || !strings.Contains(a.Body, "team = /team") {
			t.Errorf("status %d:\n%s", a.Status, a.Body)
		}
		h.listed = true
		a = moduletest.Post(pages, "/settings/enrichment", "kind", "profile", "is_on", "yes", "url", h.source.URL+"/{email}", "fields", "job = /job", "token", "t0p")
		if a.Status != http.StatusSeeOther {
			t.Fatalf("status %d:\n%s", a.Status, a.Body)
		}
		if a = moduletest.Get(pages, "/settings/enrichment"); strings.Contains(a.Body, "t0p") || !strings.Contains(a.Body, "One is kept") {
			t.Error("the page shows the token, or does not say that there is one")
		}
		if a = moduletest.Get(h.pages(vaulttest.User(h.Tenant, vault.Auditor)), "/settings/enrichment"); a.Status != http.StatusOK || strings.Contains(a.Body, "<button type=\"submit\" class=\"button primary\"") {
			t.Errorf("an auditor: %d", a.Status)
		}
	})
}

func TestAPersonsPageShowsWhatWasFoundAndThatTheyWereTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.person(t, "ada@acme.example")
		if part, err := h.service.Panel(t.Context(), h.owner, ada); part != nil || err != nil {
			t.Errorf("with no source there is a panel (%v)", err)
		}
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		must(t, h.look(t, ada))
		must(t, h.notify(t))
		part, err := h.service.Panel(t.Context(), h.owner, ada)
		must(t, err)
		text := drawn(t, part)
		for _, words := range []string{"Job title", "Head of bees", "from 127.0.0.1, 22 November 2026", "told on 22 November 2026", "/look", "/forget"} {
			if !strings.Contains(text, words) {
				t.Errorf("the panel does not say %q", words)
			}
		}
		must(t, restriction.New(h.Vault, alone).Set(t.Context(), h.owner, ada, restriction.Object, ""))
		part, err = h.service.Panel(t.Context(), h.owner, ada)
		must(t, err)
		if text := drawn(t, part); !strings.Contains(text, "not looked up") || strings.Contains(text, "/look") {
			t.Errorf("of somebody who objects it says %s", text)
		}
	})
}

func drawn(t *testing.T, part templ.Component) string {
	t.Helper()
	var out strings.Builder
	must(t, part.Render(t.Context(), &out))
	return out.String()
}

func TestAPictureIsSentAsWhatItsBytesAre(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.service.Set(t.Context(), h.owner, enrichment.Source{Kind: enrichment.Picture, On: true, URL: h.source.URL + "/{sha256}"})
		must(t, err)
		h.source.answer = says(http.StatusOK, "GIF89a and the rest")
		ada := h.person(t, "ada@acme.example")
		must(t, h.look(t, ada))
		a := moduletest.Get(h.pages(h.owner), "/enrichment/"+ada.String()+"/picture")
		if a.Status != http.StatusOK || a.Header.Get("Content-Type") != "image/gif" || a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Body != "GIF89a and the rest" {
			t.Errorf("%d %v %q", a.Status, a.Header, a.Body)
		}
		if a = moduletest.Get(h.pages(vaulttest.User(h.Other, vault.Owner)), "/enrichment/"+ada.String()+"/picture"); a.Status == http.StatusOK {
			t.Error("another tenant sees it")
		}
	})
}

func TestWhoComesIsLookedUpByItself(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		must(t, h.queue.Start(t.Context()))
		h.service.Follow(h.Tenant)
		ada := h.person(t, "ada@acme.example")
		eventually.Must(t, "what was found is kept", func() bool { return len(h.found(t, ada)) == 2 })
	})
}

func TestWhatWasFoundGoesByItselfWhenItIsClosed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.profiles(t)
		h.source.answer = says(http.StatusOK, answer)
		must(t, h.queue.Start(t.Context()))
		h.service.Follow(h.Tenant)
		ada, bea := h.person(t, "ada@acme.example"), h.person(t, "bea@acme.example")
		until := func(what string, who ids.Contact, n int) {
			t.Helper()
			eventually.Must(t, what, func() bool { return h.kept(t, who) == n })
		}
		until("Ada is found", ada, 2)
		until("Bea is found", bea, 2)
		must(t, restriction.New(h.Vault, alone).Set(t.Context(), h.owner, ada, restriction.LimitSensitive, ""))
		until("Ada has limited what is sensitive", ada, 0)
		if h.kept(t, bea) != 2 {
			t.Error("Bea's went with it")
		}
		h.asksForConsent(t)
		until("the workspace asks for consent, which Bea has not given", bea, 0)
		h.agree(t, bea)
		must(t, h.service.Ask(t.Context(), h.owner, bea))
		until("Bea has agreed", bea, 2)
		must(t, consent.New(h.Vault).Withdraw(t.Context(), vaulttest.Visitor(h.Tenant, bea), bea, purpose.Enrichment))
		until("Bea has taken that back", bea, 0)
	})
}

func TestTheAPIReadsSetsAsksAndForgets(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		api := h.pages(vaulttest.Key(h.Tenant, "settings:read", "settings:write", "contacts:read", "contacts:write"))
		body := map[string]any{"on": true, "url": h.source.URL + "/{email}", "fields": map[string]string{"job_title": "/person/title"}, "token": "t0p"}
		if a := moduletest.Call(t, api, "PUT", "/v1/enrichment_sources/profile", body, nil); a.Status != http.StatusOK || strings.Contains(a.Body, "t0p") {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		h.source.answer = says(http.StatusOK, answer)
		ada := h.person(t, "ada@acme.example")
		must(t, h.look(t, ada))
		var list struct {
			Data []struct{ Field, Value, Source string }
		}
		path := "/v1/contacts/" + ada.String() + "/enrichment"
		if a := moduletest.Call(t, api, "GET", path, nil, &list); len(list.Data) != 1 || list.Data[0].Value != "Head of bees" {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		if a := moduletest.Call(t, api, "POST", path, nil, nil); a.Status >= 300 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
		if a := moduletest.Call(t, api, "DELETE", path, nil, nil); a.Status >= 300 || len(h.found(t, ada)) != 0 {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}
