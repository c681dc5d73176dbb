// Package relay carries requests and sockets of people who are far away to the region that is the home of the workspace
// they want, so that they shake hands nearby and the long way is a connection that is open already.
//
// It has no vault and stores nothing but a log of connections: when, from which address, with which browser, on which
// site. Bodies, addresses of pages and tokens pass through memory alone. Whose region it is, a relay reads off the
// request's head (a token names its workspace, an address of the widget does) or, of the form by which people sign in, off
// its field, and asks the regions, before a byte of a body goes anywhere: what a visitor writes, or a password, reaches no
// region but the right one, and neither does a session.
//
// The regions believe a relay's X-Forwarded-For if it is one of their proxies (aver serve --proxy), and serve a relay's
// host name if it is one of theirs (--host). Whoever needs no relay leaves it out: nothing else changes.
package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"aver/base/clock"
	"aver/base/errs"
	"aver/edge"
	"aver/edge/certificate"
	"aver/edge/limit"
	"aver/frame/page"
)

// Purpose is what a relay calls out for.
const Purpose = "relay"

// Region is a place where workspaces are at home.
type Region struct {
	Name string   // as its installation is named: eu
	URL  *url.URL // https and a host that the installation serves
}

// Config is what a relay is made of. Regions and Carrier must be set; Listen and Certificates for Serve.
type Config struct {
	Listen       string
	Certificates *certificate.Source
	Regions      []Region          // the first is asked for what belongs to no workspace, such as the widget's script
	Carrier      http.RoundTripper // the way out, of egress.Door
	Folder       string            // of the connection log
	Keep         time.Duration     // how long a line of it stays; DefaultKeep if zero, MostKeep at most
	Clock        clock.Clock       // the machine's if nil
	Log          *slog.Logger      // of the relay's own faults; never of people. slog.Default() if nil
}

const (
	perMinute   = 6000            // requests of one address; the regions have limits of their own
	connections = 200             // of one address at a time
	crowded     = 20_000          // connections of all
	largest     = 33 << 20        // bytes of a body; the regions' largest is a file
	longest     = 5 * time.Minute // for sending all of it
)

// Relay is an http.Handler; Serve puts a listener before it.
type Relay struct {
	config Config
	homes  *homes
	seen   *journal
	places *limit.Table[netip.Addr]
	proxy  *httputil.ReverseProxy
	pause  time.Duration // at most, between two parts of what somebody sends or reads
}

// New makes a relay and opens its log.
func New(c Config) (*Relay, error) {
	if len(c.Regions) == 0 || c.Carrier == nil {
		return nil, errors.New("a relay needs a region and a way to it")
	}
	if c.Clock == nil {
		c.Clock = &clock.System{}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	seen, err := openJournal(c.Folder, c.Keep, c.Clock)
	if err != nil {
		return nil, err
	}
	r := &Relay{config: c, seen: seen, pause: 25 * time.Second, homes: newHomes(c.Regions, c.Carrier, c.Clock),
		places: limit.New[netip.Addr]("relay", limit.Rate{Quota: perMinute, Window: time.Minute}, crowded, false, c.Clock)}
	r.proxy = &httputil.ReverseProxy{Rewrite: rewrite, Transport: r.homes, ErrorHandler: r.fail, ErrorLog: log.New(io.Discard, "", 0)} // what it would say holds addresses
	return r, nil
}

// Close closes the log.
func (r *Relay) Close() error { return r.seen.close() }

// Serve listens and carries until ctx ends. ready is told the address.
func (r *Relay) Serve(ctx context.Context, ready func(net.Addr)) error {
	socket, err := net.Listen("tcp", r.config.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), r.Close())
	}
	server := &http.Server{
		Handler: r, TLSConfig: edge.TLSConfig(r.config.Certificates), ConnContext: r.seen.connected,
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 100}, ErrorLog: log.New(io.Discard, "", 0),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(newCrowd(socket, connections), "", "") }()
	if ready != nil {
		ready(socket.Addr())
	}
	sweep := time.NewTicker(time.Hour)
	defer sweep.Stop()
	for {
		select {
		case <-sweep.C:
			r.noted(ctx, r.seen.sweep())
		case err := <-ended:
			return errors.Join(err, r.Close())
		case <-ctx.Done():
			soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_ = server.Shutdown(soon) // whoever is not done by then comes back, to whichever relay is there
			return errors.Join(server.Close(), r.Close())
		}
	}
}

