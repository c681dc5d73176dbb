package web_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	pagecdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/base/personal"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/consent"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/inbox"
	"aver/work/inbox/hours"
)

// lived is a workspace with some conversations in it, and the addresses of its pages by name.
func lived(t *testing.T, h *house) map[string]string {
	t.Helper()
	ctx, op, own := t.Context(), h.operator.Actor, h.owner.Actor
	var labels []inbox.LabelID
	for i, name := range []string{"Invoice", "New patient", "Privacy", "Praise", "Urgent"} {
		l, err := h.inbox.SaveLabel(ctx, op, inbox.Label{Name: name, Hue: i + 1})
		must(t, err)
		labels = append(labels, l.ID)
	}
	team, err := h.inbox.SaveTeam(ctx, own, inbox.Staffed{Team: inbox.Team{Name: "Billing"}, Members: []ids.User{op.User()}})
	must(t, err)
	for _, m := range []inbox.Macro{{Shortcut: "hours", Text: "We answer on weekdays from 9 to 17."}, {Shortcut: "invoice", Text: "Your invoice is attached. Your insurer needs the number at its top."}, {Shortcut: "thanks", Text: "Thank you for writing to us."}} {
		_, err := h.inbox.SaveMacro(ctx, op, m)
		must(t, err)
	}
	limited := hours.Hours{Zone: "Europe/Berlin", Limited: true, Away: "We are away until Monday."}
	for day := time.Monday; day <= time.Friday; day++ {
		limited.Week[day] = []hours.Span{{From: 540, To: 720}, {From: 780, To: 1020}}
	}
	must(t, h.inbox.SetHours(ctx, own, limited))
	h.Clock.Advance(-96 * time.Hour)
	quiet := h.receive(t, h.visitor(t, "Lena Brandt"), "Please delete my old address.")
	must(t, h.inbox.SetLabel(ctx, op, quiet, labels[2], true))
	h.Clock.Advance(46 * time.Hour)
	long := h.receive(t, h.visitor(t, "Óscar de la Fuente y Martínez de Irujo"), "Can I come on Thursday?")
	h.reply(t, own, long, "We have moved it to Thursday at half past ten, on the second floor of the house beside the park", false)
	h.Clock.Advance(22 * time.Hour)
	arabic := h.receive(t, h.visitor(t, "عمر الخطيب"), "مرحبا، هل يمكنني تغيير موعدي؟")
	must(t, h.inbox.Assign(ctx, op, arabic, inbox.Assignment{User: new(own.User()), Team: &team.ID}))
	h.Clock.Advance(2 * time.Hour)
	jonas := h.visitor(t, "Jonas Weber")
	h.receive(t, jonas, "Is tomorrow at nine still free?")
	h.receive(t, jonas, "Or ten?")
	nobody := h.visitor(t, "")
	stranger := h.receive(t, nobody, "Do you take patients without insurance? <script>alert(1)</script>")
	must(t, h.inbox.SetLabel(ctx, op, stranger, labels[1], true))
	must(t, h.inbox.SetLabel(ctx, op, stranger, labels[4], true))
	for _, state := range []string{"snoozed", "closed"} {
		conv := h.receive(t, h.visitor(t, "Aiko Tanaka"), "Thank you, that helped.")
		if state == "closed" {
			must(t, h.inbox.SetState(ctx, op, conv, inbox.Closed, 0))
		} else {
			must(t, h.inbox.Snooze(ctx, op, conv, h.Clock.Now().Add(20*time.Hour), 0))
		}
	}
	withdrawn := h.visitor(t, "Tomasz Zieliński")
	silent := h.receive(t, withdrawn, "I would rather not be written to.")
	must(t, h.consent.Withdraw(ctx, withdrawn, withdrawn.Subject(), consent.Support))
	maria := h.visitor(t, "Maria Kowal")
	picture, err := h.inbox.Upload(ctx, maria, maria.Subject(), personal.Of("letter of the insurer.png"), strings.NewReader(drawing(t, 420, 240)))
	must(t, err)
	conv := h.receive(t, maria, "Hello, I had a check-up in September and my insurer asks for the invoice.")
	h.receive(t, maria, "Could you send it again? The link in the mail has expired.", picture.ID)
	h.Clock.Advance(4 * time.Minute)
	paper, err := h.inbox.Upload(ctx, op, maria.Subject(), personal.Of("invoice-2026-0917.pdf"), strings.NewReader("%PDF-1.7 "+strings.Repeat("x", 84_000)))
	must(t, err)
	_, err = h.inbox.Reply(ctx, op, conv, inbox.Outgoing{Text: personal.Of("Of course. Here it is:"), Attachments: []ids.Object{paper.ID}})
	must(t, err)
	must(t, h.inbox.MarkRead(ctx, maria, conv, 3))
	h.reply(t, own, conv, "The mail links run out after 7 days. Worth a longer time for invoices?", true)
	h.Clock.Advance(5 * time.Minute)
	h.receive(t, maria, "Perfect, it opens.\nOne more thing: can I move my appointment on the 28th to the week after?")
	must(t, h.inbox.SetLabel(ctx, op, conv, labels[0], true))
	h.reply(t, op, conv, "Let me look.", false)
	must(t, h.inbox.Redact(ctx, op, conv, 1, 0))
	must(t, h.Vault.Do(ctx, vaulttest.System(h.Tenant), vault.Act("test.restrict", purpose.Storage, vault.System()), func(tx *vault.Tx) error { // who agreed to support is still answered
		return vault.Standings.Put(tx, vault.Standing{Person: maria.Subject(), Kind: purpose.Restrict, Purpose: purpose.All, Since: tx.Now()})
	}))
	return map[string]string{"inbox": "/inbox", "mine": "/inbox?who=mine", "label": "/inbox?label=" + labels[1].String(), "snoozed": "/inbox?state=snoozed", "closed": "/inbox?state=closed",
		"nothing": "/inbox?state=closed&who=mine", "search": "/inbox?q=invoice", "thread": "/inbox/" + conv.String(), "person": "/inbox/" + conv.String() + "/person",
		"stranger": "/inbox/" + stranger.String(), "withdrawn": "/inbox/" + silent.String(), "arabic": "/inbox/" + arabic.String(), "redact": "/inbox/" + conv.String() + "/redact?seq=4&note=0",
		"replies": "/settings/replies", "labels": "/settings/labels", "teams": "/settings/teams", "hours": "/settings/hours"}
}

