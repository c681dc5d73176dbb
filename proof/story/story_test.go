// Package story plays one visit from the first click to the erasure: a person on a business's site, the business's
// operator, and the disk that both leave traces on. It holds nothing but the test.
package story

import (
	"slices"
	"strings"
	"testing"

	"aver/base/eventually"
	"aver/base/ids"
	"aver/frame/claim"
	"aver/proof/browser"
	"aver/trust/rights"
	"aver/work/contacts"
)

func TestAVisitFromTheFirstClickToTheErasure(t *testing.T) {
	t.Parallel()
	w := open(t)
	c := w.visit()

	t.Log("Before the click the site loads one script, and nothing is stored anywhere.")
	c.tab.WaitVisible("button")
	loaded := browser.Eval[[]string](c.tab, "performance.getEntriesByType('resource').map(e => new URL(e.name).pathname)")
	if !slices.Equal(loaded, []string{"/l.js"}) {
		t.Errorf("the page loaded %q", loaded)
	}
	if got := browser.Eval[string](c.tab, "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"); got != nothing {
		t.Errorf("the site's origin keeps %s", got)
	}
	shot(c.tab, "1-before")
	c.tab.Click("button")
	c.frame.WaitVisible("textarea")
	if got := c.keeps(); got != nothing {
		t.Errorf("before the agreement the frame keeps %s", got)
	}
	if list, err := w.Contacts.List(t.Context(), w.owner, contacts.Filter{}); err != nil || len(list.Contacts) != 0 {
		t.Errorf("before the agreement there are %d contacts, %v", len(list.Contacts), err)
	}

	t.Log("The operator has the inbox open. The visitor writes, reads the notice, agrees.")
	o := w.signIn()
	c.write("My Heron creaks at the bottom bracket")
	shot(c.tab, "2-notice")
	c.press("Agree and send")
	c.sees("Sent")
	conv := w.only()
	person := w.person(conv)

	t.Log("The operator sees it without a reload and answers; the visitor sees the answer at once.")
	o.Until("the message in the list", "document.querySelector('#rows').innerText.includes('bottom bracket')")
	shot(o, "3-inbox")
	if !browser.Eval[bool](o, "window.neverLeft === true") {
		t.Error("the inbox was loaded again")
	}
	o.Click("#rows a.conversation")
	o.Until("the thread", "document.querySelector('.thread')?.innerText.includes('My Heron creaks')")
	answer(o, "Bring it by on Tuesday, we have the tool for it.")
	c.sees("Bring it by on Tuesday")
	shot(c.tab, "4-talk")
	shot(o, "5-thread")

	t.Log("The network fails, three messages come, the network returns.")
	c.tab.Allow("net::ERR_|WebSocket")
	w.wire.Cut()
	c.frame.Until("the widget notices", "/connect/i.test(document.body.innerText)")
	shot(c.tab, "6-cut")
	for _, text := range []string{"One more thing:", "please bring the key of the lock,", "and the receipt if you have it."} {
		answer(o, text)
	}
	w.wire.Mend()
	c.sees("and the receipt if you have it.")
	want := []string{"My Heron creaks at the bottom bracket", "Bring it by on Tuesday, we have the tool for it.", "One more thing:",
		"please bring the key of the lock,", "and the receipt if you have it."}
	if got := c.bubbles(); !slices.Equal(got, want) {
		t.Errorf("the visitor reads %q", got)
	}

	t.Log("The visitor asks for a copy; it holds every word.")
	folder := c.downloads()
	c.press("More")
	c.press("Your data")
	c.press("Prepare a copy")
	c.press("Download the copy")
	words := c.archive(folder)
	for _, text := range want {
		if !strings.Contains(words, text) {
			t.Errorf("the copy lacks %q", text)
		}
	}
	shot(c.tab, "7-copy")

	t.Log("The visitor asks to be erased.")
	c.press("Erase my data")
	c.press("Erase everything")
	c.sees("Your data was erased")
	shot(c.tab, "8-erased")
	if got := c.keeps(); got != nothing {
		t.Errorf("after the erasure the frame keeps %s", got)
	}
	receipt := browser.Eval[string](c.frame, `document.body.innerText.match(/req_[0-9a-z]+/)?.[0] ?? document.body.innerText`)
	var id rights.RequestID
	must(t, id.UnmarshalText([]byte(receipt)))
	if _, err := w.Rights.CheckReceipt(t.Context(), w.owner.Tenant(), id); err != nil {
		t.Errorf("the receipt does not hold: %v", err)
	}
	w.forgot(t, conv, person, want)

	t.Log("Anybody can read on the claim's public page that erasures were measured since, and what was seen.")
	w.measured("rgt-4")
	p := browser.New(t)
	p.Goto(w.base + "/trust/claims/rgt-4")
	p.Until("the claim, held", `/Holds\s+In this state for .+; last measured .+ ago\./.test(document.querySelector('main').innerText)`)
	p.Until("its figures", `/ 0 after, 0 files or rows with their words, key destroyed in .+/.test(document.querySelector('h1').innerText)`)
	p.Until("the receipt among what was seen", `document.querySelector('main').innerText.includes('receipt')`)
	shot(p, "9-claim")
}

