package widget_test

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/errs"
	receipts "aver/trust/consent/receipts/ui"
	"aver/work/channels/webchat/widget"
	"aver/work/inbox/attach"
)

// server is a small server that speaks PROTOCOL.md and nothing else, with switches for what goes wrong in the world. It
// refuses every field the protocol does not name.
type server struct {
	t    *testing.T
	http *httptest.Server
	page *httptest.Server // the customer's website, another origin

	mu        sync.Mutex
	config    map[string]any
	visits    []string                   // method and path of everything that was asked for
	sessions  map[string]json.RawMessage // token → body of POST sessions
	consents  []map[string]any           // bodies of POST consent
	said      []json.RawMessage          // bodies of the op set
	uploads   map[string]upload          // id → what was sent
	messages  []message                  // the one conversation
	first     map[string]int             // client_id → seq
	readBy    int                        // the highest seq the visitor has read
	redacted  int                        // how many messages were taken out
	epoch     string                     // changes when the server lost its memory of offsets
	contact   string
	listeners map[*listener]bool
	reports   []string // violations of a policy
	hosting   pageOptions

	refuseSockets bool          // as a proxy may
	down          bool          // refuses everything but the configuration
	retryAfter    int           // in seconds, what it says then
	holdSessions  chan struct{} // until it is closed
	refuseSession string        // in what a session would begin with
	breakSession  bool          // the next one begins, and its answer breaks off in the middle
	refuseText    string        // of a message that is refused for good
	onlySigned    bool          // refuses messages: no session here is signed
	needConsent   bool          // until the next POST consent
	replyTo       string        // where the visitor wants the answer
	loseNextAck   bool
	loseNextPush  bool
	limit         int // of messages a subscribe recovers; more: recovered false
}

type pageOptions struct {
	lang, dir, script string
}

type upload struct {
	Name, Type string
	Body       []byte
}

type message struct {
	Conversation string           `json:"conversation"`
	Seq          int              `json:"seq"`
	ClientID     string           `json:"client_id,omitempty"`
	At           string           `json:"at"`
	From         map[string]any   `json:"from"`
	Text         string           `json:"text"`
	Attachments  []map[string]any `json:"attachments"`
	Redacted     bool             `json:"redacted,omitempty"`
}

// listener is an open socket or stream.
type listener struct {
	frames  chan []byte
	channel string
	stop    func(code int)
}

const (
	website      = "ws_01jd0000000000000000000000"
	conversation = "cnv_01jd0000000000000000000000"
	pagePolicy   = "default-src 'none'; script-src 'nonce-page' %s; frame-src 'self' %s; style-src 'nonce-page'; require-trusted-types-for 'script'; " +
		"trusted-types 'none'; report-uri /csp"
)

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, sessions: map[string]json.RawMessage{}, uploads: map[string]upload{}, first: map[string]int{}, epoch: "e1",
		contact: "con_01jd0000000000000000000000", listeners: map[*listener]bool{}, limit: 100, hosting: pageOptions{lang: "en", dir: "ltr"}}
	s.config = map[string]any{
		"website": website, "name": "Kowal Bikes", "accent": "#0f5f5c", "color_scheme": "auto", "language": "", "online": true, "until": "",
		"offline_message": "", "reply_time_text": "We usually answer within ten minutes.",
		"consent": map[string]any{"required": true, "purpose": "support", "version": "2026-11-01", "language": "en", "notice_url": "https://shop.example/privacy",
			"text": "We keep what you write here to answer you, for one year at most. Nobody else receives it, and it is not used for advertising."},
		"attachments": map[string]any{"max_bytes": 100_000, "types": []string{"image/png", "text/plain", "application/pdf"}},
		"identity":    map[string]any{"enforced": false}, "region": "EU", "answered_by": map[string]any{"kind": "person", "name": "Mara"},
	}
	s.http = httptest.NewServer(s.routes())
	s.page = httptest.NewServer(http.HandlerFunc(s.servePage))
	t.Cleanup(func() {
		s.cut(1001)
		s.http.CloseClientConnections()
		s.http.Close()
		s.page.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.reports) > 0 {
			t.Errorf("content security policy violated: %s", strings.Join(s.reports, "\n"))
		}
	})
	return s
}

// pageURL is the website on another site than the frame: localhost, not 127.0.0.1.
func (s *server) pageURL() string { return strings.Replace(s.page.URL, "127.0.0.1", "localhost", 1) }

