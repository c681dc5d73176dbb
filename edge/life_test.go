package edge_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aver/base/eventually"
	"aver/edge"
	"aver/frame/module"
	"aver/frame/request"
)

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	d := open(t, edge.Config{Ready: map[string]func(context.Context) error{
		"vault": func(context.Context) error {
			if broken.Load() {
				return errors.New("the password of the database is hunter2")
			}
			return nil
		},
		"jobs": func(context.Context) error { return nil },
	}})
	for _, base := range []string{d.https, d.admin} {
		broken.Store(false)
		if answer := d.get(base + "/readyz"); answer.StatusCode != 200 || answer.body != "ready\n" {
			t.Errorf("%d %q", answer.StatusCode, answer.body)
		}
		broken.Store(true)
		if answer := d.get(base + "/readyz"); answer.StatusCode != 503 || answer.body != "not ready: vault\n" {
			t.Errorf("%d %q", answer.StatusCode, answer.body)
		}
		if answer := d.get(base + "/healthz"); answer.StatusCode != 200 {
			t.Errorf("alive: %d", answer.StatusCode)
		}
	}
}

func TestMetricsAndProfilesAreOnTheAdministrationListenerOnly(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, sampler())
	d.get("/people")
	d.get("/nowhere/canary")
	metrics := d.get(d.admin + "/metrics")
	if !strings.Contains(metrics.body, `aver_http_requests_total{method="GET",route="GET /people",status="200"} 1`) || !strings.Contains(metrics.body, "go_goroutines") {
		t.Error("the metrics lack the request")
	}
	if strings.Contains(metrics.body, "canary") {
		t.Error("the metrics hold a path")
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap"} {
		if answer := d.get(path); answer.StatusCode != 404 {
			t.Errorf("%s is answered with %d to the world", path, answer.StatusCode)
		}
		if answer := d.get(d.admin + path); answer.StatusCode != 200 {
			t.Errorf("%s is answered with %d to the administrator", path, answer.StatusCode)
		}
	}
	if host, _, err := net.SplitHostPort(edge.DefaultAdmin); err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("the default address is %s", edge.DefaultAdmin)
	}
}

// dial opens a TLS connection for raw requests. A hurried server may hang up on a machine that is too busy to shake hands
// in time; then it is called again.
func (d *door) dial() (conn net.Conn) {
	d.t.Helper()
	eventually.Must(d.t, "shake hands with "+d.address, func() (ok bool) {
		var err error
		conn, err = tls.Dial("tcp", d.address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		return err == nil
	})
	d.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

func TestSlowCallersAreCutOff(t *testing.T) {
	t.Parallel()
	d := openWith(t, edge.Config{}, func(s *edge.Server) { edge.Hurry(s, hurried) }, sampler())
	for name, start := range map[string]string{
		"nothing at all":      "",
		"half a header":       "GET /people HTTP/1.1\r\nHost: loc",
		"a body that drips":   "PUT /people HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx",
		"a chunk that drips":  "PUT /people HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"silence after a get": "GET /people HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := d.dial()
			_, _ = io.WriteString(conn, start) // fails where the server was quicker
			if answer, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("still connected: %q", answer)
			}
		})
	}
}

func TestASlowBodyIsAProblem(t *testing.T) {
	t.Parallel()
	d := openWith(t, edge.Config{Authenticator: keys{"good": key()}}, func(s *edge.Server) { edge.Hurry(s, hurried) }, catalogue(), sampler())
	for _, path := range []string{"PUT /people", "POST /v1/items"} {
		var answer *http.Response
		eventually.Must(t, "the head arrives before the patience ends", func() bool {
			conn := d.dial()
			fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\nContent-Length: 1000\r\n\r\nx", path)
			var err error
			answer, err = http.ReadResponse(bufio.NewReader(conn), nil)
			return err == nil
		})
		answer.Body.Close()
		if answer.StatusCode != http.StatusRequestTimeout || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, answer.StatusCode, answer.Header.Get("Content-Type"))
		}
	}
}

