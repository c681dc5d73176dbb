package widget_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"aver/base/eventually"
)

var upgrader = websocket.Upgrader{Subprotocols: []string{"aver.v1"}, CheckOrigin: func(*http.Request) bool { return true }}

func (s *server) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	refuse := s.refuseSockets
	s.mu.Unlock()
	if refuse {
		http.Error(w, "no sockets here", http.StatusBadGateway)
		return
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		if _, wrong := errors.AsType[websocket.HandshakeError](err); wrong { // else the page was left meanwhile
			s.t.Errorf("upgrade: %v", err)
		}
		return
	}
	l := s.listen(func(code int) {
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
		_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // the client's answer ends the reading below
	})
	defer conn.Close()
	defer s.leave(l)
	go func() {
		for frame := range l.frames {
			_ = conn.WriteMessage(websocket.TextMessage, frame)
		}
	}()
	greeted := false
	for {
		_, body, err := conn.ReadMessage()
		if err != nil {
			return
		}
		var request struct {
			ID    int    `json:"id"`
			Op    string `json:"op"`
			Token string `json:"token"`
		}
		_ = json.Unmarshal(body, &request)
		if !greeted && (request.Op != "hello" || !s.knows(request.Token)) {
			l.stop(3500)
			return
		}
		greeted = true
		reply := s.carryOut(request.Op, body, l)
		if reply == nil { // the acknowledgement is lost
			return
		}
		reply["id"] = request.ID
		s.push(l, reply)
	}
}

func (s *server) serveSend(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var request struct {
		Op string `json:"op"`
	}
	_ = json.Unmarshal(body, &request)
	reply := s.carryOut(request.Op, body, nil)
	status := http.StatusOK
	if reply["error"] != nil {
		status = http.StatusUnprocessableEntity
	}
	writeJSON(w, status, reply)
}

func (s *server) serveEvents(w http.ResponseWriter, r *http.Request) {
	offset, _ := strconv.Atoi(r.FormValue("offset"))
	done := make(chan int, 1)
	l := s.listen(func(code int) { done <- code })
	defer s.leave(l)
	s.mu.Lock()
	l.channel = r.FormValue("channel")
	first, _ := json.Marshal(s.subscription(r.FormValue("epoch"), offset))
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, ": hello\n\nevent: subscribe\ndata: %s\n\n", first)
	w.(http.Flusher).Flush()
	for {
		select {
		case frame := <-l.frames:
			fmt.Fprintf(w, "event: push\ndata: %s\n\n", frame)
			w.(http.Flusher).Flush()
		case code := <-done:
			if code > 0 {
				fmt.Fprintf(w, "event: close\ndata: {\"code\":%d,\"reason\":\"\"}\n\n", code)
			}
			return
		case <-r.Context().Done():
			return
		}
	}
}

// carryOut does one request and returns its reply, or nil when the acknowledgement is to be lost.
func (s *server) carryOut(op string, body []byte, l *listener) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := map[string]any{}
	switch op {
	case "hello":
		ok["contact"] = s.contact
		if len(s.messages) > 0 {
			unread := 0
			for _, m := range s.messages {
				if m.Seq > s.readBy && m.From["kind"] != "visitor" {
					unread++
				}
			}
			ok["conversation"] = map[string]any{"id": conversation, "state": "open", "epoch": s.epoch, "offset": len(s.messages), "unread": unread}
		}
	case "subscribe":
		var in struct {
			request
			Channel string `json:"channel"`
			Epoch   string `json:"epoch"`
			Offset  int    `json:"offset"`
		}
		s.strict(body, &in)
		l.channel = in.Channel
		ok = s.subscription(in.Epoch, in.Offset)
	case "history":
		ok = s.history(body)
	case "send":
		if s.refuseText != "" && strings.Contains(string(body), s.refuseText) {
			return map[string]any{"error": map[string]any{"type": "about:blank", "title": "Refused", "detail": "This message was refused.", "status": 422, "code": "invalid"}}
		}
		if s.onlySigned {
			return map[string]any{"error": map[string]any{"type": "about:blank", "title": "Forbidden", "detail": "Sign in on the site first.", "status": 403, "code": "forbidden",
				"errors": []any{map[string]any{"field": "identity", "code": "unsigned", "message": "Sign in on the site first."}}}}
		}
		if s.needConsent {
			return map[string]any{"error": map[string]any{"type": "about:blank", "title": "Consent is required", "status": 403, "code": "consent-required"}}
		}
		ok = s.receive(body)
		if s.loseNextAck {
			s.loseNextAck = false
			return nil
		}
	case "read":
		var in struct {
			request
			Conversation string `json:"conversation"`
			Seq          int    `json:"seq"`
		}
		s.strict(body, &in)
		s.readBy = in.Seq
	case "set":
		s.strict(body, &struct {
			request
			User, Data, Segments, Events json.RawMessage
		}{})
		s.said = append(s.said, body)
	case "typing", "ping":
	default:
		s.t.Errorf("unknown op %q", op)
	}
	return map[string]any{"ok": ok}
}

type request struct {
	ID int    `json:"id"`
	Op string `json:"op"`
}

func (s *server) subscription(epoch string, offset int) map[string]any {
	missed := len(s.messages) - offset
	out := map[string]any{"epoch": s.epoch, "offset": len(s.messages), "recovered": false, "read": 0, "redactions": s.redacted}
	if epoch == s.epoch && missed <= s.limit {
		out["recovered"], out["messages"] = true, s.messages[offset:]
	}
	return out
}

func (s *server) history(body []byte) map[string]any {
	var in struct {
		request
		Channel string `json:"channel"`
		Before  int    `json:"before"`
		Limit   int    `json:"limit"`
	}
	s.strict(body, &in)
	end := len(s.messages)
	if in.Before > 0 {
		end = in.Before - 1
	}
	start := max(0, end-in.Limit)
	return map[string]any{"messages": s.messages[start:end], "more": start > 0}
}

func (s *server) receive(body []byte) map[string]any {
	var in struct {
		request
		ClientID     string   `json:"client_id"`
		Conversation string   `json:"conversation"`
		Text         string   `json:"text"`
		Attachments  []string `json:"attachments"`
		ReplyToEmail string   `json:"reply_to_email"`
	}
	s.strict(body, &in)
	s.replyTo = in.ReplyToEmail
	seq, again := s.first[in.ClientID]
	if !again {
		files := []map[string]any{}
		for _, id := range in.Attachments {
			file := s.describe(id)
			file["url"] = "/widget/v1/files/" + id
			files = append(files, file)
		}
		seq = s.append(message{ClientID: in.ClientID, From: map[string]any{"kind": "visitor"}, Text: in.Text, Attachments: files})
		s.first[in.ClientID] = seq
	}
	return map[string]any{"conversation": conversation, "seq": seq, "at": s.messages[seq-1].At, "duplicate": again}
}

// append stores a message and tells whoever listens. The caller holds the lock.
func (s *server) append(m message) int {
	m.Conversation, m.Seq, m.At = conversation, len(s.messages)+1, now()
	if m.Attachments == nil {
		m.Attachments = []map[string]any{}
	}
	s.messages = append(s.messages, m)
	if s.loseNextPush {
		s.loseNextPush = false
		return m.Seq
	}
	s.tell(map[string]any{"push": "message", "channel": conversation, "epoch": s.epoch, "offset": m.Seq, "data": m})
	return m.Seq
}

// operator answers in the conversation.
func (s *server) operator(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.append(message{From: map[string]any{"kind": "operator", "name": "Mara"}, Text: text})
}

// redact takes a message out.
func (s *server) redact(seq int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.messages[seq-1]
	m.Text, m.Attachments, m.Redacted = "", []map[string]any{}, true
	s.redacted++
	s.tell(map[string]any{"push": "redacted", "channel": conversation, "data": map[string]any{"seq": seq}})
}

// heard waits until somebody listens to the conversation. What is no message is pushed once, and nobody asks for what came
// before.
func (s *server) heard() {
	s.t.Helper()
	eventually.Must(s.t, "somebody who listens", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for l := range s.listeners {
			if l.channel == conversation {
				return true
			}
		}
		return false
	})
}

// announce pushes something that is not a message.
func (s *server) announce(push string, data map[string]any) {
	s.heard()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(map[string]any{"push": push, "channel": conversation, "data": data})
}

// configure changes the configuration and tells those who listen.
func (s *server) configure(changes map[string]any) {
	s.heard()
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.config, changes)
	s.tell(map[string]any{"push": "config", "data": changes})
}

func (s *server) tell(frame map[string]any) {
	for l := range s.listeners {
		if l.channel == conversation {
			s.push(l, frame)
		}
	}
}

func (s *server) push(l *listener, frame map[string]any) {
	body, err := json.Marshal(frame)
	if err != nil {
		s.t.Errorf("frame: %v", err)
	}
	select {
	case l.frames <- body:
	default:
		s.t.Error("a listener is full")
	}
}

func (s *server) listen(stop func(code int)) *listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &listener{frames: make(chan []byte, 256), stop: stop}
	s.listeners[l] = true
	return l
}

func (s *server) leave(l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// cut closes every socket and stream.
func (s *server) cut(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		delete(s.listeners, l)
		l.stop(code)
	}
}
