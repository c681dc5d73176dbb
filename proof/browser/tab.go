package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is how long a call waits for what it needs. Machines that run tests are slow; people are not asked to wait so long.
const patience = 60 * time.Second

// Tab is one page of the browser, or a frame in it. Its methods fail the test instead of returning errors, so they are called from
// the test's own goroutine. Selectors are CSS.
type Tab struct {
	t       testing.TB
	ctx     context.Context
	console *console
	frame   string // a selector of an iframe in the page; "" is the page itself
}

// In returns the frame inside the iframe that matches the selector. It need not be there yet.
func (b *Tab) In(iframe string) *Tab {
	frame := *b
	frame.frame = iframe
	return &frame
}

// Do runs actions of chromedp in the page, for what this package has no word for.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// WaitLoaded waits until the page or frame has loaded and its scripts have run. Who leads to a page by a click sees it earlier
// than that; Click, Type, Press and Goto wait by themselves.
func (b *Tab) WaitLoaded() {
	b.t.Helper()
	b.Until("the page to be loaded", "document.readyState === 'complete'")
}

// Goto opens an address and waits until the page has loaded. The page before is let finish: to leave it while it loads is
// reported as an error of the new one.
func (b *Tab) Goto(url string) {
	b.t.Helper()
	b.WaitLoaded()
	b.Do(chromedp.Navigate(url))
}

// Reload loads the page again. One that is just giving way to another cannot be; then the other is.
func (b *Tab) Reload() {
	b.t.Helper()
	b.retry("waited to reload", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Reload()) })
}

// Click clicks the first element that matches, once the page's scripts have run and it is visible, enabled, still, and not
// covered by another.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	at := b.target(selector)
	b.Do(chromedp.MouseClickXY(at.X, at.Y))
}

// Follow clicks what leads to another page, a link or the button of a form, and waits until that page has loaded: one that is left
// while it is on its way may never come.
func (b *Tab) Follow(selector string) {
	b.t.Helper()
	b.Run("window.left = true")
	b.Click(selector)
	b.Until("the page that "+selector+" leads to", "!window.left && document.readyState === 'complete'")
}

// Type clicks an element and types into it, key by key, after what it holds.
func (b *Tab) Type(selector, text string) {
	b.t.Helper()
	b.Click(selector)
	b.Press(text)
}

// Press sends keys to whatever has the focus, once the page's scripts have run. Special keys are in chromedp's package kb.
func (b *Tab) Press(keys string, options ...chromedp.KeyOption) {
	b.t.Helper()
	b.WaitLoaded()
	b.Do(chromedp.KeyEvent(keys, options...))
}

// Upload chooses files in a file input.
func (b *Tab) Upload(selector string, files ...string) {
	b.t.Helper()
	b.Do(chromedp.SetUploadFiles(chromedp.CSS(selector), files))
}

// Text is what a person reads in the first element that matches, once it is there.
func (b *Tab) Text(selector string) string {
	b.t.Helper()
	b.Until(fmt.Sprintf("%s to exist", selector), "!!aver.find(%s)", selector)
	return Eval[string](b, "aver.find(%s).innerText", selector)
}

// Count is how many elements match now.
func (b *Tab) Count(selector string) int {
	b.t.Helper()
	return Eval[int](b, "aver.all(%s).length", selector)
}

// WaitText waits until an element that matches shows the text.
func (b *Tab) WaitText(selector, text string) {
	b.t.Helper()
	b.Until(fmt.Sprintf("%s to say %q", selector, text), "aver.all(%s).some(e => aver.visible(e) && e.innerText.includes(%s))", selector, text)
}

// WaitVisible waits until an element that matches can be seen.
func (b *Tab) WaitVisible(selector string) {
	b.t.Helper()
	b.Until(selector+" to be visible", "aver.all(%s).some(aver.visible)", selector)
}

// WaitGone waits until no element that matches can be seen.
func (b *Tab) WaitGone(selector string) {
	b.t.Helper()
	b.Until(selector+" to be gone", "!aver.all(%s).some(aver.visible)", selector)
}

// SetViewport changes the window's size, in CSS pixels; mobile also makes it a phone with a touch screen.
func (b *Tab) SetViewport(width, height int, mobile bool) {
	b.t.Helper()
	var options []chromedp.EmulateViewportOption
	if mobile {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	b.Do(chromedp.EmulateViewport(int64(width), int64(height), options...))
}

// SetDark makes the system prefer dark or light colours.
func (b *Tab) SetDark(dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.Do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}))
}

// StopScripts keeps the page's scripts from loading, as in a browser that blocks them. Pages of Aver have no others.
func (b *Tab) StopScripts() {
	b.t.Helper()
	b.Allow(`ERR_BLOCKED_BY_CLIENT`)
	b.Do(call(network.Enable, network.EnableParams{}),
		call(network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/*.js", Block: true}}}))
}

// SetHeaders makes the browser send these headers along with every request of the page and its frames, in place of those
// that were set before.
func (b *Tab) SetHeaders(headers map[string]string) {
	b.t.Helper()
	all := network.Headers{}
	for name, value := range headers {
		all[name] = value
	}
	b.Do(call(network.Enable, network.EnableParams{}), call(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: all}))
}

// SetOffline makes the page believe that there is no network and fails its new requests. It may leave an open WebSocket alone; a
// test that must break connections puts a Wire between.
func (b *Tab) SetOffline(offline bool) {
	b.t.Helper()
	b.Do(
		call(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1}},
		}),
		call(network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: offline, DownloadThroughput: -1, UploadThroughput: -1}),
	)
}

// Screenshot writes what the window shows as a PNG file and makes its folder.
func (b *Tab) Screenshot(path string) {
	b.t.Helper()
	b.picture(path, chromedp.CaptureScreenshot())
}

// Picture keeps the whole length of the page as a PNG file of that name in the folder that AVER_SHOTS names, for people who want
// to look at it. Without a folder it does nothing.
func (b *Tab) Picture(name string) {
	b.t.Helper()
	if folder := os.Getenv("AVER_SHOTS"); folder != "" {
		b.picture(filepath.Join(folder, strings.Trim(notInNames.ReplaceAllString(name, "-"), "-")+".png"), chromedp.FullScreenshot(100))
	}
}

// notInNames is what the name of a picture leaves out, so that it may be the page's path.
var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

func (b *Tab) picture(path string, take chromedp.Action[[]byte]) {
	b.t.Helper()
	if err := b.tryPicture(path, take); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

func (b *Tab) tryPicture(path string, take chromedp.Action[[]byte]) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, take)
	if err != nil {
		return fmt.Errorf("take a screenshot: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, png, 0o644)
}

// leavePicture keeps what a failing test saw. Run go test -artifacts to find it.
func (b *Tab) leavePicture() {
	path := filepath.Join(b.t.ArtifactDir(), fmt.Sprintf("tab-%d.png", time.Now().UnixNano()))
	if err := b.tryPicture(path, chromedp.CaptureScreenshot()); err == nil {
		b.t.Logf("the page as it was: %s", path)
	}
}

func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, command, params)
		return err
	})
}
