// Package dump carries a tenant's rows from one database to another as they are stored: what is sealed stays sealed.
//
// A dump is a line that names the format, then each table: a line of JSON with its columns, and the rows as PostgreSQL's
// COPY writes them (FORMAT binary), which costs the server and us next to nothing. Whatever has a schema of ours takes it
// in, a PostgreSQL database as well as an embedded store. A dump is as private as the database: it belongs into an
// encrypted file. Indexes are not in it: the server makes its own, and who serves the rows makes that of the words.
package dump

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Format is the first line of a dump.
const Format = "aver rows 1\n"

// Derived begins the names of tables that are made again from the others (package postings) and are left out of dumps:
// most rows of a store are theirs.
const Derived = "search_"

// Kind is a column's type in PostgreSQL, by its own name.
type Kind string

// The kinds that the schema's columns have.
const (
	UUID  Kind = "uuid"
	Bytea Kind = "bytea"
	Int   Kind = "bigint"
	Bool  Kind = "boolean"
	Text  Kind = "text"
)

// ahead is how much a server may send before it waits, in bytes, and as much again.
const ahead = 512 << 10

// Ahead gathers what a server sends row by row, while what came before is written by whoever encrypts it.
func Ahead(to io.Writer, send func(io.Writer) error) error {
	gathered, in := io.Pipe()
	var writing errgroup.Group
	writing.Go(func() error {
		_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{gathered}, make([]byte, ahead))
		_ = gathered.CloseWithError(err) // or the server's rows would wait for ever
		return err
	})
	out := bufio.NewWriterSize(in, ahead)
	err := send(out)
	if err == nil {
		err = out.Flush()
	}
	_ = in.CloseWithError(err)
	if failed := writing.Wait(); failed != nil {
		return failed
	}
	return err
}

// Table is what comes before a table's rows. The last one has no name.
type Table struct {
	Name    string   `json:"table"`
	Columns []Column `json:"columns,omitempty"`
}

