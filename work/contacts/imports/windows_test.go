package imports

import (
	"bytes"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func TestEveryByteOfWindows1252IsTheLetterThatTheLibrarySays(t *testing.T) {
	t.Parallel()
	raw := make([]byte, 256)
	for i := range raw {
		raw[i] = byte(i)
	}
	want, err := charmap.Windows1252.NewDecoder().Bytes(raw)
	if err != nil || !bytes.Equal(windows1252(raw), want) {
		t.Errorf("%q, want %q (%v)", windows1252(raw), want, err)
	}
}
