// Package archive writes the copy of a person's data: one file that a program can read, that a spreadsheet can open, and
// that a person can read in any browser without a connection.
//
// It knows nothing of tables: what it is given is what it writes. Everything streams but one person's rows of one table,
// which wait compressed in memory.
package archive

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"html"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aver/trust/rights/others"
	"aver/vault"
)

// Writer writes one archive.
type Writer struct {
	zip     *zip.Writer
	data    io.Writer // data.jsonl
	at      time.Time
	redact  func(string) string
	own     []string // identifiers of the people whose copy it is
	plain   bool     // for programs alone
	whole   bool     // nobody is left out
	held    []held   // CSV files and the readable page, until data.jsonl is complete
	page    *spool
	summary []summary
	current *table
}

type summary struct {
	Table   string   `json:"table"`
	Purpose string   `json:"purpose"`
	Kept    string   `json:"kept"`
	Rows    int      `json:"rows"`
	Columns []column `json:"columns"`
}

type column struct {
	Name     string `json:"name"`
	Category string `json:"category,omitempty"`
}

type held struct {
	name  string
	spool *spool
}

type table struct {
	summary
	file *spool
	csv  *csv.Writer
}

// New begins an archive. Head says on its first page whose data this is and when it was put together.
func New(w io.Writer, head Head) (*Writer, error) {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	a := &Writer{zip: z, at: head.At, redact: head.Redact, own: head.People, plain: head.Portable, page: &spool{}}
	var err error
	if a.data, err = a.create("data.jsonl"); err != nil {
		return nil, err
	}
	return a, top(head).Render(context.Background(), a.page)
}

// Head is what the readable page begins with.
type Head struct {
	Workspace string
	People    []string
	At        time.Time
	Redact    func(string) string // keeps others out of what was written freely; nil keeps all
	Portable  bool                // no page for people: the copy is for another program (GDPR Art. 20)
}

func (a *Writer) create(name string) (io.Writer, error) {
	f, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.at})
	if err != nil {
		return nil, fmt.Errorf("write the archive: %w", err)
	}
	return f, nil
}

// Begin starts a table.
func (a *Writer) Begin(of vault.AnyTable) {
	t := &table{summary: summary{Table: of.Name(), Purpose: of.Terms().Purpose, Kept: kept(of.Terms().KeepFor)}, file: &spool{}}
	t.csv = csv.NewWriter(t.file)
	a.current = t
}

