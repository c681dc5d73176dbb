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
	"github.com/chromedp/cdproto/input"
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

// until waits for a condition in the page, also across the loading of the next page.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-again.C {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s: %v", condition, err)
		}
	}
}

// strike presses a key as a keyboard does, so that a script can keep its letter from being written.
func strike(key string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
			event := input.DispatchKeyEventParams{Type: kind, Key: key}
			if kind == input.DispatchKeyEventTypeKeyDown {
				event.Text = key
			}
			if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, event); err != nil {
				return err
			}
		}
		return nil
	})
}

// picture keeps what the browser shows, when pictures are wanted.
func picture(t *testing.T, ctx context.Context, name string, full bool) {
	t.Helper()
	if *shots == "" {
		return
	}
	shoot := chromedp.CaptureScreenshot()
	if full {
		shoot = chromedp.FullScreenshot(100)
	}
	data, err := chromedp.Run(ctx, shoot)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), data, 0o644); err != nil {
		t.Fatal(err)
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
		for _, light := range []string{"light", "dark"} {
			for _, path := range paths() {
				do(t, ctx, chromedp.EmulateViewport(width, map[int64]int64{1280: 860, 390: 844}[width]), scheme(light), chromedp.Navigate(server+path))
				if !eval[bool](t, ctx, fmt.Sprintf(`matchMedia("(prefers-color-scheme: %s)").matches && document.querySelector("main").getBoundingClientRect().height > 100`, light)) {
					t.Errorf("%s is not drawn in %s", path, light)
				}
				picture(t, ctx, fmt.Sprintf("page%s-%d-%s", strings.TrimSuffix(strings.ReplaceAll(path, "/", "_"), "_"), width, light), !strings.HasPrefix(path, "/inbox"))
			}
		}
	}
}

// readable lists texts whose contrast with what is really behind them is under 4.5 to 1.
const readable = `(() => {
	const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
	const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
	const light = ([r, g, b]) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => { const c = [r, g, b][i] / 255; return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); }, 0);
	const behind = (node) => { for (let n = node; n; n = n.parentElement) { const c = rgba(getComputedStyle(n).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
	const bad = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const node = walk.currentNode.parentElement;
		if (!walk.currentNode.data.trim() || !node.checkVisibility({visibilityProperty: true}) || node.closest(".unseen, [disabled], option")) continue;
		const a = light(rgba(getComputedStyle(node).color)), b = light(behind(node));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) bad.push(ratio.toFixed(2) + " " + walk.currentNode.data.trim().slice(0, 30) + " (" + node.className + ")");
	}
	return bad;
})()`

func scheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return err
	})
}

func TestEveryTextCanBeReadInLightAndInDark(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	do(t, ctx, chromedp.EmulateViewport(1280, 860))
	for _, light := range []string{"light", "dark"} {
		for _, path := range paths() {
			do(t, ctx, scheme(light), chromedp.Navigate(server+path))
			for _, bad := range eval[[]string](t, ctx, readable) {
				t.Errorf("%s in %s: %s", path, light, bad)
			}
		}
	}
}

func TestAListIsWalkedWithTheKeyboard(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	const focused = `document.activeElement.querySelector(".row-title")?.textContent ?? ""`
	do(t, ctx, chromedp.EmulateViewport(1280, 860), chromedp.Navigate(server+"/contacts"), chromedp.KeyEvent("j"), chromedp.KeyEvent("j"), chromedp.KeyEvent("j"), chromedp.KeyEvent("k"))
	if got := eval[string](t, ctx, focused); got != "Jonas Weber" {
		t.Errorf("after J J J K the row is %q", got)
	}
	do(t, ctx, strike("/"), strike("j"))
	if got := eval[string](t, ctx, `document.activeElement.value`); got != "j" {
		t.Errorf("in the search box J writes %q", got)
	}
	do(t, ctx, chromedp.KeyEvent("\x1b"), chromedp.KeyEvent("j"), chromedp.KeyEvent("\r"))
	until(t, ctx, `location.pathname === "/contacts/maria"`)
	do(t, ctx, chromedp.KeyEvent("g"), chromedp.KeyEvent("i"))
	until(t, ctx, `location.pathname === "/inbox"`)
}

