package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/frame/live"
)

func TestConnectionsAreLimited(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, p *place, status int) {
		t.Helper()
		_, response, err := p.dial(nil)
		if err == nil || response == nil || response.StatusCode != status || response.Header.Get("Retry-After") == "" {
			t.Errorf("got %v %v, want %d", response, err, status)
		}
	}
	t.Run("in total", func(t *testing.T) {
		t.Parallel()
		p := serve(t, live.Options{Connections: 2}, handler(), false)
		first := p.raw(t)
		p.raw(t)
		refused(t, p, http.StatusServiceUnavailable)
		_ = first.Close()
		eventually.Must(t, "one is gone", func() bool { return p.Stats().Connections == 1 })
		p.raw(t)
	})
	t.Run("per address", func(t *testing.T) {
		t.Parallel()
		var address atomic.Value
		address.Store("192.0.2.1")
		p := serve(t, live.Options{PerAddress: 1, Address: func(*http.Request) netip.Addr { return netip.MustParseAddr(address.Load().(string)) }}, handler(), false)
		p.raw(t)
		refused(t, p, http.StatusTooManyRequests)
		address.Store("::ffff:192.0.2.1")
		refused(t, p, http.StatusTooManyRequests)
		address.Store("192.0.2.2")
		p.raw(t)
		address.Store("2001:db8::1")
		p.raw(t)
		address.Store("2001:db8::2") // the same household
		refused(t, p, http.StatusTooManyRequests)
		address.Store("2001:db8:0:1::1")
		p.raw(t)
	})
	t.Run("per tenant", func(t *testing.T) {
		t.Parallel()
		p := serve(t, live.Options{PerTenant: 1}, handler(), false)
		p.connect(t, "acme:ada")
		p.connect(t, "bolt:bob")
		c := listen(t, p.raw(t))
		if m := c.ask("hello", `"token":"acme:eve"`); m.Error == nil || m.Error.Code != errs.TooMany {
			t.Errorf("got %+v", m)
		}
		c.closes(live.CloseTooMany)
		eventually.Must(t, "it is gone", func() bool { return p.Stats().Connections == 2 })
		d := listen(t, p.raw(t))
		d.ask("hello", `"token":"acme:eve"`)
		d.closes(live.CloseTooMany) // the refused one did not free a place
	})
}

func TestAnUnfinishedMessageEndsTheSocket(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{PingEvery: 500 * time.Millisecond, PongWait: 500 * time.Millisecond}, handler(), false)
	c := p.connect(t, "acme:ada")
	// A frame of 100 bytes of which one comes: no pong can be sent inside it.
	if _, err := c.ws.NetConn().Write([]byte{0x81, 0x80 | 100, 0, 0, 0, 0, '{'}); err != nil {
		t.Fatal(err)
	}
	c.closes(live.CloseNoPong)
}

func TestKickClosesTheSocketsThatMatch(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{}, handler(), true)
	ada, bob := p.connect(t, "acme:ada"), p.connect(t, "acme:bob")
	p.raw(t) // nobody yet, and no reason to fail
	begun := time.Now()
	p.Kick(func(who live.Who) bool { return who.(person).name == "ada" }, live.CloseRevoked)
	ada.closes(live.CloseRevoked)
	if d := time.Since(begun); d > 10*time.Second { // before anybody is pinged
		t.Errorf("took %v", d)
	}
	if m := bob.ask("echo", ""); m.Error != nil {
		t.Errorf("Bob: %+v", m)
	}
}

func TestDismissReachesASessionByItsOwnChannels(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{}, handler(), false)
	ada, bob := p.connect(t, "acme:ada"), p.connect(t, "bolt:ada")
	p.Dismiss(live.Topic{Tenant: acme, Channel: "person ada"}, live.CloseRevoked)
	ada.closes(live.CloseRevoked)
	if m := bob.ask("echo", ""); m.Error != nil {
		t.Errorf("Bolt's Ada: %+v", m)
	}
}

func TestSomebodyDismissedWhileBeingAuthenticatedDoesNotSlipThrough(t *testing.T) {
	t.Parallel()
	h := handler()
	var p *place
	var asked atomic.Int64
	h.Token = func(context.Context, string, live.Caller) (live.Who, error) {
		if asked.Add(1) > 1 {
			return nil, errs.New(errs.Unauthenticated, "This account is disabled.")
		}
		p.Dismiss(live.Topic{Tenant: acme, Channel: "person ada"}, live.CloseRevoked) // after we looked, before we are found
		return person{acme, "ada"}, nil
	}
	p = serve(t, live.Options{}, h, false)
	c := listen(t, p.raw(t))
	if m := c.ask("hello", `"token":"acme:ada"`); m.Error == nil {
		t.Errorf("got %+v", m)
	}
	c.closes(live.CloseBadToken)
	eventually.Must(t, "it is gone", func() bool { return p.Stats().Connections == 0 })
}

