package browser_test

import (
	"fmt"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aver/base/eventually"
	"aver/proof/browser"
)

const shop = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<style>body{background:#fff;margin:0}@media(prefers-color-scheme:dark){body{background:#000}}#late{display:none}#cover{position:fixed;inset:0;background:#ccc}</style></head>
<body><p id="said">nothing</p><label for="name">Name</label> <input id="name"><button id="greet">Greet</button><p id="late">here at last</p>
<div id="host"></div><iframe id="chat" src="/frame" width="300" height="100"></iframe>
<script>
document.querySelector('#greet').onclick = e => { document.querySelector('#said').textContent = (e.isTrusted ? 'hello ' : 'fake ') + document.querySelector('#name').value };
const root = document.querySelector('#host').attachShadow({mode: 'open'}); root.innerHTML = '<button id="inner">Inside</button>';
root.querySelector('#inner').onclick = e => { e.target.textContent = 'Clicked' };
setTimeout(() => { document.querySelector('#late').style.display = 'block' }, 150);
addEventListener('offline', () => { document.querySelector('#said').textContent = 'offline' });
</script></body></html>`

const frame = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Frame</title></head><body><p id="said">quiet</p><input id="words"><button id="send">Send</button>
<script>document.querySelector('#send').onclick = () => { document.querySelector('#said').textContent = document.querySelector('#words').value };</script></body></html>`

func pages(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	serve := func(path, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, body)
		})
	}
	serve("/{$}", shop)
	serve("/frame", frame)
	serve("/broken", `<!doctype html><title>Broken</title><script>console.error('out of milk'); setTimeout(() => { throw new Error('no bread') })</script><p>broken</p>`)
	serve("/far", `<!doctype html><title>Far</title><img src="https://example.org/logo.png" alt="logo"><p>far</p>`)
	serve("/covered", `<!doctype html><title>Covered</title><button onclick="this.textContent='pressed'">Press</button><div id="cover" style="position:fixed;inset:0;background:#ccc">please wait</div>
<script>setTimeout(() => document.querySelector('#cover').remove(), 200)</script>`)
	serve("/door", `<!doctype html><title>Door</title><a href="/keys">In</a>`)
	serve("/keys", `<!doctype html><title>Keys</title><p id="said">nothing</p><button id="ring">Ring</button><script defer src="/keys.js"></script>`)
	mux.HandleFunc("GET /keys.js", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(300 * time.Millisecond) // a slow network, long after the page can be seen: who waits passes however long it takes
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `onkeydown = e => { document.querySelector('#said').textContent += ' ' + e.key }
document.querySelector('#ring').onclick = () => { document.querySelector('#said').textContent += ' rang' }`)
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestATestDoesWhatAPersonDoes(t *testing.T) {
	t.Parallel()
	tab := browser.New(t)
	tab.Goto(pages(t).URL)
	tab.Type("#name", "Łucja")
	tab.Click("#greet")
	tab.WaitText("#said", "hello Łucja")
	tab.WaitText("#late", "here at last")
	tab.Click("#inner")
	tab.WaitText("#inner", "Clicked")
	if got := browser.Eval[string](tab, "document.title"); got != "Shop" {
		t.Errorf("the title is %q", got)
	}
	if got := browser.Eval[int](tab, "new Promise(r => setTimeout(() => r(%s + 1), 1))", 41); got != 42 {
		t.Errorf("a promise gave %d", got)
	}
}

func TestFramesAreReached(t *testing.T) {
	t.Parallel()
	tab := browser.New(t)
	tab.Goto(pages(t).URL)
	chat := tab.In("#chat")
	chat.Type("#words", "is it in stock?")
	chat.Click("#send")
	chat.WaitText("#said", "is it in stock?")
	if got := tab.Text("#said"); got != "nothing" {
		t.Errorf("the page says %q", got)
	}
}

