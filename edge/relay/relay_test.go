package relay_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aver/base/eventually"
	"aver/edge"
	"aver/edge/relay"
)

func tempFolder() (string, error) { return os.MkdirTemp("", "aver-relay-*") }

const (
	far   = "01abcdefghjkmnpqrstvwxyz01"
	token = "avv_" + far + "_0123456789abcdefghjkmnpqrstvwxyz0123456789abcdefghjk"
)

func TestARequestGoesToTheRegionOfItsWorkspaceAndItsBodyNowhereElse(t *testing.T) {
	t.Parallel()
	eu, in := newRegion(t, "eu", "kowal"), newRegion(t, "in", "ws_"+far, "bangalore")
	c := between(t, eu, in)
	for i, q := range []struct {
		method, path string
		headers      []string
		want         string
	}{
		{"POST", "/widget/v1/send", []string{"Authorization", "Bearer " + token}, "in"},
		{"POST", "/widget/v1/sessions?w=ws_" + far, nil, "in"},
		{"GET", "/widget/frame?w=ws_" + far + "&lang=hi", nil, "in"},
		{"GET", "/my-data/bangalore", nil, "in"},
		{"POST", "/my-data/bangalore/code", nil, "in"},
		{"GET", "/my-data/files/bangalore/req_1", nil, "in"},
		{"GET", "/my-data/proof/bangalore/req_1?link=secret", nil, "in"},
		{"GET", "/my-data/receipts/bangalore/req_1/cns_1", nil, "in"},
		{"POST", "/my-data/signed/bangalore", nil, "in"},
		{"GET", "/my-data/receipts", nil, "eu"},
		{"GET", "/my-data", nil, "eu"},
		{"GET", "/my-data/kowal", []string{"Cookie", "__Host-aver=" + token}, "eu"}, // the address comes before the cookie
		{"POST", "/login?workspace=bangalore", nil, "in"},
		{"GET", "/setup/" + strings.Replace(token, "avv", "avi", 1), nil, "in"},
		{"GET", "/inbox", []string{"Cookie", "__Host-aver=" + strings.Replace(token, "avv", "avs", 1)}, "in"},
		{"GET", "/v1/contacts", []string{"Authorization", "Bearer " + strings.Replace(token, "avv", "avk", 1)}, "in"},
		{"GET", "/l.js", nil, "eu"},
		{"GET", "/widget/app.js?v=1", nil, "eu"},
		{"GET", "/widget/frame?w=not/a/name", nil, "eu"},
	} {
		words := fmt.Sprintf("words-%d", i)
		a := c.send(q.method, q.path, words, q.headers...)
		if a.StatusCode != http.StatusOK || a.body != q.want+" "+words {
			t.Errorf("%s %s: %d %s", q.method, q.path, a.StatusCode, a.body)
		}
		other := map[string]*region{"eu": in, "in": eu}[q.want]
		if slices.ContainsFunc(other.visits(), func(seen string) bool { return strings.HasSuffix(seen, words) }) {
			t.Errorf("%s %s: the words reached %s", q.method, q.path, other.name)
		}
	}
	if in.asks > 3 {
		t.Errorf("a region was asked %d times about three workspaces", in.asks)
	}
}