func (s *server) servePage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/csp" {
		s.report(w, r)
		return
	}
	if r.URL.Path == "/nested" { // a frame of the page's own origin, which is not the page
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><script>[...parent.document.querySelectorAll('body > div')].at(-1).shadowRoot.querySelector('iframe').contentWindow
.postMessage({aver: 1, is: 'call', call: {verb: 'do', key: 'session:reset', args: []}}, '*'); parent.nested = true</script>`)
		return
	}
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	o := s.hosting
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", fmt.Sprintf(pagePolicy, s.http.URL, s.http.URL))
	fmt.Fprintf(w, `<!doctype html><html lang="%s" dir="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kowal Bikes</title><style nonce="page">body{font:16px/1.5 Georgia,serif;margin:40px auto;max-width:720px;padding:0 20px;background:#fff;color:#222}
div{border:9px dotted red !important;position:static !important}button{display:none}</style></head>
<body><main><h1>Kowal Bikes</h1><p>Bicycles made to measure in Gdynia since 1987. Frames, wheels and repairs.</p><p>Ask us anything.</p></main>
<script nonce="page">window.$aver=[];window.AVER_WEBSITE_ID=%q;%s</script><script async src="%s/l.js"></script></body></html>`,
		o.lang, o.dir, website, o.script, s.http.URL)
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /widget/v1/config", s.serveConfig)
	mux.HandleFunc("POST /widget/v1/sessions", s.serveSessions)
	mux.HandleFunc("POST /widget/v1/consent", s.authorised(s.serveConsent))
	mux.HandleFunc("POST /widget/v1/uploads", s.authorised(s.serveUpload))
	mux.HandleFunc("GET /widget/v1/files/{id}", s.authorised(s.serveFile))
	mux.HandleFunc("POST /widget/v1/privacy/export", s.authorised(answer(`{"task":"tsk_1"}`)))
	mux.HandleFunc("GET /widget/v1/privacy/tasks/tsk_1", s.authorised(s.serveTask))
	mux.HandleFunc("GET /widget/v1/archive", s.authorised(s.serveArchive))
	mux.HandleFunc("POST /widget/v1/privacy/erase", s.authorised(s.serveErase))
	mux.HandleFunc("GET /widget/v1/privacy/rights", s.authorised(answer(`{"title":"More rights","label":"What would you like?","kinds":[{"value":"rectification","label":"Correct my data","help":"Write what is wrong."},{"value":"objection","label":"Object to a use","help":"Marketing stops."}],"words":"Anything to add","help":"What is wrong, and what is right.","ask":"Ask for it",`+
		`"told_title":"Who was told","except_title":"What goes on in spite of your restriction","except":["Use for legal claims, since 1 November 2026\nKowal Bikes says why: \u2068A lawsuit about a frame\u2069"],`+
		`"ends_title":"Your restriction ends","ends":"Kowal Bikes ends it on 29 November 2026. If you do not agree, ask for it again before that day."}`)))
	mux.HandleFunc("GET /widget/v1/privacy/receipts", s.authorised(s.serveReceipts))
	mux.HandleFunc("POST /widget/v1/privacy/requests", s.authorised(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Kind, Words, Language string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			s.t.Error(err)
		}
		writeJSON(w, http.StatusOK, map[string]any{"id": "req_01jd9m3x", "text": "Asked for " + in.Kind + " in " + in.Language + ": " + in.Words})
	}))
	mux.HandleFunc("GET /widget/v1/privacy/receipts/crc_01jd9m32", s.authorised(answer(`{"format":"aver-consent-receipt/1"}`)))
	mux.HandleFunc("GET /my-data/receipts/kowal/rcp_01jd9m3x", answer(`{"format":"aver-receipt/1"}`))
	mux.HandleFunc("GET /widget/v1/socket", s.serveSocket)
	mux.HandleFunc("POST /widget/v1/send", s.authorised(s.serveSend))
	mux.HandleFunc("GET /widget/v1/events", s.authorised(s.serveEvents))
	mux.HandleFunc("POST /csp", s.report)
	mux.HandleFunc("GET /", s.serveFiles)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.visits = append(s.visits, r.Method+" "+r.URL.Path)
		down, after := s.down, s.retryAfter
		down = down && strings.HasPrefix(r.URL.Path, "/widget/v1/") && r.URL.Path != "/widget/v1/config"
		s.mu.Unlock()
		if down {
			writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": 503, "code": "unavailable", "title": "Please try again later.", "retry_after": after})
			return
		}
		if r.Header.Get("Cookie") != "" {
			s.t.Errorf("%s %s carries a cookie", r.Method, r.URL.Path)
		}
		if origin := r.Header.Get("Origin"); origin != "" && origin != s.http.URL {
			s.t.Errorf("%s %s comes from origin %s", r.Method, r.URL.Path, origin)
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *server) serveFiles(w http.ResponseWriter, r *http.Request) {
	file, found := widget.At(r.URL.Path)
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.Type)
	w.Header().Set("ETag", file.ETag)
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	if r.URL.Path == "/widget/frame" {
		w.Header().Set("Content-Security-Policy", widget.FramePolicy+"; report-uri /csp; frame-ancestors "+s.pageURL())
	}
	_, _ = w.Write(file.Body)
}

func (s *server) report(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, string(body))
}

func (s *server) serveConfig(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config["language"] == "" {
		s.config["language"] = r.FormValue("lang")
	}
	writeJSON(w, http.StatusOK, s.config)
}

func (s *server) serveSessions(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the page was left meanwhile
	}
	s.strict(body, &struct {
		Website  string          `json:"website"`
		Language string          `json:"language"`
		Origin   string          `json:"page_url_origin"`
		Consent  json.RawMessage `json:"consent"`
		User     json.RawMessage `json:"user"`
	}{})
	s.mu.Lock()
	hold := s.holdSessions
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuseSession != "" && strings.Contains(string(body), s.refuseSession) {
		writeProblem(w, http.StatusUnauthorized, "unauthenticated", "The signature has expired.")
		return
	}
	token := "avv_" + rand.Text()
	s.sessions[token] = body
	if s.breakSession {
		s.breakSession = false
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"token":"avv_`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	writeJSON(w, http.StatusOK, map[string]any{"token": token, "contact": s.contact, "verified": false, "conversations": []any{}})
}

