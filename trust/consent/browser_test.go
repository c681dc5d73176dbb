package consent_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"aver/frame/page"
	"aver/frame/request"
	"aver/proof/axe"
	"aver/proof/browser"
)

// shots is where pictures of the page go, to be looked at; none are made without it.
var shots = flag.String("shots", "", "folder for screenshots")

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
		for _, width := range []int{1280, 390} {
			for _, dark := range []bool{false, true} {
				b.SetViewport(width, 844, false)
				b.SetDark(dark)
				b.Goto(server.URL + "/settings/consent?lang=" + lang)
				if over := browser.Eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s at %d px is %d px too wide", lang, width, over)
				}
				b.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
					return chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe.Source))
				}))
				for _, finding := range browser.Eval[[]string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target)))`) {
					t.Errorf("%s at %d px, dark %v: %s", lang, width, dark, finding)
				}
				if *shots != "" {
					b.Screenshot(filepath.Join(*shots, fmt.Sprintf("consent-%s-%d-%v.png", lang, width, dark)))
				}
			}
		}
	}
}
