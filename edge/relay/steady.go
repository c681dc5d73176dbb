package relay

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"aver/base/errs"
	"aver/edge"
	"aver/frame/page"
)

// answer is a problem of the relay's own, as a page for people and as JSON for programs.
func answer(w http.ResponseWriter, q *http.Request, p errs.Problem) {
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if strings.Contains(q.Header.Get("Accept"), "text/html") {
		_ = page.ShowProblem(w, q, p) // an error here means that the caller went away
		return
	}
	page.Headers(w.Header(), "")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// patient is a body that may arrive slowly, but neither stop for long nor take for ever.
type patient struct {
	io.ReadCloser
	control *http.ResponseController
	pause   time.Duration
	end     time.Time
}

func (b *patient) Read(p []byte) (int, error) {
	until := time.Now().Add(b.pause)
	if until.After(b.end) {
		until = b.end
	}
	if err := b.control.SetReadDeadline(until); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF { // the answer may take its time, and the connection is watched meanwhile
		_ = b.control.SetReadDeadline(time.Time{}) // what was set can be unset
	}
	return n, err
}

// steady is an answer that a reader must keep taking: whoever stops reading does not hold the line for ever.
type steady struct {
	http.ResponseWriter
	control *http.ResponseController
	pause   time.Duration
}

func (s *steady) Write(p []byte) (int, error) {
	if err := s.control.SetWriteDeadline(time.Now().Add(s.pause)); err != nil {
		return 0, err
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *steady) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// socket is the line to a region once it carries a socket. It copies with small buffers: most sockets are idle, and each
// holds one for either way all the time.
type socket struct{ io.ReadWriteCloser }

const frames = 4 << 10 // bytes; a frame of the widget is usually shorter

// WriteTo carries what the region says.
func (s socket) WriteTo(w io.Writer) (int64, error) { return carry(w, s.ReadWriteCloser) }

// ReadFrom carries what the region is told.
func (s socket) ReadFrom(r io.Reader) (int64, error) { return carry(s.ReadWriteCloser, r) }

func carry(to io.Writer, from io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, frames))
}

// crowd is a listener that lets an address have so many connections at a time, and everybody together so many.
type crowd struct {
	net.Listener
	each int // connections of an address at a time

	mu    sync.Mutex
	of    map[netip.Addr]int
	count int
}

func newCrowd(l net.Listener, each int) *crowd {
	return &crowd{Listener: l, each: each, of: map[netip.Addr]int{}}
}

// Accept takes the next connection that there is room for; others are closed.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		var place netip.Addr
		if at, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			place = edge.Neighbourhood(at.Addr().Unmap().WithZone(""))
		}
		if c.enter(place) {
			return &member{Conn: conn, leave: sync.OnceFunc(func() { c.leave(place) })}, nil
		}
		_ = conn.Close()
	}
}

func (c *crowd) enter(place netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count >= crowded || c.of[place] >= c.each {
		return false
	}
	c.count++
	c.of[place]++
	return true
}

func (c *crowd) leave(place netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count--
	if c.of[place]--; c.of[place] == 0 {
		delete(c.of, place)
	}
}

// member is a connection that counts until it is closed.
type member struct {
	net.Conn
	leave func()
}

// Close makes room.
func (m *member) Close() error {
	m.leave()
	return m.Conn.Close()
}
