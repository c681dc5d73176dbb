package inbox

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/trust/identity"
	"aver/trust/restriction"
	"aver/vault"
	"aver/vault/purpose"
)

// The news that changes carry to the listeners of this process.
type (
	messageNews struct {
		conversation Conversation
		message      Message
		caughtUp     bool // who wrote has thereby read what there was
	}
	stateNews    struct{ conversation Conversation }
	redactedNews messageNews
	readNews     struct {
		conversation Conversation
		byVisitor    bool
		seq          int64
	}
)

// InboxChannel is where those who answer hear of changes to the list.
const InboxChannel = "inbox"

// ChannelOf is where both sides hear of a conversation. A visitor's session may subscribe to it after Conversation has
// shown that it is theirs.
func ChannelOf(id ids.Conversation) string { return id.String() }

// TeamChannelOf is where those who answer hear of a conversation what visitors must not. No visitor is ever subscribed.
func TeamChannelOf(id ids.Conversation) string { return id.String() + "/team" }

// tell publishes what a commit brought.
func (s *Service) tell(done vault.Committed) {
	for i, entry := range done.Entries {
		for _, payload := range done.Payloads[i] {
			s.publishAll(done.Tenant, entry.Index, payload)
		}
	}
}

// publishAll turns one payload into pushes. n names the journal's entry, for other processes.
func (s *Service) publishAll(tenant ids.Tenant, n int64, payload any) {
	switch news := payload.(type) {
	case messageNews:
		c, m := news.conversation, news.message
		if m.Note > 0 {
			s.publish(tenant, TeamChannelOf(c.ID), notePush(m))
			return
		}
		s.publish(tenant, ChannelOf(c.ID), messagePush(c, m))
		if news.caughtUp {
			s.publish(tenant, ChannelOf(c.ID), readPush(m.From == Visitor, m.Seq))
		}
		s.publish(tenant, InboxChannel, listPush(c, n))
	case stateNews:
		s.publish(tenant, ChannelOf(news.conversation.ID), statePush(news.conversation))
		s.publish(tenant, InboxChannel, listPush(news.conversation, n))
	case readNews:
		s.publish(tenant, ChannelOf(news.conversation.ID), readPush(news.byVisitor, news.seq))
		if !news.byVisitor {
			s.publish(tenant, InboxChannel, listPush(news.conversation, n))
		}
	case redactedNews:
		channel := ChannelOf(news.conversation.ID)
		if news.message.Note > 0 {
			channel = TeamChannelOf(news.conversation.ID)
		}
		s.publish(tenant, channel, redactedPush(news.message.Seq, news.message.Note))
		s.publish(tenant, InboxChannel, listPush(news.conversation, n))
	}
}

func (s *Service) publish(tenant ids.Tenant, channel string, p live.Push) {
	if err := s.hub.Publish(live.Topic{Tenant: tenant, Channel: channel}, p); err != nil {
		slog.Error("publish news of a conversation", "kind", p.Kind, "error", err)
	}
}

// Wire is a message as browsers get it; see PROTOCOL.md of the widget.
type Wire struct {
	Conversation ids.Conversation `json:"conversation"`
	Seq          int64            `json:"seq"`
	Note         int64            `json:"note,omitempty"` // of notes only, which no visitor gets
	ClientID     string           `json:"client_id,omitempty"`
	At           string           `json:"at"`
	From         WireFrom         `json:"from"`
	Text         string           `json:"text"`
	Attachments  []WireFile       `json:"attachments"`
	State        string           `json:"state,omitempty"`
	Redacted     bool             `json:"redacted,omitempty"`
}

// WireFrom is who speaks.
type WireFrom struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name,omitempty"`
}

// WireFile is an attachment. URL is a path that a visitor's token opens; those who answer use /attachments/ and the ID.
type WireFile struct {
	ID   ids.Object `json:"id"`
	Name string     `json:"name"`
	Type string     `json:"type"`
	Size int64      `json:"size"`
	URL  string     `json:"url"`
}

