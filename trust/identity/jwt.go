package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/purpose"
)

// TokenClaims is what the tenant's site signed about its visitor.
type TokenClaims struct {
	UserID     string // required: the site's own name for the person
	Email      string
	Name       string
	Phone      string
	Attributes map[string]string
	Grounds    []Ground // on which the site keeps it
	Expires    time.Time
	Key        string // names the key that all of this is signed with
}

// Ground is what the tenant says about why it keeps somebody's data for a purpose.
type Ground struct {
	Basis   purpose.Basis `json:"basis" enum:"consent,contract,legal_obligation,vital_interest,public_task,legitimate_interest" doc:"GDPR Art. 6(1)"`
	Purpose string        `json:"purpose" maxLength:"31" doc:"What for: one of your purposes, such as support"`
	Since   time.Time     `json:"since" doc:"Since when the ground holds, such as when the person agreed"`
	Words   string        `json:"words" maxLength:"1000" doc:"In which words, or where they can be read: what the person agreed to, which contract, which law"`
}

// The algorithms a signing key may have. A key has one, and a token that names another is refused: nobody chooses the
// algorithm but the tenant (RFC 8725 §3.1).
const (
	HS256 = "HS256"
	EdDSA = "EdDSA"
)

const (
	tokenLife  = 24 * time.Hour // a token may be valid for so long at most
	tokenSlack = time.Minute    // clocks differ
	maxToken   = 4096           // bytes
)

var badIdentity = errs.New(errs.Unauthenticated, "The site's proof of who you are is not valid, or not valid any more.")

// siteClaims is the token's content; see messaging conventions: user_id and exp are required.
type siteClaims struct {
	UserID     string            `json:"user_id"`
	Email      string            `json:"email"`
	Name       string            `json:"name"`
	Phone      string            `json:"phone"`
	Attributes map[string]string `json:"attributes"`
	Grounds    []Ground          `json:"grounds"`
	jwt.RegisteredClaims
}

// VerifyToken checks a token that the tenant's site signed. audience is the website's name, which the token must name if
// it names any.
func (s *Service) VerifyToken(ctx context.Context, tenant ids.Tenant, token, audience string) (TokenClaims, error) {
	if len(token) > maxToken {
		return TokenClaims{}, badIdentity
	}
	var claims siteClaims
	var key SigningKey
	parser := jwt.NewParser(jwt.WithValidMethods([]string{HS256, EdDSA}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(tokenSlack), jwt.WithTimeFunc(s.vault.Now), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (material any, err error) {
		key, err = s.signingKey(ctx, tenant, t)
		if err == nil && key.Algorithm == EdDSA {
			return ed25519.PublicKey(key.Material.Reveal()), nil
		}
		return key.Material.Reveal(), err
	})
	if errs.Is(err, errs.Unavailable) {
		return TokenClaims{}, err
	}
	if err != nil || strings.TrimSpace(claims.UserID) == "" || claims.ExpiresAt.Sub(s.vault.Now()) > tokenLife+tokenSlack {
		return TokenClaims{}, badIdentity.Because(err)
	}
	if len(claims.Audience) > 0 && !slices.Contains(claims.Audience, audience) {
		return TokenClaims{}, badIdentity
	}
	return TokenClaims{UserID: claims.UserID, Email: claims.Email, Name: claims.Name, Phone: claims.Phone, Attributes: claims.Attributes, Grounds: claims.Grounds, Key: key.ID, Expires: claims.ExpiresAt.Time}, nil
}

// signingKey finds the key that the token's kid names among this tenant's own, and refuses headers that would have us
// fetch or trust a key from elsewhere.
func (s *Service) signingKey(ctx context.Context, tenant ids.Tenant, t *jwt.Token) (SigningKey, error) {
	for _, header := range []string{"jku", "jwk", "x5u", "x5c", "crit"} {
		if _, present := t.Header[header]; present {
			return SigningKey{}, badIdentity
		}
	}
	kid, _ := t.Header["kid"].(string)
	var key SigningKey
	err := s.read(ctx, tenant, func(tx *vault.Tx) (err error) {
		if kid != "" {
			key, err = SigningKeys.Get(tx, kid)
			return err
		}
		all, err := SigningKeys.Find(tx, "ORDER BY created_at DESC LIMIT 2")
		if err == nil && len(all) == 1 { // without a kid only if there is nothing to choose
			key = all[0]
		}
		return err
	})
	if err != nil {
		return SigningKey{}, asBadToken(err)
	}
	if key.Algorithm == "" || key.Algorithm != t.Method.Alg() {
		return SigningKey{}, badIdentity
	}
	return key, nil
}

var (
	actAddSigningKey  = vault.Act("app_identity_verification_change", purpose.Security, vault.Roles(vault.Owner, vault.Administrator))
	actListSigningKey = vault.Act("signing_key.list", purpose.Security, vault.Roles(vault.Owner, vault.Administrator, vault.Auditor))
)

const maxSigningKeys = 8

// AddSecret makes a shared secret of 256 bits with which the tenant's site signs (HS256). It is returned once.
func (s *Service) AddSecret(ctx context.Context, actor vault.Actor) (kid, secret string, err error) {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic("identity: no randomness: " + err.Error()) // crypto/rand aborts the process itself before this
	}
	secret = base64.RawURLEncoding.EncodeToString(raw[:])
	kid, err = s.addSigningKey(ctx, actor, HS256, []byte(secret))
	return kid, secret, err
}

// AddPublicKey takes the Ed25519 public key, base64 of 32 bytes, of the tenant's site.
func (s *Service) AddPublicKey(ctx context.Context, actor vault.Actor, key string) (kid string, err error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return "", errs.New(errs.Invalid, "This is not an Ed25519 public key.", errs.Field{Field: "public_key", Code: "malformed", Message: "Paste base64 of 32 bytes."})
	}
	return s.addSigningKey(ctx, actor, EdDSA, raw)
}

func (s *Service) addSigningKey(ctx context.Context, actor vault.Actor, algorithm string, material []byte) (string, error) {
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic("identity: no randomness: " + err.Error())
	}
	kid := hex.EncodeToString(raw[:])
	return kid, s.vault.Do(ctx, actor, actAddSigningKey, func(tx *vault.Tx) error {
		n, err := SigningKeys.Count(tx, "")
		if err != nil {
			return err
		}
		if n >= maxSigningKeys {
			return errs.New(errs.Conflict, "There are enough keys. Remove an old one first.")
		}
		return SigningKeys.Add(tx, SigningKey{ID: kid, Algorithm: algorithm, Material: personal.OfBytes(material), CreatedAt: tx.Now()})
	})
}

// SigningKeyList lists the tenant's keys, newest first, for the page that removes them.
func (s *Service) SigningKeyList(ctx context.Context, actor vault.Actor) ([]SigningKey, error) {
	var all []SigningKey
	err := s.vault.View(ctx, actor, actListSigningKey, func(tx *vault.Tx) (err error) {
		all, err = SigningKeys.Find(tx, "ORDER BY created_at DESC LIMIT 20")
		return err
	})
	return all, err
}

// RemoveSigningKey stops trusting a key at once.
func (s *Service) RemoveSigningKey(ctx context.Context, actor vault.Actor, kid string) error {
	return s.vault.Do(ctx, actor, actAddSigningKey, func(tx *vault.Tx) error { return SigningKeys.Delete(tx, kid) })
}
