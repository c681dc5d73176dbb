// Package phone writes telephone numbers as ITU-T E.164 has them: + and digits alone.
//
// It knows the calling code and the trunk prefix of each country and nothing of who gave which number out: it tells a
// number that can be one from a text that cannot, not one that answers from one that does not. The library that knows
// more weighs a tenth of this program.
package phone

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
)

// listed has a line of country (ISO 3166-1), calling code (ITU-T E.164 Annex D) and, after a colon, the trunk prefix with
// which numbers are dialled inside the country (ITU-T E.129).
//
//go:embed countries.txt
var listed string

// shared are calling codes of no country (ITU-T E.164 Annex D).
var shared = []string{"800", "808", "870", "878", "881", "882", "883", "888", "979"}

type country struct{ code, trunk string }

// countries by their letters, in lower case.
var countries = read(listed)

func read(text string) map[string]country {
	all := map[string]country{}
	for _, word := range strings.Fields(text) {
		code, trunk, _ := strings.Cut(word[2:], ":")
		all[word[:2]] = country{code, trunk}
	}
	return all
}

const (
	fewest = 5  // digits of a number inside its country; some islands have no more
	most   = 15 // digits in all (E.164 §6.1)
)

// Parse writes a number as +4930901820. One that does not begin with + or 00 is of the given country (ISO 3166-1, such
// as DE); without a country it cannot be told which, and it is refused.
func Parse(text, of string) (e164 string, ok bool) {
	digits, plus, ok := digitsOf(text)
	if !ok {
		return "", false
	}
	home, known := countries[strings.ToLower(of)]
	switch {
	case plus:
	case !known:
		return "", false
	case home.code == "1" && strings.HasPrefix(digits, "011"):
		digits = digits[3:]
	case home.code != "1" && strings.HasPrefix(digits, "00"):
		digits = digits[2:]
	default:
		digits = home.code + strings.TrimPrefix(digits, home.trunk)
	}
	code := codeOf(digits)
	inside := len(digits) - len(code)
	if code == "" || inside < fewest || len(digits) > most || code == "1" && !american(digits[1:]) {
		return "", false
	}
	return "+" + digits, true
}

// digitsOf reads the digits of any script, with what people write between them. A trunk prefix in brackets after a country
// code, +49 (0)30, is not dialled and goes.
func digitsOf(text string) (digits string, plus, ok bool) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "tel:")
	if rest, after := strings.CutPrefix(text, "+"); after {
		plus, text = true, strings.Replace(rest, "(0)", "", 1)
	} else if rest, after := strings.CutPrefix(text, "＋"); after {
		plus, text = true, rest
	}
	var out strings.Builder
	for _, r := range text {
		switch d := digit(r); {
		case d >= 0:
			out.WriteByte(byte('0' + d))
		case strings.ContainsRune("-–‐‑()./\u00a0\u2009\u202f", r), unicode.IsSpace(r):
		default:
			return "", false, false
		}
	}
	return out.String(), plus, out.Len() > 0
}

// digit is a decimal digit's value, in any script, or -1. Unicode keeps the ten digits of a script together.
func digit(r rune) int {
	if !unicode.Is(unicode.Nd, r) {
		return -1
	}
	for zero := r; ; zero-- {
		if r-zero == 9 || !unicode.Is(unicode.Nd, zero-1) {
			return int(r - zero)
		}
	}
}

// codeOf is the calling code that digits begin with, or empty.
func codeOf(digits string) string {
	for n := min(3, len(digits)); n > 0; n-- {
		if isCode(digits[:n]) {
			return digits[:n]
		}
	}
	return ""
}

func isCode(code string) bool {
	for _, c := range countries {
		if c.code == code {
			return true
		}
	}
	return slices.Contains(shared, code)
}

// american tells whether ten digits follow the North American plan: neither area nor exchange begins with 0 or 1.
func american(inside string) bool { return len(inside) == 10 && inside[0] > '1' && inside[3] > '1' }

// Shown is a number in groups, as people read it: +49 309 018 20.
func Shown(e164 string) string {
	digits := strings.TrimPrefix(e164, "+")
	code := codeOf(digits)
	if code == "" || !strings.HasPrefix(e164, "+") {
		return e164
	}
	out := []string{"+" + code}
	for rest := digits[len(code):]; rest != ""; {
		n := 3
		if len(rest) <= 4 {
			n = len(rest)
		}
		out = append(out, rest[:n])
		rest = rest[n:]
	}
	return strings.Join(out, " ")
}
