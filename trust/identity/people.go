package identity

import (
	"context"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
)

func checkPerson(email, name string) error {
	var fields []errs.Field
	if addr, err := mail.ParseAddress(email); err != nil || addr.Address != email || len(email) > 254 {
		fields = append(fields, errs.Field{Field: "email", Code: "malformed", Message: "Write an e-mail address like name@company.example."})
	}
	if n := utf8.RuneCountInString(strings.TrimSpace(name)); n == 0 || n > 120 {
		fields = append(fields, errs.Field{Field: "name", Code: "required", Message: "Write the name that colleagues and visitors will see."})
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "Something is missing.", fields...)
	}
	return nil
}

var (
	actListUsers = vault.Act("user.list", vault.Everyone(), vault.Scope("users:read"), vault.System())
	actSetRoles  = vault.Act("role_change", vault.Roles(vault.Owner, vault.Administrator))
	actDisable   = vault.Act("user.disable", vault.Roles(vault.Owner, vault.Administrator), vault.System())
	actEnable    = vault.Act("user.enable", vault.Roles(vault.Owner, vault.Administrator))
)

// List reads the users of the actor's workspace, oldest first.
func (s *Service) List(ctx context.Context, actor vault.Actor) ([]User, error) {
	var all []User
	err := s.vault.View(ctx, actor, actListUsers, func(tx *vault.Tx) (err error) {
		all, err = Users.Find(tx, "ORDER BY id LIMIT 1000")
		return err
	})
	return all, err
}

// SetRoles changes what a user may do, at once: sessions carry no roles. The last owner stays one, and only an owner
// makes or unmakes owners.
func (s *Service) SetRoles(ctx context.Context, actor vault.Actor, user ids.User, roles ...vault.Role) error {
	if err := checkRoles(roles); err != nil {
		return err
	}
	return s.vault.Do(ctx, actor, actSetRoles, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, user)
		if err != nil {
			return err
		}
		before := u.HasRole(vault.Owner)
		u.Roles = joinRoles(roles)
		if before != u.HasRole(vault.Owner) && !actor.Has(vault.Owner) {
			return errs.New(errs.Forbidden, "Only an owner can make or unmake owners.")
		}
		if before && !u.HasRole(vault.Owner) {
			if err := keepOneOwner(tx, user); err != nil {
				return err
			}
		}
		tx.Emit(vault.Event{Kind: "user.roles_changed", Object: u.ID.String(), Subject: u.Person}, nil)
		return Users.Put(tx, u)
	})
}

func keepOneOwner(tx *vault.Tx, except ids.User) error {
	all, err := Users.Find(tx, "disabled_at IS NULL ORDER BY id LIMIT 1000")
	for _, u := range all {
		if u.ID != except && u.HasRole(vault.Owner) {
			return err
		}
	}
	if err != nil {
		return err
	}
	return errs.New(errs.Conflict, "This is the last owner. Make somebody else an owner first.")
}

// Disable ends a user's access everywhere at once: the account, every session and every open socket.
func (s *Service) Disable(ctx context.Context, actor vault.Actor, user ids.User) error {
	var person ids.Subject
	err := s.vault.Do(ctx, actor, actDisable, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, user)
		if err != nil {
			return err
		}
		if u.HasRole(vault.Owner) {
			if err := keepOneOwner(tx, user); err != nil {
				return err
			}
		}
		person, u.DisabledAt = u.Person, tx.Now()
		if _, err := Credentials.DeleteWhere(tx, "account = ?", u.ID); err != nil {
			return err
		}
		tx.Emit(vault.Event{Kind: "user.disabled", Object: u.ID.String(), Subject: u.Person}, nil)
		return Users.Put(tx, u)
	})
	if err == nil {
		s.tellRevoked(actor.Tenant(), ids.Credential{}, person)
	}
	return err
}

// Enable lets a disabled user sign in again.
func (s *Service) Enable(ctx context.Context, actor vault.Actor, user ids.User) error {
	return s.vault.Do(ctx, actor, actEnable, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, user)
		if err != nil {
			return err
		}
		u.DisabledAt = time.Time{}
		return Users.Put(tx, u)
	})
}

var (
	actMakeKey  = vault.Act("api_key.create", vault.Roles(vault.Owner, vault.Administrator))
	actListKeys = vault.Act("api_key.list", vault.Roles(vault.Owner, vault.Administrator, vault.Auditor))
	actDropKey  = vault.Act("api_key.revoke", vault.Roles(vault.Owner, vault.Administrator))
)

// MakeKey makes an API key. The token is shown once; life zero means until revoked.
func (s *Service) MakeKey(ctx context.Context, actor vault.Actor, name string, scopes []string, life time.Duration) (token string, c Credential, err error) {
	if strings.TrimSpace(name) == "" || len(scopes) == 0 {
		return "", c, errs.New(errs.Invalid, "Something is missing.", errs.Field{Field: "name", Code: "required", Message: "Give the key a name and at least one scope."})
	}
	token, c = mint(Key, actor.Tenant(), s.vault.Now())
	c.Name, c.Scopes = name, scopes
	if life > 0 {
		c.ExpiresAt = c.CreatedAt.Add(life)
	}
	err = s.vault.Do(ctx, actor, actMakeKey, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "api_key.created", Object: c.ID.String()}, nil)
		return Credentials.Add(tx, c)
	})
	return token, c, err
}

// Keys lists the API keys, newest first; their tokens cannot be shown again.
func (s *Service) Keys(ctx context.Context, actor vault.Actor) ([]Credential, error) {
	var all []Credential
	err := s.vault.View(ctx, actor, actListKeys, func(tx *vault.Tx) (err error) {
		all, err = Credentials.Find(tx, "kind = ? ORDER BY created_at DESC LIMIT 500", string(Key))
		return err
	})
	return all, err
}

// RevokeKey ends an API key; the next call with it is refused.
func (s *Service) RevokeKey(ctx context.Context, actor vault.Actor, id ids.Credential) error {
	err := s.vault.Do(ctx, actor, actDropKey, func(tx *vault.Tx) error {
		found, err := Credentials.Find(tx, "id = ? AND kind = ?", id, string(Key))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errs.New(errs.NotFound, "There is no such key.")
		}
		return Credentials.Delete(tx, found[0].Hash)
	})
	if err == nil {
		s.tellRevoked(actor.Tenant(), id, ids.Subject{})
	}
	return err
}
