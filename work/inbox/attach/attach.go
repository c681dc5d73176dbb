// Package attach finds out what a stranger's file is and makes it harmless.
//
// A file's own word about itself counts for nothing: its bytes decide, and only kinds on a short list pass. Pictures
// are decoded and drawn anew, so that places, hidden documents and whatever else rides along stay behind. Everything
// else is passed on as it came, but for card numbers in its words, to be saved by whoever wants it and never to be shown
// in a page of ours. Where such a number cannot be masked the file is refused.
package attach

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aver/base/cards"
	"aver/base/errs"
)

// MaxSize is the most that a file may have, in bytes.
const MaxSize = 20 << 20

// Kinds are the media types that pass.
var Kinds = []string{jpegKind, pngKind, gifKind, webpKind, pdfKind, textKind, csvKind, docxKind, xlsxKind}

const (
	jpegKind = "image/jpeg"
	pngKind  = "image/png"
	gifKind  = "image/gif"
	webpKind = "image/webp"
	pdfKind  = "application/pdf"
	textKind = "text/plain"
	csvKind  = "text/csv"
	docxKind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	xlsxKind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// endings are the file names' endings of each kind; a name with another gets the first.
var endings = map[string][]string{
	jpegKind: {".jpg", ".jpeg", ".jpe"}, pngKind: {".png"}, gifKind: {".gif"}, pdfKind: {".pdf"}, textKind: {".txt", ".log", ".md"},
	csvKind: {".csv"}, docxKind: {".docx"}, xlsxKind: {".xlsx"},
}

// File is what may be stored.
type File struct {
	Name    string
	Kind    string // media type, one of Kinds
	Picture bool   // drawn anew, and hence safe to show
	Content io.Reader
}

var (
	errTooLarge = errs.New(errs.TooLarge, "The file is larger than 20 MB.")
	errEmpty    = errs.New(errs.Invalid, "The file is empty.", errs.Field{Field: "file", Code: "empty", Message: "The file is empty."})
	errKind     = errs.New(errs.Invalid, "Files of this kind are not taken. Send a picture (JPEG, PNG, GIF, WebP), PDF, text, CSV, DOCX or XLSX file.",
		errs.Field{Field: "file", Code: "kind", Message: "Send a picture (JPEG, PNG, GIF, WebP), PDF, text, CSV, DOCX or XLSX file."})
)

// Take reads a file to its end and hands what may be stored of it to keep. All files that are being taken share a
// bounded memory: a file's part of it is free again when Take returns, and who finds none is told to come back. Its
// errors, but for those of keep, are for the caller.
func Take(ctx context.Context, name string, from io.Reader, keep func(File) error) error {
	part := arriving.part()
	defer part.leave()
	raw, err := readAll(ctx, from, part)
	if err != nil {
		return err
	}
	f, err := examine(ctx, name, raw, part)
	if err != nil {
		return err
	}
	return keep(f)
}

// readAll reads a file into memory that it asks for as the bytes come.
func readAll(ctx context.Context, from io.Reader, part *part) ([]byte, error) {
	var raw []byte
	for size := int64(firstRead); ; size = min(2*size, MaxSize+1) {
		if err := part.take(ctx, size); err != nil {
			return nil, err
		}
		n := len(raw)
		grown := make([]byte, size)
		copy(grown, raw)
		part.giveBack(int64(n))
		more, err := io.ReadFull(from, grown[n:])
		raw = grown[:n+more]
		switch {
		case err == nil && len(raw) > MaxSize:
			return nil, errTooLarge
		case err == nil:
		case err != io.EOF && err != io.ErrUnexpectedEOF:
			return nil, errs.New(errs.Invalid, "The file did not arrive in one piece. Send it again.").Because(err)
		case len(raw) == 0:
			return nil, errEmpty
		default:
			return raw, nil
		}
	}
}

// examine finds out what a file is and makes it harmless.
func examine(ctx context.Context, name string, raw []byte, memory *part) (File, error) {
	f := File{Content: bytes.NewReader(raw)}
	switch kind, _, _ := strings.Cut(http.DetectContentType(raw), ";"); kind {
	case jpegKind, pngKind, gifKind, webpKind:
		drawn, as, err := redraw(ctx, kind, raw)
		if err != nil {
			return File{}, err
		}
		f.Kind, f.Picture, f.Content = as, true, bytes.NewReader(drawn)
	case pdfKind:
		f.Kind = pdfKind
		if err := newSearch(ctx, memory).pages(raw, mostWithin); err != nil {
			return File{}, err
		}
	case textKind:
		if f.Kind = textual(name, raw); f.Kind != "" {
			clean, _ := cards.MaskFile(raw)
			f.Content = bytes.NewReader(clean)
		}
	case "application/zip":
		if f.Kind = office(raw); f.Kind != "" {
			clean, err := newSearch(ctx, memory).maskOffice(raw)
			if err != nil {
				return File{}, err
			}
			f.Content = bytes.NewReader(clean)
		}
	}
	if f.Kind == "" {
		return File{}, errKind
	}
	f.Name = named(name, f.Kind)
	return f, nil
}

// textual tells text from markup and from bytes that only begin like text.
func textual(name string, raw []byte) string {
	if bytes.HasPrefix(bytes.TrimLeft(raw, "\ufeff \t\r\n"), []byte("<")) {
		return "" // HTML, SVG, XML
	}
	if bytes.ContainsFunc(raw, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != 0x1b }) {
		return ""
	}
	if strings.EqualFold(path.Ext(name), ".csv") {
		return csvKind
	}
	return textKind
}

const mostName = 120 // characters

// named makes a file name that is only a name, says nothing that the content is not, and hides nothing.
func named(name, kind string) string {
	name = norm.NFC.String(strings.ToValidUTF8(name, ""))
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*`, r) {
			return -1 // among them the signs that turn the direction of writing: "gpj.exe" read backwards
		}
		return r
	}, name)
	name, _ = cards.Mask(strings.Trim(strings.Join(strings.Fields(name), " "), ". "))
	ending := path.Ext(name)
	if !slices.Contains(endings[kind], strings.ToLower(ending)) {
		ending = endings[kind][0]
	} else {
		name = strings.TrimSuffix(name, ending)
	}
	if utf8.RuneCountInString(name) > mostName {
		name = string([]rune(name)[:mostName])
	}
	if name == "" {
		name = "file"
	}
	return name + ending
}
