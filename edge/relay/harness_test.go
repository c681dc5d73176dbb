package relay_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/clock"
	"aver/edge"
	"aver/edge/certificate"
	"aver/edge/relay"
	"aver/frame/egress"
	"aver/trust/residency"
)

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// region is a stand-in for an installation: it says which workspaces it has, and notes what reaches it.
type region struct {
	name   string
	homes  []string          // as people name them
	others map[string]string // where others are
	handle http.HandlerFunc  // instead of an echo
	server *httptest.Server

	mu   sync.Mutex
	seen []string // method, path and body of all but the questions
	asks int
}

func newRegion(t *testing.T, name string, homes ...string) *region {
	t.Helper()
	r := &region{name: name, homes: homes, others: map[string]string{}}
	r.server = httptest.NewUnstartedServer(r)
	r.server.EnableHTTP2 = true
	r.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	r.server.StartTLS()
	t.Cleanup(r.server.Close)
	return r
}

func (r *region) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.URL.Path == residency.WellKnown {
		r.tell(w, q.URL.Query().Get("w"))
		return
	}
	body := ""
	if r.handle == nil {
		all, _ := io.ReadAll(q.Body)
		body = string(all)
	}
	r.mu.Lock()
	r.seen = append(r.seen, strings.TrimSpace(q.Method+" "+q.URL.RequestURI()+" "+body))
	r.mu.Unlock()
	if r.handle != nil {
		r.handle(w, q)
		return
	}
	w.Header().Set("X-Region", r.name)
	fmt.Fprintf(w, "%s %s", r.name, body)
}

func (r *region) tell(w http.ResponseWriter, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asks++
	switch {
	case slices.Contains(r.homes, name):
		_ = json.NewEncoder(w).Encode(map[string]string{"region": r.name})
	case r.others[name] != "":
		w.Header().Set(edge.RegionHeader, r.others[name])
		w.WriteHeader(http.StatusMisdirectedRequest)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (r *region) visits() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// carried is a relay that runs, and a browser-like client before it.
type carried struct {
	t       *testing.T
	relay   *relay.Relay
	clock   *clock.Manual
	folder  string
	address string
	client  *http.Client
}

var certificates = sync.OnceValues(func() (*certificate.Source, error) {
	folder, err := tempFolder()
	if err != nil {
		return nil, err
	}
	return certificate.SelfSigned(folder, []string{"127.0.0.1"}, new(clock.System))
})

// between runs a relay before the regions until the test ends.
func between(t *testing.T, regions ...*region) *carried {
	t.Helper()
	return trusting(t, regions, regions...)
}

// trusting runs a relay that believes the certificates of some of its regions.
func trusting(t *testing.T, trusted []*region, regions ...*region) *carried {
	t.Helper()
	c := &carried{t: t, clock: clock.At(start), folder: t.TempDir()}
	door := &egress.Door{Roots: x509.NewCertPool(), Register: func(_ context.Context, purpose, host string) (egress.Entry, bool) {
		return egress.Entry{Grade: egress.Own}, purpose == relay.Purpose && host == "127.0.0.1"
	}}
	config := relay.Config{Listen: "127.0.0.1:0", Carrier: door.Carrier(relay.Purpose), Folder: c.folder, Clock: c.clock, Log: slog.New(slog.DiscardHandler)}
	for _, r := range regions {
		u, err := url.Parse(r.server.URL)
		must(t, err)
		config.Regions = append(config.Regions, relay.Region{Name: r.name, URL: u})
		if slices.Contains(trusted, r) {
			door.Roots.AddCert(r.server.Certificate())
		}
	}
	var err error
	config.Certificates, err = certificates()
	must(t, err)
	c.relay, err = relay.New(config)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() { ended <- c.relay.Serve(ctx, func(at net.Addr) { ready <- at }) }()
	c.address = (<-ready).String()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	c.client = &http.Client{Transport: transport, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		<-ended // cut sockets are no fault
	})
	return c
}

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body string
}

func (c *carried) send(method, path, body string, headers ...string) reply {
	c.t.Helper()
	q, err := http.NewRequestWithContext(c.t.Context(), method, "https://"+c.address+path, strings.NewReader(body))
	must(c.t, err)
	for i := 0; i < len(headers); i += 2 {
		q.Header.Add(headers[i], headers[i+1])
	}
	a, err := c.client.Do(q)
	must(c.t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	must(c.t, err)
	return reply{a, string(text)}
}

// raw opens a connection on which a test writes what no client would.
func (c *carried) raw() net.Conn {
	c.t.Helper()
	conn, err := tls.Dial("tcp", c.address, &tls.Config{InsecureSkipVerify: true})
	must(c.t, err)
	c.t.Cleanup(func() { conn.Close() })
	return conn
}

// says writes text on a connection of its own and reads the answer to it.
func (c *carried) says(text string) (*http.Response, error) {
	c.t.Helper()
	conn := c.raw()
	must(c.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err := io.WriteString(conn, text)
	must(c.t, err)
	return http.ReadResponse(bufio.NewReader(conn), nil)
}
