package edge

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"aver/base/errs"
	"aver/edge/idempotency"
	"aver/edge/limit"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/request"
	"aver/trust/canary/inside"
	"aver/vault"
)

// ServeHTTP answers a request: number, log and recovery first, then the host, then the route behind its guard.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	a := &answer{ResponseWriter: w}
	v := &visit{server: s, answer: a, class: module.Page, document: true}
	v.ID = "req_" + strings.ToLower(rand.Text())
	v.Client = clientAddress(r, s.config.Proxies)
	v.Fail = v.fail
	r = r.WithContext(request.With(context.WithValue(r.Context(), visitKey{}, v), &v.Info))

	h := w.Header()
	h.Set("X-Request-Id", v.ID)
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
	s.metrics.inFlight.Add(1)
	defer func() { // after recovery, so that a panic is counted as what was answered
		s.metrics.inFlight.Add(-1)
		s.record(r, v, time.Since(start))
	}()
	defer v.rescue(a, r)
	s.route(a, r, v)
}

// route finds the handler, or says why there is none.
func (s *Server) route(w http.ResponseWriter, r *http.Request, v *visit) {
	if !s.serves(r) {
		v.fail(w, r, errs.New(errs.Misdirected, "This address is not served here."))
		return
	}
	handler, pattern := s.mux.Handler(r)
	if _, ours := handler.(*guarded); ours {
		s.mux.ServeHTTP(w, r)
		return
	}
	if pattern != "" { // the mux sends the caller to the proper spelling of a path we have
		closedHeaders(w.Header())
		s.mux.ServeHTTP(w, r)
		return
	}
	v.class = classOf(r.URL.Path, nil)
	v.document = profiles[v.class].document
	// The mux answers 404, or 405 with the methods that would do; both become errors like any other.
	said := &silent{header: http.Header{}}
	handler.ServeHTTP(said, r)
	if said.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", said.header.Get("Allow"))
		v.fail(w, r, errs.New(MethodNotAllowed, "Here one can "+said.header.Get("Allow")+"."))
		return
	}
	v.fail(w, r, errs.New(errs.NotFound, "There is nothing at this address."))
}

// silent takes an answer that nobody gets.
type silent struct {
	header http.Header
	status int
}

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) Write(b []byte) (int, error) { return len(b), nil }
func (s *silent) WriteHeader(status int)      { s.status = status }

// serves tells whether the request is for a host of ours. Health is asked by address.
func (s *Server) serves(r *http.Request) bool {
	if len(s.hosts) == 0 || r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
		return true
	}
	_, ours := s.hosts[hostname(r.Host)]
	return ours
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// guarded is a route behind what its class asks for.
type guarded struct {
	server *Server
	route  Route
	next   http.Handler
}

func (s *Server) guard(route Route, next http.Handler) http.Handler {
	if strings.HasPrefix(route.Pattern, http.MethodPost+" /v1/") {
		next = s.once(next)
	}
	return &guarded{s, route, next}
}

// ServeHTTP lets a request in, or answers with the reason why not.
func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, v := profiles[g.route.Class], visitFrom(r.Context())
	v.route, v.class, v.document = g.route.Pattern, g.route.Class, p.document
	p.headers(w.Header())
	if start := g.server.config.Trace; start != nil {
		ctx, end := start(r.Context(), g.route.Pattern)
		defer func() { end(v.answer.status) }()
		r = r.WithContext(ctx)
	}
	r.Body = body{http.MaxBytesReader(v.answer.ResponseWriter, r.Body, p.body)} // net/http's own writer, to close the connection
	if err := g.server.admit(w, r, v, p); err != nil {
		v.fail(w, r, err)
		return
	}
	if p.document {
		r = r.WithContext(page.With(r.Context(), g.server.view(w, r, v)))
	}
	g.next.ServeHTTP(w, r)
}

// once honours the Idempotency-Key.
func (s *Server) once(next http.Handler) http.Handler {
	if s.config.Idempotency != nil {
		return idempotency.Handler(s.config.Idempotency, s.log, next)
	}
	return request.Handler(func(w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get(idempotency.Header) != "" {
			return errs.New(errs.Invalid, "This installation keeps no Idempotency-Key. Nothing was changed.")
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// admit decides whether the request may reach its handler.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, v *visit, p profile) error {
	if err := extend(w, p); err != nil {
		return err
	}
	if err := s.sameSite(r, p); err != nil {
		s.metrics.refused("origin")
		return err
	}
	if p.signsIn {
		if err := s.identify(w, r, v, p); err != nil {
			return err
		}
	}
	return s.withinQuota(w, v, p)
}

// extend gives slow classes their time.
func extend(w http.ResponseWriter, p profile) error {
	c := http.NewResponseController(w)
	if p.read > 0 {
		if err := c.SetReadDeadline(time.Now().Add(p.read)); err != nil {
			return fmt.Errorf("extend the time to read: %w", err)
		}
	}
	if p.write > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(p.write)); err != nil {
			return fmt.Errorf("extend the time to write: %w", err)
		}
	}
	return nil
}

// sameSite refuses what another site's page made the browser send (OWASP ASVS 5.0 V3.5.1). A request with a Bearer
// token was not made by a browser on its own. The check passes every GET, so sockets get one of their own.
func (s *Server) sameSite(r *http.Request, p profile) error {
	if p.needOrigin {
		origin, err := url.Parse(r.Header.Get("Origin"))
		if err != nil || origin.Scheme != "https" || !strings.EqualFold(origin.Host, r.Host) || len(r.Header.Values("Origin")) != 1 {
			return errs.New(errs.Forbidden, "A connection like this can only be opened by a page of this installation.")
		}
	}
	if p.fromOthers || strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		return nil
	}
	if err := s.foreign.Check(r); err != nil {
		return errs.New(errs.Forbidden, "This request was sent by a page of another site. Nothing was changed.").Because(err)
	}
	return nil
}

