package web_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
)

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
	axe.Look(t, b, "login")
	b.Goto(server.URL + "/setup/" + token)
	axe.Look(t, b, "setup")
	b.Type("#email", "ada@kowal.example")
	b.Type("#name", "Ada Kowal")
	b.Type("#password", "short")
	b.Click("main button[type=submit]")
	b.WaitVisible(".summary")
	axe.Look(t, b, "setup-refused")
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
		axe.Look(t, b, name)
	}
	b.Goto(server.URL + "/settings/keys/new")
	b.Type("#name", "Reports")
	b.Click("input[name=scopes]")
	b.Click("main button[type=submit]")
	b.WaitText("body", "avk_")
	axe.Look(t, b, "settings-key-made")
	b.Goto(server.URL + "/settings/team/invite")
	b.Type("#email", "eve@kowal.example")
	b.Click("main button[type=submit]")
	b.WaitText("body", "/invite/avi_")
	axe.Look(t, b, "settings-invited")
	b.Goto(server.URL + "/settings/team")
	b.Click(".user summary")
	b.Click(`form[action="/logout"] button`)
	b.WaitVisible("#password")
	b.Type("#email", "ada@kowal.example")
	b.Type("#password", "not the right one")
	b.Click("main button[type=submit]")
	b.WaitVisible(".notice")
	axe.Look(t, b, "login-refused")
}
