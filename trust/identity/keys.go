package identity

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/purpose"
)

var (
	ActMakeKey  = vault.Act("api_key.create", purpose.Security, vault.Roles(vault.Owner, vault.Administrator))
	ActListKeys = vault.Act("api_key.list", purpose.Security, vault.Roles(vault.Owner, vault.Administrator, vault.Auditor))
	actDropKey  = vault.Act("api_key.revoke", purpose.Security, vault.Roles(vault.Owner, vault.Administrator))
)

// MakeKey makes an API key. The token is shown once; life zero means until revoked, or not used for as
// long as credentials are kept.
func (s *Service) MakeKey(ctx context.Context, actor vault.Actor, name string, scopes []string, life time.Duration) (token string, c Credential, err error) {
	if err := s.checkKey(actor, name, scopes); err != nil {
		return "", c, err
	}
	token, c = mint(Key, actor.Tenant(), s.vault.Now())
	c.Maker, c.Scopes = actor.User(), scopes
	c.Name, _ = cards.Mask(strings.TrimSpace(name))
	if life > 0 {
		c.ExpiresAt = c.CreatedAt.Add(life)
	}
	err = s.vault.Do(ctx, actor, ActMakeKey, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "api_key.created", Object: c.ID.String()}, nil)
		return Credentials.Add(tx, c)
	})
	return token, c, err
}

// checkKey says what is wrong with a key that somebody wants to make. A key can do nothing that its maker cannot.
func (s *Service) checkKey(actor vault.Actor, name string, scopes []string) error {
	var fields []errs.Field
	if n := utf8.RuneCountInString(strings.TrimSpace(name)); n == 0 || n > 80 {
		fields = append(fields, errs.Field{Field: "name", Code: "required", Message: "Say in up to 80 characters what the key is for."})
	}
	if len(scopes) == 0 {
		fields = append(fields, errs.Field{Field: "scopes", Code: "required", Message: "Choose at least one thing that the key may do."})
	}
	for _, scope := range scopes {
		if !s.MayGrant(actor, scope) {
			fields = append(fields, errs.Field{Field: "scopes", Code: "unknown", Message: "Choose from the list."})
			break
		}
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "Something is missing.", fields...)
	}
	return nil
}

// endMade ends what a user has made and may not make any more, as part of the change that is the reason for it; nil ends
// all of it. It tells which keys have ended, for whoever keeps connections that were opened with them.
func endMade(tx *vault.Tx, maker ids.User, may func(Credential) bool) (keys []ids.Credential, err error) {
	all, err := Credentials.Find(tx, "maker = ? ORDER BY created_at", maker)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if may != nil && may(c) {
			continue
		}
		if c.Kind == Key {
			tx.Emit(vault.Event{Kind: "api_key.revoked", Object: c.ID.String()}, nil)
			keys = append(keys, c.ID)
		}
		if err := Credentials.Delete(tx, c.Hash); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// mayMake tells whether the actor could make this key or invitation now.
func (s *Service) mayMake(actor vault.Actor, c Credential) bool {
	if c.Kind == Invitation {
		return actor.Can(ActInvite) && mayInvite(actor, RolesOf(c.Roles))
	}
	for _, scope := range c.Scopes {
		if !s.MayGrant(actor, scope) {
			return false
		}
	}
	return actor.Can(ActMakeKey)
}

// MayGrant tells whether the scope exists and the actor may do all it stands for. An owner may give out any.
func (s *Service) MayGrant(actor vault.Actor, scope string) bool {
	known := false
	for _, a := range s.actions {
		if a.Scope() != scope {
			continue
		}
		known = true
		if !actor.Has(vault.Owner) && len(a.Roles()) > 0 && !actor.Can(a) {
			return false
		}
	}
	return known && scope != ""
}

// Keys lists the API keys, newest first; their tokens cannot be shown again.
func (s *Service) Keys(ctx context.Context, actor vault.Actor) ([]Credential, error) {
	var all []Credential
	err := s.vault.View(ctx, actor, ActListKeys, func(tx *vault.Tx) (err error) {
		all, err = Credentials.Find(tx, "kind = ? ORDER BY created_at DESC LIMIT 500", string(Key))
		return err
	})
	return all, err
}

// RevokeKey ends an API key; the next call with it is refused.
func (s *Service) RevokeKey(ctx context.Context, actor vault.Actor, id ids.Credential) error {
	err := s.vault.Do(ctx, actor, actDropKey, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "api_key.revoked", Object: id.String()}, nil)
		return dropCredential(tx, id, Key)
	})
	if err == nil {
		s.tellRevoked(actor.Tenant(), id, ids.Subject{})
	}
	return err
}
