package vault

import (
	"fmt"
	"reflect"
	"time"

	"aver/vault/column"
	"aver/vault/table"
)

// Column is what the catalogue knows of one column.
type Column = column.Column

// AnyTable is a table whatever its row type.
type AnyTable interface {
	Name() string
	Columns() []Column
	Terms() Terms
	core() *table.Shape
}

// Terms say why a table is kept and for how long.
type Terms = table.Terms

// Table is a kind of row that can be stored.
type Table[T any] struct{ t *table.Shape }

// Setting is an option of Define.
type Setting func(*Terms)

// Purpose says what the data is for, in words for the record of processing (GDPR Art. 30).
func Purpose(words string) Setting { return func(t *Terms) { t.Purpose = words } }

// KeepFor is the default age limit of rows, counted from the column tagged keep. Tenants may shorten it.
func KeepFor(d time.Duration) Setting { return func(t *Terms) { t.KeepFor = d } }

// KeepWhile says instead why rows have no age limit of their own, such as "as long as the account".
func KeepWhile(reason string) Setting { return func(t *Terms) { t.KeepWhile = reason } }

// Define declares a table from the tags of its row type; see ARCHITECTURE.md for the tags. A field without a class, or a
// class on a type that cannot hold it, stops the program here.
func Define[T any](name string, settings ...Setting) *Table[T] {
	var terms Terms
	for _, set := range settings {
		set(&terms)
	}
	t, err := table.Of(name, reflect.TypeFor[T](), terms)
	if err != nil {
		panic(fmt.Sprintf("vault: table %s: %v", name, err))
	}
	return &Table[T]{t}
}

// Name is the table's name in both databases.
func (t *Table[T]) Name() string { return t.t.Name }

// Columns is the catalogue of the table, from its tags.
func (t *Table[T]) Columns() []Column { return t.t.Columns }

// Terms is why the data is kept and for how long.
func (t *Table[T]) Terms() Terms { return t.t.Terms }

func (t *Table[T]) core() *table.Shape { return t.t }
