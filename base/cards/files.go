package cards

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// window is how much of a long text is looked at together, in bytes: however many digits a stranger sends, they are
// masked in a time that grows with the text.
const window = 2 << 10

// longestWritten is how many bytes a number can take in a text: digits of four bytes each, with signs of three in between.
const longestWritten = longest*4 + (longest-1)*mostBetween*3

// MaskFile is Mask for the bytes of a text file, in UTF-8 or in an encoding with a byte for a sign. What is no text at
// all comes back as it was.
func MaskFile(raw []byte) ([]byte, int) {
	if !utf8.Valid(raw) {
		return maskBytes(raw)
	}
	return maskText(string(raw))
}

// maskText masks window after window. Each begins a little before the last one ended, so that no number falls in between.
func maskText(text string) ([]byte, int) {
	var out strings.Builder
	found := 0
	for len(text) > 0 {
		end := cut(text, window)
		masked, n := Mask(text[:end])
		found += n
		if end == len(text) {
			out.WriteString(masked)
			break
		}
		again := len(masked)
		if again > longestWritten {
			again = cut(masked, len(masked)-longestWritten)
			out.WriteString(masked[:again])
		} else {
			again = 0
		}
		text = masked[again:] + text[end:]
	}
	return []byte(out.String()), found
}

// cut is the last place at or before n where a character of the text begins.
func cut(text string, n int) int {
	if n >= len(text) {
		return len(text)
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return n
}

// bullet is the sign for a digit in Windows-1252, which most files are in that are not in UTF-8.
const bullet = 0x95

// maskBytes masks a text in which every byte is a sign. Its digits are those of ASCII.
func maskBytes(raw []byte) ([]byte, int) {
	var text strings.Builder
	for _, b := range raw {
		if b >= utf8.RuneSelf {
			b = '?'
		}
		text.WriteByte(b)
	}
	masked, found := maskText(text.String())
	if found == 0 {
		return raw, 0
	}
	out := make([]byte, 0, len(raw))
	for i, r := range []rune(string(masked)) {
		if r == sign {
			out = append(out, bullet)
		} else {
			out = append(out, raw[i])
		}
	}
	return out, found
}

// MaskJSON masks the strings and numbers of a JSON value. A number that is a card's becomes a string. What is no JSON is
// masked as a text.
func MaskJSON(raw []byte) ([]byte, int) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil || d.More() {
		return MaskFile(raw)
	}
	value, found := maskValue(value)
	if found == 0 {
		return raw, 0
	}
	out, err := json.Marshal(value)
	if err != nil { // what was decoded can be encoded
		return nil, found
	}
	return out, found
}

func maskValue(value any) (masked any, found int) {
	switch v := value.(type) {
	case string:
		return Mask(v)
	case json.Number:
		text, n := Mask(v.String())
		if n > 0 {
			return text, n
		}
	case []any:
		for i := range v {
			n := 0
			v[i], n = maskValue(v[i])
			found += n
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			name, n := Mask(key)
			inner, more := maskValue(v[key])
			delete(v, key)
			v[name] = inner
			found += n + more
		}
	}
	return value, found
}
