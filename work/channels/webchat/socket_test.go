package webchat_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"aver/base/ids"
	"aver/work/channels/webchat"
	"aver/work/inbox"
	"aver/work/inbox/hours"
)

// socket is a widget's connection. What arrives is kept in order of arrival.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
	n    int
	news []object
	code int // of the close frame
}

const patience = 40 * time.Second

// dial opens a socket without a word.
func (h *house) dial(headers ...string) (*socket, error) {
	h.t.Helper()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Subprotocols: []string{"aver.v1"}, HandshakeTimeout: patience}
	header := http.Header{"Origin": {h.base}, "X-Forwarded-For": {h.place}}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	conn, res, err := d.DialContext(h.t.Context(), "wss"+strings.TrimPrefix(h.base, "https")+"/widget/v1/socket", header)
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	h.t.Cleanup(func() { conn.Close() })
	return &socket{t: h.t, conn: conn}, nil
}

// connects opens a socket and says hello.
func (v *visitor) connects() *socket {
	v.t.Helper()
	s, err := v.dial()
	must(v.t, err)
	if _, refusal := s.call("hello", object{"token": v.token}); refusal != nil {
		v.t.Fatalf("hello was refused: %v", refusal)
	}
	return s
}

// follows subscribes to a conversation from what the client has.
func (s *socket) follows(conv, epoch string, offset float64) object {
	s.t.Helper()
	ok, refusal := s.call("subscribe", object{"channel": conv, "epoch": epoch, "offset": offset})
	if refusal != nil {
		s.t.Fatalf("subscribe was refused: %v", refusal)
	}
	return ok
}

// call sends a request and waits for its reply; pushes in between are kept.
func (s *socket) call(op string, args object) (ok, refusal object) {
	s.t.Helper()
	s.n++
	request := object{"id": s.n, "op": op}
	for k, v := range args {
		request[k] = v
	}
	must(s.t, s.conn.WriteJSON(request))
	for {
		frame, open := s.read()
		if !open {
			s.t.Fatalf("closed with %d before the reply to %s", s.code, op)
		}
		if id, is := frame["id"].(float64); is && int(id) == s.n {
			ok, _ = frame["ok"].(object)
			refusal, _ = frame["error"].(object)
			return ok, refusal
		}
		s.news = append(s.news, frame)
	}
}

func (s *socket) read() (object, bool) {
	s.t.Helper()
	must(s.t, s.conn.SetReadDeadline(time.Now().Add(patience)))
	_, text, err := s.conn.ReadMessage()
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		s.code = closed.Code
		return nil, false
	}
	must(s.t, err)
	var frame object
	must(s.t, json.Unmarshal(text, &frame))
	return frame, true
}

// hears waits for a push of a kind and returns it.
func (s *socket) hears(kind string) object {
	s.t.Helper()
	for {
		if i := slices.IndexFunc(s.news, func(f object) bool { return f["push"] == kind }); i >= 0 {
			frame := s.news[i]
			s.news = slices.Delete(s.news, i, i+1)
			return frame
		}
		frame, open := s.read()
		if !open {
			s.t.Fatalf("closed with %d while waiting for %s", s.code, kind)
		}
		s.news = append(s.news, frame)
	}
}

// ends waits for the close frame and returns its code.
func (s *socket) ends() int {
	s.t.Helper()
	for {
		frame, open := s.read()
		if !open {
			return s.code
		}
		s.news = append(s.news, frame)
	}
}

func texts(messages any) []string {
	var out []string
	list, _ := messages.([]any)
	for _, m := range list {
		out = append(out, m.(object)["text"].(string))
	}
	return out
}

func TestBothSidesHearEachOtherAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		s := v.connects()
		sent, refusal := s.call("send", object{"client_id": uuid.NewString(), "text": "Is the Wren in stock?"})
		if refusal != nil || sent["seq"] != 1.0 || sent["duplicate"] != false {
			t.Fatalf("sent %v, refused %v", sent, refusal)
		}
		conv := sent["conversation"].(string)
		if got := s.follows(conv, "", 0); got["recovered"] != false || got["offset"] != 1.0 {
			t.Errorf("subscribed with %v", got)
		}
		if got := h.reads(conv); !slices.Equal(got, []string{"Is the Wren in stock?"}) {
			t.Errorf("the owner reads %q", got)
		}
		id, err := ids.ParseConversation(conv)
		must(t, err)
		must(t, h.Inbox.Typing(t.Context(), h.owner, id, true))
		if from := s.hears("typing")["data"].(object)["from"].(object); from["name"] != "Ada Kowal" {
			t.Errorf("typing: %v", from)
		}
		h.reply(conv, "It is.")
		push := s.hears("message")
		m := push["data"].(object)
		if m["text"] != "It is." || push["offset"] != 2.0 || push["channel"] != conv || m["from"].(object)["name"] != "Ada Kowal" {
			t.Errorf("heard %v", push)
		}
		if got := s.hears("read")["data"].(object); got["by"] != "operator" || got["seq"] != 2.0 {
			t.Errorf("who answers has not read: %v", got)
		}
		must(t, h.Inbox.SetState(t.Context(), h.owner, id, inbox.Closed, 0))
		if got := s.hears("conversation")["data"].(object)["state"]; got != "closed" {
			t.Errorf("the conversation is %v", got)
		}
		if _, refusal := s.call("read", object{"conversation": conv, "seq": 2}); refusal != nil {
			t.Errorf("read: %v", refusal)
		}
		if got := s.hears("read")["data"].(object); got["by"] != "visitor" || got["seq"] != 2.0 {
			t.Errorf("read: %v", got)
		}
	})
}

func TestAVisitorLearnsWhatWasTakenOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		conv := v.says("my card is 4000 0000")
		id, err := ids.ParseConversation(conv)
		must(t, err)
		s := v.connects()
		if got := s.follows(conv, "", 0); got["redactions"] != 0.0 {
			t.Errorf("subscribed with %v", got)
		}
		_, err = h.Inbox.Reply(t.Context(), h.owner, id, inbox.Outgoing{Text: secret("a difficult customer"), Note: true})
		must(t, err)
		must(t, h.Inbox.Redact(t.Context(), h.owner, id, 1, 1)) // of this nobody hears
		must(t, h.Inbox.Redact(t.Context(), h.owner, id, 1, 0))
		if got := s.hears("redacted")["data"].(object); got["seq"] != 1.0 || len(got) != 1 {
			t.Errorf("heard %v", got)
		}
		if got := v.connects().follows(conv, "", 0); got["redactions"] != 1.0 {
			t.Errorf("subscribed later with %v", got)
		}
	})
}

func TestNotesOfTheTeamNeverReachTheVisitor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		conv := v.says("hello")
		s := v.connects()
		s.follows(conv, "", 0)
		id, err := ids.ParseConversation(conv)
		must(t, err)
		_, err = h.Inbox.Reply(t.Context(), h.owner, id, inbox.Outgoing{ClientID: uuid.NewString(), Text: secret("a difficult customer"), Note: true})
		must(t, err)
		h.reply(conv, "with pleasure")
		if got := s.hears("message")["data"].(object)["text"]; got != "with pleasure" {
			t.Errorf("heard %q", got)
		}
		history, _ := s.call("history", object{"channel": conv, "limit": 100})
		if got := texts(history["messages"]); !slices.Equal(got, []string{"hello", "with pleasure"}) {
			t.Errorf("reads %q", got)
		}
		if slices.ContainsFunc(s.news, func(f object) bool { return f["push"] != "read" }) {
			t.Errorf("also heard %v", s.news)
		}
	})
}

func TestWhatCameWhileTheConnectionWasCutArrivesOnceAndInOrder(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		conv := v.says("one")
		s := v.connects()
		state := s.follows(conv, "", 0)
		s.conn.NetConn().Close() // as a tunnel does it: no word to either side
		for _, text := range []string{"two", "three", "four"} {
			h.reply(conv, text)
		}
		again := v.connects()
		got := again.follows(conv, state["epoch"].(string), state["offset"].(float64))
		if got["recovered"] != true || got["offset"] != 4.0 || !slices.Equal(texts(got["messages"]), []string{"two", "three", "four"}) {
			t.Errorf("recovered %v", got)
		}
		h.reply(conv, "five")
		if push := again.hears("message"); push["offset"] != 5.0 {
			t.Errorf("then %v", push)
		}
		if slices.ContainsFunc(again.news, func(f object) bool { return f["push"] != "read" }) {
			t.Errorf("and %v", again.news)
		}
		if got := again.follows(conv, uuid.NewString(), 2); got["recovered"] != false || got["messages"] != nil {
			t.Errorf("of another epoch it recovered %v", got)
		}
		if got := again.follows(conv, state["epoch"].(string), 99); got["recovered"] != false {
			t.Errorf("from the future it recovered %v", got)
		}
	})
}

func TestAMessageSentAgainIsStoredOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		s := v.connects()
		client := uuid.NewString()
		first, _ := s.call("send", object{"client_id": client, "text": "once"})
		s.conn.NetConn().Close() // the acknowledgement is lost
		again := v.does("send", object{"client_id": client, "text": "once"})
		if again["duplicate"] != true || again["seq"] != first["seq"] || again["conversation"] != first["conversation"] {
			t.Errorf("first %v, again %v", first, again)
		}
		if got := h.reads(first["conversation"].(string)); !slices.Equal(got, []string{"once"}) {
			t.Errorf("stored %q", got)
		}
	})
}

func TestASocketThatProvesNothingIsClosed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		for name, first := range map[string]object{
			"no token":                {"id": 1, "op": "hello"},
			"a made-up token":         {"id": 1, "op": "hello", "token": v.token[:len(v.token)-4] + "zzzz"},
			"a token cut short":       {"id": 1, "op": "hello", "token": v.token[:40]},
			"a token of another kind": {"id": 1, "op": "hello", "token": "avs" + v.token[3:]},
		} {
			s, err := h.dial()
			must(t, err)
			must(t, s.conn.WriteJSON(first))
			if code := s.ends(); code != 3500 {
				t.Errorf("%s: closed with %d", name, code)
			}
		}
		s, err := h.dial()
		must(t, err)
		must(t, s.conn.WriteJSON(object{"id": 1, "op": "history", "channel": ids.NewConversation(time.Now()).String()}))
		if code := s.ends(); code != 3502 {
			t.Errorf("without hello: closed with %d", code)
		}
		if _, err := h.dial("Origin", "https://evil.example"); err == nil {
			t.Error("a page of another site opened a socket")
		}
	})
}

