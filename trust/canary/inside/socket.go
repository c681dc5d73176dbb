package inside

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
)

// Subprotocol is what sockets of Aver speak.
const Subprotocol = "aver.v1"

// Socket opens a socket.
func (d *Door) Socket(ctx context.Context, path string, header http.Header) (*websocket.Conn, error) {
	dialer := websocket.Dialer{Subprotocols: []string{Subprotocol}, ReadBufferSize: 4096, WriteBufferSize: 4096,
		NetDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Dial(ctx) }}
	// "ws": the pipe stands where TLS has ended already
	ws, answer, err := dialer.DialContext(ctx, (&url.URL{Scheme: "ws", Host: d.Host, Path: path}).String(), header)
	if err != nil {
		if answer != nil {
			return nil, fmt.Errorf("open a socket inside: status %d: %w", answer.StatusCode, err)
		}
		return nil, fmt.Errorf("open a socket inside: %w", err)
	}
	return ws, nil
}

// Frame is a reply or a push.
type Frame struct {
	ID      int64           `json:"id"`
	OK      json.RawMessage `json:"ok"`
	Error   json.RawMessage `json:"error"`
	Push    string          `json:"push"`
	Channel string          `json:"channel"`
	Offset  int64           `json:"offset"`
	Data    json.RawMessage `json:"data"`
	Raw     []byte          `json:"-"`
}

// Talk is a conversation over a socket, one request at a time. Pushes that come in between are kept in order.
type Talk struct {
	ws     *websocket.Conn
	next   int64
	pushes []Frame
}

// Talk opens a socket and begins to talk; hello is the first request's members, or nil where a cookie is enough.
func (d *Door) Talk(ctx context.Context, path string, header http.Header) (*Talk, error) {
	ws, err := d.Socket(ctx, path, header)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = ws.SetReadDeadline(deadline)
		_ = ws.SetWriteDeadline(deadline)
	}
	return &Talk{ws: ws}, nil
}

// Close ends the talk.
func (t *Talk) Close() error { return t.ws.Close() }

// Ask makes a request and waits for its reply.
func (t *Talk) Ask(op string, args map[string]any) (Frame, error) {
	t.next++
	request := map[string]any{"id": t.next, "op": op}
	for name, value := range args {
		request[name] = value
	}
	if err := t.ws.WriteJSON(request); err != nil {
		return Frame{}, fmt.Errorf("ask %s over a socket: %w", op, err)
	}
	for {
		f, err := t.read()
		if err != nil {
			return f, fmt.Errorf("wait for the reply to %s: %w", op, err)
		}
		if f.Push == "" {
			return f, nil
		}
		t.pushes = append(t.pushes, f)
	}
}

// Push waits for the next push of a kind, at most so long.
func (t *Talk) Push(kind string, within time.Duration) (Frame, error) {
	_ = t.ws.SetReadDeadline(time.Now().Add(within))
	for {
		for i, f := range t.pushes {
			if f.Push == kind {
				t.pushes = append(t.pushes[:i:i], t.pushes[i+1:]...)
				return f, nil
			}
		}
		f, err := t.read()
		if err != nil {
			return f, fmt.Errorf("wait for %s: %w", kind, err)
		}
		t.pushes = append(t.pushes, f)
	}
}

func (t *Talk) read() (Frame, error) {
	_, text, err := t.ws.ReadMessage()
	if err != nil {
		return Frame{}, err
	}
	f := Frame{Raw: text}
	return f, json.Unmarshal(text, &f)
}

// Linger listens so much longer, ends the talk, and returns the pushes that came and were not waited for.
func (t *Talk) Linger(d time.Duration) []Frame {
	_ = t.ws.SetReadDeadline(time.Now().Add(d))
	for {
		f, err := t.read()
		if err != nil {
			return t.pushes
		}
		t.pushes = append(t.pushes, f)
	}
}
