package enrichment

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/work/contacts"
)

const (
	lookKind   = "enrichment.look"
	sweepKind  = "enrichment.sweep"
	noticeKind = "enrichment.notify"
	batch      = 500
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.Queue = j
	later := []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}
	for _, k := range []jobs.Kind{
		{Name: lookKind, Unique: true, Outward: true, Retry: later, Work: func(ctx context.Context, job jobs.Job) error {
			contact, err := ids.ParseSubject(job.ID)
			if err != nil {
				return err
			}
			return s.Look(ctx, job.Tenant, contact)
		}},
		{Name: sweepKind, Unique: true, Retry: later, Work: func(ctx context.Context, job jobs.Job) error { return s.Sweep(ctx, job.Tenant) }},
	} {
		if err := j.Handle(k); err != nil {
			return err
		}
	}
	return j.Every(noticeKind, time.Hour, s.notifyAll)
}

// news are what may bring a person an address, or change it.
var news = []string{"contact.created", "contact.updated", "contact.verified"}

// limiting are what a person may have been given the right to be left alone by.
var limiting = []string{"contact.objected", "contact.restricted", "contact.opted_out", "contact.consent.changed"}

// Follow looks up whoever comes, from where it last stopped.
func (s *Service) Follow(tenants ...ids.Tenant) {
	s.Vault.Follow(vault.Follower{Name: "enrichment", Each: s.hear}, tenants...)
}

