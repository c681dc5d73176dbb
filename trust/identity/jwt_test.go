package identity_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/trust/identity"
	"aver/vault"
	"aver/vault/vaulttest"
)

type object = map[string]any

// proof is a token in the making. It is signed with Go's own functions, not with the library that checks it.
type proof struct {
	head, claims object
	sign         func(text string) []byte
}

func (p proof) String() string {
	part := func(o object) string {
		text, _ := json.Marshal(o) // strings, numbers and lists of them
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(p.head) + "." + part(p.claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(p.sign(text))
}

func hs256(key []byte) func(string) []byte {
	return func(text string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
}

// site is a tenant's site, which has one key of each kind.
type site struct {
	*house
	owner            vault.Actor
	kid, secret      string
	publicKid        string
	public           ed25519.PublicKey
	private          ed25519.PrivateKey
	otherKid, theirs string // a key of another tenant
}

func newSite(t *testing.T, h *house) *site {
	t.Helper()
	s := &site{house: h, owner: vaulttest.User(h.Tenant, vault.Owner)}
	var err error
	s.kid, s.secret, err = h.identity.AddSecret(t.Context(), s.owner)
	must(t, err)
	s.public, s.private, err = ed25519.GenerateKey(nil)
	must(t, err)
	s.publicKid, err = h.identity.AddPublicKey(t.Context(), s.owner, base64.StdEncoding.EncodeToString(s.public))
	must(t, err)
	s.otherKid, s.theirs, err = h.identity.AddSecret(t.Context(), vaulttest.User(h.Other, vault.Owner))
	must(t, err)
	return s
}

// good is a token that is right in every way.
func (s *site) good() proof {
	now := s.Clock.Now()
	return proof{object{"alg": "HS256", "typ": "JWT", "kid": s.kid}, object{"user_id": "u-17", "email": "eve@kowal.example", "name": "Eve",
		"attributes": object{"plan": "gold"}, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}, hs256([]byte(s.secret))}
}

func (s *site) check(t *testing.T, token string) (identity.TokenClaims, error) {
	return s.identity.VerifyToken(t.Context(), s.Tenant, token, "ws_kowal")
}

func TestATokenThatTheSiteSignedIsBelieved(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := newSite(t, h)
		for name, change := range map[string]func(*proof){
			"by a shared secret":       func(*proof) {},
			"by a private key":         func(p *proof) { p.head["alg"], p.head["kid"], p.sign = "EdDSA", s.publicKid, s.ed25519 },
			"for this website":         func(p *proof) { p.claims["aud"] = "ws_kowal" },
			"for this website, too":    func(p *proof) { p.claims["aud"] = []string{"elsewhere", "ws_kowal"} },
			"by a clock that is ahead": func(p *proof) { p.claims["iat"] = s.Clock.Now().Add(30 * time.Second).Unix() },
			"expired this very second": func(p *proof) { p.claims["exp"] = s.Clock.Now().Unix() },
			"for a whole day":          func(p *proof) { p.claims["exp"] = s.Clock.Now().Add(24 * time.Hour).Unix() },
		} {
			p := s.good()
			change(&p)
			got, err := s.check(t, p.String())
			if err != nil || got.UserID != "u-17" || got.Email != "eve@kowal.example" || got.Name != "Eve" || got.Attributes["plan"] != "gold" {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}

func (s *site) ed25519(text string) []byte { return ed25519.Sign(s.private, []byte(text)) }

func TestATokenWithAnythingWrongIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := newSite(t, h)
		now := s.Clock.Now()
		claim := func(name string, value any) func(*proof) { return func(p *proof) { p.claims[name] = value } }
		header := func(name string, value any) func(*proof) { return func(p *proof) { p.head[name] = value } }
		for name, change := range map[string]func(*proof){
			"alg none":                       func(p *proof) { p.head["alg"], p.sign = "none", func(string) []byte { return nil } },
			"alg None":                       func(p *proof) { p.head["alg"], p.sign = "None", func(string) []byte { return nil } },
			"no alg":                         func(p *proof) { delete(p.head, "alg") },
			"HS512 under an HS256 key":       header("alg", "HS512"),
			"RS256":                          header("alg", "RS256"),
			"the public key as a secret":     func(p *proof) { p.head["kid"], p.sign = s.publicKid, hs256(s.public) },
			"EdDSA under the secret's kid":   func(p *proof) { p.head["alg"], p.sign = "EdDSA", s.ed25519 },
			"another secret":                 func(p *proof) { p.sign = hs256([]byte("guessed")) },
			"an empty secret":                func(p *proof) { p.sign = hs256(nil) },
			"no signature":                   func(p *proof) { p.sign = func(string) []byte { return nil } },
			"half a signature":               func(p *proof) { sign := p.sign; p.sign = func(text string) []byte { return sign(text)[:16] } },
			"another tenant's key":           func(p *proof) { p.head["kid"], p.sign = s.otherKid, hs256([]byte(s.theirs)) },
			"a kid nobody has":               header("kid", "0000000000000000"),
			"no kid where there are two":     func(p *proof) { delete(p.head, "kid") },
			"a kid that is a number":         header("kid", 7),
			"a kid that is a path":           header("kid", "../../dev/null"),
			"jku":                            header("jku", "https://evil.example/keys"),
			"jwk":                            header("jwk", object{"kty": "oct", "k": "AAAA"}),
			"x5u":                            header("x5u", "https://evil.example/cert"),
			"x5c":                            header("x5c", []string{"AAAA"}),
			"crit":                           header("crit", []string{"b64"}),
			"expired":                        claim("exp", now.Add(-2*time.Minute).Unix()),
			"no end":                         func(p *proof) { delete(p.claims, "exp") },
			"an end that is text":            claim("exp", "tomorrow"),
			"valid for two days":             claim("exp", now.Add(48*time.Hour).Unix()),
			"valid for ever":                 claim("exp", 1<<52),
			"not valid yet":                  claim("nbf", now.Add(time.Hour).Unix()),
			"issued tomorrow":                claim("iat", now.Add(24*time.Hour).Unix()),
			"nobody":                         func(p *proof) { delete(p.claims, "user_id") },
			"a user_id of spaces":            claim("user_id", "   "),
			"a user_id that is a number":     claim("user_id", 17),
			"for another website":            claim("aud", "ws_other"),
			"for other websites":             claim("aud", []string{"ws_other", ""}),
			"attributes that are no strings": claim("attributes", object{"plan": object{}}),
			"too long":                       claim("name", strings.Repeat("x", 5000)),
		} {
			p := s.good()
			change(&p)
			if got, err := s.check(t, p.String()); !errs.Is(err, errs.Unauthenticated) || got.UserID != "" {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}

func TestATokenThatWasTamperedWithIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s := newSite(t, h)
		whole := s.good().String()
		parts := strings.Split(whole, ".")
		other := s.good()
		other.claims["user_id"] = "u-1"
		for name, token := range map[string]string{
			"empty":              "",
			"dots":               "..",
			"two parts":          parts[0] + "." + parts[1],
			"four parts":         whole + ".AAAA",
			"cut short":          whole[:len(whole)-3],
			"longer":             whole + "A",
			"padded":             whole + "=",
			"with a line break":  whole[:30] + "\n" + whole[30:],
			"another's claims":   parts[0] + "." + strings.Split(other.String(), ".")[1] + "." + parts[2],
			"no JSON":            base64.RawURLEncoding.EncodeToString([]byte("{")) + "." + parts[1] + "." + parts[2],
			"twenty thousand As": strings.Repeat("A", 20_000),
		} {
			if got, err := s.check(t, token); !errs.Is(err, errs.Unauthenticated) || got.UserID != "" {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}

func TestKeysRotateWithoutAGapAndRemovedOnesCountNoMore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := vaulttest.User(h.Tenant, vault.Owner)
		s := &site{house: h, owner: owner}
		var err error
		s.kid, s.secret, err = h.identity.AddSecret(t.Context(), owner)
		must(t, err)
		old := s.good()
		delete(old.head, "kid") // with one key there is nothing to choose
		if _, err := s.check(t, old.String()); err != nil {
			t.Errorf("the only key: %v", err)
		}
		old = s.good()
		first := s.kid
		s.kid, s.secret, err = h.identity.AddSecret(t.Context(), owner)
		must(t, err)
		for name, p := range map[string]proof{"old": old, "new": s.good()} {
			if _, err := s.check(t, p.String()); err != nil {
				t.Errorf("the %s key: %v", name, err)
			}
		}
		must(t, h.identity.RemoveSigningKey(t.Context(), owner, first))
		if _, err := s.check(t, old.String()); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("the removed key: %v", err)
		}
		for _, roles := range [][]vault.Role{{vault.Operator}, {vault.Auditor}, {vault.DPO}} {
			if _, _, err := h.identity.AddSecret(t.Context(), vaulttest.User(h.Tenant, roles...)); !errs.Is(err, errs.Forbidden) {
				t.Errorf("%v may add keys: %v", roles, err)
			}
		}
		if _, err := h.identity.AddPublicKey(t.Context(), owner, "AAAA"); !errs.Is(err, errs.Invalid) {
			t.Errorf("four letters are a key: %v", err)
		}
	})
}
