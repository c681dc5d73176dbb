package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/live"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	acme = ids.Tenant{15: 2}
	bolt = ids.Tenant{15: 3}
)

// person is somebody in these tests; "acme:ada" is the token of Ada at Acme.
type person struct {
	tenant ids.Tenant
	name   string
}

func (p person) Tenant() ids.Tenant { return p.tenant }

func named(token string) (live.Who, error) {
	workspace, name, ok := strings.Cut(token, ":")
	switch {
	case ok && workspace == "acme":
		return person{acme, name}, nil
	case ok && workspace == "bolt":
		return person{bolt, name}, nil
	case ok && workspace == "erased":
		return nil, errs.New(errs.Gone, "This person was erased.")
	}
	return nil, errs.New(errs.Unauthenticated, "This token is not good.")
}

// handler knows a few ops; tests add theirs.
func handler() *live.Handler {
	type subscribe struct {
		Channel string `json:"channel"`
	}
	return &live.Handler{
		Token:    func(_ context.Context, token string, _ live.Caller) (live.Who, error) { return named(token) },
		Origins:  live.AnyOrigin,
		Channels: func(who live.Who) []string { return []string{"person " + who.(person).name} },
		Rate:     live.Rate{Burst: 100_000, PerMinute: 100_000},
		Ops: map[string]live.Op{
			"subscribe": live.Typed(func(_ context.Context, s *live.Session, args subscribe) (any, error) {
				return map[string]bool{"recovered": true}, s.Subscribe(args.Channel)
			}),
			"unsubscribe": live.Typed(func(_ context.Context, s *live.Session, args subscribe) (any, error) {
				s.Unsubscribe(args.Channel)
				return nil, nil
			}),
			"echo":  func(_ context.Context, _ *live.Session, args json.RawMessage) (any, error) { return args, nil },
			"panic": func(context.Context, *live.Session, json.RawMessage) (any, error) { panic("ada@example.org") },
		},
	}
}

// place is a hub behind a server.
type place struct {
	*live.Hub
	server *httptest.Server
}

func serve(t *testing.T, options live.Options, h *live.Handler, secure bool) *place {
	t.Helper()
	options.Log = slog.New(slog.DiscardHandler)
	hub := live.New(options)
	mux := http.NewServeMux()
	mux.Handle("/socket", hub.WebSocket(h))
	mux.Handle("GET /events", hub.Events(h))
	mux.Handle("POST /send", hub.Send(h))
	p := &place{Hub: hub, server: httptest.NewUnstartedServer(wrapped(mux))}
	p.server.Config.WriteTimeout = time.Second // as edge has one, for what is no socket and no stream
	if secure {
		p.server.EnableHTTP2 = true
		p.server.StartTLS()
	} else {
		p.server.Start()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := hub.Drain(ctx); err != nil {
			t.Errorf("draining: %v", err)
		}
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// wrapped hides what the server's ResponseWriter can do, as middleware does.
func wrapped(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(wrapper{w}, r) })
}

type wrapper struct{ inner http.ResponseWriter }

func (w wrapper) Header() http.Header         { return w.inner.Header() }
func (w wrapper) Write(b []byte) (int, error) { return w.inner.Write(b) }
func (w wrapper) WriteHeader(status int)      { w.inner.WriteHeader(status) }
func (w wrapper) Unwrap() http.ResponseWriter { return w.inner }

// client is a browser's socket. Its reader keeps what comes; wanting something waits for it.
type client struct {
	t    *testing.T
	ws   *websocket.Conn
	in   chan message
	done chan struct{}
	err  error // why it ended; read after done
	id   int64
}

type message struct {
	ID      int64           `json:"id"`
	OK      json.RawMessage `json:"ok"`
	Error   *errs.Problem   `json:"error"`
	Push    string          `json:"push"`
	Channel string          `json:"channel"`
	Epoch   string          `json:"epoch"`
	Offset  int64           `json:"offset"`
	Data    json.RawMessage `json:"data"`
}

func (p *place) dial(header http.Header) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: []string{live.Subprotocol}}
	if t, ok := p.server.Client().Transport.(*http.Transport); ok && t.TLSClientConfig != nil {
		d.TLSClientConfig = t.TLSClientConfig.Clone()
		d.TLSClientConfig.NextProtos = nil
	}
	return d.Dial("ws"+strings.TrimPrefix(p.server.URL, "http")+"/socket", header)
}

// raw opens a socket and says nothing.
func (p *place) raw(t *testing.T) *websocket.Conn {
	t.Helper()
	ws, _, err := p.dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

func (p *place) connect(t *testing.T, token string) *client {
	t.Helper()
	c := listen(t, p.raw(t))
	if m := c.ask("hello", `"token":"`+token+`"`); m.Error != nil {
		t.Fatalf("hello: %+v", m.Error)
	}
	return c
}

func listen(t *testing.T, ws *websocket.Conn) *client {
	c := &client{t: t, ws: ws, in: make(chan message, 4096), done: make(chan struct{})}
	var readers sync.WaitGroup
	readers.Go(func() {
		defer close(c.done)
		for {
			var m message
			if c.err = ws.ReadJSON(&m); c.err != nil {
				return
			}
			c.in <- m
		}
	})
	t.Cleanup(func() { _ = ws.Close(); readers.Wait() })
	return c
}

func (c *client) write(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() message {
	c.t.Helper()
	select {
	case m := <-c.in:
		return m
	default:
	}
	select {
	case m := <-c.in:
		return m
	case <-c.done:
		c.t.Fatalf("the socket ended: %v", c.err)
	case <-time.After(time.Minute):
		c.t.Fatal("nothing came")
	}
	panic("unreachable")
}

// ask sends a request and returns the next message, which must be its reply.
func (c *client) ask(op, members string) message {
	c.t.Helper()
	c.id++
	text, _ := json.Marshal(map[string]any{"id": c.id, "op": op})
	if members != "" {
		text = append(append(text[:len(text)-1], ","+members...), '}')
	}
	c.write(string(text))
	m := c.next()
	if m.ID != c.id {
		c.t.Fatalf("asked %d, got %+v", c.id, m)
	}
	return m
}

// closes waits for the end and wants this code.
func (c *client) closes(code int) *websocket.CloseError {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(time.Minute):
		c.t.Fatalf("not closed; want %d", code)
	}
	var e *websocket.CloseError
	if !errors.As(c.err, &e) || e.Code != code {
		c.t.Fatalf("closed by %v, want %d", c.err, code)
	}
	return e
}
