package postgres

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The neutral SQL of migrations, as ARCHITECTURE.md describes it. What does not match is refused: a statement this
// package does not understand is one it cannot put under row-level security.
const (
	word    = `([a-z][a-z0-9_]{0,62})`
	words   = `\(([a-z0-9_, ]+)\)`
	literal = `(-?[0-9]{1,18}|TRUE|FALSE|'[^'\\]*')`
)

var (
	createTable = regexp.MustCompile(`^CREATE TABLE ` + word + ` \($`)
	createIndex = regexp.MustCompile(`^CREATE (UNIQUE )?INDEX ` + word + ` ON ` + word + ` ` + `\(([a-zA-Z0-9_, ]+)\)$`)
	addColumn   = regexp.MustCompile(`^ALTER TABLE ` + word + ` ADD COLUMN (.+)$`)
	drop        = regexp.MustCompile(`^DROP (TABLE|INDEX) ` + word + `$`)

	columnLine  = regexp.MustCompile(`^` + word + ` (ID|INT|TIME|BOOL|TEXT|SEALED|BLIND)( NOT NULL)?(?: DEFAULT ` + literal + `)?$`)
	keyLine     = regexp.MustCompile(`^(PRIMARY KEY|UNIQUE) ` + words + `$`)
	foreignLine = regexp.MustCompile(`^FOREIGN KEY ` + words + ` REFERENCES ` + word + ` ` + words + `( ON DELETE CASCADE)?$`)
	indexPart   = regexp.MustCompile(`^` + word + `( ASC| DESC)?$`)
	onlyName    = regexp.MustCompile(`^` + word + `$`)
)

// column is one line of a table.
type column struct {
	name, kind string
	notNull    bool
	fallback   string // a literal, or nothing
}

// clause is a key, a unique rule or a foreign key.
type clause struct {
	kind    string // PRIMARY KEY, UNIQUE or FOREIGN KEY
	columns []string
	table   string   // that a foreign key points to
	target  []string // its columns
	cascade bool
}

// table is a CREATE TABLE.
type table struct {
	name    string
	columns []column
	clauses []clause
}

// split takes a migration apart into statements, each a list of trimmed lines without the final semicolon. Comments
// are lines of their own.
func split(text string) ([][]string, error) {
	var out [][]string
	var lines []string
	for n, line := range strings.Split(text, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		body, ends := strings.CutSuffix(line, ";")
		if strings.Contains(body, ";") || strings.Contains(body, "--") {
			return nil, fmt.Errorf("line %d: a semicolon ends a line, a comment is a line of its own", n+1)
		}
		lines = append(lines, body)
		if ends {
			out, lines = append(out, lines), nil
		}
	}
	if len(lines) > 0 {
		return nil, fmt.Errorf("the last statement has no semicolon: %s", lines[0])
	}
	return out, nil
}

// parseTable reads a CREATE TABLE after its first line.
func parseTable(name string, lines []string) (table, error) {
	t := table{name: name}
	if len(lines) < 2 || lines[len(lines)-1] != ")" {
		return t, fmt.Errorf("table %s: the last line is the closing parenthesis and a semicolon", name)
	}
	body := lines[:len(lines)-1]
	for i, line := range body {
		line, comma := strings.CutSuffix(line, ",")
		if comma != (i < len(body)-1) {
			return t, fmt.Errorf("table %s: every line but the last ends with a comma: %s", name, line)
		}
		if err := t.add(line); err != nil {
			return t, fmt.Errorf("table %s: %w", name, err)
		}
	}
	return t, t.sound()
}

func (t *table) add(line string) error {
	if m := keyLine.FindStringSubmatch(line); m != nil {
		columns, err := list(m[2])
		t.clauses = append(t.clauses, clause{kind: m[1], columns: columns})
		return err
	}
	if m := foreignLine.FindStringSubmatch(line); m != nil {
		columns, err := list(m[1])
		if err != nil {
			return err
		}
		target, err := list(m[3])
		if len(target) != len(columns) {
			return fmt.Errorf("both sides of a foreign key have as many columns: %s", line)
		}
		t.clauses = append(t.clauses, clause{"FOREIGN KEY", columns, m[2], target, m[4] != ""})
		return err
	}
	c, err := parseColumn(line)
	t.columns = append(t.columns, c)
	return err
}

func parseColumn(line string) (column, error) {
	m := columnLine.FindStringSubmatch(line)
	if m == nil {
		return column{}, fmt.Errorf("not understood: %s", line)
	}
	c := column{m[1], m[2], m[3] != "", m[4]}
	if c.name == "tenant_id" {
		return c, fmt.Errorf("tenant_id is added by the engine")
	}
	var fits bool
	switch c.kind {
	case "INT", "TIME":
		fits = strings.Trim(c.fallback, "-0123456789") == ""
	case "BOOL":
		fits = c.fallback == "TRUE" || c.fallback == "FALSE"
	case "TEXT":
		fits = strings.HasPrefix(c.fallback, "'")
	}
	if c.fallback != "" && !fits {
		return c, fmt.Errorf("the default is not of the column's type: %s", line)
	}
	return c, nil
}

// sound tells whether the table has one key, and keys of columns it has.
func (t *table) sound() error {
	known := map[string]bool{}
	for _, c := range t.columns {
		if known[c.name] {
			return fmt.Errorf("table %s: two columns %s", t.name, c.name)
		}
		known[c.name] = true
	}
	keys := 0
	for _, c := range t.clauses {
		if c.kind == "PRIMARY KEY" {
			keys++
		}
		if i := slices.IndexFunc(c.columns, func(column string) bool { return !known[column] }); i >= 0 {
			return fmt.Errorf("table %s: no column %s", t.name, c.columns[i])
		}
	}
	if keys != 1 {
		return fmt.Errorf("table %s: a table has one line PRIMARY KEY (…)", t.name)
	}
	return nil
}

// list reads names between commas.
func list(text string) ([]string, error) {
	parts := strings.Split(text, ",")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
		if !onlyName.MatchString(parts[i]) {
			return nil, fmt.Errorf("not a list of names: %s", text)
		}
	}
	return parts, nil
}
