package live_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/eventually"
	"aver/frame/live"
)

// wire is a relay in memory, with the faults a network has.
type wire struct {
	mu        sync.Mutex
	listeners map[int]chan string
	next      int
	told      []string
	broken    bool // nothing can be told
}

func (w *wire) Notify(_ context.Context, payload string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return errors.New("the wire is cut")
	}
	w.told = append(w.told, payload)
	for _, l := range w.listeners {
		l <- payload
	}
	return nil
}

func (w *wire) Listen(ctx context.Context, receive func(string)) error {
	w.mu.Lock()
	w.next++
	me, in := w.next, make(chan string, 1000)
	w.listeners[me] = in
	w.mu.Unlock()
	receive("")
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case text, ok := <-in:
			if !ok {
				return errors.New("the listener lost its connection")
			}
			receive(text)
		}
	}
}

// hangUp ends every Listen.
func (w *wire) hangUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for me, l := range w.listeners {
		close(l)
		delete(w.listeners, me)
	}
}

func (w *wire) set(broken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = broken
}

func (w *wire) listening(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.listeners) == n
}

// processes joins two hubs by a wire. What one publishes the other fetches as "kind n".
func processes(t *testing.T) (*wire, *place, *place) {
	t.Helper()
	w := &wire{listeners: make(map[int]chan string)}
	fetch := func(_ context.Context, topic live.Topic, kind string, n int64) (live.Push, error) {
		if kind == "vanished" {
			return live.Push{}, errors.New("no such row")
		}
		return live.Push{Kind: kind, Offset: n, Data: fmt.Sprintf("%s %s %d fetched", topic.Channel, kind, n)}, nil
	}
	one, two := serve(t, live.Options{}, handler(), false), serve(t, live.Options{}, handler(), false)
	one.Join(w, fetch)
	two.Join(w, fetch)
	eventually.Must(t, "both listen", func() bool { return w.listening(2) })
	return w, one, two
}

func TestNewsReachesListenersInOtherProcesses(t *testing.T) {
	t.Parallel()
	w, one, two := processes(t)
	a, b, foreign := one.connect(t, "acme:ada"), two.connect(t, "acme:bob"), two.connect(t, "bolt:bob")
	for _, c := range []*client{a, b, foreign} {
		c.ask("subscribe", `"channel":"cnv 1"`)
	}
	topic := live.Topic{Tenant: acme, Channel: "cnv 1"}
	for i := range int64(200) {
		if err := one.Publish(topic, live.Push{Kind: "message", Offset: i + 1, Data: "ada@example.org"}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int64(200) {
		if m := a.next(); m.Offset != i+1 || string(m.Data) != `"ada@example.org"` {
			t.Fatalf("here: %+v", m)
		}
		if m := b.next(); m.Offset != i+1 || string(m.Data) != fmt.Sprintf(`"cnv 1 message %d fetched"`, i+1) {
			t.Fatalf("there: %+v", m)
		}
	}
	if n := foreign.ask2push("echo"); n != 0 {
		t.Errorf("another tenant got %d pushes", n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if all := strings.Join(w.told, "\n"); strings.Contains(all, "ada@") {
		t.Error("more than identifiers travelled")
	}
}

func TestDismissReachesOtherProcesses(t *testing.T) {
	t.Parallel()
	_, one, two := processes(t)
	ada, bob := two.connect(t, "acme:ada"), two.connect(t, "acme:bob")
	one.Dismiss(live.Topic{Tenant: acme, Channel: "person ada"}, live.CloseRevoked)
	ada.closes(live.CloseRevoked)
	if m := bob.ask("echo", ""); m.Error != nil {
		t.Errorf("Bob: %+v", m)
	}
}

func TestWhatCannotBeFetchedSendsListenersBackToAsk(t *testing.T) {
	t.Parallel()
	_, one, two := processes(t)
	a, b, other := one.connect(t, "acme:ada"), two.connect(t, "acme:bob"), two.connect(t, "acme:bob")
	a.ask("subscribe", `"channel":"cnv_1"`)
	b.ask("subscribe", `"channel":"cnv_1"`)
	_ = one.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "vanished", Offset: 1})
	b.closes(live.CloseMissed)
	if m := other.ask("echo", ""); m.Error != nil {
		t.Errorf("who does not listen to it: %+v", m)
	}
	if m := a.next(); m.Push != "vanished" {
		t.Errorf("here: %+v", m)
	}
}

func TestALostConnectionToTheRelaySendsListenersBackToAsk(t *testing.T) {
	t.Parallel()
	w, one, two := processes(t)
	a, b := one.connect(t, "acme:ada"), two.connect(t, "acme:bob")
	w.hangUp()
	a.closes(live.CloseMissed)
	b.closes(live.CloseMissed)
	eventually.Must(t, "both listen again", func() bool { return w.listening(2) })
	c := two.connect(t, "acme:bob")
	_ = one.Publish(live.Topic{Tenant: acme, Channel: "person bob"}, live.Push{Kind: "message", Offset: 1})
	if m := c.next(); m.Offset != 1 {
		t.Errorf("got %+v", m)
	}
}

func TestPublishingDoesNotWaitForTheRelay(t *testing.T) {
	t.Parallel()
	w, one, two := processes(t)
	a, b := one.connect(t, "acme:ada"), two.connect(t, "acme:bob")
	w.set(true)
	topic := live.Topic{Tenant: acme, Channel: "person ada"}
	begun := time.Now()
	for i := range int64(6000) { // more than wait for a relay
		_ = one.Publish(topic, live.Push{Kind: "message", Offset: i + 1})
		if m := a.next(); m.Offset != i+1 {
			t.Fatalf("got %+v", m)
		}
	}
	if d := time.Since(begun); d > time.Minute { // ten milliseconds each
		t.Errorf("took %v", d)
	}
	w.set(false)
	b.closes(live.CloseMissed) // some were never told, and nobody knows which
}

func TestWhatCannotTravelIsRefused(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{}, handler(), false)
	c := p.connect(t, "acme:ada")
	for _, topic := range []live.Topic{{Channel: "x"}, {Tenant: acme}, {Tenant: acme, Channel: "a\nb"}} {
		if err := p.Publish(topic, live.Push{Kind: "message"}); err == nil {
			t.Errorf("%v was published", topic)
		}
	}
	for _, kind := range []string{"", "a b", "a\n"} {
		if err := p.Publish(live.Topic{Tenant: acme, Channel: "x"}, live.Push{Kind: kind}); err == nil {
			t.Errorf("kind %q was published", kind)
		}
	}
	if err := p.Publish(live.Topic{Tenant: acme, Channel: "person ada"}, live.Push{Kind: "message", Data: func() {}}); err == nil {
		t.Error("a function was published")
	}
	c.closes(live.CloseMissed) // it would have a hole
}
