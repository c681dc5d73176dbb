package live

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"aver/base/errs"
	"aver/frame/live/wire"
	"aver/frame/request"
)

// Events serves the fallback for sockets that do not get through: a stream of server-sent events, read by fetch with
// "Authorization: Bearer". The first event is named subscribe and has what the handler's Stream returned; then comes
// an event push for each push, and a comment now and then. A last event close has code and reason.
func (h *Hub) Events(handler *Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := h.options.Address(r)
		s := &Session{hub: h, handler: handler, address: network(address), opened: h.now(), mute: true, opening: true, busy: true}
		if err := h.admit(s.address); err != nil {
			refuse(w, err)
			return
		}
		t := &stream{w: w, control: http.NewResponseController(w), wait: h.options.WriteWait, done: make(chan struct{})}
		s.line = t
		s.seen.Store(s.opened)
		h.enter(s)
		first, err := s.firstEvent(r, address)
		if err != nil {
			t.finish() // nothing was written, and the refusal still has to be
			s.end()
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Accel-Buffering", "no") // proxies that collect answers would keep the news
		s.finish(wire.New(wire.Text, first, "subscribe"))
		select {
		case <-r.Context().Done():
		case <-t.done:
		}
		s.end()
	})
}

func (s *Session) firstEvent(r *http.Request, address netip.Addr) ([]byte, error) {
	if err := s.authenticate(s.byBearer(r, address)); err != nil {
		return nil, err
	}
	if s.handler.Stream == nil {
		return []byte("{}"), nil
	}
	result, err := s.guarded("stream", func(ctx context.Context) (any, error) { return s.handler.Stream(ctx, s, r.URL.Query()) })
	if err != nil {
		return nil, err
	}
	return wire.Marshal(result)
}

// byBearer checks the Authorization header. A handler without Token has no tokens, so none is good.
func (s *Session) byBearer(r *http.Request, address netip.Addr) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "bearer") || token == "" || s.handler.Token == nil {
			return nil, errNobody
		}
		return s.handler.Token(ctx, token, Caller{address, r.Header.Get("Origin"), r.UserAgent(), request.OptsOut(r)})
	}
}

// stream is the line over server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	wait    time.Duration
	once    sync.Once
	done    chan struct{}
}

func (t *stream) write(batch []*wire.Frame) error {
	buffer := writeBuffers.Get().(*bytes.Buffer)
	defer putBuffer(&writeBuffers, buffer)
	for _, f := range batch {
		if f.Op == wire.Text {
			fmt.Fprintf(buffer, "event: %s\ndata: %s\n\n", f.Event, f.Payload()) // marshalled JSON has no line breaks
		} else {
			buffer.WriteString(":\n\n")
		}
	}
	return t.put(buffer.Bytes())
}

func (t *stream) put(text []byte) error {
	_ = t.control.SetWriteDeadline(time.Now().Add(t.wait)) // where it is not supported the server's own limit holds
	if _, err := t.w.Write(text); err != nil {
		return err
	}
	if err := t.control.Flush(); err != nil {
		return err
	}
	_ = t.control.SetWriteDeadline(time.Time{}) // HTTP/2 would end a stream that is merely silent
	return nil
}

func (t *stream) close(code int, reason string) {
	_ = t.put([]byte("event: close\ndata: {\"code\":" + strconv.Itoa(code) + ",\"reason\":" + strconv.Quote(reason) + "}\n\n"))
	t.finish()
}

func (t *stream) finish() { t.once.Do(func() { close(t.done) }) }

// kill frees a writer that is stuck. Once the handler has returned it does nothing: the connection may be serving
// another request.
func (t *stream) kill() {
	t.once.Do(func() {
		_ = t.control.SetWriteDeadline(time.Now())
		close(t.done)
	})
}

// Send serves one request by POST: the same object as over a socket, without id, answered by {"ok":…} or {"error":…}
// with the matching status. Rates are edge's concern here, as for every request.
func (h *Hub) Send(handler *Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &Session{hub: h, handler: handler}
		result, err := s.one(w, r)
		text, err := wire.Reply(0, result, err)
		head(w, err, "application/json")
		_, _ = w.Write(text) // a client that went away will ask again
	})
}

func (s *Session) one(w http.ResponseWriter, r *http.Request) (any, error) {
	who, err := s.check(s.byBearer(r, s.hub.options.Address(r)))
	if err != nil {
		return nil, err
	}
	s.who = who
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxFrame))
	if err != nil {
		return nil, errs.New(errs.TooLarge, "The request is longer than 64 KB, or was broken off.").Because(err)
	}
	request, err := wire.Parse(body)
	if err != nil {
		return nil, err
	}
	return s.call(request)
}

// refuse answers a request before the protocol has changed hands.
func refuse(w http.ResponseWriter, err error) {
	head(w, err, "application/problem+json")
	_ = json.NewEncoder(w).Encode(errs.AsProblem(err))
}

func head(w http.ResponseWriter, err error, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	if err == nil {
		return
	}
	problem := errs.AsProblem(err)
	if problem.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(problem.RetryAfter))
	}
	w.WriteHeader(problem.Status)
}

// network is what counts as one place: an IPv4 address, or an IPv6 /64, of which one household has all.
func network(address netip.Addr) netip.Addr {
	if !address.Is6() || address.Is4In6() {
		return address.Unmap()
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.Addr()
}