// visit opens the workspace for somebody who is signed in.
func visit(t *testing.T, h *house, who user) (*browser.Tab, string) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	b := browser.New(t)
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.SetCookie, network.SetCookieParams{Name: identity.CookieName, Value: who.session, URL: server.URL, Secure: new(true), Path: "/"})
		return err
	}))
	return b, server.URL
}

func TestEveryPageFitsItsWindowAndLeavesNobodyOut(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	pages := lived(t, h)
	b, address := visit(t, h, h.owner)
	for name, path := range pages {
		b.Goto(address + path)
		axe.Look(t, b, "inbox-"+name)
	}
	if said := b.Console(); len(said) > 0 {
		t.Errorf("the console said %s", strings.Join(said, "\n"))
	}
}

// writes types into the composer and sends.
func writes(b *browser.Tab, text string) {
	b.Type("#composer textarea", text)
	b.Click("#composer button[type=submit]")
}

func TestAConversationIsLive(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	maria := h.visitor(t, "Maria Kowal")
	conv := h.receive(t, maria, "Is the lamp back in stock?")
	b, address := visit(t, h, h.operator)
	b.Goto(address + "/inbox/" + conv.String())
	b.WaitText(".bubble.theirs", "Is the lamp back in stock?")
	writes(b, "Let me look.")
	b.WaitText(".bubble.ours", "Let me look.")
	b.WaitVisible(".bubble.ours .sent:not(.sending)")

	h.receive(t, maria, "Thank you")
	b.WaitText(".bubble.theirs", "Thank you")
	b.WaitText("#rows .row-note", "Thank you")
	b.WaitVisible(".bubble.ours .sent.read") // who answers has read
	writes(b, "It costs 40.")
	b.WaitVisible(".bubble.ours:last-child .sent:not(.sending)")
	must(t, h.inbox.MarkRead(t.Context(), maria, conv, 4))
	b.WaitVisible(".bubble.ours:last-child .sent.read")
	must(t, h.inbox.Typing(t.Context(), maria, conv, true))
	b.WaitText("#typing", "Maria Kowal is writing")

	b.Click(".composer-kind label:nth-of-type(2)")
	writes(b, "she is a regular")
	b.WaitText(".bubble.note", "she is a regular")
	b.WaitGone(".bubble .sending") // and stored, before the next
	h.reply(t, h.owner.Actor, conv, "give her the old price", true)
	b.WaitText(".bubble.note", "give her the old price")

	other := h.receive(t, h.visitor(t, "Jonas Weber"), "Hello, anybody there?")
	b.WaitText("#rows .conversation.unread .row-note", "Hello, anybody there?")
	if first := browser.Eval[string](b, `document.querySelector("#rows [data-conversation]").dataset.conversation`); first != other.String() {
		t.Errorf("the newest conversation is not on top: %s", first)
	}
	if n := b.Count("#rows [data-conversation]"); n != 2 {
		t.Errorf("%d lines in the list", n)
	}
	b.WaitText(`[data-view="unassigned"] .count`, "1")
	must(t, h.inbox.SetState(t.Context(), h.owner.Actor, other, inbox.Closed, 0))
	b.WaitGone(`#rows [data-conversation="` + other.String() + `"]`)
	b.WaitGone(`[data-view="unassigned"] .count`)

	list, _, err := h.inbox.History(t.Context(), h.operator.Actor, conv, 0, 50)
	must(t, err)
	var got []string
	for _, m := range list {
		got = append(got, string(m.From)+" "+m.Text.Reveal())
	}
	want := "visitor Is the lamp back in stock?|operator Let me look.|visitor Thank you|operator It costs 40.|note she is a regular|note give her the old price"
	if strings.Join(got, "|") != want {
		t.Errorf("stored %q", got)
	}
	b.Reload()
	if n := b.Count(".thread .bubble"); n != 6 {
		t.Errorf("%d messages after a reload", n)
	}
}

