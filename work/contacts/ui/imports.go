package ui

import (
	"strconv"
	"strings"
	"time"

	"aver/frame/page"
	"aver/work/contacts"
	"aver/work/contacts/attributes"
	"aver/work/contacts/imports"
)

// Imports is the first page of the wizard: a file to choose, and what was imported lately.
type Imports struct{ All []imports.Import }

// Import is one import's page.
type Import struct {
	imports.Import
	Faults []imports.Fault
	Own    []attributes.Attribute
	Tags   []contacts.Tag
	Sheet  page.Sheet
	Now    time.Time
}

func (i Import) path(rest string) string { return "/contacts/import/run/" + i.ID.String() + rest }

func (i Import) sheet() page.Sheet {
	s := i.Sheet
	s.Action = i.path("")
	return s
}

// targets are what a column can fill.
func (i Import) targets() []page.Option {
	out := []page.Option{{Label: text.T("import.leave")}}
	for _, f := range imports.Fields {
		out = append(out, page.Option{Value: f, Label: text.T("import.field." + f)})
	}
	for _, a := range i.Own {
		out = append(out, page.Option{Value: imports.Own + a.Name, Label: a.Label})
	}
	return out
}

// cells are the first of a column, to show what it holds.
func cells(c imports.Column) string {
	var out []string
	for _, cell := range c.First {
		out = append(out, orNone(cell))
	}
	return text.T("import.first", strings.Join(out, " · "))
}

func columnName(n int) string { return "column" + strconv.Itoa(n) }

func (i Import) labels() []page.Option {
	out := []page.Option{{Label: text.T("import.label.none")}}
	for _, t := range i.Tags {
		out = append(out, page.Option{Value: t.ID.String(), Label: t.Name})
	}
	return out
}

// Progress is how far the import's job is.
func (i Import) Progress() page.Progress {
	label := text.T("import.running")
	if i.State == imports.Trying {
		label = text.T("import.trying")
	}
	p := page.Progress{ID: "import", Label: label, Done: int64(i.Rows), Total: int64(i.Total), Unit: text.T("import.rows"), Cancel: i.path("/cancel"), Refresh: i.path("/progress")}
	if spent := i.Now.Sub(i.StartedAt); i.Rows > 0 && spent > 0 {
		p.Left = spent * time.Duration(i.Total-i.Rows) / time.Duration(i.Rows)
	}
	return p
}

// importState is how an import stands, for the list of them.
func importState(i imports.Import) page.Badge {
	state := page.Unknown
	switch i.State {
	case imports.Done:
		state = page.Holds
	case imports.Failed:
		state = page.Failing
	case imports.Cancelled, imports.Overtaken:
		state = page.Stale
	}
	return page.Badge{State: state, Word: text.T("import.state." + string(i.State))}
}

func (i Import) stats() []page.Stat {
	return []page.Stat{
		{Value: page.Number(i.Made), Label: text.T("import.made." + i.tense())},
		{Value: page.Number(i.Changed), Label: text.T("import.changed." + i.tense())},
		{Value: page.Number(i.Refused), Label: text.T("import.refused." + i.tense())},
	}
}

// tense tells a trial from a deed.
func (i Import) tense() string {
	if i.State == imports.Tried {
		return "would"
	}
	return "was"
}

func (i Import) title() string { return text.T("import.of", i.Name) }
