package isolation

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/gorilla/websocket"

	"aver/trust/canary"
	"aver/trust/canary/inside"
)

// leaky stands before the edge and lets leaks in, one at a time. It knows both canaries, as a mistake in a program would
// have both tenants' data at hand.
type leaky struct {
	next         http.Handler
	canaries     *canary.Service
	north, south *canary.Side

	mu    sync.Mutex
	on    *leak
	cache map[string]*httptest.ResponseRecorder
}

// leak is one mistake.
type leak struct {
	name  string
	near  string // part of the address of the operations that it is in
	serve func(l *leaky, w http.ResponseWriter, r *http.Request)
}

func (l *leaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	on := l.on
	l.mu.Unlock()
	if on == nil {
		l.next.ServeHTTP(w, r)
		return
	}
	on.serve(l, w, r)
}

// bySouth tells whether the attacker asks.
func (l *leaky) bySouth(r *http.Request) bool {
	all := r.Header.Get("Authorization") + r.Header.Get("Cookie")
	return strings.Contains(all, l.south.Key) || strings.Contains(all, l.south.Cookie) || strings.Contains(all, l.south.Token)
}

// names tells whether a request names something of the victim's. The body stays readable.
func (l *leaky) names(r *http.Request) bool {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	where, _ := url.QueryUnescape(r.URL.String())
	for _, id := range append(l.north.Pool.All(), l.north.Root) {
		if strings.Contains(where, id) || bytes.Contains(body, []byte(id)) {
			return true
		}
	}
	return false
}

// asNorth is the same request, made by the victim.
func (l *leaky) asNorth(r *http.Request) *http.Request {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	out := r.Clone(r.Context())
	out.Body = io.NopCloser(bytes.NewReader(body))
	for name, pair := range map[string][2]string{"Authorization": {l.south.Key, l.north.Key}, "Cookie": {l.south.Cookie, l.north.Cookie}} {
		out.Header.Set(name, strings.ReplaceAll(out.Header.Get(name), pair[0], pair[1]))
	}
	out.Header.Set("Authorization", strings.ReplaceAll(out.Header.Get("Authorization"), l.south.Token, l.north.Token))
	return out
}

// on tells whether the request is for a route that begins so, by method and path.
func on(r *http.Request, prefix string) bool {
	return strings.HasPrefix(r.Method+" "+r.URL.Path, prefix)
}

// answered answers by the edge and hands the answer over to be spoilt.
func (l *leaky) answered(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	l.next.ServeHTTP(unhurried{rec}, r)
	return rec
}

// unhurried records answers that may take longer than others, too.
type unhurried struct{ *httptest.ResponseRecorder }

func (unhurried) SetReadDeadline(time.Time) error  { return nil }
func (unhurried) SetWriteDeadline(time.Time) error { return nil }

func send(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), rec.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// address is the part of a route that every operation below it shares. What is asked over the fallback of the widget's
// socket is attacked with the socket.
func address(route string) string {
	_, path, _ := strings.Cut(route, " ")
	path, _, _ = strings.Cut(path, "usr_")
	if path == "/widget/v1/send" || path == "/widget/v1/events" {
		return "/widget/v1/socket"
	}
	return strings.TrimSuffix(path, "/")
}

// predicate is the classic: a query forgets the tenant, so that whoever names a thing gets it.
func predicate(route string) leak {
	return leak{"the tenant is forgotten in " + route, address(route), func(l *leaky, w http.ResponseWriter, r *http.Request) {
		if on(r, route) && l.bySouth(r) && l.names(r) {
			r = l.asNorth(r)
		}
		l.next.ServeHTTP(w, r)
	}}
}

// blind writes into the victim and answers as if nothing had been.
func blind(route string) leak {
	return leak{"a blind write through " + route, address(route), func(l *leaky, w http.ResponseWriter, r *http.Request) {
		if on(r, route) && l.bySouth(r) && l.names(r) {
			l.answered(l.asNorth(r))
		}
		l.next.ServeHTTP(w, r)
	}}
}

// spoilt changes the answer to a request that names something of the victim's.
func spoilt(name, route string, change func(l *leaky, rec *httptest.ResponseRecorder)) leak {
	return leak{name, address(route), func(l *leaky, w http.ResponseWriter, r *http.Request) {
		if !on(r, route) || !l.bySouth(r) || !l.names(r) {
			l.next.ServeHTTP(w, r)
			return
		}
		rec := l.answered(r)
		change(l, rec)
		send(w, rec)
	}}
}

