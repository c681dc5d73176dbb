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
