package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/page/pagetest"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
)

func TestEverySettingsPageIsSound(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.hire("ada@kowal.example", vault.Owner)
		operator := h.hire("ben@kowal.example", vault.Operator)
		owner.post("/settings/team/invite", values("email", "eve@kowal.example", "roles", "auditor"))
		owner.post("/settings/keys", values("name", "Shop", "scopes", "users:read", "life", "30"))
		ben := h.users()["ben@kowal.example"].ID.String()
		for _, path := range []string{"/settings", "/settings/profile", "/settings/team", "/settings/team/invite", "/settings/team/" + ben, "/settings/keys", "/settings/keys/new", "/settings/roles"} {
			a := owner.get(path)
			if a.status != 200 || strings.Contains(a.body, "[") && regexp.MustCompile(`>\[[a-z.]+\]<`).MatchString(a.body) {
				t.Errorf("%s for an owner: %d", path, a.status)
			}
			pagetest.Check(t, a.body)
			if a := h.caller().get(path); a.status != http.StatusUnauthorized {
				t.Errorf("%s for nobody: %d", path, a.status)
			}
		}
		for path, want := range map[string]int{"/settings": 200, "/settings/team": 200, "/settings/keys": 403, "/settings/keys/new": 403, "/settings/team/invite": 403} {
			if a := operator.get(path); a.status != want {
				t.Errorf("%s for an operator: %d, want %d", path, a.status, want)
			}
		}
		if a := operator.get("/settings"); strings.Contains(a.body, "/settings/keys") || !strings.Contains(a.body, "/settings/team") {
			t.Error("the list of settings shows an operator what would be refused, or hides what would not")
		}
	})
}

func TestAnInvitationIsShownOnceAndMailed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.hire("ada@kowal.example", vault.Owner)
		made := owner.post("/settings/team/invite", values("email", "ben@kowal.example", "roles", "operator", "roles", "dpo"))
		link := regexp.MustCompile(`https://[^/"]+(/invite/avi_[a-z0-9_]+)`).FindStringSubmatch(made.body)
		if made.status != http.StatusCreated || link == nil {
			t.Fatalf("inviting: %d", made.status)
		}
		if letter := h.letters[len(h.letters)-1]; letter.To.Reveal() != "ben@kowal.example" || !strings.Contains(letter.Text, link[0]) {
			t.Errorf("the letter goes to %q and says %q", letter.To.Reveal(), letter.Text)
		}
		if a := owner.get("/settings/team"); strings.Contains(a.body, "avi_") || !strings.Contains(a.body, "ben@kowal.example") {
			t.Error("the list shows the link again, or not whom it is for")
		}
		ben := h.caller()
		if a := ben.post(link[1], values("name", "Ben", "password", password)); a.status != 303 {
			t.Fatalf("accepting: %d", a.status)
		}
		if got := ben.actor().Roles(); fmt.Sprint(got) != "[operator dpo]" {
			t.Errorf("the roles are %v", got)
		}
		for name, form := range map[string][]string{"no role": {"email", "eve@kowal.example"}, "no such role": {"email", "eve@kowal.example", "roles", "king"},
			"no address": {"email", "eve", "roles", "operator"}, "somebody who is here": {"email", "ben@kowal.example", "roles", "operator"}} {
			if a := owner.post("/settings/team/invite", values(form...)); a.status != 422 && a.status != 409 || strings.Contains(a.body, "avi_") {
				t.Errorf("%s: %d", name, a.status)
			}
		}
	})
}

func TestAWithdrawnOrExpiredInvitationIsNoGood(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.hire("ada@kowal.example", vault.Owner).actor()
		one, err := h.identity.Invite(t.Context(), owner, "ben@kowal.example", vault.Operator)
		must(t, err)
		two, err := h.identity.Invite(t.Context(), owner, "eve@kowal.example", vault.Operator)
		must(t, err)
		open, err := h.identity.Invitations(t.Context(), owner)
		must(t, err)
		if len(open) != 2 {
			t.Fatalf("%d invitations are open", len(open))
		}
		for _, c := range open {
			if c.Email == "ben@kowal.example" {
				must(t, h.identity.Withdraw(t.Context(), owner, c.ID))
			}
		}
		h.Clock.Advance(72 * time.Hour)
		for name, token := range map[string]string{"withdrawn": one, "expired": two} {
			if a := h.caller().post("/invite/"+token, values("name", "Ben", "password", password)); a.status != 404 {
				t.Errorf("%s: %d", name, a.status)
			}
		}
	})
}

