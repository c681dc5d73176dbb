package pdf

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// font tells which signs the codes of a string stand for (ISO 32000-1, 9.6 to 9.10).
type font struct {
	to   map[uint16]rune // by the font's own map, or by the names of its signs
	wide bool            // codes have two bytes
	ucs  bool            // and are Unicode themselves
}

// plain is a font about which nothing is known: a byte is a sign of Windows' alphabet.
var plain = &font{}

const (
	mostMapped = 1 << 20 // codes of all fonts of a file
	perCode    = 32      // bytes that one takes
)

func (f *file) font(v any) (*font, error) {
	id, shared := v.(ref)
	if known, ok := f.fonts[id]; ok && shared {
		return known, nil
	}
	d, _ := f.resolve(v).(dict)
	out := &font{to: map[uint16]rune{}, wide: d["Subtype"] == name("Type0")}
	if encoding, ok := f.resolve(d["Encoding"]).(dict); ok {
		f.differ(out, f.resolve(encoding["Differences"]))
	}
	if f.parsed > mostParsed {
		return nil, ErrTooMuch
	}
	if out.wide {
		encoding, _ := f.resolve(d["Encoding"]).(name)
		out.ucs = strings.Contains(string(encoding), "UCS2") || strings.Contains(string(encoding), "UTF16")
		out.wide = out.ucs || strings.HasPrefix(string(encoding), "Identity") || encoding == ""
	}
	words, err := f.content(d["ToUnicode"])
	if err != nil {
		return nil, err
	}
	if words != nil {
		n := out.read(words, mostMapped-f.mapped)
		f.release(words, true)
		if f.mapped += n; f.mapped >= mostMapped {
			return nil, ErrTooMuch
		}
		if err := f.look.Room(int64(n) * perCode); err != nil {
			return nil, err
		}
	}
	if shared {
		f.fonts[id] = out
	}
	return out, nil
}

// read reads a map of codes (Adobe Technical Note 5014), at most so many, and returns how many there are.
func (t *font) read(words []byte, most int) (n int) {
	l := &lexer{src: words}
	var list []any
	for n < most && !l.over && len(list) <= most {
		v := l.next(mostNested)
		word, is := v.(keyword)
		switch {
		case !is:
			list = append(list, v)
			continue
		case word == "":
			return n
		case word == "endbfchar":
			for i := 0; i+1 < len(list) && n < most; i += 2 {
				n += t.span(list[i], list[i], list[i+1])
			}
		case word == "endbfrange":
			for i := 0; i+2 < len(list) && n < most; i += 3 {
				n += t.span(list[i], list[i+1], list[i+2])
			}
		}
		list = list[:0] // whatever else stands before a list, such as its length, is none of it
	}
	return n
}

func at(list []any, i int) any {
	if i >= 0 && i < len(list) {
		return list[i]
	}
	return nil
}

// span maps codes from one to another: to signs in a row, or to those listed.
func (t *font) span(from, to, signs any) int {
	first, ok := from.([]byte)
	last, is := to.([]byte)
	if !ok || !is || len(first) == 0 || len(first) > 2 || len(last) != len(first) {
		return 0
	}
	low, high := number16(first), number16(last)
	for code := low; code <= high; code++ {
		switch s := signs.(type) {
		case []byte:
			if r := firstRune(s); r != utf8.RuneError {
				t.to[uint16(code)] = r + rune(code-low)
			}
		case []any:
			one, _ := at(s, code-low).([]byte)
			t.to[uint16(code)] = firstRune(one)
		}
	}
	return max(0, high-low+1)
}

func number16(code []byte) int {
	n := 0
	for _, b := range code {
		n = n<<8 | int(b)
	}
	return n
}

// firstRune is the sign that UTF-16 begins with.
func firstRune(s []byte) rune {
	switch {
	case len(s) == 1:
		return rune(s[0])
	case len(s) < 2:
		return utf8.RuneError
	}
	r := rune(s[0])<<8 | rune(s[1])
	if utf16.IsSurrogate(r) && len(s) >= 4 {
		return utf16.DecodeRune(r, rune(s[2])<<8|rune(s[3]))
	}
	return r
}

// signs are the names of signs that numbers are written with. Letters are named as they are.
var signs = map[string]rune{"zero": '0', "one": '1', "two": '2', "three": '3', "four": '4', "five": '5', "six": '6', "seven": '7', "eight": '8', "nine": '9',
	"space": ' ', "nbspace": ' ', "hyphen": '-', "minus": '-', "endash": '-', "emdash": '-', "period": '.', "periodcentered": '.', "plus": '+'}

// differ notes where a font departs from the alphabet. What its names do not tell stays as it is.
func (f *file) differ(t *font, list any) {
	all, _ := list.([]any)
	f.parsed += len(all) // a font that no reference leads to is read again wherever it is chosen
	code := 0
	for _, v := range all {
		switch v := v.(type) {
		case float64:
			code = int(v)
		case name:
			if r := signNamed(string(v)); r != 0 && code >= 0 && code < 256 {
				t.to[uint16(code)] = r
				f.mapped++
			}
			code++
		}
	}
}

func signNamed(name string) rune {
	name, _, _ = strings.Cut(name, ".") // one.tnum
	name = strings.TrimSuffix(name, "oldstyle")
	if r, ok := signs[name]; ok {
		return r
	}
	if hex, ok := strings.CutPrefix(name, "uni"); ok && len(hex) == 4 {
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil {
			return rune(n)
		}
	}
	if len(name) == 1 {
		return rune(name[0])
	}
	return 0
}

// show appends the signs of a string, and returns how many codes it has.
func (t *font) show(out, s []byte) ([]byte, int) {
	if !t.wide && len(t.to) == 0 && utf8.Valid(s) {
		return append(out, s...), utf8.RuneCount(s) // ASCII; or what is stored would read like this, whatever is seen
	}
	if !t.wide {
		for _, c := range s {
			r, ok := t.to[uint16(c)]
			if !ok {
				r = latin(c)
			}
			out = utf8.AppendRune(out, r)
		}
		return out, len(s)
	}
	for i := 0; i+1 < len(s); i += 2 {
		code := uint16(s[i])<<8 | uint16(s[i+1])
		r, ok := t.to[code]
		if !ok && t.ucs {
			r, ok = rune(code), true
		}
		if !ok {
			r = utf8.RuneError
		}
		out = utf8.AppendRune(out, r)
	}
	return out, len(s) / 2
}

// latin is a byte's sign in Windows-1252, as far as numbers go.
func latin(c byte) rune {
	switch {
	case c < ' ':
		return ' '
	case c == 0x96 || c == 0x97:
		return '-'
	}
	return rune(c)
}

// said is a text string that is no part of a page: a title, a field, a note (7.9.2.2).
func said(s []byte) []byte {
	switch {
	case bytes.HasPrefix(s, []byte{0xfe, 0xff}):
		return wide(s[2:], 0, 1)
	case bytes.HasPrefix(s, []byte{0xff, 0xfe}):
		return wide(s[2:], 1, 0)
	}
	out, _ := plain.show(nil, s)
	return out
}

func wide(s []byte, high, low int) []byte {
	var out []byte
	for ; len(s) >= 2; s = s[2:] {
		out = utf8.AppendRune(out, rune(s[high])<<8|rune(s[low]))
	}
	return out
}