func TestThePaletteFindsPagesAndPeople(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	do(t, ctx, chromedp.EmulateViewport(1280, 860), chromedp.Navigate(server+"/"), chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	until(t, ctx, `document.querySelector("#palette").open && document.activeElement.id === "palette-text"`)
	if n := eval[int](t, ctx, `document.querySelectorAll("#palette-list [role=option]").length`); n != 6 {
		t.Errorf("it offers %d pages, not 6", n)
	}
	picture(t, ctx, "moment-palette", false)
	do(t, ctx, chromedp.KeyEvent("kow"))
	until(t, ctx, `document.querySelector("#palette-list [role=option]")?.textContent.includes("Maria Kowal")`)
	do(t, ctx, chromedp.KeyEvent("\r"))
	until(t, ctx, `location.pathname === "/contacts/maria"`)
}

func TestADangerousActWaitsForTheName(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	const disabled = `document.querySelector("#erase .danger").disabled`
	do(t, ctx, chromedp.EmulateViewport(1280, 860), chromedp.Navigate(server+"/contacts/maria"), chromedp.Click(chromedp.CSS(`[data-opens="erase"]`)))
	until(t, ctx, `document.querySelector("#erase").open`)
	if !eval[bool](t, ctx, disabled) {
		t.Error("the button can be pressed at once")
	}
	do(t, ctx, chromedp.SendKeys(chromedp.CSS("#erase-confirm"), "Maria Kowa"))
	if !eval[bool](t, ctx, disabled) {
		t.Error("half the name is enough")
	}
	do(t, ctx, chromedp.SendKeys(chromedp.CSS("#erase-confirm"), "l"))
	picture(t, ctx, "moment-confirm", false)
	if eval[bool](t, ctx, disabled) {
		t.Error("the whole name is not enough")
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("#erase .danger")))
	until(t, ctx, `document.querySelector(".toast")?.textContent.includes("Contact saved")`)
	picture(t, ctx, "moment-toast", false)
	do(t, ctx, chromedp.Reload())
	if eval[bool](t, ctx, `!!document.querySelector(".toast")`) {
		t.Error("the sentence is said twice")
	}
}

func TestLongWorkMovesByItself(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	do(t, ctx, chromedp.EmulateViewport(1280, 860), chromedp.Navigate(server+"/"))
	until(t, ctx, `document.querySelector("#import progress").value !== 1640`)
}

func TestTheThemeIsChosenInTheMenuAndStays(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	do(t, ctx, chromedp.EmulateViewport(1280, 860), scheme("light"), chromedp.Navigate(server+"/contacts"),
		chromedp.Click(chromedp.CSS(".user summary")))
	picture(t, ctx, "moment-menu", false)
	do(t, ctx, chromedp.Click(chromedp.CSS(`.themes [value="dark"]`)))
	until(t, ctx, `document.documentElement.dataset.theme === "dark" && location.pathname === "/contacts"`)
	do(t, ctx, chromedp.Navigate(server+"/inbox"))
	if got := eval[string](t, ctx, `getComputedStyle(document.documentElement).colorScheme`); got != "dark" {
		t.Errorf("on the next page the scheme is %s", got)
	}
	if got := eval[int](t, ctx, `localStorage.length + sessionStorage.length + document.cookie.length`); got != 0 {
		t.Error("a script stored something")
	}
}

func TestPagesForEverybodyWorkWithoutScripts(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	do(t, ctx, chromedp.EmulateViewport(1280, 860), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(server+"/trust"))
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "41 of 43") || !strings.Contains(text, "UTC") {
		t.Errorf("the trust page says %s", text)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`a.claim.failing`)), chromedp.WaitVisible(chromedp.CSS(".notice.failing")))
}

func TestARefusedFormPutsTheFocusOnWhatIsWrong(t *testing.T) {
	t.Parallel()
	ctx, server := browser(t)
	do(t, ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch), chromedp.Navigate(server+"/forms"),
		chromedp.SendKeys(chromedp.CSS("#name"), "Ben Adeyemi"), chromedp.Click(chromedp.CSS(".button.primary")))
	until(t, ctx, `document.activeElement.matches(".summary")`)
	picture(t, ctx, "moment-refused", true)
	if got := eval[string](t, ctx, `document.querySelector("#name").value`); got != "Ben Adeyemi" {
		t.Errorf("the name is now %q", got)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`.summary a[href="#email"]`)))
	if got := eval[string](t, ctx, `document.activeElement.id`); got != "email" {
		t.Errorf("the link leads to %q", got)
	}
	small := eval[[]string](t, ctx, `[...document.querySelectorAll("a.button, button, input:not([type=radio], [type=checkbox], [type=hidden]), select, .rail-nav a")].filter(n => n.checkVisibility() && n.getBoundingClientRect().height < 44 && !n.closest(".unseen, .menu-body")).map(n => n.outerHTML.slice(0, 80))`)
	if len(small) > 0 {
		t.Errorf("too small for a finger: %s", strings.Join(small, "\n"))
	}
}
