package widget_test

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"aver/base/eventually"
	"aver/work/channels/webchat/widget"
)

// downloads lets the tab save files into a folder and returns it.
func (b *tab) downloads() string {
	b.t.Helper()
	folder := b.t.TempDir()
	id := chromedp.FromContext(b.page).BrowserContextID
	params := cdpbrowser.SetDownloadBehaviorParams{Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: id, DownloadPath: folder}
	if _, err := chromedp.CallBrowser(b.page, cdpbrowser.SetDownloadBehavior, params); err != nil {
		b.t.Fatal(err)
	}
	return folder
}

// saved waits for a file of this name and returns what is in it.
func (b *tab) saved(folder, name string) string {
	b.t.Helper()
	var body []byte
	eventually.Must(b.t, "a file "+name, func() bool {
		var err error
		body, err = os.ReadFile(filepath.Join(folder, name))
		return err == nil && len(body) > 0
	})
	return string(body)
}

func TestAVisitorGetsACopyOfTheirData(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	folder := b.downloads()
	b.open()
	b.menu("Your data")
	b.sees("nothing about you is kept")
	b.press("Back to the conversation")
	b.begin("Hello")
	b.menu("Your data")
	b.sees("Kowal Bikes ends it on 29 November 2026")
	b.sees("A lawsuit about a frame")
	b.press("Prepare a copy")
	b.press("Download the copy")
	if got := b.saved(folder, "copy.zip"); got != "PK-archive" {
		t.Errorf("saved %q", got)
	}
}

func TestTheReceiptsOfConsentsAreListedAndSaved(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	folder := b.downloads()
	b.open()
	b.begin("Hello")
	b.menu("Your data")
	b.sees("You agreed: making the product better")
	b.press("Save the receipt: You took it back: making the product better")
	if got := b.saved(folder, "receipt-crc_01jd9m32.json"); got != `{"format":"aver-consent-receipt/1"}` {
		t.Errorf("receipt: %q", got)
	}
}

func TestErasureIsConfirmedAndLeavesAReceiptAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	folder := b.downloads()
	b.open()
	b.begin("my secret")
	if b.kept() == nothing {
		t.Error("nothing is kept, so a reload would lose the conversation")
	}
	b.menu("Your data")
	b.press("Erase my data")
	b.press("Keep my data")
	b.press("Erase my data")
	eval[bool](b, b.frame, `window.shown = [], new MutationObserver(() => shown.push(document.body.innerText)).observe(document.body, {childList: true, subtree: true}) ?? true`)
	b.press("Erase everything")
	b.sees("rcp_01jd9m3x")
	if !eval[bool](b, b.frame, `shown.filter(s => s.includes('Your data was erased')).every(s => s.includes('rcp_01jd9m3x'))`) {
		t.Error("the erasure was shown without its receipt first")
	}
	b.press("Save the receipt")
	if got := b.saved(folder, "receipt-rcp_01jd9m3x.json"); got != `{"format":"aver-receipt/1"}` {
		t.Errorf("receipt: %q", got)
	}
	if got := b.kept(); got != nothing {
		t.Errorf("the browser still keeps %s", got)
	}
	b.press("Start a new conversation")
	if got := b.bubbles(); len(got) != 0 {
		t.Errorf("still shown: %q", got)
	}
	b.write("hello again")
	b.press("Agree and send")
	b.sees("Sent")
}

func TestAnErasureElsewhereClosesTheChat(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("my secret")
	s.cut(3501)
	b.sees("Your data was erased")
	if got := b.kept(); got != nothing {
		t.Errorf("the browser still keeps %s", got)
	}
}

func TestConsentIsWithdrawnAsEasilyAsGiven(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	b.menu("Settings")
	b.sees("You agreed on")
	b.press("Withdraw consent")
	b.sees("Consent withdrawn")
	if got := b.kept(); got != nothing {
		t.Errorf("the browser still keeps %s", got)
	}
	s.with(func() {
		if len(s.consents) != 1 || s.consents[0]["granted"] != false || s.consents[0]["version"] != "2026-11-01" {
			t.Errorf("the server heard %v", s.consents)
		}
	})
	b.press("Back to the conversation")
	b.write("one more thing")
	b.press("Agree and send")
	eventually.Must(b.t, "the message after the new agreement", func() bool { return slices.Equal(s.texts(), []string{"Hello", "one more thing"}) })
	s.with(func() {
		if len(s.consents) != 2 || s.consents[1]["granted"] != true {
			t.Errorf("the server heard %v", s.consents)
		}
	})
}

