package axe

import (
	"fmt"
	"testing"

	"aver/proof/browser"
)

// wordless finds the keys of sentences that a strings file lacks: page.Strings shows them in brackets.
const wordless = `document.documentElement.outerHTML.match(/\[[a-z_]+(\.[a-z0-9_]+)+\]/g) ?? []`

// findings lets whatever fades or slides arrive, and lists what is wrong with the page as it is then. The size of targets
// belongs to WCAG 2.2 AA, but axe asks for it only when told to.
const findings = `(async () => {
	document.getAnimations().filter(a => a.effect.getComputedTiming().endTime !== Infinity).forEach(a => a.finish());
	const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
	const wide = over > 0 ? [over + ' px too wide'] : [];
	const seen = await axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } });
	return wide.concat(seen.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target + ' ' + n.html.slice(0, 160) + ' ' + n.failureSummary)));
})()`

// Look fails the test for everything that is wrong with the page in the tab: words that are missing, and, on a desk and on a
// phone, in the light and in the dark, a page wider than its window and whatever axe finds. It looks when the page has loaded,
// keeps pictures under the name if they are wanted (see browser.Tab.Picture), and leaves the window wide and light.
func Look(t testing.TB, b *browser.Tab, name string) {
	t.Helper()
	b.WaitLoaded()
	b.Run(Source)
	for _, key := range browser.Eval[[]string](b, wordless) {
		t.Errorf("%s has no words for %s", name, key)
	}
	for _, v := range []struct {
		width int
		dark  bool
		light string
	}{{390, true, "dark"}, {390, false, "light"}, {1280, true, "dark"}, {1280, false, "light"}} {
		b.SetViewport(v.width, 844, v.width < 800)
		b.SetDark(v.dark)
		for _, finding := range browser.Eval[[]string](b, findings) {
			t.Errorf("%s at %d px, %s: %s", name, v.width, v.light, finding)
		}
		b.Picture(fmt.Sprintf("%s-%d-%s", name, v.width, v.light))
	}
}
