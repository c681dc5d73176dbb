package sockets

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Visit is what a client does when it has connected.
type Visit struct {
	Path        string      // of the socket
	Subprotocol string      // to offer
	Header      http.Header // for the handshake
	Say         func(client int) []string
	Answer      func(client, words int, text []byte) // called with the answer to each of Say's words; may be nil
	Addresses   int                                  // how many loopback addresses the clients come from; one if 0
	Push        func(client int, text []byte)        // called with every text that comes after the answers; may be nil
}

// Crowd is many clients of one server.
type Crowd struct {
	server  *Server
	visit   Visit
	sockets []*websocket.Conn
	readers sync.WaitGroup
	Lost    atomic.Int64 // ended without being asked to
	closing atomic.Bool
}

// hands is how many clients connect at the same time.
const hands = 64

// Gather connects n clients, each of which says its words and waits for as many answers.
func Gather(ctx context.Context, server *Server, n int, visit Visit) (*Crowd, error) {
	c := &Crowd{server: server, visit: visit, sockets: make([]*websocket.Conn, n)}
	var next atomic.Int64
	var workers sync.WaitGroup
	problems := make(chan error, hands)
	for range min(hands, n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := c.connect(ctx, i); err != nil {
					problems <- fmt.Errorf("client %d: %w", i, err)
					return
				}
			}
		})
	}
	workers.Wait()
	close(problems)
	if err := <-problems; err != nil {
		c.Leave()
		return nil, err
	}
	return c, nil
}

func (c *Crowd) connect(ctx context.Context, i int) error {
	dialer := websocket.Dialer{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &buffers, HandshakeTimeout: 30 * time.Second}
	dialer.Subprotocols = []string{c.visit.Subprotocol}
	if c.visit.Addresses > 0 {
		from := net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%c.visit.Addresses))}
		dialer.NetDialContext = (&net.Dialer{LocalAddr: &from}).DialContext
	}
	scheme := "ws"
	if c.server.TLS != nil {
		scheme, dialer.TLSClientConfig = "wss", c.server.TLS
	}
	ws, _, err := dialer.DialContext(ctx, scheme+"://"+c.server.Address+c.visit.Path, c.visit.Header)
	if err != nil {
		return err
	}
	c.sockets[i] = ws
	for k, words := range c.visit.Say(i) {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(words)); err != nil {
			return err
		}
		_, answer, err := ws.ReadMessage()
		if err != nil {
			return err
		}
		if c.visit.Answer != nil {
			c.visit.Answer(i, k, answer)
		}
	}
	c.readers.Go(func() { c.read(i, ws) })
	return nil
}

var buffers sync.Pool

func (c *Crowd) read(i int, ws *websocket.Conn) {
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			if !c.closing.Load() {
				c.Lost.Add(1)
			}
			return
		}
		if c.visit.Push != nil {
			c.visit.Push(i, text)
		}
	}
}

// Write sends a text as client i. One goroutine may write for a client at a time.
func (c *Crowd) Write(i int, text string) error {
	return c.sockets[i].WriteMessage(websocket.TextMessage, []byte(text))
}

// Leave drops all connections without a word, as a network does, and waits for the readers.
func (c *Crowd) Leave() {
	c.closing.Store(true)
	for _, ws := range c.sockets {
		if ws != nil {
			_ = ws.NetConn().Close()
		}
	}
	c.readers.Wait()
}

// Idle returns the resident bytes that each of n idle clients costs the server.
func Idle(ctx context.Context, server *Server, n int, visit Visit) (perSocket int64, err error) {
	first, err := Gather(ctx, server, 100, visit) // what the first one costs is not what each costs
	if err != nil {
		return 0, err
	}
	first.Leave()
	before, err := server.Resident()
	if err != nil {
		return 0, err
	}
	crowd, err := Gather(ctx, server, n, visit)
	if err != nil {
		return 0, err
	}
	defer crowd.Leave()
	after, err := server.Resident()
	if err != nil {
		return 0, err
	}
	if lost := crowd.Lost.Load(); lost > 0 {
		return 0, fmt.Errorf("%d of %d clients were dropped", lost, n)
	}
	return (after - before) / int64(n), nil
}

// Return is how a crowd came back.
type Return struct {
	Took time.Duration // until the last was connected and answered
	CPU  time.Duration // of the server, for all
}

// Storm drops a crowd at once and measures until as many clients are back.
func Storm(ctx context.Context, server *Server, n int, visit Visit) (Return, error) {
	crowd, err := Gather(ctx, server, n, visit)
	if err != nil {
		return Return{}, err
	}
	before, err := server.CPU()
	if err != nil {
		return Return{}, err
	}
	crowd.Leave()
	begun := time.Now()
	back, err := Gather(ctx, server, n, visit)
	took := time.Since(begun)
	if err != nil {
		return Return{}, err
	}
	defer back.Leave()
	after, err := server.CPU()
	return Return{took, after - before}, err
}

// Latencies collects times from many goroutines.
type Latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

// Add notes one.
func (l *Latencies) Add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, d)
}

// Count is how many were noted.
func (l *Latencies) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// Quantile returns the time that the given part of all is not above: 0.99 is the p99.
func (l *Latencies) Quantile(part float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return 0
	}
	slices.Sort(l.all)
	return l.all[min(len(l.all)-1, int(part*float64(len(l.all))))]
}

// speakers is how many goroutines pace the clients.
const speakers = 8

// Pace calls say about perSecond times a second for the time given, for clients picked at random out of the number
// given, one call per client at a time. It keeps the pace however long say takes, so that a slow server is asked no
// less. It returns how often it called; an error ends it.
func Pace(ctx context.Context, clients, perSecond int, lasting time.Duration, say func(client int) error) (int, error) {
	var all sync.WaitGroup
	problems := make(chan error, speakers)
	begun := time.Now()
	each := int(float64(perSecond)*lasting.Seconds()) / speakers
	for w := range speakers { // speaks for the clients that leave the remainder w
		all.Go(func() {
			for k := range each {
				due := begun.Add(time.Duration(k*speakers+w) * time.Second / time.Duration(perSecond))
				time.Sleep(time.Until(due))
				if ctx.Err() != nil {
					return
				}
				if err := say(rand.IntN(clients/speakers)*speakers + w); err != nil {
					problems <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(problems)
	return each * speakers, errors.Join(<-problems, ctx.Err())
}
