package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/frame/live"

	"github.com/gorilla/websocket"
)

func TestRequestsOfOneSocketAreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			t.Parallel()
			c := serve(t, live.Options{}, handler(), secure).connect(t, "acme:ada")
			for i := range 200 {
				c.write(fmt.Sprintf(`{"n":%d,"op":"echo","id":%d,"x":{"y":[1]}}`, i, i+100))
			}
			for i := range 200 {
				m := c.next()
				if m.ID != int64(i+100) || string(m.OK) != fmt.Sprintf(`{"n":%d,"x":{"y":[1]}}`, i) {
					t.Fatalf("reply %d is %d %s", i, m.ID, m.OK)
				}
			}
		})
	}
}

func TestEveryListenerGetsEveryPushInOrder(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			t.Parallel()
			p := serve(t, live.Options{QueueFrames: 1000}, handler(), secure)
			var listeners []*client
			for range 10 {
				c := p.connect(t, "acme:ada")
				c.ask("subscribe", `"channel":"cnv_1"`)
				listeners = append(listeners, c)
			}
			for i := range 500 {
				if err := p.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "message", Epoch: "e", Offset: int64(i + 1), Data: i}); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range listeners {
				for i := range 500 {
					m := c.next()
					if m.Push != "message" || m.Channel != "cnv_1" || m.Epoch != "e" || m.Offset != int64(i+1) || string(m.Data) != fmt.Sprint(i) {
						t.Fatalf("push %d is %+v", i, m)
					}
				}
			}
		})
	}
}

func TestATenantsNewsNeverReachesAnother(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{}, handler(), false)
	a, b := p.connect(t, "acme:ada"), p.connect(t, "bolt:bob")
	a.ask("subscribe", `"channel":"cnv_1"`)
	b.ask("subscribe", `"channel":"cnv_1"`)
	_ = p.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "message", Data: "acme's"})
	_ = p.Publish(live.Topic{Tenant: bolt, Channel: "cnv_1"}, live.Push{Kind: "message", Data: "bolt's"})
	if m := a.next(); string(m.Data) != `"acme's"` {
		t.Errorf("Acme got %s", m.Data)
	}
	if m := b.next(); string(m.Data) != `"bolt's"` {
		t.Errorf("Bolt got %s", m.Data)
	}
	if m := b.ask("echo", ""); m.Push != "" {
		t.Errorf("Bolt got %+v", m)
	}
}

func TestUnsubscribedSessionsGetNothing(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{}, handler(), false)
	var all []*client
	for range 5 {
		c := p.connect(t, "acme:ada")
		c.ask("subscribe", `"channel":"cnv_1"`)
		c.ask("subscribe", `"channel":"cnv_1"`) // twice is once
		all = append(all, c)
	}
	all[1].ask("unsubscribe", `"channel":"cnv_1"`)
	all[4].ask("unsubscribe", `"channel":"cnv_1"`)
	all[4].ask("unsubscribe", `"channel":"cnv_1"`)
	_ = p.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "message"})
	for i, c := range all {
		m := c.ask2push("echo")
		if want := i != 1 && i != 4; (m == 1) != want || m > 1 {
			t.Errorf("listener %d got %d pushes", i, m)
		}
	}
}

// ask2push counts the pushes before the reply.
func (c *client) ask2push(op string) (pushes int) {
	c.id++
	c.write(fmt.Sprintf(`{"id":%d,"op":%q}`, c.id, op))
	for c.next().Push != "" {
		pushes++
	}
	return pushes
}

func TestPushesFollowTheReplyOfTheRequestThatSubscribed(t *testing.T) {
	t.Parallel()
	h := handler()
	var p *place
	h.Ops["recover"] = func(_ context.Context, s *live.Session, _ json.RawMessage) (any, error) {
		if err := s.Subscribe("cnv_1"); err != nil {
			return nil, err
		}
		err := p.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "message", Offset: 1})
		return map[string]int{"offset": 1}, err
	}
	p = serve(t, live.Options{}, h, false)
	c := p.connect(t, "acme:ada")
	for range 50 {
		c.ask("recover", "") // the next message must be the reply
		if m := c.next(); m.Offset != 1 {
			t.Fatalf("got %+v", m)
		}
		c.ask("unsubscribe", `"channel":"cnv_1"`)
	}
}

