// Package relay plays two regions and a relay between them: a visitor far from home writes through it, somebody answers
// through it, it is killed in the middle, and then its disk is read. It holds nothing but the test.
package relay

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aver/base/ids"
	"aver/proof/browser"
	"aver/trust/canary/attack"
	"aver/work/contacts"
)

func TestAVisitorWritesThroughARelayThatKeepsNothing(t *testing.T) {
	t.Parallel()
	eu, in := open(t, "eu", "kowal", "Kowal Bikes"), open(t, "in", "bangalore", "Bangalore Bikes")
	eu.knows(in)
	b := relayTo(t, eu, in)

	t.Log("Somebody in India writes through the relay near the region eu; the operator's console goes through it too.")
	o := b.signIn(in)
	c := b.visit(in)
	c.write("My Heron creaks at the bottom bracket")
	c.press("Agree and send")
	c.sees("Sent")
	o.Until("the message in the list", "document.querySelector('#rows').innerText.includes('bottom bracket')")
	o.Click("#rows a.conversation")
	o.Until("the thread", "document.querySelector('.thread')?.innerText.includes('My Heron creaks')")
	if region := o.Text(".rail-region"); !strings.Contains(region, "India") {
		t.Errorf("the console says that data is kept in %q", region)
	}
	shot(o, "console")
	answer(o, "Bring it by on Tuesday, we have the tool for it.")
	c.sees("Bring it by on Tuesday")
	if live := browser.Eval[bool](c.frame, "performance.getEntriesByType('resource').every(e => !e.name.includes('/widget/v1/events'))"); !live {
		t.Error("the widget fell back to events: the socket does not pass the relay")
	}

	t.Log("The relay is killed. Both sides write meanwhile; it returns; nothing is lost and nothing comes twice.")
	for _, tab := range []*browser.Tab{c.tab, o} {
		tab.Allow("net::ERR_|WebSocket|Failed to load|Failed to fetch|TypeError|htmx:error")
	}
	b.kill()
	c.frame.Until("the widget notices", "/connect/i.test(document.body.innerText)")
	c.write("Is Thursday possible as well?")
	direct := browser.New(t)
	direct.Goto(in.base + "/login")
	direct.Type("#email", in.email())
	direct.Type("#password", password)
	direct.Click("main button[type=submit]")
	direct.Until("the inbox", "location.pathname === '/inbox' && document.querySelector('#rows a.conversation')")
	direct.Click("#rows a.conversation")
	direct.Until("the thread", "document.querySelector('.thread')?.innerText.includes('Bring it by')")
	answer(direct, "Please bring the receipt if you have it.")
	b.start()
	c.sees("Please bring the receipt")
	direct.Until("the visitor's words", "document.querySelector('.thread').innerText.includes('Is Thursday possible')")
	want := []string{"My Heron creaks at the bottom bracket", "Bring it by on Tuesday, we have the tool for it.", "Please bring the receipt if you have it.", "Is Thursday possible as well?"}
	if got := in.history(); !slices.Equal(got, want) {
		t.Errorf("kept in the region: %q", got)
	}

	t.Log("The other region never saw a word; the relay's disk holds when, where from, which browser, which site.")
	secrets := append(want, browser.Eval[[]string](c.frame, "JSON.stringify({...localStorage}).match(/av[a-z]_[0-9a-z]+_[0-9a-z]+/g)")...)
	secrets = append(secrets, in.email(), password, "Asha Rao", in.owner.Tenant().String()[len("ten_"):], "bangalore")
	if found := in.onDisk("bottom bracket"); len(found) != 0 {
		t.Errorf("in the clear at home: %q", found)
	}
	if found := eu.onDisk(want...); len(found) != 0 {
		t.Errorf("in the other region: %q", found)
	}
	if list, err := eu.Contacts.List(t.Context(), eu.owner, contacts.Filter{}); err != nil || len(list.Contacts) != 0 {
		t.Errorf("the other region has %d people, %v", len(list.Contacts), err)
	}
	found, lines := b.remains(secrets...)
	if len(found) != 0 {
		t.Errorf("the relay keeps %q", found)
	}
	sites := map[string]bool{}
	for _, line := range lines {
		sites[line["site"]] = true
		if len(line) != 4 || line["time"] == "" || line["ip"] != "127.0.0.1" || !strings.Contains(line["user_agent"], "Chrome") {
			t.Errorf("a line of the connection log: %v", line)
		}
	}
	if delete(sites, ""); len(lines) < 4 || len(sites) != 1 {
		t.Errorf("%d connections from the sites %v", len(lines), sites)
	}
}