// noted says that the log of connections could not be kept. People are carried all the same.
func (r *Relay) noted(ctx context.Context, err error) {
	if err != nil {
		r.config.Log.ErrorContext(ctx, "keep the connection log", "error", err)
	}
}

// ServeHTTP carries one request, or a socket until it ends.
func (r *Relay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	from := peer(q)
	r.noted(q.Context(), r.seen.note(q, from))
	if d := r.places.Take(edge.Neighbourhood(from)); !d.OK {
		err := errs.New(errs.TooMany, "There were too many requests. Nothing was changed.")
		err.RetryAfter = d.Seconds()
		answer(w, q, errs.AsProblem(err))
		return
	}
	switch {
	case q.URL.Path == "/healthz":
		_, _ = io.WriteString(w, "alive\n")
	case q.URL.Path == "/readyz":
		r.ready(w, q)
	case strings.HasPrefix(q.URL.Path, page.AssetsPath()): // the same bytes everywhere: the address holds their hash
		page.Assets().ServeHTTP(w, q)
	default:
		r.carry(w, q, from)
	}
}

func (r *Relay) carry(w http.ResponseWriter, q *http.Request, from netip.Addr) {
	control := http.NewResponseController(w)
	if q.Body != http.NoBody {
		q.Body = http.MaxBytesReader(w, &patient{q.Body, control, r.pause, time.Now().Add(longest)}, largest)
	}
	name, err := inForm(q)
	if err != nil {
		r.fail(w, q, err)
		return
	}
	name = cmp.Or(name, nameOf(q))
	home, err := r.homes.find(q.Context(), name, from)
	if err != nil {
		r.fail(w, q, err)
		return
	}
	r.proxy.ServeHTTP(&steady{w, control, r.pause}, q.WithContext(context.WithValue(q.Context(), journeyKey{}, journey{name, home, from})))
}

// journey is where a request goes, and from where it came.
type journey struct {
	name string
	home Region
	from netip.Addr
}

type journeyKey struct{}

// rewrite says where a request goes and whom it is from. ReverseProxy has taken out what belongs to one connection alone,
// and what others said about who stands before them.
func rewrite(p *httputil.ProxyRequest) {
	to, _ := p.In.Context().Value(journeyKey{}).(journey)
	p.Out.URL.Scheme, p.Out.URL.Host = to.home.URL.Scheme, to.home.URL.Host
	p.Out.Host = p.In.Host // cookies, origins and links are the relay's
	p.Out.Header.Set("X-Forwarded-For", to.from.String())
}

// fail answers when a region cannot be reached or nobody knows the workspace.
func (r *Relay) fail(w http.ResponseWriter, q *http.Request, err error) {
	if q.Context().Err() != nil {
		return // whoever asked has gone
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		err = errs.New(errs.TooLarge, "This is larger than a relay carries. Nothing was changed.")
	case !errs.Is(err, errs.NotFound) && !errors.Is(err, errForm):
		away := errs.New(errs.Away, "The region that keeps this workspace cannot be reached from here just now.")
		away.RetryAfter = 5
		err = away
	}
	answer(w, q, errs.AsProblem(err))
}

// ready says whether every region answers, and names those that do not.
func (r *Relay) ready(w http.ResponseWriter, q *http.Request) {
	away := r.homes.away(q.Context())
	if len(away) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "not reached: "+strings.Join(away, ", ")+"\n")
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// peer is the address of whoever opened the connection; nothing stands before a relay.
func peer(q *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(q.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}
