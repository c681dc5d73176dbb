package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"aver/base/errs"
)

// Argon2id with the parameters that OWASP names as the minimum: 19 MiB, two passes, one lane.
const (
	memory   = 19 << 10 // KiB
	passes   = 2
	lanes    = 1
	hashSize = 32
	saltSize = 16
)

// Passwords are at least 15 characters while they are the only factor (NIST SP 800-63B-4), at most 256 bytes so that
// nobody makes us hash a megabyte.
const (
	minLetters = 15
	maxBytes   = 256
)

// hasher bounds how many passwords are hashed at a time: each takes 19 MiB.
type hasher struct{ slots chan struct{} }

func newHasher() hasher { return hasher{make(chan struct{}, 2)} }

func (h hasher) run(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, errs.New(errs.Unavailable, "Too many people sign in at once. Try again.").Because(ctx.Err())
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(password), salt, passes, memory, lanes, hashSize), nil
}

// hash gives the stored form, with its parameters, as the reference implementation writes it.
func (h hasher) hash(ctx context.Context, password string) ([]byte, error) {
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		panic("identity: no randomness: " + err.Error()) // crypto/rand aborts the process itself before this
	}
	sum, err := h.run(ctx, password, salt)
	b64 := base64.RawStdEncoding
	return fmt.Appendf(nil, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes,
		b64.EncodeToString(salt), b64.EncodeToString(sum)), err
}

// dummySalt is hashed against when there is no user, so that the time tells nothing.
var dummySalt = []byte("no such user 16b")

// verify tells whether the password is the one. Without a stored hash it takes as long and says no.
func (h hasher) verify(ctx context.Context, stored []byte, password string) (bool, error) {
	if len(password) > maxBytes {
		return false, nil // the same for everybody, and nothing is hashed
	}
	salt, want := dummySalt, []byte(nil)
	if parts := strings.Split(string(stored), "$"); len(parts) == 6 {
		s, err1 := base64.RawStdEncoding.DecodeString(parts[4])
		w, err2 := base64.RawStdEncoding.DecodeString(parts[5])
		if err1 == nil && err2 == nil && len(w) == hashSize {
			salt, want = s, w
		}
	}
	got, err := h.run(ctx, password, salt)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1, err
}

// common are passwords of fifteen letters and more that everybody tries first.
var common = []string{"passwordpassword", "123456789012345", "qwertyuiopasdfgh", "1234567890123456", "aaaaaaaaaaaaaaaa",
	"administrator123", "iloveyouiloveyou", "changemechangeme", "letmeinletmeinletmein", "qwertyqwertyqwerty"}

// checkPassword says what is wrong with a new password; context holds words an attacker knows: name, address, workspace.
func checkPassword(password string, context ...string) error {
	bad := func(code, message string) error {
		return errs.New(errs.Invalid, "Choose another password.", errs.Field{Field: "password", Code: code, Message: message})
	}
	if utf8.RuneCountInString(password) < minLetters {
		return bad("too-short", fmt.Sprintf("Use at least %d characters. Several words are easy to remember.", minLetters))
	}
	if len(password) > maxBytes {
		return bad("too-long", fmt.Sprintf("Use at most %d bytes.", maxBytes))
	}
	low := strings.ToLower(password)
	for _, word := range common {
		if low == word {
			return bad("common", "This one is on every list that attackers try.")
		}
	}
	rest := low
	for _, word := range context {
		if word = strings.ToLower(strings.TrimSpace(word)); len(word) > 3 {
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	if utf8.RuneCountInString(rest) < minLetters/2 {
		return bad("guessable", "Do not build it from your name, address or workspace.")
	}
	if distinct(low) < 5 {
		return bad("repetitive", "Use more different characters.")
	}
	return nil
}

func distinct(s string) int {
	set := map[rune]struct{}{}
	for _, r := range s {
		set[r] = struct{}{}
	}
	return len(set)
}
