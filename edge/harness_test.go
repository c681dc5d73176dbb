package edge_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/clock"
	"aver/base/errs"
	"aver/base/ids"
	"aver/edge"
	"aver/edge/certificate"
	"aver/frame/module"
	"aver/vault"
)

var certificates = sync.OnceValues(func() (*certificate.Source, error) {
	folder, err := os.MkdirTemp("", "aver-edge-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) // the source keeps the pair in memory
	return certificate.SelfSigned(folder, nil, new(clock.System))
})

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// door is a running server and a browser-like client in front of it.
type door struct {
	t       *testing.T
	server  *edge.Server
	https   string // https://127.0.0.1:port
	admin   string
	plain   string
	address string
	log     *journal
	client  *http.Client
	stop    func() error
}

// hurried makes the server of a test lose its patience soon.
const hurried = 300 * time.Millisecond

// open runs a server with the modules on free ports until the test ends.
func open(t *testing.T, config edge.Config, modules ...module.Module) *door {
	t.Helper()
	return openWith(t, config, func(*edge.Server) {}, modules...)
}

func openWith(t *testing.T, config edge.Config, prepare func(*edge.Server), modules ...module.Module) *door {
	t.Helper()
	source, err := certificates()
	if err != nil {
		t.Fatal(err)
	}
	d := &door{t: t, log: &journal{}}
	config.Listen, config.Admin, config.Plain = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	config.Certificates = source
	config.Log = slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d.server = edge.New(config)
	for _, m := range modules {
		d.server.Add(m)
	}
	if err := d.server.Listen(); err != nil {
		t.Fatal(err)
	}
	prepare(d.server)
	https, admin, plain := d.server.Addresses()
	d.address = https.String()
	d.https, d.admin, d.plain = "https://"+https.String(), "http://"+admin.String(), "http://"+plain.String()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	d.client = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- d.server.Serve(ctx) }()
	d.stop = sync.OnceValue(func() error {
		cancel()
		return <-served
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := d.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return d
}

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body string
}

// problem reads the answer as RFC 9457.
func (r reply) problem(t *testing.T) errs.Problem {
	t.Helper()
	var p errs.Problem
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("status %d, %s, is no problem: %q", r.StatusCode, r.Header.Get("Content-Type"), r.body)
	}
	if p.Status != r.StatusCode || p.RequestID == "" || p.RequestID != r.Header.Get("X-Request-Id") || p.Title == "" || p.Type != "/problems/"+string(p.Code) {
		t.Errorf("status %d, id %q, but %+v", r.StatusCode, r.Header.Get("X-Request-Id"), p)
	}
	return p
}

// send makes a request; headers come in pairs.
func (d *door) send(method, path, body string, headers ...string) reply {
	d.t.Helper()
	url := path
	if strings.HasPrefix(path, "/") {
		url = d.https + path
	}
	r, err := http.NewRequestWithContext(d.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	answer, err := d.client.Do(r)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{answer, string(text)}
}

func (d *door) get(path string, headers ...string) reply {
	d.t.Helper()
	return d.send(http.MethodGet, path, "", headers...)
}

// keys knows API keys and sessions by name.
type keys map[string]vault.Actor

func (k keys) Authenticate(r *http.Request) (vault.Actor, error) {
	name, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		cookie, err := r.Cookie("__Host-session")
		if err != nil {
			return vault.Actor{}, nil
		}
		name = cookie.Value
	}
	if name == "broken" {
		return vault.Actor{}, errors.New("the database is away, says kowal@example.com")
	}
	if actor, known := k[name]; known {
		return actor, nil
	}
	return vault.Actor{}, errs.New(errs.Unauthenticated, "This key is not valid.")
}

var someTime = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func key(scopes ...string) vault.Actor {
	return vault.Mint(vault.Identity{Tenant: ids.NewTenant(someTime), Kind: vault.AsKey, ID: ids.NewCredential(someTime), Scopes: scopes})
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}
