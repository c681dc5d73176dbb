package restriction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/jobs"
	"aver/frame/mail"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/purpose"
)

// Notice is how long after the letter a restriction ends.
const Notice = 7 * 24 * time.Hour

// Lifting is the end of a restriction, announced: whoever has obtained one is told before it is lifted (GDPR Art. 18(3)). It
// ends when the person was told and Notice is over, or at once when somebody says that the person knows. As long as
// nobody could tell them it does not end.
type Lifting struct {
	Contact     ids.Contact `vault:"contact,key,subject"`
	How         How         `vault:"how,state"` // by whom it was decided
	AnnouncedAt time.Time   `vault:"announced_at,state"`
	Owed        bool        `vault:"owed,state"`     // the letter must go
	OpensAt     time.Time   `vault:"opens_at,state"` // zero until the letter has gone
}

func (l Lifting) untold() bool { return !l.AnnouncedAt.IsZero() && !l.Owed && l.OpensAt.IsZero() }

// Liftings are the ends that are announced.
var Liftings = vault.Define[Lifting]("announced_lifts", vault.Purpose("telling people before a restriction of their data is lifted"), vault.KeepWhile("until the restriction is lifted, or is to stay"))

var (
	actAnnounce = vault.Act("restriction.announce_lift", purpose.Own, keepers, vault.Scope("contacts:write"))
	actLiftTold = vault.Act("restriction.lift_told", purpose.Own, keepers, vault.Scope("contacts:write")) // whoever does it vouches for that
	actTell     = vault.Act("restriction.tell", purpose.Own, vault.System())
)

// Mailer sends one letter; frame/mail's Sender is one.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Letter writes to a person that the restriction of their data ends; to nobody where they have no address.
type Letter func(tx *vault.Tx, person ids.Contact, workspace vault.Tenant, opens time.Time) (mail.Message, error)

const (
	letterKind = "restriction.letter"
	dueKind    = "restriction.due"
	dueEvery   = 10 * time.Minute
)

func (s *Service) jobs(j *jobs.Jobs) error {
	s.queue = j
	retry := []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 48 * time.Hour} // as of every letter that is owed
	work := func(do func(context.Context, ids.Tenant, ids.Contact) error) func(context.Context, jobs.Job) error {
		return func(ctx context.Context, job jobs.Job) error {
			contact, err := ids.ParseSubject(job.ID)
			if err != nil {
				return err
			}
			return do(ctx, job.Tenant, contact)
		}
	}
	err := j.Handle(jobs.Kind{Name: letterKind, Unique: true, Retry: retry, Outward: true, Work: work(s.tell),
		OnDead: work(func(ctx context.Context, tenant ids.Tenant, contact ids.Contact) error {
			return s.told(ctx, tenant, contact, time.Time{})
		})})
	return errors.Join(err, j.Every(dueKind, dueEvery, s.Due))
}

func system(tenant ids.Tenant) vault.Actor { return identity.System(tenant, "restriction") }

// LiftTold ends a restriction at once: the person asked for it, or was told another way than by our letter.
func (s *Service) LiftTold(ctx context.Context, actor vault.Actor, contact ids.Contact) error {
	if _, err := s.check(ctx, actor, contact, Restrict, ""); err != nil {
		return err
	}
	return s.open(ctx, actor, actLiftTold, contact, Restrict, purpose.All)
}

// announce writes down that a restriction shall end, and has the person told. What is announced already stays so.
func (s *Service) announce(ctx context.Context, actor vault.Actor, contact ids.Contact) error {
	workspace, err := s.vault.Tenant(ctx, actor.Tenant())
	if err != nil {
		return err
	}
	owed := false
	var first ids.Contact
	err = s.vault.Do(ctx, actor, actAnnounce, func(tx *vault.Tx) error {
		letter, err := s.letter(tx, contact, workspace, time.Time{})
		if err != nil {
			return err
		}
		owed = !letter.To.IsZero()
		if first, err = s.first(tx, contact); err != nil {
			return err
		}
		return s.each(tx, contact, func(person ids.Contact) error {
			if _, err := vault.Standings.Get(tx, person, Restrict, purpose.All); err != nil {
				return ignoreAbsent(err)
			}
			before, err := Liftings.Get(tx, person)
			if ignoreAbsent(err) != nil || before.Owed || !before.OpensAt.IsZero() {
				return err
			}
			return Liftings.Put(tx, Lifting{Contact: person, How: howOf(actor), AnnouncedAt: tx.Now(), Owed: owed})
		})
	})
	if err != nil || !owed {
		return err
	}
	return s.queue.Enqueue(ctx, letterKind, actor.Tenant(), first.String(), time.Time{})
}

