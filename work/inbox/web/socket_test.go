package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aver/base/ids"
	"aver/frame/live"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

// talk is an open console socket.
type talk struct {
	t      *testing.T
	conn   *websocket.Conn
	id     int
	pushes []string // kinds, as they came before an answer
}

func (h *house) dial(t *testing.T, session, origin string) (*websocket.Conn, int) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	header := http.Header{"Cookie": {identity.CookieName + "=" + session}}
	if origin == "own" {
		origin = server.URL
	}
	if origin != "" {
		header.Set("Origin", origin)
	}
	dialer := websocket.Dialer{Subprotocols: []string{live.Subprotocol}}
	conn, answer, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/live", header)
	if err != nil {
		return nil, answer.StatusCode
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, http.StatusSwitchingProtocols
}

func (h *house) talk(t *testing.T, who user) *talk {
	t.Helper()
	conn, status := h.dial(t, who.session, "own")
	if conn == nil {
		t.Fatalf("refused with %d", status)
	}
	return &talk{t: t, conn: conn}
}

// ask returns the answer as JSON, or the code of the error.
func (k *talk) ask(op string, args map[string]any) string {
	k.t.Helper()
	k.id++
	request := map[string]any{"id": k.id, "op": op}
	for name, value := range args {
		request[name] = value
	}
	must(k.t, k.conn.WriteJSON(request))
	must(k.t, k.conn.SetReadDeadline(time.Now().Add(time.Minute)))
	for {
		var answer struct {
			ID    int
			OK    json.RawMessage
			Error *struct{ Code string }
			Push  string
		}
		must(k.t, k.conn.ReadJSON(&answer))
		switch {
		case answer.Push != "":
			k.pushes = append(k.pushes, answer.Push)
		case answer.Error != nil:
			return answer.Error.Code
		default:
			return string(answer.OK)
		}
	}
}

func TestTheSocketDoesWhatThePagesDo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		maria := h.visitor(t, "Maria Kowal")
		conv := h.receive(t, maria, "hello")
		c, err := h.inbox.Conversation(t.Context(), h.operator.Actor, conv)
		must(t, err)
		k := h.talk(t, h.operator)
		at := map[string]any{"conversation": conv.String()}
		if got := k.ask("list", nil); got != `{"open":1,"mine":0,"unassigned":1}` {
			t.Errorf("list: %s", got)
		}
		known := map[string]any{"conversation": conv.String(), "epoch": c.Epoch.String(), "offset": 0}
		if got := k.ask("subscribe", known); !strings.Contains(got, `"recovered":true,"read":1,"messages":[{`) || !strings.Contains(got, "hello") {
			t.Errorf("subscribe: %s", got)
		}
		if got := k.ask("subscribe", map[string]any{"conversation": conv.String(), "epoch": "", "offset": 0}); got != `{"epoch":"`+c.Epoch.String()+`","offset":1,"recovered":false,"read":1}` {
			t.Errorf("subscribe anew: %s", got)
		}
		client := clientID()
		for _, want := range []string{`{"seq":2,"duplicate":false}`, `{"seq":2,"duplicate":true}`} {
			if got := k.ask("reply", map[string]any{"conversation": conv.String(), "client_id": client, "text": "yes", "note": false, "attachments": []string{}}); got != want {
				t.Errorf("reply: %s", got)
			}
		}
		if got := k.ask("reply", map[string]any{"conversation": conv.String(), "client_id": clientID(), "text": "among us", "note": true, "attachments": []string{}}); got != `{"seq":2,"note":1,"duplicate":false}` {
			t.Errorf("note: %s", got)
		}
		h.receive(t, maria, "thanks")
		if got := k.ask("read", map[string]any{"conversation": conv.String(), "seq": 3}); got != "{}" {
			t.Errorf("read: %s", got)
		}
		if got := k.ask("typing", map[string]any{"conversation": conv.String(), "on": true}); got != "{}" {
			t.Errorf("typing: %s", got)
		}
		k.ask("ping", nil)
		for _, kind := range []string{"message", "note", "conversation", "read"} {
			if !strings.Contains(" "+strings.Join(k.pushes, " ")+" ", " "+kind+" ") {
				t.Errorf("no push of %s among %v", kind, k.pushes)
			}
		}
		k.ask("unsubscribe", at)
		k.pushes = nil
		h.receive(t, maria, "more")
		k.ask("ping", nil)
		if strings.Contains(strings.Join(k.pushes, " "), "message") {
			t.Error("it still listens to the conversation")
		}
	})
}

