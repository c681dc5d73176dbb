package webhooks_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aver/base/errs"
	"aver/frame/page"
	"aver/frame/request"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/vault/vaulttest"
	"aver/work/webhooks"
)

var shots = flag.String("shots", "", "folder for screenshots of every page")

func TestAnOwnerAddsAnEndpointAndSeesWhatItWasTold(t *testing.T) {
	t.Parallel()
	h := build(t, vaulttest.Embedded(t, config(t)))
	pages := h.site()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, page.AssetsPath()) {
			page.Assets().ServeHTTP(w, r)
			return
		}
		info := &request.Info{Actor: h.owner, Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), errs.AsProblem(err).Status)
		}}
		view := page.View{Path: r.URL.Path, User: "Ada Kowal", Role: "Owner", Tenant: "Kowal Bikes", Region: "eu"}
		pages.ServeHTTP(w, r.WithContext(page.With(request.With(r.Context(), info), view)))
	}))
	t.Cleanup(server.Close)
	b := browser.New(t)
	b.Allow("favicon|status of 422")
	at := server.URL + "/settings/webhooks"
	b.Goto(at)
	look(t, b, "none")
	b.Click("main a.button")
	b.WaitVisible("#url")
	b.Type("#url", "http://shop.example/aver")
	b.Click("main button[type=submit]")
	b.WaitVisible(".summary")
	look(t, b, "refused")
	good, bad := h.receiver(nil), h.receiver(status(500))
	b.Goto(at + "/new")
	look(t, b, "new")
	b.Type("#url", good.URL+"/aver")
	b.Type("#description", "Web shop")
	b.Click("main button[type=submit]")
	b.WaitText("main", "whpk_")
	look(t, b, "made")
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
	look(t, b, "list")
	b.Goto(at + "/" + working.ID.String())
	look(t, b, "good")
	b.SetViewport(1280, 844, false)
	b.Click("main td form button")
	b.WaitText("main td", "waiting")
	b.Goto(at + "/" + failing.ID.String())
	look(t, b, "failing")
	b.Click("[data-opens=replay]")
	b.WaitVisible("#replay")
	look(t, b, "replay")
	b.Goto(at + "/" + failing.ID.String() + "/edit")
	look(t, b, "edit")
}

// look takes pictures and lets axe judge, in both sizes and both lights.
func look(t *testing.T, b *browser.Tab, name string) {
	t.Helper()
	for _, width := range []int{1280, 390} {
		for _, dark := range []bool{false, true} {
			b.SetViewport(width, 844, false)
			b.SetDark(dark)
			browser.Eval[bool](b, `Promise.allSettled(document.getAnimations().map(a => a.finished)).then(() => true)`) // colours fade
			if over := browser.Eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s at %d px is %d px too wide", name, width, over)
			}
			if *shots != "" {
				b.ScreenshotWhole(filepath.Join(*shots, fmt.Sprintf("%s-%d-%s.png", name, width, map[bool]string{false: "light", true: "dark"}[dark])))
			}
			b.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				return chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](axe.Source))
			}))
			for _, finding := range browser.Eval[[]string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target + " " + n.html.slice(0, 160))))`) {
				t.Errorf("%s at %d px, dark %v: %s", name, width, dark, finding)
			}
		}
	}
}
