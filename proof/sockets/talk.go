package sockets

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
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

// Delivery is how messages reached their listeners.
type Delivery struct {
	Sent, Delivered int
	P50, P99        time.Duration // from writing the message to reading the push, client to client
	CPU             time.Duration // of the server, per message in
}

// Deliver lets n clients in groups say perSecond messages of 120 bytes a second; each is delivered to a whole group.
func Deliver(ctx context.Context, server *Server, n, group, perSecond int, lasting time.Duration) (Delivery, error) {
	var times Latencies
	begun := time.Now()
	crowd, err := Gather(ctx, server, n, Groups(group, func(_ int, text []byte) {
		if _, data, ok := bytes.Cut(text, []byte(`"data":"`)); ok { // else it is the reply to say
			at, _ := strconv.ParseInt(string(data[:20]), 10, 64)
			times.Add(time.Since(begun) - time.Duration(at))
		}
	}))
	if err != nil {
		return Delivery{}, err
	}
	defer crowd.Leave()
	before, err := server.CPU()
	if err != nil {
		return Delivery{}, err
	}
	padding := strings.Repeat("x", 100)
	sent, err := Pace(ctx, n, perSecond, lasting, func(client int) error {
		return crowd.Write(client, fmt.Sprintf(`{"id":3,"op":"say","channel":"cnv_%d","text":"%020d%s"}`, client/group, time.Since(begun), padding))
	})
	if err != nil {
		return Delivery{}, err
	}
	for patience := time.Now().Add(10 * time.Second); times.Count() < group*sent && time.Now().Before(patience); {
		time.Sleep(time.Millisecond)
	}
	after, err := server.CPU()
	return Delivery{sent, times.Count(), times.Quantile(0.5), times.Quantile(0.99), (after - before) / time.Duration(max(sent, 1))}, err
}