// identify finds out who calls. Beside the API a credential that is not valid makes the caller nobody rather than
// failing: somebody with a stale session must be able to sign in again, and a visitor's token is not ours to read.
func (s *Server) identify(w http.ResponseWriter, r *http.Request, v *visit, p profile) error {
	if s.config.Authenticator == nil || r.Header.Get("Authorization") == "" && r.Header.Get("Cookie") == "" {
		return nil
	}
	place := Neighbourhood(v.Client)
	if d := s.failures.Peek(place); !d.OK {
		return s.tooMany(w, d)
	}
	actor, err := s.config.Authenticator.Authenticate(r)
	if err == nil {
		v.Actor = actor
		return nil
	}
	if !errs.Is(err, errs.Unauthenticated) {
		return err
	}
	if !p.strict {
		return nil
	}
	s.failures.Take(place)
	return err
}

// withinQuota counts the request for its caller, or for the place it comes from.
func (s *Server) withinQuota(w http.ResponseWriter, v *visit, p profile) error {
	var d limit.Decision
	if v.Actor.Kind() == vault.Nobody || p.closed {
		d = s.places[v.class].Take(Neighbourhood(v.Client))
	} else {
		d = s.actors[v.class].Take(actorKey{tenant: v.Actor.Tenant(), kind: v.Actor.Kind(), id: v.Actor.ID()})
	}
	if !d.OK {
		return s.tooMany(w, d)
	}
	d.Write(w.Header())
	return nil
}

func (s *Server) tooMany(w http.ResponseWriter, d limit.Decision) error {
	s.metrics.refused("rate")
	d.Write(w.Header())
	err := errs.New(errs.TooMany, "There were too many requests. Nothing was changed.")
	err.RetryAfter = d.Seconds()
	return err
}

// view is what pages show around their content. The sentence a form left is taken by the next whole page.
func (s *Server) view(w http.ResponseWriter, r *http.Request, v *visit) page.View {
	var view page.View
	if s.config.View != nil {
		view = s.config.View(r)
	}
	view.Path, view.RequestID, view.Theme = r.URL.Path, v.ID, page.ThemeOf(r)
	if r.Method == http.MethodGet && !page.Fragment(r) {
		view.Flash = page.TakeFlash(w, r)
	}
	return view
}

// rescue turns a panic into an answer. The panic's value may hold anything, so only its type is logged, unless the
// runtime itself wrote it; of the stack only places in the program.
func (v *visit) rescue(w http.ResponseWriter, r *http.Request) {
	value := recover()
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler {
		panic(value)
	}
	what := fmt.Sprintf("%T", value)
	if err, ok := value.(runtime.Error); ok {
		what = err.Error()
	}
	v.server.metrics.refused("panic")
	v.server.log.ErrorContext(r.Context(), "a handler panicked", "request_id", v.ID, "route", v.route, "panic", what, "stack", stack())
	if v.written() {
		panic(http.ErrAbortHandler)
	}
	v.fail(w, r, errs.New(errs.Internal, ""))
}

// stack lists functions and lines from the panic outwards.
func stack() []string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)]) // without Callers, stack, recover and panic
	var places []string
	for {
		f, more := frames.Next()
		places = append(places, fmt.Sprintf("%s:%d", f.Function, f.Line))
		if !more {
			return places
		}
	}
}

// record writes the access log and the metrics. The route is a pattern: no identifier, query, address or body. What the
// installation asks itself, all the time, is in neither.
func (s *Server) record(r *http.Request, v *visit, took time.Duration) {
	status := v.answer.status
	if status == 0 {
		status = http.StatusOK
	}
	if inside.Came(r.Context()) {
		return
	}
	s.metrics.observe(v.route, r.Method, status, took)
	if s.config.Connected != nil {
		s.config.Connected(r, v.class, v.Actor)
	}
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("request_id", v.ID), slog.String("method", methodName(r.Method)), slog.String("route", v.route), slog.Int("status", status), slog.Duration("took", took))
}

// methodName keeps words that callers invent out of logs and metrics.
func methodName(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
