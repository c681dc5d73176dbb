package consent_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"aver/frame/page"
	"aver/frame/request"
	"aver/proof/axe"
	"aver/proof/browser"
)

func TestTheSettingsPageFitsItsWindowAndLeavesNobodyOut(t *testing.T) {
	t.Parallel()
	h := embedded(t)
	mux := http.NewServeMux()
	h.consent.Module().Routes(mux)
	mux.Handle("GET "+page.AssetsPath(), page.Assets())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := page.With(request.With(r.Context(), &request.Info{Actor: h.owner}), page.View{Path: r.URL.Path, Tenant: "Praxis am Park", User: "Ines Moreau"})
		mux.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(server.Close)
	b := browser.New(t)
	for _, lang := range []string{"en", "ar"} {
		b.Goto(server.URL + "/settings/consent?lang=" + lang)
		axe.Look(t, b, "consent-"+lang)
	}
}
