package cards_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"aver/base/cards"
)

func TestFilesKeepEverythingButTheNumbers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"a table":         {"name,card\nMaria,4111 1111 1111 1111\n", "name,card\nMaria,•••• •••• •••• 1111\n"},
		"an old encoding": {"M\xfcller;4111111111111111\r\n", "M\xfcller;\x95\x95\x95\x95\x95\x95\x95\x95\x95\x95\x95\x951111\r\n"},
		"no number":       {"M\xfcller;12\r\n", "M\xfcller;12\r\n"},
		"nothing":         {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := cards.MaskFile([]byte(c.text)); string(got) != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestNoNumberSurvivesWhereverItStandsInALongFile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := strings.Repeat("lorem ipsum, ", rapid.IntRange(0, 700).Draw(t, "before"))
		before = before[:max(0, len(before)-rapid.IntRange(0, 12).Draw(t, "less"))] + ":"
		text := before + dressed(t, number(t)) + ";" + strings.Repeat(" dolor sit", rapid.IntRange(0, 500).Draw(t, "after"))
		got, n := cards.MaskFile([]byte(text))
		again, more := cards.Mask(string(got))
		if n == 0 || more != 0 || again != string(got) {
			t.Fatalf("%d found, and %d more in what was masked", n, more)
		}
		if utf8.RuneCount(got) != utf8.RuneCountInString(text) {
			t.Fatalf("%d characters became %d", utf8.RuneCountInString(text), utf8.RuneCount(got))
		}
	})
}

// A window must not see four numbers where the file has many more.
func TestALongListIsWhatItIsInAFileToo(t *testing.T) {
	t.Parallel()
	list := []byte(strings.Repeat("4111,1111,1111,1111,", 2000))
	for cut := range 21 {
		if got, n := cards.MaskFile(list[cut:]); n != 0 || !bytes.Equal(got, list[cut:]) {
			t.Fatalf("%d of a list's numbers are taken for cards'", n)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"4111", "1111", "4242", "3782", "822463", "10005", "0005", "12", "x", ","}), 500, 900).Draw(t, "words")
		between := rapid.SampledFrom([]string{",", ",", ",", ", ", "/", ":", " "})
		var text strings.Builder
		for _, w := range words {
			text.WriteString(w + between.Draw(t, "between"))
		}
		whole, _ := cards.Mask(text.String())
		if got, _ := cards.MaskFile([]byte(text.String())); string(got) != whole {
			t.Fatalf("window by window %q is %q, and together %q", text.String(), got, whole)
		}
	})
}

func TestMaskingALongFileTakesATimeThatGrowsWithIt(t *testing.T) {
	t.Parallel()
	took := func(size, times int) time.Duration {
		raw := append(bytes.Repeat([]byte("4242424242424242"), 64), bytes.Repeat([]byte("some words, 4242,4242, "), size/23)...)
		begun := time.Now()
		for range times {
			if _, n := cards.MaskFile(raw); n == 0 {
				t.Error("nothing was found")
			}
		}
		return time.Since(begun)
	}
	small, large := time.Hour, time.Hour
	for range 4 { // a busy machine makes some slow, not all, and what is short less than what is long
		small, large = min(small, took(1<<20, 16)), min(large, took(16<<20, 1))
	}
	if large > 6*small { // squared it would be sixteen times as long
		t.Errorf("sixteen times 1 MiB took %s and 16 MiB %s", small, large)
	}
}

func TestJSONStaysJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"card":4111111111111111,"n":12}`:         `{"card":"••••••••••••1111","n":12}`,
		`{"a":["4111 1111 1111 1111",{"b":true}]}`: `{"a":["•••• •••• •••• 1111",{"b":true}]}`,
		`{"4111111111111111":"x"}`:                 `{"••••••••••••1111":"x"}`,
		`{"card":"\u0034111111111111111"}`:         `{"card":"••••••••••••1111"}`,
		`{"z":1,"a":2.50}`:                         `{"z":1,"a":2.50}`,
		`not JSON 4111111111111111`:                `not JSON ••••••••••••1111`,
		`{"a":[4111,1111,1111,1111]}`:              `{"a":[4111,1111,1111,1111]}`,
	} {
		if got, _ := cards.MaskJSON([]byte(text)); string(got) != want {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func BenchmarkMaskOfALongFile(b *testing.B) {
	for name, word := range map[string]string{"words": "some words, ", "digits": "4242424242424242", "a table": "4711;Maria Kowal;2026-11-22;4200,4300;\n", "a list": "4242,"} {
		raw := bytes.Repeat([]byte(word), (1<<20)/len(word))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				cards.MaskFile(raw)
			}
		})
	}
}

func FuzzMaskFile(f *testing.F) {
	f.Add([]byte("card 4111 1111 1111 1111"))
	f.Add([]byte("\xff4111111111111111"))
	f.Add([]byte("4111,1111,1111,1111\n4111|1111|1111|1111|12|29"))
	f.Add([]byte(`{"card":4111111111111111}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, n := cards.MaskFile(raw)
		if n == 0 && !bytes.Equal(got, raw) {
			t.Fatalf("changed %q without finding anything: %q", raw, got)
		}
		if out, _ := cards.MaskJSON(raw); json.Valid(raw) && !json.Valid(out) {
			t.Fatalf("%q became %q, which is no JSON", raw, out)
		}
	})
}
