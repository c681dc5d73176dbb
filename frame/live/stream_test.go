package live_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/eventually"
	"aver/frame/live"
)

// events is an open event stream, read line by line.
type events struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  context.CancelFunc
}

func streaming() *live.Handler {
	h := handler()
	h.Stream = func(_ context.Context, s *live.Session, query url.Values) (any, error) {
		switch channel := query.Get("channel"); channel {
		case "":
			return nil, nil
		case "cnv_foreign":
			return nil, errs.New(errs.NotFound, "There is no such conversation.")
		default:
			return map[string]any{"recovered": true, "offset": query.Get("offset")}, s.Subscribe(channel)
		}
	}
	return h
}

func (p *place) get(t *testing.T, query, token string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, p.server.URL+"/events?"+query, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := p.server.Client().Do(r)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = response.Body.Close() })
	return response
}

func (p *place) stream(t *testing.T, query, token string) *events {
	t.Helper()
	response := p.get(t, query, token)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %s %s", response.Status, response.Header.Get("Content-Type"))
	}
	return &events{t: t, lines: bufio.NewScanner(response.Body), stop: func() { _ = response.Body.Close() }}
}

// next returns the next event, or the name "comment".
func (e *events) next() (name, data string) {
	e.t.Helper()
	for e.lines.Scan() {
		switch line := e.lines.Text(); {
		case line == "" && name != "":
			return name, data
		case strings.HasPrefix(line, ":"):
			name = "comment"
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data = line[len("data: "):]
		}
	}
	e.t.Fatalf("the stream ended: %v", e.lines.Err())
	return "", ""
}

func (e *events) want(name, data string) {
	e.t.Helper()
	if gotName, gotData := e.next(); gotName != name || gotData != data {
		e.t.Errorf("got %s %s, want %s %s", gotName, gotData, name, data)
	}
}

func TestAStreamCarriesTheSamePushes(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		p := serve(t, live.Options{}, streaming(), secure)
		e := p.stream(t, "channel=cnv_1&epoch=e&offset=17", "acme:ada")
		e.want("subscribe", `{"offset":"17","recovered":true}`)
		_ = p.Publish(live.Topic{Tenant: bolt, Channel: "cnv_1"}, live.Push{Kind: "message", Data: "bolt's"})
		_ = p.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "message", Epoch: "e", Offset: 18, Data: "line\nbreak"})
		e.want("push", `{"push":"message","channel":"cnv_1","epoch":"e","offset":18,"data":"line\nbreak"}`)
		_ = p.Publish(live.Topic{Tenant: acme, Channel: "person ada"}, live.Push{Kind: "config"})
		e.want("push", `{"push":"config","channel":"person ada"}`)
		p.Kick(func(live.Who) bool { return true }, live.CloseRevoked)
		e.want("close", `{"code":3501,"reason":""}`)
		if e.lines.Scan() || e.lines.Err() != nil {
			t.Errorf("after the last event: %q %v", e.lines.Text(), e.lines.Err())
		}
		e = p.stream(t, "", "acme:ada") // the connection is still good for another request
		e.want("subscribe", `{}`)
		e.stop()
		eventually.Must(t, "it is gone", func() bool { return p.Stats().Connections == 0 })
	}
}

func TestAStreamIsKeptAlive(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2=%v", secure), func(t *testing.T) {
			t.Parallel() // silence outlasts both the limit for one write and the server's for an answer
			p := serve(t, live.Options{PingEvery: 1500 * time.Millisecond, WriteWait: 500 * time.Millisecond}, streaming(), secure)
			e := p.stream(t, "", "acme:ada")
			e.want("subscribe", `{}`)
			e.want("comment", "")
			e.want("comment", "")
		})
	}
}

func TestAStreamThatIsRefusedSaysWhy(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{PerTenant: 1}, streaming(), false)
	for _, c := range []struct {
		query, token string
		status       int
	}{{"", "", 401}, {"", "umbra:eve", 401}, {"", "erased:ada", 410}, {"channel=cnv_foreign", "acme:ada", 404}} {
		response := p.get(t, c.query, c.token)
		var problem errs.Problem
		err := json.NewDecoder(response.Body).Decode(&problem)
		if response.StatusCode != c.status || err != nil || problem.Status != c.status || response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: got %s %+v", c, response.Status, problem)
		}
	}
	if n := p.Stats().Connections; n != 0 {
		t.Errorf("%d connections are counted", n)
	}
	p.connect(t, "acme:ada")
	if response := p.get(t, "", "acme:ada"); response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") == "" {
		t.Errorf("over the tenant's limit: %s", response.Status)
	}
}

func TestAStreamThatIsNotReadIsCut(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{WriteWait: 300 * time.Millisecond}, streaming(), true)
	quick := p.connect(t, "acme:bob")
	quick.ask("subscribe", `"channel":"cnv_1"`)
	p.stream(t, "channel=cnv_1", "acme:ada") // and never looks at it
	for sent := 1; p.Stats().Connections == 2; sent++ {
		_ = p.Publish(live.Topic{Tenant: acme, Channel: "cnv_1"}, live.Push{Kind: "message", Offset: int64(sent), Data: strings.Repeat("x", 30_000)})
		if m := quick.next(); m.Offset != int64(sent) {
			t.Fatalf("the quick one got %d instead of %d", m.Offset, sent)
		}
	}
}

func (p *place) post(t *testing.T, body, token string) (int, string) {
	t.Helper()
	r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, p.server.URL+"/send", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := p.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestSendServesOneRequest(t *testing.T) {
	t.Parallel()
	p := serve(t, live.Options{}, streaming(), false)
	for _, c := range []struct {
		body, token string
		status      int
		reply       string
	}{
		{`{"op":"echo","a":{"b":1}}`, "acme:ada", 200, `{"ok":{"a":{"b":1}}}`},
		{`{"op":"hello"}`, "acme:ada", 200, `{"ok":{}}`},
		{`{"op":"nothing"}`, "acme:ada", 422, `"code":"invalid"`},
		{`{"op":"subscribe","channel":"cnv_1"}`, "acme:ada", 409, `"code":"conflict"`},
		{`{"op":"panic"}`, "acme:ada", 500, `"code":"internal"`},
		{`{"op":"echo","op":"panic"}`, "acme:ada", 422, `"code":"invalid"`},
		{`{"op":"echo"}`, "", 401, `"code":"unauthenticated"`},
		{`{"op":"echo"}`, "umbra:eve", 401, `"code":"unauthenticated"`},
		{`{"op":"echo"}`, "erased:ada", 410, `"code":"gone"`},
		{`{"op":"echo","a":"` + strings.Repeat("x", live.MaxFrame) + `"}`, "acme:ada", 413, `"code":"too-large"`},
	} {
		if status, reply := p.post(t, c.body, c.token); status != c.status || !strings.Contains(reply, c.reply) {
			t.Errorf("%.40s: got %d %s", c.body, status, reply)
		}
	}
}