// added puts the victim's words, in some form, into every answer to the attacker.
func added(name string, form func(root string) []byte) leak {
	return leak{name, "/v1/admins", func(l *leaky, w http.ResponseWriter, r *http.Request) {
		if !on(r, "GET /v1/admins") || !l.bySouth(r) {
			l.next.ServeHTTP(w, r)
			return
		}
		rec := l.answered(r)
		rec.Body.Write(form("the words of " + l.north.Root + " here"))
		send(w, rec)
	}}
}

func header(name string, form func(root string) string) leak {
	return leak{"the victim's words in the header " + name, "/v1/me", func(l *leaky, w http.ResponseWriter, r *http.Request) {
		if l.bySouth(r) && on(r, "GET /v1/me") {
			w.Header().Set(name, form(l.north.Root))
		}
		l.next.ServeHTTP(w, r)
	}}
}

// cached keeps answers by path and forgets whose they were.
func cached(prefix string) leak {
	return leak{"a cache without the tenant in its key, for " + prefix, prefix, func(l *leaky, w http.ResponseWriter, r *http.Request) {
		if !on(r, "GET "+prefix) {
			l.next.ServeHTTP(w, r)
			return
		}
		l.mu.Lock()
		kept := l.cache[r.URL.String()]
		l.mu.Unlock()
		if kept == nil {
			kept = l.answered(l.asNorth(r)) // the victim was first
			l.mu.Lock()
			l.cache[r.URL.String()] = kept
			l.mu.Unlock()
		}
		send(w, kept)
	}}
}

// merged adds what the same request finds for the victim.
func merged(prefix string) leak {
	return leak{"one index for all tenants behind " + prefix, address(prefix), func(l *leaky, w http.ResponseWriter, r *http.Request) {
		if !on(r, prefix) || !l.bySouth(r) {
			l.next.ServeHTTP(w, r)
			return
		}
		other := l.answered(l.asNorth(r))
		rec := l.answered(r)
		rec.Body.Write(other.Body.Bytes())
		send(w, rec)
	}}
}

// socketOfVictim gives the attacker's socket the victim's session.
var socketOfVictim = leak{"a socket takes anybody's token for the last one that it knew", "/widget/v1/socket", relay(func(l *leaky, frame []byte) []byte {
	return bytes.ReplaceAll(frame, []byte(l.south.Token), []byte(l.north.Token))
}, false)}

// topicOfVictim sends the attacker what the victim's conversation brings.
var topicOfVictim = leak{"channels are shared by all tenants", "/widget/v1/socket", relay(func(_ *leaky, frame []byte) []byte { return frame }, true)}

// relay stands between the attacker's socket and the edge, changes what the attacker asks, and may mix in the victim's news.
func relay(change func(*leaky, []byte) []byte, mix bool) func(*leaky, http.ResponseWriter, *http.Request) {
	upgrader := websocket.Upgrader{Subprotocols: []string{inside.Subprotocol}, CheckOrigin: func(*http.Request) bool { return true }}
	return func(l *leaky, w http.ResponseWriter, r *http.Request) {
		if !on(r, "GET /widget/v1/socket") || r.Header.Get("X-Relayed") != "" {
			l.next.ServeHTTP(w, r)
			return
		}
		near, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer near.Close()
		var write sync.Mutex
		pump := func(from *websocket.Conn) {
			for {
				kind, frame, err := from.ReadMessage()
				if err != nil {
					return
				}
				write.Lock()
				_ = near.WriteMessage(kind, frame)
				write.Unlock()
			}
		}
		far, err := l.dial(r)
		if err != nil {
			return
		}
		defer far.Close()
		go pump(far)
		if mix {
			if spy, err := l.spy(r); err == nil {
				defer spy.Close()
				go pump(spy)
			}
		}
		for {
			kind, frame, err := near.ReadMessage()
			if err != nil {
				return
			}
			_ = far.WriteMessage(kind, change(l, frame))
		}
	}
}

func (l *leaky) dial(r *http.Request) (*websocket.Conn, error) {
	h := http.Header{"Origin": r.Header["Origin"], "X-Relayed": {"yes"}}
	return l.canaries.Door().Socket(r.Context(), "/widget/v1/socket", h)
}

