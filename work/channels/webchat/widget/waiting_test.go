package widget_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aver/base/eventually"
)

func (s *server) receives(want ...string) {
	s.t.Helper()
	eventually.Must(s.t, strings.Join(want, ", "), func() bool { return slices.Equal(s.texts(), want) })
}

func TestARefusedSessionBeginsWhenTheMessageIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.refuseSession = "expired"
	s.hosting.script = `$aver.push(["set","user:token",[` + quote(stale("ada")) + `]])`
	b := visit(t, s)
	b.open()
	b.write("one")
	b.press("Agree and send")
	b.sees("Not sent: The signature has expired.")
	b.press("Try again") // with the same token: refused again, and said again
	eventually.Must(t, "it is tried again", func() bool {
		return strings.Count(strings.Join(s.visited(), "\n"), "POST /widget/v1/sessions") == 2
	})
	b.sees("Not sent: The signature has expired.")
	eval[int](b, b.page, token("ada"))
	b.press("Try again")
	b.sees("Sent")
	s.receives("one")
}

func TestASessionWhoseAnswerBreaksOffBeginsAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.breakSession = true
	b := visit(t, s)
	b.open()
	b.begin("one")
	s.receives("one")
}

func TestAMessageThatWaitsGoesOutWithAFreshToken(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hosting.script = `$aver.push(["set","user:token",[` + quote(stale("ada")) + `]])`
	s.down, s.retryAfter = true, 300
	b := visit(t, s)
	b.open()
	b.write("one")
	b.press("Agree and send")
	b.sees("1 message is waiting to be sent")
	s.with(func() { s.refuseSession, s.down = "expired", false })
	eval[int](b, b.page, token("ada"))
	s.receives("one")
}

func TestSomebodyElsesTokenDoesNotSendWhatAnotherWrote(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.hosting.script, s.refuseSession = `$aver.push(["set","user:token",[`+quote(stale("ada"))+`]])`, "expired"
	b := visit(t, s)
	b.open()
	b.write("Ada's secret")
	b.press("Agree and send")
	b.sees("Not sent")
	eval[int](b, b.page, token("eve"))
	b.wait(b.frame, `document.querySelectorAll('.bubble').length === 0`)
	b.begin("I am Eve")
	s.receives("I am Eve")
}

// stale is a token that the fake server refuses when it is told to.
func stale(user string) string { return signed(user) + "expired" }

func TestThePagesMessageLeavesWhatTheVisitorIsWriting(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	half := func(text string) {
		t.Helper()
		b.do(b.frame, chromedp.Focus(chromedp.CSS("textarea")))
		b.do(b.page, chromedp.KeyEvent(text))
	}
	still := func(want string) {
		t.Helper()
		if got := eval[string](b, b.frame, `document.querySelector('textarea').value + ' ' + document.querySelectorAll('.chip').length`); got != want {
			t.Errorf("in the box is %q, want %q", got, want)
		}
	}
	b.do(b.frame, chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{drawing(t, "wheel.png")}, chromedp.NodeReady))
	half("mine")
	eval[int](b, b.page, `$aver.push(["do","message:send",["text","the page's"]])`)
	b.sees("Nobody else receives it")
	still("mine 1")
	b.press("Send") // waits for the same agreement
	b.press("Agree and send")
	s.receives("the page's", "mine")
	still(" 0")
	half("half of")
	eval[int](b, b.page, `$aver.push(["do","message:send",["text","the page's second"]])`)
	s.receives("the page's", "mine", "the page's second")
	still("half of 0")
}

func TestMessagesThatWereMissedAreUnreadUntilTheyAreSeen(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := visit(t, s)
	b.open()
	b.begin("Hello")
	miss := func(texts ...string) {
		s.with(func() { s.loseNextPush = true })
		for _, text := range texts {
			s.operator(text)
		}
	}
	readTo := func(seq int) {
		t.Helper()
		eventually.Must(t, "read mark", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.readBy == seq })
	}
	miss("two", "three")
	b.sees("three")
	readTo(3)
	b.pressButton()
	b.wait(b.page, `$aver.is('chat:opened') === false`)
	miss("four", "five")
	b.wait(b.page, `$aver.get('chat:unread:count') === 2`)
	s.cut(3001) // and after it hello counts the same ones
	s.operator("six")
	b.wait(b.page, `$aver.get('chat:unread:count') === 3`)
	b.pressButton()
	b.wait(b.page, `$aver.get('chat:unread:count') === 0`)
	readTo(6)
	if got := b.bubbles(); !slices.Equal(got, []string{"Hello", "two", "three", "four", "five", "six"}) {
		t.Errorf("shown %q", got)
	}
}
