package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/vault/purpose"
)

// SessionLife is how long a session lasts at most.
const SessionLife = 7 * 24 * time.Hour

const (
	sessionIdle    = 12 * time.Hour // a session ends when it was not used for so long
	visitorLife    = 30 * 24 * time.Hour
	invitationLife = 72 * time.Hour
	touchEvery     = 10 * time.Minute // how often use is written down
	secretLetters  = 52               // 32 bytes in base32
)

// CookieName is the session cookie. The prefix makes browsers insist on Secure, Path=/ and no Domain.
const CookieName = "__Host-aver"

var letters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

var badToken = errs.New(errs.Unauthenticated, "This is not valid, or not valid any more. Sign in again.")

// mint makes a token and the credential that stands for it.
func mint(kind Kind, tenant ids.Tenant, now time.Time) (string, Credential) {
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		panic("identity: no randomness: " + err.Error()) // crypto/rand aborts the process itself before this
	}
	_, where, _ := strings.Cut(tenant.String(), "_")
	token := "av" + string(kind) + "_" + where + "_" + letters.EncodeToString(secret[:])
	return token, Credential{Hash: hashToken(token), ID: ids.NewCredential(now), Kind: kind, CreatedAt: now, UsedAt: now}
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// where reads the tenant out of a token. It proves nothing.
func where(token string, kind Kind) (ids.Tenant, error) {
	rest, ok := strings.CutPrefix(token, "av"+string(kind)+"_")
	place, secret, found := strings.Cut(rest, "_")
	if !ok || !found || len(secret) != secretLetters {
		return ids.Tenant{}, badToken
	}
	tenant, err := ids.ParseTenant("ten_" + place)
	if err != nil {
		return ids.Tenant{}, badToken
	}
	return tenant, nil
}

// find looks a token up. Anything wrong with it is the same error.
func (s *Service) find(ctx context.Context, kind Kind, token string) (ids.Tenant, Credential, User, error) {
	tenant, err := where(token, kind)
	if err != nil {
		return tenant, Credential{}, User{}, err
	}
	if _, err := s.vault.Tenant(ctx, tenant); err != nil && tenant != ids.Installation {
		return tenant, Credential{}, User{}, asBadToken(err)
	}
	var c Credential
	var u User
	err = s.read(ctx, tenant, func(tx *vault.Tx) error {
		var err error
		if c, err = Credentials.Get(tx, hashToken(token)); err != nil {
			return asBadToken(err)
		}
		if c.Kind != kind {
			return badToken
		}
		u, err = holder(tx, c)
		return err
	})
	return tenant, c, u, err
}

// holder reads whose credential it is, the zero User if that is no user. A credential that does not count has none.
func holder(tx *vault.Tx, c Credential) (u User, err error) {
	if c.Expired(tx.Now()) {
		return u, badToken
	}
	if c.User.IsZero() {
		return u, nil
	}
	if u, err = Users.Get(tx, c.User); err != nil {
		return u, asBadToken(err)
	}
	if !u.DisabledAt.IsZero() {
		return u, badToken
	}
	return u, nil
}

// Again finds out who somebody is now who proved it a while ago and is still connected. It is no use of the credential:
// a page that is merely open keeps no session alive.
func (s *Service) Again(ctx context.Context, actor vault.Actor) (vault.Actor, error) {
	var now vault.Actor
	err := s.read(ctx, actor.Tenant(), func(tx *vault.Tx) error {
		found, err := Credentials.Find(tx, "id = ?", actor.Credential())
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return badToken
		}
		u, err := holder(tx, found[0])
		now = actorOf(actor.Tenant(), found[0], u)
		return err
	})
	return now, err
}

// actorOf is who holds a credential that counts.
func actorOf(tenant ids.Tenant, c Credential, u User) vault.Actor {
	switch c.Kind {
	case Key:
		return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsKey, ID: c.ID, Credential: c.ID, Scopes: c.Scopes})
	case Visitor:
		return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsPerson, ID: c.Person, Subject: c.Person, Credential: c.ID, Verified: c.Verified})
	case Session:
		return userActor(tenant, u, c.ID)
	default:
		return vault.Actor{}
	}
}

// asBadToken hides whether it was the tenant, the credential or the user that does not exist; a database that is away
// stays what it is.
func asBadToken(err error) error {
	if errs.Is(err, errs.NotFound) {
		return badToken
	}
	return err
}

// Expired tells whether the credential counts no more: its term is over, or the session was not used for too long.
func (c Credential) Expired(now time.Time) bool {
	if !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt) {
		return true
	}
	return c.Kind == Session && now.Sub(c.UsedAt) > sessionIdle
}