func TestWhatWasMissedComesWhenTheConnectionIsBack(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	maria := h.visitor(t, "Maria Kowal")
	conv := h.receive(t, maria, "one")
	b, address := visit(t, h, h.operator)
	wire := browser.NewWire(t, strings.TrimPrefix(address, "https://"))
	b.Allow("WebSocket|net::ERR_|htmx:error")
	b.Goto("https://" + wire.Address() + "/inbox/" + conv.String())
	writes(b, "two")
	b.WaitVisible(".bubble.ours .sent:not(.sending)")
	wire.Cut()
	for _, text := range []string{"three", "four", "five"} {
		h.receive(t, maria, text)
	}
	b.WaitVisible(".connection")
	wire.Mend()
	b.WaitText(".bubble.theirs", "five")
	b.WaitGone(".connection")
	if got := browser.Eval[string](b, `[...document.querySelectorAll(".thread .written")].map(p => p.textContent).join(" ")`); got != "one two three four five" {
		t.Errorf("the thread reads %q", got)
	}
}

func TestWhatIsWrittenWithoutAConnectionGoesOnceWhenItIsBack(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "The invoice, please")
	paper := filepath.Join(t.TempDir(), "invoice.txt")
	must(t, os.WriteFile(paper, []byte("40 for the lamp"), 0o600))
	b, address := visit(t, h, h.operator)
	wire := browser.NewWire(t, strings.TrimPrefix(address, "https://"))
	b.Allow("WebSocket|net::ERR_|htmx:error")
	b.Goto("https://" + wire.Address() + "/inbox/" + conv.String())
	writes(b, "Let me look.")
	b.WaitVisible(".bubble.ours .sent:not(.sending)")
	wire.Cut()
	b.WaitVisible(".connection")
	b.Upload("#attach", paper)
	b.WaitText("#uploads", "invoice.txt")
	writes(b, "Here it is.")
	b.Click(".composer-kind label:nth-of-type(2)")
	writes(b, "she is a regular")
	b.WaitText(".bubble.ours:has(.sending)", "Here it is.")
	b.WaitText(".bubble.note:has(.sending)", "she is a regular")
	wire.Mend()
	b.WaitGone(".connection")
	b.WaitGone(".bubble .sending")
	list, _, err := h.inbox.History(t.Context(), h.operator.Actor, conv, 0, 50)
	must(t, err)
	var got []string
	for _, m := range list {
		got = append(got, fmt.Sprint(m.From, " ", m.Text.Reveal(), " ", len(m.Files)))
	}
	if want := "visitor The invoice, please 0|operator Let me look. 0|operator Here it is. 1|note she is a regular 0"; strings.Join(got, "|") != want {
		t.Errorf("stored %q", got)
	}
	b.Until("the file can be opened", `fetch(document.querySelector(".bubble.ours .file").href).then(r => r.text()).then(t => t === "40 for the lamp")`)
}

