package cards

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"
)

// window is how much of a long text is looked at together, in bytes: however many digits a stranger sends, they are
// masked in a time that grows with the text.
const window = 2 << 10

// longestWritten is how many bytes a number can take in a text: digits of four bytes each, with signs of three in between.
const longestWritten = longest*4 + (longest-1)*mostBetween*3

// MaskFile is Mask for the bytes of a text file, in UTF-8 or in an encoding with a byte for a sign. What holds no number
// comes back as it was.
func MaskFile(raw []byte) ([]byte, int) {
	if !utf8.Valid(raw) {
		return maskBytes(raw)
	}
	return maskText(raw)
}

// maskText masks window after window. With each it looks once more at the end of the last one, so that no number falls in
// between.
func maskText(raw []byte) ([]byte, int) {
	var out []byte // from the first number on
	carry, found, past := "", 0, false
	for at := 0; at < len(raw); {
		end := cut(raw, at+window)
		masked, n := mask(carry+string(raw[at:end]), edges{before: past, behind: end < len(raw)})
		if n > 0 && found == 0 {
			out = append(out, raw[:at-len(carry)]...) // nothing was masked yet, so the carry is as it was
		}
		found += n
		keep := cut([]byte(masked), max(0, len(masked)-longestWritten))
		if found > 0 {
			out = append(out, masked[:keep]...)
		}
		carry, at, past = masked[keep:], end, past || keep > 0
	}
	if found == 0 {
		return raw, 0
	}
	return append(out, carry...), found
}

// cut is the last place at or before n where a character of the text begins.
func cut(text []byte, n int) int {
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
	plain := bytes.Clone(raw)
	for i, b := range plain {
		if b >= utf8.RuneSelf {
			plain[i] = '?'
		}
	}
	masked, found := maskText(plain)
	if found == 0 {
		return raw, 0
	}
	out, i := make([]byte, 0, len(raw)), 0
	for _, r := range string(masked) {
		if r == sign {
			out = append(out, bullet)
		} else {
			out = append(out, raw[i])
		}
		i++
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