func TestNobodyStaysConnectedWhoCountsNoMore(t *testing.T) {
	t.Parallel()
	h := handler()
	var adas atomic.Pointer[errs.Error]
	adas.Store(errs.New(errs.Unavailable, "The database is away."))
	var asked atomic.Int64
	h.Again = func(_ context.Context, who live.Who) (live.Who, error) {
		asked.Add(1)
		if who.(person).name == "ada" {
			return nil, adas.Load()
		}
		return who, nil
	}
	p := serve(t, live.Options{AskEvery: 20 * time.Millisecond}, h, false)
	ada, bob := p.connect(t, "acme:ada"), p.connect(t, "acme:bob")
	eventually.Must(t, "both were asked about", func() bool { return asked.Load() > 4 })
	if m := ada.ask("echo", ""); m.Error != nil {
		t.Errorf("while nothing can be found out: %+v", m)
	}
	adas.Store(errs.New(errs.Unauthenticated, "The session is over."))
	ada.closes(live.CloseBadToken)
	if m := bob.ask("echo", ""); m.Error != nil {
		t.Errorf("Bob: %+v", m)
	}
}

func TestRevocationDoesNotWaitForARequestUnderWay(t *testing.T) {
	t.Parallel()
	h := handler()
	entered, leave := make(chan struct{}), make(chan struct{})
	h.Ops["wait"] = func(context.Context, *live.Session, json.RawMessage) (any, error) {
		close(entered)
		<-leave
		return "secret", nil
	}
	p := serve(t, live.Options{}, h, false)
	c := p.connect(t, "acme:ada")
	c.write(`{"id":2,"op":"wait"}`)
	<-entered
	p.Kick(func(live.Who) bool { return true }, live.CloseRevoked)
	c.closes(live.CloseRevoked)
	close(leave)
	if len(c.in) != 0 {
		t.Errorf("got %+v", <-c.in)
	}
}

func TestAHandlerMayCloseItsOwnSession(t *testing.T) {
	t.Parallel()
	h := handler()
	h.Ops["erase"] = func(_ context.Context, s *live.Session, _ json.RawMessage) (any, error) {
		s.Close(live.CloseRevoked, "erased")
		return "receipt", nil
	}
	c := serve(t, live.Options{}, h, false).connect(t, "acme:ada")
	if m := c.ask("erase", ""); string(m.OK) != `"receipt"` {
		t.Errorf("got %+v", m)
	}
	if e := c.closes(live.CloseRevoked); e.Text != "erased" {
		t.Errorf("reason %q", e.Text)
	}
}

func TestDrainAnswersWhatIsUnderWayAndSendsEverybodyAway(t *testing.T) {
	t.Parallel()
	h := handler()
	entered, leave := make(chan struct{}), make(chan struct{})
	h.Ops["wait"] = func(context.Context, *live.Session, json.RawMessage) (any, error) {
		close(entered)
		<-leave
		return "done", nil
	}
	p := serve(t, live.Options{}, h, true)
	idle, busy := p.connect(t, "acme:ada"), p.connect(t, "acme:bob")
	busy.write(`{"id":2,"op":"wait"}`)
	<-entered
	drained := make(chan error)
	go func() { drained <- p.Drain(context.Background()) }()
	if e := idle.closes(live.CloseLeaving); !strings.HasPrefix(e.Text, "retry=") {
		t.Errorf("no hint when to come back: %q", e.Text)
	}
	if _, response, err := p.dial(nil); err == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new socket: %v", err)
	}
	close(leave)
	if m := busy.next(); string(m.OK) != `"done"` {
		t.Errorf("the request under way: %+v", m)
	}
	busy.closes(live.CloseLeaving)
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

func TestDrainDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	h := handler()
	entered := make(chan struct{})
	h.Ops["wait"] = func(ctx context.Context, _ *live.Session, _ json.RawMessage) (any, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	p := serve(t, live.Options{}, h, false)
	p.connect(t, "acme:ada").write(`{"id":2,"op":"wait"}`)
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := p.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if n := p.Stats().Connections; n != 0 {
		t.Errorf("%d connections are left", n)
	}
}
