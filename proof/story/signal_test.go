package story

import (
	"slices"
	"testing"

	"aver/base/ids"
	"aver/proof/browser"
	"aver/trust/restriction"
	"aver/work/contacts"
)

// closed is what a person has closed and by whom.
func (w *world) closed(who ids.Contact) (out []string) {
	w.t.Helper()
	all, err := w.Restriction.History(w.t.Context(), w.owner, who)
	must(w.t, err)
	for _, r := range all {
		out = append(out, string(r.Kind)+" by "+string(r.How))
	}
	return out
}

func TestABrowserThatSendsGlobalPrivacyControlOptsOut(t *testing.T) {
	t.Parallel()
	w := open(t)
	c := chat{t: t, tab: browser.New(t)}
	c.frame = c.tab.In("iframe")
	c.tab.SetHeaders(map[string]string{"Sec-GPC": "1"})
	c.tab.Goto(w.site)
	c.tab.Click("button")
	c.frame.WaitVisible("textarea")
	c.press("More")
	c.press("Settings")
	c.sees("your data is neither sold nor shared")
	shot(c.tab, "gpc")
	if list, err := w.Contacts.List(t.Context(), w.owner, contacts.Filter{}); err != nil || len(list.Contacts) != 0 || c.keeps() != nothing {
		t.Errorf("before the agreement: %d contacts, %v, the browser keeps %s", len(list.Contacts), err, c.keeps())
	}
	c.press("Back to the conversation")
	c.write("Do you rent cargo bikes?")
	c.press("Agree and send")
	c.sees("Sent")
	who := w.person(w.only())
	once := []string{string(restriction.OptOutSale) + " by browser"}
	if got := w.closed(who); !slices.Equal(got, once) {
		t.Errorf("the opt-out is recorded as %v", got)
	}

	t.Log("A browser that sends it no more has not opted in, and one that sends it again is not recorded again.")
	for _, headers := range []map[string]string{nil, {"Sec-GPC": "1"}} {
		c.tab.SetHeaders(headers)
		c.tab.Reload()
		c.tab.Click("button")
		c.frame.Until("the conversation", "document.body.innerText.includes('cargo bikes')")
		if got := w.closed(who); !slices.Equal(got, once) {
			t.Errorf("after %v: %v", headers, got)
		}
	}
}

func TestConsentIsTakenBackInAsManyStepsAsItIsGiven(t *testing.T) {
	t.Parallel()
	w := open(t)
	c := w.visit()
	c.tab.Click("button")
	c.frame.WaitVisible("textarea")
	steps := 0
	press := func(name string) { steps++; c.press(name) }
	c.frame.Type("textarea", "Do you mend wheels?")
	press("Send")
	press("Agree and send")
	c.sees("Sent")
	given := steps
	who := w.person(w.only())
	steps = 0
	press("More")
	press("Withdraw consent")
	c.sees("Consent withdrawn")
	if steps > given {
		t.Errorf("given in %d steps, taken back in %d", given, steps)
	}
	all, err := w.Consent.History(t.Context(), w.owner, who)
	must(t, err)
	if len(all) != 2 || all[0].Granted || !all[1].Granted {
		t.Errorf("the record says %+v", all)
	}
}