func TestASessionKeepsItsModulesState(t *testing.T) {
	t.Parallel()
	h := handler()
	h.Ops["count"] = func(_ context.Context, s *live.Session, _ json.RawMessage) (any, error) {
		n, _ := s.State.(int)
		s.State = n + 1
		return n, nil
	}
	p := serve(t, live.Options{}, h, false)
	a, b := p.connect(t, "acme:ada"), p.connect(t, "acme:ada")
	a.ask("count", "")
	if m := a.ask("count", ""); string(m.OK) != "1" {
		t.Errorf("the second time: %s", m.OK)
	}
	if m := b.ask("count", ""); string(m.OK) != "0" {
		t.Errorf("another session: %s", m.OK)
	}
}

func TestErrorsOfHandlersReachTheCallerAsProblems(t *testing.T) {
	t.Parallel()
	h := handler()
	h.Ops["refuse"] = func(context.Context, *live.Session, json.RawMessage) (any, error) {
		return nil, errs.New(errs.ConsentRequired, "Please agree first.")
	}
	h.Ops["fail"] = func(context.Context, *live.Session, json.RawMessage) (any, error) {
		return nil, fmt.Errorf("storing what ada@example.org wrote: disk on fire")
	}
	h.Ops["long"] = func(context.Context, *live.Session, json.RawMessage) (any, error) {
		return strings.Repeat("x", live.MaxFrame), nil
	}
	h.Ops["unmarshallable"] = func(context.Context, *live.Session, json.RawMessage) (any, error) { return func() {}, nil }
	c := serve(t, live.Options{}, h, false).connect(t, "acme:ada")
	for _, want := range []struct {
		op, members string
		code        errs.Kind
		status      int
	}{
		{"refuse", "", errs.ConsentRequired, 403}, {"fail", "", errs.Internal, 500}, {"panic", "", errs.Internal, 500}, {"long", "", errs.TooLarge, 413},
		{"unmarshallable", "", errs.Internal, 500}, {"nothing", "", errs.Invalid, 422}, {"subscribe", `"chanel":"x"`, errs.Invalid, 422},
		{"subscribe", `"Channel":"x"`, errs.Invalid, 422}, {"subscribe", `"channel":7`, errs.Invalid, 422},
	} {
		m := c.ask(want.op, want.members)
		if m.Error == nil || m.Error.Code != want.code || m.Error.Status != want.status || m.OK != nil {
			t.Errorf("%s: got %+v", want.op, m.Error)
		}
		if text, _ := json.Marshal(m); strings.Contains(string(text), "ada") {
			t.Errorf("%s repeats what is personal: %s", want.op, text)
		}
	}
	if m := c.ask("echo", `"a":1`); string(m.OK) != `{"a":1}` {
		t.Errorf("afterwards: %s", m.OK)
	}
}

func TestASlowReaderIsCutWhileOthersGoOn(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			t.Parallel()
			p := serve(t, live.Options{}, handler(), secure)
			quick := p.connect(t, "acme:ada")
			quick.ask("subscribe", `"channel":"cnv_1"`)
			slow := p.raw(t)
			for _, text := range []string{`{"id":1,"op":"hello","token":"acme:bob"}`, `{"id":2,"op":"subscribe","channel":"cnv_1"}`} {
				if err := slow.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
					t.Fatal(err)
				}
				if _, _, err := slow.ReadMessage(); err != nil {
					t.Fatal(err)
				}
			}
			sent := 0
			for p.Stats().SlowCuts == 0 {
				if sent++; sent > 2000 {
					t.Fatal("never cut")
				}
				_ = p.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "message", Offset: int64(sent), Data: strings.Repeat("x", 30_000)})
				if m := quick.next(); m.Offset != int64(sent) {
					t.Fatalf("the quick one got %d instead of %d", m.Offset, sent)
				}
			}
			eventually.Must(t, "the slow one is gone", func() bool { return p.Stats().Connections == 1 })
			if n := p.Stats().QueueBytes; n != 0 {
				t.Errorf("%d bytes are still counted as waiting", n)
			}
			if m := quick.ask("echo", `"a":1`); string(m.OK) != `{"a":1}` {
				t.Errorf("the quick one: %+v", m)
			}
		})
	}
}