const wireTime = "2006-01-02T15:04:05.000Z"

// Wire puts the message into the form for browsers. readTo is how far the other side has read.
func (m Message) Wire(readTo int64) Wire {
	w := Wire{Conversation: m.Conversation, Seq: m.Seq, Note: m.Note, ClientID: m.ClientID, At: m.At.UTC().Format(wireTime),
		From: WireFrom{m.From, m.Name.Reveal()}, Text: m.Text.Reveal(), Attachments: make([]WireFile, 0, len(m.Files)), Redacted: m.Redacted}
	for _, f := range m.Files {
		w.Attachments = append(w.Attachments, WireFile{f.ID, f.Name.Reveal(), f.Kind, f.Size, "/widget/v1/attachments/" + f.ID.String()})
	}
	if m.From == Visitor || m.From == Operator {
		w.State = "sent"
		if m.Seq <= readTo {
			w.State = "read"
		}
	}
	return w
}

// wired is a message that is put into its form for browsers only when somebody listens.
type wired struct {
	message Message
	readTo  int64
}

// MarshalJSON is called once for all listeners.
func (w wired) MarshalJSON() ([]byte, error) { return json.Marshal(w.message.Wire(w.readTo)) }

func messagePush(c Conversation, m Message) live.Push {
	return live.Push{Kind: "message", Epoch: c.Epoch.String(), Offset: m.Seq, Data: wired{message: m}}
}

func notePush(m Message) live.Push {
	return live.Push{Kind: "note", N: m.Note, Data: wired{message: m}}
}

// redactedPush names a note by its own number, a message by its place.
func redactedPush(seq, note int64) live.Push {
	if note > 0 {
		return live.Push{Kind: "redacted", N: note, Data: map[string]int64{"note": note}}
	}
	return live.Push{Kind: "redacted", N: seq, Data: map[string]int64{"seq": seq}}
}

func statePush(c Conversation) live.Push {
	return live.Push{Kind: "conversation", N: 1, Data: map[string]State{"state": c.State}}
}

func readPush(byVisitor bool, seq int64) live.Push {
	by, n := Operator, 2*seq
	if byVisitor {
		by, n = Visitor, 2*seq+1
	}
	return live.Push{Kind: "read", N: n, Data: map[string]any{"by": by, "seq": seq, "state": "read"}}
}

// told is the conversation for the news to all consoles: without words of a restricted person, whom officers and Aver alone change.
func (c Conversation) told(tx *vault.Tx, failed *error) Conversation {
	if *failed != nil || tx.Actor().Kind() != vault.AsSystem && !tx.Actor().Has(vault.DPO) {
		return c
	}
	withheld, err := restriction.Withheld(tx, c.Contact, purpose.Support)
	if *failed = err; withheld {
		c.Preview = personal.Text{}
	}
	return c
}

// listed is a conversation in the news to those who answer.
type listed struct{ c Conversation }

// MarshalJSON is called once for all listeners.
func (l listed) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ID       ids.Conversation `json:"id"`
		State    State            `json:"state"`
		Assignee ids.User         `json:"assignee,omitzero"`
		Team     TeamID           `json:"team,omitzero"`
		Unread   int              `json:"unread"`
		LastSeq  int64            `json:"last_seq"`
		LastFrom Kind             `json:"last_from"`
		LastAt   string           `json:"last_at"`
		Preview  string           `json:"preview"`
	}{l.c.ID, l.c.State, l.c.Assignee, l.c.Team, l.c.Unread, l.c.LastSeq, l.c.LastFrom, l.c.LastAt.UTC().Format(wireTime), l.c.Preview.Reveal()})
}

func listPush(c Conversation, entry int64) live.Push {
	return live.Push{Kind: "conversation", N: entry + 1, Data: listed{c}} // an N of 0 means none
}