func TestEverythingIsAsItIsNowWhenTheConnectionIsBack(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	maria, jonas := h.visitor(t, "Maria Kowal"), h.visitor(t, "Jonas Weber")
	conv := h.receive(t, maria, "my card is 4000 0000")
	done, other := h.receive(t, h.visitor(t, "Lena Brandt"), "thanks"), h.receive(t, jonas, "hello")
	b, address := visit(t, h, h.operator)
	wire := browser.NewWire(t, strings.TrimPrefix(address, "https://"))
	b.Allow("WebSocket|net::ERR_|htmx:error")
	b.Goto("https://" + wire.Address() + "/inbox/" + conv.String())
	b.WaitText(`[data-view="unassigned"] .count`, "2") // connected
	b.Type("#composer textarea", "half a sente")
	wire.Cut()
	b.WaitVisible(".connection")
	h.reply(t, h.owner.Actor, conv, "among us", true)
	must(t, h.inbox.Redact(t.Context(), h.owner.Actor, conv, 1, 0))
	must(t, h.inbox.SetState(t.Context(), h.owner.Actor, done, inbox.Closed, 0))
	must(t, h.inbox.SetState(t.Context(), h.owner.Actor, conv, inbox.Closed, 0))
	h.receive(t, jonas, "anybody there?")
	wire.Mend()
	b.WaitGone(".connection")
	b.WaitText(".bubble.note", "among us")
	b.WaitText(".bubble.theirs", "This message was removed")
	b.WaitText(".finish", "Open again")
	b.WaitText(`#rows [data-conversation="`+other.String()+`"] .row-note`, "anybody there?")
	b.WaitGone(`#rows [data-conversation="` + done.String() + `"]`)
	if got := browser.Eval[string](b, `document.querySelector("#composer textarea").value`); got != "half a sente" {
		t.Errorf("what was being written is now %q", got)
	}
}

// loses keeps from the pages that come the frames of which the condition holds.
func loses(b *browser.Tab, condition string) {
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, pagecdp.AddScriptToEvaluateOnNewDocument, pagecdp.AddScriptToEvaluateOnNewDocumentParams{Source: `
			const heard = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
			Object.defineProperty(WebSocket.prototype, "onmessage", { set(f) { heard.set.call(this, f && ((e) => ` + condition + ` || f(e))) } });`})
		return err
	}))
}

func TestNobodyIsKeptOnAPageByWhatIsStored(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "one")
	b, address := visit(t, h, h.operator)
	loses(b, `/^{"id":\d+,"ok":{"seq":2/.test(e.data)`) // the acknowledgement, but not the news
	b.Goto(address + "/inbox/" + conv.String())
	writes(b, "two")
	b.WaitVisible(".bubble.ours .sent:not(.sending)")
	b.Goto(address + "/settings/labels")
	b.WaitText("h1", "Labels")
}

func TestAMessageThatIsToldLateIsNotSkipped(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	maria := h.visitor(t, "Maria Kowal")
	conv := h.receive(t, maria, "one")
	b, address := visit(t, h, h.operator)
	b.Goto(address + "/inbox")
	loses(b, `e.data.includes('"push":"message"') && e.data.includes('"two"')`) // what another process took is told by a relay that lost it
	b.Goto(address + "/inbox/" + conv.String())
	writes(b, "before")
	b.WaitVisible(".bubble.ours .sent:not(.sending)")
	h.receive(t, maria, "two")
	b.WaitText("#rows .row-note", "two")
	writes(b, "three")
	b.WaitText(".bubble.theirs", "two")
	if got := browser.Eval[string](b, `[...document.querySelectorAll(".thread .written")].map(p => p.textContent).join(" ")`); got != "one before two three" {
		t.Errorf("the thread reads %q", got)
	}
}

