package widget_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"aver/base/eventually"
	"aver/work/channels/webchat/widget"
)

func TestNothingIsStoredOrAskedForBeforeTheFirstClick(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hosting.script = `$aver.push(["do", "chat:open"], ["do", "chat:toggle"], ["set", "user:email", ["ada@example.org"]], ["do", "message:send", ["text", "hello"]])`
	b := visit(t, s)

	if got := s.visited(); !slices.Equal(got, []string{"GET /l.js"}) {
		t.Errorf("asked for %q", got)
	}
	if frames := eval[int](b, b.page, `document.querySelectorAll('iframe').length + `+button+`.parentNode.querySelectorAll('iframe').length`); frames != 0 {
		t.Errorf("%d frames", frames)
	}
	if got := eval[string](b, b.page, `JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])`); got != nothing {
		t.Errorf("the page's origin keeps %s", got)
	}
	b.open()
	if got := b.kept(); got != nothing {
		t.Errorf("before the first message the frame's origin keeps %s", got)
	}
	if shift := eval[float64](b, b.page, `new Promise(done => new PerformanceObserver(list => done(list.getEntries().reduce((sum, e) => sum + e.value, 0))).observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 100))`); shift != 0 {
		t.Errorf("the page moved by %v", shift)
	}
}

func TestAClickOpensAChatOneCanWriteIn(t *testing.T) {
	t.Parallel()
	b := visit(t, newServer(t))
	eval[bool](b, b.page, `addEventListener('click', () => window.clicked = performance.now(), true);
addEventListener('message', e => { if (e.data.is === 'ready') window.ready = performance.now() }), true`)
	b.pressButton()
	b.wait(b.page, `window.ready`)
	t.Logf("opened in %.0f ms", eval[float64](b, b.page, `ready - clicked`))
}

func TestConsentComesBeforeTheFirstMessage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.write("Do you repair wheels?")
	b.sees("Nobody else receives it")
	b.press("Not now")

	if got := eval[string](b, b.frame, `document.querySelector('textarea').value`); got != "Do you repair wheels?" {
		t.Errorf("the refusal left %q in the box", got)
	}
	if got := s.visited(); slices.Contains(got, "POST /widget/v1/sessions") || slices.Contains(got, "GET /widget/v1/socket") {
		t.Errorf("asked for %q without consent", got)
	}
	b.press("Send")
	b.press("Agree and send")
	b.sees("Sent")
	if got := s.texts(); !slices.Equal(got, []string{"Do you repair wheels?"}) {
		t.Errorf("the server has %q", got)
	}
	s.with(func() {
		for _, body := range s.sessions {
			want := `{"website":"` + website + `","language":"en","page_url_origin":"` + s.pageURL() + `","consent":{"purpose":"support","version":"2026-11-01","language":"en"}}`
			if string(body) != want {
				t.Errorf("session began with %s, want %s", body, want)
			}
		}
	})
}

func TestMarksTellWhetherAMessageArrivedAndWasRead(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	s.announce("read", map[string]any{"by": "operator", "seq": 1, "state": "delivered"})
	b.sees("Delivered")
	s.announce("read", map[string]any{"by": "operator", "seq": 1, "state": "read"})
	b.sees("Read")
	s.announce("typing", map[string]any{"on": true, "from": map[string]any{"kind": "operator", "name": "Mara"}})
	b.sees("Mara is typing")
	s.operator("Good morning")
	b.wait(b.frame, `!document.body.innerText.includes('is typing')`)
	b.sees("Good morning")
	eventually.Must(b.t, "read mark", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.readBy == 2
	})
}

func TestWhatIsTakenOutIsGoneFromTheScreen(t *testing.T) {
	t.Parallel()
	for when, away := range map[string]bool{"while one reads": false, "while the connection was cut": true} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			b := visit(t, s)
			b.open()
			b.do(b.frame, chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{drawing(t, "card.png")}, chromedp.NodeReady))
			b.begin("My card is 4000 0000")
			b.wait(b.frame, `document.querySelector('.picture img')?.naturalWidth === 320`)
			s.operator("Please do not send that")
			b.sees("Please do not send that")
			if away {
				s.with(func() { s.down = true })
				s.cut(3001)
				b.wait(b.frame, `document.querySelector('.connection').checkVisibility()`)
			}
			s.redact(1)
			s.with(func() { s.down = false })
			b.wait(b.frame, `!document.body.innerText.includes('4000 0000') && !document.querySelector('.picture') && !!document.querySelector('.bubble.removed')`)
			if got := b.bubbles(); len(got) != 2 || got[1] != "Please do not send that" {
				t.Errorf("shown %q", got)
			}
		})
	}
}

func TestTypingIsForgottenAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	began := time.Now()
	s.announce("typing", map[string]any{"on": true, "from": map[string]any{"kind": "operator", "name": "Mara"}})
	b.sees("Mara is typing")
	b.wait(b.frame, `!document.body.innerText.includes('is typing')`) // on a slow machine later: nothing here says how much
	if took := time.Since(began); took < 5*time.Second {
		t.Errorf("forgotten after %v", took)
	}
}

func TestMessagesThatArriveWhileTheSocketIsCutAppearOnceInOrder(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(*server){
		"recovered from the offset":                     func(*server) {},
		"read back from history when offsets were lost": func(s *server) { s.epoch = "e2" },
		"read back over several pages":                  func(s *server) { s.limit = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			b := visit(t, s)
			b.open()
			b.begin("Hello")
			s.operator("first")
			b.sees("first")
			s.with(func() { s.down = true })
			s.cut(3001)
			b.wait(b.frame, `document.querySelector('.connection').checkVisibility()`)
			want := []string{"Hello", "first"}
			missed := 3
			if strings.Contains(name, "pages") {
				missed = 120
			}
			for i := range missed {
				text := "missed " + strings.Repeat("i", i+1)
				s.operator(text)
				want = append(want, text)
			}
			s.with(func() { forget(s); s.down = false })
			b.wait(b.frame, `!document.querySelector('.connection').checkVisibility()`)
			b.wait(b.frame, `[...document.querySelectorAll('.bubble')].at(-1).textContent === `+quote(want[len(want)-1]))
			s.operator("last")
			b.sees("last")
			if got := b.bubbles(); !slices.Equal(got, append(want, "last")) {
				t.Errorf("shown %q", got)
			}
		})
	}
}

func TestALostAcknowledgementDoesNotDoubleAMessage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("one")
	s.with(func() { s.loseNextAck = true })
	b.write("two")
	b.wait(b.frame, `[...document.querySelectorAll('.row')].at(-1).innerText.includes('Sent')`)
	b.write("three")
	b.wait(b.frame, `document.querySelectorAll('.sent').length > 0 && document.querySelectorAll('.bubble').length === 3 && !document.querySelector('.sending')`)
	if got := b.bubbles(); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("shown %q", got)
	}
	if got := s.texts(); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("the server has %q", got)
	}
}

func TestMessagesWrittenWithoutAConnectionSurviveAReloadAndGoOutInOrder(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("one")
	s.with(func() { s.down = true })
	s.cut(3001)
	b.wait(b.frame, `document.querySelector('.connection').checkVisibility()`)
	b.write("two")
	b.write("three")
	b.sees("2 messages are waiting to be sent")
	b.load()
	s.with(func() { s.down = false })
	b.open()
	b.wait(b.frame, `document.querySelectorAll('.bubble').length === 3 && !document.querySelector('.sending')`)
	if got := s.texts(); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("the server has %q", got)
	}
	if got := b.bubbles(); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Errorf("shown %q", got)
	}
}

func TestTheStreamTakesOverWhenTheSocketIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.refuseSockets = true
	b := visit(t, s)
	b.open()
	b.write("Hello")
	b.press("Agree and send")
	b.sees("Sent")
	s.operator("over the stream")
	b.sees("over the stream")
	s.cut(0)
	s.operator("while it was cut")
	b.sees("while it was cut")
	b.write("Thanks")
	b.wait(b.frame, `document.querySelectorAll('.bubble').length === 4 && !document.querySelector('.sending')`)
	if got := b.bubbles(); !slices.Equal(got, []string{"Hello", "over the stream", "while it was cut", "Thanks"}) {
		t.Errorf("shown %q", got)
	}
	if got := s.visited(); !slices.Contains(got, "GET /widget/v1/events") {
		t.Errorf("no stream among %q", got)
	}
	s.with(func() { s.refuseText = "four" })
	b.write("four")
	b.sees("Not sent: This message was refused.")
	s.cut(3501)
	b.sees("Your data was erased")
}

func TestAReloadFindsTheConversation(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	s.operator("Good morning")
	b.sees("Good morning")
	b.load()
	before := len(s.visited())
	if got := s.visited()[before-1]; got != "GET /l.js" {
		t.Errorf("after the reload asked for %s before a click", got)
	}
	b.open()
	b.sees("Good morning")
	if got := b.bubbles(); !slices.Equal(got, []string{"Hello", "Good morning"}) {
		t.Errorf("shown %q", got)
	}
}

func TestTheButtonCountsWhatIsUnread(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	b.pressButton()
	b.wait(b.page, `$aver.is('chat:opened') === false`)
	s.operator("one")
	s.operator("two")
	b.wait(b.page, button+`.innerText === '2' && `+button+`.getAttribute('aria-label') === 'Open chat (2)' && $aver.get('chat:unread:count') === 2`)
	b.shot("unread-desk")
	b.pressButton()
	b.wait(b.page, button+`.innerText === '' && $aver.get('chat:unread:count') === 0`)
}

