// Package table knows what a table is, from the tags of its row type, and writes its statements in SQL.
//
// It reads and stores no row: package vault does, which says on whose behalf.
package table

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"aver/base/ids"
	"aver/vault/column"
	"aver/vault/purpose"
)

// Shape is the part of a table that does not depend on the row type.
type Shape struct {
	Name     string
	Columns  []column.Column
	Keys     []int // indexes into Columns, in key order
	Subject  int   // index into Columns, -1 without
	Keep     int   // index into Columns, -1 without
	Searched []int
	Terms

	sql      [2][purpose.Modes]func() *Statements // made when first needed, by whether rows carry their tenant, and how the purpose is guarded
	changing sync.Map                             // the statements of Change, by columns
}

// Terms say why a table is kept and for how long.
type Terms struct {
	Purpose   string        // in words, for the record of processing
	KeepFor   time.Duration // age limit of rows; zero when there is none
	KeepWhile string        // why there is none
}

// Of reads the shape from the tags of a row type; see ARCHITECTURE.md for the tags.
func Of(name string, row reflect.Type, terms Terms) (*Shape, error) {
	t := &Shape{Name: name, Subject: -1, Keep: -1, Terms: terms}
	for i := range row.NumField() {
		c, err := column.Parse(row.Field(i))
		if err != nil {
			return nil, err
		}
		t.add(c)
	}
	for _, tenantColumn := range []bool{false, true} {
		for mode := range purpose.Modes {
			t.sql[index(tenantColumn)][mode] = sync.OnceValue(func() *Statements { return render(t, tenantColumn, mode) })
		}
	}
	return t, t.validate()
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *Shape) add(c column.Column) {
	n := len(t.Columns)
	switch c.Class {
	case column.Key:
		t.Keys = append(t.Keys, n)
	case column.Subject:
		t.Subject = n
	}
	if c.About {
		t.Subject = n
	}
	if c.Keep {
		t.Keep = n
	}
	if c.Search {
		t.Searched = append(t.Searched, n)
	}
	t.Columns = append(t.Columns, c)
}

func (t *Shape) validate() error {
	if len(t.Keys) == 0 {
		return errors.New("no field is tagged key")
	}
	if t.Purpose == "" {
		return errors.New("no purpose is given")
	}
	if t.KeepFor == 0 && t.KeepWhile == "" {
		return errors.New("neither KeepFor nor KeepWhile is given")
	}
	if t.KeepFor != 0 && t.Keep < 0 {
		return errors.New("KeepFor needs a field tagged keep")
	}
	for _, c := range t.Columns {
		if c.Class == column.Personal && t.Subject < 0 && !t.keyIsSubject() {
			return fmt.Errorf("column %s is personal and no field is tagged subject", c.Name)
		}
	}
	if t.Subject < 0 && t.keyIsSubject() {
		t.Subject = t.Keys[0]
	}
	return nil
}

// keyIsSubject tells whether the row's only key is a person's identifier, as in the table of contacts.
func (t *Shape) keyIsSubject() bool {
	return len(t.Keys) == 1 && t.Columns[t.Keys[0]].Person()
}

// KeyColumns are the columns of the key, in order.
func (t *Shape) KeyColumns() []column.Column {
	out := make([]column.Column, len(t.Keys))
	for i, k := range t.Keys {
		out[i] = t.Columns[k]
	}
	return out
}

// KeyOf are the key's parts among stored values, which stand in the order of the columns.
func (t *Shape) KeyOf(values []any) []any {
	out := make([]any, len(t.Keys))
	for i, k := range t.Keys {
		out[i] = values[k]
	}
	return out
}

// SubjectOf is whom a row is about, zero for nobody.
func (t *Shape) SubjectOf(row reflect.Value) ids.Subject {
	if t.Subject < 0 {
		return ids.Subject{}
	}
	return t.Columns[t.Subject].Of(row).Interface().(ids.Subject)
}
