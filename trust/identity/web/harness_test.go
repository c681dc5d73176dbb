package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aver/frame/mail"
	"aver/frame/module"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/identity"
	"aver/trust/identity/web"
	"aver/vault"
	"aver/vault/vaulttest"
)

// house is an edge with the identity service behind it.
type house struct {
	*vaulttest.Kit
	t        *testing.T
	identity *identity.Service
	server   *httptest.Server
	handler  http.Handler
	letters  []mail.Message
}

// Send takes the letters that would go to the relay.
func (h *house) Send(_ context.Context, m mail.Message) error {
	h.letters = append(h.letters, m)
	return nil
}

// again signs a user in once more.
func (h *house) again(email string) *caller {
	c := h.caller()
	c.post("/login", values("email", email, "password", password))
	return c
}

const password = "three old bicycles in rain"

func config(t testing.TB) vaulttest.Config {
	t.Helper()
	return moduletest.Config(t, identity.New(nil).Module())
}

func each(t *testing.T, test func(*testing.T, *house)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, build(t, k)) })
}

func build(t *testing.T, k *vaulttest.Kit) *house {
	h := &house{Kit: k, t: t, identity: identity.New(k.Vault)}
	m := web.New(h.identity, h, k.Clock.Now).Module()
	h.identity.Compose([]module.Module{h.identity.Module(), m})
	mux := moduletest.Mux(m)
	mux.HandleFunc("GET /inbox", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the inbox") })
	h.handler = h.identify(mux)
	h.server = httptest.NewTLSServer(h.handler)
	t.Cleanup(h.server.Close)
	return h
}

// identify finds out who calls.
func (h *house) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := h.identity.Authenticate(r)
		answered := request.Handler(func(w http.ResponseWriter, r *http.Request) error {
			if err == nil {
				next.ServeHTTP(w, r)
			}
			return err
		})
		moduletest.Edge(answered, actor, page.View{Tenant: "Acme", Region: "eu", User: "Ada Kowal"}).ServeHTTP(w, r)
	})
}

// caller is a browser with a jar of its own. It does not follow redirects.
type caller struct {
	h    *house
	http *http.Client
}

func (h *house) caller() *caller {
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	c := *h.server.Client()
	c.Jar, c.CheckRedirect = jar, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &caller{h, &c}
}

// answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (c *caller) do(method, path string, form url.Values, headers ...string) answer {
	c.h.t.Helper()
	r, err := http.NewRequestWithContext(c.h.t.Context(), method, c.h.server.URL+path, strings.NewReader(form.Encode()))
	must(c.h.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(r)
	must(c.h.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(c.h.t, err)
	return answer{res.StatusCode, res.Header, string(body)}
}

func (c *caller) get(path string) answer { c.h.t.Helper(); return c.do("GET", path, nil) }
func (c *caller) post(path string, form url.Values) answer {
	c.h.t.Helper()
	return c.do("POST", path, form)
}

// session is the cookie's value, or empty.
func (c *caller) session() string {
	at, _ := url.Parse(c.h.server.URL)
	for _, k := range c.http.Jar.Cookies(at) {
		if k.Name == identity.CookieName {
			return k.Value
		}
	}
	return ""
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func values(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		out.Add(pairs[i], pairs[i+1])
	}
	return out
}

// hire makes a user with these roles through an invitation and returns their browser.
func (h *house) hire(email string, roles ...vault.Role) *caller {
	h.t.Helper()
	token, err := h.identity.Invite(h.t.Context(), identity.System(h.Tenant, "test"), email, roles...)
	must(h.t, err)
	c := h.caller()
	if a := c.post("/invite/"+token, values("name", "Ada Kowal", "password", password)); a.status != http.StatusSeeOther {
		h.t.Fatalf("accepting an invitation: %d %s", a.status, a.body)
	}
	return c
}

// actor is the caller as the service sees it.
func (c *caller) actor() vault.Actor {
	c.h.t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: identity.CookieName, Value: c.session()})
	actor, err := c.h.identity.Authenticate(r)
	must(c.h.t, err)
	return actor
}

func (h *house) users() map[string]identity.User {
	h.t.Helper()
	all, err := h.identity.List(h.t.Context(), vaulttest.User(h.Tenant, vault.Owner))
	must(h.t, err)
	out := map[string]identity.User{}
	for _, u := range all {
		out[u.Email.Reveal()] = u
	}
	return out
}

// alive tells whether a session token still counts.
func (h *house) alive(token string) bool {
	h.t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: identity.CookieName, Value: token})
	actor, err := h.identity.Authenticate(r)
	must(h.t, err)
	return actor.Kind() == vault.AsUser
}
