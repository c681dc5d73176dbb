package house

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"aver/base/personal"
)

// vocabulary is some thousand words that mean nothing.
var vocabulary = sync.OnceValue(func() []string {
	syllables := []string{"ba", "ren", "to", "mil", "sa", "ver", "ko", "lin", "du", "gra", "pe", "nos", "tir", "wa", "fel", "ho"}
	var out []string
	for _, a := range syllables {
		for _, b := range syllables {
			out = append(out, a+b)
			for _, c := range syllables {
				out = append(out, a+b+c)
			}
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
})

// Words is the n-th message: about 120 bytes, in words of which few are frequent and most are rare, as in any language.
func Words(n int64) personal.Text {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	frequency := rand.NewZipf(random, 1.1, 3, uint64(len(vocabulary())-1))
	var text strings.Builder
	fmt.Fprintf(&text, "Number %010d:", n)
	for text.Len() < 115 {
		text.WriteString(" " + vocabulary()[frequency.Uint64()])
	}
	return personal.Of(text.String())
}

// ClientID is an identifier that a client gives a message: a version 7 UUID (RFC 9562), as the widget makes them.
func ClientID(n int64) string {
	ms := uint64(time.Now().UnixMilli())
	return fmt.Sprintf("%08x-%04x-7%03x-%04x-%012x", ms>>16, ms&0xffff, rand.Uint32N(1<<12), 0x8000|rand.Uint32N(1<<14), n)
}
