package webhooks

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
)

// Follow starts writing down what endpoints must be told, from where it last stopped.
func (s *Service) Follow(tenants ...ids.Tenant) {
	s.vault.Follow(vault.Follower{Name: "webhooks", Each: s.queue}, tenants...)
}

// perChange is how many messages are written at once.
const perChange = 100

// queue makes the messages of some journal entries. Seeing the same entries again changes nothing. What happens while an
// endpoint is given up waits for it: it was not its owner who switched it off.
func (s *Service) queue(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	if !slices.ContainsFunc(entries, tells) {
		return nil
	}
	var all []Endpoint
	actor := identity.System(tenant, "webhooks")
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		all, err = Endpoints.Find(tx, "state IN (?, ?) ORDER BY id LIMIT 100", string(Active), string(Given))
		return err
	})
	if err != nil || len(all) == 0 {
		return err
	}
	said, err := s.hear(ctx, tenant, concerned(entries))
	if err != nil {
		return err
	}
	var messages []Message
	for _, entry := range entries {
		for n, event := range entry.Events {
			event, tell := tellable(event, said)
			for _, e := range all {
				if tell && entry.Outcome == journal.Done && e.wants(event.Kind) && !entry.At.Before(e.CreatedAt) {
					messages = append(messages, message(e.ID, entry, n, event))
				}
			}
		}
	}
	for some := range slices.Chunk(messages, perChange) {
		if err := s.store(ctx, actor, some); err != nil {
			return err
		}
	}
	return s.wakeAll(ctx, tenant, messages)
}

func tells(e journal.Entry) bool {
	return slices.ContainsFunc(e.Events, func(ev journal.Event) bool { return slices.Contains(Types, ev.Kind) })
}

func (e Endpoint) wants(kind string) bool {
	return slices.Contains(Types, kind) && (len(e.Events) == 0 || slices.Contains(e.Events, kind))
}

// store adds the messages. Those of entries that are seen again exist already: then only what is missing is added.
func (s *Service) store(ctx context.Context, actor vault.Actor, messages []Message) error {
	err := s.add(ctx, actor, messages)
	if !errs.Is(err, errs.Conflict) {
		return err
	}
	var missing []Message
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		missing = nil
		for _, m := range messages {
			if n, err := Messages.Count(tx, "id = ?", m.ID); err != nil {
				return err
			} else if n == 0 {
				missing = append(missing, m)
			}
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	return s.add(ctx, actor, missing)
}

func (s *Service) add(ctx context.Context, actor vault.Actor, messages []Message) error {
	return s.vault.Do(ctx, actor, actQueue, func(tx *vault.Tx) error {
		for _, m := range messages {
			if err := Messages.Add(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) wakeAll(ctx context.Context, tenant ids.Tenant, messages []Message) error {
	woken := map[ID]bool{}
	for _, m := range messages {
		if woken[m.Endpoint] {
			continue
		}
		woken[m.Endpoint] = true
		if err := s.wake(ctx, tenant, m.Endpoint); err != nil {
			return err
		}
	}
	return nil
}

// wake has an endpoint's messages sent as soon as they are due.
func (s *Service) wake(ctx context.Context, tenant ids.Tenant, endpoint ID) error {
	return s.jobs.RunNow(ctx, jobSend, tenant, endpoint.String())
}

// overdue is how late a message may be before its job is taken for lost.
const overdue = 5 * time.Minute

func (s *Service) wakeOverdue(ctx context.Context, tenant ids.Tenant) error {
	var late []Message
	err := s.vault.View(ctx, identity.System(tenant, "webhooks"), actRead, func(tx *vault.Tx) error {
		all, err := Endpoints.Find(tx, "state = ? ORDER BY id LIMIT 100", string(Active))
		for _, e := range all {
			first, err := Messages.Find(tx, "webhook = ? AND state = ? AND next_at < ? ORDER BY next_at LIMIT 1", e.ID, string(Waiting), tx.Now().Add(-overdue))
			if err != nil {
				return err
			}
			late = append(late, first...)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.wakeAll(ctx, tenant, late)
}

// thin is the body: what happened, when, and the identifiers with which the API tells more to who may know it.
type thin struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	ID      string      `json:"id"`                  // of what the event is about: cnv_…, con_…
	Contact ids.Contact `json:"contact_id,omitzero"` // of the person concerned
	Seq     int64       `json:"seq,omitzero"`        // of a message in its conversation
}

func message(endpoint ID, entry journal.Entry, n int, event journal.Event) Message {
	d := data{ID: event.Object, Contact: event.Subject}
	if strings.HasPrefix(event.Kind, "message.") {
		d.Seq = event.N
	}
	return newMessage(messageID(endpoint, entry, n), endpoint, entry.At, thin{event.Kind, entry.At, d})
}

func newMessage(id MessageID, endpoint ID, at time.Time, t thin) Message {
	body, err := json.Marshal(t)
	if err != nil {
		panic("webhooks: identifiers and times do not marshal: " + err.Error())
	}
	return Message{ID: id, Endpoint: endpoint, Event: t.Type, Body: string(body), State: Waiting, NextAt: at, CreatedAt: at}
}

// messageID follows from the endpoint and the place in the journal, so that reading the journal twice makes one message.
func messageID(endpoint ID, entry journal.Entry, n int) MessageID {
	place := binary.BigEndian.AppendUint64(slices.Clone(endpoint.Bytes()), uint64(entry.Index))
	place = binary.BigEndian.AppendUint64(place, uint64(n))
	sum := sha256.Sum256(place)
	id := ids.New[delivery](entry.At)
	copy(id[6:], sum[:])
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80 // as in every identifier
	return id
}