func TestRolesCountAtOnceAndOnlyOwnersTouchOwners(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.hire("own@kowal.example", vault.Owner)
		admin := h.hire("adm@kowal.example", vault.Administrator)
		ben := h.hire("ben@kowal.example", vault.Operator)
		at := func(email, act string) string { return "/settings/team/" + h.users()[email].ID.String() + "/" + act }
		changed := 0
		h.identity.OnRightsChanged(func(tenant ids.Tenant, person ids.Subject) {
			if tenant == h.Tenant && person == h.users()["ben@kowal.example"].Person {
				changed++
			}
		})
		if a := admin.post(at("ben@kowal.example", "roles"), values("roles", "administrator")); a.status != 303 || changed != 1 {
			t.Errorf("an administrator makes another: %d, told %d times", a.status, changed)
		}
		if a := ben.get("/settings/keys"); a.status != 200 {
			t.Errorf("the new role does not count at once: %d", a.status)
		}
		for name, a := range map[string]answer{
			"an administrator makes an owner":            admin.post(at("ben@kowal.example", "roles"), values("roles", "owner")),
			"an administrator unmakes an owner":          admin.post(at("own@kowal.example", "roles"), values("roles", "operator")),
			"an administrator disables an owner":         admin.post(at("own@kowal.example", "disable"), values()),
			"an administrator invites an owner":          admin.post("/settings/team/invite", values("email", "x@kowal.example", "roles", "owner")),
			"an administrator makes themselves an owner": admin.post(at("adm@kowal.example", "roles"), values("roles", "owner", "roles", "administrator")),
			"the last owner stops being one":             owner.post(at("own@kowal.example", "roles"), values("roles", "operator")),
			"the last owner disables their own account":  owner.post(at("own@kowal.example", "disable"), values()),
			"somebody who does not exist gets a role":    owner.post("/settings/team/"+ids.NewUser(time.Now()).String()+"/roles", values("roles", "operator")),
			"an identifier that is none":                 owner.post("/settings/team/nonsense/roles", values("roles", "operator")),
		} {
			if a.status != 403 && a.status != 404 && a.status != 409 {
				t.Errorf("%s: %d", name, a.status)
			}
		}
		if u := h.users()["own@kowal.example"]; u.Roles != "owner" || !u.DisabledAt.IsZero() {
			t.Errorf("the owner is now %s", u.Roles)
		}
	})
}

func TestADisabledUserIsOutEverywhereAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.hire("own@kowal.example", vault.Owner)
		h.hire("ben@kowal.example", vault.Operator)
		ben := h.users()["ben@kowal.example"]
		var places []*caller
		for range 3 {
			c := h.caller()
			c.post("/login", values("email", "ben@kowal.example", "password", password))
			places = append(places, c)
		}
		var told []ids.Subject
		h.identity.OnRevoked(func(_ ids.Tenant, _ ids.Credential, person ids.Subject) { told = append(told, person) })
		owner.post("/settings/team/"+ben.ID.String()+"/disable", values())
		for _, c := range places {
			if c.get("/settings").status != http.StatusUnauthorized {
				t.Error("a session of a disabled user works")
			}
		}
		if len(told) != 1 || told[0] != ben.Person {
			t.Errorf("those who hold sockets were told %v", told)
		}
		owner.post("/settings/team/"+ben.ID.String()+"/enable", values())
		if a := h.caller().post("/login", values("email", "ben@kowal.example", "password", password)); a.status != 303 {
			t.Errorf("after enabling: %d", a.status)
		}
	})
}

// works tells whether an API key still counts.
func (h *house) works(key string) bool {
	h.t.Helper()
	return h.caller().do("GET", "/v1/me", nil, "Authorization", "Bearer "+key).status == http.StatusOK
}

