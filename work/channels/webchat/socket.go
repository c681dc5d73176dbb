package webchat

import (
	"context"
	"net/url"
	"strconv"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/frame/mail"
	"aver/vault"
	"aver/work/inbox"
)

func version(n int) string { return strconv.Itoa(n) }

// socket is what the widget can ask for over its socket, or over the fallback.
func (s *Service) socket() *live.Handler {
	return &live.Handler{
		Token: func(ctx context.Context, token string, from live.Caller) (live.Who, error) {
			actor, err := s.identity.Visitor(ctx, token)
			if err == nil && from.OptsOut {
				err = s.limits.Signal(ctx, actor)
			}
			return actor, err
		},
		Again: func(ctx context.Context, who live.Who) (live.Who, error) {
			return s.identity.Again(ctx, who.(vault.Actor))
		},
		Origins:  live.SameOrigin, // the frame is served from here, so its own page opens the socket
		Channels: channels,
		Stream:   s.stream,
		Ops: map[string]live.Op{
			"hello":     live.Typed(s.hello),
			"subscribe": live.Typed(s.subscribe),
			"history":   live.Typed(s.history),
			"send":      live.Typed(s.send),
			"typing":    live.Typed(s.typing),
			"read":      live.Typed(s.read),
			"set":       live.Typed(s.set),
		},
	}
}

func actorOf(session *live.Session) vault.Actor { return session.Who().(vault.Actor) }

func (s *Service) hello(ctx context.Context, session *live.Session, _ struct{}) (any, error) {
	actor := actorOf(session)
	if err := s.contacts.Seen(ctx, actor.Tenant(), actor.Subject()); err != nil {
		return nil, err
	}
	out := map[string]any{"contact": actor.Subject(), "verified": actor.Verified()}
	list, err := s.inbox.Of(ctx, actor, actor.Subject())
	if err == nil && len(list) > 0 {
		out["conversation"] = viewOf(list[0])
	}
	return out, err
}

type subscription struct {
	Channel ids.Conversation `json:"channel"`
	Epoch   string           `json:"epoch"`
	Offset  int64            `json:"offset"`
}

type recovery struct {
	Epoch      string       `json:"epoch"`
	Offset     int64        `json:"offset"`
	Recovered  bool         `json:"recovered"`
	Read       int64        `json:"read"`
	Redactions int64        `json:"redactions"`
	Messages   []inbox.Wire `json:"messages,omitempty"`
}

// subscribe listens first and reads then, so that nothing falls in between; the widget skips what it has by offset.
func (s *Service) subscribe(ctx context.Context, session *live.Session, in subscription) (any, error) {
	actor := actorOf(session)
	if _, err := s.inbox.Conversation(ctx, actor, in.Channel); err != nil { // before listening: it must be the visitor's own
		return nil, err
	}
	if before, ok := session.State.(ids.Conversation); ok && before != in.Channel {
		session.Unsubscribe(inbox.ChannelOf(before))
	}
	if err := session.Subscribe(inbox.ChannelOf(in.Channel)); err != nil {
		return nil, err
	}
	session.State = in.Channel
	missed, recovered, err := s.inbox.Since(ctx, actor, in.Channel, in.Epoch, in.Offset)
	if err != nil {
		return nil, err
	}
	c, err := s.inbox.Conversation(ctx, actor, in.Channel)
	if err != nil {
		return nil, err
	}
	out := recovery{Epoch: c.Epoch.String(), Offset: c.LastSeq, Recovered: recovered, Read: c.ReadSeq, Redactions: c.Redactions}
	if recovered {
		out.Offset = in.Offset + int64(len(missed))
		out.Messages = wires(missed, c)
	}
	return out, nil
}

func wires(list []inbox.Message, c inbox.Conversation) []inbox.Wire {
	out := make([]inbox.Wire, 0, len(list))
	for _, m := range list {
		readTo := c.ReadSeq
		if m.From != inbox.Visitor {
			readTo = c.ContactReadSeq
		}
		out = append(out, m.Wire(readTo))
	}
	return out
}

func (s *Service) history(ctx context.Context, session *live.Session, in struct {
	Channel ids.Conversation `json:"channel"`
	Before  int64            `json:"before"`
	Limit   int              `json:"limit"`
}) (any, error) {
	actor := actorOf(session)
	c, err := s.inbox.Conversation(ctx, actor, in.Channel)
	if err != nil {
		return nil, err
	}
	list, more, err := s.inbox.History(ctx, actor, in.Channel, in.Before, min(in.Limit, 100))
	return map[string]any{"messages": wires(list, c), "more": more}, err
}

const mostText = 8000 // characters of a message from the widget

func (s *Service) send(ctx context.Context, session *live.Session, in struct {
	ClientID     string           `json:"client_id"`
	Conversation ids.Conversation `json:"conversation"`
	Text         string           `json:"text"`
	Attachments  []ids.Object     `json:"attachments"`
	ReplyToEmail string           `json:"reply_to_email"`
}) (any, error) {
	actor := actorOf(session)
	if len([]rune(in.Text)) > mostText {
		return nil, errs.New(errs.TooLarge, "The message is longer than 8,000 characters.")
	}
	if in.ReplyToEmail != "" && !mail.IsAddress(in.ReplyToEmail) {
		return nil, errs.New(errs.Invalid, "The address for the answer is not usable.", errs.Field{Field: "reply_to_email", Code: "malformed", Message: "Write an e-mail address like name@company.example."})
	}
	if err := s.mayWrite(ctx, actor); err != nil {
		return nil, err
	}
	ack, err := s.inbox.Receive(ctx, actor, inbox.Incoming{Conversation: in.Conversation, ClientID: in.ClientID,
		Text: personal.Of(in.Text), Attachments: in.Attachments, ReplyTo: personal.Of(in.ReplyToEmail)})
	if err != nil {
		return nil, err
	}
	return map[string]any{"conversation": ack.Conversation, "seq": ack.Seq, "at": ack.At, "duplicate": ack.Duplicate}, nil
}

func (s *Service) typing(ctx context.Context, session *live.Session, in struct {
	Conversation ids.Conversation `json:"conversation"`
	On           bool             `json:"on"`
}) (any, error) {
	return nil, s.inbox.Typing(ctx, actorOf(session), in.Conversation, in.On)
}

func (s *Service) read(ctx context.Context, session *live.Session, in struct {
	Conversation ids.Conversation `json:"conversation"`
	Seq          int64            `json:"seq"`
}) (any, error) {
	return nil, s.inbox.MarkRead(ctx, actorOf(session), in.Conversation, in.Seq)
}

// stream begins the fallback's event stream.
func (s *Service) stream(ctx context.Context, session *live.Session, query url.Values) (any, error) {
	channel, err := ids.ParseConversation(query.Get("channel"))
	if err != nil {
		return nil, errs.New(errs.NotFound, "There is no such conversation.")
	}
	offset, err := strconv.ParseInt(query.Get("offset"), 10, 64)
	if err != nil {
		return nil, errs.New(errs.Invalid, "The offset is not a number.")
	}
	return s.subscribe(ctx, session, subscription{Channel: channel, Epoch: query.Get("epoch"), Offset: offset})
}
