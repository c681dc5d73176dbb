package enrichment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/mail"
	"aver/trust/holds"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
)

// owe notes that a person must be told, counted from the first time that something was found of which they were not.
func owe(tx *vault.Tx, contact ids.Contact) error {
	n, err := notices.Get(tx, contact)
	if err == nil && n.SentAt.IsZero() {
		return nil
	}
	if err != nil && !errs.Is(err, errs.NotFound) {
		return err
	}
	return notices.Put(tx, Notice{Contact: contact, FoundAt: tx.Now(), DueAt: tx.Now().Add(noticeWithin)})
}

// notifyAll sends the letters that are owed in all workspaces.
func (s *Service) notifyAll(ctx context.Context) error {
	if s.Mail == nil {
		return nil
	}
	if err := s.Vault.EachTenant(ctx, false, func(t vault.Tenant) error { return s.Notify(ctx, t) }); err != nil {
		return fmt.Errorf("tell people what was found about them: %w", err)
	}
	return nil
}

// Notify sends a workspace's letters, the one that is due first first. A letter may go twice after a crash, never not at
// all.
func (s *Service) Notify(ctx context.Context, tenant vault.Tenant) error {
	var owed []Notice
	err := s.Vault.View(ctx, system(tenant.ID), actNotify, func(tx *vault.Tx) (err error) {
		owed, err = notices.Find(tx, "sent_at IS NULL ORDER BY due_at LIMIT 200")
		return err
	})
	for _, n := range owed {
		err = errors.Join(err, s.tell(ctx, tenant, n))
	}
	return err
}

// tell sends a letter. What nobody can be told of, because their address is gone or takes no letters, is not kept; where a
// legal hold keeps it, the letter stays owed.
func (s *Service) tell(ctx context.Context, tenant vault.Tenant, n Notice) error {
	var to personal.Text
	var found []Value
	basis := purpose.Of(purpose.Enrichment).Basis
	err := s.Vault.View(ctx, system(tenant.ID), actNotify, func(tx *vault.Tx) (err error) {
		c, err := contacts.Contacts.Get(tx, n.Contact)
		if err != nil {
			return err
		}
		to = c.Email
		if terms, err := vault.Purposes.Get(tx, purpose.Enrichment); err == nil {
			basis = terms.Basis
		} else if !errs.Is(err, errs.NotFound) {
			return err
		}
		found, err = values.Find(tx, "contact = ? ORDER BY kind, field LIMIT 50", n.Contact)
		return err
	})
	if err != nil {
		return ignoreAbsent(err)
	}
	told := len(found) > 0 && !to.IsZero()
	if told {
		err = s.Mail.Send(ctx, s.letter(tenant, to, found, basis))
	}
	if told = told && err == nil; !told && (err == nil || errs.Is(err, errs.Invalid)) {
		err = s.Forget(ctx, system(tenant.ID), n.Contact)
	}
	if errors.Is(err, errHeld) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Vault.Do(ctx, system(tenant.ID), actNotify, func(tx *vault.Tx) error {
		now, err := notices.Get(tx, n.Contact)
		if err != nil || !now.FoundAt.Equal(n.FoundAt) {
			return ignoreAbsent(err)
		}
		if !told {
			return notices.Delete(tx, n.Contact)
		}
		now.SentAt = tx.Now()
		return notices.Put(tx, now)
	})
}

// letter says what GDPR Art. 14(1) and (2) ask for: who, what, why, from where, and what one can do about it.
func (s *Service) letter(tenant vault.Tenant, to personal.Text, found []Value, basis purpose.Basis) mail.Message {
	var lines strings.Builder
	for _, v := range found {
		fmt.Fprintf(&lines, "- %s, from %s, on %s\n", strings.ReplaceAll(v.Field, "_", " "), v.Source, v.FoundAt.UTC().Format("2 January 2006"))
	}
	ground := "It rests on the legitimate interest of knowing whom one writes to"
	if basis != purpose.LegitimateInterest {
		ground = "It rests on this ground of GDPR Art. 6(1): " + strings.ReplaceAll(string(basis), "_", " ")
	}
	portal := "https://" + s.Host() + "/my-data/" + tenant.Slug
	return mail.Message{To: to, Subject: "What " + tenant.Name + " found about you",
		Text: tenant.Name + " knows your address because you were in touch. It looked the address up in public sources, to know whom it answers, and keeps:\n\n" +
			lines.String() + "\nIt is encrypted, and nothing is decided by it. " + ground + ". How long it is kept and who receives data:\n" + portal + "/notice\n\nYou can have a copy, have it corrected or erased, or object, and then nobody looks you up again:\n" +
			portal + "\n\nYou can also complain to your data protection authority.\n"}
}

// Owed tells how many letters of a tenant have not gone out and how many of these are late. Those are not counted that a
// legal hold may keep from going out.
func (s *Service) Owed(ctx context.Context, tenant ids.Tenant, now time.Time) (waiting, late int, err error) {
	err = s.Vault.View(ctx, system(tenant), actNotify, func(tx *vault.Tx) (err error) {
		held, err := holds.Subjects(tx)
		if err != nil {
			return err
		}
		others, spared := vault.Spare("contact", held)
		if waiting, err = notices.Count(tx, "sent_at IS NULL"+others, spared...); err != nil {
			return err
		}
		late, err = notices.Count(tx, "sent_at IS NULL"+others+" AND due_at < ?", append(spared, now)...)
		return err
	})
	return waiting, late, err
}