func TestAWorkspaceThatNobodyKnowsIsNotFoundAndAskedForAgainLater(t *testing.T) {
	t.Parallel()
	eu, in := newRegion(t, "eu"), newRegion(t, "in")
	c := between(t, eu, in)
	for range 3 {
		if a := c.send("GET", "/my-data/new", ""); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, `"code":"not-found"`) {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	if in.asks != 1 {
		t.Errorf("asked %d times at once", in.asks)
	}
	in.mu.Lock()
	in.homes = []string{"new"}
	in.mu.Unlock()
	c.clock.Advance(11 * time.Second)
	if a := c.send("GET", "/my-data/new", ""); a.StatusCode != http.StatusOK || a.Header.Get("X-Region") != "in" {
		t.Errorf("after it was made: %d %s", a.StatusCode, a.body)
	}
}

func TestARegionThatOnlyHeardOfAWorkspaceIsBelieved(t *testing.T) {
	t.Parallel()
	eu, in := newRegion(t, "eu"), newRegion(t, "in")
	eu.others["bangalore"], eu.others["texas"] = "in", "us"
	c := between(t, eu, in)
	if a := c.send("GET", "/my-data/bangalore", ""); a.Header.Get("X-Region") != "in" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := c.send("GET", "/my-data/texas", ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("a region that is none of ours: %d %s", a.StatusCode, a.body)
	}
}

func TestARegionThatIsAwaySaysSoPlainlyAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	eu, in := newRegion(t, "eu", "kowal"), newRegion(t, "in", "bangalore")
	c := between(t, eu, in)
	if a := c.send("GET", "/readyz", ""); a.StatusCode != http.StatusOK {
		t.Errorf("ready: %d %s", a.StatusCode, a.body)
	}
	c.send("GET", "/my-data/bangalore", "") // known before it goes
	in.server.Close()
	for _, path := range []string{"/my-data/bangalore", "/my-data/unknown"} {
		program := c.send("GET", path, "")
		if program.StatusCode != http.StatusBadGateway || !strings.Contains(program.body, `"code":"away"`) || program.Header.Get("Retry-After") != "5" {
			t.Errorf("%s: a program is told %d %s", path, program.StatusCode, program.body)
		}
	}
	person := c.send("GET", "/my-data/bangalore", "", "Accept", "text/html")
	if person.StatusCode != http.StatusBadGateway || !strings.Contains(person.body, "cannot be reached from here") || !strings.Contains(person.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("a person is told %d %s", person.StatusCode, person.body)
	}
	_, style, _ := strings.Cut(person.body, `rel="stylesheet" href="`)
	style, _, _ = strings.Cut(style, `"`)
	if a := c.send("GET", style, ""); a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/css") {
		t.Errorf("the page has no style: %s: %d", style, a.StatusCode)
	}
	if a := c.send("GET", "/my-data/kowal", ""); a.Header.Get("X-Region") != "eu" {
		t.Errorf("the other region: %d %s", a.StatusCode, a.body)
	}
	if a := c.send("GET", "/healthz", ""); a.StatusCode != http.StatusOK {
		t.Errorf("healthz: %d", a.StatusCode)
	}
	if a := c.send("GET", "/readyz", ""); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "not reached: in") {
		t.Errorf("ready: %d %s", a.StatusCode, a.body)
	}
}

func TestAWrongRegionIsCorrectedOnceAndRemembered(t *testing.T) {
	t.Parallel()
	eu, in := newRegion(t, "eu", "moved"), newRegion(t, "in")
	c := between(t, eu, in)
	c.send("GET", "/my-data/moved", "")
	for r, has := range map[*region][]string{eu: nil, in: {"moved"}} {
		r.mu.Lock()
		r.homes = has
		r.mu.Unlock()
	}
	eu.handle = func(w http.ResponseWriter, _ *http.Request) { // it moved, and the relay still believes what it heard
		w.Header().Set(edge.RegionHeader, "in")
		w.WriteHeader(http.StatusMisdirectedRequest)
	}
	if a := c.send("POST", "/my-data/moved", "words"); a.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("what cannot be sent twice: %d %s", a.StatusCode, a.body)
	}
	before := len(eu.visits())
	if a := c.send("POST", "/my-data/moved", "words"); a.body != "in words" {
		t.Errorf("the next time: %d %s", a.StatusCode, a.body)
	}
	if len(eu.visits()) != before {
		t.Error("the wrong region was asked again")
	}
	relay.Learn(c.relay, "moved", "eu")
	if a := c.send("GET", "/my-data/moved", ""); a.Header.Get("X-Region") != "in" {
		t.Errorf("what can be sent twice: %d %s", a.StatusCode, a.body)
	}
	in.handle = func(w http.ResponseWriter, _ *http.Request) { // both say it is at the other's
		w.Header().Set(edge.RegionHeader, "eu")
		w.WriteHeader(http.StatusMisdirectedRequest)
	}
	if a := c.send("GET", "/my-data/moved", ""); a.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("in a circle: %d %s", a.StatusCode, a.body)
	}
}