func TestSettingsReachOpenWidgets(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.visitor(nil).connects()
		h.settings(func(set *webchat.Settings) { set.Name, set.Accent, set.NoFiles = "Kowal & Daughters", "#884400", true })
		got := s.hears("config")["data"].(object)
		if got["name"] != "Kowal & Daughters" || got["accent"] != "#884400" || len(got["attachments"].(object)["types"].([]any)) != 0 {
			t.Errorf("told %v", got)
		}
	})
}

func TestOfficeHoursReachOpenWidgets(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.visitor(nil).connects()
		never := hours.Hours{Limited: true, Away: "We are at the races."}
		must(t, h.Inbox.SetHours(t.Context(), h.owner, never))
		if got := s.hears("config")["data"].(object); got["online"] != false || got["offline_message"] != "We are at the races." || got["until"] != "" {
			t.Errorf("told %v", got)
		}
		soon := never
		for day := range soon.Week { // in some hour or other it changes
			soon.Week[day] = []hours.Span{{From: 60, To: 120}, {From: 600, To: 660}}
		}
		must(t, h.Inbox.SetHours(t.Context(), h.owner, soon))
		pushed := s.hears("config")["data"].(object)
		until, err := time.Parse(time.RFC3339, pushed["until"].(string))
		now := time.Now()
		if err != nil || !until.After(now) || soon.Open(until) == soon.Open(now) {
			t.Errorf("told %v", pushed)
		}
		asked := h.ask("GET", "/widget/v1/config?lang=en&w="+h.site, "", nil).json(t)
		for field, want := range pushed {
			if got := asked[field]; !reflect.DeepEqual(got, want) {
				t.Errorf("told that %s is %v, who asks is answered %v", field, want, got)
			}
		}
	})
}

func TestWhoAsksTooMuchIsRefusedAndThenCut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := h.visitor(nil).connects()
		var refusal object
		for range 150 {
			if _, refusal = s.call("ping", nil); refusal != nil {
				break
			}
		}
		if refusal["code"] != "too-many" || refusal["retry_after"] == nil {
			t.Errorf("refused with %v", refusal)
		}
		for range 200 {
			_ = s.conn.WriteJSON(object{"id": 1, "op": "ping"}) // it may be closed already
		}
		if code := s.ends(); code != 3013 {
			t.Errorf("closed with %d", code)
		}
	})
}

func TestACrowdBehindAProxyKeepsNobodyElseBehindItOut(t *testing.T) {
	t.Parallel()
	h := open(t, on(t, "sqlite"))
	const crowd, most = "203.0.113.7", 600
	var refused atomic.Bool
	var tried atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for tried.Add(1) <= most && !refused.Load() {
				if _, err := h.dial("X-Forwarded-For", crowd); errors.Is(err, websocket.ErrBadHandshake) {
					refused.Store(true)
				}
			}
		})
	}
	all.Wait()
	if !refused.Load() {
		t.Errorf("%d sockets were opened from one address", most)
	}
	if _, err := h.dial("X-Forwarded-For", "203.0.113.8"); err != nil {
		t.Errorf("another address: %v", err)
	}
}

func TestTheFallbackSaysTheSame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.visitor(nil)
		if hello := v.does("hello", nil); hello["contact"] != v.contact {
			t.Errorf("hello: %v", hello)
		}
		conv := v.says("one")
		h.reply(conv, "two")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", h.base+"/widget/v1/events?epoch=&offset=0&channel="+conv, nil)
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+v.token)
		res, err := browserless.Do(r)
		must(t, err)
		defer res.Body.Close()
		if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
			t.Fatalf("%d %s", res.StatusCode, kind)
		}
		lines := bufio.NewScanner(res.Body)
		next := func(event string) object {
			t.Helper()
			var data object
			for at := ""; lines.Scan(); {
				if name, is := strings.CutPrefix(lines.Text(), "event: "); is {
					at = name
				}
				if text, is := strings.CutPrefix(lines.Text(), "data: "); is && at == event {
					must(t, json.Unmarshal([]byte(text), &data))
					return data
				}
			}
			t.Fatalf("the stream ended before %s: %v", event, lines.Err())
			return nil
		}
		if got := next("subscribe"); got["offset"] != 2.0 || got["recovered"] != false {
			t.Errorf("subscribed with %v", got)
		}
		h.reply(conv, "three")
		if got := next("push"); got["push"] != "message" || got["offset"] != 3.0 || got["data"].(object)["text"] != "three" {
			t.Errorf("pushed %v", got)
		}
		must(t, h.Identity.RevokeSubject(t.Context(), h.tenant, v.id()))
		if got := next("close"); got["code"] != 3501.0 {
			t.Errorf("closed with %v", got)
		}
	})
}