func typingPush(on bool, kind Kind, name personal.Text) live.Push {
	n := map[bool]int64{false: 1, true: 2}[on]
	return live.Push{Kind: "typing", N: n, Data: map[string]any{"on": on, "from": WireFrom{kind, name.Reveal()}}}
}

// Typing tells the other side that somebody writes, or stopped. It is told and forgotten.
func (s *Service) Typing(ctx context.Context, actor vault.Actor, conv ids.Conversation, on bool) error {
	channel, push := ChannelOf(conv), live.Push{}
	err := s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		if _, err := mine(tx, conv); err != nil {
			return err
		}
		if actor.Kind() == vault.AsPerson {
			channel, push = TeamChannelOf(conv), typingPush(on, Visitor, personal.Text{})
			return s.people.Welcome(tx, actor.Subject())
		}
		name, err := nameOf(tx, actor.User())
		push = typingPush(on, Operator, name)
		return err
	})
	if err != nil {
		return err
	}
	return s.hub.Publish(live.Topic{Tenant: actor.Tenant(), Channel: channel}, push)
}

// Fetch reads again what another process published; it fits live.Fetch.
func (s *Service) Fetch(ctx context.Context, topic live.Topic, kind string, n int64) (push live.Push, err error) {
	actor := identity.System(topic.Tenant, "inbox")
	if topic.Channel == InboxChannel {
		return s.fetchListed(ctx, actor, n)
	}
	name, team := strings.CutSuffix(topic.Channel, "/team")
	id, err := ids.ParseConversation(name)
	if err != nil {
		return push, errs.New(errs.NotFound, "There is no such channel here.")
	}
	err = s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		c, err := mine(tx, id)
		if err != nil {
			return err
		}
		push, err = fetch(tx, c, kind, n, team)
		return err
	})
	return push, err
}

func fetch(tx *vault.Tx, c Conversation, kind string, n int64, team bool) (live.Push, error) {
	switch {
	case kind == "typing":
		return typingPush(n == 2, map[bool]Kind{true: Visitor, false: Operator}[team], personal.Text{}), nil
	case kind == "read" && !team:
		return readPush(n%2 == 1, n/2), nil
	case kind == "conversation" && !team:
		return statePush(c), nil
	case kind == "redacted" && team:
		return redactedPush(0, n), nil
	case kind == "redacted":
		return redactedPush(n, 0), nil
	}
	tail := "contact = ? AND conversation = ? AND seq = ? AND note = 0"
	if kind == "note" && team {
		tail = "contact = ? AND conversation = ? AND note = ? ORDER BY seq DESC LIMIT 1"
	} else if kind != "message" || team {
		return live.Push{}, errs.New(errs.NotFound, "There is no such news here.")
	}
	lines, err := Messages.Find(tx, tail, c.Contact, c.ID, n)
	if err != nil {
		return live.Push{}, err
	}
	if len(lines) == 0 {
		return live.Push{}, errs.New(errs.NotFound, "There is no such message.")
	}
	list, err := messagesOf(tx, lines)
	if err != nil {
		return live.Push{}, err
	}
	if team {
		return notePush(list[0]), nil
	}
	return messagePush(c, list[0]), nil
}

// fetchListed finds the conversation by the journal's entry.
func (s *Service) fetchListed(ctx context.Context, actor vault.Actor, n int64) (push live.Push, err error) {
	entries, err := s.vault.Entries(ctx, actor.Tenant(), n-1, 1)
	if err != nil {
		return push, err
	}
	for _, entry := range entries {
		for _, ev := range entry.Events {
			if id, err := ids.ParseConversation(ev.Object); err == nil {
				err = s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
					c, err := mine(tx, id)
					push = listPush(c.told(tx, &err), n-1)
					return err
				})
				return push, err
			}
		}
	}
	return push, errs.New(errs.NotFound, "There is no such news here.")
}
