// Package schema brings a tenant's file up to the schema of the program.
//
// Modules write their migrations in neutral SQL; this package turns them into SQLite's words and lets goose apply what a
// file does not have yet. Modules number their migrations independently, so they may arrive in any order.
package schema

import (
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

// A Set is the migrations of a program in SQLite's words. The zero Set changes nothing.
type Set struct {
	steps []engine.Migration // in order of their versions
	sum   string
}

// Render prepares migrations and finds malformed ones before any file is touched.
func Render(migrations []engine.Migration) (Set, error) {
	if len(migrations) == 0 {
		return Set{}, nil
	}
	s, digest := Set{steps: slices.SortedFunc(slices.Values(migrations), byVersion)}, sha256.New()
	for i, m := range s.steps {
		if i > 0 && s.steps[i-1].Version == m.Version {
			return Set{}, fmt.Errorf("migration %s: %s has the same version, %d", m.Name, s.steps[i-1].Name, m.Version)
		}
		text, err := rendered(m.SQL)
		if err != nil {
			return Set{}, fmt.Errorf("migration %s: %w", m.Name, err)
		}
		s.steps[i].SQL = text
		fmt.Fprintf(digest, "%d %d %s", m.Version, len(text), text)
	}
	// PRAGMA user_version has 31 bits of use, and zero is what a file without a schema has.
	s.sum = strconv.FormatUint(uint64(binary.BigEndian.Uint32(digest.Sum(nil))>>1|1), 10)
	return s, nil
}

func byVersion(a, b engine.Migration) int { return cmp.Compare(a.Version, b.Version) }

// Sum tells sets apart: a number, as text, that a file which has all of this set keeps as its PRAGMA user_version. It is
// empty when there is nothing to apply.
func (s Set) Sum() string { return s.sum }

// Apply applies what the file does not have. Each migration is applied whole or not at all; the one that fails is named
// in the error, and those before it stay. A file with migrations that this set lacks was written by a newer program and
// is refused, because this one would not keep what that one added.
func (s Set) Apply(ctx context.Context, db *sql.DB) error {
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, nil, goose.WithGoMigrations(s.forGoose()...), goose.WithAllowOutofOrder(true),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return fmt.Errorf("migration %s: %w", s.name(partial.Failed.Source.Version), partial.Err)
	}
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return s.known(ctx, db)
}

// forGoose hands goose the steps as programs, because SQLite itself knows best where one statement ends and the next begins.
func (s Set) forGoose() (out []*goose.Migration) {
	for _, m := range s.steps {
		out = append(out, goose.NewGoMigration(m.Version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, m.SQL)
			return err
		}}, nil))
	}
	return out
}

// name of the migration with this version, empty if there is none.
func (s Set) name(version int64) string {
	i, found := slices.BinarySearchFunc(s.steps, version, func(m engine.Migration, v int64) int { return cmp.Compare(m.Version, v) })
	if !found {
		return ""
	}
	return s.steps[i].Name
}

func (s Set) known(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT version_id FROM "+goose.DefaultTablename+" WHERE version_id > 0")
	if err != nil {
		return fmt.Errorf("read applied migrations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			return fmt.Errorf("read applied migrations: %w", err)
		}
		if s.name(version) == "" {
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
	tableStart   = regexp.MustCompile(`^CREATE TABLE \w+ \($`)
	columnLine   = regexp.MustCompile(`^(\s*\w+ +)(\w+)(.*)$`)
	addColumn    = regexp.MustCompile(`^(ALTER TABLE \w+ ADD COLUMN \w+ +)(\w+)(.*)$`)
	sealedColumn = regexp.MustCompile(`^\s*(\w+) +SEALED\b`)
	severalKeys  = regexp.MustCompile(`^\s*PRIMARY KEY \(.*,`)
	ruleLine     = regexp.MustCompile(`^\s*(PRIMARY KEY|UNIQUE|CHECK|FOREIGN KEY|CONSTRAINT)\b`)
)

// rendered turns neutral SQL into SQLite's: its types, strict tables, and where rows lie. A table is kept in the order of
// its key, but for one that files sealed rows under a key of several parts: kept so, each row that many callers write at
// the same time would take a page of its own to write, so these lie in the order of writing and only their keys are filed.
func rendered(neutral string) (string, error) {
	var out strings.Builder
	inTable, filed, wide := false, false, []string(nil) // wide: sealed columns that are no part of the key
	for line := range strings.Lines(neutral) {
		line = strings.TrimRight(line, "\r\n")
		bare := strings.TrimSpace(line)
		switch {
		case bare == "" || strings.HasPrefix(bare, "--"):
		case tableStart.MatchString(line):
			inTable, filed, wide = true, false, nil
		case !inTable && strings.HasPrefix(strings.ToUpper(bare), "CREATE TABLE"):
			return "", fmt.Errorf("a table is written with a column in each line, not as %q", line)
		case inTable && bare == ");":
			line, inTable = ") STRICT, WITHOUT ROWID;", false
			if filed && len(wide) > 0 {
				line = ") STRICT;"
			}
		case inTable && !ruleLine.MatchString(line):
			var err error
			if m := sealedColumn.FindStringSubmatch(line); m != nil {
				wide = append(wide, m[1])
			}
			if line, err = typed(columnLine, line); err != nil {
				return "", err
			}
		case inTable && severalKeys.MatchString(line):
			filed = true
			wide = slices.DeleteFunc(wide, func(name string) bool { return strings.Contains(line, name) })
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
