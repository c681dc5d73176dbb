package rights

import (
	"context"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/request"
	"aver/trust/rights/settings"
	"aver/trust/rights/state"
	"aver/vault"
)

// Now is the time by the vault's clock.
func (s *Service) Now() time.Time { return s.vault.Now() }

// Mails tells whether letters can be sent, without which nobody can prove an address.
func (s *Service) Mails() bool { return s.mail != nil }

// Workspace finds the tenant that a public page is about. errs.NotFound when there is none.
func (s *Service) Workspace(ctx context.Context, slug string) (vault.Tenant, error) {
	return s.vault.TenantBySlug(ctx, slug)
}

// Tenant is the actor's own.
func (s *Service) Tenant(ctx context.Context, actor vault.Actor) (vault.Tenant, error) {
	return s.vault.Tenant(ctx, actor.Tenant())
}

// MayDecide tells whether somebody may decide requests.
func (s *Service) MayDecide(actor vault.Actor) bool { return actor.Can(actDeny) }

// Decider is the name of who decided a request; empty where nobody did, or is gone.
func (s *Service) Decider(ctx context.Context, actor vault.Actor, r Request) (string, error) {
	if r.DecidedBy.IsZero() {
		return "", nil
	}
	u, err := s.auth.User(ctx, actor, r.DecidedBy)
	if errs.Is(err, errs.NotFound) || err == nil && u.Name.IsZero() {
		return r.DecidedBy.String(), nil
	}
	return u.Name.Reveal(), err
}

// Settings reads how the tenant answers people.
func (s *Service) Settings(ctx context.Context, actor vault.Actor) (set settings.Privacy, err error) {
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) (err error) {
		set, err = settings.In(tx)
		return err
	})
	return set, err
}

// SetSettings changes it. Requests that are open keep the days they were given.
func (s *Service) SetSettings(ctx context.Context, actor vault.Actor, set settings.Privacy) error {
	return s.vault.Do(ctx, actor, actSettings, func(tx *vault.Tx) error { return settings.Save(tx, set) })
}

// TypedWith reads what was typed with a request and what was answered; both may be empty.
func (s *Service) TypedWith(ctx context.Context, actor vault.Actor, r Request) (Words, error) {
	var w Words
	err := s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) (err error) {
		tx.About(r.Contact)
		w, err = Typed.Get(tx, r.ID)
		return ignoreAbsent(err)
	})
	return w, err
}

// Read reads a request that the actor may see.
func (s *Service) Read(ctx context.Context, actor vault.Actor, id RequestID) (Request, error) {
	var r Request
	action := actList
	if actor.Kind() == vault.AsPerson {
		action = actFinish
	}
	err := s.vault.View(ctx, actor, action, func(tx *vault.Tx) (err error) {
		r, err = Requests.Get(tx, id)
		return err
	})
	if err == nil && actor.Kind() == vault.AsPerson && (r.Contact.IsZero() || r.Contact != actor.Subject()) {
		err = errs.New(errs.NotFound, "There is no such thing here.")
	}
	return r, err
}

// Start begins a request of any kind, of whoever works here, of a program, or of a visitor about themselves.
func (s *Service) Start(ctx context.Context, actor vault.Actor, w Wish, contact ids.Contact) (RequestID, error) {
	r, err := s.ask(ctx, actor, w, contact)
	if err != nil {
		return RequestID{}, err
	}
	switch {
	case r.State == state.Running:
		return r.ID, s.carryOut(ctx, actor, r)
	case r.State == state.Verifying:
		return r.ID, s.queue.Enqueue(ctx, codeKind, actor.Tenant(), r.ID.String(), time.Time{})
	}
	return r.ID, s.write(ctx, actor.Tenant(), r)
}

// List lists requests, newest first.
func (s *Service) List(ctx context.Context, actor vault.Actor, from request.Cursor[RequestID], limit int) (list []Request, next request.Cursor[RequestID], err error) {
	err = s.vault.View(ctx, actor, actList, func(tx *vault.Tx) error {
		if from.IsZero() {
			list, err = Requests.Find(tx, "ORDER BY asked_at DESC, id DESC LIMIT ?", limit+1)
			return err
		}
		list, err = Requests.Find(tx, "(asked_at, id) < (?, ?) ORDER BY asked_at DESC, id DESC LIMIT ?", from.At, from.ID, limit+1)
		return err
	})
	list, next = request.Cut(list, limit, func(r Request) request.Cursor[RequestID] { return request.Cursor[RequestID]{At: r.AskedAt, ID: r.ID} })
	return list, next, err
}

// Word is what an operator types back to erase somebody: the name, or what stands for it. With it come the
// person's rows by table.
func (s *Service) Word(ctx context.Context, actor vault.Actor, contact ids.Contact) (word string, rows map[string]int, err error) {
	err = s.vault.View(ctx, actor, actLook, func(tx *vault.Tx) error {
		tx.About(contact)
		shown, err := s.people.Show(tx, contact)
		if err != nil {
			return err
		}
		for _, name := range []string{shown.Name.Reveal(), shown.Email.Reveal(), contact.String()} {
			if word = strings.TrimSpace(name); word != "" {
				break
			}
		}
		rows, err = s.vault.Totals(tx, contact)
		return err
	})
	return word, rows, err
}
