// Package tour walks through every page that an owner and a stranger can reach, as they would: by its links.
package tour_test

import (
	"context"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"aver/cmd/aver/app"
	"aver/cmd/aver/demo"
	"aver/proof/axe"
	"aver/proof/browser"
)

// started is the demo's data served on a free port.
func started(t *testing.T) (base string) {
	t.Helper()
	config := app.Config{Data: t.TempDir(), Region: "eu", Listen: "localhost:0", Admin: "127.0.0.1:0", Log: io.Discard, Email: "security@aver.example"}
	if err := demo.Seed(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- a.Serve(ctx, func(a *app.App) {
			https, _, _ := a.Edge.Addresses()
			ready <- https.String()
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case address := <-ready:
		_, port, _ := strings.Cut(address, ":")
		return "https://localhost:" + port
	case err := <-ended:
		t.Fatal(err)
		return ""
	}
}

var (
	identifier = regexp.MustCompile(`(?:/trust/claims/|/problems/|/docs/)[a-z0-9-]+$|(ten|con|cnv|usr|crd|obj|req|lbl|tea|mac|seg|tag|imp|ep|end|dlv)[a-z]*_[0-9a-z]{26}|/[0-9]+$`)
	notPages   = regexp.MustCompile(`^/(logout|\.well-known|letters|assets|openapi\.json|l\.js|widget|attachments)|/export$|\.json$|/archive$|/receipts/|/download|/log/(checkpoint|key)|/runs/|theme`)
)

// kind is a page without what tells one of its sort from another.
func kind(path string) string { return identifier.ReplaceAllString(path, "{id}") }

// crawl visits every page that can be reached by links from the starts, one of each kind, and hands it to look.
func crawl(t *testing.T, tab *browser.Tab, base string, starts []string, look func(path string)) {
	t.Helper()
	queue, seen := starts, map[string]bool{}
	for _, s := range starts {
		seen[kind(s)] = true
	}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		t.Log(path) // the last one is where it failed
		tab.Goto(base + path)
		look(path)
		for _, link := range browser.Eval[[]string](tab, `[...document.querySelectorAll("a[href]")].map(a => a.href)`) {
			u, err := url.Parse(link)
			if err != nil || !strings.HasPrefix(link, base+"/") || notPages.MatchString(u.Path) || seen[kind(u.Path)] {
				continue
			}
			seen[kind(u.Path)] = true
			queue = append(queue, u.RequestURI())
		}
		if len(seen) > 200 {
			t.Fatal("there is no end to the links")
		}
	}
}

// inspect looks at the page as it stands: it answered, and leaves nobody out.
func inspect(t *testing.T, tab *browser.Tab, path string) {
	t.Helper()
	if status := browser.Eval[int](tab, `performance.getEntriesByType("navigation")[0].responseStatus`); status != 200 {
		t.Errorf("%s answers %d", path, status)
		return
	}
	if browser.Eval[string](tab, `document.contentType`) != "text/html" {
		return
	}
	axe.Look(t, tab, "tour"+kind(path))
}

// signedIn is the browser of an owner.
func signedIn(t *testing.T, base string) *browser.Tab {
	t.Helper()
	tab := browser.New(t)
	tab.Goto(base + "/login")
	tab.Type(`input[name="email"]`, "ada@kowal.example")
	tab.Type(`input[name="password"]`, demo.Password)
	tab.Click(`main button[type="submit"], main button:not([type])`)
	tab.Until("signed in", `!location.pathname.startsWith("/login")`)
	return tab
}

func TestAnOwnerWhoIsAboutToCloseIsOfferedEverythingToTakeAlong(t *testing.T) {
	t.Parallel()
	base := started(t)
	tab := signedIn(t, base)
	tab.Goto(base + "/settings/close")
	axe.Look(t, tab, "tour/close")
	tab.Click(`main a[href="/settings/takeout"]`)
	tab.Until("the page is there", `location.pathname === "/settings/takeout"`)
	tab.Click(`main form[action="/settings/takeout"] button`)
	tab.Until("the archive is ready", `document.querySelector('main a[href^="/settings/takeout/file/"]') !== null`)
	axe.Look(t, tab, "tour/takeout/ready")
	kind := browser.Eval[string](tab, `fetch(document.querySelector('main a[href^="/settings/takeout/file/"]').href).then(r => r.status + " " + r.headers.get("Content-Type"))`)
	if kind != "200 application/zip" {
		t.Errorf("the archive is answered %s", kind)
	}
}

func TestEveryPageOfTheConsoleAnswersFitsAndIsAccessible(t *testing.T) {
	t.Parallel()
	base := started(t)
	tab := signedIn(t, base)
	crawl(t, tab, base, []string{"/inbox", "/contacts", "/privacy", "/security", "/settings"}, func(path string) { inspect(t, tab, path) })
}

func TestEveryPublicPageAnswersFitsAndIsAccessible(t *testing.T) {
	t.Parallel()
	base := started(t)
	tab := browser.New(t)
	crawl(t, tab, base, []string{"/trust", "/login", "/my-data/kowal", "/docs"}, func(path string) { inspect(t, tab, path) })
}
