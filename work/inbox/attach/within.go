package attach

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"

	"aver/base/cards"
	"aver/work/inbox/attach/pdf"
)

const (
	mostUnpacked = 64 << 20 // bytes of the words of a file, and of all files in it
	mostWithin   = 3        // files that lie inside one another
)

// search goes through a file for card numbers.
type search struct {
	ctx    context.Context
	memory *part
	left   int // bytes that may still be unpacked
}

func newSearch(ctx context.Context, memory *part) *search { return &search{ctx, memory, mostUnpacked} }

// room takes memory, or gives some back.
func (s *search) room(n int64) error {
	if n > 0 {
		return s.memory.take(s.ctx, n)
	}
	s.memory.giveBack(-n)
	return nil
}

// pages refuses a PDF that holds a card number: nobody can take it out without drawing the page anew. One that no program
// can read holds none but what stands in its bytes.
func (s *search) pages(raw []byte, deeper int) error {
	within := func(inner []byte) error { return s.within(inner, deeper-1) }
	err := pdf.Read(s.ctx, raw, pdf.Look{Text: look, File: within, Room: s.room, Left: &s.left})
	switch {
	case errors.Is(err, pdf.ErrLocked):
		return errLocked.Because(err)
	case errors.Is(err, pdf.ErrTooMuch):
		return errUnpacked.Because(err)
	}
	return err
}

// look refuses a text that holds a card number.
func look(text []byte) error {
	if _, n := cards.MaskFile(text); n > 0 {
		return errCard
	}
	return nil
}

// within looks at a file that lies in another, where nothing is masked. Pictures are not read.
func (s *search) within(raw []byte, deeper int) error {
	if deeper == 0 {
		return errUnpacked
	}
	switch kind, _, _ := strings.Cut(http.DetectContentType(raw), ";"); {
	case kind == pdfKind:
		return s.pages(raw, deeper)
	case kind == "application/zip":
		archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil || len(archive.File) > mostParts {
			return errKind
		}
		changed, err := s.maskParts(archive, deeper)
		if err == nil && len(changed) > 0 {
			err = errCard
		}
		return err
	case strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "font/"):
		return nil
	}
	return look(bytes.ReplaceAll(raw, []byte{0}, nil)) // digits in UTF-16 have a zero each
}
