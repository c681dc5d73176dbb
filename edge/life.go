package edge

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a stopping server waits for requests and sockets to end.
const patience = 25 * time.Second

// life is what a server has while it runs.
type life struct {
	stopping atomic.Bool
	servers  []*http.Server
	sockets  []net.Listener
}

// Listen opens the addresses, so that a taken port is known before anything else is started.
func (s *Server) Listen() error {
	if s.config.Certificates == nil {
		return errors.New("no certificates are set: nothing is served without TLS")
	}
	limits := func(h http.Handler) *http.Server {
		return &http.Server{
			Handler:           h,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       25 * time.Second, // less than WriteTimeout, or nobody could be told that it was too slow
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       60 * time.Second,
			MaxHeaderBytes:    16 << 10,
			HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 100},
			ErrorLog:          log.New(quiet{s.log}, "", 0),
		}
	}
	main, admin := limits(s), limits(s.admin())
	main.TLSConfig = TLSConfig(s.config.Certificates)
	admin.WriteTimeout = 3 * time.Minute // a profile takes as long as it was asked for
	if err := s.open(main, cmp.Or(s.config.Listen, ":8443")); err != nil {
		return err
	}
	if err := s.open(admin, cmp.Or(s.config.Admin, DefaultAdmin)); err != nil {
		return err
	}
	if s.config.Plain == "" {
		return nil
	}
	return s.open(limits(s.config.Certificates.Challenge(http.HandlerFunc(s.redirect))), s.config.Plain)
}

func (s *Server) open(server *http.Server, address string) error {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		for _, opened := range s.life.sockets {
			opened.Close()
		}
		return fmt.Errorf("listen: %w", err)
	}
	if server.TLSConfig != nil {
		socket = tls.NewListener(socket, server.TLSConfig)
	}
	s.life.servers, s.life.sockets = append(s.life.servers, server), append(s.life.sockets, socket)
	return nil
}

// Addresses tells where the server listens: HTTPS, administration, and plain HTTP or nil. Before Listen all are nil.
func (s *Server) Addresses() (https, admin, plain net.Addr) {
	if len(s.life.sockets) < 2 {
		return nil, nil, nil
	}
	https, admin = s.life.sockets[0].Addr(), s.life.sockets[1].Addr()
	if len(s.life.sockets) > 2 {
		plain = s.life.sockets[2].Addr()
	}
	return https, admin, plain
}

// Serve answers requests until ctx ends, then stops without losing any: it takes no new connections, says it is not
// ready, ends the sockets, waits for the requests that run, and closes. Call Listen first.
func (s *Server) Serve(ctx context.Context) error {
	ended := make(chan error, len(s.life.servers))
	for i, server := range s.life.servers {
		go func() { ended <- server.Serve(s.life.sockets[i]) }()
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-ended: // one listener died: stop them all
	}
	return errors.Join(failed, s.stop())
}

func (s *Server) stop() error {
	s.life.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	main, admin, others := s.life.servers[0], s.life.servers[1], s.life.servers[2:]
	var work sync.WaitGroup
	faults := make([]error, len(others)+2)
	for i, server := range append([]*http.Server{main}, others...) { // readiness stays visible on admin until the end
		work.Go(func() { faults[i] = server.Shutdown(ctx) })
	}
	if s.config.Drain != nil {
		work.Go(func() { faults[len(faults)-1] = s.config.Drain(ctx) })
	}
	work.Wait()
	_ = main.Close() // whoever did not end in time
	_ = admin.Close()
	return errors.Join(faults...)
}

// redirect sends plain HTTP to HTTPS (promise enc-4). No part of the application is reached, and the target is a host
// of ours whatever the request's Host says.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request) {
	host, known := s.hosts[hostname(r.Host)]
	if !known {
		host = s.fallbackHost(r)
	}
	target := url.URL{Scheme: "https", Host: host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Connection", "close")
	w.Header().Set("Location", target.String())
	w.WriteHeader(http.StatusPermanentRedirect)
}

// fallbackHost is the first configured host, or, where none is, the request's own with the port we listen on.
func (s *Server) fallbackHost(r *http.Request) string {
	if len(s.config.Hosts) > 0 {
		return s.config.Hosts[0]
	}
	name := hostname(r.Host)
	_, port, err := net.SplitHostPort(s.life.sockets[0].Addr().String())
	if err != nil || port == "443" {
		return name
	}
	return net.JoinHostPort(name, port)
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "alive\n")
}

// ready says whether requests are welcome, and names the parts that are not ready without saying why.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	var lacking []string
	if s.life.stopping.Load() {
		lacking = append(lacking, "stopping")
	}
	for _, name := range slices.Sorted(maps.Keys(s.config.Ready)) {
		if err := s.config.Ready[name](ctx); err != nil {
			lacking = append(lacking, name)
			s.log.WarnContext(ctx, "a part is not ready", "part", name, "error", err)
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(lacking) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "not ready: "+strings.Join(lacking, ", ")+"\n")
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// quiet takes what net/http logs about connections and leaves out addresses, which are personal data.
type quiet struct{ log *slog.Logger }

var addresses = regexp.MustCompile(`(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:.]+(%[^\]]*)?\])(:\d+)?`)

func (q quiet) Write(line []byte) (int, error) {
	q.log.Debug("connection", "error", addresses.ReplaceAllString(strings.TrimSpace(string(line)), "(address)"))
	return len(line), nil
}
