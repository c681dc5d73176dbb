// Package minimum lets a tenant decide which fields of contacts are processed at all (GDPR Art. 5(1)(c); promise min-1),
// and sweeps what was stored before a field was switched off.
//
// The sweep goes through all contacts twice, the second time a minute later: a write that began before the switch may
// end after the first pass has gone by. It is stopped and resumed anywhere, since how far it is stands in the row that
// switches the field off, and is stored together with what it changes. It leaves alone whom a legal hold covers, and comes
// back for them within the hour when none does any more.
package minimum

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/jobs"
	"aver/frame/module"
	"aver/trust/holds"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
	"aver/work/contacts/fields"
)

// Number is this module's number.
const Number = 44

const (
	batch  = 200         // contacts in one transaction
	passes = 2           //
	again  = time.Minute // from the first pass to the second
	every  = time.Hour   // how often sweeps are looked for that nobody goes on with
	kind   = "contact_fields.sweep"
)

var (
	chiefs    = vault.Roles(vault.Owner, vault.Administrator, vault.DPO)
	actRead   = vault.Act("contact_field.read", purpose.Storage, vault.Everyone(), vault.Scope("settings:read"), vault.System())
	actSwitch = vault.Act("contact_field.switch", purpose.Workspace, chiefs, vault.Scope("settings:write"))
	actSweep  = vault.Act("contact_field.sweep", purpose.Storage, vault.System())
)

// Cleaner removes what another module keeps of a field, but of the spared: at most so many values at once. It tells how
// many it removed.
type Cleaner func(tx *vault.Tx, most int, spared ...ids.Subject) (removed int, err error)

// Service keeps the switches.
type Service struct {
	vault    *vault.Vault
	queue    *jobs.Jobs
	cleaners map[fields.Field]Cleaner
}

// New makes the service. Cleaners belong to modules that keep something of a field beside the contact.
func New(v *vault.Vault, cleaners map[fields.Field]Cleaner) *Service {
	return &Service{vault: v, cleaners: cleaners}
}

// Module is what the service brings. Its table is the contacts', who ask it with every write.
func (s *Service) Module() module.Module {
	return module.Module{Name: "contact-fields", Number: Number, Actions: []*vault.Action{actRead, actSwitch, actSweep}, API: s.api, Routes: s.routes, Jobs: s.jobs,
		Settings: []module.Link{{Path: "/settings/fields", Title: "What is kept of a person", About: "Which fields of contacts are processed at all.", For: actRead}}}
}

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	work := func(ctx context.Context, job jobs.Job) error { return s.Sweep(ctx, job.Tenant) }
	// Not unique: a second pass that waits for its minute must not swallow the first pass of another field.
	if err := j.Handle(jobs.Kind{Name: kind, Work: work, Timeout: 30 * time.Minute, Retry: []time.Duration{time.Minute, 10 * time.Minute}}); err != nil {
		return err
	}
	return j.Every("contact_fields.turn", every, s.turn)
}

// turn goes on with sweeps that stopped, and with second passes that nobody was told of.
func (s *Service) turn(ctx context.Context) error {
	if err := s.vault.EachTenant(ctx, true, func(t vault.Tenant) error { return s.Sweep(ctx, t.ID) }); err != nil {
		return fmt.Errorf("sweep fields: %w", err)
	}
	return nil
}

// Switch is a field and how it stands.
type Switch struct {
	Field   fields.Field
	Off     bool
	OffAt   time.Time
	Looked  int // contacts that the present pass of the sweep has looked at
	Removed int // values, so far
	Held    int // people of whom a legal hold keeps it
	Done    bool
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "fields") }

// Switches are all fields as they stand, and how many contacts there are.
func (s *Service) Switches(ctx context.Context, actor vault.Actor) (all []Switch, people int, err error) {
	err = s.vault.View(ctx, actor, actRead, func(tx *vault.Tx) error {
		all = nil
		rows, err := fields.Table.Find(tx, "ORDER BY field")
		if err != nil {
			return err
		}
		off := map[fields.Field]fields.Row{}
		for _, r := range rows {
			off[r.Field] = r
		}
		for _, f := range fields.All {
			row, is := off[f]
			all = append(all, Switch{Field: f, Off: is, OffAt: row.OffAt, Looked: row.Looked, Removed: row.Removed, Held: len(row.Held), Done: is && !row.DoneAt.IsZero()})
		}
		people, err = contacts.Contacts.Count(tx, "")
		return err
	})
	return all, people, err
}

// Process switches a field on or off. From the moment it is off nothing more of it is stored, and what was is swept.
func (s *Service) Process(ctx context.Context, actor vault.Actor, f fields.Field, on bool) error {
	if !fields.Known(f) {
		return errs.New(errs.NotFound, "There is no such field.")
	}
	changed := false
	err := s.vault.Do(ctx, actor, actSwitch, func(tx *vault.Tx) error {
		_, err := fields.Table.Get(tx, string(f))
		if err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
		if isOn := err != nil; isOn == on {
			changed = false
			return nil
		}
		if changed = true; on {
			tx.Emit(vault.Event{Kind: "contact_field.on", Object: string(f)}, nil)
			return fields.Table.Delete(tx, string(f))
		}
		tx.Emit(vault.Event{Kind: "contact_field.off", Object: string(f)}, nil)
		return fields.Table.Add(tx, fields.Row{Field: f, OffAt: tx.Now(), Author: tx.Actor().User()})
	})
	if err != nil || on || !changed {
		return err
	}
	return s.queue.Enqueue(ctx, kind, actor.Tenant(), "", time.Time{})
}

