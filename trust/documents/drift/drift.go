// Package drift compares the columns that a database really has with the data catalogue, which says what every one of
// them is for. A column that nobody declared is one that no copy, no erasure and no paper knows of.
package drift

import (
	"slices"

	"aver/vault"
)

// unlisted are the tables of the vault itself, of its engines and of migrations: the log and the index of words, whose
// rows are identifiers, hashes and keyed tokens, and how far followers and migrations are.
var unlisted = []string{"journal", "journal_head", "journal_cursors", "search_sources", "search_docs", "search_fresh", "search_terms", "search_stale",
	"migrations", "goose_db_version", "sqlite_sequence"}

// tenantColumn is in every table of an engine whose rows carry their tenant.
const tenantColumn = "tenant_id"

// Undeclared says how a store differs from a catalogue: tables and columns that nobody declared, and declared ones that
// the store does not have.
func Undeclared(stored map[string][]string, catalogue []vault.AnyTable) (found []string) {
	declared := map[string][]string{}
	for _, t := range catalogue {
		for _, c := range t.Columns() {
			declared[t.Name()] = append(declared[t.Name()], c.Name)
			if blind := c.Blind(); blind != "" {
				declared[t.Name()] = append(declared[t.Name()], blind)
			}
		}
	}
	for table, columns := range stored {
		if declared[table] == nil {
			if !slices.Contains(unlisted, table) {
				found = append(found, "the table "+table+" is not declared")
			}
			continue
		}
		for _, c := range columns {
			if c != tenantColumn && !slices.Contains(declared[table], c) {
				found = append(found, "the column "+table+"."+c+" is not declared")
			}
		}
	}
	for table, columns := range declared {
		for _, c := range columns {
			if !slices.Contains(stored[table], c) {
				found = append(found, "the column "+table+"."+c+" is declared and not stored")
			}
		}
	}
	slices.Sort(found)
	return found
}
