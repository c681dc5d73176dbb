package pagetest_test

import (
	"strings"
	"testing"

	"aver/frame/page/pagetest"
)

func TestEachBrokenRuleIsNamed(t *testing.T) {
	t.Parallel()
	for fault, part := range map[string]string{
		"more than once":            `<p id="a"></p><p id="a"></p>`,
		"has no label":              `<input name="q">`,
		"has no name":               `<button><svg aria-hidden="true"></svg></button>`,
		"has no words":              `<img src="/a.png">`,
		"the attribute style":       `<p style="color: red">x</p>`,
		"the attribute onclick":     `<p onclick="x()">x</p>`,
		"the attribute hx-on:click": `<p hx-on:click="x()" hx-nonce="n">x</p>`,
		"is inline":                 `<style>p {}</style>`,
		"has no nonce":              `<script src="/a.js"></script>`,
		"leads to a script":         `<a href=" JavaScript:x()">x</a>`,
		"has no hx-nonce":           `<p hx-get="/a">x</p>`,
		"which is not there":        `<label for="gone">x</label>`,
		"does not say its language": `<!DOCTYPE html><html><head></head><body><main></main></body></html>`,
		"would repair the markup":   `<!DOCTYPE html><html lang="en"><head></head><body><p>a<div>b</div></p></body></html>`,
		"closes what is not open":   `<!DOCTYPE html><html lang="en"><head></head><body><b><i>a</b></i></body></html>`,
		"div is never closed":       `<!DOCTYPE html><html lang="en"><head></head><body></body></html><div>`,
	} {
		if got := strings.Join(pagetest.Faults(part), "\n"); !strings.Contains(got, fault) {
			t.Errorf("%s: of that it says %q, not that it %s", part, got, fault)
		}
	}
}

func TestAGoodPageHasNoFaults(t *testing.T) {
	t.Parallel()
	good := `<!DOCTYPE html><html lang="en"><head><script nonce="n" src="/a.js"></script></head><body><main><form><label for="q">Words</label><input id="q"><button>Go</button></form>` +
		`<table><tbody><tr><td><svg aria-label="up" viewBox="0 0 1 1"><path d="M0 0"/></svg></td></tr></tbody></table></main></body></html>`
	if got := pagetest.Faults(good); len(got) > 0 {
		t.Error(got)
	}
}