func TestASlowReaderLearnsWhyWhenItReadsAgain(t *testing.T) {
	t.Parallel()
	h := handler()
	full, entered := make(chan struct{}), make(chan struct{})
	h.Ops["wait"] = func(_ context.Context, s *live.Session, _ json.RawMessage) (any, error) {
		err := s.Subscribe("cnv_1") // from here on pushes wait for the reply
		close(entered)
		<-full
		return nil, err
	}
	p := serve(t, live.Options{QueueFrames: 10}, h, false)
	c := p.connect(t, "acme:ada")
	c.write(`{"id":2,"op":"wait"}`)
	<-entered
	for range 11 {
		_ = p.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "message"})
	}
	close(full)
	c.closes(live.CloseSlow)
}

func TestFramesBeforeAuthentication(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{HelloWait: 200 * time.Millisecond}, handler(), false)
	mask := []byte{0, 0, 0, 0}
	text := func(s string) func(*websocket.Conn) error {
		return func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.TextMessage, []byte(s)) }
	}
	wire := func(b ...byte) func(*websocket.Conn) error {
		return func(ws *websocket.Conn) error { _, err := ws.NetConn().Write(b); return err }
	}
	for name, c := range map[string]struct {
		send func(*websocket.Conn) error
		code int
	}{
		"nothing":             {func(*websocket.Conn) error { return nil }, live.CloseNoHello},
		"half a message":      {wire(append([]byte{0x81, 0xff, 0, 0, 0, 0, 0, 0, 1, 0}, append(mask, '{')...)...), live.CloseNoHello},
		"a fragment":          {wire(append([]byte{0x01, 0x81}, append(mask, '{')...)...), live.CloseNoHello},
		"half a header":       {wire(0x81), live.CloseNoHello},
		"too long":            {text(`{"id":1,"op":"hello","token":"` + strings.Repeat("x", 20_000) + `"}`), live.CloseViolation},
		"an absurd length":    {wire(append([]byte{0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255}, mask...)...), live.CloseViolation},
		"binary":              {func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.BinaryMessage, []byte(`{}`)) }, live.CloseViolation},
		"compressed":          {wire(append([]byte{0xc1, 0x82}, append(mask, "{}"...)...)...), websocket.CloseProtocolError},
		"not masked":          {wire(0x81, 0x02, '{', '}'), websocket.CloseProtocolError},
		"an unknown opcode":   {wire(append([]byte{0x83, 0x80}, mask...)...), websocket.CloseProtocolError},
		"a long ping":         {wire(append([]byte{0x89, 0xfe, 0x01, 0x00}, mask...)...), websocket.CloseProtocolError},
		"not JSON":            {text(`hello`), live.CloseViolation},
		"not UTF-8":           {text("{\"id\":1,\"op\":\"hello\",\"token\":\"\xff\"}"), live.CloseViolation},
		"a name twice":        {text(`{"id":1,"op":"hello","op":"echo","token":"acme:ada"}`), live.CloseViolation},
		"no id":               {text(`{"op":"hello","token":"acme:ada"}`), live.CloseViolation},
		"an id that is text":  {text(`{"id":"1","op":"hello","token":"acme:ada"}`), live.CloseViolation},
		"two values":          {text(`{"id":1,"op":"hello","token":"acme:ada"}{}`), live.CloseViolation},
		"another op":          {text(`{"id":1,"op":"echo","token":"acme:ada"}`), live.CloseViolation},
		"deep nesting":        {text(`{"id":1,"op":"hello","token":` + strings.Repeat("[", 9000) + `}`), live.CloseViolation},
		"a forged token":      {text(`{"id":1,"op":"hello","token":"umbra:eve"}`), live.CloseBadToken},
		"an empty token":      {text(`{"id":1,"op":"hello","token":""}`), live.CloseBadToken},
		"a token that is not": {text(`{"id":1,"op":"hello","token":["acme:ada"]}`), live.CloseBadToken},
		"no token":            {text(`{"id":1,"op":"hello"}`), live.CloseBadToken},
		"an erased person":    {text(`{"id":1,"op":"hello","token":"erased:ada"}`), live.CloseRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ws := p.raw(t)
			if err := c.send(ws); err != nil {
				t.Fatal(err)
			}
			listen(t, ws).closes(c.code)
		})
	}
}

