package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/errs"
	"aver/frame/page/pagetest"
	"aver/trust/identity"
	"aver/vault"
)

func TestTheOwnerOfANewWorkspaceSetsAPasswordAndIsIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token, err := h.identity.Invite(t.Context(), identity.System(h.Tenant, "command"), "", vault.Owner)
		must(t, err)
		c := h.caller()
		shown := c.get("/setup/" + token)
		pagetest.Check(t, shown.body)
		if shown.status != 200 || !strings.Contains(shown.body, "Set up acme") || !strings.Contains(shown.body, `name="email"`) {
			t.Fatalf("the set-up page: %d", shown.status)
		}
		refused := c.post("/setup/"+token, values("email", "nonsense", "name", "", "password", "short"))
		pagetest.Check(t, refused.body)
		for _, want := range []string{"Write an e-mail address", "Write the name", "at least 15 characters", `value="nonsense"`} {
			if refused.status != 422 || !strings.Contains(refused.body, want) {
				t.Errorf("a bad form: %d, want 422 with %q", refused.status, want)
			}
		}
		done := c.post("/setup/"+token, values("email", "ada@kowal.example", "name", "Ada", "password", password))
		if done.status != http.StatusSeeOther || done.header.Get("Location") != "/inbox" {
			t.Fatalf("a good form: %d to %q\n%s", done.status, done.header.Get("Location"), done.body)
		}
		cookie := done.header.Get("Set-Cookie")
		for _, want := range []string{"__Host-aver=avs_", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(cookie, want) || strings.Contains(cookie, "Domain") {
				t.Errorf("the cookie %q lacks %s", cookie, want)
			}
		}
		if who := c.actor(); !who.Has(vault.Owner) || who.Tenant() != h.Tenant {
			t.Error("the session is not the owner's")
		}
		if again := c.get("/setup/" + token); again.status != 404 || !strings.Contains(again.body, "This link does not work") {
			t.Errorf("the link after its use: %d", again.status)
		}
	})
}

func TestSixtyFourAcceptsOfOneInvitationMakeOneUser(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token, err := h.identity.Invite(t.Context(), identity.System(h.Tenant, "test"), "ada@kowal.example", vault.Operator)
		must(t, err)
		var all sync.WaitGroup
		in := make(chan answer, 64)
		for range 64 {
			c := h.caller()
			all.Go(func() { in <- c.post("/invite/"+token, values("name", "Ada", "password", password)) })
		}
		all.Wait()
		close(in)
		counts := map[int]int{}
		for a := range in {
			counts[a.status]++
		}
		if counts[303] != 1 || counts[404] != 63 {
			t.Errorf("answers by status: %v, want one 303 and 63 times 404", counts)
		}
		if n := len(h.users()); n != 1 {
			t.Errorf("%d users", n)
		}
		if a := h.caller().post("/login", values("email", "ada@kowal.example", "password", password)); a.status != 303 {
			t.Errorf("the one who came in cannot sign in again: %d", a.status)
		}
	})
}

func TestWhoIsUnknownAndWhoIsWrongLookTheSame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.hire("ada@kowal.example", vault.Operator)
		h.hire("gone@kowal.example", vault.Operator)
		owner := h.hire("own@kowal.example", vault.Owner)
		must(t, h.identity.Disable(t.Context(), owner.actor(), h.users()["gone@kowal.example"].ID))
		try := func(email, password string) answer {
			return h.caller().post("/login", values("email", email, "password", password))
		}
		wrong := try("ada@kowal.example", "three old bicycles in sun!")
		if wrong.status != http.StatusUnauthorized || wrong.header.Get("Set-Cookie") != "" {
			t.Fatalf("a wrong password: %d", wrong.status)
		}
		for name, a := range map[string]answer{"an unknown address": try("abc@kowal.example", password), "a disabled account": try("gone@kowal.example", password)} {
			same := strings.NewReplacer("abc@", "ada@", "gone@", "ada@")
			if a.status != wrong.status || same.Replace(blank(a.body)) != blank(wrong.body) {
				t.Errorf("%s differs from a wrong password: %d, %d bytes and %d", name, a.status, len(a.body), len(wrong.body))
			}
		}
	})
}

// blank removes what is fresh in every answer: the nonces.
func blank(body string) string {
	for _, part := range strings.Split(body, `nonce="`)[1:] {
		nonce, _, _ := strings.Cut(part, `"`)
		body = strings.ReplaceAll(body, nonce, "")
	}
	return body
}

