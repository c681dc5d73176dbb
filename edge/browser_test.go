package edge_test

import (
	"testing"

	"aver/edge"
	"aver/proof/browser"
)

func TestTheReferenceInABrowser(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, catalogue(), sampler())
	tab := browser.New(t)
	tab.Goto(d.https + "/docs")
	tab.WaitText("h1", "The API")
	tab.Picture("edge-docs")
	tab.Click("a[href='/docs/items#create-item']")
	tab.WaitVisible("#create-item pre")
	tab.Picture("edge-operations")
	tab.SetViewport(390, 844, true)
	tab.SetDark(true)
	tab.Goto(d.https + "/docs/items")
	tab.Until("nothing to be wider than the phone", "document.documentElement.scrollWidth <= 390")
	tab.Picture("edge-operations-phone")
	tab.Goto(d.https + "/problems")
	tab.WaitText("table", "consent-required")
	tab.Picture("edge-problems-phone")
	tab.Allow("404") // the console notes the status of the page itself
	tab.Goto(d.https + "/nowhere")
	tab.WaitText("h1", "There is no such thing")
	tab.Picture("edge-error-phone")
}