func TestARelaySaysWhoCallsAndNobodyElseDoes(t *testing.T) {
	t.Parallel()
	eu := newRegion(t, "eu")
	var got http.Header
	var host string
	eu.handle = func(w http.ResponseWriter, q *http.Request) {
		got, host = q.Header.Clone(), q.Host
		w.Header().Add("Set-Cookie", "a=b; Path=/; Secure")
	}
	c := between(t, eu)
	a := c.send("GET", "/inbox", "", "X-Forwarded-For", "198.51.100.7", "Forwarded", "for=198.51.100.7", "X-Forwarded-Host", "evil.example",
		"Connection", "close, X-Secret", "X-Secret", "of this connection", "Proxy-Authorization", "Basic x", "Te", "trailers", "Cookie", "c=d")
	if got.Get("X-Forwarded-For") != "127.0.0.1" || len(got.Values("X-Forwarded-For")) != 1 {
		t.Errorf("who calls: %q", got.Values("X-Forwarded-For"))
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-Host", "X-Secret", "Proxy-Authorization"} {
		if got.Get(name) != "" {
			t.Errorf("%s was passed on: %q", name, got.Get(name))
		}
	}
	if host != c.address || got.Get("Cookie") != "c=d" {
		t.Errorf("host %q, cookie %q", host, got.Get("Cookie"))
	}
	if a.Header.Get("Set-Cookie") == "" {
		t.Errorf("back came %v", a.Header)
	}
}

func TestARegionWithoutAGoodCertificateIsNotSpokenTo(t *testing.T) {
	t.Parallel()
	stranger := newRegion(t, "in", "bangalore")
	c := trusting(t, nil, stranger)
	if a := c.send("POST", "/my-data/bangalore", "words"); a.StatusCode != http.StatusBadGateway {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if len(stranger.visits()) != 0 || stranger.asks != 0 {
		t.Errorf("it was asked %d times and saw %v", stranger.asks, stranger.visits())
	}
}

func TestARequestThatCouldMeanTwoThingsIsRefused(t *testing.T) {
	t.Parallel()
	eu := newRegion(t, "eu")
	c := between(t, eu)
	for name, text := range map[string]string{
		"two hosts":                  "GET /a HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
		"no host":                    "GET /a HTTP/1.1\r\n\r\n",
		"two lengths":                "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"a length with a sign":       "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
		"chunks that are not plain":  "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"chunks twice":               "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks and something else":  "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"a space before the colon":   "GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"a header that is continued": "GET /a HTTP/1.1\r\nHost: a\r\n X-More: b\r\n\r\n",
	} {
		a, err := c.says(text)
		if err == nil && a.StatusCode < 400 {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	if seen := eu.visits(); len(seen) != 0 {
		t.Errorf("reached the region: %q", seen)
	}
	// With a length and chunks, chunks count (RFC 9112 §6.3): what follows them is a request of its own, never part of one.
	_, _ = c.says("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
	if seen := eu.visits(); len(seen) == 0 || seen[0] != "POST /a" {
		t.Errorf("reached the region: %q", seen)
	}
}

func TestAStreamArrivesPieceByPieceAndASlowReaderHoldsItBack(t *testing.T) {
	t.Parallel()
	eu := newRegion(t, "eu")
	next, written := make(chan struct{}), atomic.Int64{}
	eu.handle = func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/endless" {
			part := make([]byte, 64<<10)
			for q.Context().Err() == nil {
				n, err := w.Write(part)
				if written.Add(int64(n)); err != nil {
					return
				}
			}
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			<-next
		}
	}
	c := between(t, eu)
	a, err := c.client.Get("https://" + c.address + "/widget/v1/events")
	must(t, err)
	defer a.Body.Close()
	lines := bufio.NewReader(a.Body)
	for i := range 3 { // the region goes on only when the visitor has read
		if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("read %q, %v", line, err)
		}
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		next <- struct{}{}
	}
	endless, err := c.client.Get("https://" + c.address + "/endless")
	must(t, err)
	defer endless.Body.Close()
	last := int64(-1)
	eventually.Must(t, "the region stops writing when nobody reads", func() bool {
		now := written.Load()
		still := now == last && now > 0
		last = now
		time.Sleep(100 * time.Millisecond) // nothing written for so long: it waits. No event says that the kernel's buffers are full
		return still
	})
	if last > 64<<20 {
		t.Errorf("%d bytes are somewhere between", last)
	}
}

func TestASocketGoesBothWaysUntilEitherSideEnds(t *testing.T) {
	t.Parallel()
	in := newRegion(t, "in", "ws_"+far)
	closed := make(chan struct{})
	upgrader := websocket.Upgrader{Subprotocols: []string{"aver.v1"}, CheckOrigin: func(q *http.Request) bool { return q.Header.Get("Origin") == "https://"+q.Host }}
	in.handle = func(w http.ResponseWriter, q *http.Request) {
		ws, err := upgrader.Upgrade(w, q, nil)
		if err != nil {
			return
		}
		defer close(closed)
		for {
			kind, text, err := ws.ReadMessage()
			if err != nil {
				return
			}
			_ = ws.WriteMessage(kind, append([]byte("you said "), text...))
		}
	}
	c := between(t, newRegion(t, "eu"), in)
	relay.Hurry(c.relay, 200*time.Millisecond) // which is for requests, not for sockets
	dialer := websocket.Dialer{TLSClientConfig: c.client.Transport.(*http.Transport).TLSClientConfig.Clone(), Subprotocols: []string{"aver.v1"}}
	ws, a, err := dialer.DialContext(t.Context(), "wss://"+c.address+"/widget/v1/socket?w=ws_"+far, http.Header{"Origin": {"https://" + c.address}})
	if err != nil {
		t.Fatal(err, a)
	}
	for i := range 3 {
		time.Sleep(300 * time.Millisecond) // longer than a request may take; connections' deadlines know real time alone
		text := fmt.Sprintf("नमस्ते %d", i)
		must(t, ws.WriteMessage(websocket.TextMessage, []byte(text)))
		if _, got, err := ws.ReadMessage(); err != nil || string(got) != "you said "+text {
			t.Fatalf("heard %q, %v", got, err)
		}
	}
	ws.Close()
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error("the region still thinks that somebody is there")
	}
}

