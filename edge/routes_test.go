package edge_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"aver/base/errs"
	"aver/edge"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
)

// sampler has a route of every class.
func sampler() module.Module {
	return module.Module{
		Name: "sampler",
		Routes: func(mux module.Mux) {
			for _, path := range []string{"/people", "/login", "/people/import", "/files/{file}", "/live", "/style.css", "/l.js", "/widget/frame", "/widget/v1/events"} {
				mux.HandleFunc("GET "+path, say("hello"))
			}
			mux.HandleFunc("POST /people", say("saved"))
			mux.HandleFunc("POST /login", say("in"))
			mux.HandleFunc("POST /people/import", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
			mux.HandleFunc("POST /widget/v1/send", say("sent"))
			mux.HandleFunc("POST /handover", say(""))
			mux.Handle("PUT /people", request.Handler(func(_ http.ResponseWriter, r *http.Request) error {
				_, err := io.ReadAll(r.Body)
				return err
			}))
		},
		Classes: map[string]module.Class{
			"/login": module.SignIn, "/handover": module.Handover, "/people/import": module.Upload, "/files/": module.Download, "/live": module.Live, "/style.css": module.Asset,
			"/l.js": module.Embed, "/widget/": module.Frame, "/widget/v1/": module.Widget,
		},
	}
}

func TestHeadersOfEveryRoute(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, sampler(), catalogue())
	everywhere := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=63072000",
	}
	seen := map[module.Class]bool{}
	for _, route := range d.server.Routes() {
		seen[route.Class] = true
		method, path, _ := strings.Cut(route.Pattern, " ")
		path = strings.NewReplacer("{file}", "file_1", "{id}", "itm_01jd0000000000000000000000", "{kind}", "invalid", "{code}", "not-found").Replace(path)
		answer := d.send(method, path, "", "Origin", d.https, "Sec-Fetch-Site", "same-origin")
		for name, want := range everywhere {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", route.Pattern, name, got)
			}
		}
		if !strings.Contains(answer.Header.Get("Permissions-Policy"), "camera=()") || answer.Header.Get("X-Request-Id") == "" || answer.Header.Get("Server") != "" {
			t.Errorf("%s: headers %v", route.Pattern, answer.Header)
		}
		checkClass(t, route, answer)
	}
	if len(seen) != 11 {
		t.Errorf("only the classes %v were seen", seen)
	}
}

// checkClass compares what differs between classes: policy, cache, who may embed.
func checkClass(t *testing.T, route edge.Route, answer reply) {
	t.Helper()
	policy, embeds := answer.Header.Get("Content-Security-Policy"), answer.Header.Get("Cross-Origin-Resource-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "base-uri 'none'") {
		t.Errorf("%s: policy %q", route.Pattern, policy)
	}
	if framed := strings.Contains(policy, "frame-ancestors *"); framed != (route.Class == module.Frame) || !framed && !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("%s: policy %q", route.Pattern, policy)
	}
	if foreign := embeds == "cross-origin"; foreign != (route.Class == module.Frame || route.Class == module.Embed) || !foreign && embeds != "same-origin" {
		t.Errorf("%s: resource policy %q", route.Pattern, embeds)
	}
	if sandboxed := strings.Contains(policy, "sandbox"); sandboxed != (route.Class == module.Download) {
		t.Errorf("%s: policy %q", route.Pattern, policy)
	}
	if route.Class == module.Download && answer.Header.Get("Content-Disposition") != "attachment" {
		t.Errorf("%s: disposition %q", route.Pattern, answer.Header.Get("Content-Disposition"))
	}
	if cache := answer.Header.Get("Cache-Control"); cache != "no-store" && route.Class != module.Asset {
		t.Errorf("%s: cache %q", route.Pattern, cache)
	}
	if answer.Header.Get("RateLimit-Policy") == "" || answer.Header.Get("RateLimit") == "" {
		t.Errorf("%s: no rate is told", route.Pattern)
	}
}

func TestEveryRouteHasABodyLimit(t *testing.T) {
	t.Parallel()
	limits := map[module.Class]int{module.Page: 256 << 10, module.SignIn: 16 << 10, module.API: 1 << 20, module.Upload: 32 << 20, module.Widget: 128 << 10}
	readers := module.Module{Name: "readers", Classes: map[string]module.Class{}, Routes: func(mux module.Mux) {
		for class := range limits {
			mux.Handle("POST /"+string(class), request.Handler(func(_ http.ResponseWriter, r *http.Request) error {
				_, err := io.Copy(io.Discard, r.Body)
				return err
			}))
		}
	}}
	for class := range limits {
		readers.Classes["/"+string(class)] = class
	}
	d := open(t, edge.Config{}, readers)
	for class, limit := range limits {
		if answer := d.send("POST", "/"+string(class), strings.Repeat("x", limit)); answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d bytes are refused with %d", class, limit, answer.StatusCode)
		}
		answer := d.send("POST", "/"+string(class), strings.Repeat("x", limit+1))
		if p := answer.problem(t); p.Code != errs.TooLarge {
			t.Errorf("%s: %d bytes: %+v", class, limit+1, p)
		}
	}
}

