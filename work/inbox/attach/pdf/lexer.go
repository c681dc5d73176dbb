package pdf

import (
	"bytes"
	"math"
)

// The kinds of objects (ISO 32000-1, 7.3). Numbers are float64 and strings []byte.
type (
	name    string
	keyword string // true, false, null, operators, and what closes a list; empty at the end
	ref     int    // the number of an object that lies elsewhere
	dict    map[name]any
)

const (
	mostNested = 64      // arrays and dictionaries inside one another
	mostListed = 1 << 18 // elements of one object
)

// lexer reads objects and operators. It takes whatever stands there: readers of PDF files mend a lot.
type lexer struct {
	src    []byte
	at     int
	listed int  // elements read so far
	over   bool // nested too deep, or too many elements
	open   bool // a string is not closed
}

func blank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func regular(c byte) bool { return !blank(c) && bytes.IndexByte([]byte("()<>[]{}/%"), c) < 0 }

// blanks skips what separates objects, comments too.
func (l *lexer) blanks() {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case blank(c):
			l.at++
		case c == '%':
			for l.at < len(l.src) && l.src[l.at] != '\n' && l.src[l.at] != '\r' {
				l.at++
			}
		default:
			return
		}
	}
}

// next reads one object or operator.
func (l *lexer) next(depth int) any {
	l.blanks()
	if l.at >= len(l.src) {
		return keyword("")
	}
	from, c := l.at, l.src[l.at]
	twice := l.at+1 < len(l.src) && l.src[l.at+1] == c
	l.at++
	switch {
	case c == '/':
		return name(l.word(l.at))
	case c == '(':
		return l.literal()
	case c == '<' && twice:
		l.at++
		return pairs(l.list(">>", depth))
	case c == '<':
		return l.hex()
	case c == '[':
		return l.list("]", depth)
	case c == '>' && twice:
		l.at++
		return keyword(">>")
	case !regular(c):
		return keyword(l.src[from:l.at])
	}
	word := l.word(from)
	if n, ok := number(word); ok {
		return n
	}
	return keyword(word)
}

// word reads regular characters; in names #xx is one that is written in hexadecimal.
func (l *lexer) word(from int) []byte {
	l.at = from
	for l.at < len(l.src) && regular(l.src[l.at]) {
		l.at++
	}
	word := l.src[from:l.at]
	if from == 0 || l.src[from-1] != '/' || bytes.IndexByte(word, '#') < 0 {
		return word
	}
	var out []byte
	for i := 0; i < len(word); i++ {
		if word[i] == '#' && i+2 < len(word) && digitOf(word[i+1]) >= 0 && digitOf(word[i+2]) >= 0 {
			out = append(out, byte(digitOf(word[i+1])<<4|digitOf(word[i+2])))
			i += 2
		} else {
			out = append(out, word[i])
		}
	}
	return out
}

// number reads an integer or a real, which have no exponents here.
func number(word []byte) (float64, bool) {
	sign, value, scale, seen := 1.0, 0.0, 0.0, false
	for i, c := range word {
		switch {
		case c == '-' && i == 0:
			sign = -1
		case c == '+' && i == 0:
		case c == '.' && scale == 0:
			scale = 1
		case c >= '0' && c <= '9':
			seen = true
			value, scale = value*10+float64(c-'0'), scale*10
		default:
			return 0, false
		}
	}
	return sign * value / math.Max(1, scale), seen && !math.IsInf(value, 0)
}

// list reads up to what closes it, or to where the object must have ended.
func (l *lexer) list(end keyword, depth int) []any {
	out := []any{}
	if depth <= 0 {
		l.over = true
	}
	for !l.over && !l.open {
		was := l.at
		v := l.next(depth - 1)
		if l.listed++; l.listed > mostListed {
			l.over = true
		}
		switch word, _ := v.(keyword); {
		case word == end && word != "":
			return out
		case v == keyword(""):
			return out
		case word == "obj" || word == "endobj" || word == "stream":
			l.at = was
			return out
		case word == "R" && len(out) >= 2:
			n, _ := out[len(out)-2].(float64)
			out = append(out[:len(out)-2], ref(n))
		default:
			out = append(out, v)
		}
	}
	return out
}

func pairs(list []any) dict {
	d := dict{}
	for i := 0; i+1 < len(list); i += 2 {
		if key, ok := list[i].(name); ok {
			d[key] = list[i+1]
		} else {
			i-- // something is missing: find the next key
		}
	}
	return d
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}

// literal reads a string in parentheses (7.3.4.2), which may hold others that are closed.
func (l *lexer) literal() []byte {
	var out []byte
	for deep := 1; l.at < len(l.src); l.at++ {
		c := l.src[l.at]
		switch c {
		case '(':
			deep++
		case ')':
			if deep--; deep == 0 {
				l.at++
				return out
			}
		case '\\':
			out = l.escape(out)
			continue
		}
		out = append(out, c)
	}
	l.at, l.open = len(l.src), true // a backslash at the end leads past it
	return out
}

// escape reads what follows a backslash and stops at its last byte.
func (l *lexer) escape(out []byte) []byte {
	if l.at++; l.at >= len(l.src) {
		return out
	}
	c := l.src[l.at]
	if plain, ok := escapes[c]; ok {
		return append(out, plain)
	}
	if c == '\r' && l.at+1 < len(l.src) && l.src[l.at+1] == '\n' {
		l.at++
	}
	if c == '\r' || c == '\n' {
		return out // the line goes on
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	code := 0
	for i := 0; i < 3 && l.at < len(l.src) && l.src[l.at] >= '0' && l.src[l.at] <= '7'; i++ {
		code = code<<3 | int(l.src[l.at]-'0')
		l.at++
	}
	l.at--
	return append(out, byte(code))
}

// hex reads a string in hexadecimal digits (7.3.4.3).
func (l *lexer) hex() []byte {
	var out []byte
	half := -1
	l.open = true
	for ; l.at < len(l.src) && l.open; l.at++ {
		c := l.src[l.at]
		if l.open = c != '>'; !l.open {
			continue
		}
		if c == '<' || c == '(' || c == '/' { // another object began
			return out
		}
		d := digitOf(c)
		switch {
		case d < 0:
		case half < 0:
			half = d
		default:
			out, half = append(out, byte(half<<4|d)), -1
		}
	}
	if half >= 0 {
		out = append(out, byte(half<<4))
	}
	return out
}

func digitOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
