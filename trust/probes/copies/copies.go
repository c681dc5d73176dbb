// Package copies reads the archive that a person is given as a stranger's program would: the formats alone, nothing of the
// code that wrote it.
package copies

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Zip makes an archive of names and texts in turn.
func Zip(files ...string) []byte {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i+1 < len(files); i += 2 {
		if f, err := z.Create(files[i]); err == nil {
			_, _ = io.WriteString(f, files[i+1]) // a buffer takes all
		}
	}
	_ = z.Close()
	return out.Bytes()
}

// Pack makes an archive of files by name.
func Pack(files map[string][]byte) []byte {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, name, string(files[name]))
	}
	return Zip(all...)
}

const mostUnpacked = 64 << 20 // bytes of one file of an archive

// Unzip returns an archive's files by name.
func Unzip(raw []byte) (map[string][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return out, err
		}
		text, err := io.ReadAll(io.LimitReader(r, mostUnpacked))
		r.Close()
		if err != nil {
			return out, err
		}
		out[f.Name] = text
	}
	return out, nil
}

// loads is whatever makes a browser fetch something when a page is opened. What a person wrote stands there escaped.
var loads = regexp.MustCompile(`(?i)<(script|link|iframe|object|embed|base)\b|<[^>]*\b(src|srcset|poster|background)\s*=|@import|url\s*\(`)

// Rows counts the rows of each table in data.jsonl, its lines, and those that are no JSON.
func Rows(data []byte) (rows map[string]int, lines, bad int) {
	rows = map[string]int{}
	for line := range bytes.Lines(bytes.TrimSpace(data)) {
		lines++
		var record struct {
			Table string
			Row   map[string]any
		}
		if json.Unmarshal(line, &record) != nil {
			bad++
		}
		if record.Row != nil {
			rows[record.Table]++
		}
	}
	return rows, lines, bad
}

// first is the first sign of a field that a spreadsheet minds.
func first(field string) rune {
	for _, r := range field {
		if strings.ContainsRune("\t\r\n", r) || !unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			return r
		}
	}
	return 0
}

// Formulas counts the fields that a spreadsheet would run.
func Formulas(rows [][]string) int {
	n := 0
	for _, row := range rows {
		for _, field := range row {
			if field != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first(field)) {
				n++
			}
		}
	}
	return n
}

// Load returns the first thing that opening a page would fetch, or nil.
func Load(page []byte) []byte { return loads.Find(page) }
