package attach

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
)

// What is masked of a file is its text: plain text, tables, and the words of office documents. Where a number stands that
// cannot be taken out in its place (on a PDF's page, in a tag, in a file within the document) the whole file is refused.
// What is to be seen on a picture is not read.

// mostTogether is how many bytes of words are looked at together.
const mostTogether = 64 << 10

var (
	errUnpacked = errs.New(errs.TooLarge, "There is too much in this file to look through it for card numbers. Send it in parts.",
		errs.Field{Field: "file", Code: "too-much", Message: "There is too much in this file to look through it for card numbers."})
	errCard = errs.New(errs.Invalid, "A card number seems to be in this file, and such numbers are not kept. Nothing of the file was stored. Take the number out and send it again.",
		errs.Field{Field: "file", Code: "card", Message: "A card number seems to be in this file."})
	errLocked = errs.New(errs.Invalid, "This PDF is locked, so it cannot be looked through for card numbers. Nothing of it was stored. Save it without its password and send it again.",
		errs.Field{Field: "file", Code: "locked", Message: "This PDF is locked."})
)

// maskOffice masks card numbers in a document's words. One without any comes back as it was, byte for byte.
func (s *search) maskOffice(raw []byte) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, errKind
	}
	changed, err := s.maskParts(archive, mostWithin)
	if err != nil || len(changed) == 0 {
		return raw, err
	}
	return replaceParts(archive, changed)
}

// maskParts returns the parts of a document in which numbers were masked.
func (s *search) maskParts(archive *zip.Reader, deeper int) (map[string][]byte, error) {
	if telling(archive.Comment) {
		return nil, errCard
	}
	changed := map[string][]byte{}
	for _, part := range archive.File {
		if telling(part.Name) || telling(part.Comment) {
			return nil, errCard
		}
		if pictured(part.Name) {
			continue
		}
		if part.UncompressedSize64 > uint64(s.left) {
			return nil, errUnpacked
		}
		s.left -= int(part.UncompressedSize64)
		if err := s.room(2 * int64(part.UncompressedSize64)); err != nil {
			return nil, err
		}
		text, n, err := s.maskPart(part, deeper)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			changed[part.Name] = text
		} else {
			s.memory.giveBack(2 * int64(part.UncompressedSize64))
		}
	}
	return changed, nil
}

// telling tells whether a card number is said.
func telling(text string) bool {
	_, n := cards.Mask(text)
	return n > 0
}

// pictured tells whether a part of a document holds a picture or a font, in which nothing is read.
func pictured(name string) bool {
	switch path.Ext(strings.ToLower(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".emf", ".wmf", ".wdp", ".ico", ".fntdata", ".odttf":
		return true
	}
	return false
}

// maskPart reads a part to its end, which also shows whether it is as long as it says.
func (s *search) maskPart(part *zip.File, deeper int) ([]byte, int, error) {
	from, err := part.Open()
	if err != nil {
		return nil, 0, errKind
	}
	defer from.Close()
	text := make([]byte, part.UncompressedSize64)
	if _, err := io.ReadFull(from, text); err != nil {
		return nil, 0, errKind
	}
	if _, err := from.Read(make([]byte, 1)); err != io.EOF {
		return nil, 0, errKind
	}
	if !marked(part.Name) {
		return nil, 0, s.within(text, deeper-1)
	}
	return maskXML(text)
}

// marked tells whether a part of a document is XML.
func marked(name string) bool {
	switch path.Ext(strings.ToLower(name)) {
	case ".xml", ".rels", ".vml", ".svg":
		return true
	}
	return false
}

// replaceParts writes the document anew with some parts changed. The others are copied as they are packed.
func replaceParts(archive *zip.Reader, changed map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	for _, part := range archive.File {
		text, is := changed[part.Name]
		if !is {
			if err := to.Copy(part); err != nil {
				return nil, errKind
			}
			continue
		}
		w, err := to.CreateHeader(&zip.FileHeader{Name: part.Name, Method: zip.Deflate})
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := to.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// ends are elements after which no number goes on: paragraphs, lines and cells.
var ends = map[string]bool{"p": true, "tc": true, "c": true, "si": true, "row": true, "br": true}

// words are some of a document's words, and where in the part they stand.
type words struct {
	text  []byte
	spans []span
}

// span is where words come from that stand together: bytes of the part, from at on.
type span struct {
	at, size int
	number   bool // the value of a cell: its digits must stay digits
}

func (w *words) add(part []byte, from, to int, number bool) {
	w.text = append(w.text, part[from:to]...)
	w.spans = append(w.spans, span{from, to - from, number})
}

// strike puts a sign in the place of every byte that masking changed.
func (w *words) strike(part, masked []byte) {
	at, end := 0, 0 // bytes of the text; end is that of the span
	was, is := w.text, masked
	spans := w.spans
	begin := 0
	for len(was) > 0 && len(is) > 0 {
		r, n := utf8.DecodeRune(was)
		m, size := utf8.DecodeRune(is)
		for at >= end {
			begin, end = end, end+spans[0].size
			spans = spans[1:]
		}
		here := w.spans[len(w.spans)-len(spans)-1]
		if r != m {
			for i := range n {
				part[here.at+at-begin+i] = here.sign()
			}
		}
		was, is, at = was[n:], is[size:], at+n
	}
}

func (s span) sign() byte {
	if s.number {
		return '0'
	}
	return '*'
}

// maskXML masks the card numbers in the words between the tags, also those that a change of style divides. It works in
// place: a digit and its sign are as long. A number that is written in another way, such as in a tag, refuses the document.
func maskXML(part []byte) ([]byte, int, error) {
	found, w, inside, hidden := 0, words{}, "", false
	var plain []byte // the words as a program reads them
	flush := func() {
		masked, n := cards.MaskFile(w.text)
		if n > 0 {
			w.strike(part, masked)
		}
		_, all := cards.MaskFile(plain)
		hidden = hidden || all > n
		found, w, plain = found+n, words{}, plain[:0]
	}
	raw := bytes.Clone(part)
	if !utf8.Valid(raw) {
		return nil, 0, errKind // UTF-16, which is allowed and which no program writes
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		from := d.InputOffset()
		token, err := d.RawToken()
		if err != nil {
			if err != io.EOF { // what no program could read any further
				w.add(raw, int(from), len(raw), false)
			}
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			inside = t.Name.Local
			for _, a := range t.Attr {
				hidden = hidden || telling(a.Value)
			}
		case xml.CharData:
			w.add(raw, int(from), int(d.InputOffset()), inside == "v")
			plain = append(plain, t...)
		case xml.Comment:
			hidden = hidden || telling(string(t))
		case xml.EndElement:
			inside = ""
			if ends[t.Name.Local] || len(w.text) > mostTogether {
				flush()
			}
		}
	}
	flush()
	if hidden {
		return nil, 0, errCard
	}
	return part, found, nil
}
