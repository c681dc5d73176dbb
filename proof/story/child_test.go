package story

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"aver/base/eventually"
	"aver/base/personal"
	"aver/proof/axe"
	"aver/proof/browser"
	"aver/trust/consent"
	"aver/work/contacts"
	"aver/work/inbox"
)

func TestAChildIsErasedWithTwoPressesOnThePage(t *testing.T) {
	t.Parallel()
	w := open(t)
	tenant := w.owner.Tenant()
	person, err := w.Contacts.NewVisitor(t.Context(), tenant, contacts.Draft{Name: "Maria"})
	must(t, err)
	visitor := w.Identity.AsVisitor(tenant, person.ID, false)
	must(t, w.Consent.Record(t.Context(), visitor, person.ID, consent.Choice{Purpose: consent.Support, Version: "1", Language: "en", Granted: true}))
	_, err = w.Inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: uuid.Must(uuid.NewV7()).String(), Text: personal.Of("Hi, I am 11 and want a bike")})
	must(t, err)
	must(t, eventually.Holds(t.Context(), time.Minute, "programs are kept away for the review", func() (bool, error) {
		list, _, err := w.Children.List(t.Context(), w.owner)
		return len(list) == 1 && list[0].Closed, err
	}))
	tab := browser.New(t)
	tab.Goto(w.base + "/login")
	tab.Type(`input[name="email"]`, email)
	tab.Type(`input[name="password"]`, password)
	tab.Click(`main button[type="submit"], main button:not([type])`)
	tab.Until("signed in", `!location.pathname.startsWith("/login")`)
	tab.Goto(w.base + "/contacts/" + person.ID.String())
	tab.Until("the review is told beside the person", `document.body.innerText.includes("Says to be 11")`)
	axe.Look(t, tab, "child-person")
	tab.Goto(w.base + "/settings/children")
	tab.Click(`a[href*="?confirm="]`)
	tab.WaitVisible(`form[action$="/confirm"] button`)
	axe.Look(t, tab, "child-confirm")
	tab.Click(`form[action$="/confirm"] button`)
	tab.Until("it says that the child was erased", `document.body.innerText.includes("Nobody has said to be under 13")`)
	has, err := w.Vault.HasKey(t.Context(), w.owner, person.ID)
	if err != nil || has {
		t.Errorf("the child's key is still there: %v", err)
	}
}
