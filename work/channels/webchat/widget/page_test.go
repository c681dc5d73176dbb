package widget_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aver/base/eventually"
	"aver/work/channels/webchat/widget"
)

func TestThePageSpeaksThroughTheQueue(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hosting.script = `window.heard=[];window.warned=[];console.warn=(...a)=>warned.push(a.join(' '));
for (const e of ["session:loaded","chat:initiated","chat:opened","chat:closed","message:sent","message:received","user:email:changed"]) $aver.push(["on", e, d => heard.push([e, d])]);
$aver.push(["on","chat:opened",() => { throw new Error("a listener of the page fails") }]);
$aver.push(["set","user:email",["ada@example.org"]],["set","user:nickname",["Ada"]],["set","user:company",["Kowal",{url:"https://kowal.example"}]]);
$aver.push(["set","session:data",[[["plan","gold"],["orders",7]]]],["set","session:segments",[["buyers"],true]],["set","session:event",[[["viewed",{sku:"R1"},"red"]]]]);
$aver.push(["do","bot:dance"],["do","bot:dance"],"nonsense",["set"],null,["do","message:show",["text","How can we help?"]]);
$aver.push(["is","chat:opened",v => heard.push(["is", v])])`
	b := visit(t, s)
	if got := eval[string](b, b.page, `JSON.stringify([$aver.get("user:email"), $aver.get("session:data","plan"), $aver.get("chat:unread:count"), $aver.is("chat:opened"), $aver.is("chat:visible")])`); got != `["ada@example.org","gold",0,false,true]` {
		t.Errorf("the queue answers %s", got)
	}
	b.open()
	b.sees("How can we help?")
	eval[int](b, b.page, `$aver.push(["do","message:send",["text","from the page"]])`)
	b.press("Agree and send")
	b.sees("Sent")
	s.operator("an answer")
	b.sees("an answer")
	eventually.Must(b.t, "word about the visitor", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.said) == 1 })
	s.with(func() {
		var said map[string]any
		_ = json.Unmarshal(s.said[0], &said)
		for field, want := range map[string]string{"user": `{"company":{"name":"Kowal","url":"https://kowal.example"},"email":"ada@example.org","name":"Ada"}`,
			"data": `{"orders":7,"plan":"gold"}`, "segments": `{"list":["buyers"],"overwrite":true}`} {
			if got, _ := json.Marshal(said[field]); string(got) != want {
				t.Errorf("%s is %s, want %s", field, got, want)
			}
		}
		if got := fmt.Sprint(said["events"]); !strings.Contains(got, "name:viewed") || !strings.Contains(got, "color:red") || !strings.Contains(got, "sku:R1") {
			t.Errorf("events are %s", got)
		}
		for _, body := range s.sessions {
			if !strings.Contains(string(body), `"user":{"email":"ada@example.org","name":"Ada"}`) {
				t.Errorf("the session began with %s", body)
			}
		}
	})
	b.wait(b.page, `heard.some(([e]) => e === "message:received")`)
	eval[int](b, b.page, `$aver.push(["do","chat:close"])`)
	heard := eval[string](b, b.page, `JSON.stringify(heard.map(([e]) => e))`)
	if want := `["user:email:changed","is","chat:opened","session:loaded","message:sent","chat:initiated","message:received","chat:closed"]`; heard != want {
		t.Errorf("the page heard %s, want %s", heard, want)
	}
	if got := eval[string](b, b.page, `JSON.stringify(heard)`); strings.Contains(got, "an answer") || strings.Contains(got, "avv_") {
		t.Errorf("the page was told %s", got)
	}
	if got := eval[int](b, b.page, `warned.filter(w => w.includes("bot:dance")).length`); got != 1 {
		t.Errorf("%d warnings about one unknown verb", got)
	}
	eval[int](b, b.page, `$aver.push(["do","chat:hide"])`)
	b.wait(b.page, `!$aver.is("chat:visible") && getComputedStyle([...document.querySelectorAll('body > div')].at(-1)).display === 'none'`)
}

func TestAPageCannotEraseAVisitorByItself(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	eval[int](b, b.page, `$aver.push(["do","privacy:erase"])`)
	b.sees("Erase everything now?")
	if got := s.visited(); slices.Contains(got, "POST /widget/v1/privacy/erase") {
		t.Error("the page erased the visitor")
	}
}

