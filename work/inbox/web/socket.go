package web

import (
	"context"
	"net/http"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/live"
	"aver/vault"
	"aver/work/inbox"
)

// Handler is what may be asked over the console's socket, /live. Who asks is known from the session; each operation asks
// the vault again whether they may, and whoever is disabled is cut.
func (s *Service) Handler() *live.Handler {
	return &live.Handler{
		Cookie: s.whoComes,
		Again: func(ctx context.Context, who live.Who) (live.Who, error) {
			return s.users.Again(ctx, who.(vault.Actor))
		},
		Channels: func(who live.Who) []string { // by these a revoked session or a disabled user is cut in every process
			a := who.(vault.Actor)
			return []string{a.Credential().String(), a.Subject().String()}
		},
		Ops: map[string]live.Op{
			"list":        live.Typed(s.opList),
			"subscribe":   live.Typed(s.opSubscribe),
			"unsubscribe": live.Typed(s.opUnsubscribe),
			"typing":      live.Typed(s.opTyping),
			"read":        live.Typed(s.opRead),
			"reply":       live.Typed(s.opReply),
		},
		Rate: live.Rate{Burst: 120, PerMinute: 600},
	}
}

var errSignIn = errs.New(errs.Unauthenticated, "Sign in first.")

func (s *Service) whoComes(r *http.Request) (live.Who, error) {
	a, err := s.users.Authenticate(r)
	if err != nil {
		return nil, err
	}
	if a.Kind() != vault.AsUser || a.Credential().IsZero() || a.Subject().IsZero() {
		return nil, errSignIn
	}
	return a, nil
}

func who(session *live.Session) vault.Actor {
	a, _ := session.Who().(vault.Actor)
	return a
}

// opList begins to tell of changes to the list.
func (s *Service) opList(ctx context.Context, session *live.Session, _ struct{}) (any, error) {
	counts, err := s.Counts(ctx, who(session)) // before listening: it is refused to those who may not
	if err != nil {
		return nil, err
	}
	return struct {
		Open       int `json:"open"`
		Mine       int `json:"mine"`
		Unassigned int `json:"unassigned"`
	}{counts.All, counts.Mine, counts.Unassigned}, session.Subscribe(inbox.InboxChannel)
}

type place struct {
	Conversation ids.Conversation `json:"conversation"`
	Epoch        string           `json:"epoch"`
	Offset       int64            `json:"offset"`
}

type caughtUp struct {
	Epoch     string       `json:"epoch"`
	Offset    int64        `json:"offset"`
	Recovered bool         `json:"recovered"`
	Read      int64        `json:"read"` // how far the visitor has read
	Messages  []inbox.Wire `json:"messages,omitempty"`
}

// opSubscribe begins to tell of a conversation, and tells what was missed since the offset: all of it or nothing.
func (s *Service) opSubscribe(ctx context.Context, session *live.Session, in place) (any, error) {
	a := who(session)
	if !s.MayRead(a) {
		return nil, errs.New(errs.Forbidden, "Your role does not allow this.")
	}
	if _, err := s.Conversation(ctx, a, in.Conversation); err != nil {
		return nil, err
	}
	for _, channel := range []string{inbox.ChannelOf(in.Conversation), inbox.TeamChannelOf(in.Conversation)} {
		if err := session.Subscribe(channel); err != nil {
			return nil, err
		}
	}
	missed, recovered, err := s.Since(ctx, a, in.Conversation, in.Epoch, in.Offset)
	if err != nil {
		return nil, err
	}
	c, err := s.Conversation(ctx, a, in.Conversation)
	if err != nil {
		return nil, err
	}
	out := caughtUp{Epoch: c.Epoch.String(), Offset: c.LastSeq, Recovered: recovered, Read: c.ContactReadSeq}
	for _, m := range missed {
		out.Messages = append(out.Messages, m.Wire(c.ContactReadSeq))
		out.Offset = m.Seq
	}
	return out, nil
}

type named struct {
	Conversation ids.Conversation `json:"conversation"`
}

func (s *Service) opUnsubscribe(_ context.Context, session *live.Session, in named) (any, error) {
	session.Unsubscribe(inbox.ChannelOf(in.Conversation))
	session.Unsubscribe(inbox.TeamChannelOf(in.Conversation))
	return nil, nil
}

func (s *Service) opTyping(ctx context.Context, session *live.Session, in struct {
	Conversation ids.Conversation `json:"conversation"`
	On           bool             `json:"on"`
}) (any, error) {
	return nil, s.Typing(ctx, who(session), in.Conversation, in.On)
}

func (s *Service) opRead(ctx context.Context, session *live.Session, in struct {
	Conversation ids.Conversation `json:"conversation"`
	Seq          int64            `json:"seq"`
}) (any, error) {
	return nil, s.MarkRead(ctx, who(session), in.Conversation, in.Seq)
}

type sentOverSocket struct {
	Seq       int64 `json:"seq"`
	Note      int64 `json:"note,omitempty"`
	Duplicate bool  `json:"duplicate"`
}

func (s *Service) opReply(ctx context.Context, session *live.Session, in struct {
	Conversation ids.Conversation `json:"conversation"`
	ClientID     string           `json:"client_id"`
	Text         string           `json:"text"`
	Note         bool             `json:"note"`
	Attachments  []ids.Object     `json:"attachments"`
}) (any, error) {
	ack, err := s.Reply(ctx, who(session), in.Conversation, inbox.Outgoing{ClientID: in.ClientID, Text: personal.Of(in.Text), Note: in.Note, Attachments: in.Attachments})
	return sentOverSocket{ack.Seq, ack.Note, ack.Duplicate}, err
}