func TestWhatALeaverHasMadeEndsWithTheirAccount(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner, ben := h.hire("own@kowal.example", vault.Owner), h.hire("ben@kowal.example", vault.Administrator)
		keys, links := map[string]string{}, map[string]string{}
		bens := ids.Credential{}
		for name, c := range map[string]*caller{"ben": ben, "own": owner} {
			key, made, err := h.identity.MakeKey(t.Context(), c.actor(), name, []string{"users:read"}, 0)
			must(t, err)
			if name == "ben" {
				bens = made.ID
			}
			keys[name] = key
			links[name], err = h.identity.Invite(t.Context(), c.actor(), "invited-by-"+name+"@kowal.example", vault.Administrator)
			must(t, err)
		}
		var told []ids.Credential
		h.identity.OnRevoked(func(_ ids.Tenant, credential ids.Credential, _ ids.Subject) {
			if !credential.IsZero() {
				told = append(told, credential)
			}
		})
		owner.post("/settings/team/"+h.users()["ben@kowal.example"].ID.String()+"/disable", values())
		if h.works(keys["ben"]) || !h.works(keys["own"]) {
			t.Error("the leaver's key works, or a colleague's does not")
		}
		if len(told) != 1 || told[0] != bens {
			t.Errorf("those who hold connections were told %v, want %v", told, bens)
		}
		for name, want := range map[string]int{"ben": http.StatusNotFound, "own": http.StatusSeeOther} {
			if a := h.caller().post("/invite/"+links[name], values("name", "Eve", "password", password)); a.status != want {
				t.Errorf("accepting the invitation by %s: %d, want %d", name, a.status, want)
			}
		}
	})
}

func TestKeysAndInvitationsLastNoLongerThanTheRightToMakeThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.hire("own@kowal.example", vault.Owner)
		second := h.hire("second@kowal.example", vault.Owner)
		key, _, err := h.identity.MakeKey(t.Context(), second.actor(), "Shop", []string{"users:read"}, 0)
		must(t, err)
		for email, role := range map[string]vault.Role{"an-owner@kowal.example": vault.Owner, "an-operator@kowal.example": vault.Operator} {
			_, err := h.identity.Invite(t.Context(), second.actor(), email, role)
			must(t, err)
		}
		for _, step := range []struct {
			becomes string
			works   bool
			open    string
		}{
			{"administrator", true, "an-operator@kowal.example"}, // who makes no owners
			{"operator", false, ""},                              // who makes neither
		} {
			at := "/settings/team/" + h.users()["second@kowal.example"].ID.String() + "/roles"
			if a := owner.post(at, values("roles", step.becomes)); a.status != http.StatusSeeOther {
				t.Fatalf("making them %s: %d", step.becomes, a.status)
			}
			if h.works(key) != step.works {
				t.Errorf("the key of somebody who is now %s works: %v", step.becomes, !step.works)
			}
			all, err := h.identity.Invitations(t.Context(), owner.actor())
			must(t, err)
			open := ""
			for _, c := range all {
				open += c.Email
			}
			if open != step.open {
				t.Errorf("open invitations of somebody who is now %s: %q, want %q", step.becomes, open, step.open)
			}
		}
	})
}

func TestAChangedPasswordEndsEverySession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada := h.hire("ada@kowal.example", vault.Operator)
		elsewhere := h.caller()
		elsewhere.post("/login", values("email", "ada@kowal.example", "password", password))
		before := ada.session()
		if a := ada.post("/settings/profile/password", values("old", "not the present one", "password", "a new one with five words")); a.status != 422 || !strings.Contains(a.body, "not your present password") {
			t.Errorf("with a wrong present password: %d", a.status)
		}
		if a := ada.post("/settings/profile/password", values("old", password, "password", "short")); a.status != 422 || !h.alive(before) {
			t.Errorf("with a short new password: %d", a.status)
		}
		if a := ada.post("/settings/profile/password", values("old", password, "password", "a new one with five words")); a.status != 303 {
			t.Fatalf("changing: %d", a.status)
		}
		if h.alive(before) || h.alive(elsewhere.session()) || ada.session() == before || !h.alive(ada.session()) {
			t.Error("an old session lives, or the new one does not")
		}
		if a := h.caller().post("/login", values("email", "ada@kowal.example", "password", password)); a.status != 401 {
			t.Errorf("the old password: %d", a.status)
		}
		if a := h.caller().post("/login", values("email", "ada@kowal.example", "password", "a new one with five words")); a.status != 303 {
			t.Errorf("the new password: %d", a.status)
		}
	})
}