func TestANewWordingIsShownBeforeTheNextMessage(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("one")
	s.with(func() {
		notice := s.config["consent"].(map[string]any)
		notice["version"], notice["text"] = "2026-12-01", "We now keep what you write for two years."
		s.needConsent = true
	})
	b.write("two")
	b.sees("We now keep what you write for two years.")
	b.press("Agree and send")
	eventually.Must(b.t, "the message after the agreement", func() bool { return slices.Equal(s.texts(), []string{"one", "two"}) })
	s.with(func() {
		if len(s.consents) != 1 || s.consents[0]["version"] != "2026-12-01" || s.consents[0]["granted"] != true {
			t.Errorf("the server heard %v", s.consents)
		}
	})
}

func TestASessionThatEndedIsNoticedWhenACopyIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("one")
	b.menu("Your data")
	s.with(func() { clear(s.sessions) })
	b.press("Prepare a copy")
	b.sees("nothing about you is kept")
	if got := b.kept(); got != nothing {
		t.Errorf("the browser still keeps %s", got)
	}
}

func TestARefusedTokenBeginsAnewAndKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("one")
	s.with(func() { clear(s.sessions); s.messages = nil; clear(s.first); s.down = true })
	s.cut(3001)
	b.wait(b.frame, `document.querySelector('.connection').checkVisibility()`)
	b.write("two")
	s.with(func() { s.down = false })
	b.press("Agree and send")
	eventually.Must(b.t, "the unsent message in the new session", func() bool { return slices.Equal(s.texts(), []string{"two"}) })
}

func TestFilesWithinTheLimitsAreSent(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	picture := drawing(t, "rad für zwei.png")
	big := filepath.Join(t.TempDir(), "big.txt")
	if err := os.WriteFile(big, make([]byte, 100_001), 0o600); err != nil {
		t.Fatal(err)
	}
	b.do(b.frame, chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{picture, big, "/etc/hosts"}, chromedp.NodeReady))
	b.sees("big.txt is larger than 100 kB")
	b.sees("Files like hosts are not accepted here")
	b.write("Like this one")
	b.press("Agree and send")
	b.sees("Sent")
	b.wait(b.frame, `document.querySelector('.picture img')?.naturalWidth === 320`)
	s.with(func() {
		if got := s.uploads["att_1"]; len(s.uploads) != 1 || got.Name != "rad für zwei.png" || got.Type != "image/png" {
			t.Errorf("the server has %d uploads, the first %q of type %s", len(s.uploads), got.Name, got.Type)
		}
	})
	b.load()
	b.open()
	b.wait(b.frame, `document.querySelector('.picture img')?.naturalWidth === 320`) // fetched back with the token
}

func TestAFileThatCannotBeTakenIsExplainedInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	for _, language := range widget.Languages() {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.hosting.lang = language
			words := texts(t, language)
			b := visit(t, s)
			b.open()
			for i, c := range []struct{ name, content, why string }{
				{"card.pdf", "%PDF-1.7\n1 0 obj << /V (4111 1111 1111 1111) >> endobj", "card_in_file"},
				{"locked.pdf", "%PDF-1.7\ntrailer << /Encrypt 1 0 R >>", "locked_file"},
				{"deep.pdf", "%PDF-1.7\n1 0 obj " + strings.Repeat("[", 100) + " endobj", "too_much_in_file"},
				{"program.pdf", "MZ\x90\x00\x03\x00\x00\x00", "wrong_type"},
			} {
				b.attach(c.name, c.content)
				b.write("here it is")
				if i == 0 {
					b.press(words["consent_agree"].(string))
				}
				before, after, _ := strings.Cut(words[c.why].(string), "{name}")
				b.sees(words["not_sent"].(string) + ": " + before)
				b.sees(c.name)
				b.sees(after)
				if retry, discard := words["retry"].(string), words["discard"].(string); b.offers(retry) != 0 || b.offers(discard) != i+1 {
					t.Errorf("%s: it is offered %d times to try again, and %d times to discard", c.name, b.offers(retry), b.offers(discard))
				}
			}
			if got := s.texts(); len(got) > 0 {
				t.Errorf("the server has %q", got)
			}
		})
	}
}

// offers counts the buttons with this label beside what was not sent.
func (b *tab) offers(label string) int {
	return eval[int](b, b.frame, `[...document.querySelectorAll('.failed .meta button')].filter(e => e.textContent === `+strconv.Quote(label)+`).length`)
}

