package main

import (
	"context"
	"fmt"

	"aver/base/redact/corpus"
	"aver/cmd/aver/redaction"
)

var redactCommand = command{name: "redact", summary: redaction.Summary, usage: redaction.Usage, run: redactBench}

func redactBench(_ context.Context, c *call) error {
	seed := c.flags.Uint64("seed", 1, "decides which sentences")
	n := c.flags.Int("sentences", corpus.Size, "how many")
	words, err := c.parse()
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "bench" || *n < 1 {
		return fmt.Errorf("say bench, with --sentences of 1 at least: %w", errUsage)
	}
	result := redaction.Bench(*seed, *n)
	if c.json {
		err = printJSON(c.out, result.JSON())
	} else {
		result.Say(c.out)
	}
	if err == nil && !result.Holds() {
		return errNo
	}
	return err
}
