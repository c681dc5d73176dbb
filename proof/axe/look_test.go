package axe_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aver/proof/axe"
	"aver/proof/browser"
)

// recorder is a test that only writes down what is wrong.
type recorder struct {
	testing.TB
	wrong []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

// seen is what Look says about a page with this style and content.
func seen(t *testing.T, style, content string) []string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
			<title>Page</title><style>`+style+`</style><body><main><h1>Page</h1>`+content+`</main></body></html>`)
	}))
	t.Cleanup(server.Close)
	tab, r := browser.New(t), &recorder{TB: t}
	tab.Goto(server.URL)
	axe.Look(r, tab, "page")
	return r.wrong
}

func TestLookFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ style, content, want string }{
		"words that are missing":        {"", "<p>[page.greeting]</p>", "page has no words for [page.greeting]"},
		"words missing in a label":      {"", `<button aria-label="[page.send]">x</button>`, "page has no words for [page.send]"},
		"a page too wide for a phone":   {"", `<div style="width: 600px">wide</div>`, "page at 390 px, light: "},
		"a picture that says nothing":   {"", `<img src="data:,">`, "page at 1280 px, light: image-alt"},
		"what is illegible at night":    {"@media (prefers-color-scheme: dark) { p { color: #eee } }", "<p>words</p>", "page at 1280 px, dark: color-contrast"},
		"a colour that is still fading": {"p { color: #eee; animation: fade 1s forwards } @keyframes fade { from { color: #000 } to { color: #eee } }", "<p>words</p>", "page at 390 px, dark: color-contrast"},
		"targets too small for fingers": {"a { display: inline-block; font-size: 6px }", `<a href="/a">a</a><a href="/b">b</a>`, "page at 390 px, light: target-size"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			wrong := seen(t, c.style, c.content)
			if !strings.Contains(strings.Join(wrong, "\n"), c.want) {
				t.Errorf("it says %q", wrong)
			}
		})
	}
}

func TestLookWaitsUntilThePageHasLoaded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/late.js":
			time.Sleep(time.Second) // a slow network, long after the page can be seen: who waits passes however long it takes
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, `document.querySelector("main").append(new Image())`)
		case "/page":
			io.WriteString(w, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Page</title><main><h1>Page</h1></main><script defer src="/late.js"></script>`)
		default:
			io.WriteString(w, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Door</title><a href="/page">In</a>`)
		}
	}))
	t.Cleanup(server.Close)
	tab, r := browser.New(t), &recorder{TB: t}
	tab.Goto(server.URL)
	tab.Click("a")
	tab.WaitText("h1", "Page")
	axe.Look(r, tab, "page")
	if !strings.Contains(strings.Join(r.wrong, "\n"), "page at 390 px, dark: image-alt") {
		t.Errorf("it looked too early: %q", r.wrong)
	}
}

func TestLookHasNothingAgainstAGoodPageThatMoves(t *testing.T) {
	t.Parallel()
	if wrong := seen(t, "p { animation: turn 1s infinite } @keyframes turn { to { rotate: 1turn } }", "<p>words</p>"); len(wrong) > 0 {
		t.Errorf("it says %q", wrong)
	}
}
