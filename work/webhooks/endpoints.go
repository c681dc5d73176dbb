package webhooks

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
)

// Types are the events that endpoints may ask for.
var Types = []string{
	"child.dismissed", "child.erased", "child.suspected",
	"contact.consent.changed", "contact.created", "contact.erased", "contact.merged", "contact.objected", "contact.objection_lifted",
	"contact.opted_in", "contact.opted_out", "contact.rectified", "contact.restricted", "contact.unrestricted", "contact.updated", "contact.verified",
	"conversation.assigned", "conversation.closed", "conversation.created", "conversation.updated",
	"dsr.completed", "dsr.opened", "message.created", "message.redacted", "privacy_request.due_soon", "privacy_request.passed", "webhook.disabled",
}

// testEvent is sent by a person who wants to see whether an endpoint works; every endpoint takes it.
const testEvent = "webhook.test"

const (
	maxEndpoints = 20
	maxURL       = 2000 // bytes
)

// Draft is what a tenant decides about an endpoint.
type Draft struct {
	URL    string
	About  string
	Events []string // none means all
	Scheme Scheme   // of a new endpoint's key; Ed25519 if empty
}

func (s *Service) check(d *Draft) error {
	var fields []errs.Field
	bad := func(field, code, message string) {
		fields = append(fields, errs.Field{Field: field, Code: code, Message: message})
	}
	u, err := url.Parse(d.URL)
	switch {
	case err != nil || len(d.URL) > maxURL || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		bad("url", "malformed", "Write an address like https://example.com/aver, without a password in it.")
	case u.Scheme != "https" && !(u.Scheme == "http" && s.plain[u.Host]):
		bad("url", "not-https", "The address must begin with https://.")
	}
	d.About, _ = cards.Mask(strings.TrimSpace(d.About))
	if utf8.RuneCountInString(d.About) > 200 {
		bad("description", "too-long", "Use up to 200 characters.")
	}
	for _, e := range d.Events {
		if !slices.Contains(Types, e) {
			bad("events", "unknown", "Choose events from the list.")
			break
		}
	}
	if d.Scheme != "" && d.Scheme != Ed25519 && d.Scheme != HMAC {
		bad("scheme", "unknown", "Choose v1a or v1.")
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "The endpoint was not saved.", fields...)
	}
	return nil
}

// Create makes an endpoint. key is the public key, or the shared secret, which cannot be read again.
func (s *Service) Create(ctx context.Context, actor vault.Actor, d Draft) (e Endpoint, key string, err error) {
	if err := s.check(&d); err != nil {
		return e, "", err
	}
	if d.Scheme == "" {
		d.Scheme = Ed25519
	}
	now := s.vault.Now()
	first := newSecret(d.Scheme, now)
	e = Endpoint{ID: ids.New[webhook](now), URL: d.URL, About: d.About, Events: d.Events, State: Active, CreatedAt: now}
	if err := e.setSecrets([]secret{first}, now); err != nil {
		return e, "", err
	}
	err = s.vault.Do(ctx, actor, actWrite, func(tx *vault.Tx) error {
		n, err := Endpoints.Count(tx, "")
		if err != nil {
			return err
		}
		if n >= maxEndpoints {
			return errs.New(errs.Conflict, "There are 20 endpoints already. Remove one first.")
		}
		return Endpoints.Add(tx, e)
	})
	return e, first.shown(), err
}

// List reads the endpoints, oldest first.
func (s *Service) List(ctx context.Context, actor vault.Actor) ([]Endpoint, error) {
	var all []Endpoint
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		all, err = Endpoints.Find(tx, "ORDER BY id LIMIT 100")
		return err
	})
	return all, err
}

// Get reads an endpoint.
func (s *Service) Get(ctx context.Context, actor vault.Actor, id ID) (Endpoint, error) {
	var e Endpoint
	err := s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) (err error) {
		e, err = Endpoints.Get(tx, id)
		return err
	})
	return e, err
}

// Update changes what a tenant decides; the keys stay.
func (s *Service) Update(ctx context.Context, actor vault.Actor, id ID, d Draft) (Endpoint, error) {
	if err := s.check(&d); err != nil {
		return Endpoint{}, err
	}
	return s.change(ctx, actor, actWrite, id, func(tx *vault.Tx, e *Endpoint) error {
		if e.URL != d.URL { // another receiver: what the old one did counts no more
			e.Failures, e.PausedUntil = 0, time.Time{}
		}
		e.URL, e.About, e.Events = d.URL, d.About, d.Events
		return nil
	})
}

// Switch turns an endpoint on or off. What waits goes out once it is on again.
func (s *Service) Switch(ctx context.Context, actor vault.Actor, id ID, on bool) (Endpoint, error) {
	e, err := s.change(ctx, actor, actWrite, id, func(tx *vault.Tx, e *Endpoint) error {
		e.State, e.DisabledAt, e.Failures, e.PausedUntil = Active, time.Time{}, 0, time.Time{}
		if !on {
			e.State, e.DisabledAt = Disabled, tx.Now()
		}
		return nil
	})
	if err == nil && on {
		err = s.wake(ctx, actor.Tenant(), id)
	}
	return e, err
}

func (s *Service) change(ctx context.Context, actor vault.Actor, action *vault.Action, id ID, fn func(*vault.Tx, *Endpoint) error) (Endpoint, error) {
	var e Endpoint
	err := s.vault.Do(ctx, actor, action, func(tx *vault.Tx) (err error) {
		if e, err = Endpoints.Get(tx, id); err != nil {
			return err
		}
		if err := fn(tx, &e); err != nil {
			return err
		}
		return Endpoints.Put(tx, e)
	})
	return e, err
}

// Rotate gives an endpoint a new key. The old one signs beside it for a day, so that the receiver can change over.
func (s *Service) Rotate(ctx context.Context, actor vault.Actor, id ID, scheme Scheme) (key string, err error) {
	now := s.vault.Now()
	_, err = s.change(ctx, actor, actRotate, id, func(_ *vault.Tx, e *Endpoint) error {
		all, err := e.secrets()
		if err != nil {
			return err
		}
		if scheme != Ed25519 && scheme != HMAC {
			scheme = all[0].Scheme
		}
		fresh := newSecret(scheme, now)
		key = fresh.shown()
		for i := range all {
			if all[i].Until.IsZero() {
				all[i].Until = now.Add(overlap)
			}
		}
		return e.setSecrets(append([]secret{fresh}, all...), now)
	})
	return key, err
}

// Remove forgets an endpoint and what was to be sent to it.
func (s *Service) Remove(ctx context.Context, actor vault.Actor, id ID) error {
	for {
		n := 0
		err := s.vault.Do(ctx, actor, actWrite, func(tx *vault.Tx) (err error) {
			if n, err = Messages.DeleteWhere(tx, "webhook = ? LIMIT 500", id); err != nil || n > 0 {
				return err
			}
			return Endpoints.Delete(tx, id)
		})
		if err != nil || n == 0 {
			return err
		}
	}
}
