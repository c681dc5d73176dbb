package widget_test

import (
	"slices"
	"strings"
	"testing"

	"aver/base/eventually"
)

// people is how many sessions the visitors of the server have begun.
func (s *server) people() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

func TestATabThatWasOpenBeforeGoesOnAsTheSamePerson(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	first := visit(t, s)
	first.open()
	second := first.another()
	second.open()
	first.begin("from the first")
	second.sees("from the first") // without a reload
	second.write("from the second")
	s.receives("from the first", "from the second")
	first.sees("from the second")
	if got := s.people(); got != 1 {
		t.Errorf("one visitor has %d sessions", got)
	}
}

func TestTwoTabsThatBeginAtOnceAreOnePerson(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.holdSessions = make(chan struct{})
	first := visit(t, s)
	first.open()
	second := first.another()
	second.open()
	first.write("from the first")
	second.write("from the second")
	first.press("Agree and send")
	second.press("Agree and send")
	eventually.Must(t, "a session is asked for", func() bool { return slices.Contains(s.visited(), "POST /widget/v1/sessions") })
	eventually.Must(t, "the other tab waits for its turn", func() bool {
		return eval[bool](first, first.frame, `navigator.locks.query().then(all => all.held.length === 1 && all.pending.length === 1)`)
	})
	close(s.holdSessions)
	first.sees("from the second")
	second.sees("from the first")
	for _, b := range []*tab{first, second} {
		b.wait(b.frame, `document.querySelectorAll('.bubble').length === 2 && !document.querySelector('.sending')`)
	}
	if got := s.people(); got != 1 {
		t.Errorf("one visitor has %d sessions", got)
	}
}

func TestWhatWaitsInTwoTabsSurvivesAReloadOfBoth(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	first := visit(t, s)
	first.open()
	first.begin("Hello")
	second := first.another()
	second.open()
	second.sees("Hello")
	s.with(func() { s.down = true })
	s.cut(3001)
	for _, b := range []*tab{first, second} {
		b.wait(b.frame, `document.querySelector('.connection').checkVisibility()`)
	}
	first.write("from the first")
	first.wait(first.frame, `JSON.stringify(localStorage).includes('from the first')`)
	second.wait(second.frame, `JSON.stringify(localStorage).includes('from the first')`)
	second.write("from the second")
	first.write("more from the first")
	first.wait(first.frame, `['from the first', 'from the second', 'more from the first'].every(text => JSON.stringify(localStorage).includes(text))`)
	first.load()
	second.load()
	s.with(func() { s.down = false })
	first.open()
	first.wait(first.frame, `document.querySelectorAll('.bubble').length === 4 && !document.querySelector('.sending')`)
	if got := s.texts(); len(got) != 4 || !slices.Contains(got, "from the second") || !slices.Contains(got, "more from the first") {
		t.Errorf("the server has %q", got)
	}
	if got := first.kept(); strings.Contains(got, "from the") {
		t.Errorf("what was sent is still kept: %s", got)
	}
}
