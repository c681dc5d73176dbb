package attack

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/url"
	"strings"
	"unicode/utf16"
)

// Marks finds bytes that belong to somebody in whatever is put before it: plain, in either case, in base64, in hex, as
// UTF-16, escaped for an address, or packed with gzip.
type Marks struct {
	needles [][]byte
	names   []string
}

// NewMarks looks for these words. Words shorter than 8 letters are left out: they occur by chance.
func NewMarks(words ...string) *Marks {
	m := &Marks{}
	for _, w := range words {
		if len(w) < 8 {
			continue
		}
		m.add("plain", []byte(w))
		m.add("upper case", []byte(strings.ToUpper(w)))
		m.add("escaped", []byte(url.QueryEscape(w)))
		m.add("hex", []byte(hex.EncodeToString([]byte(w))))
		m.add("upper-case hex", []byte(strings.ToUpper(hex.EncodeToString([]byte(w)))))
		m.add("UTF-16", wide(w, 0))
		m.add("UTF-16, big-endian", wide(w, 1))
		for shift := range 3 {
			m.add("base64", base64Core(w, shift, base64.StdEncoding))
			m.add("base64 for addresses", base64Core(w, shift, base64.URLEncoding))
		}
	}
	return m
}

func (m *Marks) add(name string, needle []byte) {
	if len(needle) >= 8 {
		m.needles, m.names = append(m.needles, needle), append(m.names, name)
	}
}

func wide(w string, big int) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(w)) {
		pair := [2]byte{byte(u), byte(u >> 8)}
		out = append(out, pair[big], pair[1-big])
	}
	return out
}

// base64Core is the part of a word's base64 that does not depend on what stands around it, when so many bytes of the
// triple it begins in come before it.
func base64Core(w string, shift int, enc *base64.Encoding) []byte {
	text := enc.EncodeToString(append(make([]byte, shift), w...))
	skip := []int{0, 2, 3}[shift]
	text = strings.TrimRight(text, "=")
	if (shift+len(w))%3 != 0 && len(text) > 0 {
		text = text[:len(text)-1]
	}
	if len(text) <= skip {
		return nil
	}
	return []byte(text[skip:])
}

// Find tells in which form the first mark occurs in the bytes, or nothing.
func (m *Marks) Find(data []byte) string {
	if found := m.find(data); found != "" {
		return found
	}
	rest := data
	for range 64 { // packed parts
		at := bytes.Index(rest, []byte{0x1f, 0x8b, 8})
		if at < 0 {
			return ""
		}
		if plain := unpack(rest[at:]); len(plain) > 0 {
			if found := m.find(plain); found != "" {
				return found + ", in gzip"
			}
		}
		rest = rest[at+3:]
	}
	return ""
}

func (m *Marks) find(data []byte) string {
	for i, needle := range m.needles {
		if bytes.Contains(data, needle) {
			return m.names[i]
		}
	}
	return ""
}

// unpackLimit is the most that is unpacked of one part, in bytes.
const unpackLimit = 16 << 20

func unpack(data []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	plain, _ := io.ReadAll(io.LimitReader(r, unpackLimit)) // what was read before an error counts too
	return plain
}
