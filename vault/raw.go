package vault

import (
	"context"
	"fmt"

	"aver/base/ids"
	"aver/vault/engine"
)

// own are the vault's tables that the catalogue does not list.
var own = []string{"journal", "journal_head", "search_sources", "search_docs", "search_fresh", "search_terms", "search_stale"}

// Stored calls each for every row of every table of a tenant as it lies in the store: what is sealed stays sealed. It
// is for probes that look for words where none may be.
func (v *Vault) Stored(ctx context.Context, tenant ids.Tenant, each func(table string, row []any) error) error {
	names := append([]string(nil), own...)
	for _, t := range v.order {
		names = append(names, t.Name())
	}
	return v.engine.Read(ctx, tenant, func(conn engine.Conn) error {
		for _, name := range names {
			err := conn.Query("SELECT * FROM "+name, nil, func(row []any) error { return each(name, row) }) // a name of the catalogue, never of a caller
			if err != nil {
				return fmt.Errorf("read %s as it is stored: %w", name, err)
			}
		}
		return nil
	})
}

// StoredColumns are the columns of every table of a tenant's store, as the database itself knows them: for whoever
// compares it with the catalogue.
func (v *Vault) StoredColumns(ctx context.Context, tenant ids.Tenant) (map[string][]string, error) {
	query := "SELECT t.Name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.Name) c WHERE t.type = 'table' ORDER BY t.Name, c.cid"
	if v.engine.TenantColumn() {
		query = "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid " +
			"WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum"
	}
	out := map[string][]string{}
	err := v.engine.Read(ctx, tenant, func(conn engine.Conn) error {
		return conn.Query(query, nil, func(row []any) error {
			table := fmt.Sprint(row[0])
			out[table] = append(out[table], fmt.Sprint(row[1]))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return out, nil
}
