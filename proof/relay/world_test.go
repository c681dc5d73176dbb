package relay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/proof/browser"
	"aver/trust/canary/attack"
	"aver/trust/identity"
	"aver/vault"
	"aver/work/channels/webchat"
)

const password = "three old bicycles in rain"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program is the command aver.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "aver-program-*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "aver")
	out, err := exec.Command("go", "build", "-o", path, "aver/cmd/aver").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build aver: %w\n%s", err, out)
	}
	return path, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// region is an installation with one workspace, whose owner sits at a console.
type region struct {
	*app.App
	t     *testing.T
	data  string
	base  string
	slug  string
	owner vault.Actor
	stop  func()
}

func open(t *testing.T, name, slug, business string) *region {
	t.Helper()
	r := &region{t: t, data: t.TempDir(), slug: slug}
	log, err := os.Create(filepath.Join(r.data, "aver.log"))
	must(t, err)
	r.App, err = app.Open(t.Context(), app.Config{Data: r.data, Region: name, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: log, Calm: true,
		Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- r.Serve(ctx, func(*app.App) { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatalf("the region does not start: %v", err)
	}
	r.stop = sync.OnceFunc(func() {
		cancel()
		must(t, errors.Join(<-ended, log.Close()))
	})
	t.Cleanup(r.stop)
	https, _, _ := r.Edge.Addresses()
	r.base = "https://" + https.String()
	tenant, err := r.CreateTenant(ctx, slug, business)
	must(t, err)
	invitation, err := r.Identity.Invite(ctx, identity.System(tenant.ID, "test"), r.email(), vault.Owner)
	must(t, err)
	session, err := r.Identity.Accept(ctx, invitation, r.email(), "Asha Rao", password)
	must(t, err)
	r.owner, err = r.Identity.Session(ctx, session)
	must(t, err)
	return r
}

func (r *region) email() string { return "asha@" + r.slug + ".example" }

// knows lets a region know what the other has.
func (r *region) knows(other *region) {
	r.t.Helper()
	ctx, root := r.t.Context(), identity.System(ids.Installation, "test")
	must(r.t, r.Residency.Add(ctx, root, other.Config.Region, other.base))
	must(r.t, r.Residency.Refer(ctx, root, other.owner.Tenant(), other.slug, other.Config.Region))
}

// between is a relay in a process of its own.
type between struct {
	t       *testing.T
	regions []*region
	data    string
	address string
	command *exec.Cmd
}

func relayTo(t *testing.T, regions ...*region) *between {
	t.Helper()
	b := &between{t: t, regions: regions, data: t.TempDir(), address: "127.0.0.1:0"}
	var authorities strings.Builder
	for _, r := range regions {
		found, err := filepath.Glob(filepath.Join(r.data, "certificates", "*"))
		must(t, err)
		for _, file := range found {
			text, err := os.ReadFile(file)
			must(t, err)
			authorities.Write(text)
		}
	}
	must(t, os.WriteFile(filepath.Join(b.data, "regions.pem"), []byte(authorities.String()), 0o600))
	b.start()
	t.Cleanup(b.kill)
	return b
}

// start begins the relay, after the first time at the same address.
func (b *between) start() {
	b.t.Helper()
	path, err := program()
	must(b.t, err)
	args := []string{"relay", "--listen", b.address, "--data", b.data, "--ca", filepath.Join(b.data, "regions.pem")}
	for _, r := range b.regions {
		args = append(args, "--to", r.Config.Region+"="+r.base)
	}
	b.command = exec.Command(path, args...)
	b.command.Stderr = os.Stderr
	out, err := b.command.StdoutPipe()
	must(b.t, err)
	must(b.t, b.command.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	must(b.t, err)
	_, rest, _ := strings.Cut(said, "https://")
	b.address, _, _ = strings.Cut(rest, " ")
	go func() { _, _ = io.Copy(io.Discard, out) }()
}

// kill ends the relay without a word of warning.
func (b *between) kill() {
	_ = b.command.Process.Kill()
	_ = b.command.Wait() // killed is how it was meant to end
}

// remains says in which of the relay's files any of the words stands, in whatever form, and reads the connection log.
func (b *between) remains(words ...string) (found []string, lines []map[string]string) {
	b.t.Helper()
	marks := attack.NewMarks(words...)
	err := filepath.WalkDir(b.data, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if form := marks.Find(content); form != "" {
			found = append(found, path+": "+form)
		}
		if filepath.Ext(path) != ".jsonl" {
			return nil
		}
		for line := range strings.Lines(string(content)) {
			var one map[string]string
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				return err
			}
			lines = append(lines, one)
		}
		return nil
	})
	must(b.t, err)
	return found, lines
}

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Bangalore Bikes</title><link rel="icon" href="data:,"></head>
<body><h1>Bangalore Bikes</h1><script>window.$aver=[];window.AVER_WEBSITE_ID="%s"</script><script async src="https://%s/l.js"></script></body></html>`

// site is a workspace's own site, which loads the widget from the relay.
func (b *between) site(r *region) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, page, webchat.Website(r.owner.Tenant()), b.address)
	}))
	b.t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	return "http://shop.localhost:" + port
}

// chat is the widget in the visitor's tab.
type chat struct {
	t          *testing.T
	tab, frame *browser.Tab
}

func (b *between) visit(r *region) chat {
	b.t.Helper()
	tab := browser.New(b.t)
	tab.Goto(b.site(r))
	tab.WaitVisible("button")
	tab.Click("button")
	c := chat{b.t, tab, tab.In("iframe")}
	c.frame.WaitVisible("textarea")
	return c
}

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

// signIn opens the console through the relay.
func (b *between) signIn(r *region) *browser.Tab {
	b.t.Helper()
	o := browser.New(b.t)
	o.Goto("https://" + b.address + "/login?workspace=" + r.slug)
	o.Type("#email", r.email())
	o.Type("#password", password)
	o.Click("main button[type=submit]")
	o.Until("the inbox", "location.pathname === '/inbox' && document.querySelector('#rows')")
	return o
}

func answer(o *browser.Tab, text string) {
	o.Type(".composer textarea", text)
	o.Click(".composer button[type=submit]")
	o.Until("the answer in the thread", "document.querySelector('.thread').innerText.includes(%s)", text)
	o.WaitGone(".bubble .sending")
}

// shot takes pictures of a page when somebody wants to look.
func shot(tab *browser.Tab, name string) {
	if os.Getenv("AVER_SHOTS") == "" {
		return
	}
	for _, dark := range []bool{false, true} {
		tab.SetDark(dark)
		for _, width := range []int{1280, 390} {
			tab.SetViewport(width, 844, false)
			tab.Picture(fmt.Sprintf("relay-%s-%d-%s", name, width, map[bool]string{false: "light", true: "dark"}[dark]))
		}
	}
	tab.SetDark(false)
	tab.SetViewport(1280, 800, false)
}