func TestWhoStopsSendingDoesNotHoldTheLine(t *testing.T) {
	t.Parallel()
	eu := newRegion(t, "eu")
	c := between(t, eu)
	relay.Hurry(c.relay, 200*time.Millisecond)
	for name, text := range map[string]string{
		"in the head": "GET /a HTTP/1.1\r\nHost: a\r\nX-Slow: ",
		"in the body": "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := c.raw()
			_, err := io.WriteString(conn, text)
			must(t, err)
			must(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Error("the line is still held after a minute")
			}
		})
	}
}

func TestAnAddressHasSoManyConnectionsAtATime(t *testing.T) {
	t.Parallel()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	crowd := relay.NewCrowd(socket, 3)
	t.Cleanup(func() { crowd.Close() })
	go func() {
		for {
			conn, err := crowd.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.WriteString(conn, "in")
				_, _ = io.Copy(io.Discard, conn) // until the other side goes
				conn.Close()
				conn.Close() // counts once
			}()
		}
	}()
	come := func() (net.Conn, bool) {
		conn, err := net.Dial("tcp", socket.Addr().String())
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		said := make([]byte, 2)
		_, err = io.ReadFull(conn, said)
		return conn, err == nil
	}
	first, in := come()
	for range 2 {
		if _, more := come(); !in || !more {
			t.Fatal("refused too early")
		}
	}
	for range 3 {
		if _, in := come(); in {
			t.Fatal("one too many was let in")
		}
	}
	first.Close()
	eventually.Must(t, "there is room for one", func() bool { _, in := come(); return in })
	if _, in := come(); in {
		t.Error("there was room for two")
	}
}

func TestAnAddressHasSoManyRequestsInAMinute(t *testing.T) {
	t.Parallel()
	c := between(t, newRegion(t, "eu"))
	for n := range relay.PerMinute { // by the relay's clock no time goes by
		if a := c.send("GET", "/healthz", ""); a.StatusCode != http.StatusOK {
			t.Fatalf("request %d: %d", n, a.StatusCode)
		}
	}
	if a := c.send("GET", "/healthz", ""); a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d, after %q", a.StatusCode, a.Header.Get("Retry-After"))
	}
}

func TestWhatARelayRemembersIsBounded(t *testing.T) {
	t.Parallel()
	c := between(t, newRegion(t, "eu"), newRegion(t, "in"))
	relay.Learn(c.relay, "first", "in")
	for i := range relay.Remembered {
		relay.Learn(c.relay, fmt.Sprintf("w-%d", i), "eu")
	}
	all, region := relay.Known(c.relay, "first")
	if all != relay.Remembered || region != "" {
		t.Errorf("it remembers %d, and the first in %q", all, region)
	}
}

