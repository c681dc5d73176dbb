package webchat_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"aver/trust/identity"
	"aver/vault"
)

// submits sends a form as a page does, and follows where it leads.
func (h *house) submits(path, cookie string, form url.Values) answer {
	h.t.Helper()
	return h.ask("POST", path, "", []byte(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Cookie", cookie)
}

func TestTheSettingsPageChangesTheWidget(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		shown := h.ask("GET", "/settings/chat", "", nil, "Cookie", h.cookie)
		if !strings.Contains(string(shown.body), h.site) || !strings.Contains(string(shown.body), h.base+"/l.js") {
			t.Errorf("%d: the lines for the site are missing", shown.status)
		}
		form := url.Values{"name": {"Kowal & Daughters"}, "accent": {"teal"}, "color_scheme": {"dark"}, "language": {"pl"}, "allowed_hosts": {"https://kowal.example\r\nhttps://www.kowal.example"}}
		if a := h.submits("/settings/chat", h.cookie, form); a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "Write a colour like #0f5f5c.") {
			t.Errorf("a colour by name: %d", a.status)
		}
		form.Set("accent", "#884400")
		h.submits("/settings/chat", h.cookie, form)
		set, err := h.WebChat.Settings(t.Context(), h.owner)
		must(t, err)
		if set.Name != "Kowal & Daughters" || set.Accent != "#884400" || set.ColorScheme != "dark" || len(set.AllowedHosts) != 2 {
			t.Errorf("stored %+v", set)
		}
		config := h.ask("GET", "/widget/v1/config?lang=de&w="+h.site, "", nil).json(t)
		if config["name"] != "Kowal & Daughters" || config["language"] != "pl" || config["accent"] != "#884400" {
			t.Errorf("the widget gets %v", config)
		}
		operator := identity.CookieName + "=" + hire(t, h.installation, h.tenant, "op-"+h.site[3:]+"@kowal.example", vault.Operator)
		if a := h.submits("/settings/chat", operator, form); a.status != http.StatusForbidden {
			t.Errorf("an operator changes settings: %d", a.status)
		}
	})
}

var shownSecret = regexp.MustCompile(`<code[^>]*>([A-Za-z0-9_-]{43})</code>`)

func TestASecretForSigningIsShownOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		made := h.submits("/settings/chat/keys", h.cookie, nil)
		found := shownSecret.FindSubmatch(made.body)
		if found == nil {
			t.Fatalf("%d: no secret is shown", made.status)
		}
		if again := h.ask("GET", "/settings/chat", "", nil, "Cookie", h.cookie); strings.Contains(string(again.body), string(found[1])) {
			t.Error("the secret is shown again")
		}
		keys, err := h.Identity.SigningKeyList(t.Context(), h.owner)
		must(t, err)
		if v := h.visitor(object{"token": signed(keys[0].ID, string(found[1]), nil, nil)}); !v.verified {
			t.Error("what is signed with it is not believed")
		}
		h.submits("/settings/chat/keys/remove", h.cookie, url.Values{"kid": {keys[0].ID}})
		a := h.ask("POST", "/widget/v1/sessions", "", h.beginning(object{"token": signed(keys[0].ID, string(found[1]), nil, nil)}))
		refused(t, a, "unauthenticated")
	})
}

func TestTheAPIReadsAndChangesTheSettings(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		got := h.ask("GET", "/v1/webchat/settings", "", nil, "Cookie", h.cookie).json(t)
		if got["color_scheme"] != "auto" || got["enforced"] != false {
			t.Errorf("read %v", got)
		}
		body := object{"color_scheme": "light", "enforced": true, "no_files": false, "reply_time": "within a day"}
		h.ask("PUT", "/v1/webchat/settings", "", body, "Cookie", h.cookie).json(t)
		set, err := h.WebChat.Settings(t.Context(), h.owner)
		must(t, err)
		if !set.Enforced || set.ColorScheme != "light" || set.ReplyTime != "within a day" {
			t.Errorf("stored %+v", set)
		}
		body["color_scheme"] = "pink"
		refused(t, h.ask("PUT", "/v1/webchat/settings", "", body, "Cookie", h.cookie), "invalid")
		refused(t, h.ask("GET", "/v1/webchat/settings", "", nil), "unauthenticated")
	})
}
