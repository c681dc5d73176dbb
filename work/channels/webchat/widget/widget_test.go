package widget_test

import (
	"slices"
	"testing"
)

func TestNothingIsStoredOrAskedForBeforeTheFirstClick(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	eval[bool](b, b.page, `$aver.push(["do", "chat:open"], ["set", "user:email", ["ada@example.org"]], ["do", "message:send", ["text", "hello"]]) > 0`)

	if got := s.visited(); !slices.Equal(got, []string{"GET /l.js"}) {
		t.Errorf("asked for %q", got)
	}
	if frames := eval[int](b, b.page, `document.querySelectorAll('iframe').length + `+button+`.parentNode.querySelectorAll('iframe').length`); frames != 0 {
		t.Errorf("%d frames", frames)
	}
	if got := eval[string](b, b.page, `JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])`); got != nothing {
		t.Errorf("the page's origin keeps %s", got)
	}
	b.open()
	if got := b.kept(); got != nothing {
		t.Errorf("before the first message the frame's origin keeps %s", got)
	}
}
