package probes

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aver/frame/claim"
	"aver/trust/canary"
	"aver/trust/canary/attack"
	"aver/trust/canary/inside"
	"aver/trust/identity"
	"aver/trust/probes/world"
)

// credentials is enc-8, as far as it is built: what a browser gets, and where calls may go.
func credentials(w view) claim.Claim {
	return claim.Claim{
		ID: "enc-8", Theme: world.Encryption, Owner: world.Security, Every: world.Hourly,
		Wording:   "No page or list repeats a credential: {pages} pages and answers read, {found} held one; {refused} calls to hosts that are not registered tried and refused",
		Predicate: "At least nine in ten of the pages and lists that are asked for are answered with what they hold, no page and no answer that the canary's owner can read holds the canary's session, key, visitor's token or password, and every call to a host that is not in the register is refused before a connection is opened.",
		Method:    "The probe signs in as the canary's owner, reads every page and every list, and asks the door to the outside world for hosts that nobody registered.",
		Refs:      claim.References{ISO: []string{"A.5.17", "A.8.12"}, SOC2: []string{"CC6.1", "CC6.6"}, GDPR: []string{"32(1)(b)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			side, err := w.Canaries.Await(ctx, canary.South)
			if err != nil {
				return claim.Evidence{}, err
			}
			e, err := judgeAnswers(ctx, w.Canaries.Door(), side.Callers, w.Pages(), side.Cookie, side.Key, side.Token, side.Password.Reveal())
			if err != nil {
				return e, err
			}
			tried, out := tryStrangers(ctx, w.Egress)
			e.See(out == 0, "calls to hosts that nobody registered", "%d tried, %d let out", tried, out)
			e.Figure("refused", "%d", tried-out)
			return e, nil
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a page that shows an API key", func(ctx context.Context) (claim.Evidence, error) {
				door := inside.Open(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "your key: avk_fixturefixturefixture") }), "fixture")
				defer door.Close()
				return judgeAnswers(ctx, door, []attack.Caller{{Name: attack.Owner}}, []string{"/settings/keys"}, "avk_fixturefixturefixture")
			}),
			world.Fixture("pages that answer nobody", func(ctx context.Context) (claim.Evidence, error) {
				door := inside.Open(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(http.StatusUnauthorized) }), "fixture")
				defer door.Close()
				return judgeAnswers(ctx, door, []attack.Caller{{Name: attack.Owner}}, []string{"/inbox", "/contacts"}, "avs_fixturefixturefixture")
			}),
			world.Fixture("a header that repeats the session", func(ctx context.Context) (claim.Evidence, error) {
				door := inside.Open(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { rw.Header().Set("X-Debug", "avs_fixturefixturefixture") }), "fixture")
				defer door.Close()
				return judgeAnswers(ctx, door, []attack.Caller{{Name: attack.Owner}}, []string{"/inbox"}, "avs_fixturefixturefixture")
			}),
		},
	}
}

// getInTurn waits when the canaries have used up their owner's rate: the attack and the probes come as the same caller.
func getInTurn(ctx context.Context, door *inside.Door, path string, header http.Header) (a inside.Answer, err error) {
	for range 5 {
		if a, err = door.Get(ctx, path, header); err != nil || a.Status != http.StatusTooManyRequests {
			return a, err
		}
		seconds, _ := strconv.Atoi(a.Header.Get("Retry-After")) // at least one; zero asks again at once
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-ctx.Done():
			return a, ctx.Err()
		}
	}
	return a, nil
}

func judgeAnswers(ctx context.Context, door *inside.Door, callers []attack.Caller, pages []string, secrets ...string) (claim.Evidence, error) {
	e, asked, read := world.Evidence(), 0, 0
	marks := attack.NewMarks(secrets...)
	var found []string
	for _, c := range callers {
		for _, path := range pages {
			if c.Name == attack.Visitor || c.Name == attack.Key && !strings.HasPrefix(path, "/v1/") {
				continue
			}
			a, err := getInTurn(ctx, door, path, c.Header)
			if err != nil {
				return e, fmt.Errorf("read %s: %w", path, err)
			}
			asked++
			if a.Status == http.StatusOK {
				read++
			}
			var all strings.Builder
			_ = a.Header.Write(&all) // a builder takes all
			if marks.Find(append([]byte(all.String()), a.Body...)) != "" {
				found = append(found, path)
			}
		}
	}
	e.See(read > 0 && 10*read >= 9*asked, "pages and lists that were asked for", "%d of %d answered with what they hold", read, asked)
	e.See(len(found) == 0, "pages and answers", "%d read, %d held a credential %s", read, len(found), strings.Join(found, " "))
	e.Figure("pages", "%d", read)
	e.Figure("found", "%d", len(found))
	return e, nil
}