func TestSessionsAreListedAndEndedByTheirOwnerOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ada, ben := h.hire("ada@kowal.example", vault.Operator), h.hire("ben@kowal.example", vault.Owner)
		phone := h.caller()
		phone.do("POST", "/login", values("email", "ada@kowal.example", "password", password), "User-Agent", "Mozilla/5.0 (Android 15; Mobile) Gecko/140.0 Firefox/140.0")
		if a := ada.get("/settings/profile"); !strings.Contains(a.body, "Firefox on Android") || strings.Count(a.body, `name="session"`) != 1 {
			t.Error("the list does not show the other session, or offers to end this one")
		}
		id := phone.actor().Credential().String()
		if a := ben.post("/settings/profile/sessions", values("session", id)); a.status != 404 || !h.alive(phone.session()) {
			t.Errorf("somebody else's session: %d", a.status)
		}
		if a := ada.post("/settings/profile/sessions", values("session", id)); a.status != 303 || h.alive(phone.session()) {
			t.Errorf("one's own session: %d", a.status)
		}
	})
}

func TestASessionEndsUnusedAndInAnyCase(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		idle, busy := h.hire("ada@kowal.example", vault.Operator), h.hire("ben@kowal.example", vault.Operator)
		for hours := 0; hours < 7*24; hours += 6 {
			if !h.alive(busy.session()) {
				t.Fatalf("a session in use ended after %d hours", hours)
			}
			h.Clock.Advance(6 * time.Hour)
		}
		if h.alive(busy.session()) {
			t.Error("a session lives for more than 7 days")
		}
		if h.alive(idle.session()) {
			t.Error("an unused session lives for more than 12 hours")
		}
	})
}

func TestAKeyIsShownOnceAndDoesWhatItsScopesSay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.hire("own@kowal.example", vault.Owner)
		made := owner.post("/settings/keys", values("name", "Shop", "scopes", "users:read", "life", "30"))
		token := regexp.MustCompile(`avk_[a-z0-9_]+`).FindString(made.body)
		if made.status != http.StatusCreated || token == "" {
			t.Fatalf("making a key: %d", made.status)
		}
		as := func() (vault.Actor, error) {
			r, _ := http.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			return h.identity.Authenticate(r)
		}
		if a := owner.get("/settings/keys"); strings.Contains(a.body, "avk_") || !strings.Contains(a.body, "Shop") || !strings.Contains(a.body, ">never<") {
			t.Error("the list shows the key again, or not its name, or a use that was none")
		}
		h.Clock.Advance(time.Second)
		program, err := as()
		must(t, err)
		if a := owner.get("/settings/keys"); strings.Contains(a.body, ">never<") {
			t.Error("the first use is not shown")
		}
		if _, err := h.identity.List(t.Context(), program); err != nil {
			t.Errorf("a key with the scope: %v", err)
		}
		if _, err := h.identity.Keys(t.Context(), program); !errs.Is(err, errs.Forbidden) {
			t.Errorf("a key without the scope: %v", err)
		}
		h.Clock.Advance(30 * 24 * time.Hour)
		if _, err := as(); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("after its term: %v", err)
		}
		if a := owner.post("/settings/keys/"+program.Credential().String()+"/revoke", values()); a.status != http.StatusUnauthorized {
			t.Errorf("the owner's session outlived its own term: %d", a.status)
		}
		for name, form := range map[string][]string{"no name": {"scopes", "users:read"}, "no scope": {"name", "x"}, "a scope that does not exist": {"name", "x", "scopes", "all:all"}} {
			if a := h.again("own@kowal.example").post("/settings/keys", values(form...)); a.status != 422 || strings.Contains(a.body, "avk_") {
				t.Errorf("%s: %d", name, a.status)
			}
		}
	})
}

func TestARevokedKeyIsRefusedFromTheNextCallOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.hire("own@kowal.example", vault.Owner)
		token, c, err := h.identity.MakeKey(t.Context(), owner.actor(), "Shop", []string{"users:read"}, 0)
		must(t, err)
		if a := owner.post("/settings/keys/"+c.ID.String()+"/revoke", values()); a.status != 303 {
			t.Fatalf("revoking: %d", a.status)
		}
		r, _ := http.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		if _, err := h.identity.Authenticate(r); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("a revoked key: %v", err)
		}
	})
}

