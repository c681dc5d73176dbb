package main

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"aver/proof/axe"
	"aver/proof/browser"
)

// start opens a tab and a preview server, whose address it returns.
func start(t *testing.T) (*browser.Tab, string) {
	t.Helper()
	server := httptest.NewServer(handler())
	t.Cleanup(server.Close)
	return browser.New(t), server.URL
}

// paths lists the screens as a browser asks for them.
func paths() []string {
	var out []string
	for path := range screens {
		out = append(out, strings.TrimSuffix(path, "{$}"))
	}
	slices.Sort(out)
	return out
}

// Look sees to the usual windows, this to those between and below.
func TestNoPageIsWiderThanAnUnusualWindow(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	for _, path := range paths() {
		for _, width := range []int{768, 320} {
			b.SetViewport(width, 800, false)
			b.Goto(server + path)
			if over := browser.Eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s at %d px is %d px too wide", path, width, over)
			}
		}
	}
	if said := b.Console(); len(said) > 0 {
		t.Errorf("the console said %s", strings.Join(slices.Compact(said), "\n"))
	}
}

func TestNothingKeepsPeopleWithDisabilitiesOut(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	for _, path := range paths() {
		b.Goto(server + path)
		axe.Look(t, b, "preview"+path)
	}
}

// strike presses a key as a keyboard does, so that a script can keep its letter from being written.
func strike(b *browser.Tab, key string) {
	b.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key}
		if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, down); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key})
		return err
	}))
}

func TestAListIsWalkedWithTheKeyboard(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	b.Goto(server + "/contacts")
	b.Press("jjjk")
	if got := browser.Eval[string](b, `document.activeElement.querySelector(".row-title")?.textContent ?? ""`); got != "Jonas Weber" {
		t.Errorf("after J J J K the row is %q", got)
	}
	strike(b, "/")
	strike(b, "j")
	if got := browser.Eval[string](b, `document.activeElement.value`); got != "j" {
		t.Errorf("in the search box J writes %q", got)
	}
	b.Press("\x1b")
	b.Press("j")
	b.Press("\r")
	b.Until("the person's page", `location.pathname === "/contacts/maria" && window.aver`)
	b.Run(`const now = Date.now(); Date.now = () => now`) // however slow the machine is, the second key comes within the second
	b.Press("gi")
	b.Until("the inbox", `location.pathname === "/inbox" && window.aver`)
	b.Press("?")
	b.WaitText("#shortcuts [data-keys]", "Assign")
}

func TestThePaletteFindsPagesAndPeople(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	b.Goto(server + "/")
	b.Press("k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
	b.Until("the palette", `document.querySelector("#palette").open && document.activeElement.id === "palette-text"`)
	if n := b.Count("#palette-list [role=option]"); n != 6 {
		t.Errorf("it offers %d pages, not 6", n)
	}
	b.Picture("preview-moment-palette")
	b.Press("kow")
	b.WaitText("#palette-list [role=option]", "Maria Kowal")
	b.Press("\r")
	b.Until("the person's page", `location.pathname === "/contacts/maria" && window.aver`)
}

func TestADangerousActWaitsForTheName(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	open := func() bool { return !browser.Eval[bool](b, `document.querySelector("#erase .danger").disabled`) }
	b.Goto(server + "/contacts/maria")
	b.Click(`[data-opens="erase"]`)
	b.WaitVisible("#erase")
	if open() {
		t.Error("the button can be pressed at once")
	}
	b.Type("#erase-confirm", "Maria Kowa")
	if open() {
		t.Error("half the name is enough")
	}
	b.Type("#erase-confirm", "l")
	b.Picture("preview-moment-confirm")
	b.Click("#erase .danger")
	b.WaitText(".toast", "Contact saved")
	b.Picture("preview-moment-toast")
	b.Reload()
	if b.Count(".toast") > 0 {
		t.Error("the sentence is said twice")
	}
}

func TestLongWorkMovesByItself(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	b.Goto(server + "/")
	b.Until("the bar to move", `document.querySelector("#import progress").value !== 1640`)
}

func TestTheThemeIsChosenInTheMenuAndStays(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	b.SetDark(false)
	b.Goto(server + "/contacts")
	b.Click(".user summary")
	b.Picture("preview-moment-menu")
	b.Click(`.themes [value="dark"]`)
	b.Until("the dark page", `document.documentElement.dataset.theme === "dark" && location.pathname === "/contacts"`)
	b.Goto(server + "/inbox")
	if got := browser.Eval[string](b, `getComputedStyle(document.documentElement).colorScheme`); got != "dark" {
		t.Errorf("on the next page the scheme is %s", got)
	}
	if got := browser.Eval[int](b, `localStorage.length + sessionStorage.length + document.cookie.length`); got != 0 {
		t.Error("a script stored something")
	}
}

func TestANoteLooksAndSpeaksUnlikeAReply(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	b.Goto(server + "/inbox")
	strike(b, "n")
	b.Until("the note", `document.querySelector(".composer textarea").placeholder.includes("only your team") && document.activeElement.matches(".composer textarea") && !document.activeElement.value`)
	b.WaitText(".composer button.primary", "Save note")
	b.Picture("preview-moment-note")
}

func TestPagesForEverybodyWorkWithoutScripts(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	b.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(server+"/trust"), chromedp.WaitVisible(chromedp.CSS(".answers")),
		chromedp.Click(chromedp.CSS("a.claim.failing")), chromedp.WaitVisible(chromedp.CSS(".notice.failing")))
}

func TestARefusedFormPutsTheFocusOnWhatIsWrong(t *testing.T) {
	t.Parallel()
	b, server := start(t)
	b.Allow("422") // the browser notes the answer's status
	b.SetViewport(390, 844, true)
	b.Goto(server + "/forms")
	b.Type("#name", "Ben Adeyemi")
	b.Click(".button.primary")
	b.Until("the focus", `document.activeElement.matches(".summary")`)
	b.Picture("preview-moment-refused")
	if got := browser.Eval[string](b, `document.querySelector("#name").value`); got != "Ben Adeyemi" {
		t.Errorf("the name is now %q", got)
	}
	b.Click(`.summary a[href="#email"]`)
	b.Until("the field that the link names", `document.activeElement.id === "email"`)
	small := browser.Eval[[]string](b, `[...document.querySelectorAll("a.button, button, input:not([type=radio], [type=checkbox], [type=hidden]), select, .rail-nav a")].filter(n => n.checkVisibility() && n.getBoundingClientRect().height < 44 && !n.closest(".unseen, .menu-body")).map(n => n.outerHTML.slice(0, 80))`)
	if len(small) > 0 {
		t.Errorf("too small for a finger: %s", strings.Join(small, "\n"))
	}
}
