package identity

import (
	"context"
	"net/netip"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
)

const maxPlaces = 8 // workspaces one address is tried in

var wrongPassword = errs.New(errs.Unauthenticated, "The address or the password is not right.")

// Attempt is what somebody who wants to come in presents.
type Attempt struct {
	Email, Password string
	Workspace       string // chooses among several of the same address; may be empty
	Device          string // what the browser says it is
	From            netip.Addr
}

// SignIn checks a password and gives a session token. An unknown address, a wrong password, a disabled account and one
// that has to wait all look and take the same.
// workspace chooses among several of the same address and may be empty.
func (s *Service) SignIn(ctx context.Context, email, password, workspace string) (token string, err error) {
	return s.SignInAs(ctx, Attempt{Email: email, Password: password, Workspace: workspace})
}

// SignInAs is SignIn that also notes the device.
func (s *Service) SignInAs(ctx context.Context, a Attempt) (token string, err error) {
	if a.Workspace != "" { // somebody of another region is sent there, which is no secret
		if _, err := s.vault.TenantBySlug(ctx, a.Workspace); errs.Is(err, errs.Misdirected) {
			return "", err
		}
	}
	places, err := s.places(ctx, a.Email)
	if err != nil {
		return "", err
	}
	tried := 0
	for _, d := range places {
		if tried == maxPlaces {
			break
		}
		t, err := s.vault.Tenant(ctx, d.Workspace)
		if err != nil || a.Workspace != "" && t.Slug != a.Workspace {
			continue
		}
		tried++
		token, err := s.tryPassword(ctx, d, a)
		if !errs.Is(err, errs.Unauthenticated) {
			return token, err
		}
	}
	if tried > 0 {
		return "", wrongPassword
	}
	if _, err := s.hashes.verify(ctx, nil, a.Password); err != nil {
		return "", err
	}
	return "", s.refuse(ctx, ids.Installation, nil, "") // as much work as for somebody we know
}

func (s *Service) places(ctx context.Context, email string) ([]Door, error) {
	var found []Door
	err := s.read(ctx, ids.Installation, func(tx *vault.Tx) (err error) {
		found, err = Doors.Lookup(tx, "email", email)
		return err
	})
	return found, err
}

func (s *Service) tryPassword(ctx context.Context, d Door, a Attempt) (string, error) {
	var u User
	err := s.read(ctx, d.Workspace, func(tx *vault.Tx) (err error) {
		u, err = Users.Get(tx, d.User)
		return err
	})
	if err != nil && !errs.Is(err, errs.NotFound) {
		return "", err
	}
	right, err := s.hashes.verify(ctx, u.Password.Reveal(), a.Password)
	if err != nil {
		return "", err
	}
	from := network(a.From)
	if !right || u.waits(from, s.vault.Now()) || !u.DisabledAt.IsZero() {
		return "", s.refuse(ctx, d.Workspace, &u.ID, from)
	}
	return s.open(ctx, d.Workspace, u.ID, from, a.Device)
}

// refuse writes a failed attempt down, counts it against the user if there is one, and says no.
func (s *Service) refuse(ctx context.Context, tenant ids.Tenant, user *ids.User, from string) error {
	err := s.vault.Do(ctx, System(tenant, "identity"), actSignInFailed, func(tx *vault.Tx) error {
		if user == nil {
			return nil
		}
		u, err := Users.Get(tx, *user)
		if err != nil || u.waits(from, tx.Now()) {
			return asNothing(err)
		}
		u.missed(from, tx.Now())
		return Users.Put(tx, u)
	})
	if err != nil {
		return err
	}
	return wrongPassword
}

func asNothing(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// open makes a session for a user who has just proved to be one. Each sign-in is a new session with a new token.
func (s *Service) open(ctx context.Context, tenant ids.Tenant, user ids.User, from, device string) (string, error) {
	token, c := mint(Session, tenant, s.vault.Now())
	c.Device = personal.Of(device)
	err := s.vault.Do(ctx, System(tenant, "identity"), actSignIn, func(tx *vault.Tx) error {
		u, err := Users.Get(tx, user)
		if err != nil {
			return asBadToken(err)
		}
		if !u.DisabledAt.IsZero() || u.waits(from, tx.Now()) {
			return wrongPassword // disabled, or to wait, since the password was looked at: guesses side by side win nothing
		}
		u.proved(from)
		c.User, c.Person, c.ExpiresAt = u.ID, u.Person, tx.Now().Add(SessionLife)
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

// Workspace is where the actor works.
func (s *Service) Workspace(ctx context.Context, actor vault.Actor) (vault.Tenant, error) {
	return s.vault.Tenant(ctx, actor.Tenant())
}
