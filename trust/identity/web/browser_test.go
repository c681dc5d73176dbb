package web_test

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
)

var shots = flag.String("shots", "", "folder for screenshots of every page")

// TestAPersonComesInAndFindsTheSettings is what the first owner does, with a look at every page on the way.
func TestAPersonComesInAndFindsTheSettings(t *testing.T) {
	t.Parallel()
	h := build(t, vaulttest.Embedded(t, config(t)))
	server := httptest.NewServer(h.handler) // browsers take this machine for as safe as HTTPS
	t.Cleanup(server.Close)
	token, err := h.identity.Invite(t.Context(), identity.System(h.Tenant, "command"), "", vault.Owner)
	must(t, err)
	b := browser.New(t)
	b.Allow("status of (401|422)|favicon")
	b.Goto(server.URL + "/login")
	look(t, b, "login")
	b.Goto(server.URL + "/setup/" + token)
	look(t, b, "setup")
	b.Type("#email", "ada@kowal.example")
	b.Type("#name", "Ada Kowal")
	b.Type("#password", "short")
	b.Click("main button[type=submit]")
	b.WaitVisible(".summary")
	look(t, b, "setup-refused")
	b.Type("#password", password)
	b.Click("main button[type=submit]")
	b.WaitText("body", "the inbox")

	owner := h.again("ada@kowal.example").actor()
	for _, name := range []string{"ben@kowal.example", "carla@kowal.example"} {
		h.hire(name, vault.Operator)
	}
	must(t, h.identity.SetRoles(t.Context(), owner, h.users()["carla@kowal.example"].ID, vault.Operator, vault.DPO))
	must(t, h.identity.Disable(t.Context(), owner, h.users()["ben@kowal.example"].ID))
	_, err = h.identity.Invite(t.Context(), owner, "dan@kowal.example", vault.Auditor)
	must(t, err)
	_, _, err = h.identity.MakeKey(t.Context(), owner, "Web shop", []string{"users:read"}, 0)
	must(t, err)
	for _, path := range []string{"", "/profile", "/team", "/team/invite", "/team/" + h.users()["carla@kowal.example"].ID.String(),
		"/team/" + h.users()["ben@kowal.example"].ID.String(), "/keys", "/keys/new", "/roles"} {
		b.Goto(server.URL + "/settings" + path)
		name, _, _ := strings.Cut("settings"+strings.ReplaceAll(path, "/", "-"), "-usr_")
		if strings.Contains(path, "usr_") {
			name += "-member"
		}
		if strings.HasSuffix(path, h.users()["ben@kowal.example"].ID.String()) {
			name += "-disabled"
		}
		look(t, b, name)
	}
	b.Goto(server.URL + "/settings/keys/new")
	b.Type("#name", "Reports")
	b.Click("input[name=scopes]")
	b.Click("main button[type=submit]")
	b.WaitText("body", "avk_")
	look(t, b, "settings-key-made")
	b.Goto(server.URL + "/settings/team/invite")
	b.Type("#email", "eve@kowal.example")
	b.Click("main button[type=submit]")
	b.WaitText("body", "/invite/avi_")
	look(t, b, "settings-invited")
	b.Goto(server.URL + "/settings/team")
	b.Click(".user summary")
	b.Click(`form[action="/logout"] button`)
	b.WaitVisible("#password")
	b.Type("#email", "ada@kowal.example")
	b.Type("#password", "not the right one")
	b.Click("main button[type=submit]")
	b.WaitVisible(".notice")
	look(t, b, "login-refused")
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
