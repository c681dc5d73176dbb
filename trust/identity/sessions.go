package identity

import (
	"context"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/purpose"
)

var (
	actRename         = vault.Act("user.rename", purpose.Security, vault.Everyone())
	actChangePassword = vault.Act("password.change", purpose.Security, vault.Everyone())
	actListSessions   = vault.Act("session.list", purpose.Security, vault.Everyone())
	actEndSession     = vault.Act("session.revoke", purpose.Security, vault.Everyone())
)

// Rename changes the name of the user who acts.
func (s *Service) Rename(ctx context.Context, actor vault.Actor, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return s.vault.Do(ctx, actor, actRename, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, actor.User())
		if err != nil {
			return err
		}
		u.Name = personal.Of(strings.TrimSpace(name))
		return Users.Put(tx, u)
	})
}

var wrongOld = errs.New(errs.Invalid, "The password was not changed.", errs.Field{Field: "old", Code: "wrong", Message: "This is not your present password."})

// ChangePassword checks the present password, sets a new one, ends every session of the user and returns the token of
// a new one. Wrong attempts count as they do when signing in, so that an open desk is no way to try passwords.
func (s *Service) ChangePassword(ctx context.Context, actor vault.Actor, old, fresh, device string) (token string, err error) {
	u, err := s.Me(ctx, actor)
	if err != nil {
		return "", err
	}
	t, err := s.vault.Tenant(ctx, actor.Tenant())
	if err != nil {
		return "", err
	}
	if err := checkPassword(fresh, u.Email.Reveal(), u.Name.Reveal(), t.Slug, t.Name); err != nil {
		return "", err
	}
	right, err := s.hashes.verify(ctx, u.Password.Reveal(), old)
	if err != nil {
		return "", err
	}
	if !right || u.waits(atTheDesk, s.vault.Now()) {
		if err := s.refuse(ctx, actor.Tenant(), &u.ID, atTheDesk); !errs.Is(err, errs.Unauthenticated) {
			return "", err
		}
		return "", wrongOld
	}
	hash, err := s.hashes.hash(ctx, fresh)
	if err != nil {
		return "", err
	}
	err = s.vault.Do(ctx, actor, actChangePassword, func(tx *vault.Tx) error {
		now, err := Users.Get(tx, u.ID)
		if err != nil {
			return err
		}
		if string(now.Password.Reveal()) != string(u.Password.Reveal()) {
			return errs.New(errs.Conflict, "The password was changed elsewhere at the same time.")
		}
		now.Password = personal.OfBytes(hash)
		tx.Emit(vault.Event{Kind: "user.password_changed", Object: u.ID.String(), Subject: u.Person}, nil)
		if _, err := Credentials.DeleteWhere(tx, "account = ? AND kind = ?", u.ID, string(Session)); err != nil {
			return err
		}
		return Users.Put(tx, now)
	})
	if err != nil {
		return "", err
	}
	s.tellRevoked(actor.Tenant(), ids.Credential{}, u.Person)
	return s.open(ctx, actor.Tenant(), u.ID, atTheDesk, device)
}

// Sessions lists where the user who acts is signed in, newest first.
func (s *Service) Sessions(ctx context.Context, actor vault.Actor) ([]Credential, error) {
	var alive []Credential
	err := s.vault.View(ctx, actor, actListSessions, func(tx *vault.Tx) error {
		all, err := Credentials.Find(tx, "account = ? AND kind = ? ORDER BY created_at DESC LIMIT 200", actor.User(), string(Session))
		for _, c := range all {
			if !c.Expired(tx.Now()) {
				alive = append(alive, c)
			}
		}
		return err
	})
	return alive, err
}

// EndSession signs the user who acts out elsewhere; errs.NotFound for a session that is somebody else's.
func (s *Service) EndSession(ctx context.Context, actor vault.Actor, id ids.Credential) error {
	err := s.vault.Do(ctx, actor, actEndSession, func(tx *vault.Tx) error {
		n, err := Credentials.DeleteWhere(tx, "account = ? AND kind = ? AND id = ?", actor.User(), string(Session), id)
		if err == nil && n == 0 {
			return errs.New(errs.NotFound, "This session has ended already.")
		}
		return err
	})
	if err == nil {
		s.tellRevoked(actor.Tenant(), id, ids.Subject{})
	}
	return err
}
