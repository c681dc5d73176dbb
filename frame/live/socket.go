package live

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"aver/base/errs"
	"aver/frame/live/wire"
	"aver/frame/request"

	"github.com/gorilla/websocket"
)

const (
	firstFrame  = 16 << 10 // bytes that somebody unknown may send
	kernelQueue = 64 << 10 // bytes the kernel may keep for one reader; left alone it would keep megabytes
	largestKept = 16 << 10 // of a pooled buffer
)

// Both pools hold what a message needs while it is read or written, so that an idle socket needs neither.
var (
	readBuffers  = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	writeBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

func putBuffer(pool *sync.Pool, b *bytes.Buffer) {
	if b.Cap() <= largestKept {
		b.Reset()
		pool.Put(b)
	}
}

// WebSocket serves sockets. It takes the connection over and returns, so that nothing net/http keeps for a request
// stays in memory; each socket is then one small goroutine that reads.
func (h *Hub) WebSocket(handler *Handler) http.Handler {
	upgrader := &websocket.Upgrader{
		ReadBufferSize:   256, // longer messages are read past it
		WriteBufferSize:  1024,
		WriteBufferPool:  &sync.Pool{},
		HandshakeTimeout: 5 * time.Second,
		Subprotocols:     []string{Subprotocol},
		CheckOrigin:      func(*http.Request) bool { return true }, // door has decided
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &Session{hub: h, handler: handler, address: network(h.options.Address(r)), opened: h.now()}
		if err := s.door(r); err != nil {
			refuse(w, err)
			return
		}
		ws, err := upgrader.Upgrade(hijacker{w}, r, nil)
		if err != nil { // gorilla has answered
			h.retire(s.address, s.tenant())
			return
		}
		k := &socket{ws: ws, session: s, named: handler.Cookie != nil}
		ws.SetPongHandler(k.pong)
		ws.SetPingHandler(k.ping)
		if tcp, ok := k.tcp().(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(kernelQueue) // on failure the kernel's own choice stays
		}
		s.line = k
		s.seen.Store(s.opened)
		h.enter(s)
		if k.named { // again, now that the session can be found by whoever dismisses it
			if err := s.authenticate(s.byCookie(r)); err != nil {
				s.Close(refusalCode(err), "")
			}
		}
		if !k.named {
			k.from = &Caller{h.options.Address(r), r.Header.Get("Origin"), r.UserAgent(), request.OptsOut(r)}
		}
		go k.read()
	})
}

// door decides what can be decided before the protocol changes hands. With an error nothing stays counted.
func (s *Session) door(r *http.Request) error {
	if !slices.Contains(websocket.Subprotocols(r), Subprotocol) {
		return errs.New(errs.Invalid, "The subprotocol "+Subprotocol+" is needed.")
	}
	if !s.handler.admits(r) {
		return errStranger
	}
	if err := s.hub.admit(s.address); err != nil || s.handler.Cookie == nil {
		return err
	}
	if _, err := s.check(s.byCookie(r)); err != nil {
		s.hub.retire(s.address, s.tenant())
		return err
	}
	return nil
}

func (s *Session) byCookie(r *http.Request) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return s.handler.Cookie(r) }
}

// hijacker reaches the connection through the wrappers of middleware.
type hijacker struct{ http.ResponseWriter }

func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// socket is the line over a WebSocket. gorilla shakes hands, reads, and answers broken framing; text, pings and our
// close frames are written to the connection beside it, in whole frames, which a net.Conn never interleaves.
type socket struct {
	ws      *websocket.Conn
	session *Session
	named   bool
	from    *Caller // until named
}

// tcp is the connection below TLS, if there is TLS. Hanging up there cannot block, and after the last words of the
// WebSocket those of TLS tell nobody anything.
func (k *socket) tcp() net.Conn {
	conn := k.ws.NetConn()
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return conn
}

// read takes one message and leaves the next to a new goroutine. Carrying out a request needs a deep stack, which a
// goroutine would keep while it waits; a new one waits on the smallest, and that is most of what an idle socket costs.
func (k *socket) read() {
	kind, r, err := k.ws.NextReader()
	if err != nil {
		_ = k.tcp().Close()
		k.session.end()
		return
	}
	switch {
	case k.session.ending(): // until the other end has hung up
	case kind != websocket.TextMessage:
		k.session.Close(CloseViolation, "text frames only")
	default:
		k.take(r)
	}
	go k.read()
}

// take handles one message.
func (k *socket) take(r io.Reader) {
	s := k.session
	buffer := readBuffers.Get().(*bytes.Buffer)
	defer putBuffer(&readBuffers, buffer)
	limit := firstFrame
	if k.named {
		limit = MaxFrame
	}
	s.partial.Store(s.hub.now())
	_, err := buffer.ReadFrom(io.LimitReader(r, int64(limit)+1))
	s.partial.Store(0)
	if err != nil {
		return // the next read fails in the same way
	}
	s.seen.Store(s.hub.now())
	switch {
	case buffer.Len() > limit:
		s.Close(CloseViolation, "message too long")
	case k.named:
		s.receive(buffer.Bytes())
	default:
		k.named = s.hello(buffer.Bytes(), *k.from)
		k.from = nil
	}
	s.seen.Store(s.hub.now()) // a long request is not the other end's silence
}

func (k *socket) pong(string) error {
	k.session.seen.Store(k.session.hub.now())
	return nil
}

// ping answers the other end's ping, which counts as a message: pings are a way to flood, too.
func (k *socket) ping(data string) error {
	s := k.session
	switch s.bucket.take(s.hub.now(), s.handler.Rate) {
	case fine:
		s.send(wire.Pong(data))
	case tooMuch:
		s.flooded()
	}
	return nil
}

func (k *socket) write(batch []*wire.Frame) error {
	if len(batch) == 1 {
		_, err := k.ws.NetConn().Write(batch[0].Bytes)
		return err
	}
	buffer := writeBuffers.Get().(*bytes.Buffer)
	defer putBuffer(&writeBuffers, buffer)
	for i, f := range batch {
		buffer.Write(f.Bytes)
		if buffer.Len() < largestKept && i < len(batch)-1 {
			continue
		}
		if _, err := k.ws.NetConn().Write(buffer.Bytes()); err != nil {
			return err
		}
		buffer.Reset()
	}
	return nil
}

func (k *socket) close(code int, reason string) {
	if _, err := k.ws.NetConn().Write(wire.Close(code, reason).Bytes); err != nil {
		k.kill()
		return
	}
	_ = k.ws.SetReadDeadline(time.Now().Add(time.Second)) // the reader waits that long for the other end's last words
}

func (k *socket) kill() {
	conn := k.tcp()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // what it did not read shall not stay in the kernel
	}
	_ = conn.Close()
}

func (s *Session) ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}
