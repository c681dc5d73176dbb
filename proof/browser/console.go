package browser

import (
	"regexp"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// console collects what a page complains about.
type console struct {
	mu      sync.Mutex
	lines   []string
	errors  []string
	allowed []*regexp.Regexp
}

func (c *console) add(m chromedp.ConsoleMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line := m.String()
	if m.URL != "" {
		line += " (" + m.URL + ")"
	}
	c.lines = append(c.lines, line)
	if m.Type == chromedp.ConsoleError || m.IsException() {
		c.errors = append(c.errors, line)
	}
}

// judge fails the test for every error it did not allow.
func (c *console) judge(t testing.TB) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range c.errors {
		if !c.allows(line) {
			t.Errorf("the browser's console: %s", line)
		}
	}
}

func (c *console) allows(line string) bool {
	for _, pattern := range c.allowed {
		if pattern.MatchString(line) {
			return true
		}
	}
	return false
}

// Allow lets console errors pass that match the pattern, now and until the test ends: a page that is refused something
// on purpose says so there.
func (b *Tab) Allow(pattern string) {
	b.console.mu.Lock()
	defer b.console.mu.Unlock()
	b.console.allowed = append(b.console.allowed, regexp.MustCompile(pattern))
}

// Console returns what was written there so far, one line each: "error: text (address)".
func (b *Tab) Console() []string {
	b.console.mu.Lock()
	defer b.console.mu.Unlock()
	return append([]string(nil), b.console.lines...)
}