func kept(d time.Duration) string {
	if d == 0 {
		return "as long as stated in the catalogue"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " days"
}

// Row adds a row of the current table.
func (a *Writer) Row(person string, cells []vault.Cell) error {
	t := a.current
	if t.Rows == 0 {
		if err := a.heads(cells); err != nil {
			return err
		}
	}
	t.Rows++
	line := append(make([]byte, 0, 512), `{"table":`...)
	line = strconv.AppendQuote(line, t.Table)
	line = append(line, `,"person":`...)
	line = append(strconv.AppendQuote(line, person), `,"row":`...)
	line, texts, err := a.object(line, cells)
	if err != nil {
		return err
	}
	if _, err := a.data.Write(append(line, "}\n"...)); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	if err := writeRow(a.page, texts); err != nil {
		return err
	}
	for i := range texts {
		texts[i] = Neutral(texts[i])
	}
	return t.csv.Write(texts)
}

// Object is a row as JSON, with everybody who is in it: for those whose data all of it is, and not for one person.
func Object(cells []vault.Cell) ([]byte, error) {
	out, _, err := (&Writer{whole: true}).object(nil, cells)
	return out, err
}

// object appends a row as JSON, and returns its values as texts too.
func (a *Writer) object(line []byte, cells []vault.Cell) (_ []byte, texts []string, err error) {
	texts = make([]string, len(cells))
	line = append(line, '{')
	for i, c := range cells {
		value, text, err := a.show(c)
		if err != nil {
			return nil, nil, fmt.Errorf("write the archive: column %s: %w", c.Column.Name, err)
		}
		if i > 0 {
			line = append(line, ',')
		}
		line = append(strconv.AppendQuote(line, c.Column.Name), ':')
		line = append(line, value...)
		texts[i] = text
	}
	return append(line, '}'), texts, nil
}

func (a *Writer) heads(cells []vault.Cell) error {
	t := a.current
	names := make([]string, len(cells))
	for i, c := range cells {
		names[i] = c.Column.Name
		t.Columns = append(t.Columns, column{Name: c.Column.Name, Category: c.Column.Category})
	}
	if err := begin(t.summary).Render(context.Background(), a.page); err != nil {
		return err
	}
	return t.csv.Write(names)
}

// End ends the table. A table without rows leaves no trace.
func (a *Writer) End() error {
	t := a.current
	if t.Rows == 0 {
		return nil
	}
	t.csv.Flush()
	if err := t.csv.Error(); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	a.held = append(a.held, held{"csv/" + t.Table + ".csv", t.file})
	a.summary = append(a.summary, t.summary)
	_, err := io.WriteString(a.page, "</table></div>\n")
	return err
}

// File adds an opened file of the person's. After the first one no more tables may follow.
func (a *Writer) File(name string, from io.Reader) error {
	f, err := a.create("files/" + name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return nil
}

// Close writes what was held back and ends the archive.
func (a *Writer) Close() error {
	if _, err := io.WriteString(a.page, "</main></body></html>\n"); err != nil {
		return err
	}
	if !a.plain {
		a.held = append(a.held, held{"index.html", a.page})
	}
	for _, h := range a.held {
		if err := h.spool.into(a.zip, h.name, a.at); err != nil {
			return err
		}
	}
	about, err := a.create("catalogue.json")
	if err != nil {
		return err
	}
	encode := json.NewEncoder(about)
	encode.SetIndent("", "  ")
	if err := encode.Encode(a.summary); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return a.zip.Close()
}

// staff are identifiers of people who work for the tenant: others' data, shown as their role. Contacts are people, too.
var (
	staff   = regexp.MustCompile(`usr_[0-9a-hjkmnp-tv-z]{26}`)
	contact = regexp.MustCompile(`con_[0-9a-hjkmnp-tv-z]{26}`)
)

// nobody replaces identifiers of people who are not those whose copy it is.
func (a *Writer) nobody(text string) string {
	text = staff.ReplaceAllString(text, "staff")
	if !strings.Contains(text, "con_") {
		return text
	}
	return contact.ReplaceAllStringFunc(text, func(id string) string {
		if slices.Contains(a.own, id) {
			return id
		}
		return others.Instead
	})
}

// clean keeps others out of a text. What a person is called, and where they are reached, is their own.
func (a *Writer) clean(c vault.Cell, text string) string {
	switch {
	case a.whole:
		return text
	case !c.Personal:
		return a.nobody(text)
	case a.redact != nil && others.Free(c.Column):
		return a.redact(text)
	}
	return text
}

// show gives a value for the machine and for the eye.
func (a *Writer) show(c vault.Cell) (machine []byte, eye string, err error) {
	switch v := c.Value.(type) {
	case nil:
		return []byte("null"), "", nil
	case string:
		v = a.clean(c, v)
		machine, err = json.Marshal(v)
		return machine, v, err
	case time.Time:
		eye = v.UTC().Format(time.RFC3339Nano)
		return strconv.AppendQuote(nil, eye), eye, nil
	case json.RawMessage:
		return a.asJSON(c, v)
	case []byte:
		if json.Valid(v) && utf8.Valid(v) {
			return a.asJSON(c, v)
		}
		machine, err = json.Marshal(v)
		return machine, strings.Trim(string(machine), `"`), err
	default:
		machine, err = json.Marshal(v)
		return machine, string(machine), err
	}
}

func (a *Writer) asJSON(c vault.Cell, raw []byte) ([]byte, string, error) {
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, "", err
	}
	text := a.clean(c, out.String())
	if json.Valid([]byte(text)) {
		return []byte(text), text, nil
	}
	machine, err := json.Marshal(text) // somebody is known by a number, and it stood there as one
	return machine, text, err
}

// Neutral keeps a spreadsheet from taking a text for a formula, also behind spaces and signs that are not seen, and
// where the sign is one of those as wide as a letter of Chinese or Japanese.
func Neutral(text string) string {
	for _, r := range text {
		switch {
		case strings.ContainsRune("=+-@\t\r\n＝＋－＠", r):
			return "'" + text
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			continue
		}
		return text
	}
	return text
}

// spool compresses in memory what must wait for its turn in the archive.
type spool struct {
	out   bytes.Buffer
	flate *flate.Writer
	crc   uint32
	size  uint64
}

// compressor is made when it is needed: it takes a quarter of a megabyte, and most tables hold nothing about a person.
func (s *spool) compressor() *flate.Writer {
	if s.flate == nil {
		s.flate, _ = flate.NewWriter(&s.out, flate.BestSpeed) // fails for unknown levels only
	}
	return s.flate
}

func (s *spool) Write(p []byte) (int, error) {
	s.crc = crc32.Update(s.crc, crc32.IEEETable, p)
	s.size += uint64(len(p))
	return s.compressor().Write(p)
}

func (s *spool) into(z *zip.Writer, name string, at time.Time) error {
	if err := s.compressor().Close(); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	f, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at, CRC32: s.crc,
		CompressedSize64: uint64(s.out.Len()), UncompressedSize64: s.size})
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	_, err = f.Write(s.out.Bytes())
	return err
}

// writeRow is the one part of the page that is written ten thousand times.
func writeRow(w io.Writer, texts []string) error {
	line := []byte("<tr>")
	for _, text := range texts {
		line = append(line, "<td>"...)
		line = append(line, html.EscapeString(text)...)
		line = append(line, "</td>"...)
	}
	_, err := w.Write(append(line, "</tr>\n"...))
	return err
}