// sessions is idn-8.
func sessions(w view) claim.Claim {
	cookie := func(set string) func(context.Context) (claim.Evidence, error) {
		return func(ctx context.Context) (claim.Evidence, error) {
			door := inside.Open(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					rw.Header().Set("Set-Cookie", set)
					rw.WriteHeader(http.StatusSeeOther)
				}
			}), "fixture")
			defer door.Close()
			return judgeSession(ctx, door, url.Values{})
		}
	}
	return claim.Claim{
		ID: "idn-8", Theme: world.Identities, Owner: world.Security, Every: world.Hourly,
		Wording:   "A session is a cookie that scripts cannot read ({cookie}); {scripts} scripts of the console read, {storing} keep anything in the browser",
		Predicate: "Signing in sets exactly one cookie that is HttpOnly, Secure, SameSite=Lax, bound to this host by its name and without a Domain, and the scripts that the console's pages name all come and none mentions localStorage or sessionStorage.",
		Method:    "The probe signs in as the canary's owner by the form that people use, then reads every script that the pages load.",
		Refs:      claim.References{ISO: []string{"A.8.5"}, SOC2: []string{"CC6.1"}, GDPR: []string{"32(1)(b)"}},
		Probe: func(ctx context.Context) (claim.Evidence, error) {
			side, err := w.Canaries.Await(ctx, canary.South)
			if err != nil {
				return claim.Evidence{}, err
			}
			return judgeSession(ctx, w.Canaries.Door(), url.Values{"email": {side.Email}, "password": {side.Password.Reveal()}, "workspace": {side.Slug}})
		},
		Fixtures: []claim.Fixture{
			world.Fixture("a cookie that scripts can read", cookie("__Host-aver=x; Path=/; Secure; SameSite=Lax")),
			world.Fixture("a cookie that travels without TLS", cookie("__Host-aver=x; Path=/; HttpOnly; SameSite=Lax")),
			world.Fixture("a cookie for every site's requests", cookie("__Host-aver=x; Path=/; Secure; HttpOnly; SameSite=None")),
			world.Fixture("a second cookie beside the session", console("let x", goodCookie, "seen=1; Path=/")),
			world.Fixture("a script that stores things in the browser", console("localStorage.setItem('token', token)", goodCookie)),
			world.Fixture("a script that does not come", console("", goodCookie)),
			world.Fixture("pages without a script", cookie(goodCookie)),
		},
	}
}

const goodCookie = "__Host-aver=x; Path=/; Secure; HttpOnly; SameSite=Lax"

// console is one with a script, and with the cookies that signing in sets.
func console(script string, cookies ...string) func(context.Context) (claim.Evidence, error) {
	return func(ctx context.Context) (claim.Evidence, error) {
		door := inside.Open(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodPost:
				for _, c := range cookies {
					rw.Header().Add("Set-Cookie", c)
				}
			case !strings.HasSuffix(r.URL.Path, ".js"):
				fmt.Fprint(rw, `<script src="/app.js"></script>`)
			case script == "":
				rw.WriteHeader(http.StatusNotFound)
			default:
				fmt.Fprint(rw, script)
			}
		}), "fixture")
		defer door.Close()
		return judgeSession(ctx, door, url.Values{})
	}
}

var scriptForm = regexp.MustCompile(`<script[^>]*\bsrc="([^"]+)"`)

func judgeSession(ctx context.Context, door *inside.Door, form url.Values) (claim.Evidence, error) {
	e := world.Evidence()
	a, err := door.Do(ctx, inside.Request{Method: http.MethodPost, Path: "/login", Body: []byte(form.Encode()), Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
	if err != nil {
		return e, fmt.Errorf("sign in: %w", err)
	}
	cookies := (&http.Response{Header: a.Header}).Cookies()
	session := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == identity.CookieName })
	e.See(session >= 0 && len(cookies) == 1, "signing in", "status %d, %d cookies", a.Status, len(cookies))
	if session < 0 {
		return e, nil
	}
	c := cookies[session]
	e.See(c.HttpOnly, "HttpOnly", "%v", c.HttpOnly)
	e.See(c.Secure, "Secure", "%v", c.Secure)
	e.See(c.SameSite == http.SameSiteLaxMode, "SameSite", "%s", sameSite(c))
	e.See(strings.HasPrefix(c.Name, "__Host-") && c.Domain == "" && c.Path == "/", "bound to this host", "%s, path %s", c.Name, c.Path)
	e.Figure("cookie", "%s", "HttpOnly, Secure, SameSite="+sameSite(c))
	return e, judgeScripts(ctx, door, inside.Cookie(c.Name, c.Value), &e)
}

func sameSite(c *http.Cookie) string {
	switch c.SameSite {
	case http.SameSiteLaxMode:
		return "Lax"
	case http.SameSiteStrictMode:
		return "Strict"
	case http.SameSiteNoneMode:
		return "None"
	}
	return "not set"
}

// judgeScripts reads every script that the console's pages load.
func judgeScripts(ctx context.Context, door *inside.Door, header http.Header, e *claim.Evidence) error {
	scripts := map[string]bool{}
	for _, path := range []string{"/inbox", "/contacts", "/settings", "/security", "/privacy", "/trust"} {
		a, err := door.Get(ctx, path, header)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		for _, m := range scriptForm.FindAllSubmatch(a.Body, -1) {
			scripts[string(m[1])] = true
		}
	}
	storing, missing := 0, 0
	for src := range scripts {
		a, err := door.Get(ctx, src, header)
		if err != nil {
			return fmt.Errorf("read a script: %w", err)
		}
		text := string(a.Body)
		if a.Status != http.StatusOK {
			missing++
		}
		if strings.Contains(text, "localStorage") || strings.Contains(text, "sessionStorage") {
			storing++
			e.See(false, src, "keeps things in the browser")
		}
	}
	e.See(len(scripts) > 0 && missing == 0, "scripts that the pages name", "%d, %d of them did not come", len(scripts), missing)
	e.See(storing == 0, "scripts of the console", "%d read, %d keep things in the browser", len(scripts), storing)
	e.Figure("scripts", "%d", len(scripts))
	e.Figure("storing", "%d", storing)
	return nil
}