func (s *server) serveConsent(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consents = append(s.consents, body)
	s.needConsent = false
	writeJSON(w, http.StatusOK, map[string]any{})
}

// serveReceipts lists what somebody agreed to and took back, in the words of a server.
func (s *server) serveReceipts(w http.ResponseWriter, r *http.Request) {
	mine, at := receipts.Mine{Lang: r.URL.Query().Get("lang")}, time.Date(2026, 11, 3, 9, 41, 0, 0, time.UTC)
	for n, act := range []string{"given", "stated", "withdrawn"} {
		mine.Receipts = append(mine.Receipts, mine.Receipt(fmt.Sprintf("crc_01jd9m3%d", n), act, receipts.Purpose(mine.Lang, "improvement"), at.AddDate(0, 0, n), "/widget/v1/privacy/receipts/"))
	}
	writeJSON(w, http.StatusOK, mine.Offer())
}

func (s *server) serveUpload(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	name, err := url.PathUnescape(r.Header.Get("X-File-Name"))
	if err != nil {
		s.t.Errorf("file name: %v", err)
	}
	if err := attach.Take(r.Context(), name, bytes.NewReader(body), func(attach.File) error { return nil }); err != nil { // what a server refuses
		problem := errs.AsProblem(err)
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(problem.Status)
		_ = json.NewEncoder(w).Encode(problem)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprintf("att_%d", len(s.uploads)+1)
	s.uploads[id] = upload{name, r.Header.Get("Content-Type"), body}
	writeJSON(w, http.StatusOK, s.describe(id))
}

func (s *server) describe(id string) map[string]any {
	u := s.uploads[id]
	return map[string]any{"id": id, "name": u.Name, "type": u.Type, "size": len(u.Body)}
}

func (s *server) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	u, found := s.uploads[r.PathValue("id")]
	s.mu.Unlock()
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", u.Type)
	_, _ = w.Write(u.Body)
}

func (s *server) serveTask(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"state": "done", "done": 4, "total": 4, "url": "/widget/v1/archive"})
}

func (s *server) serveArchive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="copy.zip"`)
	_, _ = w.Write([]byte("PK-archive"))
}

func (s *server) serveErase(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if want := `{"confirm":true,"language":"` + cmp.Or(s.hosting.lang, "en") + `"}`; string(body) != want {
		s.t.Errorf("erase: %s", body)
	}
	s.mu.Lock()
	clear(s.sessions)
	s.messages = nil
	s.mu.Unlock()
	s.cut(3501) // as Aver does, before the answer
	writeJSON(w, http.StatusOK, map[string]any{"receipt": map[string]any{"id": "rcp_01jd9m3x", "at": "2026-11-22T10:00:00Z",
		"text": "The key that could read your data was destroyed. Backups made before expire within a week and can no longer be read.",
		"url":  "/my-data/receipts/kowal/rcp_01jd9m3x"}})
}

// authorised refuses without a token that a session has.
func (s *server) authorised(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !s.knows(token) {
			writeProblem(w, http.StatusUnauthorized, "unauthenticated", "This session has ended.")
			return
		}
		next(w, r)
	}
}

func (s *server) knows(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.sessions[token]
	return known
}

// strict fails the test when the widget sends what the protocol does not name.
func (s *server) strict(body []byte, into any) {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		s.t.Errorf("the widget sent %s: %v", body, err)
	}
}

// visited returns what was asked for so far.
func (s *server) visited() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.visits)
}

// texts returns what the conversation holds.
func (s *server) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, len(s.messages))
	for i, m := range s.messages {
		out[i] = m.Text
	}
	return out
}

// with changes the server's state or switches.
func (s *server) with(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func writeProblem(w http.ResponseWriter, status int, code, title string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "title": "Refused", "detail": title, "status": status, "code": code})
}

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }
