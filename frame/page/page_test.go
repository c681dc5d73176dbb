package page_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/text/language"

	"aver/base/errs"
	"aver/frame/page"
	"aver/frame/page/pagetest"
)

func draw(t *testing.T, ctx context.Context, c templ.Component) string {
	t.Helper()
	var out strings.Builder
	if err := c.Render(ctx, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func render(t *testing.T, r *http.Request, c templ.Component) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := page.Render(w, r, http.StatusOK, c); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEveryAnswerCarriesTheHeadersAndAFreshNonce(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/contacts", nil)
	first, second := render(t, r, page.Shell(page.Page{Title: "A"})), render(t, r, page.Shell(page.Page{Title: "A"}))
	nonce := regexp.MustCompile(`'nonce-([A-Z0-9]{26})' 'strict-dynamic'`)
	a, b := nonce.FindStringSubmatch(first.Header().Get("Content-Security-Policy")), nonce.FindStringSubmatch(second.Header().Get("Content-Security-Policy"))
	if a == nil || b == nil || a[1] == b[1] {
		t.Fatalf("the nonces are %v and %v", a, b)
	}
	if n := strings.Count(first.Body.String(), `nonce="`+a[1]+`"`); n != 3 {
		t.Errorf("%d scripts carry the nonce, not 3", n)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Type": "text/html; charset=utf-8", "Reporting-Endpoints": `csp="/csp-reports"`,
	} {
		if got := first.Header().Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	for _, rule := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'", "style-src 'self'"} {
		if !strings.Contains(first.Header().Get("Content-Security-Policy"), rule) {
			t.Errorf("the policy lacks %s", rule)
		}
	}
	if got := page.Policy(""); !strings.Contains(got, "script-src 'none'") {
		t.Errorf("without a nonce scripts may run: %s", got)
	}
}

func TestAPageThatCannotBeDrawnIsAnErrorAndNotHalfAPage(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	broken := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		io.WriteString(w, "half")
		return errors.New("no ink")
	})
	err := page.Render(w, httptest.NewRequest(http.MethodGet, "/inbox", nil), http.StatusOK, broken)
	if err == nil || w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "half") || strings.Contains(w.Body.String(), "ink") {
		t.Errorf("error %v, status %d, body %q", err, w.Code, w.Body)
	}
}

func TestTheShellShowsWhereOneIsAndWhatWaits(t *testing.T) {
	t.Parallel()
	ctx := page.With(t.Context(), page.View{
		Path: "/contacts/7", Tenant: "Acme <Ltd>", Region: "Oslo", User: "Ines Moreau", Role: "Owner",
		Claims: page.Claims{Holding: 41, Failing: 1, Total: 43}, Waiting: map[string]int{"/inbox": 1200}, Theme: page.Dark, Flash: "Contact saved",
	})
	got := draw(t, templ.WithNonce(ctx, "N"), page.Shell(page.Page{Title: "Someone"}))
	pagetest.Check(t, got)
	for _, want := range []string{
		`<html lang="en-GB" data-theme="dark">`, `<title>Someone · Acme &lt;Ltd&gt;</title>`, `href="/contacts" aria-current="page"`,
		`1,200`, `href="/trust?state=failing"`, `41 of 43 promises hold`, `class="shape failing"`, `Contact saved`, `Oslo`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the shell lacks %s", want)
		}
	}
	if strings.Contains(got, `href="/inbox" aria-current="page"`) {
		t.Error("two nouns are marked")
	}
}

func TestATabMarksItsNounWhereverItsAddressLies(t *testing.T) {
	t.Parallel()
	for path, noun := range map[string]string{"/settings/retention": "/privacy", "/settings/privacy": "/privacy", "/privacy/holds": "/privacy", "/security/log": "/security",
		"/settings/backups": "/settings", "/settings": "/settings", "/privacy/requests/req_1": "/privacy"} {
		got := draw(t, templ.WithNonce(page.With(t.Context(), page.View{Path: path, Tenant: "Acme"}), "N"), page.Shell(page.Page{Title: "x"}))
		for _, n := range []string{"/inbox", "/privacy", "/security", "/settings"} {
			if marked := strings.Contains(got, `href="`+n+`" aria-current="page"`); marked != (n == noun) {
				t.Errorf("on %s the noun %s is marked: %t", path, n, marked)
			}
		}
	}
}

