// Command centrifuge serves the library that Centrifugo is made of, as a peer of frame/live in the benchmarks: anybody may
// connect, listen and speak, nothing is kept. It has a go.mod of its own, so that the product does not depend on it.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/centrifugal/centrifuge"

	"aver/proof/sockets"
)

func main() {
	sockets.Main(map[string]sockets.Site{"centrifuge": site})
	fmt.Fprintln(os.Stderr, "centrifuge is started by proof/bench")
	os.Exit(2)
}

func site() http.Handler {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "centrifuge:", err)
		os.Exit(1)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "guest"}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
			done(centrifuge.SubscribeReply{}, nil)
		})
		client.OnPublish(func(_ centrifuge.PublishEvent, done centrifuge.PublishCallback) {
			done(centrifuge.PublishReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "centrifuge:", err)
		os.Exit(1)
	}
	return centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin:    func(*http.Request) bool { return true },
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: -1}, // the rig's clients do not answer pings
	})
}
