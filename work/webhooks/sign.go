package webhooks

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aver/base/personal"
)

// Scheme is how messages are signed (Standard Webhooks 1.0.0, "Signature scheme").
type Scheme string

// The schemes.
const (
	Ed25519 Scheme = "v1a" // the receiver holds the public half, so it has no secret to lose
	HMAC    Scheme = "v1"  // for receivers whose library knows nothing else
)

// secret is one key of an endpoint.
type secret struct {
	Scheme Scheme    `json:"scheme"`
	Key    []byte    `json:"key"` // seed of 32 bytes, or the shared secret
	Made   time.Time `json:"made"`
	Until  time.Time `json:"until,omitzero"` // signs besides the newest until then
}

// overlap is how long an old key signs beside its successor.
const overlap = 24 * time.Hour

func newSecret(scheme Scheme, now time.Time) secret {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		panic("webhooks: no randomness: " + err.Error()) // crypto/rand aborts the process itself before this
	}
	return secret{Scheme: scheme, Key: key, Made: now}
}

// shown is what the tenant needs in order to check signatures: the public key, or the shared secret.
func (s secret) shown() string {
	if s.Scheme == HMAC {
		return "whsec_" + base64.StdEncoding.EncodeToString(s.Key)
	}
	return "whpk_" + base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(s.Key).Public().(ed25519.PublicKey))
}

func (s secret) sign(text []byte) string {
	if s.Scheme == HMAC {
		mac := hmac.New(sha256.New, s.Key)
		mac.Write(text)
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(ed25519.NewKeyFromSeed(s.Key), text))
}

// signature is the header of that name: one part for every key that counts now.
func signature(keys []secret, id MessageID, at time.Time, body string) string {
	text := []byte(id.String() + "." + strconv.FormatInt(at.Unix(), 10) + "." + body)
	var parts []string
	for _, k := range keys {
		if k.Until.IsZero() || at.Before(k.Until) {
			parts = append(parts, k.sign(text))
		}
	}
	return strings.Join(parts, " ")
}

func (e Endpoint) secrets() ([]secret, error) {
	var all []secret
	if err := json.Unmarshal(e.Secrets.Reveal(), &all); err != nil {
		return nil, fmt.Errorf("read an endpoint's keys: %w", err)
	}
	return all, nil
}

// setSecrets stores the keys without those that count no more.
func (e *Endpoint) setSecrets(all []secret, now time.Time) error {
	var kept []secret
	for _, k := range all {
		if k.Until.IsZero() || now.Before(k.Until) {
			kept = append(kept, k)
		}
	}
	packed, err := json.Marshal(kept)
	e.Secrets = personal.OfBytes(packed)
	return err
}
