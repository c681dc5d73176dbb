// Package scan cuts text into words, numbers and signs in one pass, for the recognisers of package redact.
//
// Positions are bytes of the text as it was given, so that what is found can be cut out of it. Words are compared folded:
// small letters, no accents. A placeholder that stands for something already taken out, such as [NAME_1], is one token of
// its own kind that no recogniser looks into.
package scan

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the sort of a token.
type Kind uint8

// The kinds.
const (
	Word   Kind = iota + 1 // letters, with apostrophes between them
	Number                 // decimal digits, of any of the common scripts
	Mixed                  // letters and digits in one
	Sign                   // any other character, one each
	Held                   // a placeholder
)

// Shape is what else is known of a token.
type Shape uint8

// The bits of a shape.
const (
	Capital  Shape = 1 << iota // begins with a capital letter
	Capitals                   // has no small letter
	Spaced                     // white space stands before it
	Opens                      // first of its line
	Foreign                    // has characters beyond ASCII
	Joined                     // has an apostrophe
)

// Token is a piece of a text.
type Token struct {
	From, To    int // bytes
	Kind        Kind
	Shape       Shape
	First, Last byte   // of a word as Fold leaves it
	Hash        uint64 // of a word or number as Fold leaves it
}

// Len is how long the token is, in bytes.
func (t *Token) Len() int { return t.To - t.From }

// Is tells whether the shape has the bit.
func (t *Token) Is(bit Shape) bool { return t.Shape&bit != 0 }

// Text is a text with its tokens. It can be used again for another text, one at a time.
type Text struct {
	S      string
	Tokens []Token
	Digits bool // there are any
}

// Types of bytes, as bits.
const (
	small = 1 << iota
	large
	digit
	space
	line
	beyond // of a character that is not ASCII
)

var types = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c == '\n' || c == '\r':
			t[c] = line
		case c == ' ' || c == '\t':
			t[c] = space
		case c >= 'a' && c <= 'z':
			t[c] = small
		case c >= 'A' && c <= 'Z':
			t[c] = large
		case c >= '0' && c <= '9':
			t[c] = digit
		case c >= utf8.RuneSelf:
			t[c] = beyond
		}
	}
	return t
}()

// lowered are the small letters and digits that ASCII letters and digits fold to; 0 for anything else.
var lowered = func() (t [256]byte) {
	for c := range t {
		switch types[c] {
		case large:
			t[c] = byte(c) + 'a' - 'A'
		case small, digit:
			t[c] = byte(c)
		}
	}
	return t
}()

// Read cuts a text into tokens.
func (t *Text) Read(s string) {
	t.S, t.Tokens, t.Digits = s, t.Tokens[:0], false
	before := Opens
	for i := 0; i < len(s); {
		switch types[s[i]] {
		case space:
			before |= Spaced
			i++
			continue
		case line:
			before |= Spaced | Opens
			i++
			continue
		case 0:
			i = t.sign(i, before)
		case beyond:
			next, blank := t.far(i, before)
			i = next
			if blank {
				before |= Spaced
				continue
			}
		default:
			i = t.run(i, before)
		}
		before = 0
	}
}

// sign takes one sign, or a placeholder.
func (t *Text) sign(i int, before Shape) int {
	if t.S[i] == '[' {
		if n := Placeholder(t.S[i:]); n > 0 {
			t.Tokens = append(t.Tokens, Token{From: i, To: i + n, Kind: Held, Shape: before})
			return i + n
		}
	}
	t.Tokens = append(t.Tokens, Token{From: i, To: i + 1, Kind: Sign, Shape: before})
	return i + 1
}

// far takes what begins with a character beyond ASCII.
func (t *Text) far(i int, before Shape) (next int, blank bool) {
	r, n := utf8.DecodeRuneInString(t.S[i:])
	switch {
	case unicode.IsSpace(r), invisible(r):
		return i + n, unicode.IsSpace(r)
	case unicode.IsLetter(r), unicode.Is(unicode.Nd, r):
		return t.run(i, before), false
	}
	t.Tokens = append(t.Tokens, Token{From: i, To: i + n, Kind: Sign, Shape: before | Foreign})
	return i + n, false
}

