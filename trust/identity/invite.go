package identity

import (
	"context"
	"errors"
	"slices"
	"strings"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/purpose"
)

var ActInvite = vault.Act("user.invite", purpose.Security, vault.Roles(vault.Owner, vault.Administrator), vault.System())

// Invite makes a one-time link for somebody to set a password and come in with these roles. The set-up link of a new
// workspace is an invitation of an owner, made by the system. Only an owner makes owners.
func (s *Service) Invite(ctx context.Context, actor vault.Actor, email string, roles ...vault.Role) (token string, err error) {
	if err := checkRoles(roles); err != nil {
		return "", err
	}
	if !mayInvite(actor, roles) {
		return "", errs.New(errs.Forbidden, "Only an owner can make somebody an owner.")
	}
	// Without an address whoever holds the link chooses it: that is for the first owner of a workspace.
	if err := checkEmail(email); err != nil && (email != "" || actor.Kind() != vault.AsSystem) {
		return "", err
	}
	token, c := mint(Invitation, actor.Tenant(), s.vault.Now())
	c.Maker, c.Email, c.Roles, c.ExpiresAt = actor.User(), email, joinRoles(roles), c.CreatedAt.Add(invitationLife)
	err = s.vault.Do(ctx, actor, ActInvite, func(tx *vault.Tx) error {
		same, err := Users.Lookup(tx, "email", email)
		if err != nil {
			return err
		}
		if email != "" && len(same) > 0 {
			return knownThere
		}
		tx.Emit(vault.Event{Kind: "user.invited", Object: c.ID.String()}, nil)
		return Credentials.Add(tx, c)
	})
	return token, err
}

// mayInvite tells whether somebody who may invite at all may invite with these roles: owners come from owners.
func mayInvite(actor vault.Actor, roles []vault.Role) bool {
	return actor.Kind() == vault.AsSystem || actor.Has(vault.Owner) || !slices.Contains(roles, vault.Owner)
}

func checkRoles(roles []vault.Role) error {
	known := map[vault.Role]bool{vault.Owner: true, vault.Administrator: true, vault.Operator: true, vault.DPO: true, vault.Auditor: true}
	if len(roles) == 0 {
		return errs.New(errs.Invalid, "Choose a role.", errs.Field{Field: "roles", Code: "required", Message: "Choose at least one role."})
	}
	for _, r := range roles {
		if !known[r] {
			return errs.New(errs.Invalid, "There is no such role.", errs.Field{Field: "roles", Code: "unknown", Message: "Choose from the list."})
		}
	}
	return nil
}

func joinRoles(roles []vault.Role) string {
	out := ""
	for i, r := range roles {
		if i > 0 {
			out += ","
		}
		out += string(r)
	}
	return out
}

// Invited reads an invitation without using it up: for the page that asks for a name and a password.
func (s *Service) Invited(ctx context.Context, token string) (Credential, vault.Tenant, error) {
	tenant, c, _, err := s.find(ctx, Invitation, token)
	if err != nil {
		return c, vault.Tenant{}, asBadLink(err)
	}
	t, err := s.vault.Tenant(ctx, tenant)
	return c, t, err
}

var (
	actAccept  = vault.Act("user.accept_invitation", purpose.Security, vault.System())
	badLink    = errs.New(errs.NotFound, "This link is not valid, or was used, or is older than three days. Ask for a new one.")
	knownThere = errs.New(errs.Conflict, "Somebody with this address is in the workspace already. Sign in, or use another address.",
		errs.Field{Field: "email", Code: "taken", Message: "This address is in the workspace already."})
)

var (
	ActListInvitations = vault.Act("invitation.list", purpose.Security, vault.Roles(vault.Owner, vault.Administrator))
	actWithdraw        = vault.Act("invitation.withdraw", purpose.Security, vault.Roles(vault.Owner, vault.Administrator))
)

// Invitations lists those that were neither used nor have expired, newest first.
func (s *Service) Invitations(ctx context.Context, actor vault.Actor) ([]Credential, error) {
	var open []Credential
	err := s.vault.View(ctx, actor, ActListInvitations, func(tx *vault.Tx) (err error) {
		open, err = Credentials.Find(tx, "kind = ? AND expires_at > ? ORDER BY created_at DESC LIMIT 200", string(Invitation), tx.Now())
		return err
	})
	return open, err
}

// Withdraw makes an invitation's link useless.
func (s *Service) Withdraw(ctx context.Context, actor vault.Actor, id ids.Credential) error {
	return s.vault.Do(ctx, actor, actWithdraw, func(tx *vault.Tx) error { return dropCredential(tx, id, Invitation) })
}