func TestSomebodyAtTheWrongRegionIsSentToTheRightOne(t *testing.T) {
	t.Parallel()
	eu, in := open(t, "eu", "kowal", "Kowal Bikes"), open(t, "in", "bangalore", "Bangalore Bikes")
	eu.knows(in)
	p := browser.New(t)
	p.Allow("421")
	p.Goto(eu.base + "/my-data/bangalore")
	p.Until("where it is kept", "document.body.innerText.includes('kept in another region')")
	shot(p, "421")
	p.Click("main .actions a")
	p.Until("the workspace's own page, at home", "location.origin === %s && document.body.innerText.includes('Bangalore Bikes')", in.base)

	p.Goto(in.base + "/trust")
	p.Until("where the data is, on a map", "document.querySelector('main').innerText.includes('India') && document.querySelector('main svg.worldmap, main svg[class*=map], main svg[role=img]')")
	shot(p, "trust")
	p.Goto(eu.base + "/login?workspace=bangalore")
	p.Type("#email", in.email())
	p.Type("#password", password)
	p.Click("main button[type=submit]")
	p.Until("where to sign in", "[...document.querySelectorAll('main a')].some(a => a.href.startsWith(%s))", in.base)
}

func TestARegionThatIsDownIsSaidPlainly(t *testing.T) {
	t.Parallel()
	eu, in := open(t, "eu", "kowal", "Kowal Bikes"), open(t, "in", "bangalore", "Bangalore Bikes")
	b := relayTo(t, eu, in)
	p := browser.New(t)
	p.Goto("https://" + b.address + "/my-data/bangalore")
	p.Until("the workspace's page", "document.body.innerText.includes('Bangalore Bikes')")
	in.stop()
	p.Allow("502")
	p.Goto("https://" + b.address + "/my-data/bangalore")
	p.Until("that it is away", "document.body.innerText.includes('cannot be reached from here')")
	if style := browser.Eval[string](p, "getComputedStyle(document.querySelector('.button')).borderTopStyle"); style != "solid" {
		t.Errorf("the page has no style: %s", style)
	}
	shot(p, "502")
	p.Goto("https://" + b.address + "/my-data/kowal")
	p.Until("the other region's page", "document.body.innerText.includes('Kowal Bikes')")
	p.Allow("404")
	p.Goto("https://" + b.address + "/my-data/nobody")
	p.Until("an answer", "document.querySelector('h1')")
	if status := browser.Eval[int](p, "performance.getEntriesByType('navigation')[0].responseStatus"); status != http.StatusBadGateway { // the one that is away may have it
		t.Errorf("of a workspace that only the region that is away could know: %d", status)
	}
}

// history is what the one conversation holds, in order.
func (r *region) history() (texts []string) {
	r.t.Helper()
	list, err := r.Contacts.List(r.t.Context(), r.owner, contacts.Filter{})
	must(r.t, err)
	var conversations []ids.Conversation
	for _, one := range list.Contacts {
		of, err := r.Inbox.Of(r.t.Context(), r.owner, one.ID)
		must(r.t, err)
		for _, c := range of {
			conversations = append(conversations, c.ID)
		}
	}
	if len(conversations) != 1 {
		r.t.Fatalf("%d people and %d conversations", len(list.Contacts), len(conversations))
	}
	said, _, err := r.Inbox.History(r.t.Context(), r.owner, conversations[0], 0, 100)
	must(r.t, err)
	for _, m := range said {
		texts = append(texts, m.Text.Reveal())
	}
	return texts
}

// onDisk says in which of a region's files any of the words stands, in whatever form.
func (r *region) onDisk(words ...string) (found []string) {
	r.t.Helper()
	marks := attack.NewMarks(words...)
	err := filepath.WalkDir(r.data, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // it went meanwhile
		}
		if form := marks.Find(content); form != "" {
			found = append(found, path+": "+form)
		}
		return err
	})
	must(r.t, err)
	return found
}