func TestTheFrameHearsOnlyThePageAroundIt(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	eval[bool](b, b.frame, `(postMessage({aver: 1, is: 'call', call: {verb: 'do', key: 'session:reset', args: []}}, '*'), true)`)
	eval[bool](b, b.page, `(document.querySelector('main').append(Object.assign(document.createElement('iframe'), {src: '/nested'})), true)`)
	b.wait(b.page, `window.nested`)
	eval[bool](b, b.page, `(postMessage({aver: 1, is: 'event', name: 'message:received', data: 'forged'}, '*'), window.forged = [], $aver.push(["on","message:received", d => forged.push(d)]), true)`)
	s.operator("real")
	b.sees("real")
	b.wait(b.page, `forged.length === 1 && forged[0] !== 'forged'`)
	if got := b.bubbles(); !slices.Equal(got, []string{"Hello", "real"}) {
		t.Errorf("shown %q", got)
	}
}

func TestASignedIdentityOpensOnlyItsOwnConversation(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.config["identity"] = map[string]any{"enforced": true}
	b := visit(t, s)
	b.open()
	b.sees("Please sign in on this site")
	eval[int](b, b.page, `$aver.push(["set","user:token",[`+quote(signed("ada"))+`]])`)
	b.begin("I am Ada")
	s.with(func() {
		for _, body := range s.sessions {
			if !strings.Contains(string(body), `"user":{"token":"`+signed("ada")) {
				t.Errorf("the session began with %s", body)
			}
		}
	})
	for _, who := range []string{"", "eve"} {
		s.with(func() { s.hosting.script = token(who) })
		b.load()
		b.open()
		if got := b.bubbles(); len(got) != 0 {
			t.Errorf("%q sees %q of another person", who, got)
		}
	}
	s.with(func() { s.hosting.script = token("ada") })
	b.load()
	b.open()
	b.sees("I am Ada")
}

func TestWhoIsNotSignedIsToldSoAndReadsOn(t *testing.T) {
	t.Parallel()
	for _, language := range widget.Languages() {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.hosting.lang = language
			words := texts(t, language)
			b := visit(t, s)
			b.open()
			b.write("one")
			b.press(words["consent_agree"].(string))
			b.sees(words["sent"].(string))
			s.with(func() { s.onlySigned = true })
			b.write("two") // before the widget hears of it
			b.sees(words["not_sent"].(string) + ": " + words["sign_in"].(string))
			s.configure(map[string]any{"identity": map[string]any{"enforced": true}})
			b.wait(b.frame, `document.querySelector('.sign-in').checkVisibility() && !document.querySelector('textarea').checkVisibility()`)
			s.operator("an answer")
			b.sees("an answer")
		})
	}
}

// signed makes a token whose signature the fake server does not look at.
func signed(user string) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"EdDSA"}`) + "." + part(`{"user_id":"`+user+`"}`) + ".sig"
}

func token(user string) string {
	if user == "" {
		return ""
	}
	return `$aver.push(["set","user:token",[` + quote(signed(user)) + `]])`
}

func TestWebAddressesBecomeLinksAndMarkupStaysText(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	s.operator(`See https://kowal.example/a_(b)?c=1. <img src=x onerror=alert(1)> javascript:alert(1)`)
	b.sees("onerror")
	got := eval[string](b, b.frame, `(a => JSON.stringify([a.length, a[0].href, a[0].rel, a[0].target]))([...document.querySelectorAll('.bubble a')])`)
	if want := `[1,"https://kowal.example/a_(b)?c=1","noopener noreferrer nofollow ugc","_blank"]`; got != want {
		t.Errorf("links: %s, want %s", got, want)
	}
	if images := eval[int](b, b.frame, `document.querySelectorAll('.bubble img').length`); images != 0 {
		t.Errorf("%d images made of text", images)
	}
}

func TestTheChatIsAccessibleInLightAndDark(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			b := visit(t, s)
			b.scheme(scheme)
			b.accessible(b.page, "the page with the button")
			b.shot("button-desk-" + scheme)
			b.open()
			b.scheme(scheme)
			look := func(name string) {
				t.Helper()
				b.accessible(b.frame, name)
				b.shot(name + "-desk-" + scheme)
			}
			look("empty")
			b.write("Do you repair wheels? Mine is bent, see https://example.org/photo.")
			b.sees("Nobody else receives it")
			look("consent")
			b.press("Agree and send")
			b.sees("Sent")
			b.talk()
			look("conversation")
			b.write("reject this")
			b.sees("Not sent: This message was refused.")
			s.announce("typing", map[string]any{"on": true, "from": map[string]any{"kind": "operator", "name": "Mara"}})
			b.sees("Mara is typing")
			look("refused")
			b.attach("invoice of november.pdf", "%PDF-1.7\n1 0 obj << /V (4111 1111 1111 1111) >> endobj")
			b.press("Send")
			b.sees("card number in invoice of november.pdf")
			look("file")
			b.press("More")
			look("menu")
			b.press("Your data")
			look("data")
			b.scroll(".proofs")
			look("data-receipts")
			b.press("Prepare a copy")
			b.sees("Your copy is ready")
			b.press("Erase my data")
			look("data-erase")
			b.menu("Settings")
			look("settings")
			b.menu("Your data")
			b.press("Erase everything")
			b.sees("rcp_01jd9m3x")
			look("receipt")
			s.with(func() { s.config["online"] = false })
			b.load()
			b.open()
			b.scheme(scheme)
			look("offline")
		})
	}
}

