package webhooks

import (
	"context"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
)

// Receiver is an endpoint that is told of an event, and the message that tells it.
type Receiver struct {
	Endpoint ID
	Name     string // what the tenant calls it
	Message  MessageID
}

// Receivers lists who is told of the n-th event of an entry, also before the messages are written.
func Receivers(tx *vault.Tx, entry journal.Entry, n int) ([]Receiver, error) {
	all, err := Endpoints.Find(tx, "state IN (?, ?) ORDER BY id LIMIT 100", string(Active), string(Given))
	var out []Receiver
	for _, e := range all {
		if !e.wants(entry.Events[n].Kind) || entry.At.Before(e.CreatedAt) {
			continue
		}
		name := e.About
		if name == "" {
			name = e.ID.String() // the address may hold a secret
		}
		out = append(out, Receiver{e.ID, name, messageID(e.ID, entry, n)})
	}
	return out, err
}

// Taken tells when a message was answered with 2xx, zero while it was not, and whether it was given up. errs.NotFound
// before it is written.
func Taken(tx *vault.Tx, message string) (at time.Time, failed bool, err error) {
	id, err := ids.Parse[delivery](message)
	if err != nil {
		return at, false, err
	}
	m, err := Messages.Get(tx, id)
	if err == nil && m.State == Delivered {
		at = m.TriedAt
	}
	return at, m.State == Failed, err
}

// Insist sends a message again that was given up.
func (s *Service) Insist(ctx context.Context, tenant ids.Tenant, endpoint, message string) error {
	at, err1 := ids.Parse[webhook](endpoint)
	id, err2 := ids.Parse[delivery](message)
	if err1 != nil || err2 != nil {
		return errs.New(errs.NotFound, "There is no such message here.")
	}
	err := s.vault.Do(ctx, identity.System(tenant, "webhooks"), actQueue, func(tx *vault.Tx) error {
		if err := active(tx, at); err != nil {
			return err
		}
		m, err := Messages.Get(tx, id)
		if err != nil {
			return err
		}
		return again(tx, m)
	})
	if err != nil {
		return err
	}
	return s.wake(ctx, tenant, at)
}