func (s *Service) hear(ctx context.Context, tenant ids.Tenant, entries []journal.Entry) error {
	var come, gone []ids.Contact
	for _, e := range entries {
		for _, ev := range e.Events {
			switch {
			case slices.Contains(news, ev.Kind) && !slices.Contains(come, ev.Subject):
				come = append(come, ev.Subject)
			case slices.Contains(limiting, ev.Kind):
				gone = append(gone, ev.Subject)
			case ev.Kind == "purpose.changed" && ev.Object == purpose.Enrichment, ev.Kind == "hold.released":
				if err := s.Queue.Enqueue(ctx, sweepKind, tenant, "", time.Time{}); err != nil {
					return err
				}
			}
		}
	}
	for _, contact := range gone {
		if err := s.letGo(ctx, tenant, contact); err != nil {
			return fmt.Errorf("let go of what was found about somebody who objects: %w", err)
		}
	}
	if len(come) == 0 {
		return nil
	}
	on, err := s.on(ctx, tenant)
	on = slices.DeleteFunc(on, func(one Source) bool { return !s.Registered(ctx, hostOf(one.URL)) })
	if err != nil || len(on) == 0 {
		return err
	}
	for _, contact := range come {
		if err := s.Queue.Enqueue(ctx, lookKind, tenant, contact.String(), time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "enrichment") }

// on are the sources that the tenant has switched on.
func (s *Service) on(ctx context.Context, tenant ids.Tenant) (on []Source, err error) {
	all, err := s.Sources(ctx, system(tenant))
	return slices.DeleteFunc(all, func(one Source) bool { return !one.On }), err
}

// Ask looks a person up soon, at somebody's wish, whenever that was done last.
func (s *Service) Ask(ctx context.Context, actor vault.Actor, contact ids.Contact) error {
	err := s.Vault.Do(ctx, actor, actAsk, func(tx *vault.Tx) error {
		tx.About(contact)
		_, err := contacts.Contacts.Get(tx, contact)
		if err = cmp.Or(err, free(tx, contact)); err != nil {
			return err
		}
		_, err = looks.DeleteWhere(tx, "contact = ? LIMIT 10", contact)
		return err
	})
	if err != nil {
		return err
	}
	return s.Queue.RunNow(ctx, lookKind, actor.Tenant(), contact.String())
}

// Look asks every source that is on about a person and keeps what it says. Somebody whom the vault does not show for
// this purpose, who restricted or objected, is not asked about.
func (s *Service) Look(ctx context.Context, tenant ids.Tenant, contact ids.Contact) error {
	if s.Mail == nil {
		return nil
	}
	return s.lookAll(ctx, tenant, contact, s.ask)
}

// asker asks a source about an address.
type asker func(ctx context.Context, from Source, email string) ([]Value, error)

func (s *Service) lookAll(ctx context.Context, tenant ids.Tenant, contact ids.Contact, ask asker) error {
	on, err := s.on(ctx, tenant)
	for _, source := range on {
		err = errors.Join(err, s.lookAt(ctx, tenant, contact, source, ask))
	}
	return err
}

func (s *Service) lookAt(ctx context.Context, tenant ids.Tenant, contact ids.Contact, source Source, ask asker) error {
	email := ""
	err := s.Vault.View(ctx, system(tenant), actLook, func(tx *vault.Tx) (err error) {
		tx.About(contact)
		email, err = due(tx, contact, source.Kind)
		return err
	})
	if closed(err) {
		return s.forget(ctx, tenant, contact)
	}
	if err != nil || email == "" {
		return ignoreAbsent(err)
	}
	found, err := ask(ctx, source, email)
	if err != nil {
		return err
	}
	err = s.Vault.Do(ctx, system(tenant), actKeep, func(tx *vault.Tx) error {
		tx.About(contact)
		return keep(tx, contact, source, email, found)
	})
	if closed(err) { // meanwhile
		return nil
	}
	return ignoreAbsent(err)
}

// closed tells whether the vault refused because of what the person said.
func closed(err error) bool {
	return errs.Is(err, errs.Restricted) || errs.Is(err, errs.ConsentRequired)
}

// due is the address to ask a source about, empty if there is nothing to ask.
func due(tx *vault.Tx, contact ids.Contact, kind Kind) (string, error) {
	c, err := contacts.Contacts.Get(tx, contact)
	if err != nil || c.Email.IsZero() || !c.MergedInto.IsZero() || !c.BlockedAt.IsZero() || !c.ArchivedAt.IsZero() {
		return "", err
	}
	if err := free(tx, contact); err != nil { // what a source says now would take the place of what is held
		if errors.Is(err, errHeld) {
			err = nil
		}
		return "", err
	}
	email := c.Email.Reveal()
	before, err := looks.Get(tx, contact, string(kind))
	if err == nil && bytes.Equal(before.Address.Reveal(), known(email)) && tx.Now().Sub(before.At) < askAgain {
		return "", nil
	}
	return email, ignoreAbsent(err)
}

func known(email string) []byte {
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	return sum[:]
}

// keep stores what a source said, if the person still has that address and the source is still on.
func keep(tx *vault.Tx, contact ids.Contact, source Source, email string, found []Value) error {
	now, err := sources.Get(tx, string(source.Kind))
	if err != nil || !now.On || now.URL != source.URL {
		return err
	}
	if still, err := due(tx, contact, source.Kind); err != nil || still != email {
		return err
	}
	if _, err := values.DeleteWhere(tx, "contact = ? AND kind = ? LIMIT 100", contact, string(source.Kind)); err != nil {
		return err
	}
	for _, v := range found {
		v.Contact, v.FoundAt = contact, tx.Now()
		if err := values.Put(tx, v); err != nil {
			return err
		}
	}
	err = looks.Put(tx, look{Contact: contact, Kind: source.Kind, Address: personal.OfBytes(known(email)), At: tx.Now()})
	if err != nil || len(found) == 0 {
		return err
	}
	tx.Emit(vault.Event{Kind: "contact.enriched", Object: contact.String(), Subject: contact, N: int64(len(found))}, nil)
	return owe(tx, contact)
}

// letGo removes what was found about a person who is not to be looked up any more.
func (s *Service) letGo(ctx context.Context, tenant ids.Tenant, contact ids.Contact) error {
	shut, err := s.shut(ctx, tenant, contact)
	if err != nil || !shut {
		return err
	}
	return s.forget(ctx, tenant, contact)
}

// shut tells whether a person is not to be looked up. It counts, which is no attempt that the log would have to note.
func (s *Service) shut(ctx context.Context, tenant ids.Tenant, contact ids.Contact) (bool, error) {
	n := 0
	err := s.Vault.View(ctx, system(tenant), actLook, func(tx *vault.Tx) (err error) {
		n, err = contacts.Contacts.Count(tx, "id = ?", contact)
		return err
	})
	return n == 0, err
}

// Sweep removes what may not be kept any more, in small changes: what sources found that are off now, and what was found
// about people whom the ground that the purpose rests on now leaves out. Of whom a legal hold covers it stays.
func (s *Service) Sweep(ctx context.Context, tenant ids.Tenant) error {
	all, err := s.Sources(ctx, system(tenant))
	for _, source := range all {
		if err == nil && !source.On {
			err = s.sweep(ctx, tenant, source.Kind)
		}
	}
	var found []Notice // one for everybody of whom anything was found
	for first := true; err == nil && (first || len(found) == batch); first = false {
		if found, err = s.after(ctx, tenant, found); err != nil {
			return err
		}
		for _, n := range found {
			err = errors.Join(err, s.letGo(ctx, tenant, n.Contact))
		}
	}
	return err
}

// after are the notices after those that were read before.
func (s *Service) after(ctx context.Context, tenant ids.Tenant, before []Notice) (found []Notice, err error) {
	tail, args := "ORDER BY contact LIMIT ?", []any{batch}
	if len(before) > 0 {
		tail, args = "contact > ? ORDER BY contact LIMIT ?", []any{before[len(before)-1].Contact, batch}
	}
	err = s.Vault.View(ctx, system(tenant), actSweep, func(tx *vault.Tx) (err error) {
		found, err = notices.Find(tx, tail, args...)
		return err
	})
	return found, err
}

func (s *Service) sweep(ctx context.Context, tenant ids.Tenant, kind Kind) error {
	for n := batch; n == batch; {
		err := s.Vault.Do(ctx, system(tenant), actSweep, func(tx *vault.Tx) (err error) {
			held, err := holds.Subjects(tx)
			if err != nil {
				return err
			}
			others, spared := vault.Spare("contact", held)
			n, err = values.DeleteWhere(tx, "kind = ?"+others+" LIMIT ?", append(append([]any{string(kind)}, spared...), batch)...)
			return err
		})
		if err != nil {
			return fmt.Errorf("remove what a source found: %w", err)
		}
	}
	return nil
}
