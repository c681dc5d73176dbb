package house

import (
	"context"
	"fmt"
	"strconv"

	"aver/base/ids"
	"aver/base/tlog"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/work/inbox"
)

// Findings is what a tenant's store holds, and what is wrong with it.
type Findings struct {
	Messages int           // rows
	Entries  int           // of the journal that say that a message was received
	Stored   map[int64]int // how often each number is stored
	Faults   []string
}

func (f *Findings) fault(format string, args ...any) {
	f.Faults = append(f.Faults, fmt.Sprintf(format, args...))
}

// Acknowledged notes which of these numbers are not stored exactly once.
func (f *Findings) Acknowledged(numbers []int64) {
	lost := 0
	for _, n := range numbers {
		if f.Stored[n] == 0 {
			lost++
		}
	}
	twice := 0
	for _, times := range f.Stored {
		if times > 1 {
			twice++
		}
	}
	if lost > 0 || twice > 0 {
		f.fault("%d of %d acknowledged messages are lost, %d stored more than once", lost, len(numbers), twice)
	}
}

var look = vault.Act("proof.look", purpose.Storage, vault.System())

// Look reads everything: each message, opened; each entry of the journal, hashed into the tree whose head the store
// keeps. Each message must have its entry, and each conversation's numbers must have no gaps.
func (h *House) Look(ctx context.Context, tenant ids.Tenant) (f Findings, err error) {
	f.Stored = map[int64]int{}
	if err := h.lookAtMessages(ctx, tenant, &f); err != nil {
		return f, fmt.Errorf("read the messages: %w", err)
	}
	if err := h.lookAtJournal(ctx, tenant, &f); err != nil {
		return f, fmt.Errorf("read the journal: %w", err)
	}
	if f.Entries != f.Messages {
		f.fault("%d messages have %d entries in the journal", f.Messages, f.Entries)
	}
	return f, nil
}

func (h *House) lookAtMessages(ctx context.Context, tenant ids.Tenant, f *Findings) error {
	var at inbox.Line
	for more := true; more; {
		err := h.Vault.View(ctx, identity.System(tenant, "proof"), look, func(tx *vault.Tx) error {
			page, err := after(tx, at)
			for _, l := range page {
				f.message(at, l)
				at = l
			}
			more = len(page) > 0
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const pageSize = 1000

func after(tx *vault.Tx, l inbox.Line) ([]inbox.Line, error) {
	if l.Contact.IsZero() {
		return inbox.Messages.Find(tx, "ORDER BY contact, conversation, seq, note LIMIT ?", pageSize)
	}
	return inbox.Messages.Find(tx, "(contact, conversation, seq, note) > (?, ?, ?, ?) ORDER BY contact, conversation, seq, note LIMIT ?",
		l.Contact, l.Conversation, l.Seq, l.Note, pageSize)
}

func (f *Findings) message(before, l inbox.Line) {
	f.Messages++
	if l.Conversation == before.Conversation && l.Seq != before.Seq+1 {
		f.fault("a conversation goes on with %d after %d", l.Seq, before.Seq)
	}
	if l.Body.IsZero() {
		f.fault("message %d is empty", l.Seq)
	}
	id := l.ClientID.String()
	if n, err := strconv.ParseInt(id[max(0, len(id)-12):], 16, 64); err == nil {
		f.Stored[n]++
	}
}

func (h *House) lookAtJournal(ctx context.Context, tenant ids.Tenant, f *Findings) error {
	var tree tlog.Frontier
	for {
		n, err := h.Vault.Journal(ctx, tenant, tree.Size(), 4096, func(raw []byte) error {
			tree.Append(tlog.LeafHash(raw))
			e, err := journal.Parse(raw)
			if err == nil && e.Action == "message.receive" && e.Outcome == journal.Done {
				f.Entries++
			}
			return err
		})
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	size, root, _, err := h.Vault.Head(ctx, tenant)
	if err == nil && (size != tree.Size() || root != tree.Root()) {
		f.fault("the journal's head does not follow from its %d entries", tree.Size())
	}
	return err
}
