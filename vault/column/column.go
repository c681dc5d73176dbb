// Package column knows what a field of a stored row is: its class and flags from the tag, and how its Go value becomes
// a stored one and back.
//
// It seals nothing and knows no table: package vault decides what is sealed with which key from what stands here.
package column

import (
	"fmt"
	"reflect"
	"strings"
)

// The classes: what a column holds and hence what must happen to it.
const (
	Key      = "key"
	Subject  = "subject"
	State    = "state"
	Tenant   = "tenant"
	Personal = "personal"
	Secret   = "secret"
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
	About    bool // part of the key and at the same time the person the row is about

	field  []int
	form   form
	goType reflect.Type
}

// Blind is the name of the column's blind index, empty when there is none.
func (c *Column) Blind() string {
	if !c.Lookup {
		return ""
	}
	return c.Name + "_index"
}

// Person tells whether the column holds a person's identifier.
func (c *Column) Person() bool { return c.form == formSubject }

var flags = map[string]func(*Column){
	"lookup":  func(c *Column) { c.Lookup = true },
	"search":  func(c *Column) { c.Search = true },
	"exact":   func(c *Column) { c.Lookup, c.Exact = true, true },
	"keep":    func(c *Column) { c.Keep = true },
	"subject": func(c *Column) { c.About = true },
}

// Parse reads a field's tag; see ARCHITECTURE.md for the tags.
func Parse(f reflect.StructField) (Column, error) {
	tag, tagged := f.Tag.Lookup("vault")
	if !tagged || !f.IsExported() {
		return Column{}, fmt.Errorf("field %s has no vault tag", f.Name)
	}
	parts := strings.Split(tag, ",")
	if len(parts) < 2 {
		return Column{}, fmt.Errorf("field %s has no class", f.Name)
	}
	class, category, _ := strings.Cut(parts[1], ":")
	c := Column{Name: parts[0], Class: class, Category: category, field: f.Index, goType: f.Type}
	for _, flag := range parts[2:] {
		set := flags[flag]
		if set == nil {
			return Column{}, fmt.Errorf("field %s has unknown flag %q", f.Name, flag)
		}
		set(&c)
	}
	return c, c.fit(f.Type)
}

// fit checks that the class may live in the Go type, and finds out how to store it.
func (c *Column) fit(t reflect.Type) error {
	form, err := formOf(t)
	c.form = form
	switch c.Class {
	case Personal:
		c.Sealed = true
		if form != formText && form != formBytes {
			return fmt.Errorf("column %s is personal: its type must be personal.Text or personal.Bytes", c.Name)
		}
	case Secret:
		c.Sealed = true
		if form != formText && form != formBytes {
			return fmt.Errorf("column %s is secret: its type must be personal.Text or personal.Bytes", c.Name)
		}
	case Tenant:
		c.Sealed = true
		if err != nil || form == formTime || form == formBool || form == formInt || form == formID || form == formSubject {
			c.form = formJSON
		}
		err = nil
	case Subject:
		if t != typeSubj {
			return fmt.Errorf("column %s is a subject: its type must be ids.Subject", c.Name)
		}
	case Key, State:
		if err == nil && (form == formText || form == formBytes || form == formRaw) {
			return fmt.Errorf("column %s is stored in plain: personal types do not fit", c.Name)
		}
	default:
		return fmt.Errorf("column %s has unknown class %q", c.Name, c.Class)
	}
	if (c.Lookup || c.Search) && c.form != formText && c.form != formString {
		return fmt.Errorf("column %s: only text can be looked up or searched", c.Name)
	}
	if c.About && (c.Class != Key || t != typeSubj) {
		return fmt.Errorf("column %s: the flag subject is for a key of type ids.Subject", c.Name)
	}
	if c.Keep && c.form != formTime {
		return fmt.Errorf("column %s: keep needs a time", c.Name)
	}
	if c.Class == Personal && c.Category == "" {
		return fmt.Errorf("column %s has no category", c.Name)
	}
	return err
}