// Column is one of a table's, in the order of the values.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// WriteTable writes a table's line. Its rows follow as COPY … TO STDOUT (FORMAT binary) gives them; Table{} ends the dump.
func WriteTable(w io.Writer, t Table) error {
	line, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// ErrDamaged is what a dump is read with that is not as WriteTable and COPY wrote it.
var ErrDamaged = errors.New("the dump is damaged")

const (
	longestLine  = 64 << 10
	longestValue = 1 << 30 // bytes; PostgreSQL's own limit
)

// Read calls table for each table and row for each of its rows. Values are nil, int64, bool, string or []byte and belong
// to the callee.
func Read(from io.Reader, table func(Table) error, row func([]any) error) error {
	return read(from, func(r *bufio.Reader, t Table) error {
		if err := table(t); err != nil {
			return err
		}
		return readRows(r, t, row)
	})
}

// read calls each for every table. What it is given stands at the table's rows, and must stand behind them afterwards.
func read(from io.Reader, each func(*bufio.Reader, Table) error) error {
	r := bufio.NewReaderSize(from, 1<<20)
	first, err := line(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if string(first) != Format {
		return fmt.Errorf("%w: it does not begin as one", ErrDamaged)
	}
	for {
		t, err := readTable(r)
		if err != nil {
			return err
		}
		if t.Name == "" {
			return nil
		}
		if err := each(r, t); err != nil {
			return fmt.Errorf("rows of %s: %w", t.Name, err)
		}
	}
}

func line(r *bufio.Reader) ([]byte, error) {
	var out []byte
	for {
		part, err := r.ReadSlice('\n')
		out = append(out, part...)
		if err == nil || !errors.Is(err, bufio.ErrBufferFull) || len(out) > longestLine {
			return out, err
		}
	}
}

func readTable(r *bufio.Reader) (t Table, err error) {
	text, err := line(r)
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return t, fmt.Errorf("%w: a table is not named: %w", ErrDamaged, err)
	}
	return t, nil
}

// head begins what COPY writes: its signature, then flags and the length of an extension, four bytes each.
var head = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")

func readRows(r *bufio.Reader, t Table, row func([]any) error) error {
	if err := readHead(r); err != nil {
		return err
	}
	for {
		more, err := readCount(r, t)
		if err != nil || !more {
			return err
		}
		values := make([]any, len(t.Columns))
		for i, c := range t.Columns {
			if values[i], err = readValue(r, c.Kind); err != nil {
				return fmt.Errorf("%w: column %s: %w", ErrDamaged, c.Name, err)
			}
		}
		if err := row(values); err != nil {
			return err
		}
	}
}

// cut takes rows off a table and appends them as COPY writes them, with a head and an end of their own: some bytes of them,
// or one row that is larger. more tells whether others follow.
func cut(r *bufio.Reader, t Table, bytes int, to []byte) (piece []byte, rows int64, more bool, err error) {
	piece = append(to, head...)
	for more = true; len(piece) < bytes; rows++ {
		if more, err = readCount(r, t); err != nil {
			return piece, 0, false, err
		}
		if !more {
			break
		}
		piece = binary.BigEndian.AppendUint16(piece, uint16(len(t.Columns)))
		for range t.Columns {
			if piece, err = appendValue(piece, r); err != nil {
				return piece, 0, false, fmt.Errorf("%w: %w", ErrDamaged, err)
			}
		}
	}
	return append(piece, 255, 255), rows, more, nil
}

func appendValue(to []byte, r *bufio.Reader) ([]byte, error) {
	n, err := readLength(r)
	if err != nil {
		return nil, err
	}
	to = binary.BigEndian.AppendUint32(to, uint32(int32(n)))
	for n > 0 {
		at, some := len(to), min(n, step)
		to = slices.Grow(to, some)[:at+some]
		if _, err := io.ReadFull(r, to[at:]); err != nil {
			return nil, err
		}
		n -= some
	}
	return to, nil
}

func readHead(r io.Reader) error {
	found := make([]byte, len(head))
	if _, err := io.ReadFull(r, found); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if !bytes.Equal(found, head) {
		return fmt.Errorf("%w: not the binary format of COPY", ErrDamaged)
	}
	return nil
}

// readCount reads how many values the next row has, and tells whether there is one.
func readCount(r *bufio.Reader, t Table) (more bool, err error) {
	count, err := r.Peek(2)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	n := int16(binary.BigEndian.Uint16(count))
	if n != -1 && int(n) != len(t.Columns) {
		return false, fmt.Errorf("%w: a row of %d values for %d columns", ErrDamaged, n, len(t.Columns))
	}
	_, err = r.Discard(2)
	return n != -1, err
}

// readLength reads a value's length in bytes, -1 for none.
func readLength(r *bufio.Reader) (int, error) {
	length, err := r.Peek(4)
	if err != nil {
		return 0, err
	}
	n := int(int32(binary.BigEndian.Uint32(length)))
	if n < -1 || n > longestValue {
		return 0, errors.New("a value of an impossible length")
	}
	_, err = r.Discard(4)
	return n, err
}

func readValue(r *bufio.Reader, kind Kind) (any, error) {
	n, err := readLength(r)
	if err != nil || n < 0 {
		return nil, err
	}
	raw, err := readBytes(r, n)
	if err != nil {
		return nil, err
	}
	switch kind {
	case UUID, Bytea:
		return raw, nil
	case Text:
		return string(raw), nil
	case Int:
		if n == 8 {
			return int64(binary.BigEndian.Uint64(raw)), nil
		}
	case Bool:
		if n == 1 {
			return raw[0] == 1, nil
		}
	}
	return nil, fmt.Errorf("%d bytes are no %.20s", n, string(kind))
}

// step is how much memory a value's length is believed for, in bytes: a damaged one must not ask for a gigabyte.
const step = 1 << 20

func readBytes(r io.Reader, n int) ([]byte, error) {
	if n <= step {
		raw := make([]byte, n)
		_, err := io.ReadFull(r, raw)
		return raw, err
	}
	var out bytes.Buffer
	copied, err := io.CopyN(&out, r, int64(n))
	if copied < int64(n) && err == nil {
		err = io.ErrUnexpectedEOF
	}
	return out.Bytes(), err
}
