// Package aead encrypts a value so that it opens only with the right key in the right place.
//
// Use Seal and Open for values that live in a table or a file of ours: the place is bound in as additional data, so a
// ciphertext moved to another row, column or tenant does not open. Do not use it for large streams (backups use age)
// and do not use it for passwords (argon2id). This is the only package that touches crypto/aes and crypto/cipher.
package aead

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
)

// KeySize is the length of every key in bytes: AES-256.
const KeySize = 32

// ErrOpen says that a value does not open here: wrong key, wrong place or altered bytes. Which one cannot be told.
var ErrOpen = errors.New("sealed value does not open")

const (
	format    = 1 // first byte of every sealed value
	nonceSize = 12
	header    = 1 + 4 // format, key version
	// Overhead is how many bytes longer a sealed value is than its plaintext.
	Overhead = header + nonceSize + 16
)

// Key seals and opens under one version of one key. It is safe for concurrent use.
type Key struct {
	gcm     cipher.AEAD
	raw     [KeySize]byte
	version uint32
}

// NewRaw makes fresh key material.
func NewRaw() []byte {
	raw := make([]byte, KeySize)
	if _, err := rand.Read(raw); err != nil {
		panic("aead: no randomness: " + err.Error()) // crypto/rand aborts the process itself before this
	}
	return raw
}

// NewKey takes 32 bytes of key material and the version that sealed values will name.
func NewKey(raw []byte, version uint32) (*Key, error) {
	if len(raw) != KeySize {
		return nil, fmt.Errorf("make key: %d bytes of key material, want %d", len(raw), KeySize)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	k := &Key{gcm: gcm, version: version}
	copy(k.raw[:], raw)
	return k, nil
}

// Version is the number that sealed values name.
func (k *Key) Version() uint32 { return k.version }

// Seal encrypts plain for one place and appends the result to dst. The nonce is random: with 96 bits a key may seal
// 2^32 values before the chance of a repeat passes 2^-32 (NIST SP 800-38D §8.3), far more than one person writes.
func (k *Key) Seal(dst, plain, place []byte) []byte {
	start := len(dst)
	dst = append(dst, format)
	dst = binary.BigEndian.AppendUint32(dst, k.version)
	dst = append(dst, make([]byte, nonceSize)...)
	nonce := dst[start+header : start+header+nonceSize]
	if _, err := rand.Read(nonce); err != nil {
		panic("aead: no randomness: " + err.Error())
	}
	return k.gcm.Seal(dst, nonce, plain, place)
}

// Open decrypts a sealed value in the place it was sealed for.
func (k *Key) Open(sealed, place []byte) ([]byte, error) {
	version, err := Version(sealed)
	if err != nil || version != k.version {
		return nil, ErrOpen
	}
	plain, err := k.gcm.Open(nil, sealed[header:header+nonceSize], sealed[header+nonceSize:], place)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Version reads which key version sealed a value.
func Version(sealed []byte) (uint32, error) {
	if len(sealed) < Overhead || sealed[0] != format {
		return 0, ErrOpen
	}
	return binary.BigEndian.Uint32(sealed[1:header]), nil
}

// Derive makes a key of another purpose from this one (HKDF-SHA-256, RFC 5869). size is in bytes.
func (k *Key) Derive(purpose string, size int) []byte {
	out, err := hkdf.Expand(sha256.New, k.raw[:], purpose, size)
	if err != nil {
		panic("aead: derive: " + err.Error()) // only for sizes over 8 kB
	}
	return out
}

// BlindIndex maps a normalised value to bytes that are equal when the values are and say nothing else.
// Key material is per tenant and field, so equal values of two tenants do not look alike. The result is size bytes, 16 is usual.
func BlindIndex(key, value []byte, size int) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(value)
	return mac.Sum(nil)[:size]
}

// A Blinder makes many indexes under one key. It is used by one goroutine at a time.
type Blinder struct {
	mac hash.Hash
	sum []byte
}

// NewBlinder prepares a key.
func NewBlinder(key []byte) *Blinder { return &Blinder{mac: hmac.New(sha256.New, key)} }

// Index is BlindIndex of the value. The next call writes over it.
func (b *Blinder) Index(value []byte, size int) []byte {
	b.mac.Reset()
	b.mac.Write(value)
	b.sum = b.mac.Sum(b.sum[:0])
	return b.sum[:size]
}

// Place joins the parts of a location unambiguously: each part is preceded by its length.
func Place(parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += 4 + len(p)
	}
	out := make([]byte, 0, size)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}
