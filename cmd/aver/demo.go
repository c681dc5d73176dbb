package main

import (
	"context"

	"aver/cmd/aver/demo"
)

var demoCommand = command{name: "demo", summary: "try Aver with two made-up businesses", run: runDemo, usage: `
aver demo [--data FOLDER]

Makes the data the first time, finds it again afterwards, and prints where to look and how to sign in.`}

func runDemo(ctx context.Context, c *call) error {
	var d demo.Config
	c.flags.StringVar(&d.Data, "data", "demo-data", "folder of the demo's data")
	c.flags.StringVar(&d.Listen, "listen", "localhost:8443", "address for HTTPS")
	c.flags.StringVar(&d.Plain, "plain", "localhost:8080", "address for plain HTTP, which redirects")
	if err := c.only(); err != nil {
		return err
	}
	return demo.Run(ctx, d, c.out)
}
