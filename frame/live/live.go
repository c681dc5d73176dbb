// Package live carries news to open browsers, over WebSockets and, where those do not get through, over server-sent
// events and POST. It knows who listens to which channel and nothing about what the messages mean.
//
// A module brings a Handler: how to find out who is there, and what they may ask. It subscribes sessions to channels
// it has checked, and publishes after commit. The database is the truth: a hub remembers nothing, a slow reader is cut
// and never waited for, and whoever may have missed something is sent back to ask the module again.
//
// The wire, subprotocol aver.v1, JSON text frames of at most 64 KB:
//
//	→ {"id":1,"op":"send","text":"…"}                  requests of one socket are carried out in order
//	← {"id":1,"ok":{…}}  or  {"id":1,"error":{…}}      the error is an errs.Problem
//	← {"push":"message","channel":"cnv_…","epoch":"…","offset":17,"data":{…}}
package live

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/strictjson"
	"aver/frame/live/wire"
)

// Subprotocol is what a client must offer in Sec-WebSocket-Protocol.
const Subprotocol = "aver.v1"

// MaxFrame is the largest frame in bytes, either way. A longer request ends the socket; a longer reply or push is an
// error of the module, which should send less at a time.
const MaxFrame = wire.Max

// Close codes. After 3000–3499 a client comes back with back-off; 3500 and above are final.
const (
	CloseTryAgain  = 3000 // something that is needed was away
	CloseLeaving   = 3001 // this process is shutting down; the reason is "retry=" and milliseconds to wait
	CloseNoHello   = 3002 // no hello in time
	CloseSlow      = 3008 // did not read fast enough
	CloseMissed    = 3010 // may have missed something: ask again from the last known offset
	CloseNoPong    = 3012 // did not answer pings, or left a message half sent
	CloseTooMany   = 3013 // too many messages or sockets
	CloseBadToken  = 3500 // the token is not, or no longer, good
	CloseRevoked   = 3501 // the person was erased or the account disabled
	CloseViolation = 3502 // broke the protocol
)

// Who is somebody authentication has named; vault.Actor is one. Tenant is the only source of a topic's tenant: no
// request can name another.
type Who interface{ Tenant() ids.Tenant }

// Topic is what one listens to: a channel of one tenant. Two tenants' channels of the same name are different topics.
type Topic struct {
	Tenant  ids.Tenant
	Channel string
}

// Push is one piece of news.
type Push struct {
	Kind   string // what it is: message, typing, …
	Epoch  string // with Offset, for news that can be recovered; else empty
	Offset int64  // of this news in its channel, from 1; else 0
	N      int64  // tells other processes which one to Fetch; Offset if 0
	Data   any    // marshalled once, and only if somebody listens
}

// Op carries out a request. The args are the request's members but for id and op, as one JSON object. The result is
// marshalled into "ok" (nil as {}); an error without a meaning of errs is shown as internal.
type Op func(ctx context.Context, s *Session, args json.RawMessage) (any, error)

// Typed makes an Op of a function with a struct of arguments, which are decoded strictly.
func Typed[A any](op func(ctx context.Context, s *Session, args A) (any, error)) Op {
	return func(ctx context.Context, s *Session, raw json.RawMessage) (any, error) {
		if s == nil {
			return reflect.TypeFor[A](), nil // Arguments asks; a request always has a session
		}
		var args A
		if err := strictjson.Decode(raw, &args, strictjson.MaxDepth); err != nil {
			return nil, err
		}
		return op(ctx, s, args)
	}
}

// Arguments is the type of a Typed operation's arguments, for whoever describes or attacks it; nil for another Op.
func Arguments(op Op) (args reflect.Type) {
	defer func() {
		if recover() != nil { // an Op of another making needs its session
			args = nil
		}
	}()
	described, _ := op(context.Background(), nil, nil)
	args, _ = described.(reflect.Type)
	return args
}

// Caller is what is known of a browser before anybody is named.
type Caller struct {
	Address   netip.Addr
	Origin    string // as sent, or empty
	UserAgent string // as sent, or empty
	OptsOut   bool   // the browser sent Global Privacy Control
}

// Handler is what a module brings. Exactly one of Cookie and Token is set.
type Handler struct {
	// Cookie names who asks for a socket by the request's session cookie. Browsers send cookies along with requests of
	// foreign pages, so such a socket must come from a page of this very host whatever Origins says. It is called twice,
	// before the handshake for a proper refusal and after it, as Token may be.
	Cookie func(r *http.Request) (Who, error)

	// Token names who has a bearer token: the member "token" of the op hello, which must be a socket's first frame, or
	// the Authorization header of Events and Send. It may be called again when somebody is dismissed meanwhile.
	Token func(ctx context.Context, token string, from Caller) (Who, error)

	// Again says who somebody is by now whom Cookie or Token named a while ago. It is asked every few minutes, so that no
	// connection outlives what it was opened with; an error that says so ends it. nil if that cannot end.
	Again func(ctx context.Context, who Who) (Who, error)

	// Origins tells whether a page of the request's origin may open a socket; nil is SameOrigin.
	Origins func(r *http.Request) bool

	// Channels lists what a session listens to from its beginning, such as its own person's channel; may be nil. Dismiss
	// reaches sessions by these.
	Channels func(who Who) []string

	// Ops are the requests by name. The op hello, if there is one, answers the first frame of a Token socket; the op ping
	// answers {} unless it is given.
	Ops map[string]Op

	// Stream begins an event stream: it subscribes the session to what the query asks for and returns the first event.
	Stream func(ctx context.Context, s *Session, query url.Values) (any, error)

	// Rate is how much one socket may ask.
	Rate Rate
}

// Rate is a token bucket. Above it requests are refused with too-many; who goes on asking is cut.
type Rate struct {
	Burst     int // requests at once; 100 if 0
	PerMinute int // requests in the long run; 100 if 0 (OWASP's start for WebSockets)
}

// SameOrigin admits a request whose Origin is the host it asks, and refuses a missing one: programs that send none
// have other ways in, and a browser always sends it with a socket.
func SameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return false
	}
	u, err := url.Parse(origins[0])
	if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	if u.Scheme != "https" && (u.Scheme != "http" || r.TLS != nil) {
		return false
	}
	return u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// AnyOrigin admits every page. It is safe for Token sockets only: a foreign page can open one, but nothing the browser
// sends by itself proves anything, and a page that has the token does not need the socket to misuse it.
func AnyOrigin(*http.Request) bool { return true }

func (h *Handler) admits(r *http.Request) bool {
	if h.Cookie != nil || h.Origins == nil {
		return SameOrigin(r)
	}
	return h.Origins(r)
}

var (
	errLeaving  = retryAfter(errs.New(errs.Unavailable, "This server is about to restart."), 2)
	errFull     = retryAfter(errs.New(errs.Unavailable, "Too many connections are open."), 5)
	errCrowd    = retryAfter(errs.New(errs.TooMany, "Too many connections are open from one place."), 10)
	errFlood    = retryAfter(errs.New(errs.TooMany, "Too many requests on this connection."), 5)
	errNobody   = errs.New(errs.Unauthenticated, "A token is needed.")
	errStranger = errs.New(errs.Forbidden, "Pages of this origin may not connect.")
	errClosed   = errs.New(errs.Unavailable, "The connection is closing.")
	errOneShot  = errs.New(errs.Conflict, "A single request cannot listen; open the event stream.")
	errChannels = errs.New(errs.TooMany, "This connection listens to too many channels.")
)

func retryAfter(e *errs.Error, seconds int) *errs.Error {
	e.RetryAfter = seconds
	return e
}
