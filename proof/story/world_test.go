package story

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/proof/browser"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/channels/webchat"
)

const (
	email    = "ada@kowal.example"
	password = "three old bicycles in rain"
)

// world is an installation as aver serve starts it, and the site of one of its tenants on an origin of its own.
type world struct {
	*app.App
	t     *testing.T
	data  string
	base  string // of the installation, for those who work there
	wire  *browser.Wire
	site  string // address of the tenant's site
	owner vault.Actor
}

func open(t *testing.T, set ...func(*app.Config)) *world {
	t.Helper()
	w := &world{t: t, data: t.TempDir()}
	log, err := os.Create(filepath.Join(w.data, "aver.log"))
	must(t, err)
	config := app.Config{Data: w.data, Region: "eu", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: log}
	for _, s := range set {
		s(&config)
	}
	a, err := app.Open(t.Context(), config)
	must(t, err)
	w.App = a
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Serve(ctx, func(*app.App) { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("the installation does not start: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
		must(t, log.Close())
	})
	https, _, _ := a.Edge.Addresses()
	w.base = "https://" + https.String()
	w.wire = browser.NewWire(t, https.String())
	w.found()
	w.openSite()
	return w
}

// found makes the workspace and its owner.
func (w *world) found() {
	w.t.Helper()
	ctx := w.t.Context()
	tenant, err := w.CreateTenant(ctx, "kowal", "Kowal Bikes")
	must(w.t, err)
	invitation, err := w.Identity.Invite(ctx, identity.System(tenant.ID, "test"), email, vault.Owner)
	must(w.t, err)
	session, err := w.Identity.Accept(ctx, invitation, email, "Ada Kowal", password)
	must(w.t, err)
	w.owner, err = w.Identity.Session(ctx, session)
	must(w.t, err)
}

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Kowal Bikes</title><link rel="icon" href="data:,">
<style>:root{color-scheme:light dark}body{font:18px/1.6 Georgia,serif;max-width:60ch;margin:60px auto;padding:0 24px}</style></head>
<body><h1>Kowal Bikes</h1><p>We build, fit and mend bicycles in a small workshop. Write to us before you visit.</p>
<script>window.$aver=[];window.AVER_WEBSITE_ID="%s"</script><script async src="https://%s/l.js"></script></body></html>`

// openSite serves the tenant's site from another host. Its pages reach the installation over the wire that can be cut.
func (w *world) openSite() {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(rw, page, webchat.Website(w.owner.Tenant()), w.wire.Address())
	}))
	w.t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	w.site = "http://shop.localhost:" + port
}

// chat is the widget in the visitor's tab.
type chat struct {
	t     *testing.T
	tab   *browser.Tab
	frame *browser.Tab
}

func (w *world) visit() chat {
	w.t.Helper()
	tab := browser.New(w.t)
	tab.Goto(w.site)
	return chat{w.t, tab, tab.In("iframe")}
}

// press clicks the button with this name in the widget, as a person does.
func (c chat) press(name string) {
	c.t.Helper()
	c.frame.Until("a button "+name, `(() => { const b = aver.all('button').find(b => aver.visible(b) && [b.getAttribute('aria-label'), b.textContent].includes(%s));
		if (b) { aver.all('[data-press]').forEach(e => e.removeAttribute('data-press')); b.setAttribute('data-press', '') } return !!b })()`, name)
	c.frame.Click("[data-press]")
}

func (c chat) sees(words string) {
	c.t.Helper()
	c.frame.Until("the words "+words, "document.body.innerText.includes(%s)", words)
}

func (c chat) write(text string) {
	c.t.Helper()
	c.frame.Type("textarea", text)
	c.tab.Press("\r")
}

func (c chat) bubbles() []string {
	c.t.Helper()
	return browser.Eval[[]string](c.frame, "[...document.querySelectorAll('.bubble')].map(e => e.textContent)")
}

// keeps is what the frame's origin keeps in the browser.
func (c chat) keeps() string {
	c.t.Helper()
	return browser.Eval[string](c.frame, "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
}

const nothing = `[{},{},""]`

// downloads lets the tab save files into the folder it returns.
func (c chat) downloads() string { return saving(c.t, c.tab) }

func saving(t *testing.T, tab *browser.Tab) string {
	t.Helper()
	folder := t.TempDir()
	tab.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.CallBrowser(ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
			Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: chromedp.FromContext(ctx).BrowserContextID, DownloadPath: folder})
		return err
	}))
	return folder
}

// archive waits for a saved archive and puts its texts together.
func (c chat) archive(folder string) string {
	c.t.Helper()
	var z *zip.ReadCloser
	eventually.Must(c.t, "an archive is saved", func() bool {
		found, err := filepath.Glob(filepath.Join(folder, "*.zip"))
		must(c.t, err)
		if len(found) == 0 {
			return false
		}
		z, err = zip.OpenReader(found[0])
		return err == nil // the browser names the file before it has filled it
	})
	defer z.Close()
	var words strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		must(c.t, err)
		_, err = io.Copy(&words, r)
		must(c.t, err)
	}
	return words.String()
}

// shot takes a picture when somebody wants to look.
func shot(tab *browser.Tab, name string) {
	if os.Getenv("AVER_SHOTS") == "" {
		return
	}
	for _, dark := range []bool{false, true} {
		scheme := map[bool]string{false: "light", true: "dark"}[dark]
		tab.SetDark(dark)
		for _, width := range []int{1280, 390} {
			tab.SetViewport(width, 844, false)
			tab.Until("everything is drawn", "new Promise(r => setTimeout(() => r(true), 300))")
			tab.Picture(fmt.Sprintf("story-%s-%d-%s", name, width, scheme))
		}
	}
	tab.SetDark(false)
	tab.SetViewport(1280, 800, false)
}

// remains lists where in the data folder any of the words stands, as raw bytes.
func (w *world) remains(words ...string) []string {
	w.t.Helper()
	var found []string
	files := 0
	err := filepath.WalkDir(w.data, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a workspace that a probe closed went meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		files++
		for _, word := range words {
			if bytes.Contains(bytes.ToLower(content), bytes.ToLower([]byte(word))) {
				found = append(found, word+" in "+path)
			}
		}
		return nil
	})
	must(w.t, err)
	if files < 5 {
		w.t.Errorf("the data folder holds only %d files: this looks at the wrong place", files)
	}
	return found
}

// person finds the one contact there is.
func (w *world) person(conv ids.Conversation) ids.Contact {
	w.t.Helper()
	c, err := w.Inbox.Conversation(w.t.Context(), w.owner, conv)
	must(w.t, err)
	return c.Contact
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
