package table

import (
	"aver/base/ids"
	"aver/vault/purpose"
	"strings"
	"sync"
)

// Statements are a table's SQL, written once.
type Statements struct {
	Insert string
	Upsert string
	Get    string
	Find   string // up to WHERE
	Count  string // up to WHERE
	Key    string // the names of the key columns
	Keys   string // key columns, up to WHERE
	Delete string
	Remove string // of rows that a tail selects, up to the WHERE of the selection
	Erase  string // some of several people's rows, who are Padded
	Tenant bool   // the tenant is the first value of each
}

// SQL are the table's statements where rows carry their tenant, or do not, for actions whose purpose is guarded so.
func (t *Shape) SQL(tenant bool, mode purpose.Mode) *Statements { return t.sql[index(tenant)][mode]() }

// render writes a table's statements. Where the purpose is guarded, a row that may not be seen is none for all of them but
// get, which reads whether it may be.
func render(t *Shape, tenant bool, mode purpose.Mode) *Statements {
	var names, keys, reads []string
	for i := range t.Columns {
		c := &t.Columns[i]
		names, reads = append(names, c.Name), append(reads, c.Name)
		if c.Lookup {
			names = append(names, c.Blind())
		}
	}
	for _, k := range t.Keys {
		keys = append(keys, t.Columns[k].Name)
	}
	s := &Statements{Tenant: tenant, Key: strings.Join(keys, ", ")}
	from, mine, target := t.Name, "", s.Key
	all := names
	if tenant {
		from, mine = "(SELECT * FROM "+t.Name+" WHERE tenant_id = ?) AS "+t.Name, "tenant_id = ? AND "
		target = "tenant_id, " + target
		all = append([]string{"tenant_id"}, names...)
	}
	var sets []string
	for _, n := range names {
		sets = append(sets, n+" = excluded."+n)
	}
	byKey := strings.Join(keys, " = ? AND ") + " = ?"
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(all)), ", ")
	s.Insert = "INSERT INTO " + t.Name + " (" + strings.Join(all, ", ") + ") VALUES (" + marks + ")"
	s.Upsert = s.Insert + " ON CONFLICT (" + target + ") DO UPDATE SET " + strings.Join(sets, ", ")
	also, told := "", ""
	if t.Subject >= 0 && mode.Reads() {
		may := mode.Reading(t.Name+"."+t.Columns[t.Subject].Name, tenant)
		from, also, told = "(SELECT * FROM "+t.Name+" WHERE "+mine+may+") AS "+t.Name, " AND "+may, ", "+may
	}
	s.Find = "SELECT " + strings.Join(reads, ", ") + " FROM " + from + " WHERE "
	s.Get = "SELECT " + strings.Join(reads, ", ") + told + " FROM " + t.Name + " WHERE " + mine + byKey
	s.Count = "SELECT count(*) FROM " + from + " WHERE "
	s.Keys = "SELECT " + s.Key + " FROM " + from + " WHERE "
	s.Delete = "DELETE FROM " + t.Name + " WHERE " + mine + byKey + also
	s.Remove = "DELETE FROM " + t.Name + " WHERE " + mine + "(" + s.Key + ") IN (" + s.Keys
	if t.Subject >= 0 {
		some := "SELECT " + s.Key + " FROM " + t.Name + " WHERE " + mine + Among(t.Columns[t.Subject].Name) + " LIMIT ?"
		s.Erase = "DELETE FROM " + t.Name + " WHERE (" + s.Key + ") IN (" + some + ")"
	}
	return s
}

// ValuesAtOnce is how many values one statement compares a column with.
const ValuesAtOnce = 500

// Among is the condition that a column has one of these values.
func Among(column string) string {
	return column + " IN (?" + strings.Repeat(", ?", ValuesAtOnce-1) + ")"
}

// Padded are the values for it; what is too few is filled up with the last.
func Padded[T ~[16]byte](values []T) []any {
	args := make([]any, ValuesAtOnce)
	for i := range args {
		args[i] = values[min(i, len(values)-1)][:]
	}
	return args
}

// Own puts the tenant in front of a statement's values where the engine's rows carry it.
func (s *Statements) Own(tenant ids.Tenant, args []any) []any {
	if !s.Tenant {
		return args
	}
	return append([]any{tenant[:]}, args...)
}

// tails remembers statements made of a table's head and a caller's tail; both are constant text.
var tails sync.Map

// WithTail is the statement of a head that ends in WHERE and the tail that selects.
func WithTail(head, tail string) string {
	type pair struct{ head, tail string }
	if known, ok := tails.Load(pair{head, tail}); ok {
		return known.(string)
	}
	full := head + tail
	if first, _, _ := strings.Cut(strings.TrimSpace(tail), " "); first == "" || first == "ORDER" || first == "LIMIT" {
		full = head + "1 = 1 " + tail
	}
	tails.Store(pair{head, tail}, full)
	return full
}

// RowsAtOnce is how many rows one statement reads by their keys.
const RowsAtOnce = 32

// ByKeys is a tail that finds up to RowsAtOnce rows by their keys.
func (t *Shape) ByKeys() string {
	var names []string
	for _, k := range t.Keys {
		names = append(names, t.Columns[k].Name+" = ?")
	}
	one := "(" + strings.Join(names, " AND ") + ")"
	return one + strings.Repeat(" OR "+one, RowsAtOnce-1)
}
