package inbox

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/personal"
)

const (
	mostSigns   = 10_000 // characters of a message
	mostFiles   = 10     // attachments of a message
	mostBytes   = 48_000 // of a message, or of a page of them, as JSON: it must fit into a frame of live.MaxFrame
	previewSize = 140    // characters
)

var (
	errEmpty = errs.New(errs.Invalid, "Write something, or attach a file.", errs.Field{Field: "text", Code: "required", Message: "Write something, or attach a file."})
	errLong  = errs.New(errs.TooLarge, "A message can have at most 10,000 characters. Nothing was sent; send it in parts.",
		errs.Field{Field: "text", Code: "too-long", Message: "A message can have at most 10,000 characters."})
	errFiles = errs.New(errs.TooLarge, "A message can have at most 10 attachments. Nothing was sent.",
		errs.Field{Field: "attachments", Code: "too-many", Message: "A message can have at most 10 attachments."})
)

// clean brings a text into the one form in which it is stored: NFC, lines ended by line feeds, no control characters,
// no card numbers.
func clean(t personal.Text) (personal.Text, error) {
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
	if utf8.RuneCountInString(text) > mostSigns || jsonSize(text) > mostBytes {
		return personal.Text{}, errLong
	}
	return personal.Of(text), nil
}

// jsonSize is how many bytes a text has as JSON, as encoding/json writes it.
func jsonSize(text string) int {
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

// preview is how a message begins, on one line.
func preview(text personal.Text) personal.Text {
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

// clientID is the identifier that a client gave its message, so that sending it again changes nothing. In text it is a
// UUID in lower case (RFC 9562). Version 7 begins with the time, so that the index of them grows at its end alone.
type clientID [16]byte

var errClientID = errs.New(errs.Invalid, "The message's client_id must be a UUID in lower case.", errs.Field{Field: "client_id", Code: "malformed", Message: "Use a UUID in lower case."})

func parseClientID(text string) (clientID, error) {
	var id clientID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' || strings.ToLower(text) != text {
		return id, errClientID
	}
	digits := text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil || id == (clientID{}) {
		return clientID{}, errClientID
	}
	return id, nil
}

func (id clientID) String() string {
	if id == (clientID{}) {
		return ""
	}
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