func TestFramesOfAnotherSiteAreReached(t *testing.T) {
	t.Parallel()
	chat := pages(t)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>Site</title><link rel="icon" href="data:,"><iframe src="%s/frame"></iframe>`, chat.URL)
	}))
	t.Cleanup(site.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(site.URL, "http://"), ":")
	tab := browser.New(t)
	tab.Goto("http://shop.localhost:" + port)
	tab.In("iframe").Type("#words", "hello over there")
	tab.In("iframe").Click("#send")
	tab.In("iframe").WaitText("#said", "hello over there")
}

func TestAClickWaitsUntilNothingCoversTheButton(t *testing.T) {
	t.Parallel()
	tab := browser.New(t)
	tab.Goto(pages(t).URL + "/covered")
	tab.Click("button")
	tab.WaitText("button", "pressed")
}

func TestWhatIsPressedWaitsUntilTheScriptsThatHearItHaveRun(t *testing.T) {
	t.Parallel()
	server := pages(t)
	for name, press := range map[string]func(*browser.Tab){
		"a key":    func(tab *browser.Tab) { tab.Press("x") },
		"a button": func(tab *browser.Tab) { tab.Click("#ring") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab := browser.New(t)
			tab.Goto(server.URL + "/door")
			tab.Click("a")
			tab.WaitText("#said", "nothing") // the page is seen, and deaf
			press(tab)
			if said := tab.Text("#said"); said == "nothing" {
				t.Error("nobody heard it")
			}
		})
	}
}

func TestALinkIsFollowedUntilItsPageHasLoaded(t *testing.T) {
	t.Parallel()
	tab := browser.New(t)
	tab.Goto(pages(t).URL + "/door")
	tab.Follow("a")
	if got := browser.Eval[string](tab, "document.title + ', ' + document.readyState"); got != "Keys, complete" {
		t.Errorf("after it the page is %s", got)
	}
}

func TestTabsOfNewShareNothingAndTabsOfAnotherShareCookies(t *testing.T) {
	t.Parallel()
	server := pages(t)
	first, private := browser.New(t), browser.New(t)
	second := first.Another()
	first.Goto(server.URL)
	first.Run("document.cookie = 'basket=3'")
	second.Goto(server.URL)
	private.Goto(server.URL)
	if got := browser.Eval[string](second, "document.cookie"); got != "basket=3" {
		t.Errorf("the second tab has %q", got)
	}
	if got := browser.Eval[string](private, "document.cookie"); got != "" {
		t.Errorf("the private window has %q", got)
	}
}

func TestPicturesShowSizeAndColours(t *testing.T) {
	t.Parallel()
	tab := browser.New(t)
	tab.Goto(pages(t).URL)
	tab.SetViewport(390, 844, true)
	for _, dark := range []bool{false, true} {
		tab.SetDark(dark)
		path := filepath.Join(t.TempDir(), "shots", "page.png")
		tab.Screenshot(path)
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(file)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		if size := picture.Bounds().Size(); size.X != 390 || size.Y != 844 {
			t.Errorf("the picture is %v", size)
		}
		if r, _, _, _ := picture.At(380, 800).RGBA(); (r == 0) != dark {
			t.Errorf("dark is %v and the corner has red %d", dark, r)
		}
	}
	if touch := browser.Eval[int](tab, "navigator.maxTouchPoints"); touch == 0 {
		t.Error("the phone has no touch screen")
	}
}

func TestThePageNoticesThatItIsOffline(t *testing.T) {
	t.Parallel()
	tab := browser.New(t)
	tab.Allow("net::ERR_INTERNET_DISCONNECTED")
	tab.Goto(pages(t).URL)
	tab.SetOffline(true)
	tab.WaitText("#said", "offline")
	if failed := browser.Eval[bool](tab, "fetch('/frame').then(() => false, () => true)"); !failed {
		t.Error("a request went through")
	}
	tab.SetOffline(false)
	if status := browser.Eval[int](tab, "fetch('/frame').then(r => r.status)"); status != http.StatusOK {
		t.Errorf("back online: status %d", status)
	}
}

func TestACutWireBreaksConnectionsUntilItIsMended(t *testing.T) {
	t.Parallel()
	server, tab := pages(t), browser.New(t)
	wire := browser.NewWire(t, server.Listener.Addr().String())
	tab.Allow("net::ERR_")
	tab.Goto("https://" + wire.Address())
	works := func() bool { return browser.Eval[bool](tab, "fetch('/frame').then(() => true, () => false)") }
	if !works() {
		t.Error("the whole wire does not carry")
	}
	wire.Cut()
	if works() {
		t.Error("the cut wire carries")
	}
	wire.Mend()
	if !works() {
		t.Error("the mended wire does not carry")
	}
}

func TestAHangingWireLosesWhatIsSentAndLetsNewConnectionsThrough(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	wire := browser.NewWire(t, server.Listener.Addr().String())
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", wire.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	answers := func(conn net.Conn, patience time.Duration) bool {
		fmt.Fprint(conn, "HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n")
		conn.SetReadDeadline(time.Now().Add(patience))
		_, err := conn.Read(make([]byte, 4096))
		return err == nil
	}
	old := dial()
	if !answers(old, time.Minute) {
		t.Error("the wire does not carry")
	}
	wire.Hang()
	if answers(old, time.Second/5) {
		t.Error("what was sent over the old connection arrived")
	}
	if !answers(dial(), time.Minute) {
		t.Error("a new connection is not carried")
	}
}

// recorder stands in for a test that is expected to fail.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Errorf(format string, values ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, values...))
}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Failed() bool     { return false }

func (r *recorder) end() string {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
	return strings.Join(r.failures, "\n")
}

func TestConsoleErrorsFailATestThatDoesNotAllowThem(t *testing.T) {
	t.Parallel()
	server := pages(t)
	for name, test := range map[string]struct {
		path  string
		allow []string
		want  []string
	}{
		"an error and an exception": {"/broken", nil, []string{"out of milk", "no bread"}},
		"one of them is allowed":    {"/broken", []string{"milk"}, []string{"no bread"}},
		"something from elsewhere":  {"/far", nil, []string{"ERR_NAME_NOT_RESOLVED"}},
		"a page in order":           {"/", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			tab := browser.New(r)
			for _, pattern := range test.allow {
				tab.Allow(pattern)
			}
			tab.Goto(server.URL + test.path)
			for _, want := range test.want {
				eventually.Must(t, want, func() bool { return strings.Contains(strings.Join(tab.Console(), "\n"), want) })
			}
			said := r.end()
			if len(r.failures) != len(test.want) {
				t.Errorf("said %q, want %d failures", said, len(test.want))
			}
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("said %q, which lacks %q", said, want)
				}
			}
		})
	}
}

func TestLocateTellsWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := browser.Locate(); err == nil || !strings.Contains(err.Error(), "apt-get install chromium") {
		t.Errorf("got %v", err)
	}
}
