package widget_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"aver/base/eventually"
	"aver/proof/axe"
)

// patience is how long a test waits for what a person would see within a second on a quiet machine.
const patience = 60 * time.Second

var browser = struct {
	sync.Once
	ctx  context.Context
	stop func()
	err  error
}{stop: func() {}}

func TestMain(m *testing.M) {
	code := m.Run()
	browser.stop()
	os.Exit(code)
}

// start begins the one browser that all tests share; each has a profile of its own in it.
func start() (context.Context, error) {
	browser.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
		allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, stop := chromedp.NewContext(allocator)
		browser.ctx, browser.stop = ctx, func() { stop(); stopAllocator() }
		browser.err = chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	})
	return browser.ctx, browser.err
}

// tab is a visitor at the website.
type tab struct {
	t     *testing.T
	s     *server
	page  context.Context
	frame context.Context // the chat, once it is open
	at    target.ID       // of the frame
	other *tab            // of the same visitor
}

// visit opens the website in a fresh profile and waits for the button.
func visit(t *testing.T, s *server) *tab {
	t.Helper()
	root, err := start()
	if err != nil {
		t.Fatalf("starting Chromium (apt-get install chromium): %v", err)
	}
	page, stop := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	page, cancel := context.WithTimeout(page, 5*patience) // for all that it does
	t.Cleanup(func() { cancel(); stop() })
	b := &tab{t: t, s: s, page: page}
	b.do(page, chromedp.EmulateViewport(1280, 800))
	b.load()
	return b
}

// another opens the website in a second tab of the same visitor.
func (b *tab) another() *tab {
	b.t.Helper()
	page, stop := chromedp.NewContext(b.page)
	b.t.Cleanup(stop)
	b.other = &tab{t: b.t, s: b.s, page: page, other: b}
	b.other.do(page, chromedp.EmulateViewport(1280, 800))
	b.other.load()
	return b.other
}

// load loads the website, again if it was loaded before.
func (b *tab) load() {
	b.t.Helper()
	b.frame = nil
	b.do(b.page, chromedp.Navigate(b.s.pageURL()))
	b.wait(b.page, `window.$aver && $aver.loaded === true`)
}

func (b *tab) do(ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// eval returns the value of an expression, awaited.
func eval[T any](b *tab, ctx context.Context, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// wait waits until an expression holds.
func (b *tab) wait(ctx context.Context, expression string) {
	b.t.Helper()
	poll := chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingInterval(15*time.Millisecond), chromedp.WithPollingTimeout(patience))
	_, err := chromedp.Run(ctx, poll)
	for err != nil && strings.Contains(err.Error(), "Cannot find context") { // the page before was just giving way
		_, err = chromedp.Run(ctx, poll)
	}
	if err != nil {
		shown, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
		b.t.Fatalf("waiting for %s: %v; shown:\n%s", expression, err, shown)
	}
}

// button is the round button as a script sees it.
const button = `[...document.querySelectorAll('body > div')].at(-1).shadowRoot.querySelector('button')`

// pressButton clicks the round button as a person does.
func (b *tab) pressButton() {
	b.t.Helper()
	at := eval[[]float64](b, b.page, `(r => [r.x + r.width / 2, r.y + r.height / 2])(`+button+`.getBoundingClientRect())`)
	b.do(b.page, chromedp.MouseClickXY(at[0], at[1]))
}

// open presses the button and goes into the frame.
func (b *tab) open() {
	b.t.Helper()
	b.pressButton()
	b.enter()
}

// enter attaches to the frame, which the browser runs in a process of its own because it is of another site.
func (b *tab) enter() {
	b.t.Helper()
	eventually.Must(b.t, "the frame is there", func() bool {
		infos, err := chromedp.Targets(b.page)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, info := range infos {
			if info.Type == "iframe" && strings.HasPrefix(info.URL, b.s.http.URL) && (b.other == nil || b.other.at != info.TargetID) {
				ctx, stop := chromedp.NewContext(b.page, chromedp.WithTargetID(info.TargetID), chromedp.WithDetachOnCancel())
				b.t.Cleanup(stop)
				b.frame, b.at = ctx, info.TargetID
			}
		}
		return b.frame != nil
	})
	b.wait(b.frame, `document.querySelector('header, .sorry')`)
}

// write types a message and presses Enter.
func (b *tab) write(text string) {
	b.t.Helper()
	b.do(b.frame, chromedp.Focus(chromedp.CSS("textarea")))
	b.do(b.page, chromedp.KeyEvent(text), chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			enter := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}
			if _, err := cdp.Call(ctx, at, input.DispatchKeyEvent, enter); err != nil {
				return err
			}
		}
		return nil
	}))
}

// press clicks the button with this name in the frame.
func (b *tab) press(name string) {
	b.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll('button')].find(b => b.checkVisibility() && [b.getAttribute('aria-label'), b.textContent].includes(%q))`, name)
	b.wait(b.frame, find)
	eval[bool](b, b.frame, find+`.click() ?? true`)
}

// sees waits for words in the frame.
func (b *tab) sees(words string) {
	b.t.Helper()
	b.wait(b.frame, fmt.Sprintf(`document.body.innerText.includes(%q)`, words))
}

// menu goes to another screen.
func (b *tab) menu(name string) {
	b.t.Helper()
	b.press("More")
	b.press(name)
}

// begin writes a first message and agrees.
func (b *tab) begin(text string) {
	b.t.Helper()
	b.write(text)
	b.press("Agree and send")
	b.sees("Sent")
}

// bubbles returns the messages shown, in order.
func (b *tab) bubbles() []string {
	b.t.Helper()
	return eval[[]string](b, b.frame, `[...document.querySelectorAll('.bubble')].map(e => e.textContent)`)
}

// kept returns what the frame's origin keeps in the browser.
func (b *tab) kept() string {
	b.t.Helper()
	return eval[string](b, b.frame, `JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])`)
}

const nothing = `[{},{},""]`

// scheme makes the browser prefer light or dark, in page and frame.
func (b *tab) scheme(name string) {
	b.t.Helper()
	for _, ctx := range []context.Context{b.page, b.frame} {
		if ctx == nil {
			continue
		}
		b.do(ctx, chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
			features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}}
			_, err := cdp.Call(ctx, at, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
			return err
		}))
	}
}

// touch makes the frame believe that it is used with fingers.
func (b *tab) touch(ctx context.Context) {
	b.t.Helper()
	b.do(ctx, chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
		_, err := cdp.Call(ctx, at, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
		return err
	}))
	b.wait(ctx, `matchMedia('(pointer: coarse)').matches`)
}

// accessible runs axe-core where ctx is and fails the test for every finding.
func (b *tab) accessible(ctx context.Context, what string) {
	b.t.Helper()
	if eval[bool](b, ctx, `typeof axe === 'undefined'`) {
		eval[bool](b, ctx, axe.Source+";true")
	}
	findings := eval[string](b, ctx, `axe.run({iframes: false}).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, nodes: v.nodes.map(n => n.html + ' ' + n.failureSummary)}))))`)
	if findings != "[]" {
		var list []any
		_ = json.Unmarshal([]byte(findings), &list)
		text, _ := json.MarshalIndent(list, "", " ")
		b.t.Errorf("%s: axe found %s", what, text)
	}
}

// shot keeps a picture when the environment names a folder for them; people look at those before a release.
func (b *tab) shot(name string) {
	b.t.Helper()
	folder := os.Getenv("AVER_SHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(b.page, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "widget-"+name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
