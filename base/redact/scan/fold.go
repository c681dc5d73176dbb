package scan

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold appends a text in small letters, without accents, apostrophes and invisible signs: Łukasz and LUKASZ are one.
func Fold(s string, to []byte) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z':
			to = append(to, c+'a'-'A')
		case c == '\'':
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			to = append(to, folded(r)...)
			i += n - 1
		default:
			to = append(to, c)
		}
	}
	return to
}

// Tail is the part of a word behind an apostrophe: ordine of l'ordine; the word itself if it has none.
func Tail(word string) string {
	if i := strings.LastIndexByte(word, '\''); i >= 0 {
		return word[i+1:]
	}
	if i := strings.LastIndex(word, "’"); i >= 0 {
		return word[i+len("’"):]
	}
	return word
}

// FoldString is Fold of a text that is kept.
func FoldString(s string) string { return string(Fold(s, nil)) }

// latin holds what the letters from U+00C0 to U+024F fold to: those of most European languages.
var latin = func() (t [0x250 - 0xc0]string) {
	for r := rune(0xc0); r < 0x250; r++ {
		t[r-0xc0] = string(slow(r, nil))
	}
	return t
}()

func folded(r rune) string {
	if r >= 0xc0 && r < 0x250 {
		return latin[r-0xc0]
	}
	return string(slow(r, nil))
}

// plain are letters that Unicode does not take apart.
var plain = map[rune]string{'ß': "ss", 'ø': "o", 'ł': "l", 'đ': "d", 'æ': "ae", 'œ': "oe", 'ı': "i", 'ð': "d", 'þ': "th"}

func slow(r rune, to []byte) []byte {
	if apostrophe(r) || invisible(r) {
		return to
	}
	for _, part := range norm.NFKD.String(string(unicode.ToLower(r))) {
		if unicode.IsMark(part) {
			continue
		}
		if spelt, ok := plain[part]; ok {
			to = append(to, spelt...)
		} else {
			to = utf8.AppendRune(to, part)
		}
	}
	return to
}

// Digits appends the digits of a text as 0 to 9, whatever script they are written in, and nothing else.
func Digits(s string, to []byte) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if types[c] == digit {
			to = append(to, c)
		}
		if c < utf8.RuneSelf {
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.Is(unicode.Nd, r) {
			to = append(to, '0'+value(r))
		}
		i += n - 1
	}
	return to
}

// value is that of a decimal digit: Unicode keeps the ten of a script together and in order.
func value(r rune) byte {
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10)
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10)
		}
	}
	return 0
}