func TestHeadersAreLimited(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, sampler())
	conn := d.dial()
	fmt.Fprintf(conn, "GET /people HTTP/1.1\r\nHost: localhost\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 32<<10))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("answered with %d", answer.StatusCode)
	}
}

func TestSmuggledRequestsAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t, edge.Config{}, sampler())
	for name, raw := range map[string]string{
		"two lengths":             "POST /people HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"a length with a sign":    "POST /people HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
		"an unknown encoding":     "POST /people HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"a space before a colon":  "POST /people HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello",
		"no host":                 "GET /people HTTP/1.1\r\n\r\n",
		"two hosts":               "GET /people HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"a header that continues": "GET /people HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := d.dial()
			if _, err := io.WriteString(conn, raw); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode < 400 || answer.StatusCode > 501 {
				t.Errorf("answered with %d", answer.StatusCode)
			}
		})
	}
}

// echo is a socket that says back what it hears, and ends when told to.
func echo(end <-chan struct{}) module.Module {
	upgrader := websocket.Upgrader{}
	return module.Module{Name: "echo", Classes: map[string]module.Class{"/live": module.Live}, Routes: func(mux module.Mux) {
		mux.Handle("GET /live", request.Handler(func(w http.ResponseWriter, r *http.Request) error {
			conn, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return nil // the upgrader has answered
			}
			go func() {
				<-end
				_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
				conn.Close()
			}()
			go func() {
				for {
					kind, text, err := conn.ReadMessage()
					if err != nil || conn.WriteMessage(kind, text) != nil {
						return
					}
				}
			}()
			return nil
		}))
	}}
}

func TestSocketsPassTheGuardAndOutliveTheServersTimes(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	d := openWith(t, edge.Config{Drain: func(context.Context) error { close(end); return nil }},
		func(s *edge.Server) { edge.Hurry(s, hurried) }, echo(end))
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	dial := func(origin string) (conn *websocket.Conn, answer *http.Response, err error) {
		eventually.Must(t, "an answer to a caller from "+origin, func() bool {
			conn, answer, err = dialer.Dial("wss://"+d.address+"/live", http.Header{"Origin": {origin}})
			return answer != nil
		})
		return conn, answer, err
	}
	_, refused, err := dial("https://evil.example")
	if err == nil || refused.StatusCode != http.StatusForbidden {
		t.Fatalf("a foreign page opened a socket: %v", err)
	}
	conn, answer, err := dial(d.https)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("answered with %d", answer.StatusCode)
	}
	began := time.Now()
	for time.Since(began) < 2*hurried {
		if err := conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, text, err := conn.ReadMessage(); err != nil || string(text) != "hello" {
			t.Fatalf("heard %q, %v", text, err)
		}
	}
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the socket ended with %v", err)
	}
}

func TestStoppingLosesNoRequest(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	drained := make(chan struct{})
	d := open(t, edge.Config{Drain: func(context.Context) error { close(drained); return nil }}, module.Module{Name: "slow", Routes: func(mux module.Mux) {
		mux.HandleFunc("POST /slow", func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-finish
			_, _ = io.WriteString(w, "done")
		})
	}})
	answered := make(chan string, 1)
	go func() {
		answer, err := d.client.Post(d.https+"/slow", "", nil)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		answered <- string(text)
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- d.stop() }()
	<-drained
	if answer := d.get(d.admin + "/readyz"); answer.StatusCode != 503 || answer.body != "not ready: stopping\n" {
		t.Errorf("while stopping: %d %q", answer.StatusCode, answer.body)
	}
	select {
	case err := <-stopped:
		t.Errorf("it stopped with a request open: %v", err)
	default:
	}
	close(finish)
	if text := <-answered; text != "done" {
		t.Errorf("the request got %q", text)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if conn, err := net.DialTimeout("tcp", d.address, time.Second); err == nil {
		conn.Close()
		t.Error("it still accepts connections")
	}
}
