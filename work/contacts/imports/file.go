package imports

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"

	"aver/base/cards"
	"aver/base/errs"
	"aver/base/ids"
	"aver/vault"
	"aver/work/contacts/attributes"
	"aver/work/contacts/fields"
)

// What a file may be. It is held in memory while it is read.
const (
	MaxBytes   = 20 << 20
	MaxRows    = 100_000
	maxColumns = 100
	maxCell    = 4000 // bytes
	maxName    = 200
	firstRows  = 3 // shown of each column
)

func unusable(message string) error {
	return errs.New(errs.Invalid, message, errs.Field{Field: "file", Code: "unusable", Message: message})
}

// Upload takes a file in, says what its columns probably are, and keeps it sealed. Nobody is stored yet, and nothing is read
// for those who may not.
func (s *Service) Upload(ctx context.Context, actor vault.Actor, name string, from io.Reader) (Import, error) {
	if err := s.vault.Permit(ctx, actor, actUpload); err != nil {
		return Import{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(from, MaxBytes+1))
	if err != nil {
		return Import{}, errs.New(errs.Invalid, "The file did not arrive whole. Send it again.").Because(err)
	}
	if len(raw) > MaxBytes {
		return Import{}, errs.New(errs.TooLarge, "The file is larger than 20 MB. Split it.")
	}
	text, encoding, err := asUTF8(raw)
	if err != nil {
		return Import{}, err
	}
	text, _ = cards.MaskFile(text)
	i := Import{State: Mapping, Author: actor.User(), Name: fileName(name), Encoding: encoding, Delimiter: delimiter(text)}
	if i.Columns, i.Total, err = survey(text, i.Delimiter); err != nil {
		return i, err
	}
	blob, err := s.vault.PutBlob(ctx, actor, ids.Subject{}, "text/csv", bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return i, err
	}
	err = s.vault.Do(ctx, actor, actUpload, func(tx *vault.Tx) error {
		all, err := attributes.List(tx)
		if err != nil {
			return err
		}
		off, err := fields.Off(tx)
		if err != nil {
			return err
		}
		guess(i.Columns, all, off)
		if err := vault.Blobs.Add(tx, blob); err != nil {
			return err
		}
		i.ID, i.File, i.CreatedAt = ids.New[importing](tx.Now()), blob.ID, tx.Now()
		return Imports.Add(tx, i)
	})
	return i, err
}

// fileName is what the file is called, without a path and at a bearable length.
func fileName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name, _ = cards.Mask(name)
	name = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, name), "")
	for len(name) > maxName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	if name == "" {
		return "list.csv"
	}
	return name
}

// asUTF8 finds out what a file is written in and gives it as UTF-8.
func asUTF8(raw []byte) (text []byte, encoding string, err error) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		encoding = "UTF-16"
		text, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(raw)
	case bytes.IndexByte(raw, 0) >= 0:
		return nil, "", unusable("This is not a text file. Save the table as CSV and send that.")
	case utf8.Valid(raw):
		encoding, text = "UTF-8", bytes.TrimPrefix(raw, []byte("\ufeff"))
	default:
		encoding, text = "Windows-1252", windows1252(raw)
	}
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return nil, "", unusable("The file's letters cannot be read. Save it as CSV in UTF-8 and send that.")
	}
	return text, encoding, nil
}

// upper are the letters of Windows-1252 from 0x80 to 0x9f; five places are empty. All others are those of Unicode. The
// library's table of it brings the tables of all others.
const upper = "€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ"

func windows1252(raw []byte) []byte {
	letters := []rune(upper)
	out := make([]byte, 0, len(raw)+len(raw)/8)
	for _, b := range raw {
		r := rune(b)
		if b >= 0x80 && b < 0xa0 {
			r = letters[b-0x80]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// delimiters are what stands between cells; of those equally often in the first line the earlier counts.
var delimiters = []string{",", ";", "\t", "|"}

// delimiter is what stands between the cells of the first line, quoted text left out.
func delimiter(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	count, quoted := map[string]int{}, false
	for _, r := range string(line) {
		if r == '"' {
			quoted = !quoted
		}
		if !quoted {
			count[string(r)]++
		}
	}
	return slices.MaxFunc(delimiters, func(a, b string) int { return count[a] - count[b] })
}

// rows reads the cells of a file. Rows may have any length; what is wrong with them is said per row. A tab between cells is
// space, too, which must not be trimmed: then an empty cell would be lost.
func rows(text []byte, delimiter string) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = []rune(delimiter)[0], -1, delimiter != "\t"
	return r
}

// survey reads a file once: its header, its first cells, and how many rows there are.
func survey(text []byte, delimiter string) ([]Column, int, error) {
	r := rows(text, delimiter)
	header, err := r.Read()
	if err != nil {
		return nil, 0, unusable("The file has no first line with the names of its columns.")
	}
	if len(header) > maxColumns {
		return nil, 0, errs.New(errs.TooLarge, "The file has more than 100 columns. Leave out what you do not need.")
	}
	columns := make([]Column, len(header))
	for n, h := range header {
		columns[n].Header = cut(h, 80)
	}
	total := 0
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if total++; total > MaxRows {
			return nil, 0, errs.New(errs.TooLarge, "The file has more than 100,000 rows. Split it.")
		}
		for n := range columns {
			if err == nil && n < len(row) && len(columns[n].First) < firstRows {
				columns[n].First = append(columns[n].First, cut(row[n], 40))
			}
		}
	}
	if total == 0 {
		return nil, 0, unusable("The file has no rows below its first line.")
	}
	return columns, total, nil
}

// cut is the beginning of a text, in characters.
func cut(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	return string([]rune(text)[:limit-1]) + "…"
}