func TestABrowserThatAsksForAnIconGetsTheMark(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, sampler())
	answer := d.get("/favicon.ico")
	if mark := d.get(answer.Header.Get("Location")); answer.StatusCode != http.StatusFound || mark.StatusCode != http.StatusOK || !strings.HasPrefix(mark.Header.Get("Content-Type"), "image/svg+xml") {
		t.Errorf("%d to %s: %d", answer.StatusCode, answer.Header.Get("Location"), mark.StatusCode)
	}
}

func TestWhatNoRouteAnswersIsAProblemToo(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, sampler(), catalogue())
	for _, c := range []struct {
		method, path string
		want         errs.Kind
		allow        string
	}{
		{"GET", "/nowhere", errs.NotFound, ""},
		{"GET", "/v1/nowhere", errs.NotFound, ""},
		{"GET", "/v1", errs.NotFound, ""},
		{"DELETE", "/people", edge.MethodNotAllowed, "GET, HEAD, POST, PUT"},
		{"PUT", "/v1/items", edge.MethodNotAllowed, "GET, HEAD, POST"},
		{"TRACE", "/people", edge.MethodNotAllowed, "GET, HEAD, POST, PUT"},
		{"GET", "//nowhere/../x", errs.NotFound, ""},
	} {
		answer := d.send(c.method, c.path, "")
		if p := answer.problem(t); p.Code != c.want || answer.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %+v, Allow %q", c.method, c.path, p, answer.Header.Get("Allow"))
		}
		if answer.Header.Get("X-Content-Type-Options") != "nosniff" || answer.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, answer.Header)
		}
	}
	redirected := d.get("//people")
	if redirected.Header.Get("Location") != "/people" || redirected.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("a path in another spelling: %d, %v", redirected.StatusCode, redirected.Header)
	}
}

func TestPeopleGetErrorsAsPagesAndProgramsAsJSON(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, sampler(), catalogue())
	html := []string{"Accept", "text/html,application/xhtml+xml"}
	page := d.get("/nowhere", html...)
	if page.StatusCode != 404 || !strings.Contains(page.body, "<h1>There is no such thing</h1>") || !strings.Contains(page.body, page.Header.Get("X-Request-Id")) {
		t.Errorf("a browser got %d %q", page.StatusCode, page.body)
	}
	if !strings.Contains(page.Header.Get("Content-Security-Policy"), "nonce-") || page.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the error page's headers are %v", page.Header)
	}
	d.get("/nowhere").problem(t)
	d.get("/v1/nowhere", html...).problem(t)
	d.get("/v1/items", html...).problem(t)
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{Authenticator: keys{"good": key()}}, sampler())
	own := d.https
	for name, c := range map[string]struct {
		method, path string
		headers      []string
		want         int
	}{
		"own form":                           {"POST", "/people", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		"own form, typed in":                 {"POST", "/people", []string{"Sec-Fetch-Site", "none"}, 200},
		"own form, old browser":              {"POST", "/people", []string{"Origin", own}, 200},
		"a program":                          {"POST", "/people", nil, 200},
		"a form elsewhere":                   {"POST", "/people", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		"what proves itself, from elsewhere": {"POST", "/handover", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://shop.example"}, 200},
		"a form on a sibling host":           {"POST", "/people", []string{"Sec-Fetch-Site", "same-site"}, 403},
		"a form elsewhere, old browser":      {"POST", "/people", []string{"Origin", "https://evil.example"}, 403},
		"a form in a sandbox, old browser":   {"POST", "/people", []string{"Origin", "null"}, 403},
		"a host that ends like ours":         {"POST", "/people", []string{"Origin", "https://evil" + strings.TrimPrefix(own, "https://")}, 403},
		"another port":                       {"POST", "/people", []string{"Origin", "https://127.0.0.1:1"}, 403},
		"another method":                     {"PUT", "/people", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"signing in from elsewhere":          {"POST", "/login", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"the widget's frame":                 {"POST", "/widget/v1/send", []string{"Sec-Fetch-Site", "same-origin", "Origin", own}, 200},
		"the widget's door from elsewhere":   {"POST", "/widget/v1/send", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		"a link from elsewhere":              {"GET", "/people", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		"a socket of our page":               {"GET", "/live", []string{"Origin", own}, 200},
		"a socket without Origin":            {"GET", "/live", nil, 403},
		"a socket with an empty Origin":      {"GET", "/live", []string{"Origin", ""}, 403},
		"a socket of a sandbox":              {"GET", "/live", []string{"Origin", "null"}, 403},
		"a socket from elsewhere":            {"GET", "/live", []string{"Origin", "https://evil.example"}, 403},
		"a socket without TLS":               {"GET", "/live", []string{"Origin", "http" + strings.TrimPrefix(own, "https")}, 403},
		"a socket of a host that ends so":    {"GET", "/live", []string{"Origin", own + ".evil.example"}, 403},
		"a socket of a host that starts so":  {"GET", "/live", []string{"Origin", "https://evil.example/" + own}, 403},
		"a socket with two origins":          {"GET", "/live", []string{"Origin", own, "Origin", "https://evil.example"}, 403},
		"a bearer token from anywhere":       {"POST", "/people", []string{"Authorization", "Bearer good", "Origin", "https://shop.example"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			if answer := d.send(c.method, c.path, "", c.headers...); answer.StatusCode != c.want {
				t.Errorf("got %d, want %d", answer.StatusCode, c.want)
			}
		})
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{Hosts: []string{"chat.example"}}, sampler())
	for host, want := range map[string]int{"chat.example": 200, "CHAT.EXAMPLE.": 200, "chat.example:8443": 200, "evil.example": 421, "chat.example.evil.example": 421, "127.0.0.1": 421} {
		if answer := d.get("/people", "Host", host); answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", host, answer.StatusCode, want)
		}
	}
	if answer := d.get("/healthz", "Host", "127.0.0.1"); answer.StatusCode != 200 {
		t.Errorf("health: %d", answer.StatusCode)
	}
}

func TestMistakesInRoutesStopTheProgram(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]module.Module{
		"no method":        {Routes: func(mux module.Mux) { mux.HandleFunc("/people", say("")) }},
		"a host":           {Routes: func(mux module.Mux) { mux.HandleFunc("GET chat.example/people", say("")) }},
		"an unknown class": {Routes: func(mux module.Mux) { mux.HandleFunc("GET /people", say("")) }, Classes: map[string]module.Class{"/people": "secret"}},
		"a route twice":    {Routes: func(mux module.Mux) { mux.HandleFunc("GET /healthz", say("")) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("it was accepted")
				}
			}()
			edge.New(edge.Config{}).Add(m)
		})
	}
}

func TestAFailureAfterTheFirstByteBreaksTheConnection(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, module.Module{Name: "half", Routes: func(mux module.Mux) {
		mux.Handle("GET /half", request.Handler(func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, strings.Repeat("half ", 10_000))
			return errors.New("the rest is gone")
		}))
	}})
	answer, err := d.client.Get(d.https + "/half")
	if err == nil {
		_, err = io.ReadAll(answer.Body)
		answer.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looks whole")
	}
}

