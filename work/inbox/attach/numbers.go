package attach

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"strings"
	"unicode/utf8"

	"aver/base/cards"
	"aver/base/errs"
)

// What is masked of a file is its text: plain text, tables, and the words of office documents. A PDF's pages and what is
// to be seen on a picture are not read.

const (
	mostUnpacked = 64 << 20 // bytes of an office document's words
	mostTogether = 64 << 10 // bytes of words that are looked at together
)

var errUnpacked = errs.New(errs.TooLarge, "There is too much in this document to look through it for card numbers. Send it in parts, or as a PDF.")

// maskOffice masks card numbers in a document's words. One without any comes back as it was, byte for byte.
func maskOffice(ctx context.Context, raw []byte, memory *part) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, errKind
	}
	left, changed := uint64(mostUnpacked), map[string][]byte{}
	for _, part := range archive.File {
		if !worded(part.Name) {
			continue
		}
		if part.UncompressedSize64 > left {
			return nil, errUnpacked
		}
		left -= part.UncompressedSize64
		if err := memory.take(ctx, 2*int64(part.UncompressedSize64)); err != nil {
			return nil, err
		}
		text, n, err := maskPart(part)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			changed[part.Name] = text
		} else {
			memory.giveBack(2 * int64(part.UncompressedSize64))
		}
	}
	if len(changed) == 0 {
		return raw, nil
	}
	return replaceParts(archive, changed)
}

// worded tells whether a part of a document holds words.
func worded(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".xml") && (strings.HasPrefix(name, "word/") || strings.HasPrefix(name, "xl/") || strings.HasPrefix(name, "docprops/"))
}

// maskPart reads a part, at most as much as it says it holds.
func maskPart(part *zip.File) ([]byte, int, error) {
	from, err := part.Open()
	if err != nil {
		return nil, 0, errKind
	}
	defer from.Close()
	text := make([]byte, part.UncompressedSize64)
	if _, err := io.ReadFull(from, text); err != nil {
		return nil, 0, errKind
	}
	masked, n := maskXML(text)
	return masked, n, nil
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
// place: a digit and its sign are as long.
func maskXML(part []byte) ([]byte, int) {
	found, w, inside := 0, words{}, ""
	flush := func() {
		masked, n := cards.MaskFile(w.text)
		if n > 0 {
			w.strike(part, masked)
		}
		found, w = found+n, words{}
	}
	raw := bytes.Clone(part)
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.Strict = false
	for {
		from := d.InputOffset()
		token, err := d.RawToken()
		if err != nil { // the end, or what no program could read any further
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			inside = t.Name.Local
		case xml.CharData:
			w.add(raw, int(from), int(d.InputOffset()), inside == "v")
		case xml.EndElement:
			inside = ""
			if ends[t.Name.Local] || len(w.text) > mostTogether {
				flush()
			}
		}
	}
	flush()
	return part, found
}