func TestManyNewsAtOnceBringOneRowEach(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	maria := h.visitor(t, "Maria Kowal")
	conv := h.receive(t, maria, "hello")
	must(t, h.inbox.SetState(t.Context(), h.operator.Actor, conv, inbox.Closed, 0))
	people := []vault.Actor{maria}
	for range 4 {
		people = append(people, h.visitor(t, "Jonas Weber"))
	}
	b, address := visit(t, h, h.operator)
	b.Goto(address + "/inbox")
	lena := h.visitor(t, "Lena Brandt")
	eventually.Must(t, "the list is live", func() bool {
		last := h.receive(t, lena, "is it?")
		return b.Count(`#rows [data-conversation="`+last.String()+`"]`) > 0
	})
	for _, person := range people { // the first opens a closed conversation, which is two news
		h.receive(t, person, "one")
		h.receive(t, person, "two")
	}
	b.Until("every conversation is listed once, with its last message", `(rows => rows.length === 6 && rows.filter(row => row.innerText.includes("two")).length === 5)(aver.all("#rows [data-conversation]"))`)
	if got := browser.Eval[int](b, `new Set(aver.all("#rows [data-conversation]").map(row => row.dataset.conversation)).size`); got != 6 {
		t.Errorf("%d conversations in 6 rows", got)
	}
}

func TestAFilteredListFollowsWhoHasAConversation(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "hello")
	give := func(user ids.User) {
		must(t, h.inbox.Assign(t.Context(), h.owner.Actor, conv, inbox.Assignment{User: &user}))
	}
	b, address := visit(t, h, h.operator)
	b.Goto(address + "/inbox?who=unassigned")
	mine, open := b.Another(), b.Another()
	mine.Goto(address + "/inbox?who=mine")
	open.Goto(address + "/inbox/" + conv.String())
	row := `#rows [data-conversation="` + conv.String() + `"]`
	b.WaitVisible(row)
	for _, tab := range []*browser.Tab{b, mine, open} {
		tab.WaitGone(`[data-view="open"] .count`) // it has heard that the message was read
	}
	give(h.operator.User())
	b.WaitGone(row)
	mine.WaitVisible(row)
	open.WaitGone(".take")
	give(h.owner.User())
	mine.WaitGone(row)
	open.WaitVisible(".take")
	open.WaitText(".column.third", "Ines Moreau")
	open.Click(".take button")
	open.WaitText(".column.third", "Ben Okafor")
	mine.WaitVisible(row)
}

func TestASilentConnectionIsGivenUp(t *testing.T) {
	t.Parallel()
	for notices, how := range map[string]string{
		"when the network changes":     `dispatchEvent(new Event("online"))`,
		"when one looks at it again":   `document.dispatchEvent(new Event("visibilitychange"))`,
		"after a minute of no answers": `const now = Date.now.bind(Date); Date.now = () => now() + 61000`,
	} {
		t.Run(notices, func(t *testing.T) {
			t.Parallel()
			h := furnish(t, vaulttest.Embedded(t, config(t)))
			maria := h.visitor(t, "Maria Kowal")
			conv := h.receive(t, maria, "one")
			b, address := visit(t, h, h.operator)
			wire := browser.NewWire(t, strings.TrimPrefix(address, "https://"))
			b.Allow("WebSocket|net::ERR_|htmx:error")
			b.Goto("https://" + wire.Address() + "/inbox/" + conv.String())
			writes(b, "two")
			b.WaitVisible(".bubble.ours .sent:not(.sending)")
			wire.Hang()
			h.receive(t, maria, "three")
			b.Run(how)
			b.WaitText(".bubble.theirs", "three")
		})
	}
}