func TestNoShortenedTokenCounts(t *testing.T) {
	t.Parallel()
	h := build(t, vaulttest.Embedded(t, config(t)))
	ctx := t.Context()
	ada := h.hire("ada@kowal.example", vault.Owner)
	key, _, err := h.identity.MakeKey(ctx, ada.actor(), "Shop", []string{"users:read"}, 0)
	must(t, err)
	visitor, err := h.identity.IssueVisitor(ctx, h.Tenant, ids.NewSubject(time.Now()), false)
	must(t, err)
	invitation, err := h.identity.Invite(ctx, ada.actor(), "ben@kowal.example", vault.Operator)
	must(t, err)
	bearer := func(token string) error {
		r, _ := http.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		_, err := h.identity.Authenticate(r)
		return err
	}
	checks := map[string]func(string) bool{
		ada.session(): h.alive,
		key:           func(s string) bool { return bearer(s) == nil },
		visitor:       func(s string) bool { _, err := h.identity.Visitor(ctx, s); return err == nil },
		invitation:    func(s string) bool { _, _, err := h.identity.Invited(ctx, s); return err == nil },
	}
	for token, counts := range checks {
		if !counts(token) {
			t.Errorf("%.4s…: the whole token does not count", token)
		}
		for n := range token {
			if counts(token[:n]) {
				t.Errorf("%.4s…: the first %d of %d letters count", token, n, len(token))
			}
			changed := token[:n] + string(token[n]^1) + token[n+1:]
			if counts(changed) {
				t.Errorf("%.4s…: it counts with letter %d changed", token, n)
			}
		}
		for other, takes := range checks {
			if other != token && takes(token) {
				t.Errorf("%.4s… is taken for %.4s…", token, other)
			}
		}
	}
}

func TestAHugePasswordIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.hire("ada@kowal.example", vault.Operator)
		huge := strings.Repeat("long ", 200<<10)
		for _, email := range []string{"ada@kowal.example", "abc@kowal.example"} {
			if a := h.caller().post("/login", values("email", email, "password", huge)); a.status != 401 {
				t.Errorf("signing in: %d", a.status)
			}
		}
		token, err := h.identity.Invite(t.Context(), identity.System(h.Tenant, "test"), "ben@kowal.example", vault.Operator)
		must(t, err)
		if a := h.caller().post("/invite/"+token, values("name", "Ben", "password", huge)); a.status != 422 || !strings.Contains(a.body, "at most 256 bytes") {
			t.Errorf("accepting: %d", a.status)
		}
	})
}

func TestAfterFiveWrongPasswordsOneWaits(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.hire("ada@kowal.example", vault.Operator)
		try := func(password string) int {
			return h.caller().post("/login", values("email", "ada@kowal.example", "password", password)).status
		}
		for range 6 {
			try("some wrong password")
		}
		if got := try(password); got != 401 {
			t.Errorf("the right password during the wait: %d", got)
		}
		h.Clock.Advance(16 * time.Minute)
		if got := try(password); got != 303 {
			t.Errorf("the right password after the wait: %d", got)
		}
	})
}

func TestThePageOfRightsSaysWhatTheVaultDoes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		shown := h.hire("ada@kowal.example", vault.Auditor).get("/settings/roles").body
		roles := []vault.Role{vault.Owner, vault.Administrator, vault.Operator, vault.DPO, vault.Auditor}
		rows := 0
		for _, action := range h.identity.Actions() {
			_, row, listed := strings.Cut(shown, `<td class="mono">`+action.Name()+`</td>`)
			row, _, _ = strings.Cut(row, "</tr>")
			cells := strings.Split(row, "<td>")
			for n, role := range roles {
				err := h.Vault.View(t.Context(), vaulttest.User(h.Tenant, role), action, func(*vault.Tx) error { return nil })
				if err != nil && !errs.Is(err, errs.Forbidden) {
					t.Fatal(err)
				}
				ticked := listed && strings.Contains(cells[n+1], "<svg")
				if ticked != (err == nil) {
					t.Errorf("%s for %s: the page says %v, the vault %v", action.Name(), role, ticked, err)
				}
			}
			if listed {
				rows++
			}
		}
		if rows < 15 {
			t.Errorf("only %d actions are listed", rows)
		}
	})
}
