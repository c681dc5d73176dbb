package rights

import (
	"context"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/request"
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

// Start begins either kind for a program or an operator.
func (s *Service) Start(ctx context.Context, actor vault.Actor, kind Kind, contact ids.Contact) (RequestID, error) {
	switch kind {
	case Copy:
		return s.StartCopy(ctx, actor, contact)
	case Erasure:
		receipt, err := s.Erase(ctx, actor, contact, "order of the controller")
		return receipt.ID, err
	default:
		return RequestID{}, errs.New(errs.Invalid, "Choose a copy or an erasure.")
	}
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