func TestARefusedHelloIsAnsweredBeforeTheSocketCloses(t *testing.T) {
	t.Parallel()
	c := listen(t, serve(t, live.Options{}, handler(), false).raw(t))
	if m := c.ask("hello", `"token":"umbra:eve"`); m.Error == nil || m.Error.Code != errs.Unauthenticated {
		t.Errorf("got %+v", m)
	}
	c.closes(live.CloseBadToken)
}

func TestWhoBreaksTheProtocolIsCutForGood(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{}, handler(), false)
	for name, text := range map[string]string{
		"not JSON": `{`, "no op": `{"id":1}`, "no id": `{"op":"echo"}`, "id zero": `{"id":0,"op":"echo"}`, "id in words": `{"id":1e3,"op":"echo"}`,
		"a name twice": `{"id":1,"op":"echo","a":{"b":1,"b":2}}`, "too long": `{"id":1,"op":"echo","a":"` + strings.Repeat("x", live.MaxFrame) + `"}`,
		"an array": `[{"id":1,"op":"echo"}]`, "trailing data": `{"id":1,"op":"echo"} {"id":2,"op":"echo"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := p.connect(t, "acme:ada")
			c.write(text)
			c.closes(live.CloseViolation)
		})
	}
}

func TestTheLongestMessageGetsThrough(t *testing.T) {
	t.Parallel()
	c := serve(t, live.Options{}, handler(), true).connect(t, "acme:ada")
	text := strings.Repeat("x", live.MaxFrame-100)
	if m := c.ask("echo", `"a":"`+text+`"`); string(m.OK) != `{"a":"`+text+`"}` {
		t.Errorf("got %d bytes", len(m.OK))
	}
}

func TestAFloodIsRefusedThenCut(t *testing.T) {
	t.Parallel()
	h := handler()
	h.Rate = live.Rate{Burst: 5, PerMinute: 1}
	c := serve(t, live.Options{}, h, false).connect(t, "acme:ada")
	for range 5 {
		if m := c.ask("echo", ""); m.Error != nil {
			t.Fatalf("within the burst: %+v", m.Error)
		}
	}
	for range 5 {
		if m := c.ask("echo", ""); m.Error == nil || m.Error.Code != errs.TooMany || m.Error.RetryAfter == 0 {
			t.Fatalf("over the burst: %+v", m)
		}
	}
	c.write(`{"id":99,"op":"echo"}`)
	c.closes(live.CloseTooMany)
}

func TestPingsCountAsMessages(t *testing.T) {
	t.Parallel()
	h := handler()
	h.Rate = live.Rate{Burst: 5, PerMinute: 1}
	c := serve(t, live.Options{}, h, false).connect(t, "acme:ada")
	for range 11 {
		if err := c.ws.WriteControl(websocket.PingMessage, []byte("x"), time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	c.closes(live.CloseTooMany)
}

func TestASocketThatAnswersNoPingIsCut(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{PingEvery: 250 * time.Millisecond, PongWait: 250 * time.Millisecond}, handler(), true)
	ws := p.raw(t)
	ws.SetPingHandler(func(string) error { return nil })
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"id":1,"op":"hello","token":"acme:ada"}`)); err != nil {
		t.Fatal(err)
	}
	listen(t, ws).closes(live.CloseNoPong)
}