func TestEveryKindOfProblemSaysWhatHappenedWhatWasKeptAndWhatToDo(t *testing.T) {
	t.Parallel()
	kinds := []errs.Kind{errs.Invalid, errs.Unauthenticated, errs.Forbidden, errs.NotFound, errs.Conflict, errs.TooLarge, errs.TooMany,
		errs.Gone, errs.ConsentRequired, errs.NoSpace, errs.Unavailable, errs.Internal}
	seen := map[string]errs.Kind{}
	for _, user := range []string{"", "Ines"} {
		ctx := templ.WithNonce(page.With(t.Context(), page.View{User: user, RequestID: "req-1"}), "N")
		for _, kind := range kinds {
			got := draw(t, ctx, page.ErrorPage(errs.AsProblem(errs.New(kind, "Words for <you>.").Because(errors.New("secret cause")))))
			pagetest.Check(t, got)
			title := regexp.MustCompile(`<h1>([^<[]+)</h1>`).FindStringSubmatch(got)
			if title == nil {
				t.Fatalf("%s has no title", kind)
			}
			if other, ok := seen[user+title[1]]; ok {
				t.Errorf("%s and %s have the same title", kind, other)
			}
			seen[user+title[1]] = kind
			if !strings.Contains(got, "Words for &lt;you&gt;.") || !strings.Contains(got, "req-1") || strings.Contains(got, "secret") || strings.Contains(got, "[problem") {
				t.Errorf("%s: %s", kind, got)
			}
		}
	}
	w := httptest.NewRecorder()
	page.ShowProblem(w, httptest.NewRequest(http.MethodGet, "/inbox", nil), errs.AsProblem(errors.New("disk on fire")))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "fire") || !strings.Contains(w.Body.String(), "What was saved before is safe") {
		t.Errorf("an inner error gives %d %s", w.Code, w.Body)
	}
	late := errs.Problem{Code: errs.TooMany, Detail: "There were too many requests. Nothing was changed.", RetryAfter: 30}
	if got := draw(t, t.Context(), page.ErrorPage(late)); !strings.Contains(got, "Try again in 30 seconds.") || strings.Count(got, "Nothing was changed.") != 1 {
		t.Errorf("a caller that is too quick reads %s", got)
	}
}

func TestAssetsAreKeptForEverAndSentCompressed(t *testing.T) {
	t.Parallel()
	ask := func(path, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		page.Assets().ServeHTTP(w, r)
		return w
	}
	for name, kind := range map[string]string{"aver.css": "text/css; charset=utf-8", "aver.js": "text/javascript; charset=utf-8", "htmx.js": "text/javascript; charset=utf-8", "mark.svg": "image/svg+xml"} {
		path := page.AssetsPath() + name
		plain, zipped := ask(path, "identity"), ask(path, "br, gzip;q=0.8")
		if plain.Code != http.StatusOK || plain.Header().Get("Content-Type") != kind || plain.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %v", name, plain.Code, plain.Header())
		}
		if zipped.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is not compressed", name)
			continue
		}
		z, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(z); err != nil || string(body) != plain.Body.String() {
			t.Errorf("%s differs when compressed: %v", name, err)
		}
	}
	if got := ask(page.AssetsPath()+"aver.css", "gzip;q=0").Header().Get("Content-Encoding"); got != "" {
		t.Errorf("gzip was refused, and sent")
	}
	for _, path := range []string{"/assets/0000000000000000/aver.css", page.AssetsPath() + "../page.go", page.AssetsPath()} {
		if w := ask(path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	old := page.NewBundle(map[string][]byte{"a.css": []byte("a")})
	if changed := page.NewBundle(map[string][]byte{"a.css": []byte("b")}); changed.Path() == old.Path() {
		t.Error("a changed file keeps its address")
	}
}

func TestARedirectSaysItsSentenceOnce(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	page.Redirect(w, httptest.NewRequest(http.MethodPost, "/contacts", nil), "/contacts/7", "Contact saved – ok")
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/contacts/7" || len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	r := httptest.NewRequest(http.MethodGet, "/contacts/7", nil)
	r.AddCookie(cookies[0])
	w = httptest.NewRecorder()
	if got := page.TakeFlash(w, r); got != "Contact saved – ok" {
		t.Errorf("it says %q", got)
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("the sentence stays: %v", c)
	}
}

func TestTheThemeIsKeptAndLeadsBackToThisSiteOnly(t *testing.T) {
	t.Parallel()
	for back, want := range map[string]string{"/contacts?q=a": "/contacts?q=a", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "": "/", "/a\r\nX: y": "/"} {
		r := httptest.NewRequest(http.MethodPost, "/theme", nil)
		r.PostForm = map[string][]string{"theme": {"dark"}, "back": {back}}
		w := httptest.NewRecorder()
		page.SetTheme(w, r)
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("back to %q leads to %q", back, got)
		}
		next := httptest.NewRequest(http.MethodGet, "/", nil)
		next.AddCookie(w.Result().Cookies()[0])
		if got := page.ThemeOf(next); got != page.Dark {
			t.Errorf("the theme is %q", got)
		}
	}
	odd := httptest.NewRequest(http.MethodGet, "/", nil)
	odd.AddCookie(&http.Cookie{Name: "__Host-theme", Value: "sepia"})
	if got := page.ThemeOf(odd); got != page.System {
		t.Errorf("an odd cookie gives the theme %q", got)
	}
}

