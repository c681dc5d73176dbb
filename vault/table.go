package vault

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"aver/base/ids"
	"aver/base/personal"
)

// class says what a column holds and hence what must happen to it.
type class string

const (
	classKey      class = "key"
	classSubject  class = "subject"
	classState    class = "state"
	classTenant   class = "tenant"
	classPersonal class = "personal"
	classSecret   class = "secret"
)

// Column is what the catalogue knows of one column.
type Column struct {
	Name     string
	Class    string // key, subject, state, tenant, personal or secret
	Category string // fideslang category of personal and tenant columns, such as user.contact.email
	Sealed   bool
	Lookup   bool // equality search by blind index
	Exact    bool // the equality search tells upper from lower case and minds surrounding space
	Search   bool // word search
	Keep     bool // retention counts from this time

	field    []int
	form     form
	goType   reflect.Type
	blind    string // name of the blind index column
	isClass  class
	aboutKey bool // part of the key and at the same time the person the row is about
}

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
	keeper   string // a reason why rows have no age limit
	sql      [2]statements
	changing sync.Map // the statements of Change, by columns
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
		c, err := parseColumn(row.Field(i))
		if err != nil {
			panic(fmt.Sprintf("vault: table %s: %v", name, err))
		}
		t.add(c)
	}
	if err := t.validate(); err != nil {
		panic(fmt.Sprintf("vault: table %s: %v", name, err))
	}
	for _, tenantColumn := range []bool{false, true} {
		t.sql[index(tenantColumn)] = render(t, tenantColumn)
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
	switch c.isClass {
	case classKey:
		t.keys = append(t.keys, n)
	case classSubject:
		t.subject = n
	}
	if c.aboutKey {
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
		if c.isClass == classPersonal && t.subject < 0 && !t.keyIsSubject() {
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
	return len(t.keys) == 1 && t.columns[t.keys[0]].form == formSubject
}

var flagsOf = map[string]func(*Column){
	"lookup":  func(c *Column) { c.Lookup = true },
	"search":  func(c *Column) { c.Search = true },
	"exact":   func(c *Column) { c.Lookup, c.Exact = true, true },
	"keep":    func(c *Column) { c.Keep = true },
	"subject": func(c *Column) { c.aboutKey = true },
}

func parseColumn(f reflect.StructField) (Column, error) {
	tag, tagged := f.Tag.Lookup("vault")
	if !tagged || !f.IsExported() {
		return Column{}, fmt.Errorf("field %s has no vault tag", f.Name)
	}
	parts := strings.Split(tag, ",")
	if len(parts) < 2 {
		return Column{}, fmt.Errorf("field %s has no class", f.Name)
	}
	kind, category, _ := strings.Cut(parts[1], ":")
	c := Column{Name: parts[0], Class: kind, Category: category, field: f.Index, isClass: class(kind), goType: f.Type}
	for _, flag := range parts[2:] {
		set := flagsOf[flag]
		if set == nil {
			return Column{}, fmt.Errorf("field %s has unknown flag %q", f.Name, flag)
		}
		set(&c)
	}
	if c.Lookup {
		c.blind = c.Name + "_index"
	}
	return c, c.fit(f.Type)
}

var (
	typeText  = reflect.TypeFor[personal.Text]()
	typeBytes = reflect.TypeFor[personal.Bytes]()
	typeTime  = reflect.TypeFor[time.Time]()
	typeSubj  = reflect.TypeFor[ids.Subject]()
)

// fit checks that the class may live in the Go type, and finds out how to store it.
func (c *Column) fit(t reflect.Type) error {
	form, err := formOf(t)
	c.form = form
	switch c.isClass {
	case classPersonal:
		c.Sealed = true
		if form != formText && form != formBytes {
			return fmt.Errorf("column %s is personal: its type must be personal.Text or personal.Bytes", c.Name)
		}
	case classSecret:
		c.Sealed = true
		if form != formText && form != formBytes {
			return fmt.Errorf("column %s is secret: its type must be personal.Text or personal.Bytes", c.Name)
		}
	case classTenant:
		c.Sealed = true
		if err != nil || form == formTime || form == formBool || form == formInt || form == formID || form == formSubject {
			c.form = formJSON
		}
		err = nil
	case classSubject:
		if t != typeSubj {
			return fmt.Errorf("column %s is a subject: its type must be ids.Subject", c.Name)
		}
	case classKey, classState:
		if err == nil && (form == formText || form == formBytes || form == formRaw) {
			return fmt.Errorf("column %s is stored in plain: personal types do not fit", c.Name)
		}
	default:
		return fmt.Errorf("column %s has unknown class %q", c.Name, c.Class)
	}
	if (c.Lookup || c.Search) && c.form != formText && c.form != formString {
		return fmt.Errorf("column %s: only text can be looked up or searched", c.Name)
	}
	if c.aboutKey && (c.isClass != classKey || t != typeSubj) {
		return fmt.Errorf("column %s: the flag subject is for a key of type ids.Subject", c.Name)
	}
	if c.Keep && c.form != formTime {
		return fmt.Errorf("column %s: keep needs a time", c.Name)
	}
	if c.isClass == classPersonal && c.Category == "" {
		return fmt.Errorf("column %s has no category", c.Name)
	}
	return err
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