// run takes letters and digits that stand together.
func (t *Text) run(from int, shape Shape) int {
	s, i, hash, seen := t.S, from, uint64(offset), uint8(0)
	first, last := byte(0), byte(0)
	for {
		for i < len(s) {
			c := lowered[s[i]]
			if c == 0 {
				break
			}
			hash = (hash ^ uint64(c)) * prime
			seen |= types[s[i]]
			last = c
			i++
		}
		if i > from && first == 0 && s[from] < utf8.RuneSelf {
			first = lowered[s[from]]
			if types[s[from]] == large {
				shape |= Capital
			}
		}
		n, bits, folds := t.odd(from, i)
		if n == 0 {
			break
		}
		for _, c := range []byte(folds) {
			hash, last = (hash^uint64(c))*prime, c
			if first == 0 {
				first = c
			}
		}
		if i == from && bits&large != 0 {
			shape |= Capital
		}
		if s[i] >= utf8.RuneSelf {
			shape |= Foreign
		}
		if bits == 0 {
			shape |= Joined
		}
		seen, i = seen|bits, i+n
	}
	kind := Word
	switch seen & (small | large | digit) {
	case digit:
		kind = Number
	case digit | small, digit | large, digit | small | large:
		kind = Mixed
	}
	t.Digits = t.Digits || kind != Word
	if seen&(small|large) == large {
		shape |= Capitals
	}
	t.Tokens = append(t.Tokens, Token{From: from, To: i, Kind: kind, Shape: shape, First: first, Last: last, Hash: hash})
	return i
}

// odd looks at a character of a run that is no ASCII letter or digit: how many bytes it has, 0 if the run ends there, what sort it is
// and what it folds to.
func (t *Text) odd(from, i int) (n int, bits uint8, folds string) {
	s := t.S
	if i >= len(s) {
		return 0, 0, ""
	}
	if s[i] < utf8.RuneSelf {
		if s[i] == '\'' && between(s, from, i, 1) {
			return 1, 0, ""
		}
		return 0, 0, ""
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	switch {
	case unicode.IsLetter(r):
		bits = small
		if unicode.IsUpper(r) {
			bits = large
		}
		return n, bits, folded(r)
	case unicode.Is(unicode.Nd, r):
		return n, digit, s[i : i+n]
	case apostrophe(r) && between(s, from, i, n), unicode.IsMark(r), invisible(r):
		return n, 0, ""
	}
	return 0, 0, ""
}

func apostrophe(r rune) bool { return r == '’' || r == 'ʼ' }

// invisible signs are part of what they stand in.
func invisible(r rune) bool { return r >= 0xad && unicode.Is(unicode.Cf, r) }

// between tells whether what is at i, n bytes long, has a letter on both sides.
func between(s string, from, i, n int) bool {
	if i == from || i+n >= len(s) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i+n:])
	return unicode.IsLetter(before) && unicode.IsLetter(after)
}

// Placeholder tells how long the placeholder is that the text begins with: [NAME_1] or [NAME]; 0 if it begins with none.
func Placeholder(s string) int {
	if len(s) < 3 || s[0] != '[' || types[s[1]] != large {
		return 0
	}
	for i := 1; i < len(s) && i < 32; i++ {
		switch c := s[i]; {
		case c == ']':
			return i + 1
		case types[c] != large && types[c] != digit && c != '_':
			return 0
		}
	}
	return 0
}

// Of is the text of a token.
func (t *Text) Of(k *Token) string { return t.S[k.From:k.To] }

// Whose is where a word ends without the 's of Anna's.
func (t *Text) Whose(k *Token) int {
	s := t.Of(k)
	for _, end := range [...]string{"'s", "’s"} {
		if k.Is(Joined) && len(s) > len(end) && s[len(s)-len(end):] == end {
			return k.To - len(end)
		}
	}
	return k.To
}

var none Token

// At is the token at a place, or a zero token beyond the ends.
func (t *Text) At(i int) *Token {
	if i < 0 || i >= len(t.Tokens) {
		return &none
	}
	return &t.Tokens[i]
}

// IsSign tells whether the token at a place is this sign.
func (t *Text) IsSign(i int, c byte) bool {
	k := t.At(i)
	return k.Kind == Sign && t.S[k.From] == c
}

// Begins tells whether the token at a place begins a sentence or line, so that its capital letter says nothing.
func (t *Text) Begins(i int) bool {
	k := t.At(i)
	if i == 0 || k.Is(Opens) {
		return true
	}
	b := t.At(i - 1)
	return b.Kind == Sign && strings.IndexByte(".!?:;\"(-*>", t.S[b.From]) >= 0 || b.Is(Foreign) && b.Kind == Sign
}

// Folded is the token in small letters without accents, appended to a buffer.
func (t *Text) Folded(k *Token, to []byte) []byte { return Fold(t.Of(k), to) }
