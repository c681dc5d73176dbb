package vault

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"aver/vault/column"
	"aver/vault/purpose"
)

// Column is what the catalogue knows of one column.
type Column = column.Column

// AnyTable is a table whatever its row type.
type AnyTable interface {
	Name() string
	Columns() []Column
	Terms() Terms
	core() *table
}

// Terms say why a table is kept and for how long.
type Terms struct {
	Purpose   string        // in words, for the record of processing
	KeepFor   time.Duration // age limit of rows; zero when there is none
	KeepWhile string        // why there is none
}

// table is the part of a Table that does not depend on the row type.
type table struct {
	name     string
	columns  []Column
	keys     []int // indexes into columns, in key order
	subject  int   // index into columns, -1 without
	keep     int   // index into columns, -1 without
	searched []int
	purpose  string
	keepFor  time.Duration
	keeper   string                               // a reason why rows have no age limit
	sql      [2][purpose.Modes]func() *statements // made when first needed, by whether rows carry their tenant, and how the purpose is guarded
	changing sync.Map                             // the statements of Change, by columns
}

// Table is a kind of row that can be stored.
type Table[T any] struct{ t *table }

// Setting is an option of Define.
type Setting func(*table)

// Purpose says what the data is for, in words for the record of processing (GDPR Art. 30).
func Purpose(words string) Setting { return func(t *table) { t.purpose = words } }

// KeepFor is the default age limit of rows, counted from the column tagged keep. Tenants may shorten it.
func KeepFor(d time.Duration) Setting { return func(t *table) { t.keepFor = d } }

// KeepWhile says instead why rows have no age limit of their own, such as "as long as the account".
func KeepWhile(reason string) Setting { return func(t *table) { t.keeper = reason } }

// Define declares a table from the tags of its row type; see ARCHITECTURE.md for the tags. A field without a class, or a
// class on a type that cannot hold it, stops the program here.
func Define[T any](name string, settings ...Setting) *Table[T] {
	t := &table{name: name, subject: -1, keep: -1}
	for _, set := range settings {
		set(t)
	}
	row := reflect.TypeFor[T]()
	for i := range row.NumField() {
		c, err := column.Parse(row.Field(i))
		if err != nil {
			panic(fmt.Sprintf("vault: table %s: %v", name, err))
		}
		t.add(c)
	}
	if err := t.validate(); err != nil {
		panic(fmt.Sprintf("vault: table %s: %v", name, err))
	}
	for _, tenantColumn := range []bool{false, true} {
		for mode := range purpose.Modes {
			t.sql[index(tenantColumn)][mode] = sync.OnceValue(func() *statements { return render(t, tenantColumn, mode) })
		}
	}
	return &Table[T]{t}
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *table) add(c Column) {
	n := len(t.columns)
	switch c.Class {
	case column.Key:
		t.keys = append(t.keys, n)
	case column.Subject:
		t.subject = n
	}
	if c.About {
		t.subject = n
	}
	if c.Keep {
		t.keep = n
	}
	if c.Search {
		t.searched = append(t.searched, n)
	}
	t.columns = append(t.columns, c)
}

// keyColumns are the columns of the key, in order.
func (t *table) keyColumns() []Column {
	out := make([]Column, len(t.keys))
	for i, k := range t.keys {
		out[i] = t.columns[k]
	}
	return out
}

func (t *table) validate() error {
	if len(t.keys) == 0 {
		return fmt.Errorf("no field is tagged key")
	}
	if t.purpose == "" {
		return fmt.Errorf("no purpose is given")
	}
	if t.keepFor == 0 && t.keeper == "" {
		return fmt.Errorf("neither KeepFor nor KeepWhile is given")
	}
	if t.keepFor != 0 && t.keep < 0 {
		return fmt.Errorf("KeepFor needs a field tagged keep")
	}
	for _, c := range t.columns {
		if c.Class == column.Personal && t.subject < 0 && !t.keyIsSubject() {
			return fmt.Errorf("column %s is personal and no field is tagged subject", c.Name)
		}
	}
	if t.subject < 0 && t.keyIsSubject() {
		t.subject = t.keys[0]
	}
	return nil
}

// keyIsSubject tells whether the row's only key is a person's identifier, as in the table of contacts.
func (t *table) keyIsSubject() bool {
	return len(t.keys) == 1 && t.columns[t.keys[0]].Person()
}

// Name is the table's name in both databases.
func (t *Table[T]) Name() string { return t.t.name }

// Columns is the catalogue of the table, from its tags.
func (t *Table[T]) Columns() []Column { return t.t.columns }

// Terms is why the data is kept and for how long.
func (t *Table[T]) Terms() Terms {
	return Terms{Purpose: t.t.purpose, KeepFor: t.t.keepFor, KeepWhile: t.t.keeper}
}

func (t *Table[T]) core() *table { return t.t }
