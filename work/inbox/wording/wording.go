// Package wording brings what people write into the form in which it is kept.
package wording

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/personal"
)

// MostBytes is how long a message can be as JSON: it must fit into a frame of live.MaxFrame.
const MostBytes = 48_000

const (
	mostSigns   = 10_000 // characters of a message
	previewSize = 140    // characters
)

var errLong = errs.New(errs.TooLarge, "A message can have at most 10,000 characters. Nothing was sent; send it in parts.",
	errs.Field{Field: "text", Code: "too-long", Message: "A message can have at most 10,000 characters."})

// Clean brings a text into the one form in which it is stored: NFC, lines ended by line feeds, no control characters,
// no card numbers.
func Clean(t personal.Text) (personal.Text, error) {
	raw := t.Reveal()
	if len(raw) > 4*mostSigns { // the longest that could be short enough
		return personal.Text{}, errLong
	}
	text := norm.NFC.String(strings.ToValidUTF8(raw, "\uFFFD"))
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
	text, _ = cards.Mask(strings.TrimSpace(text))
	if utf8.RuneCountInString(text) > mostSigns || JSONSize(text) > MostBytes {
		return personal.Text{}, errLong
	}
	return personal.Of(text), nil
}

// JSONSize is how many bytes a text has as JSON, as encoding/json writes it.
func JSONSize(text string) int {
	size := len(text)
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\' || c == '\n' || c == '\t':
			size++
		case c < ' ' || c == '<' || c == '>' || c == '&':
			size += 5
		case c == 0xe2: // may begin U+2028, which is escaped
			size += 3
		}
	}
	return size
}

// Preview is how a message begins, on one line.
func Preview(text personal.Text) personal.Text {
	var out strings.Builder
	n, gap := 0, false
	for _, r := range text.Reveal() {
		if unicode.IsSpace(r) {
			gap = n > 0
			continue
		}
		if n >= previewSize {
			out.WriteRune('…')
			break
		}
		if gap {
			out.WriteByte(' ')
			gap = false
		}
		out.WriteRune(r)
		n++
	}
	return personal.Of(out.String())
}
