package webhooks_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"aver/proof/axe"
	"aver/proof/browser"
	"aver/vault/vaulttest"
	"aver/work/webhooks"
)

func TestAnOwnerAddsAnEndpointAndSeesWhatItWasTold(t *testing.T) {
	t.Parallel()
	h := build(t, vaulttest.Embedded(t, config(t)))
	server := httptest.NewServer(h.site(h.owner))
	t.Cleanup(server.Close)
	b := browser.New(t)
	b.Allow("favicon|status of 422")
	at := server.URL + "/settings/webhooks"
	b.Goto(at)
	axe.Look(t, b, "webhooks-none")
	b.Click("main a.button")
	b.WaitVisible("#url")
	b.Type("#url", "http://shop.example/aver")
	b.Click("main button[type=submit]")
	b.WaitVisible(".summary")
	axe.Look(t, b, "webhooks-refused")
	good, bad := h.receiver(nil), h.receiver(status(500))
	b.Goto(at + "/new")
	axe.Look(t, b, "webhooks-new")
	b.Type("#url", good.URL+"/aver")
	b.Type("#description", "Web shop")
	b.Click("main button[type=submit]")
	b.WaitText("main", "whpk_")
	axe.Look(t, b, "webhooks-made")
	failing, _ := h.endpoint(bad, webhooks.Draft{About: "Warehouse", Events: []string{"contact.erased"}, Scheme: webhooks.HMAC})
	all, err := h.hooks.List(t.Context(), h.owner)
	must(t, err)
	working := all[slices.IndexFunc(all, func(e webhooks.Endpoint) bool { return e.About == "Web shop" })]
	for _, kind := range []string{"message.created", "contact.created", "contact.erased", "conversation.closed"} {
		h.say(h.Tenant, kind)
	}
	h.collect()
	for _, e := range all {
		h.run(e)
	}
	b.Goto(at)
	axe.Look(t, b, "webhooks-list")
	b.Goto(at + "/" + working.ID.String())
	axe.Look(t, b, "webhooks-good")
	b.Click("main td form button")
	b.WaitText("main td", "waiting")
	b.Goto(at + "/" + failing.ID.String())
	axe.Look(t, b, "webhooks-failing")
	b.Click("[data-opens=replay]")
	b.WaitVisible("#replay")
	axe.Look(t, b, "webhooks-replay")
	b.Goto(at + "/" + failing.ID.String() + "/edit")
	axe.Look(t, b, "webhooks-edit")
}