func TestSigningInStartsANewSessionAndEndsTheOld(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.hire("ada@kowal.example", vault.Operator)
		c := h.caller()
		at, _ := url.Parse(h.server.URL)
		planted := "avs_" + strings.Repeat("0", 32) + "_" + strings.Repeat("a", 52)
		c.http.Jar.SetCookies(at, []*http.Cookie{{Name: identity.CookieName, Value: planted, Secure: true, Path: "/"}})
		c.post("/login", values("email", "ada@kowal.example", "password", password))
		first := c.session()
		if first == planted || first == "" {
			t.Fatal("the session that was planted is the one in use")
		}
		c.post("/login", values("email", "ADA@kowal.example ", "password", password))
		if c.session() == first || h.alive(first) || !h.alive(c.session()) {
			t.Error("signing in again did not replace the session")
		}
		out := c.post("/logout", values())
		if out.status != 303 || out.header.Get("Location") != "/login" || out.header.Get("Clear-Site-Data") != `"cache", "storage"` || c.session() != "" {
			t.Errorf("signing out: %d to %q, %q", out.status, out.header.Get("Location"), out.header.Get("Clear-Site-Data"))
		}
	})
}

func TestAfterSigningOutTheOldCookieIsNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.hire("ada@kowal.example", vault.Operator)
		token := c.session()
		if !h.alive(token) {
			t.Fatal("the session does not work")
		}
		c.post("/logout", values())
		if h.alive(token) {
			t.Error("the session works after signing out")
		}
	})
}

func TestTheDoorLeadsToPathsOfThisSiteOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.hire("ada@kowal.example", vault.Operator)
		for to, want := range map[string]string{"/contacts?q=a": "/contacts?q=a", "": "/inbox", "/": "/inbox", "//evil.example": "/inbox", "https://evil.example": "/inbox",
			`/\evil.example`: "/inbox", "/login?next=/login": "/inbox", "/\tx": "/inbox", "javascript:alert(1)": "/inbox"} {
			c := h.caller()
			if a := c.post("/login", values("email", "ada@kowal.example", "password", password, "next", to)); a.header.Get("Location") != want {
				t.Errorf("next %q leads to %q, want %q", to, a.header.Get("Location"), want)
			}
			if a := c.get("/"); a.header.Get("Location") != "/inbox" {
				t.Errorf("the first page of somebody signed in leads to %q", a.header.Get("Location"))
			}
		}
		if a := h.caller().get("/"); a.header.Get("Location") != "/login" {
			t.Errorf("the first page of nobody leads to %q", a.header.Get("Location"))
		}
		shown := h.caller().get("/login?next=/contacts")
		pagetest.Check(t, shown.body)
		if !strings.Contains(shown.body, `name="next" value="/contacts"`) {
			t.Error("the sign-in page forgets where one wanted to go")
		}
	})
}

func TestAProgramAsksWhoItIsAndWhoWorksHere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.hire("ada@kowal.example", vault.Owner)
		if a := ada.get("/v1/me"); a.status != 200 || !strings.Contains(a.body, `"kind":"user"`) || !strings.Contains(a.body, `"email":"ada@kowal.example"`) || !strings.Contains(a.body, `"slug":"acme"`) {
			t.Errorf("a user: %d %s", a.status, a.body)
		}
		token, c, err := h.identity.MakeKey(t.Context(), ada.actor(), "Shop", []string{"users:read"}, 0)
		must(t, err)
		program := func(path string) answer { return h.caller().do("GET", path, nil, "Authorization", "Bearer "+token) }
		if a := program("/v1/me"); a.status != 200 || !strings.Contains(a.body, `"kind":"key"`) || !strings.Contains(a.body, c.ID.String()) || strings.Contains(a.body, "kowal.example") {
			t.Errorf("a key: %d %s", a.status, a.body)
		}
		for _, path := range []string{"/v1/admins", "/v1/admins/" + h.users()["ada@kowal.example"].ID.String()} {
			if a := program(path); a.status != 200 || !strings.Contains(a.body, `"roles":["owner"]`) || strings.Contains(a.body, "argon2") {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
		}
	})
}

func TestWhoIsStillConnectedIsWhoTheyAreByNow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner, ben := h.hire("own@kowal.example", vault.Owner).actor(), h.hire("ben@kowal.example", vault.Operator).actor()
		must(t, h.identity.SetRoles(t.Context(), owner, ben.User(), vault.Auditor))
		now, err := h.identity.Again(t.Context(), ben)
		if err != nil || now.User() != ben.User() || !now.Has(vault.Auditor) || now.Has(vault.Operator) {
			t.Errorf("after a change of roles: %v, %v", now.Roles(), err)
		}
		for range 13 { // asked every hour, and nothing else done
			h.Clock.Advance(time.Hour)
			_, err = h.identity.Again(t.Context(), ben)
		}
		if !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("an open page keeps a session alive: %v", err)
		}
		session := h.again("own@kowal.example").actor()
		must(t, h.identity.SignOut(t.Context(), session))
		if _, err := h.identity.Again(t.Context(), session); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("after signing out: %v", err)
		}
	})
}
