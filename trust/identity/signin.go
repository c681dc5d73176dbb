package identity

import (
	"context"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
)

const (
	freeFailures = 5                // wrong passwords before one has to wait
	longestWait  = 15 * time.Minute // however many there were: nobody is locked out for good by somebody else
	maxPlaces    = 8                // workspaces one address is tried in
)

var wrongPassword = errs.New(errs.Unauthenticated, "The address or the password is not right.")

// SignIn checks a password and gives a session token. An unknown address, a wrong password, a disabled account and one
// that has to wait all look and take the same. workspace chooses among several of the same address and may be empty.
func (s *Service) SignIn(ctx context.Context, email, password, workspace string) (token string, err error) {
	places, err := s.places(ctx, email)
	if err != nil {
		return "", err
	}
	for _, d := range places {
		t, err := s.vault.Tenant(ctx, d.Workspace)
		if err != nil || workspace != "" && t.Slug != workspace {
			continue
		}
		token, err := s.tryPassword(ctx, d, password)
		if !errs.Is(err, errs.Unauthenticated) {
			return token, err
		}
	}
	if len(places) == 0 {
		s.hashes.verify(nil, password)
	}
	return "", wrongPassword
}

func (s *Service) places(ctx context.Context, email string) ([]Door, error) {
	var found []Door
	err := s.read(ctx, ids.Installation, func(tx *vault.Tx) (err error) {
		found, err = Doors.Lookup(tx, "email", email)
		return err
	})
	return found[:min(len(found), maxPlaces)], err
}

func (s *Service) tryPassword(ctx context.Context, d Door, password string) (string, error) {
	var u User
	err := s.read(ctx, d.Workspace, func(tx *vault.Tx) (err error) {
		u, err = Users.Get(tx, d.User)
		return err
	})
	if err != nil {
		s.hashes.verify(nil, password)
		return "", asBadToken(err)
	}
	right := s.hashes.verify(u.Password.Reveal(), password)
	waiting := s.vault.Now().Before(u.WaitUntil)
	if !right || waiting || !u.DisabledAt.IsZero() {
		if !waiting {
			err = s.noteFailure(ctx, d.Workspace, u.ID)
		}
		if err != nil {
			return "", err
		}
		return "", wrongPassword
	}
	return s.open(ctx, d.Workspace, u.ID)
}

func (s *Service) noteFailure(ctx context.Context, tenant ids.Tenant, user ids.User) error {
	return s.vault.Do(ctx, System(tenant, "identity"), actSignInFailed, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, user)
		if err != nil {
			return asBadToken(err)
		}
		u.Failures++
		if over := u.Failures - freeFailures; over > 0 {
			u.WaitUntil = tx.Now().Add(min(time.Second<<min(over, 20), longestWait))
		}
		return Users.Put(tx, u)
	})
}

// open makes a session for a user who has just proved to be one. Each sign-in is a new session with a new token.
func (s *Service) open(ctx context.Context, tenant ids.Tenant, user ids.User) (string, error) {
	token, c := mint(Session, tenant, s.vault.Now())
	err := s.vault.Do(ctx, System(tenant, "identity"), actSignIn, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, user)
		if err != nil {
			return asBadToken(err)
		}
		u.Failures, u.WaitUntil = 0, time.Time{}
		c.User, c.Person, c.ExpiresAt = u.ID, u.Person, tx.Now().Add(sessionAbsolute)
		if err := Credentials.Add(tx, c); err != nil {
			return err
		}
		tx.Emit(vault.Event{Kind: "user.signed_in", Object: u.ID.String(), Subject: u.Person}, nil)
		return Users.Put(tx, u)
	})
	return token, err
}

// SignOut ends the session that the actor came with.
func (s *Service) SignOut(ctx context.Context, actor vault.Actor) error {
	err := s.vault.Do(ctx, actor, actSignOut, func(tx *vault.Tx) error {
		_, err := Credentials.DeleteWhere(tx, "id = ?", actor.Credential())
		return err
	})
	if err == nil {
		s.tellRevoked(actor.Tenant(), actor.Credential(), ids.Subject{})
	}
	return err
}

// Me reads the user behind a session.
func (s *Service) Me(ctx context.Context, actor vault.Actor) (User, error) {
	var u User
	err := s.read(ctx, actor.Tenant(), func(tx *vault.Tx) (err error) {
		u, err = Users.Get(tx, actor.User())
		return err
	})
	return u, err
}

var actInvite = vault.Act("user.invite", vault.Roles(vault.Owner, vault.Administrator), vault.System())

// Invite makes a one-time link for somebody to set a password and come in with these roles. The set-up link of a new
// workspace is an invitation of an owner, made by the system. Only an owner makes owners.
func (s *Service) Invite(ctx context.Context, actor vault.Actor, email string, roles ...vault.Role) (token string, err error) {
	if err := checkRoles(roles); err != nil {
		return "", err
	}
	for _, r := range roles {
		if r == vault.Owner && actor.Kind() != vault.AsSystem && !actor.Has(vault.Owner) {
			return "", errs.New(errs.Forbidden, "Only an owner can make somebody an owner.")
		}
	}
	token, c := mint(Invitation, actor.Tenant(), s.vault.Now())
	c.Email, c.Roles, c.ExpiresAt = email, joinRoles(roles), c.CreatedAt.Add(invitationLife)
	err = s.vault.Do(ctx, actor, actInvite, func(tx *vault.Tx) error {
		tx.Emit(vault.Event{Kind: "user.invited", Object: c.ID.String()}, nil)
		return Credentials.Add(tx, c)
	})
	return token, err
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
		return c, vault.Tenant{}, err
	}
	t, err := s.vault.Tenant(ctx, tenant)
	return c, t, err
}

var actAccept = vault.Act("user.accept_invitation", vault.System())

// Accept uses an invitation up: exactly one of any number of simultaneous attempts makes the user and gets a session.
func (s *Service) Accept(ctx context.Context, token, email, name, password string) (session string, err error) {
	c, t, err := s.Invited(ctx, token)
	if err != nil {
		return "", err
	}
	if c.Email != "" {
		email = c.Email
	}
	if err := checkPerson(email, name); err != nil {
		return "", err
	}
	if err := checkPassword(password, email, name, t.Slug, t.Name); err != nil {
		return "", err
	}
	hash := s.hashes.hash(password)
	actor := System(t.ID, "identity")
	person, err := s.vault.NewSubject(ctx, actor)
	if err != nil {
		return "", err
	}
	u := User{ID: ids.NewUser(s.vault.Now()), Person: person, Email: personal.Of(email), Name: personal.Of(name), Roles: c.Roles, Password: personal.OfBytes(hash)}
	err = s.vault.Do(ctx, actor, actAccept, func(tx *vault.Tx) error {
		if err := Credentials.Delete(tx, c.Hash); err != nil {
			return asBadToken(err)
		}
		u.CreatedAt = tx.Now()
		tx.Emit(vault.Event{Kind: "user.created", Object: u.ID.String(), Subject: person}, nil)
		return Users.Add(tx, u)
	})
	if err != nil {
		return "", err
	}
	if err := s.addDoor(ctx, email, t.ID, u.ID); err != nil {
		return "", err
	}
	return s.open(ctx, t.ID, u.ID)
}

func (s *Service) addDoor(ctx context.Context, email string, tenant ids.Tenant, user ids.User) error {
	return s.vault.Do(ctx, System(ids.Installation, "identity"), actDoor, func(tx *vault.Tx) error {
		return Doors.Add(tx, Door{ID: ids.NewObject(tx.Now()), Email: email, Workspace: tenant, User: user})
	})
}