func TestEveryErrorOfTheEdgeIsExplained(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{})
	list := d.get("/problems").body
	for _, kind := range []errs.Kind{errs.Invalid, errs.Unauthenticated, errs.Forbidden, errs.NotFound, errs.Conflict, errs.TooLarge, errs.TooMany, errs.Gone,
		errs.ConsentRequired, errs.NoSpace, errs.Unavailable, errs.Internal, edge.Malformed, edge.MethodNotAllowed, edge.NotAcceptable, edge.Unsupported, edge.TooSlow, errs.Misdirected, errs.Away} {
		if !strings.Contains(list, ">"+string(kind)+"<") {
			t.Errorf("%s is not listed", kind)
		}
		if answer := d.get("/problems/" + string(kind)); answer.StatusCode != 200 || strings.Contains(answer.body, "[problem.") {
			t.Errorf("%s is not explained: %d", kind, answer.StatusCode)
		}
	}
}

func TestWhoComesToTheWrongRegionIsToldTheRightOne(t *testing.T) {
	t.Parallel()
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		err := errs.New(errs.Misdirected, "This workspace is kept in another region.")
		err.Region = r.URL.Query().Get("region")
		request.Fail(w, r, err)
	}
	config := edge.Config{ErrorPage: page.ShowProblem, Elsewhere: func(_ context.Context, region string) (string, error) {
		if region == "br" {
			return "", errors.New("the store is away")
		}
		return map[string]string{"in": "https://in.chat.example"}[region], nil
	}}
	d := open(t, config, module.Module{Name: "far", Routes: func(mux module.Mux) {
		mux.HandleFunc("GET /far", elsewhere)
		mux.HandleFunc("GET /v1/far", elsewhere)
	}})
	api := d.get("/v1/far?region=in")
	if api.StatusCode != http.StatusMisdirectedRequest || api.Header.Get(edge.RegionHeader) != "in" ||
		!strings.Contains(api.body, `"region":"in"`) || !strings.Contains(api.body, `"location":"https://in.chat.example"`) {
		t.Errorf("a program is told %d %v %s", api.StatusCode, api.Header, api.body)
	}
	person := d.get("/far?region=in", "Accept", "text/html")
	if person.StatusCode != http.StatusMisdirectedRequest || !strings.Contains(person.body, `href="https://in.chat.example/far"`) {
		t.Errorf("a person is told %d %s", person.StatusCode, person.body)
	}
	unknown := d.get("/v1/far?region=us")
	if unknown.StatusCode != http.StatusMisdirectedRequest || unknown.Header.Get(edge.RegionHeader) != "us" || strings.Contains(unknown.body, "location") {
		t.Errorf("of a region without an address it is told %d %s", unknown.StatusCode, unknown.body)
	}
	away := d.get("/v1/far?region=br")
	if away.StatusCode != http.StatusMisdirectedRequest || away.Header.Get(edge.RegionHeader) != "br" || !strings.Contains(d.log.String(), "the store is away") {
		t.Errorf("when the address cannot be looked up it is told %d %s", away.StatusCode, away.body)
	}
}
