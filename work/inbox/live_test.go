package inbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/vault"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
	"aver/work/inbox"
)

// frame is a push as a browser gets it.
type frame struct {
	ID      int64           `json:"id"`
	Push    string          `json:"push"`
	Channel string          `json:"channel"`
	Epoch   string          `json:"epoch"`
	Offset  int64           `json:"offset"`
	Data    json.RawMessage `json:"data"`
}

// ear is an open socket that listens to channels.
type ear struct {
	t    *testing.T
	conn *websocket.Conn
}

// listen opens a socket of somebody's that listens to these channels.
func (h *house) listen(t *testing.T, who vault.Actor, channels ...string) *ear {
	t.Helper()
	server := httptest.NewServer(h.hub.WebSocket(&live.Handler{
		Token:    func(context.Context, string, live.Caller) (live.Who, error) { return who, nil },
		Origins:  live.AnyOrigin,
		Channels: func(live.Who) []string { return channels },
	}))
	t.Cleanup(server.Close)
	dialer := websocket.Dialer{Subprotocols: []string{live.Subprotocol}}
	conn, _, err := dialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"id":1,"op":"hello","token":"x"}`)))
	e := &ear{t, conn}
	if f := e.next(); f.ID != 1 {
		t.Fatalf("hello was answered by %+v", f)
	}
	return e
}

func (e *ear) next() frame {
	e.t.Helper()
	must(e.t, e.conn.SetReadDeadline(time.Now().Add(time.Minute)))
	_, text, err := e.conn.ReadMessage()
	must(e.t, err)
	var f frame
	must(e.t, json.Unmarshal(text, &f))
	return f
}

// until collects what is heard up to a push whose data holds the words.
func (e *ear) until(words string) []frame {
	e.t.Helper()
	var all []frame
	for {
		f := e.next()
		if all = append(all, f); strings.Contains(string(f.Data), words) {
			return all
		}
	}
}

func TestMessagesArePushedInOrderAndNotesToTheTeamAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "first").Conversation
		theirs := h.listen(t, visitor, inbox.ChannelOf(conv))
		ours := h.listen(t, h.operator, inbox.TeamChannelOf(conv))
		list := h.listen(t, h.operator, inbox.InboxChannel)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				ctx := context.Background()
				var err error
				switch i % 4 {
				case 0:
					_, err = h.inbox.Reply(ctx, h.operator, conv, inbox.Outgoing{Text: personal.Of("canary-note"), Note: true})
				case 1:
					_, err = h.inbox.Reply(ctx, h.operator, conv, inbox.Outgoing{Text: personal.Of("reply")})
				default:
					_, err = h.inbox.Receive(ctx, visitor, inbox.Incoming{Conversation: conv, ClientID: clientID(), Text: personal.Of("message")})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		h.note(t, conv, "canary-note, the last")
		h.receive(t, visitor, "the last")

		c, err := h.inbox.Conversation(t.Context(), h.operator, conv)
		must(t, err)
		offset := int64(1)
		for _, f := range theirs.until("the last") {
			if strings.Contains(string(f.Data), "canary") {
				t.Fatalf("the visitor heard %s", f.Data)
			}
			if f.Push != "message" {
				continue
			}
			if offset++; f.Offset != offset || f.Epoch != c.Epoch.String() || f.Channel != conv.String() {
				t.Fatalf("heard offset %d of %q, want %d", f.Offset, f.Epoch, offset)
			}
		}
		if offset != 17 {
			t.Errorf("heard up to %d", offset)
		}
		notes := 0
		for _, f := range ours.until("the last") {
			if f.Push == "note" {
				notes++
			}
		}
		if notes != 6 {
			t.Errorf("the team heard %d notes", notes)
		}
		for _, f := range list.until("the last") {
			if f.Push != "conversation" || strings.Contains(string(f.Data), "canary") {
				t.Fatalf("the list heard %s %s", f.Push, f.Data)
			}
		}
	})
}

// What another process reads again is what this one pushed.
func TestNewsCanBeReadAgainByAnotherProcess(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "first").Conversation
		heard := map[string]*ear{}
		for _, channel := range []string{inbox.ChannelOf(conv), inbox.TeamChannelOf(conv), inbox.InboxChannel} {
			heard[channel] = h.listen(t, h.operator, channel)
		}
		again := func(channel, kind string, n int64) string {
			push, err := h.inbox.Fetch(t.Context(), live.Topic{Tenant: h.Tenant, Channel: channel}, kind, n)
			must(t, err)
			text, err := json.Marshal(push.Data)
			must(t, err)
			return fmt.Sprint(push.Kind, push.Epoch, push.Offset, string(text))
		}
		same := func(channel, kind string, n int64) {
			t.Helper()
			f := heard[channel].next()
			if got, want := again(channel, kind, n), fmt.Sprint(f.Push, f.Epoch, f.Offset, string(f.Data)); got != want {
				t.Errorf("%s on %s: read again as %s, pushed as %s", kind, channel, got, want)
			}
		}
		head := func() int64 {
			size, _, _, err := h.Vault.Head(t.Context(), h.Tenant)
			must(t, err)
			return size // of the last entry, plus one
		}
		h.reply(t, conv, "an answer")
		same(inbox.ChannelOf(conv), "message", 2)
		same(inbox.ChannelOf(conv), "read", 2*2)
		same(inbox.InboxChannel, "conversation", head())
		h.note(t, conv, "among us")
		same(inbox.TeamChannelOf(conv), "note", 1)
		must(t, h.inbox.MarkRead(t.Context(), visitor, conv, 2))
		same(inbox.ChannelOf(conv), "read", 2*2+1)
		must(t, h.inbox.SetState(t.Context(), h.operator, conv, inbox.Closed, 0))
		same(inbox.ChannelOf(conv), "conversation", 1)
		same(inbox.InboxChannel, "conversation", head())
		must(t, h.inbox.Redact(t.Context(), h.operator, conv, 2, 0))
		same(inbox.ChannelOf(conv), "redacted", 2)
		same(inbox.InboxChannel, "conversation", head())
		must(t, h.inbox.Redact(t.Context(), h.operator, conv, 2, 1))
		same(inbox.TeamChannelOf(conv), "redacted", 1)
		must(t, h.inbox.Typing(t.Context(), visitor, conv, true))
		same(inbox.TeamChannelOf(conv), "typing", 2)

		for _, c := range []struct {
			channel, kind string
			n             int64
		}{{"cnv_x", "message", 1}, {inbox.ChannelOf(conv), "message", 99}, {inbox.ChannelOf(conv), "note", 1}, {inbox.TeamChannelOf(conv), "message", 1},
			{inbox.ChannelOf(ids.NewConversation(vaulttest.Start)), "message", 1}, {inbox.InboxChannel, "conversation", 1}} {
			if _, err := h.inbox.Fetch(t.Context(), live.Topic{Tenant: h.Tenant, Channel: c.channel}, c.kind, c.n); !errs.Is(err, errs.NotFound) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if _, err := h.inbox.Fetch(t.Context(), live.Topic{Tenant: h.Other, Channel: conv.String()}, "message", 1); !errs.Is(err, errs.NotFound) {
			t.Errorf("from another tenant: %v", err)
		}
		last := head()
		must(t, h.Vault.EraseSubject(t.Context(), vaulttest.System(h.Tenant), vault.Act("test.erase", purpose.Own, vault.System()), visitor.Subject(), "test"))
		if n, err := h.Vault.FinishErasures(t.Context(), h.Tenant); n != 1 || err != nil {
			t.Errorf("%d people are erased, %v", n, err)
		}
		if got, err := h.inbox.Fetch(t.Context(), live.Topic{Tenant: h.Tenant, Channel: inbox.InboxChannel}, "conversation", last); !errs.Is(err, errs.NotFound) {
			t.Errorf("of somebody who was erased: %+v, %v", got, err)
		}
	})
}

// Everybody who answers listens to the news of the list, also who is not shown a restricted person's row.
func TestTheNewsOfTheListHoldsNoWordsOfARestrictedPersonWhomTheListDoesNotShow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		visitor := h.visitor(t, h.Tenant)
		conv := h.receive(t, visitor, "my hidden words").Conversation
		stand := func(kinds ...purpose.Kind) {
			must(t, h.Vault.Do(t.Context(), vaulttest.System(h.Tenant), vault.Act("test.restrict", purpose.Storage, vault.System()), func(tx *vault.Tx) error {
				_, err := vault.Standings.DeleteWhere(tx, "person = ?", visitor.Subject())
				for _, kind := range kinds {
					name := purpose.All
					if kind != purpose.Restrict {
						name = purpose.Support
					}
					err = errors.Join(err, vault.Standings.Put(tx, vault.Standing{Person: visitor.Subject(), Kind: kind, Purpose: name, Since: tx.Now()}))
				}
				return err
			}))
		}
		officer := h.user(t, h.Tenant, "Ines Moreau", vault.Administrator, vault.DPO)
		ear := h.listen(t, h.operator, inbox.InboxChannel)
		state := inbox.Open
		told := func(what string) string {
			t.Helper()
			if what == "redaction" {
				must(t, h.inbox.Redact(t.Context(), officer, conv, 1, 0))
			} else {
				state = map[inbox.State]inbox.State{inbox.Open: inbox.Closed, inbox.Closed: inbox.Open}[state]
				must(t, h.inbox.SetState(t.Context(), officer, conv, state, 0))
			}
			f := ear.next()
			head, _, _, err := h.Vault.Head(t.Context(), h.Tenant)
			must(t, err)
			again, err := h.inbox.Fetch(t.Context(), live.Topic{Tenant: h.Tenant, Channel: inbox.InboxChannel}, "conversation", head)
			must(t, err)
			if text, err := json.Marshal(again.Data); err != nil || string(text) != string(f.Data) {
				t.Errorf("%s: read again as %s, pushed as %s", what, text, f.Data)
			}
			return string(f.Data)
		}
		for _, c := range []struct {
			what  string
			kinds []purpose.Kind
			said  bool
		}{
			{"restricted", []purpose.Kind{purpose.Restrict}, false},
			{"restricted, and agrees to support", []purpose.Kind{purpose.Restrict, purpose.Granted}, true},
			{"restricted but for support", []purpose.Kind{purpose.Restrict, purpose.Excepted}, true},
			{"not restricted", []purpose.Kind{purpose.Granted}, true},
		} {
			stand(c.kinds...)
			if got := told(c.what); !strings.Contains(got, conv.String()) || strings.Contains(got, "my hidden words") != c.said {
				t.Errorf("of somebody %s the news is %s", c.what, got)
			}
		}
		stand(purpose.Granted)
		h.receive(t, visitor, "my last words")
		ear.until("my last words")
		stand(purpose.Restrict)
		if got := told("redaction"); strings.Contains(got, "my last words") {
			t.Errorf("a redaction brings %s", got)
		}
	})
}

func TestAMessageLooksAsTheWidgetsProtocolSays(t *testing.T) {
	t.Parallel()
	h := furnish(t, vaulttest.Embedded(t, config(t)))
	visitor := h.visitor(t, h.Tenant)
	f, err := h.inbox.Upload(t.Context(), visitor, visitor.Subject(), personal.Of("a.txt"), strings.NewReader("text"))
	must(t, err)
	client := clientID()
	ack, err := h.inbox.Receive(t.Context(), visitor, inbox.Incoming{ClientID: client, Text: personal.Of(`a "quoted" <b>`), Attachments: []ids.Object{f.ID}})
	must(t, err)
	h.reply(t, ack.Conversation, "yes")
	list, _, err := h.inbox.History(t.Context(), visitor, ack.Conversation, 0, 10)
	must(t, err)
	for i, want := range []string{
		`{"conversation":"` + ack.Conversation.String() + `","seq":1,"client_id":"` + client + `","at":"2026-11-22T09:00:00.000Z","from":{"kind":"visitor"},"text":"a \"quoted\" \u003cb\u003e",` +
			`"attachments":[{"id":"` + f.ID.String() + `","name":"a.txt","type":"text/plain","size":4,"url":"/widget/v1/attachments/` + f.ID.String() + `"}],"state":"read"}`,
		`"from":{"kind":"operator","name":"Ines Moreau"},"text":"yes","attachments":[],"state":"sent"}`,
	} {
		text, err := json.Marshal(list[i].Wire(1))
		must(t, err)
		if !strings.HasSuffix(string(text), want) {
			t.Errorf("written as %s", text)
		}
	}
}
