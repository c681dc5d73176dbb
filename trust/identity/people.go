package identity

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/mail"
	"aver/vault"
	"aver/vault/purpose"
)

func checkEmail(email string) error {
	if !mail.IsAddress(email) {
		return errs.New(errs.Invalid, "This is not an e-mail address.", errs.Field{Field: "email", Code: "malformed", Message: "Write an e-mail address like name@company.example."})
	}
	return nil
}

func checkName(name string) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(name)); n == 0 || n > 120 {
		return errs.New(errs.Invalid, "A name is missing.", errs.Field{Field: "name", Code: "required", Message: "Write the name that colleagues and visitors will see."})
	}
	return nil
}

var (
	actListUsers = vault.Act("user.list", purpose.Security, vault.Everyone(), vault.Scope("users:read"), vault.System())
	ActSetRoles  = vault.Act("role_change", purpose.Security, vault.Roles(vault.Owner, vault.Administrator))
	actDisable   = vault.Act("user.disable", purpose.Security, vault.Roles(vault.Owner, vault.Administrator), vault.System())
	actEnable    = vault.Act("user.enable", purpose.Security, vault.Roles(vault.Owner, vault.Administrator))
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

// User reads one user of the actor's workspace.
func (s *Service) User(ctx context.Context, actor vault.Actor, id ids.User) (User, error) {
	var u User
	err := s.vault.View(ctx, actor, actListUsers, func(tx *vault.Tx) (err error) {
		u, err = Users.Get(tx, id)
		return err
	})
	return u, err
}

// SetRoles changes what a user may do, at once: sessions carry no roles, and keys and invitations that the user has made
// end if the user could not make them any more. The last owner stays one, and only an owner makes or unmakes owners.
func (s *Service) SetRoles(ctx context.Context, actor vault.Actor, user ids.User, roles ...vault.Role) error {
	if err := checkRoles(roles); err != nil {
		return err
	}
	var person ids.Subject
	var keys []ids.Credential
	err := s.vault.Do(ctx, actor, ActSetRoles, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, user)
		if err != nil {
			return err
		}
		before := u.HasRole(vault.Owner)
		person, u.Roles = u.Person, joinRoles(roles)
		if (before || u.HasRole(vault.Owner)) && !actor.Has(vault.Owner) {
			return onlyOwners
		}
		if before && !u.HasRole(vault.Owner) {
			if err := keepOneOwner(tx, user); err != nil {
				return err
			}
		}
		becomes := userActor(actor.Tenant(), u, ids.Credential{})
		if keys, err = endMade(tx, u.ID, func(c Credential) bool { return s.mayMake(becomes, c) }); err != nil {
			return err
		}
		tx.Emit(vault.Event{Kind: "user.roles_changed", Object: u.ID.String(), Subject: u.Person}, nil)
		return Users.Put(tx, u)
	})
	if err == nil {
		s.tellChanged(actor.Tenant(), person)
		s.tellEnded(actor.Tenant(), keys)
	}
	return err
}

var onlyOwners = errs.New(errs.Forbidden, "Only an owner can change who is an owner, or an owner's account.")

// MayChange tells whether the actor may touch a user's account: an owner's is for owners.
func MayChange(actor vault.Actor, u User) bool {
	return !u.HasRole(vault.Owner) || actor.Has(vault.Owner) || actor.Kind() == vault.AsSystem
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

// Disable ends a user's access everywhere at once: the account, every session, every open socket, and every key and
// invitation that the user has made.
func (s *Service) Disable(ctx context.Context, actor vault.Actor, user ids.User) error {
	var person ids.Subject
	var keys []ids.Credential
	err := s.vault.Do(ctx, actor, actDisable, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, user)
		if err != nil {
			return err
		}
		if !MayChange(actor, u) {
			return onlyOwners
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
		if keys, err = endMade(tx, u.ID, nil); err != nil {
			return err
		}
		tx.Emit(vault.Event{Kind: "user.disabled", Object: u.ID.String(), Subject: u.Person}, nil)
		return Users.Put(tx, u)
	})
	if err == nil {
		s.tellRevoked(actor.Tenant(), ids.Credential{}, person)
		s.tellEnded(actor.Tenant(), keys)
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
		if !MayChange(actor, u) {
			return onlyOwners
		}
		u.DisabledAt, u.Failures, u.WaitUntil, u.Strikes = time.Time{}, 0, time.Time{}, nil
		tx.Emit(vault.Event{Kind: "user.enabled", Object: u.ID.String(), Subject: u.Person}, nil)
		return Users.Put(tx, u)
	})
}