func TestTheKeyboardDoesIt(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	_, err := h.inbox.SaveMacro(t.Context(), h.operator.Actor, inbox.Macro{Shortcut: "hours", Text: "We answer from 9 to 17."})
	must(t, err)
	h.receive(t, h.visitor(t, "Jonas Weber"), "older")
	h.Clock.Advance(time.Minute)
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "newer")
	b, address := visit(t, h, h.operator)
	b.Goto(address + "/inbox")
	b.Press("jk\r")
	b.WaitText(".bubble.theirs", "newer")
	b.WaitVisible("#canned-button") // the scripts have run
	b.Press("a")
	b.WaitText(".toast", "Assigned")
	b.WaitVisible("#canned-button")
	b.Press("r")
	b.Until("the composer has the focus", `document.activeElement.matches("#composer textarea")`)
	b.Run(`document.activeElement.value = ""`) // the letter itself, which only this way of pressing keys lets through
	b.Press("/ho")
	b.WaitVisible("#canned [data-shortcut=hours]")
	b.Press("\r")
	b.Until("the answer is in the composer", `document.querySelector("#composer textarea").value.trim() === "We answer from 9 to 17."`)
	b.Press("\r", chromedp.KeyModifiers(2)) // Ctrl
	b.WaitText(".bubble.ours", "We answer from 9 to 17.")
	b.WaitVisible(".bubble.ours .sent:not(.sending)")
	b.Press("\x1b")
	b.Press("?")
	b.WaitText("#shortcuts", "Close")
	b.WaitText("#shortcuts", "Reply")
	b.Press("\x1b")
	b.Press("s")
	b.WaitText(".menu[open]", "Tomorrow")
	b.Press("\x1b")
	b.Press("e")
	b.WaitText(".toast", "Closed")
	c, err := h.inbox.Conversation(t.Context(), h.operator.Actor, conv)
	must(t, err)
	if c.State != inbox.Closed || c.Assignee != h.operator.User() {
		t.Errorf("ended as %s, assigned to %v", c.State, c.Assignee)
	}
}

func TestAFileThatIsRefusedWithItsMessageIsNotOfferedToBeSentAgain(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "The invoice, please")
	script := filepath.Join(t.TempDir(), "page.html")
	must(t, os.WriteFile(script, []byte("<html><script>alert(1)</script>"), 0o600))
	b, address := visit(t, h, h.operator)
	b.Allow("422")
	b.Goto(address + "/inbox/" + conv.String())
	b.WaitVisible("#attach-button")
	browser.Eval[bool](b, `(() => { const send = XMLHttpRequest.prototype.send; window.held = []
XMLHttpRequest.prototype.send = function (body) { window.held.push(() => send.call(this, body)) }; return true })()`)
	b.Upload("#attach", script)
	b.WaitText("#uploads", "page.html")
	b.Click("#composer button[type=submit]") // before the file has arrived
	browser.Eval[bool](b, `(() => { window.held.forEach((go) => go()); return true })()`)
	b.WaitText(".bubble.ours footer", "Not sent. Files of this kind are not taken. Send a picture")
	b.Picture("refused file")
	if again := browser.Eval[bool](b, `document.querySelector('.bubble.ours:last-of-type').tabIndex >= 0 || document.body.innerText.includes('try again')`); again {
		t.Error("it is offered to send the same again")
	}
}

func TestFilesAreSentWithProgress(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "The invoice, please")
	folder := t.TempDir()
	paper, script := filepath.Join(folder, "invoice.pdf"), filepath.Join(folder, "page.html")
	must(t, os.WriteFile(paper, []byte("%PDF-1.7 "+strings.Repeat("x", 300_000)), 0o600))
	must(t, os.WriteFile(script, []byte("<html><script>alert(1)</script>"), 0o600))
	b, address := visit(t, h, h.operator)
	b.Allow("422")
	b.Goto(address + "/inbox/" + conv.String())
	b.WaitVisible("#attach-button")
	b.Upload("#attach", script)
	b.WaitText(".toast", "Files of this kind are not taken")
	b.Upload("#attach", paper)
	b.WaitText("#uploads", "invoice.pdf")
	b.WaitGone("#uploads progress")
	b.Click("#composer button[type=submit]")
	b.WaitText(".bubble.ours .file", "invoice.pdf")
	b.WaitVisible(".bubble.ours .sent:not(.sending)")
	b.Reload()
	b.WaitText(".bubble.ours .file", "300 kB")
}