func TestTheLogTellsWhoListenedAndWhoSearched(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		maria := h.visitor(t, "Maria Kowal")
		conv := h.receive(t, maria, "hello")
		c, err := h.inbox.Conversation(t.Context(), h.operator.Actor, conv)
		must(t, err)
		k := h.talk(t, h.operator)
		for name, one := range map[string]struct {
			look   func()
			action string
			about  ids.Subject
		}{
			"reads what was missed": {func() {
				k.ask("subscribe", map[string]any{"conversation": conv.String(), "epoch": c.Epoch.String(), "offset": 0})
			}, "conversation.read", maria.Subject()},
			"listens from now on": {func() {
				k.ask("subscribe", map[string]any{"conversation": conv.String(), "epoch": "", "offset": 0})
			}, "conversation.read", maria.Subject()},
			"searches on the page":    {func() { h.get("/inbox?q=hello") }, "conversation.search", ids.Subject{}},
			"searches in the palette": {func() { h.get("/inbox/find?q=hello") }, "conversation.search", ids.Subject{}},
		} {
			before, _, _, err := h.Vault.Head(t.Context(), h.Tenant)
			must(t, err)
			one.look()
			entries, err := h.Vault.Entries(t.Context(), h.Tenant, before, 10)
			must(t, err)
			if len(entries) != 1 || entries[0].Action != one.action || entries[0].Actor != h.operator.ID() || entries[0].Subject != one.about {
				t.Errorf("who %s: the log says %+v", name, entries)
			}
		}
	})
}

func TestTheSocketIsForThoseWhoMay(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	conv := h.receive(t, h.visitor(t, "Maria Kowal"), "hello")
	for origin, status := range map[string]int{"": 403, "https://evil.example": 403, "null": 403} {
		if _, got := h.dial(t, h.operator.session, origin); got != status {
			t.Errorf("from %q: %d", origin, got)
		}
	}
	if _, got := h.dial(t, "avs_nonsense", "own"); got != 401 {
		t.Errorf("without a session: %d", got)
	}
	auditor := h.talk(t, h.join(t, "Ada Auditor", vault.Auditor))
	made := ids.NewConversation(vaulttest.Start).String()
	for _, op := range []string{"list", "subscribe", "typing", "read", "reply"} {
		args := map[string]any{"list": nil, "subscribe": map[string]any{"conversation": conv.String(), "epoch": "", "offset": 0}, "typing": map[string]any{"conversation": conv.String(), "on": true},
			"read": map[string]any{"conversation": conv.String(), "seq": 1}, "reply": map[string]any{"conversation": conv.String(), "text": "x"}}[op]
		m, _ := args.(map[string]any)
		if got := auditor.ask(op, m); got != "forbidden" {
			t.Errorf("an auditor asks %s: %s", op, got)
		}
		if op == "list" {
			continue
		}
		m["conversation"] = made
		if got := h.talk(t, h.operator).ask(op, m); got != "not-found" {
			t.Errorf("%s of what does not exist: %s", op, got)
		}
	}
	k := h.talk(t, h.operator)
	for _, args := range []map[string]any{{"conversation": "cnv_x"}, {"conversation": inbox.TeamChannelOf(conv)}, {"conversation": conv.String(), "extra": 1}} {
		if got := k.ask("subscribe", args); got != "invalid" {
			t.Errorf("%v: %s", args, got)
		}
	}
}

func TestWhoIsDisabledIsCut(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	h.identity.OnRevoked(func(tenant ids.Tenant, credential ids.Credential, person ids.Subject) {
		for _, channel := range []string{credential.String(), person.String()} {
			if channel != "" {
				h.hub.Dismiss(live.Topic{Tenant: tenant, Channel: channel}, live.CloseRevoked)
			}
		}
	})
	k := h.talk(t, h.operator)
	k.ask("list", nil)
	must(t, h.identity.Disable(t.Context(), h.owner.Actor, h.operator.User()))
	must(t, k.conn.SetReadDeadline(time.Now().Add(time.Minute)))
	_, _, err := k.conn.ReadMessage()
	if !websocket.IsCloseError(err, live.CloseRevoked) {
		t.Errorf("the socket ended with %v", err)
	}
	if _, status := h.dial(t, h.operator.session, "own"); status != 401 {
		t.Errorf("and can be opened again: %d", status)
	}
}