func TestFilesCanBeDroppedAndPasted(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	for kind, where := range map[string]string{"drop": ".chat", "paste": "textarea"} {
		eval[bool](b, b.frame, `(() => { const data = new DataTransfer(); data.items.add(new File(['text'], '`+kind+`.txt', {type: 'text/plain'}))
const event = '`+kind+`' === 'drop' ? new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}) : new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})
return !document.querySelector('`+where+`').dispatchEvent(event) })()`)
		b.wait(b.frame, `[...document.querySelectorAll('.chip')].some(e => e.textContent.includes('`+kind+`.txt'))`)
	}
	b.press("Remove paste.txt")
	b.press("Send")
	b.press("Agree and send")
	b.sees("Sent")
	s.with(func() {
		if got := s.uploads["att_1"]; len(s.uploads) != 1 || got.Name != "drop.txt" || string(got.Body) != "text" {
			t.Errorf("the server has %d uploads, the first %q", len(s.uploads), got.Name)
		}
	})
}

func TestARefusedMessageIsMarkedAndCanBeSentAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("one")
	s.with(func() { s.refuseText = "two" })
	b.write("two")
	b.sees("Not sent: This message was refused.")
	b.write("three")
	eventually.Must(b.t, "the message after the refused one", func() bool { return slices.Equal(s.texts(), []string{"one", "three"}) })
	s.with(func() { s.refuseText = "" })
	b.press("Try again")
	eventually.Must(b.t, "the refused message", func() bool { return slices.Equal(s.texts(), []string{"one", "three", "two"}) })
}

func TestOutsideBusinessHoursTheChatAsksWhereToAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.config["online"] = false
	b := visit(t, s)
	b.open()
	b.sees("We are away right now")
	b.do(b.frame, chromedp.Focus(chromedp.CSS("#email")))
	b.do(b.page, chromedp.KeyEvent("ada@"))
	b.write("Are you open on Sunday?")
	b.sees("This e-mail address is not complete")
	b.do(b.frame, chromedp.Focus(chromedp.CSS("#email")))
	b.do(b.page, chromedp.KeyEvent("example.org"))
	b.press("Send")
	b.press("Agree and send")
	b.sees("Sent")
	s.with(func() {
		if s.replyTo != "ada@example.org" {
			t.Errorf("the server answers to %q", s.replyTo)
		}
	})
}

func TestOfficeHoursReachAnOpenChat(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	s.with(func() { s.config["until"] = time.Now().Add(3 * time.Second).UTC().Format(time.RFC3339) })
	b.open()
	b.sees("within ten minutes")
	s.with(func() {
		s.config["online"], s.config["until"], s.config["offline_message"] = false, "", "We are at the races."
	})
	b.sees("We are at the races.") // by the hours
	s.with(func() { s.config["online"] = true })
	b.begin("Hello")
	b.sees("within ten minutes") // after the first hello
	s.with(func() { s.config["online"], s.config["offline_message"] = false, "We are away." })
	s.cut(3001)
	b.sees("We are away.") // after another
	s.configure(map[string]any{"online": true, "until": ""})
	b.sees("within ten minutes") // by a push
}

func TestTheNoticeThatIsShownIsTheOneAgreedTo(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	s.with(func() { s.config["until"] = time.Now().Add(3 * time.Second).UTC().Format(time.RFC3339) })
	b.open()
	b.write("Hello")
	b.sees("Nobody else receives it")
	s.with(func() {
		s.config["online"], s.config["until"] = false, ""
		s.config["consent"] = map[string]any{"required": true, "purpose": "support", "version": "2026-12-01", "language": "en", "text": "Everybody receives it."}
	})
	b.sees("We are away")
	b.press("Agree and send")
	b.sees("Sent")
	s.with(func() {
		for _, body := range s.sessions {
			if !strings.Contains(string(body), `"version":"2026-11-01"`) {
				t.Errorf("the session began with %s", body)
			}
		}
	})
}

// drawing makes a picture of two wheels.
func drawing(t *testing.T, name string) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for y := range 200 {
		for x := range 320 {
			left, right := math.Hypot(float64(x-90), float64(y-120)), math.Hypot(float64(x-230), float64(y-120))
			shade := color.RGBA{233, 229, 220, 255}
			if math.Abs(left-55) < 5 || math.Abs(right-55) < 5 {
				shade = color.RGBA{40, 60, 70, 255}
			}
			picture.Set(x, y, shade)
		}
	}
	path := filepath.Join(t.TempDir(), name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, picture); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAVisitorAsksForTheOtherRights(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	b.menu("Your data")
	b.sees("More rights")
	b.sees("Write what is wrong.")
	eval[bool](b, b.frame, `(() => { const s = document.querySelector('.screen select'); s.value = 'objection'; s.dispatchEvent(new Event('change')); document.querySelector('.screen textarea').value = 'no letters, please'; return true })()`)
	b.sees("Marketing stops.")
	b.accessible(b.frame, "your data")
	b.shot("rights")
	b.press("Ask for it")
	b.sees("Asked for objection in en: no letters, please")
	b.sees("req_01jd9m3x")
}