// first is the one of those who are shown as one with a person under whom their letter is in the queue, once.
func (s *Service) first(tx *vault.Tx, contact ids.Contact) (ids.Contact, error) {
	all, err := s.linked(tx, contact)
	if err != nil || len(all) == 0 {
		return contact, err
	}
	return all[0], nil
}

// letter is the one to the first of those who are shown as one with the person who has an address.
func (s *Service) letter(tx *vault.Tx, contact ids.Contact, workspace vault.Tenant, opens time.Time) (m mail.Message, err error) {
	if s.Mail == nil {
		return m, nil
	}
	err = s.each(tx, contact, func(person ids.Contact) (err error) {
		if m.To.IsZero() {
			m, err = s.Letter(tx, person, workspace, opens)
		}
		return ignoreAbsent(err)
	})
	return m, err
}

// tell sends the letter that is owed. It may go twice after a crash, and then the later one says when the restriction ends.
func (s *Service) tell(ctx context.Context, tenant ids.Tenant, contact ids.Contact) error {
	workspace, err := s.vault.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	opens := s.vault.Now().Add(Notice)
	owed := false // to whomever of them: some were restricted before they were shown as one
	var m mail.Message
	err = s.vault.View(ctx, system(tenant), actTell, func(tx *vault.Tx) error {
		owed = false
		err := s.each(tx, contact, func(person ids.Contact) error {
			l, err := Liftings.Get(tx, person)
			owed = owed || l.Owed
			return ignoreAbsent(err)
		})
		if err == nil && owed {
			m, err = s.letter(tx, contact, workspace, opens)
		}
		return err
	})
	if err != nil || !owed {
		return err
	}
	if m.To.IsZero() {
		opens = time.Time{}
	} else if err := s.Mail.Send(ctx, m); errs.Is(err, errs.Invalid) { // refused for good
		opens = time.Time{}
	} else if err != nil {
		return fmt.Errorf("tell a person that a restriction ends: %w", err)
	}
	return s.told(ctx, tenant, contact, opens)
}

// told writes down when a restriction ends of which the person was told, or that they cannot be told by mail.
func (s *Service) told(ctx context.Context, tenant ids.Tenant, contact ids.Contact, opens time.Time) error {
	return s.vault.Do(ctx, system(tenant), actTell, func(tx *vault.Tx) error {
		return s.each(tx, contact, func(person ids.Contact) error {
			l, err := Liftings.Get(tx, person)
			if err != nil || !l.Owed {
				return ignoreAbsent(err)
			}
			l.Owed, l.OpensAt = false, opens
			return Liftings.Put(tx, l)
		})
	})
}

// withdraw takes back that a restriction ends: it was placed again, or has ended.
func withdraw(tx *vault.Tx, person ids.Contact, kind Kind) error {
	if kind != Restrict {
		return nil
	}
	return ignoreAbsent(Liftings.Delete(tx, person))
}

// Due ends the restrictions whose time has come, and brings letters to the queue that a crash kept from it.
func (s *Service) Due(ctx context.Context) error {
	if err := s.vault.EachTenant(ctx, false, func(t vault.Tenant) error { return s.dueIn(ctx, t.ID) }); err != nil {
		return fmt.Errorf("end restrictions: %w", err)
	}
	return nil
}

func (s *Service) dueIn(ctx context.Context, tenant ids.Tenant) error {
	var owed []ids.Contact
	var over []Lifting
	err := s.vault.View(ctx, system(tenant), actTell, func(tx *vault.Tx) (err error) {
		owed = nil
		letters, err := Liftings.Find(tx, "owed = ? ORDER BY announced_at LIMIT 200", true)
		if err != nil {
			return err
		}
		for _, l := range letters {
			first, err := s.first(tx, l.Contact)
			if err != nil {
				return err
			}
			if !slices.Contains(owed, first) {
				owed = append(owed, first)
			}
		}
		over, err = Liftings.Find(tx, "opens_at <= ? ORDER BY opens_at LIMIT 200", tx.Now())
		return err
	})
	for _, contact := range owed {
		err = errors.Join(err, s.queue.Enqueue(ctx, letterKind, tenant, contact.String(), time.Time{}))
	}
	for _, l := range over {
		err = errors.Join(err, s.end(ctx, tenant, l.Contact))
	}
	return err
}

// end lifts a restriction whose end was announced, unless it is to stay.
func (s *Service) end(ctx context.Context, tenant ids.Tenant, contact ids.Contact) error {
	return s.vault.Do(ctx, system(tenant), actLift, func(tx *vault.Tx) error {
		l, err := Liftings.Get(tx, contact)
		if err != nil || l.OpensAt.IsZero() || l.OpensAt.After(tx.Now()) {
			return ignoreAbsent(err)
		}
		return lift(tx, contact, Restrict, purpose.All, l.How)
	})
}
