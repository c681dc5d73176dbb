package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aver/base/eventually"
	"aver/trust/closing"
	"aver/trust/identity"
	"aver/vault/postgres/pgtest"
)

func TestAWorkspaceThatItsOwnerClosesIsClosedInEveryProcessAtOnce(t *testing.T) {
	t.Parallel()
	both := installed(t, pgtest.Start(t), true, 2)
	one, other := both[0], both[1]
	tenant, _, cookie := one.workspace()
	token, _ := one.visitor(tenant)
	conv := one.says(token, "words before the end")
	hears, hearsToo := one.follows(token, conv), other.follows(token, conv)

	send := func(confirm string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", one.base+"/settings/close", strings.NewReader(url.Values{"confirm": {confirm}}.Encode()))
		must(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", one.base)
		r.Header.Set("Cookie", cookie)
		res, err := (&http.Client{Transport: client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
		must(t, err)
		res.Body.Close()
		return res
	}
	if res := send("kowa"); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("another name was typed: %d", res.StatusCode)
	}
	res := send("kowal")
	link := res.Header.Get("Location")
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(link, "/closed/") {
		t.Fatalf("closing answered %d, %q", res.StatusCode, link)
	}
	hears("closed", "")
	hearsToo("closed", "")
	for _, p := range both {
		eventually.Must(t, "the other process knows", func() bool { _, err := p.Vault.Tenant(t.Context(), tenant); return err != nil })
		for what, wrong := range map[string]func() bool{
			"the session": func() bool {
				s, _ := p.ask("GET", "/v1/conversations", nil, "Cookie", cookie)
				return s != http.StatusUnauthorized
			},
			"the visitor": func() bool {
				s, _ := p.ask("POST", "/widget/v1/send", object{"op": "send", "client_id": "1", "text": "x"}, "Authorization", "Bearer "+token)
				return s != http.StatusUnauthorized
			},
			"the portal": func() bool { s, _ := p.ask("GET", "/my-data/kowal", nil); return s != http.StatusNotFound },
			"Aver's own": func() bool {
				return p.Vault.Permit(t.Context(), identity.System(tenant, "test"), p.Identity.Actions()[0]) == nil
			},
			"no such link":  func() bool { s, _ := p.ask("GET", "/closed/guessed", nil); return s != http.StatusNotFound },
			"the link":      func() bool { s, _ := p.ask("GET", link, nil); return s != http.StatusOK },
			"the paper yet": func() bool { s, _ := p.ask("GET", link+"/certificate.json", nil); return s != http.StatusNotFound },
		} {
			eventually.Must(t, what+" is answered as it should be", func() bool { return !wrong() })
		}
	}
	if _, err := one.Closing.Reopen(t.Context(), "kowal"); err != nil {
		t.Fatal(err)
	}
	eventually.Must(t, "the session counts again", func() bool {
		s, _ := other.ask("GET", "/v1/conversations", nil, "Cookie", cookie)
		return s == http.StatusOK
	})
	_, secret, err := other.Closing.Close(t.Context(), identity.System(tenant, "test"), 0, "")
	must(t, err)
	began := time.Now()
	_, err = other.Closing.Destroy(t.Context(), tenant)
	must(t, err)
	t.Logf("destroyed in %s", time.Since(began))
	if left, err := one.Closing.Look(t.Context(), tenant); err != nil || left != (closing.Remains{}) {
		t.Errorf("the first process finds %+v, %v", left, err)
	}
	if s, out := one.ask("GET", "/closed/"+secret+"/certificate.json", nil); s != http.StatusOK || out["certificate"] == nil {
		t.Errorf("the certificate: %d", s)
	}
}