func TestReportsAreLoggedWithoutWhatTheySay(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	h := page.Reports(slog.New(slog.NewTextHandler(&log, nil)))
	send := func(body string) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, page.ReportPath, strings.NewReader(body)))
		return w.Code
	}
	if code := send(`[{"type":"csp-violation","body":{"effectiveDirective":"script-src-elem","documentURL":"https://a/contacts?q=maria","sample":"maria"}}]`); code != http.StatusNoContent {
		t.Errorf("status %d", code)
	}
	if got := log.String(); !strings.Contains(got, "script-src-elem") || strings.Contains(got, "maria") {
		t.Errorf("the log says %s", got)
	}
	log.Reset()
	if send(`[{"type":"csp-violation","body":{"effectiveDirective":"maria@kowal.example"}}]`); log.Len() > 0 {
		t.Errorf("anybody can write into the log: %s", &log)
	}
	if code := send(`{`); code != http.StatusBadRequest {
		t.Errorf("nonsense: %d", code)
	}
	if code := send(`["` + strings.Repeat("a", 40<<10) + `"]`); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a flood: %d", code)
	}
}

func TestTextsFollowTheNumber(t *testing.T) {
	t.Parallel()
	words := page.MustStrings(language.English, []byte(`{"people": {"one": "{0} person in {1}", "other": "{0} people in {1}"}, "plain": "All"}`))
	for want, got := range map[string]string{
		"1 person in A": words.T("people", 1, "A"), "12,000 people in A": words.T("people", 12000, "A"), "0 people in A": words.T("people", 0, "A"),
		"All": words.T("plain"), "[gone]": words.T("gone"),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestEveryTextIsUsedAndEveryUsedTextIsThere(t *testing.T) {
	t.Parallel()
	words := page.MustStrings(language.English, file(t, "strings/en.json"))
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "*.templ"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !strings.HasSuffix(name, "_templ.go") && !strings.HasSuffix(name, "_test.go") {
				sources.Write(file(t, name))
			}
		}
	}
	there := map[string]bool{}
	for _, key := range words.Keys() {
		there[key] = true
		family := regexp.MustCompile(`^(state|theme|problem|inbox|view)\.`).MatchString(key) // put together from a part of the key
		if !family && !strings.Contains(sources.String(), `"`+key+`"`) {
			t.Errorf("%s is never used", key)
		}
	}
	for _, use := range regexp.MustCompile(`text\.T\("([a-z.]+[a-z])"`).FindAllStringSubmatch(sources.String(), -1) {
		if !there[use[1]] {
			t.Errorf("%s is used and not there", use[1])
		}
	}
}

