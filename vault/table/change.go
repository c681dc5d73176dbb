package table

import (
	"aver/vault/column"
	"fmt"
	"reflect"
	"strings"
)

// mostColumns is how many columns Differ can tell apart.
const mostColumns = 64

// SameKey returns the parts of the rows' key.
func (t *Shape) SameKey(before, after reflect.Value) ([]any, error) {
	keys := make([]any, len(t.Keys))
	for i, k := range t.Keys {
		c := &t.Columns[k]
		if !c.Of(before).Equal(c.Of(after)) {
			return nil, fmt.Errorf("change %s: the key column %s differs", t.Name, c.Name)
		}
		keys[i] = c.Plain(after)
	}
	return keys, nil
}

// Differ returns the columns that differ, as bits. A row whose person differs is sealed anew, all of it.
func (t *Shape) Differ(before, after reflect.Value) (changed uint64, err error) {
	if len(t.Columns) > mostColumns {
		return 0, fmt.Errorf("change %s: more than %d columns", t.Name, mostColumns)
	}
	all := t.Subject >= 0 && t.SubjectOf(before) != t.SubjectOf(after)
	for i := range t.Columns {
		c := &t.Columns[i]
		same, err := c.Same(before, after)
		if err != nil {
			return 0, fmt.Errorf("change %s: %w", t.Name, err)
		}
		if c.Class != column.Key && (!same || all && c.Sealed) {
			changed |= 1 << i
		}
	}
	return changed, nil
}

// ChangeSQL is the statement that writes these columns; a table has few different ones.
func (t *Shape) ChangeSQL(changed uint64, tenant bool) string {
	type statement struct {
		changed uint64
		tenant  bool
	}
	if known, ok := t.changing.Load(statement{changed, tenant}); ok {
		return known.(string)
	}
	var sets, where []string
	for i := range t.Columns {
		if c := &t.Columns[i]; changed&(1<<i) != 0 {
			sets = append(sets, c.Name+" = ?")
			if c.Lookup {
				sets = append(sets, c.Blind()+" = ?")
			}
		}
	}
	if tenant {
		where = append(where, "tenant_id = ?")
	}
	for _, k := range t.Keys {
		where = append(where, t.Columns[k].Name+" = ?")
	}
	text := "UPDATE " + t.Name + " SET " + strings.Join(sets, ", ") + " WHERE " + strings.Join(where, " AND ")
	t.changing.Store(statement{changed, tenant}, text)
	return text
}
