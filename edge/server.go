// Package edge lets the world in: TLS, host names, headers, limits, errors, and the API's description.
//
// A Server takes modules and serves their routes, each behind the guard of its class. Nothing below imports this
// package: what a handler needs to know about its request it asks package request, and errors it hands to
// request.Fail. What is decided about a route (its headers, its largest body, its time, its rate, whether requests
// from other sites are refused) is in one table, profiles, and no handler can be registered past it.
package edge

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aver/base/clock"
	"aver/base/errs"
	"aver/edge/certificate"
	"aver/edge/idempotency"
	"aver/edge/limit"
	"aver/edge/reference"
	"aver/frame/module"
	"aver/frame/page"
	"aver/frame/trace"
	"aver/vault"
)

// Authenticator finds out who calls. A request without a credential is the zero Actor without an error; one with a
// credential that is not valid (any more) is errs.Unauthenticated.
type Authenticator interface {
	Authenticate(r *http.Request) (vault.Actor, error)
}

// DefaultAdmin is the address of the administration listener: this machine only (promise iso-4).
const DefaultAdmin = "127.0.0.1:9464"

// Config is what a Server needs. Only Certificates must be set.
type Config struct {
	Listen string // HTTPS, host:port; ":8443" when empty
	Plain  string // plain HTTP, which only redirects; none when empty
	Admin  string // metrics and profiles, plain HTTP; DefaultAdmin when empty

	// Hosts are the names this installation is reached by, as in its addresses: "chat.example", "localhost:8443". A
	// request for another host is refused. When empty every host is served, which suits trying out.
	Hosts []string
	// Proxies are our own proxies, whose X-Forwarded-For is believed.
	Proxies      []netip.Prefix
	Certificates *certificate.Source

	Authenticator Authenticator
	SessionCookie string            // its name, for the API's description
	Idempotency   idempotency.Store // without one the Idempotency-Key header is refused

	// ErrorPage draws an error for people, with the status p.Status; a plain page of the house when nil.
	ErrorPage func(w http.ResponseWriter, r *http.Request, p errs.Problem) error
	// View tells what pages show around their content. Path, RequestID, Theme and Flash are filled in.
	View func(r *http.Request) page.View
	// Elsewhere is the address of another region of which this installation knows, or empty.
	Elsewhere func(ctx context.Context, region string) (string, error)
	// Ready lists what must work before requests are welcome, by name.
	Ready map[string]func(context.Context) error
	// Drain ends what lives longer than a request (sockets) when the server stops. It may take until ctx ends.
	Drain func(ctx context.Context) error

	// Connected is told of every request, for the connection log. It must not block.
	Connected func(r *http.Request, class module.Class, actor vault.Actor)

	Quotas  map[module.Class]Quota // instead of the class's own
	Clock   clock.Clock            // the machine's when nil
	Log     *slog.Logger           // slog.Default() when nil
	Metrics []func(io.Writer)      // what others count, in Prometheus's text format
	Trace   trace.Start            // spans of requests; none when nil
}

// Server serves modules.
type Server struct {
	config Config
	log    *slog.Logger
	hosts  map[string]string // name without port → as configured
	mux    *http.ServeMux
	routes []Route

	api        huma.API
	operations *router // where api registers

	foreign  *http.CrossOriginProtection
	actors   map[module.Class]*limit.Table[actorKey]
	places   map[module.Class]*limit.Table[netip.Addr]
	failures *limit.Table[netip.Addr]
	metrics  *counted
	life     life
}

type actorKey struct {
	tenant [16]byte
	kind   vault.ActorKind
	id     [16]byte
}

// bucketsPerTable bounds memory: about 300 bytes each, two tables per class.
const bucketsPerTable = 20_000

// failedCredentials is how often an address may come with a credential that is not valid. It is generous, since
// guessing 256 random bits is hopeless anyway; it spares the database.
var failedCredentials = limit.Rate{Quota: 300, Window: 60e9}

// New makes a server with the edge's own routes: the API's description, health, reports of browsers, shared files.
func New(config Config) *Server {
	if config.Clock == nil {
		config.Clock = new(clock.System)
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.ErrorPage == nil {
		config.ErrorPage = reference.ErrorPage
	}
	s := &Server{
		config:   config,
		log:      config.Log,
		hosts:    make(map[string]string),
		mux:      http.NewServeMux(),
		foreign:  http.NewCrossOriginProtection(),
		actors:   make(map[module.Class]*limit.Table[actorKey]),
		places:   make(map[module.Class]*limit.Table[netip.Addr]),
		failures: limit.New[netip.Addr]("credentials", failedCredentials, bucketsPerTable, false, config.Clock),
		metrics:  newCounted(),
	}
	for _, host := range config.Hosts {
		s.hosts[hostname(host)] = strings.ToLower(host)
	}
	for class, p := range profiles {
		quota, special := config.Quotas[class]
		if !special {
			quota = p.quota
		}
		s.actors[class] = limit.New[actorKey](string(class), quota.Actor, bucketsPerTable, p.closed, config.Clock)
		s.places[class] = limit.New[netip.Addr](string(class), quota.Address, bucketsPerTable, p.closed, config.Clock)
	}
	s.addOwn()
	return s
}

// addOwn registers what belongs to no module.
func (s *Server) addOwn() {
	rt := &router{server: s, module: "edge", classes: map[string]module.Class{
		"/openapi.json": module.API, page.AssetsPath(): module.Asset, reference.AssetsPath(): module.Asset, "/healthz": module.Asset, "/readyz": module.Asset, "/favicon.ico": module.Asset,
	}}
	s.operations = &router{server: s}
	s.api = NewAPI(s.operations, s.config.SessionCookie)
	rt.Handle("GET /openapi.json", s.openapi())
	host := "chat.example"
	if len(s.config.Hosts) > 0 {
		host = s.config.Hosts[0]
	}
	reference.New(s.api.OpenAPI, host, kinds()).Routes(rt)
	rt.Handle("POST "+page.ReportPath, page.Reports(s.log))
	rt.Handle("GET "+page.AssetsPath(), page.Assets())
	rt.Handle("GET /favicon.ico", http.RedirectHandler(page.AssetsPath()+"mark.svg", http.StatusFound)) // of files, which name no icon
	rt.HandleFunc("POST /theme", page.SetTheme)
	rt.HandleFunc("GET /healthz", healthy)
	rt.HandleFunc("GET /readyz", s.ready)
}

// Add serves a module's operations and routes. Like http.ServeMux it panics on routes that conflict.
func (s *Server) Add(m module.Module) {
	rt := &router{server: s, module: m.Name, classes: m.Classes}
	if m.Routes != nil {
		m.Routes(rt)
	}
	if m.API != nil {
		s.operations.module, s.operations.classes = m.Name, m.Classes
		m.API(s.api)
	}
}

// API is the whole API, for its description.
func (s *Server) API() huma.API { return s.api }
