package inside_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aver/trust/canary/inside"
)

func door(t *testing.T, handler http.HandlerFunc) *inside.Door {
	t.Helper()
	d := inside.Open(handler, "chat.example")
	t.Cleanup(func() { d.Close() })
	return d
}

func TestACallerFromWithinGetsWhatAStrangerGets(t *testing.T) {
	t.Parallel()
	d := door(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.RemoteAddr)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, r.Method, " ", r.Host, r.URL, " ", r.Header.Get("Authorization"), " ", r.TLS != nil, " ", string(body))
	})
	a, err := d.Do(t.Context(), inside.Request{Method: "POST", Path: "/a?b=c", Header: inside.Bearer("avk_x"), Body: []byte("words")})
	if err != nil {
		t.Fatal(err)
	}
	if want := "POST chat.example/a?b=c Bearer avk_x true words"; string(a.Body) != want || a.Status != http.StatusTeapot || !strings.HasPrefix(a.Header.Get("X-Seen"), "192.0.2.1:") {
		t.Errorf("got %d %q from %q", a.Status, a.Body, a.Header.Get("X-Seen"))
	}
}

func TestNothingWaitsLongerThanItsContext(t *testing.T) {
	t.Parallel()
	d := door(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := d.Get(ctx, "/", nil); err == nil {
		t.Error("it answered")
	}
	d.Close()
	if _, err := d.Get(t.Context(), "/", nil); err == nil {
		t.Error("a closed door answered")
	}
}

func TestSocketsWorkTooWithoutANetwork(t *testing.T) {
	t.Parallel()
	upgrader := websocket.Upgrader{}
	d := door(t, func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		kind, text, _ := ws.ReadMessage()
		_ = ws.WriteMessage(kind, append([]byte("you said "), text...))
		ws.Close()
	})
	s, err := d.Socket(t.Context(), "/live", http.Header{"Origin": {"https://chat.example"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := s.ReadMessage(); err != nil || string(text) != "you said hello" {
		t.Errorf("got %q %v", text, err)
	}
}