// Sweep goes on with every sweep of the tenant. It is the job's, and may run twice at once.
func (s *Service) Sweep(ctx context.Context, tenant ids.Tenant) error {
	var rows []fields.Row
	err := s.vault.View(ctx, system(tenant), actRead, func(tx *vault.Tx) error {
		held, err := holds.Subjects(tx)
		if err != nil {
			return err
		}
		rows, err = fields.Table.Find(tx, "ORDER BY field")
		rows = slices.DeleteFunc(rows, func(r fields.Row) bool { return !r.DoneAt.IsZero() && len(freed(r, held)) == 0 })
		return err
	})
	if err != nil {
		return err
	}
	waits := false
	for _, r := range rows {
		for more := true; more; {
			if more, err = s.step(ctx, tenant, r.Field, r.Pass); err != nil {
				return fmt.Errorf("sweep the field %s: %w", r.Field, err)
			}
		}
		waits = waits || r.Pass+1 < passes
	}
	if !waits || s.queue == nil {
		return nil
	}
	return s.queue.Enqueue(ctx, kind, tenant, "", s.vault.Now().Add(again))
}

// freed are those whom the sweep left as they were and no hold covers any more.
func freed(row fields.Row, held []ids.Subject) []ids.Contact {
	return slices.DeleteFunc(slices.Clone(row.Held), func(who ids.Contact) bool { return slices.Contains(held, who) })
}

// step deals with some contacts, or with what others keep, in one transaction with how far it has come. It tells whether
// this pass has more to do.
func (s *Service) step(ctx context.Context, tenant ids.Tenant, f fields.Field, pass int) (more bool, err error) {
	err = s.vault.Do(ctx, system(tenant), actSweep, func(tx *vault.Tx) error {
		more = false
		row, err := fields.Table.Get(tx, string(f))
		if errs.Is(err, errs.NotFound) || err == nil && row.Pass != pass {
			return nil // switched on again, or another process was here
		}
		if err != nil {
			return err
		}
		held, err := holds.Subjects(tx)
		if err != nil {
			return err
		}
		before := row.Removed
		if row.DoneAt.IsZero() {
			more, err = through(tx, &row, held)
		} else {
			more, err = back(tx, &row, held)
		}
		if err != nil {
			return err
		}
		if clean := s.cleaners[f]; !more && clean != nil {
			n, err := clean(tx, batch, held...)
			if err != nil {
				return err
			}
			row.Removed, more = row.Removed+n, n == batch
		}
		if !more && row.DoneAt.IsZero() {
			row = ended(row, tx.Now())
		}
		tx.Emit(vault.Event{Kind: "contact_field.swept", Object: string(f), N: int64(row.Removed - before)}, nil)
		return fields.Table.Put(tx, row)
	})
	return more, err
}

// through goes on through all contacts.
func through(tx *vault.Tx, row *fields.Row, held []ids.Subject) (more bool, err error) {
	if row.At.IsZero() {
		row.Looked, row.Held = 0, nil
	}
	list, err := next(tx, row.At)
	if err != nil {
		return false, err
	}
	for _, c := range list {
		row.At, row.Looked = c.ID, row.Looked+1
		if slices.Contains(held, c.ID) {
			row.Held = append(row.Held, c.ID)
			continue
		}
		n, err := forget(tx, c, row.Field)
		if err != nil {
			return false, err
		}
		row.Removed += n
	}
	return len(list) == batch, nil
}

// back deals with those whom no hold covers any more.
func back(tx *vault.Tx, row *fields.Row, held []ids.Subject) (more bool, err error) {
	all := freed(*row, held)
	some := all[:min(batch, len(all))]
	for _, who := range some {
		c, err := contacts.Contacts.Get(tx, who)
		if errs.Is(err, errs.NotFound) {
			continue // erased
		}
		if err != nil {
			return false, err
		}
		n, err := forget(tx, c, row.Field)
		if err != nil {
			return false, err
		}
		row.Removed += n
	}
	row.Held = slices.DeleteFunc(row.Held, func(who ids.Contact) bool { return slices.Contains(some, who) })
	return len(all) > batch, nil
}

func ended(row fields.Row, now time.Time) fields.Row {
	if row.Pass++; row.Pass >= passes {
		row.DoneAt = now
		return row
	}
	row.At = ids.Contact{} // how many it looked at stays shown until the next pass begins
	return row
}

func next(tx *vault.Tx, after ids.Contact) ([]contacts.Contact, error) {
	if after.IsZero() {
		return contacts.Contacts.Find(tx, "ORDER BY id LIMIT ?", batch)
	}
	return contacts.Contacts.Find(tx, "id > ? ORDER BY id LIMIT ?", after, batch)
}

// forget empties a field of a contact, with its history, and tells how many values that were.
func forget(tx *vault.Tx, c contacts.Contact, f fields.Field) (int, error) {
	n, err := contacts.Changes.DeleteWhere(tx, "contact = ? AND field = ?", c.ID, string(f))
	if err != nil || !clear(&c, f) {
		return n, err
	}
	return n + 1, contacts.Contacts.Put(tx, c)
}

// clear empties a field and tells whether there was anything in it.
func clear(c *contacts.Contact, f fields.Field) bool {
	texts := map[fields.Field]*personal.Text{fields.Name: &c.Name, fields.Email: &c.Email, fields.Phone: &c.Phone, fields.Company: &c.Company}
	if text := texts[f]; text != nil {
		held := !text.IsZero()
		*text = personal.Text{}
		return held
	}
	was := *c
	switch f {
	case fields.Language:
		c.Language = ""
		return was.Language != ""
	case fields.Attributes:
		c.Attributes = personal.Bytes{}
		return !was.Attributes.IsZero()
	case fields.Seen:
		c.SeenAt = c.CreatedAt
		return !was.SeenAt.Equal(c.CreatedAt)
	}
	return false
}