// dropCredential deletes the credential with this identifier if it is of this kind.
func dropCredential(tx *vault.Tx, id ids.Credential, kind Kind) error {
	n, err := Credentials.DeleteWhere(tx, "id = ? AND kind = ?", id, string(kind))
	if err == nil && n == 0 {
		return errs.New(errs.NotFound, "There is no such thing here, or not any more.")
	}
	return err
}

// Newcomer is what somebody who accepts an invitation fills in.
type Newcomer struct {
	Email, Name, Password string // the address counts only where the invitation names none
	Device                string // what the browser says it is
}

// Accept uses an invitation up: exactly one of any number of simultaneous attempts makes the user and gets a session.
func (s *Service) Accept(ctx context.Context, token, email, name, password string) (session string, err error) {
	return s.AcceptAs(ctx, token, Newcomer{Email: email, Name: name, Password: password})
}

// AcceptAs is Accept that also notes the device.
func (s *Service) AcceptAs(ctx context.Context, token string, n Newcomer) (session string, err error) {
	c, t, err := s.Invited(ctx, token)
	if err != nil {
		return "", err
	}
	if c.Email != "" { // whoever holds the link sets the password, but not the address
		n.Email = c.Email
	}
	if err := checkNewcomer(n, t); err != nil {
		return "", err
	}
	hash, err := s.hashes.hash(ctx, n.Password)
	if err != nil {
		return "", err
	}
	actor := System(t.ID, "identity")
	person, err := s.vault.NewSubject(ctx, actor)
	if err != nil {
		return "", err
	}
	u := User{ID: ids.NewUser(s.vault.Now()), Person: person, Email: personal.Of(n.Email), Name: personal.Of(strings.TrimSpace(n.Name)), Roles: c.Roles, Password: personal.OfBytes(hash)}
	// The door comes first: one that leads nowhere does no harm, a user without a door could never come in.
	if err := s.addDoor(ctx, n.Email, t.ID, u.ID); err != nil {
		return "", err
	}
	if err := s.settle(ctx, actor, c, u); err != nil {
		if errs.Is(err, errs.Unavailable) { // perhaps the user was made all the same: without a door nobody could come in, nor be invited again
			return "", err
		}
		return "", errors.Join(err, s.dropDoor(ctx, u.ID))
	}
	return s.open(ctx, t.ID, u.ID, atTheDesk, n.Device)
}

// checkNewcomer says everything that is wrong at once.
func checkNewcomer(n Newcomer, t vault.Tenant) error {
	var fields []errs.Field
	for _, err := range []error{checkEmail(n.Email), checkName(n.Name), checkPassword(n.Password, n.Email, n.Name, t.Slug, t.Name)} {
		var refused *errs.Error
		if errors.As(err, &refused) {
			fields = append(fields, refused.Fields...)
		}
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "Something is missing.", fields...)
	}
	return nil
}

// settle makes the user in the transaction that uses the invitation up.
func (s *Service) settle(ctx context.Context, actor vault.Actor, c Credential, u User) error {
	return s.vault.Do(ctx, actor, actAccept, func(tx *vault.Tx) error {
		if err := Credentials.Delete(tx, c.Hash); err != nil {
			return asBadLink(err)
		}
		same, err := Users.Lookup(tx, "email", u.Email.Reveal())
		if err != nil {
			return err
		}
		if len(same) > 0 {
			return knownThere
		}
		u.CreatedAt = tx.Now()
		tx.Emit(vault.Event{Kind: "user.created", Object: u.ID.String(), Subject: u.Person}, nil)
		return Users.Add(tx, u)
	})
}

func asBadLink(err error) error {
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Unauthenticated) {
		return badLink
	}
	return err
}

// addDoor writes into the directory where an address may sign in. A user has one door, named as the user.
func (s *Service) addDoor(ctx context.Context, email string, tenant ids.Tenant, user ids.User) error {
	return s.vault.Do(ctx, System(ids.Installation, "identity"), actDoor, func(tx *vault.Tx) error {
		return Doors.Put(tx, Door{ID: ids.Object(user), Email: email, Workspace: tenant, User: user})
	})
}

func (s *Service) dropDoor(ctx context.Context, user ids.User) error {
	return s.vault.Do(ctx, System(ids.Installation, "identity"), actDoor, func(tx *vault.Tx) error {
		return Doors.Delete(tx, ids.Object(user))
	})
}
