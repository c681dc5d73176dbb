package consent_test

import (
	"net/http/httptest"
	"testing"

	"aver/proof/axe"
	"aver/proof/browser"
)

func TestTheSettingsPageFitsItsWindowAndLeavesNobodyOut(t *testing.T) {
	t.Parallel()
	h := embedded(t)
	server := httptest.NewServer(h.site(h.owner))
	t.Cleanup(server.Close)
	b := browser.New(t)
	for _, lang := range []string{"en", "ar"} {
		b.Goto(server.URL + "/settings/consent?lang=" + lang)
		axe.Look(t, b, "consent-"+lang)
		b.Goto(server.URL + "/settings/consent?purpose=outreach&lang=" + lang)
		axe.Look(t, b, "purpose-"+lang)
	}
}
