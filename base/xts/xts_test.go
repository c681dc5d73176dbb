package xts_test

import (
	"bytes"
	"crypto/aes"
	"testing"

	reference "golang.org/x/crypto/xts"

	"aver/base/xts"
)

// FuzzXTS compares with the library that everybody uses.
func FuzzXTS(f *testing.F) {
	f.Add(bytes.Repeat([]byte{1, 2, 3, 4}, xts.KeySize/4), []byte("a page"), uint32(0), uint8(8))
	f.Add(make([]byte, xts.KeySize), []byte{}, uint32(1<<32-1), uint8(1))
	f.Fuzz(func(t *testing.T, key, text []byte, first uint32, sectors uint8) {
		ours, err := xts.New(key)
		if len(key) != xts.KeySize {
			if err == nil {
				t.Fatalf("takes a key of %d bytes", len(key))
			}
			return
		}
		theirs, err := reference.NewCipher(aes.NewCipher, key)
		if err != nil {
			t.Fatal(err)
		}
		clear := make([]byte, int(sectors)*xts.Sector)
		for i := 0; len(text) > 0 && i < len(clear); i += len(text) {
			copy(clear[i:], text)
		}
		sealed, want, tweaks := bytes.Clone(clear), bytes.Clone(clear), make([]byte, len(clear))
		ours.Encrypt(sealed, int64(first), tweaks)
		for i := 0; i < len(want); i += xts.Sector {
			theirs.Encrypt(want[i:i+xts.Sector], want[i:i+xts.Sector], uint64(first)+uint64(i/xts.Sector))
		}
		if !bytes.Equal(sealed, want) {
			t.Fatal("encrypted otherwise")
		}
		ours.Decrypt(sealed, int64(first), tweaks)
		if !bytes.Equal(sealed, clear) {
			t.Fatal("does not come back")
		}
	})
}
