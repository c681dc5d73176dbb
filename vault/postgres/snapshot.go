package postgres

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"aver/base/ids"
	"aver/vault/dump"
	"aver/vault/engine"
)

// Snapshot implements engine.Engine: all rows of the tenant as of one moment but those of indexes, in the form of
// package dump: whose a row is, says the store that it is loaded into. Writers go on. The order of the tables is that in
// which they were made, so that no row comes before one that it refers to.
func (e *Engine) Snapshot(ctx context.Context, tenant ids.Tenant, to io.Writer) error {
	if err := dump.Ahead(to, func(to io.Writer) error { return e.snapshot(ctx, tenant, to) }); err != nil {
		return fmt.Errorf("snapshot of a store: %w", err)
	}
	return nil
}

func (e *Engine) snapshot(ctx context.Context, tenant ids.Tenant, to io.Writer) error {
	return e.Read(ctx, tenant, func(c engine.Conn) error {
		tables, err := e.tables(c)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(to, dump.Format); err != nil {
			return err
		}
		for _, t := range tables {
			if strings.HasPrefix(t.Name, dump.Derived) {
				continue
			}
			if err := dump.WriteTable(to, t); err != nil {
				return err
			}
			if err := c.(*conn).copyOut(e.schema, t, to); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
		return dump.WriteTable(to, dump.Table{})
	})
}

// tables lists those that hold tenants' rows, in the order in which they were made, without the column that says whose a
// row is.
func (e *Engine) tables(c engine.Conn) (tables []dump.Table, err error) {
	err = c.Query(`SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = ?::text::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
		AND a.attname <> 'tenant_id' AND EXISTS (SELECT 1 FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
		ORDER BY c.oid, a.attnum`, []any{e.schema}, func(row []any) error {
		name := row[0].(string)
		if len(tables) == 0 || tables[len(tables)-1].Name != name {
			tables = append(tables, dump.Table{Name: name})
		}
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, dump.Column{Name: row[1].(string), Kind: dump.Kind(row[2].(string))})
		return nil
	})
	return tables, err
}

// copyOut streams a table's rows of the transaction's tenant. The policy would hold back all others anyway; the predicate
// lets an index find them, and is a query of its own so that the setting is not read for every row.
func (c *conn) copyOut(schema string, t dump.Table, to io.Writer) error {
	if err := c.Flush(); err != nil {
		return err
	}
	text := fmt.Sprintf("COPY (SELECT %s FROM %s WHERE tenant_id = (SELECT %s)) TO STDOUT (FORMAT binary)",
		columns(t), pgx.Identifier{schema, t.Name}.Sanitize(), tenantNow)
	if _, err := c.pg.PgConn().CopyTo(c.ctx, to, text); err != nil {
		c.lost = translate(c.ctx, err, c.pg.IsClosed())
		return c.lost
	}
	return nil
}

func columns(t dump.Table) string {
	var names []string
	for _, column := range t.Columns {
		names = append(names, pgx.Identifier{column.Name}.Sanitize())
	}
	return strings.Join(names, ", ")
}