// measured waits until a claim was measured from now on, and held. The first run waits for the canaries.
func (w *world) measured(id string) {
	w.t.Helper()
	eventually.Must(w.t, id+" measured after the erasure", func() bool {
		run, err := w.Claims.Run(w.t.Context(), id)
		return err == nil && run.State == claim.Holds
	})
}

// only is the one conversation of the one contact.
func (w *world) only() ids.Conversation {
	w.t.Helper()
	list, err := w.Contacts.List(w.t.Context(), w.owner, contacts.Filter{})
	must(w.t, err)
	if len(list.Contacts) != 1 {
		w.t.Fatalf("there are %d contacts", len(list.Contacts))
	}
	of, err := w.Inbox.Of(w.t.Context(), w.owner, list.Contacts[0].ID)
	must(w.t, err)
	return of[0].ID
}

// signIn opens the inbox as the owner does.
func (w *world) signIn() *browser.Tab {
	w.t.Helper()
	o := browser.New(w.t)
	o.Goto(w.base + "/login")
	o.Type("#email", email)
	o.Type("#password", password)
	o.Click("main button[type=submit]")
	o.Until("the inbox", "location.pathname === '/inbox' && document.querySelector('#rows')")
	o.Run("window.neverLeft = true")
	return o
}

// answer writes a reply in the open thread, and waits until it stands there and is stored.
func answer(o *browser.Tab, text string) {
	o.Type(".composer textarea", text)
	o.Click(".composer button[type=submit]")
	o.Until("the answer in the thread", "document.querySelector('.thread').innerText.includes(%s)", text)
	o.WaitGone(".bubble .sending")
}

// forgot checks that nobody can read anything of the person any more, and that the log says why.
func (w *world) forgot(t *testing.T, conv ids.Conversation, person ids.Contact, words []string) {
	t.Helper()
	if has, err := w.Vault.HasKey(t.Context(), w.owner, person); err != nil || has {
		t.Errorf("the person's key is there: %v, %v", has, err)
	}
	if list, _, err := w.Inbox.History(t.Context(), w.owner, conv, 0, 100); err == nil {
		for _, m := range list {
			if !m.Text.IsZero() {
				t.Errorf("a message can be read: number %d", m.Seq)
			}
		}
	}
	// The row may stay until the job that removes it has run; without the key there is nothing to read in it.
	if c, err := w.Contacts.Get(t.Context(), w.owner, person); err == nil && (!c.Name.IsZero() || !c.Email.IsZero()) {
		t.Error("the contact can be read")
	}
	if found := w.remains(words...); len(found) > 0 {
		t.Errorf("on the disk: %q", found)
	}
	if len(w.remains("req_")) == 0 {
		t.Error("not even the names of requests were found: this looks at the wrong place")
	}
}
