package attack_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"aver/trust/canary/attack"
)

const word = "qxkanarienvogel"

func zip(s string) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return out.String()
}

func wide(s string, big bool) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return string(out)
}

// Whatever stands before and behind it, the word is found in each form.
func TestWordsAreFoundInEveryForm(t *testing.T) {
	t.Parallel()
	marks := attack.NewMarks(word)
	forms := map[string]func(string) string{
		"plain":                func(s string) string { return s },
		"upper case":           strings.ToUpper,
		"base64":               func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64 for addresses": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"hex":                  func(s string) string { return hex.EncodeToString([]byte(s)) },
		"UTF-16":               func(s string) string { return wide(s, false) },
		"UTF-16, big-endian":   func(s string) string { return wide(s, true) },
		"gzip":                 zip,
		"base64 in gzip":       func(s string) string { return zip(base64.StdEncoding.EncodeToString([]byte(s))) },
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				before, after := rapid.StringN(0, 20, -1).Draw(t, "before"), rapid.StringN(0, 20, -1).Draw(t, "after")
				text := "…" + form(before+word+after) + "…"
				if marks.Find([]byte(text)) == "" {
					t.Fatalf("not found in %q", text)
				}
			})
		})
	}
}

func TestOtherWordsAreNotFound(t *testing.T) {
	t.Parallel()
	marks := attack.NewMarks(word, "short")
	for _, text := range []string{"", "short", "qxkanarienvogl", zip("nothing here"), strings.Repeat("\x1f\x8b\x08", 100), word[:len(word)-1]} {
		if form := marks.Find([]byte(text)); form != "" {
			t.Errorf("%q is found as %s", text, form)
		}
	}
}

func TestAGhostHasTheFormOfTheOriginalAndNamesNothing(t *testing.T) {
	t.Parallel()
	for _, original := range []string{"con_06h023z13nrv31br2774jg4vg4", base64.RawURLEncoding.EncodeToString(make([]byte, 24)), "customer-4711"} {
		ghost := attack.Ghost(original)
		if ghost == original || len(original) > 20 && len(ghost) != len(original) {
			t.Errorf("of %q it is %q", original, ghost)
		}
		if strings.HasPrefix(original, "con_") && ghost[:13] != original[:13] {
			t.Errorf("%q was made at another time than %q", ghost, original)
		}
	}
}