func TestASocketThatAnswersPingsStays(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{PingEvery: 100 * time.Millisecond, PongWait: 2 * time.Second}, handler(), false)
	pings := make(chan struct{}, 100)
	ws := p.raw(t)
	ws.SetPingHandler(func(data string) error {
		pings <- struct{}{}
		return ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
	})
	c := listen(t, ws)
	c.ask("hello", `"token":"acme:ada"`)
	for range 5 {
		<-pings
	}
	if m := c.ask("ping", ""); string(m.OK) != `{}` {
		t.Errorf("got %+v", m)
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	cookie := handler()
	cookie.Token, cookie.Origins = nil, live.AnyOrigin // which must not help
	cookie.Cookie = func(r *http.Request) (live.Who, error) {
		c, err := r.Cookie("session")
		if err != nil {
			return nil, errs.New(errs.Unauthenticated, "Please sign in.")
		}
		return named(c.Value)
	}
	careful := handler()
	careful.Origins = nil
	places := map[string]*place{
		"cookie over TLS": serve(t, live.Options{}, cookie, true), "cookie": serve(t, live.Options{}, cookie, false),
		"token": serve(t, live.Options{}, careful, true), "token from anywhere": serve(t, live.Options{}, handler(), true),
	}
	for name, p := range places {
		host := p.server.Listener.Addr().String()
		for origin, good := range map[string]bool{
			p.server.URL: true, "": false, "null": false, "https://evil.example": false, p.server.URL + ".evil.example": false, "https://evil.example/" + host: false,
			p.server.URL + "@evil.example": false, "http://" + host + "/": false, "file://" + host: false, "ftp://" + host: false, p.server.URL + "0": false,
			strings.ToUpper(p.server.URL[:4]) + p.server.URL[4:]: true,
		} {
			header := http.Header{"Cookie": {"session=acme:ada"}}
			if origin != "" {
				header.Set("Origin", origin)
			}
			ws, response, err := p.dial(header)
			if want := good || name == "token from anywhere"; (err == nil) != want {
				t.Errorf("%s, Origin %q: got %v", name, origin, err)
			}
			if err == nil {
				_ = ws.Close()
			} else if response == nil || response.StatusCode != http.StatusForbidden {
				t.Errorf("%s, Origin %q: got %v", name, origin, response)
			}
		}
	}
	p := places["cookie over TLS"]
	if _, _, err := p.dial(http.Header{"Cookie": {"session=acme:ada"}, "Origin": {p.server.URL, "https://evil.example"}}); err == nil {
		t.Error("two origins were accepted")
	}
	if _, _, err := p.dial(http.Header{"Cookie": {"session=acme:ada"}, "Origin": {"http://" + p.server.Listener.Addr().String()}}); err == nil {
		t.Error("a page without TLS may open a socket with TLS")
	}
	_, response, err := p.dial(http.Header{"Cookie": {"session=umbra:eve"}, "Origin": {p.server.URL}})
	if err == nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a forged cookie: %v", err)
	}
	ws, _, err := p.dial(http.Header{"Cookie": {"session=acme:ada"}, "Origin": {p.server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	c := listen(t, ws)
	if m := c.ask("echo", `"a":1`); string(m.OK) != `{"a":1}` { // no hello needed
		t.Errorf("got %+v", m)
	}
	_ = p.Publish(live.Topic{Tenant: acme, Channel: "person ada"}, live.Push{Kind: "message"})
	if m := c.next(); m.Push != "message" {
		t.Errorf("on its own channel: %+v", m)
	}
}

func TestTheSubprotocolIsRequired(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{}, handler(), false)
	d := websocket.Dialer{Subprotocols: []string{"aver.v0"}}
	_, response, err := d.Dial("ws"+strings.TrimPrefix(p.server.URL, "http")+"/socket", nil)
	if err == nil || response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("got %v", err)
	}
	if n := p.Stats().Connections; n != 0 {
		t.Errorf("%d connections are counted", n)
	}
}