func TestNumbersAndAgesReadWell(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0": page.Number(0), "999": page.Number(999), "1,000": page.Number(1000), "−12,345,678": page.Number(-12345678),
		"1 second": page.Age(time.Second), "0 seconds": page.Age(-time.Hour), "3 min": page.Age(3*time.Minute + 59*time.Second), "47 h": page.Age(47 * time.Hour),
		"2 days": page.Age(48 * time.Hour), "2 months": page.Age(61 * 24 * time.Hour), "2 years": page.Age(740 * 24 * time.Hour),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestPartsSayInWordsWhatTheyShow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		part templ.Component
		want []string
	}{
		"bars":           {page.Days{page.Holds, page.Failing, page.Stale, page.Attested, ""}, []string{`aria-label="Held on 2 of 5 days; failed on 1 day; stale on 1 day; not measured on 1 day"`}},
		"a state":        {page.Badge{State: page.Failing}, []string{"Failing", "<svg"}},
		"an odd state":   {page.Badge{State: "splendid"}, []string{"Not measured", "unknown"}},
		"initials":       {page.Avatar{Name: "óscar de la fuente"}, []string{"ÓF", `aria-hidden="true"`}},
		"no name":        {page.Avatar{Name: "  "}, []string{"?"}},
		"a time":         {page.Ago(time.Date(2025, 3, 4, 5, 6, 0, 0, time.FixedZone("", 3600))), []string{`datetime="2025-03-04T04:06:00Z"`, "4 Mar 2025, 04:06 UTC"}},
		"no time":        {page.Ago(time.Time{}), []string{"–"}},
		"a bad link":     {page.Link{Label: "x", Href: "javascript:alert(1)"}, []string{"about:invalid#TemplFailedSanitizationURL"}},
		"what was typed": {page.Bubble{Voice: page.Theirs, Text: "<img src=x onerror=alert(1)>\nhi"}, []string{"&lt;img src=x onerror=alert(1)&gt;\nhi"}},
		"unknown length": {page.Progress{Label: "Work", Done: 1200, Unit: "rows"}, []string{"<progress aria-label=\"Work\"></progress>", "1,200 rows"}},
		"a flat line":    {page.Spark{Values: []float64{5, 5}, Label: "Flat"}, []string{`d="M0.0 23.0L120.0 23.0"`}},
		"a place":        {page.WorldMap{Latitude: 50.1, Longitude: 8.7, Label: "Frankfurt"}, []string{`cx="142" cy="22"`}},
	} {
		got := draw(t, t.Context(), c.part)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %s: %s", name, want, got)
			}
		}
		pagetest.Check(t, got)
	}
	if err := page.Icon("no-such", "").Render(t.Context(), io.Discard); err == nil {
		t.Error("an icon that is not there is drawn as nothing")
	}
}

func TestAPasswordIsNeverPutBack(t *testing.T) {
	t.Parallel()
	form := page.Form(page.Sheet{Action: "/login", Sent: map[string][]string{"email": {"a@b.example"}, "password": {"hunter2"}}})
	fields := templ.Join(page.Input{Name: "email", Label: "Mail"}, page.Input{Name: "password", Label: "Password", Type: "password"})
	got := draw(t, templ.WithChildren(t.Context(), fields), form)
	if strings.Contains(got, "hunter2") || !strings.Contains(got, "a@b.example") {
		t.Errorf("the form is %s", got)
	}
}

func TestVendoredFilesAreWhatTheyWere(t *testing.T) {
	t.Parallel()
	list := string(file(t, "assets/VENDOR.md"))
	for _, name := range []string{"vendor/htmx.min.js", "vendor/hx-csp.min.js"} {
		if sum := sha256Hex(file(t, "assets/"+name)); !strings.Contains(list, "| "+sum+" |") {
			t.Errorf("%s has the hash %s, which VENDOR.md does not name", name, sum)
		}
	}
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGeneratedTemplatesAreCurrent(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "tool", "-modfile=../../tools/go.mod", "templ", "generate", "-check", "-include-version=false", "-path", ".").CombinedOutput()
	if err != nil {
		t.Errorf("run go generate ./frame/page and commit: %v\n%s", err, out)
	}
}
