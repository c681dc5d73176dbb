// Package browser drives a real Chromium for tests, so that a test reads like what a person does.
//
// All tests of one binary share one browser process; each tab made by New has cookies and storage of its own, as a private
// window has. Every call waits until what it needs is there, or fails the test after a while: tests contain no sleeps.
// An error on the console fails the test too, unless the test allows it. The browser knows this machine only, so a page
// that fetches something from elsewhere is found out.
//
// Nothing of the product may import this package.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// Locate finds the browser. The error says how to install one.
func Locate() (string, error) {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
	if runtime.GOOS == "darwin" {
		names = append(names, "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Chromium found: install it with \"apt-get install chromium\" (Debian, Ubuntu) or your system's package of it, or run .ci/install")
}

// shared is the browser process of this test binary, while anybody uses it.
var shared struct {
	mu    sync.Mutex
	users int
	ctx   context.Context
	stop  func()
}

// acquire starts the browser for its first user and returns a context that new tabs descend from.
func acquire() (context.Context, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.users == 0 {
		if err := launch(); err != nil {
			return nil, err
		}
	}
	shared.users++
	return shared.ctx, nil
}

// release stops the browser after its last user.
func release() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.users--; shared.users == 0 {
		shared.stop()
	}
}

func launch() error {
	path, err := Locate()
	if err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "aver-browser-")
	if err != nil {
		return fmt.Errorf("make a folder for the browser: %w", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(profile, "profile")),
		chromedp.NoSandbox, // it sees our own pages only, and its sandbox fails for root and in many containers
		chromedp.DisableGPU,
		chromedp.IgnoreCertErrors, // the servers under test make their own certificates
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("mute-audio", true),
		chromedp.Flag("lang", "en-GB"),
		// Frames of other sites stay in the page's process, so that In reaches them.
		chromedp.Flag("disable-site-isolation-trials", true),
		chromedp.Flag("disable-features", "Translate,IsolateOrigins,site-per-process,OptimizationHints,MediaRouter,LocalNetworkAccessChecks"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]"),
	)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	stop := func() {
		stopBrowser()
		stopAllocator() // waits for the process
		os.RemoveAll(profile)
	}
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return fmt.Errorf("start %s: %w", path, err)
	}
	shared.ctx, shared.stop = ctx, stop
	return nil
}

// New opens a tab with cookies and storage of its own, 1280 by 800. It closes when the test ends.
func New(t testing.TB) *Tab {
	t.Helper()
	root, err := acquire()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return open(t, root, chromedp.WithNewBrowserContext())
}

// Another opens a second tab that shares cookies and storage with this one.
func (b *Tab) Another() *Tab {
	b.t.Helper()
	return open(b.t, b.ctx)
}

func open(t testing.TB, parent context.Context, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(parent, options...)
	b := &Tab{t: t, ctx: ctx, console: &console{}}
	listening, messages := make(chan struct{}), chromedp.Console(ctx)
	go func() {
		defer close(listening)
		for m, err := range messages {
			if err != nil {
				return
			}
			b.console.add(m)
		}
	}()
	t.Cleanup(func() {
		if t.Failed() {
			b.leavePicture()
		}
		closeTab()
		<-listening
		b.console.judge(t)
	})
	b.SetViewport(1280, 800, false)
	return b
}