// spy listens to the victim's conversation.
func (l *leaky) spy(r *http.Request) (*websocket.Conn, error) {
	ws, err := l.dial(r)
	if err != nil {
		return nil, err
	}
	channel := l.north.Pool["conversation"][0]
	for _, frame := range []map[string]any{{"id": 1, "op": "hello", "token": l.north.Token}, {"id": 2, "op": "subscribe", "channel": channel, "epoch": "", "offset": 0}} {
		if err := ws.WriteJSON(frame); err != nil {
			return nil, err
		}
		if _, _, err := ws.ReadMessage(); err != nil {
			return nil, err
		}
	}
	return ws, nil
}

func utf16le(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func zipped(s string) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return out.Bytes()
}

// leaks are the mistakes. Each must be noticed.
func leaks() []leak {
	list := []leak{
		blind("POST /v1/contacts/"), blind("POST /widget/v1/send"),
		cached("/v1/admins"), cached("/v1/me"), cached("/v1/consent_notices"), cached("/settings"), cached("/v1/admins/activity_logs"),
		merged("GET /v1/privacy_requests"), merged("GET /v1/admins"), merged("GET /settings/team"), merged("GET /settings/chat"),
		header("X-Debug", func(root string) string { return root }),
		header("X-Trace", func(root string) string { return base64.StdEncoding.EncodeToString([]byte("a" + root + "b")) }),
		added("words in plain at the end of a list", func(s string) []byte { return []byte(s) }),
		added("words in upper case", func(s string) []byte { return []byte(strings.ToUpper(s)) }),
		added("words in base64", func(s string) []byte { return []byte(base64.StdEncoding.EncodeToString([]byte(s))) }),
		added("words in base64 for addresses", func(s string) []byte { return []byte(base64.RawURLEncoding.EncodeToString([]byte("xy" + s))) }),
		added("words in hex", func(s string) []byte { return []byte(hex.EncodeToString([]byte(s))) }),
		added("words in UTF-16", utf16le),
		added("words in a gzip part", zipped),
		spoilt("forbidden instead of not found", "GET /v1/contacts/", func(_ *leaky, rec *httptest.ResponseRecorder) { rec.Code = http.StatusForbidden }),
		spoilt("gone instead of not found", "GET /v1/admins/usr_", func(_ *leaky, rec *httptest.ResponseRecorder) { rec.Code = http.StatusGone }),
		spoilt("an empty page instead of not found", "GET /settings/team/", func(_ *leaky, rec *httptest.ResponseRecorder) { rec.Code = http.StatusOK }),
		spoilt("other words for what exists elsewhere", "GET /v1/privacy_requests/", func(_ *leaky, rec *httptest.ResponseRecorder) { rec.Body.WriteString(" ") }),
		spoilt("an ETag for what exists elsewhere", "GET /v1/contacts/", func(_ *leaky, rec *httptest.ResponseRecorder) { rec.Header().Set("ETag", `"7"`) }),
		spoilt("a file name for what exists elsewhere", "GET /widget/v1/attachments/", func(_ *leaky, rec *httptest.ResponseRecorder) {
			rec.Header().Set("Content-Disposition", "attachment; filename=report.pdf")
		}),
		spoilt("a cookie for what exists elsewhere", "GET /settings/team/", func(_ *leaky, rec *httptest.ResponseRecorder) { rec.Header().Set("Set-Cookie", "last=1") }),
		spoilt("a way to what exists elsewhere", "POST /settings/team/", func(_ *leaky, rec *httptest.ResponseRecorder) { rec.Header().Set("Location", "/elsewhere") }),
		spoilt("another type for what exists elsewhere", "GET /widget/v1/privacy/tasks/", func(_ *leaky, rec *httptest.ResponseRecorder) { rec.Header().Set("Content-Type", "text/plain") }),
		spoilt("an identifier that was not asked for", "GET /v1/contacts/", func(l *leaky, rec *httptest.ResponseRecorder) {
			rec.Body.WriteString(l.north.Pool["user"][0])
		}),
		socketOfVictim, topicOfVictim,
	}
	for _, route := range []string{"GET /v1/contacts/", "POST /v1/contacts/", "GET /v1/admins/usr_", "GET /v1/privacy_requests/", "POST /v1/privacy_requests",
		"GET /settings/team/", "POST /settings/team/", "POST /settings/keys/", "GET /v1/admins/activity_logs", "POST /widget/v1/send", "GET /widget/v1/events"} {
		list = append(list, predicate(route))
	}
	return list
}
