// Package hoard is a workspace that has been used for a long time.
package hoard

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"aver/base/ids"
	"aver/cmd/aver/app"
	"aver/proof/house"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
	"aver/work/inbox"
)

// ThreadLength is how many messages a usual conversation has.
const ThreadLength = 50

// Hoard is the workspace in an installation of its own.
type Hoard struct {
	App     *app.App
	Folder  string
	Tenant  ids.Tenant
	Threads []ids.Conversation
	Talkers []ids.Contact // each with many messages
}

// Seed is what storing all of it is called in the log.
var Seed = vault.Act("bench.seed", purpose.Storage, vault.System())

// Open makes a workspace with so many messages, some of them of talkers.
func Open(ctx context.Context, config app.Config, messages, talkers, each int) (*Hoard, error) {
	a, err := app.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	t, err := a.CreateTenant(ctx, "shop", "Shop")
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	h := &Hoard{App: a, Folder: config.Data, Tenant: t.ID}
	h.Threads = make([]ids.Conversation, (messages-talkers*each)/ThreadLength)
	h.Talkers = make([]ids.Contact, talkers)
	err = house.Each(len(h.Threads), func(i int) error {
		person, err := h.Person(ctx, i)
		if err == nil {
			h.Threads[i], err = h.Fill(ctx, person, ThreadLength)
		}
		return err
	})
	for i := range h.Talkers {
		if err == nil {
			h.Talkers[i], err = h.Person(ctx, -i)
		}
		if err == nil {
			_, err = h.Fill(ctx, h.Talkers[i], each)
		}
	}
	if err == nil {
		err = house.Filed(ctx, a.Vault, h.Tenant)
	}
	return h, err
}

// Person makes somebody who writes.
func (h *Hoard) Person(ctx context.Context, n int) (ids.Contact, error) {
	p, err := h.App.Contacts.NewVisitor(ctx, h.Tenant, contacts.Draft{Name: fmt.Sprintf("Visitor %d", n)})
	return p.ID, err
}

// Fill stores a conversation, some dozens of messages in a change.
func (h *Hoard) Fill(ctx context.Context, person ids.Contact, messages int) (ids.Conversation, error) {
	return h.FillAt(ctx, person, messages, h.App.Vault.Now())
}

// FillAt is Fill at another time.
func (h *Hoard) FillAt(ctx context.Context, person ids.Contact, messages int, now time.Time) (ids.Conversation, error) {
	c := inbox.Conversation{ID: ids.NewConversation(now), Contact: person, Ordinal: 1, Channel: inbox.WebChat, State: inbox.Open, Epoch: ids.NewObject(now),
		LastSeq: int64(messages), LastFrom: inbox.Visitor, LastAt: now, ActiveOn: now.UTC().Truncate(24 * time.Hour), Preview: house.Words(int64(messages)), CreatedAt: now}
	for from := 1; from <= messages; from += ThreadLength {
		err := h.App.Vault.Do(ctx, identity.System(h.Tenant, "bench"), Seed, func(tx *vault.Tx) error {
			if from == 1 {
				if err := inbox.Conversations.Add(tx, c); err != nil {
					return err
				}
			}
			for seq := from; seq < from+ThreadLength && seq <= messages; seq++ {
				l := inbox.Line{Contact: person, Conversation: c.ID, Seq: int64(seq), From: inbox.Visitor, Body: house.Words(mathrand.Int64N(1 << 30)), SentAt: now}
				if err := inbox.Messages.Add(tx, l); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return c.ID, err
		}
	}
	return c.ID, nil
}

// Attach stores attachments of so many bytes.
func (h *Hoard) Attach(ctx context.Context, n int, size int64) error {
	who, err := h.Person(ctx, -1)
	if err != nil {
		return err
	}
	content := make([]byte, size)
	_, _ = rand.Read(content)
	actor := identity.System(h.Tenant, "bench")
	for range n {
		b, err := h.App.Vault.PutBlob(ctx, actor, who, "application/octet-stream", bytes.NewReader(content), size)
		if err != nil {
			return fmt.Errorf("attach: %w", err)
		}
		if err := h.App.Vault.Do(ctx, actor, Seed, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, b) }); err != nil {
			return fmt.Errorf("attach: %w", err)
		}
	}
	return nil
}
