package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// tenantNow is the tenant of the running transaction, or NULL. After a commit the setting is empty rather than absent,
// and an empty one must match nothing.
const tenantNow = `nullif(current_setting('app.tenant', true), '')::uuid`

var types = map[string]string{
	"ID": "uuid", "INT": "bigint", "TIME": "bigint", "BOOL": "boolean", "TEXT": "text", "SEALED": "bytea", "BLIND": "bytea",
}

// renderer writes neutral SQL for one schema and one serving role.
type renderer struct {
	schema string
	role   string // quoted
}

// render turns a migration into PostgreSQL's statements. Every table gets the tenant: as a column, first in every key
// and index, on both sides of every foreign key, and as the policy.
func render(schema, role, text string) ([]string, error) {
	r := renderer{schema, pgx.Identifier{role}.Sanitize()}
	statements, err := split(text)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, lines := range statements {
		rendered, err := r.statement(lines)
		if err != nil {
			return nil, err
		}
		out = append(out, rendered...)
	}
	if out == nil {
		return nil, errors.New("there is no statement")
	}
	return out, nil
}

func (r renderer) statement(lines []string) ([]string, error) {
	if slices.Contains(strings.Fields(lines[0]), versions) {
		return nil, fmt.Errorf("the table %s is the engine's own", versions)
	}
	if m := createTable.FindStringSubmatch(lines[0]); m != nil {
		t, err := parseTable(m[1], lines[1:])
		if err != nil {
			return nil, err
		}
		return r.table(t), nil
	}
	line := strings.Join(lines, " ")
	if m := createIndex.FindStringSubmatch(line); m != nil {
		return r.index(m[1], m[2], m[3], m[4])
	}
	if m := addColumn.FindStringSubmatch(line); m != nil {
		c, err := parseColumn(m[2])
		if err != nil {
			return nil, err
		}
		if c.notNull && c.fallback == "" {
			return nil, fmt.Errorf("a new column NOT NULL needs a DEFAULT: %s", line)
		}
		return []string{fmt.Sprintf("ALTER TABLE %s.%s ADD COLUMN %s", r.schema, m[1], c.render())}, nil
	}
	if m := drop.FindStringSubmatch(line); m != nil {
		return []string{fmt.Sprintf("DROP %s %s.%s", m[1], r.schema, m[2])}, nil
	}
	return nil, fmt.Errorf("not understood: %s", lines[0])
}

func (r renderer) table(t table) []string {
	rows := []string{"tenant_id uuid NOT NULL DEFAULT " + tenantNow}
	for _, c := range t.columns {
		rows = append(rows, c.render())
	}
	for _, c := range t.clauses {
		rows = append(rows, r.clause(c))
	}
	full := r.schema + "." + t.name
	return []string{
		"CREATE TABLE " + full + " (\n    " + strings.Join(rows, ",\n    ") + "\n)",
		"ALTER TABLE " + full + " ENABLE ROW LEVEL SECURITY",
		"ALTER TABLE " + full + " FORCE ROW LEVEL SECURITY",
		"CREATE POLICY tenant ON " + full + " USING (tenant_id = (SELECT " + tenantNow + ")) WITH CHECK (tenant_id = (SELECT " + tenantNow + "))",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON " + full + " TO " + r.role,
	}
}

func (c column) render() string {
	out := c.name + " " + types[c.kind]
	if c.notNull {
		out += " NOT NULL"
	}
	if c.fallback != "" {
		out += " DEFAULT " + c.fallback
	}
	return out
}

func (r renderer) clause(c clause) string {
	out := c.kind + " (tenant_id, " + strings.Join(c.columns, ", ") + ")"
	if c.kind != "FOREIGN KEY" {
		return out
	}
	out += " REFERENCES " + r.schema + "." + c.table + " (tenant_id, " + strings.Join(c.target, ", ") + ")"
	if c.cascade {
		out += " ON DELETE CASCADE"
	}
	return out
}

func (r renderer) index(unique, index, table, columns string) ([]string, error) {
	parts := strings.Split(columns, ",")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
		if !indexPart.MatchString(parts[i]) {
			return nil, fmt.Errorf("index %s: not understood: %s", index, part)
		}
	}
	return []string{fmt.Sprintf("CREATE %sINDEX %s ON %s.%s (tenant_id, %s)", unique, index, r.schema, table, strings.Join(parts, ", "))}, nil
}