// attach picks a file.
func (b *tab) attach(name, content string) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.do(b.frame, chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{path}, chromedp.NodeReady))
}

// scroll brings something into view.
func (b *tab) scroll(to string) {
	b.t.Helper()
	b.wait(b.frame, "document.querySelector('"+to+"')")
	eval[bool](b, b.frame, "(document.querySelector('"+to+"').scrollIntoView({block: 'center'}), true)")
}

// talk makes a conversation worth looking at.
func (b *tab) talk() {
	b.t.Helper()
	s := b.s
	s.with(func() { s.refuseText = "reject" })
	s.operator("Good morning. Yes, most of them while you wait.")
	s.operator("Is it the front or the rear wheel?")
	b.sees("front or the rear")
	picture := drawing(b.t, "wheel.png")
	b.do(b.frame, chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{picture}, chromedp.NodeReady))
	b.write("The rear one. This is how it looks.")
	b.wait(b.frame, `document.querySelector('.picture img')?.naturalWidth === 320 && !document.querySelector('.sending')`)
	s.operator("That can be trued. Come by before six, it takes about twenty minutes and costs 60 zł.")
	b.sees("60 zł")
	s.announce("read", map[string]any{"by": "operator", "seq": 4, "state": "read"})
	b.write("Perfect, I will be there at five.")
	b.wait(b.frame, `!document.querySelector('.sending') && [...document.querySelectorAll('.bubble')].at(-1).textContent.includes('at five')`)
}

func TestTheChatFitsAPhone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, lang, dir string
		width, height   int64
	}{{"320-light", "de", "ltr", 320, 568}, {"390-dark", "en", "ltr", 390, 844}, {"390-arabic", "ar", "rtl", 390, 844}, {"desk-arabic", "ar", "rtl", 1280, 800}, {"390-hindi", "hi", "ltr", 390, 844}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.hosting.lang, s.hosting.dir = c.lang, c.dir
			b := visit(t, s)
			scheme := "light"
			if strings.Contains(c.name, "dark") {
				scheme = "dark"
			}
			if c.width < 1000 {
				b.do(b.page, chromedp.EmulateViewport(c.width, c.height, chromedp.EmulateMobile, chromedp.EmulateTouch))
			}
			b.scheme(scheme)
			b.shot("button-" + c.name)
			b.open()
			b.scheme(scheme)
			if c.width < 1000 {
				b.touch(b.frame)
			}
			words := texts(t, c.lang)
			check := func(name string) {
				t.Helper()
				if over := eval[int](b, b.frame, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s is %d px too wide", name, over)
				}
				b.accessible(b.frame, name)
				b.shot(name + "-" + c.name)
			}
			check("empty")
			b.do(b.frame, chromedp.SendKeys(chromedp.CSS("textarea"), words["greeting"].(string)))
			b.press(words["send"].(string))
			check("consent")
			b.press(words["consent_agree"].(string))
			b.sees(words["sent"].(string))
			s.operator(words["greeting_away"].(string))
			b.sees(words["greeting_away"].(string))
			check("conversation")
			b.attach("invoice of november.pdf", "%PDF-1.7\n1 0 obj << /V (4111 1111 1111 1111) >> endobj")
			b.press(words["send"].(string))
			b.sees(words["not_sent"].(string))
			check("file")
			b.press(words["more"].(string))
			b.press(words["my_data"].(string))
			check("data")
			b.scroll(".proofs")
			check("data-receipts")
			b.scroll(".lines")
			check("data-limits")
			b.press(words["more"].(string))
			b.press(words["settings"].(string))
			check("settings")
			if small := eval[string](b, b.frame, `[...document.querySelectorAll('button')].filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect()).filter(r => r.width < 24 || r.height < 24).length + ''`); small != "0" {
				t.Errorf("%s targets are smaller than 24 px", small)
			}
		})
	}
}
