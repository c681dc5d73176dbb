package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// shots is where pictures of every page go, to be looked at; none are made without it.
var shots = flag.String("shots", "", "folder for screenshots of every page")

// browser starts Chromium for one test and returns it with the address of a preview server.
func browser(t *testing.T) (context.Context, string) {
	t.Helper()
	server := httptest.NewServer(handler())
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	return ctx, server.URL
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits for a condition in the page.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition, chromedp.WithPollingTimeout(5*time.Second))); err != nil {
		t.Fatalf("waiting for %s: %v", condition, err)
	}
}

// paths lists the screens as a browser asks for them.
func paths() []string {
	var out []string
	for path := range screens {
		out = append(out, strings.TrimSuffix(path, "{$}"))
	}
	return out
}

func TestNoPageIsWiderThanItsWindowOrBreaksItsPolicy(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	do(t, ctx)
	heard := make(chan chromedp.ConsoleMessage, 1000)
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			heard <- m
		}
	}()
	for _, path := range paths() {
		for _, width := range []int64{1280, 768, 390, 320} {
			do(t, ctx, chromedp.EmulateViewport(width, 800), chromedp.Navigate(server+path))
			if over := eval[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				widest := eval[string](t, ctx, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== "fixed").map(e => e.className || e.tagName).slice(0, 5).join(", ")`)
				t.Errorf("%s at %d px is %d px too wide: %s", path, width, over, widest)
			}
		}
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`console.log("that was all")`))
	before := map[string]bool{}
	for m := range heard {
		if m.Text == "that was all" {
			break
		}
		if said := fmt.Sprintf("%s: %s (%s)", m.Type, m.Text, m.URL); !before[said] {
			before[said] = true
			t.Errorf("the console said %s", said)
		}
	}
}

func TestPicturesOfEveryPage(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			for _, path := range paths() {
				do(t, ctx, chromedp.EmulateViewport(width, map[int64]int64{1280: 860, 390: 844}[width]),
					chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
						_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
						return err
					}), chromedp.Navigate(server+path))
				if got := eval[bool](t, ctx, fmt.Sprintf(`matchMedia("(prefers-color-scheme: %s)").matches && getComputedStyle(document.documentElement).backgroundColor !== ""`, scheme)); !got {
					t.Errorf("%s is not drawn in %s", path, scheme)
				}
				if *shots == "" {
					continue
				}
				picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("page%s-%d-%s.png", strings.TrimSuffix(strings.ReplaceAll(path, "/", "_"), "_"), width, scheme)
				if err := os.WriteFile(filepath.Join(*shots, name), picture, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
