package sockets

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aver/base/ids"
	"aver/frame/live"
)

// Talk is the smallest site: frame/live with two ops, subscribe and say, and nothing stored. What it costs is what the
// transport costs.
func Talk() http.Handler {
	type channel struct {
		Channel string `json:"channel"`
	}
	type words struct {
		Channel string `json:"channel"`
		Text    string `json:"text"`
	}
	hub := live.New(live.Options{PerAddress: 100_000, PerTenant: 100_000, Connections: 100_000})
	handler := &live.Handler{
		Token:   func(context.Context, string, live.Caller) (live.Who, error) { return guest{}, nil },
		Origins: live.AnyOrigin,
		Rate:    live.Rate{Burst: 1_000_000, PerMinute: 1_000_000},
		Ops: map[string]live.Op{
			"subscribe": live.Typed(func(_ context.Context, s *live.Session, c channel) (any, error) { return nil, s.Subscribe(c.Channel) }),
			"say": live.Typed(func(_ context.Context, s *live.Session, w words) (any, error) {
				return nil, hub.Publish(live.Topic{Tenant: s.Who().Tenant(), Channel: w.Channel}, live.Push{Kind: "message", Epoch: "e", Offset: 1, Data: w.Text})
			}),
		},
	}
	return hub.WebSocket(handler)
}

// guest is everybody who visits Talk.
type guest struct{}

// Tenant is the only one.
func (guest) Tenant() ids.Tenant { return ids.Tenant{15: 9} }

// Groups is a visit to Talk in which clients listen to one channel together with their neighbours, size to a channel.
func Groups(size int, push func(client int, text []byte)) Visit {
	return Visit{Path: "/", Subprotocol: live.Subprotocol, Push: push, Say: func(i int) []string {
		return []string{`{"id":1,"op":"hello","token":"x"}`, fmt.Sprintf(`{"id":2,"op":"subscribe","channel":"cnv_%d"}`, i/size)}
	}}
}

// GroupTalk is an exchange on Talk: clients in groups say perSecond messages of 120 bytes a second, and each is given to the
// whole group.
func GroupTalk(clients, size, perSecond int, lasting time.Duration) Exchange {
	padding := strings.Repeat("x", 100)
	return Exchange{Visit: Groups(size, nil), Clients: clients, Listeners: size, PerSecond: perSecond, Lasting: lasting, Mark: `"data":"`,
		Say: func(client, _ int, at string) string {
			return fmt.Sprintf(`{"id":3,"op":"say","channel":"cnv_%d","text":"%s%s"}`, client/size, at, padding)
		}}
}
