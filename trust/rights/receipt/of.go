package receipt

import (
	"fmt"
	"time"

	"aver/base/ids"
	"aver/trust/rights/record"
	"aver/trust/rights/state"
)

// Receipt shows that an erasure took place, without saying who it was about.
type Receipt struct {
	ID    record.ID
	At    time.Time
	Index int64 // of the entry in the tenant's log
	Text  string
}

// Of puts a finished erasure into words.
func Of(r record.Request) Receipt {
	text := fmt.Sprintf("Everything kept under %s was made unreadable on %s: the key it was sealed with is destroyed. "+
		"Entry %d of this workspace's audit log says so; the log is signed and anybody can check it.",
		r.Contact, r.EndedAt.UTC().Format("2 January 2006, 15:04:05 UTC"), r.Entry)
	for _, k := range Spared(r.Kept) {
		text += " " + k.Words()
	}
	return Receipt{ID: r.ID, At: r.EndedAt, Index: r.Entry, Text: text}
}

// StatementOf is what the receipt of a finished erasure says. It is made of what the request keeps, so it stays the same.
func StatementOf(tenant ids.Tenant, r record.Request) Statement {
	return Statement{Kind: string(state.Erasure), Request: r.ID.String(), Workspace: tenant, People: r.People, AskedAt: r.AskedAt, ErasedAt: r.EndedAt, Entry: r.Entry, Kept: Spared(r.Kept)}
}
