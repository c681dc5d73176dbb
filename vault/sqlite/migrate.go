package sqlite

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"aver/vault/engine"
)

// A schema is the set of migrations in SQLite's words.
type schema struct {
	files *zip.Reader      // goose reads them from here; nil when there are none
	names map[int64]string // by version
	sum   string           // of the set, as PRAGMA user_version of a file that has all of it
}

// render prepares the migrations and finds malformed ones before any file is touched.
func render(migrations []engine.Migration) (schema, error) {
	s := schema{names: map[int64]string{}}
	var archive bytes.Buffer
	files, digest := zip.NewWriter(&archive), sha256.New()
	for _, m := range slices.SortedFunc(slices.Values(migrations), func(a, b engine.Migration) int { return cmp.Compare(a.Version, b.Version) }) {
		text, err := rendered(m.SQL)
		if err == nil && s.names[m.Version] != "" {
			err = errors.New("version " + strconv.FormatInt(m.Version, 10) + " exists twice")
		}
		if err != nil {
			return schema{}, fmt.Errorf("migration %s: %w", m.Name, err)
		}
		s.names[m.Version] = m.Name
		fmt.Fprintf(digest, "%d %d %s", m.Version, len(text), text)
		f, err := files.Create(strconv.FormatInt(m.Version, 10) + "_migration.sql")
		if err == nil {
			_, err = f.Write([]byte("-- +goose Up\n" + text))
		}
		if err != nil {
			return schema{}, fmt.Errorf("migration %s: %w", m.Name, err)
		}
	}
	if len(migrations) == 0 {
		return s, nil
	}
	// The field has 31 bits of use, and zero is what a file without a schema has.
	s.sum = strconv.FormatUint(uint64(binary.BigEndian.Uint32(digest.Sum(nil))>>1|1), 10)
	if err := files.Close(); err != nil {
		return schema{}, err
	}
	reader, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	s.files = reader
	return s, err
}

// apply brings a file's schema up to date. A file that has it costs one pragma. Each migration is applied whole or not
// at all; the one that fails is named, and those before it stay.
func (s schema) apply(ctx context.Context, c *conn, file database) error {
	if s.files == nil {
		return nil
	}
	have, err := ask(c.db, "user_version", "")
	if err != nil {
		return c.failed("read the schema's version", err)
	}
	if have == s.sum {
		return nil
	}
	if err := s.migrate(ctx, file); err != nil {
		return err
	}
	if _, err := ask(c.db, "user_version", "="+s.sum); err != nil {
		return c.failed("note the schema's version", err)
	}
	return nil
}

func (s schema) migrate(ctx context.Context, file database) (err error) {
	db, err := file.openDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, s.files, goose.WithAllowOutofOrder(true),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return translate("migration "+s.names[partial.Failed.Source.Version], partial.Err)
	}
	if err != nil {
		return translate("migrate", err)
	}
	return s.known(ctx, db)
}

// known refuses a file that a newer program has changed: this one would not keep what that one added.
func (s schema) known(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT version_id FROM "+goose.DefaultTablename+" WHERE version_id > 0")
	if err != nil {
		return translate("read applied migrations", err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			return translate("read applied migrations", err)
		}
		if s.names[version] == "" {
			return fmt.Errorf("the store has migration %d, which this program does not know: it is older than the store", version)
		}
	}
	return rows.Err()
}

// types are the neutral words for what a column holds, and how SQLite stores it.
var types = map[string]string{
	"ID": "BLOB", "SEALED": "BLOB", "BLIND": "BLOB", "INT": "INTEGER", "TIME": "INTEGER", "BOOL": "INTEGER", "TEXT": "TEXT",
}

var (
	tableStart = regexp.MustCompile(`^CREATE TABLE \w+ \($`)
	columnLine = regexp.MustCompile(`^(\s*\w+ +)(\w+)(.*)$`)
	addColumn  = regexp.MustCompile(`^(ALTER TABLE \w+ ADD COLUMN \w+ +)(\w+)(.*)$`)
	ruleLine   = regexp.MustCompile(`^\s*(PRIMARY KEY|UNIQUE|CHECK|FOREIGN KEY|CONSTRAINT)\b`)
)

// rendered turns neutral SQL into SQLite's: its types, strict tables, no hidden row number.
func rendered(neutral string) (string, error) {
	var out strings.Builder
	inTable := false
	for line := range strings.Lines(neutral) {
		line = strings.TrimRight(line, "\r\n")
		bare := strings.TrimSpace(line)
		switch {
		case bare == "" || strings.HasPrefix(bare, "--"):
		case tableStart.MatchString(line):
			inTable = true
		case !inTable && strings.HasPrefix(strings.ToUpper(bare), "CREATE TABLE"):
			return "", fmt.Errorf("a table is written with a column in each line, not as %q", line)
		case inTable && bare == ");":
			line, inTable = ") STRICT, WITHOUT ROWID;", false
		case inTable && !ruleLine.MatchString(line):
			var err error
			if line, err = typed(columnLine, line); err != nil {
				return "", err
			}
		case !inTable && addColumn.MatchString(line):
			var err error
			if line, err = typed(addColumn, line); err != nil {
				return "", err
			}
		}
		out.WriteString(line + "\n")
	}
	if inTable {
		return "", errors.New("a table is not closed by a line of its own with );")
	}
	return out.String(), nil
}

// typed replaces the neutral type in a line that declares a column.
func typed(form *regexp.Regexp, line string) (string, error) {
	parts := form.FindStringSubmatch(line)
	if parts == nil {
		return "", fmt.Errorf("not a column: %q", line)
	}
	stored, known := types[parts[2]]
	if !known {
		return "", fmt.Errorf("%s is not a type, in %q", parts[2], line)
	}
	return parts[1] + stored + parts[3], nil
}
