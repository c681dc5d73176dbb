// Package inside calls the installation's own edge from within: as a stranger would, byte for byte, but over a pipe in
// memory rather than a network.
//
// Probes use it, so that what they see is what callers get: hosts, headers, limits, credentials and bodies pass through
// the whole edge. It opens no connection to anywhere. For the outside world there is frame/egress; for TLS itself a
// probe has to come from outside.
package inside

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// MaxAnswer is the most that is read of one answer, in bytes.
const MaxAnswer = 16 << 20

// Door is a way in.
type Door struct {
	Host   string // as callers name the installation, with its port
	server *http.Server
	pipes  chan net.Conn
	closed chan struct{}
	once   sync.Once
	calls  atomic.Uint64
}

// Open begins to serve the handler. Close the door when it is no longer needed.
func Open(handler http.Handler, host string) *Door {
	d := &Door{Host: host, pipes: make(chan net.Conn), closed: make(chan struct{})}
	d.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.TLS = &tls.ConnectionState{HandshakeComplete: true, Version: tls.VersionTLS13, ServerName: host} // a pipe cannot be listened to
			handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), mark{}, true)))
		}),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0), // a caller that went away is a probe's timeout
	}
	go func() { _ = d.server.Serve(listener{d}) }() // ends with Close
	return d
}

type mark struct{}

// Came tells whether a request came from within: logs and metrics are about what callers do.
func Came(ctx context.Context) bool {
	came, _ := ctx.Value(mark{}).(bool)
	return came
}

// Close ends all connections.
func (d *Door) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.server.Close()
}

// Dial is a new connection.
func (d *Door) Dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	from := place(d.calls.Add(1))
	select {
	case d.pipes <- end{far, near, from}:
		return end{near, far, from}, nil
	case <-d.closed:
		return nil, errors.New("the door is closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Carrier carries requests through the door, sockets too, for what stands before an installation in the same process.
func (d *Door) Carrier() http.RoundTripper {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Dial(ctx) }
	return &http.Transport{DialContext: dial, DialTLSContext: dial, DisableKeepAlives: true, DisableCompression: true} // where the pipe stands TLS has ended already
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Request is what is asked.
type Request struct {
	Method, Path string // with the query
	Header       http.Header
	Body         []byte
}

// Do asks over a connection of its own, and reads the whole answer. Redirects are not followed.
func (d *Door) Do(ctx context.Context, q Request) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, q.Method, "https://"+d.Host+q.Path, bytes.NewReader(q.Body))
	if err != nil {
		return Answer{}, fmt.Errorf("ask inside: %w", err)
	}
	if q.Header != nil {
		r.Header = q.Header.Clone()
	}
	r.Close = true
	conn, err := d.Dial(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("ask inside: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	go func() { _ = r.Write(conn) }() // the server may answer before it has read all; a failure shows in the answer
	answer, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		return Answer{}, fmt.Errorf("ask inside: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, MaxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("ask inside: read the answer: %w", err)
	}
	return Answer{Status: answer.StatusCode, Header: answer.Header, Body: body}, nil
}

// Get asks with a GET.
func (d *Door) Get(ctx context.Context, path string, header http.Header) (Answer, error) {
	return d.Do(ctx, Request{Method: http.MethodGet, Path: path, Header: header})
}

// Bearer is the header of somebody who holds a token.
func Bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

// Cookie is the header of somebody who is signed in.
func Cookie(name, token string) http.Header {
	return http.Header{"Cookie": {name + "=" + token}}
}

// listener hands the far ends of pipes to the server.
type listener struct{ d *Door }

func (l listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.d.pipes:
		return conn, nil
	case <-l.d.closed:
		return nil, net.ErrClosed
	}
}

func (l listener) Close() error {
	l.d.once.Do(func() { close(l.d.closed) })
	return nil
}

func (l listener) Addr() net.Addr { return place(1) }

// place is where the nth call from within seems to come from: one of sixteen addresses of RFC 5737, which nobody has, eight
// calls from each in turn. Limits and the connection log know them by it. With one address, the claims that are measured
// together and the canaries' attack would use up what one stranger may ask for in a minute.
func place(n uint64) *net.TCPAddr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, byte(1+(n-1)/8%16)), Port: 443}
}

// end is one end of a pipe.
type end struct {
	net.Conn
	other net.Conn
	place *net.TCPAddr
}

// Close also ends the clocks of the pipe's deadlines, which would keep it in memory until they ring. Those of the other end
// too: once one is closed, neither takes a deadline any more.
func (e end) Close() error {
	_, _ = e.SetDeadline(time.Time{}), e.other.SetDeadline(time.Time{}) // fail when one is closed already
	return e.Conn.Close()
}

func (e end) RemoteAddr() net.Addr { return e.place }
func (e end) LocalAddr() net.Addr  { return e.place }
