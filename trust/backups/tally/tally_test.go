package tally_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"aver/trust/backups/tally"
)

func TestATallyIsTheHashOfWhatWentThrough(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 128 << 10, 5<<20 + 3} {
		text := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(text)
		var out bytes.Buffer
		c := tally.New(&out)
		for rest := text; len(rest) > 0; {
			n := min(len(rest), 1+rand.IntN(300<<10))
			if _, err := c.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			clear(rest[:n]) // whoever writes may use the memory again
			rest = rest[n:]
		}
		want := sha256.Sum256(out.Bytes())
		if got := c.End(); got != hex.EncodeToString(want[:]) || c.N != int64(size) {
			t.Errorf("%d bytes: %d, %s", size, c.N, got)
		}
	}
}

type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) / 2, errors.New("full") }

func TestATallyCountsWhatWasTakenAlone(t *testing.T) {
	t.Parallel()
	c := tally.New(short{})
	if _, err := c.Write([]byte("1234")); err == nil {
		t.Error("no error")
	}
	want := sha256.Sum256([]byte("12"))
	if got := c.End(); got != hex.EncodeToString(want[:]) || c.N != 2 {
		t.Errorf("%d, %s", c.N, got)
	}
}