func TestABodyLargerThanAnyRegionTakesIsRefused(t *testing.T) {
	t.Parallel()
	eu := newRegion(t, "eu")
	c := between(t, eu)
	a := c.send("POST", "/widget/v1/uploads", strings.Repeat("x", 34<<20))
	if a.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestNobodyTurnsOthersToAnotherRegion(t *testing.T) {
	t.Parallel()
	eu, in := newRegion(t, "eu", "kowal"), newRegion(t, "in", "bangalore")
	eu.handle = func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("X-Stranger") != "" { // brings something that is at home elsewhere: eu says so, whatever the address names
			w.Header().Set(edge.RegionHeader, "in")
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		fmt.Fprint(w, "eu")
	}
	c := between(t, eu, in)
	if a := c.send("GET", "/my-data/kowal", "", "X-Stranger", "yes"); a.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("the stranger: %d %s", a.StatusCode, a.body)
	}
	if a := c.send("POST", "/my-data/kowal", "words of a visitor"); a.body != "eu" {
		t.Errorf("a stranger has turned the workspace: %d %s", a.StatusCode, a.body)
	}
	if seen := in.visits(); len(seen) != 0 {
		t.Errorf("reached the other region: %q", seen)
	}
}

func TestASessionIsShownToNoRegionButItsOwn(t *testing.T) {
	t.Parallel()
	eu, in := newRegion(t, "eu", "kowal", "moved"), newRegion(t, "in", "bangalore", "ws_"+far)
	tell := func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, q.Header.Get("Cookie")) }
	eu.handle, in.handle = tell, tell
	c := between(t, eu, in)
	session := "__Host-aver=" + strings.Replace(token, "avv", "avs", 1)
	asked := "__Host-my-data.bangalore=" + strings.Replace(token, "avv", "avp", 1)
	relay.Learn(c.relay, "moved", "in")
	for _, q := range []struct{ path, cookie, want string }{
		{"/inbox", session, session},
		{"/inbox?w=bangalore", session, session},
		{"/inbox?w=kowal", session, ""},
		{"/inbox?w=kowal", "a=b; " + session + "; c=d", "a=b; c=d"},
		{"/my-data/kowal", session + "; " + session, ""},
		{"/my-data/bangalore", asked, asked},
		{"/my-data/kowal", asked + "; a=b", "a=b"},
		{"/login?workspace=kowal", "__Host-aver=of nobody", ""},
	} {
		if a := c.send("GET", q.path, "", "Cookie", q.cookie); a.StatusCode != http.StatusOK || a.body != q.want {
			t.Errorf("%s with %q: %d %q", q.path, q.cookie, a.StatusCode, a.body)
		}
	}
	in.handle = func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set(edge.RegionHeader, "eu")
		w.WriteHeader(http.StatusMisdirectedRequest)
	}
	if a := c.send("GET", "/my-data/moved", "", "Cookie", session); a.StatusCode != http.StatusOK || a.body != "" {
		t.Errorf("sent on to the other region: %d %q", a.StatusCode, a.body)
	}
}

func TestAPasswordGoesToTheRegionThatTheFormNames(t *testing.T) {
	t.Parallel()
	eu, in := newRegion(t, "eu", "kowal", "ws_"+far), newRegion(t, "in", "bangalore")
	c := between(t, eu, in)
	send := func(path, body string, headers ...string) reply {
		return c.send("POST", path, body, append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
	}
	form := "email=ada%40example.org&password=secret&workspace="
	for _, q := range []struct{ path, named, want string }{
		{"/login", "bangalore", "in"}, {"/login", "+Bangalore+", "in"}, {"/login?workspace=kowal", "bangalore", "in"},
		{"/login?workspace=bangalore", "", "in"}, {"/login", "kowal", "eu"}, {"/login", "", "eu"},
	} {
		if a := send(q.path, form+q.named, "Cookie", "__Host-aver="+strings.Replace(token, "avv", "avs", 1)); a.StatusCode != http.StatusOK || a.body != q.want+" "+form+q.named {
			t.Errorf("%s %s: %d %s", q.path, q.named, a.StatusCode, a.body)
		}
	}
	before := len(eu.visits()) + len(in.visits())
	for name, want := range map[string]int{"nobody": http.StatusNotFound, "no/name": http.StatusNotFound, strings.Repeat("x", 16<<10): http.StatusUnprocessableEntity} {
		if a := send("/login", form+name); a.StatusCode != want {
			t.Errorf("%.10s: %d %s", name, a.StatusCode, a.body)
		}
	}
	if len(eu.visits())+len(in.visits()) != before {
		t.Error("a password went to a region that was not named")
	}
}