func TestEscapeClosesAndTheFocusReturnsToTheButton(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.wait(b.frame, `document.activeElement.tagName === 'TEXTAREA'`)
	stops := eval[int](b, b.frame, `[...document.querySelectorAll('a[href], button, textarea, [tabindex="0"]')].filter(e => e.checkVisibility() && !e.disabled).length`)
	for range stops {
		b.do(b.page, chromedp.KeyEvent(kb.Tab))
	}
	b.wait(b.frame, `document.hasFocus() && document.activeElement.tagName === 'TEXTAREA'`)
	b.do(b.page, chromedp.KeyEvent(kb.Escape))
	b.wait(b.page, `!$aver.is('chat:opened') && document.activeElement.shadowRoot?.activeElement?.tagName === 'BUTTON'`)
	b.do(b.page, chromedp.KeyEvent(kb.Enter))
	b.wait(b.frame, `document.hasFocus() && document.activeElement.tagName === 'TEXTAREA'`)
}

func TestArabicIsWrittenFromTheRight(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hosting.lang, s.hosting.dir = "ar", "rtl"
	b := visit(t, s)
	b.open()
	if got := eval[string](b, b.frame, `document.documentElement.dir + ' ' + document.documentElement.lang + ' ' + getComputedStyle(document.body).direction`); got != "rtl ar rtl" {
		t.Errorf("the frame is %q", got)
	}
	if x := eval[float64](b, b.page, button+`.getBoundingClientRect().x`); x != 16 {
		t.Errorf("the button stands at %v, want 16 from the left", x)
	}
	b.sees("يجيبك")
}

func TestEveryFileIsServedWithItsTypeAndTheFrameAsksForThisVersion(t *testing.T) {
	t.Parallel()
	paths := map[string]string{"/l.js": "text/javascript; charset=utf-8", "/widget/frame": "text/html; charset=utf-8",
		"/widget/app.js": "text/javascript; charset=utf-8", "/widget/app.css": "text/css; charset=utf-8", "/widget/icons-license.txt": "text/plain; charset=utf-8"}
	for _, language := range widget.Languages() {
		paths["/widget/strings/"+language+".json"] = "application/json"
	}
	for path, kind := range paths {
		file, found := widget.At(path)
		if !found || len(file.Body) == 0 || file.Type != kind || len(file.ETag) < 18 {
			t.Errorf("%s: %d bytes of %q, ETag %s", path, len(file.Body), file.Type, file.ETag)
		}
	}
	if _, found := widget.At("/widget/version.txt"); found {
		t.Error("a file that is nobody's business is served")
	}
	frame, _ := widget.At("/widget/frame")
	for _, want := range []string{"/widget/app.js?v=", "/widget/app.css?v=", `data-v="`} {
		if !strings.Contains(string(frame.Body), want+widget.Version()) {
			t.Errorf("the frame does not ask for %s%s", want, widget.Version())
		}
	}
}

func TestEveryLanguageHasEveryText(t *testing.T) {
	t.Parallel()
	plurals := map[string][]string{"ar": {"few", "many", "one", "other", "two", "zero"}, "pl": {"few", "many", "one", "other"}}
	english := texts(t, "en")
	paths, err := filepath.Glob("strings/*.json")
	if err != nil || len(paths) != 10 {
		t.Fatalf("%d languages, %v", len(paths), err)
	}
	for _, path := range paths {
		language := strings.TrimSuffix(filepath.Base(path), ".json")
		words := texts(t, language)
		if len(words) != len(english) {
			t.Errorf("%s has %d texts, English %d", language, len(words), len(english))
		}
		for key, text := range english {
			if _, counted := text.(map[string]any); counted {
				want := plurals[language]
				if want == nil {
					want = []string{"one", "other"}
				}
				if got := keys(words[key]); !slices.Equal(got, want) {
					t.Errorf("%s %s has the forms %q, want %q", language, key, got, want)
				}
				continue
			}
			translated, _ := words[key].(string)
			if translated == "" || !slices.Equal(placeholders(translated), placeholders(text.(string))) {
				t.Errorf("%s %s: %q for %q", language, key, translated, text)
			}
			if strings.Contains(translated, "!") {
				t.Errorf("%s %s shouts", language, key)
			}
		}
	}
}

func texts(t *testing.T, language string) map[string]any {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("strings", language+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]any
	if err := json.Unmarshal(body, &words); err != nil {
		t.Fatalf("%s: %v", language, err)
	}
	return words
}

func keys(forms any) []string {
	var out []string
	for key := range forms.(map[string]any) {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

func placeholders(text string) []string {
	var out []string
	for _, part := range strings.Split(text, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func quote(text string) string {
	body, _ := json.Marshal(text)
	return string(body)
}
