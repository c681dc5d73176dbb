package browser

import (
	"io"
	"maps"
	"net"
	"sync"
	"testing"
)

// Wire is a network cable between the browser and a server, which a test can cut and mend.
type Wire struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	cut   bool
	ends  map[net.Conn]bool
	mute  map[net.Conn]bool // ends whose bytes are lost on the way
	moves sync.WaitGroup
}

// NewWire leads from a free port of this machine to the server's address (host and port). It carries bytes as they are, so TLS passes.
func NewWire(t testing.TB, server string) *Wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{listener: listener, server: server, ends: map[net.Conn]bool{}, mute: map[net.Conn]bool{}}
	w.moves.Go(w.accept)
	t.Cleanup(func() {
		listener.Close()
		w.Cut()
		w.moves.Wait()
	})
	return w
}

// Address is where the browser connects, host and port.
func (w *Wire) Address() string { return w.listener.Addr().String() }

// Cut breaks every connection and refuses new ones until Mend.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for end := range w.ends {
		end.Close()
	}
}

// Hang loses everything that is sent over the connections there are, and tells neither side, as a router does that forgot
// them. New ones work.
func (w *Wire) Hang() {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.Copy(w.mute, w.ends)
}

// Mend lets connections through again.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = false
}

func (w *Wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.moves.Go(func() { w.carry(near) })
	}
}

func (w *Wire) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer far.Close()
	if !w.hold(near, far) {
		return
	}
	defer w.drop(near, far)
	back := make(chan struct{})
	go func() {
		defer close(back)
		io.Copy(end{near, w}, far)
		if !w.loses(near) { // nor does the browser hear that the server has given up
			near.Close()
		}
	}()
	io.Copy(end{far, w}, near)
	far.Close()
	<-back
}

func (w *Wire) hold(ends ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		return false
	}
	for _, end := range ends {
		w.ends[end] = true
	}
	return true
}

func (w *Wire) drop(ends ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range ends {
		delete(w.ends, end)
		delete(w.mute, end)
	}
}

// end is where bytes leave the wire, unless they are lost.
type end struct {
	net.Conn
	wire *Wire
}

func (e end) Write(p []byte) (int, error) {
	if e.wire.loses(e.Conn) {
		return len(p), nil
	}
	return e.Conn.Write(p)
}

func (w *Wire) loses(end net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mute[end]
}