// touch writes down that a credential was used, now and then.
func (s *Service) touch(ctx context.Context, tenant ids.Tenant, c Credential) error {
	now := s.vault.Now()
	firstUse := c.Kind == Key && c.UsedAt.Equal(c.CreatedAt)
	if now.Sub(c.UsedAt) < touchEvery && !firstUse {
		return nil
	}
	return s.vault.Do(ctx, System(tenant, "identity"), actUse, func(tx *vault.Tx) error {
		fresh, err := Credentials.Get(tx, c.Hash)
		if err != nil {
			return asBadToken(err) // revoked meanwhile
		}
		fresh.UsedAt = now
		return Credentials.Put(tx, fresh)
	})
}

// Authenticate finds out who sent a request: a session cookie, or an API key as bearer. A request that presents nothing
// is nobody's, which is no error; one that presents something wrong is.
func (s *Service) Authenticate(r *http.Request) (vault.Actor, error) {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if strings.HasPrefix(bearer, "av"+string(Key)+"_") {
			return s.authenticate(r.Context(), Key, bearer)
		}
		return vault.Actor{}, badToken
	}
	cookie, err := r.Cookie(CookieName)
	if err != nil {
		return vault.Actor{}, nil
	}
	actor, err := s.authenticate(r.Context(), Session, cookie.Value)
	if errs.Is(err, errs.Unauthenticated) {
		return vault.Actor{}, nil // an old cookie is no cookie: the page asks to sign in
	}
	return actor, err
}

// Session finds out whose a session token is.
func (s *Service) Session(ctx context.Context, token string) (vault.Actor, error) {
	return s.authenticate(ctx, Session, token)
}

func (s *Service) authenticate(ctx context.Context, kind Kind, token string) (vault.Actor, error) {
	tenant, c, u, err := s.find(ctx, kind, token)
	if err != nil {
		return vault.Actor{}, err
	}
	if err := s.touch(ctx, tenant, c); err != nil {
		return vault.Actor{}, err
	}
	return actorOf(tenant, c, u), nil
}

// Visitor finds out which visitor holds a token.
func (s *Service) Visitor(ctx context.Context, token string) (vault.Actor, error) {
	return s.authenticate(ctx, Visitor, token)
}

// AsVisitor is the visitor that a contact becomes once a session has begun: for the first acts of that session, before
// its token exists. Only the channel that has just admitted the contact calls it.
func (s *Service) AsVisitor(tenant ids.Tenant, contact ids.Contact, verified bool) vault.Actor {
	return vault.Mint(vault.Identity{Tenant: tenant, Kind: vault.AsPerson, ID: contact, Subject: contact, Verified: verified})
}

var actIssueVisitor = vault.Act("visitor.session", purpose.Security, vault.System())

// IssueVisitor gives a visitor a token. verified says that the tenant's site, or a mailed code, proved who it is.
func (s *Service) IssueVisitor(ctx context.Context, tenant ids.Tenant, contact ids.Contact, verified bool) (string, error) {
	token, c := mint(Visitor, tenant, s.vault.Now())
	c.Person, c.Verified, c.ExpiresAt = contact, verified, c.CreatedAt.Add(visitorLife)
	err := s.vault.Do(ctx, System(tenant, "webchat"), actIssueVisitor, func(tx *vault.Tx) error {
		return Credentials.Add(tx, c)
	})
	return token, err
}

var actRevoke = vault.Act("credential.revoke", purpose.Security, vault.Roles(vault.Owner, vault.Administrator), vault.System())

// RevokeSubject ends every credential of a person, or of several that are one: after an erasure, or when the account is
// disabled.
func (s *Service) RevokeSubject(ctx context.Context, tenant ids.Tenant, people ...ids.Subject) error {
	for _, person := range people {
		err := s.vault.Do(ctx, System(tenant, "identity"), actRevoke, func(tx *vault.Tx) error {
			tx.About(person)
			_, err := Credentials.DeleteWhere(tx, "person = ?", person)
			return err
		})
		if err != nil {
			return err
		}
		s.tellRevoked(tenant, ids.Credential{}, person)
	}
	return s.forgetAnswers(ctx, tenant)
}

// EventSessionsEnded says that everything a person was known by has ended; its object is the person. Whoever keeps
// connections of theirs closes them.
const EventSessionsEnded = "person.sessions_ended"

// EndSessions ends every credential of a person as part of a change that is the reason for it.
func EndSessions(tx *vault.Tx, person ids.Subject) error {
	tx.Emit(vault.Event{Kind: EventSessionsEnded, Object: person.String(), Subject: person}, nil)
	_, err := Credentials.DeleteWhere(tx, "person = ?", person)
	return err
}
