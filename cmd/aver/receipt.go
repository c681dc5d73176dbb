package main

import (
	"context"
	"fmt"
	"os"

	"aver/trust/consent"
	"aver/trust/rights/receipt"
)

var receiptCommand = command{name: "receipt", summary: "verify offline what somebody was given as a proof", run: receipts, usage: `
aver receipt verify FILE --key KEY     says whether the installation with this key said what the file says

The file is what a person gets after an erasure, or saves of a consent. It needs nothing else: no connection, no account, no trust in whoever runs
the installation. The key is published at /trust/log/key; take it from there on another day or from somebody else's note of
it. Whatever was altered is named. Exit status 0 when it verifies, 1 when it does not.

Examples:
  aver receipt verify receipt-req_06h04yypg1sy34qcxd48hj1kg0.json --key "$(curl -s https://chat.example.org/trust/log/key)" --json`}

var consentCommand = command{name: "consent", summary: "verify offline the receipt of a consent", run: receipts, usage: `
aver consent verify FILE --key KEY     says whether the installation with this key said what the receipt says

The file is what a person saves in the chat, or somebody who works for the tenant on the person's page: the record of one act
with the words that were shown, or the tenant's word on what ground somebody is kept. The same as aver receipt verify.

Example:
  aver consent verify receipt-cns_06h04yypg1sy34qcxd48hj1kg0.json --key "$(curl -s https://chat.example.org/trust/log/key)"`}

func receipts(_ context.Context, c *call) error {
	key := c.flags.String("key", "", "verifier key of the installation's log")
	words, err := c.parse()
	if err != nil {
		return err
	}
	if len(words) != 2 || words[0] != "verify" || *key == "" {
		return fmt.Errorf("say verify FILE --key KEY: %w", errUsage)
	}
	file, err := os.ReadFile(words[1])
	if err != nil {
		return fmt.Errorf("read the receipt: %w", err)
	}
	verdict := receipt.Verify(file, *key)
	if err := sayReceipt(c, verdict); err != nil {
		return err
	}
	if !verdict.Holds {
		return errNo
	}
	return nil
}

func sayReceipt(c *call, v receipt.Verdict) error {
	if c.json {
		return printJSON(c.out, v)
	}
	if !v.Holds {
		fmt.Fprintln(c.out, "The receipt does not verify:")
		for _, f := range v.Findings {
			fmt.Fprintln(c.out, " -", f)
		}
		return nil
	}
	fmt.Fprintf(c.out, "The receipt verifies: it is in the log of %s, under the signed checkpoint of %d entries.\n", v.SignedBy, v.Size)
	said, err := receipt.Words(v.Statement)
	if err != nil {
		said, err = consent.Words(v.Statement)
	}
	if err != nil { // of another kind: what it says is shown as it is
		said = []string{string(v.Statement)}
	}
	for _, sentence := range said {
		fmt.Fprintln(c.out, sentence)
	}
	return nil
}
