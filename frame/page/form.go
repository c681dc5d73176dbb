package page

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"aver/base/errs"
)

// Sheet is what a form is about. Its fields find their errors and what was sent by themselves, so nothing that was
// entered is lost when the server refuses, and no error stays unsaid.
type Sheet struct {
	Action string       // where it is posted
	ID     string       // begins the ids of its fields; needed when a page has several forms with equal names
	Errors []errs.Field // what the server refused; Field is the name of an input, or empty for the whole form
	Sent   url.Values   // what was sent with the refused request; nil the first time
	Files  bool         // the form carries files
	Attrs  templ.Attributes
	status int // of the page that shows what Refused found
}

// Input is a line to fill in. Passwords are never put back.
type Input struct {
	Name         string
	Label        string
	Help         string
	Value        string
	Type         string // text when empty; email, password, url, number, date, file, …
	Autocomplete string // off when empty
	Max          int    // most characters
	Optional     bool
	Narrow       bool // for numbers, dates and codes
	Attrs        templ.Attributes
}

// Textarea is several lines to fill in.
type Textarea struct {
	Name     string
	Label    string
	Help     string
	Value    string
	Rows     int // 4 when zero
	Max      int // most characters
	Optional bool
	Attrs    templ.Attributes
}

// Option is one of several answers.
type Option struct {
	Value string
	Label string
	Help  string // shown by Radios only
}

// Select is a choice of one among many. For up to five use Radios.
type Select struct {
	Name     string
	Label    string
	Help     string
	Value    string
	Options  []Option
	Optional bool
	Attrs    templ.Attributes
}

// Radios is a choice of one among a few, all in view.
type Radios struct {
	Name    string
	Label   string
	Help    string
	Value   string
	Options []Option
}

// Checkbox is yes or no. It sends Value, or "yes" when that is empty.
type Checkbox struct {
	Name    string
	Label   string
	Help    string
	Value   string
	Checked bool
	Attrs   templ.Attributes
}

// Search is a box that searches by GET, so that the words are in the address.
type Search struct {
	Action string
	Label  string
	Name   string // q when empty
	Value  string
	Attrs  templ.Attributes // on the input
}

// Confirm asks before an act that cannot be undone: it says what will happen and, when Word is set, has the thing's
// name typed back. The server must compare the field "confirm" with Word itself. As a dialog it is opened by a Button
// whose Opens is its ID; ConfirmForm shows the same without a dialog, for pages that work without scripts.
type Confirm struct {
	ID      string
	Title   string   // a question: Erase Maria Kowal?
	Happens []string // what will happen, a sentence each
	Word    string   // to be typed back
	Act     string   // the word on the button
	Action  string   // where it is posted
	Name    string   // a hidden field, with Value
	Value   string
	Back    string // where Cancel leads when there is no dialog to close
}

// Render draws the part.
func (i Input) Render(ctx context.Context, w io.Writer) error { return input(i).Render(ctx, w) }

// Render draws the part.
func (t Textarea) Render(ctx context.Context, w io.Writer) error { return textarea(t).Render(ctx, w) }

// Render draws the part.
func (s Select) Render(ctx context.Context, w io.Writer) error { return selection(s).Render(ctx, w) }

// Render draws the part.
func (r Radios) Render(ctx context.Context, w io.Writer) error { return radios(r).Render(ctx, w) }

// Render draws the part.
func (c Checkbox) Render(ctx context.Context, w io.Writer) error { return checkbox(c).Render(ctx, w) }

// Render draws the part.
func (s Search) Render(ctx context.Context, w io.Writer) error { return search(s).Render(ctx, w) }

// Render draws the part.
func (c Confirm) Render(ctx context.Context, w io.Writer) error { return confirm(c).Render(ctx, w) }

type sheetKey struct{}

// Form wraps fields. It is posted to this site only, which edge checks by the browser's own headers, so it carries no token.
func Form(s Sheet) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return form(s).Render(context.WithValue(ctx, sheetKey{}, s), w)
	})
}

// Refused tells whether an error is about what was sent, and gives the sheet of the form to show again.
func Refused(err error, sent url.Values) (Sheet, bool) {
	p := errs.AsProblem(err)
	if p.Code != errs.Invalid && p.Code != errs.Conflict && p.Code != errs.TooLarge {
		return Sheet{}, false
	}
	s := Sheet{Errors: slices.Clone(p.Errors), Sent: sent, status: p.Status}
	if len(s.Errors) == 0 {
		s.Errors = []errs.Field{{Code: string(p.Code), Message: p.Detail}}
	}
	return s, true
}

// Status is that of a page with this form: 200, or what tells that the form was refused.
func (s Sheet) Status() int {
	switch {
	case s.status != 0:
		return s.status
	case len(s.Errors) > 0:
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// Whole moves errors about these fields to the whole form: of a group of boxes, no single one is wrong.
func (s Sheet) Whole(names ...string) Sheet {
	s.Errors = slices.Clone(s.Errors)
	for i, e := range s.Errors {
		if slices.Contains(names, e.Field) {
			s.Errors[i].Field = ""
		}
	}
	return s
}

func sheet(ctx context.Context) Sheet {
	s, _ := ctx.Value(sheetKey{}).(Sheet)
	return s
}

// id is the id of the field with this name.
func (s Sheet) id(name string) string {
	name = strings.NewReplacer("[", "-", "]", "", ".", "-").Replace(name)
	if s.ID == "" {
		return name
	}
	return s.ID + "-" + name
}

// fault is what is wrong with the field of this name.
func (s Sheet) fault(name string) string {
	for _, e := range s.Errors {
		if e.Field == name {
			return e.Message
		}
	}
	return ""
}

// value is what was sent for this name, or else what the author gave.
func (s Sheet) value(name, given string) string {
	if s.Sent == nil || !s.Sent.Has(name) {
		return given
	}
	return s.Sent.Get(name)
}

// checked tells whether a box was ticked when the form was sent, or else whether the author ticked it.
func (s Sheet) checked(name, value string, given bool) bool {
	if s.Sent == nil {
		return given
	}
	return slices.Contains(s.Sent[name], value)
}

func (i Input) kind() string {
	if i.Type == "" {
		return "text"
	}
	return i.Type
}

// value is what the line shows: never a password, never a file's name.
func (i Input) value(s Sheet) string {
	if i.Type == "password" || i.Type == "file" {
		return ""
	}
	return s.value(i.Name, i.Value)
}

func (c Checkbox) value() string {
	if c.Value == "" {
		return "yes"
	}
	return c.Value
}

// described lists the ids of a field's help and error.
func described(id, help, fault string) string {
	var ids []string
	if help != "" {
		ids = append(ids, id+"-help")
	}
	if fault != "" {
		ids = append(ids, id+"-error")
	}
	return strings.Join(ids, " ")
}

func limit(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func rows(n int) string {
	if n <= 0 {
		return "4"
	}
	return strconv.Itoa(n)
}

func encoding(s Sheet) string { return when(s.Files, "multipart/form-data") }

// boxID is a checkbox's id; boxes that share a name differ by their value.
func boxID(s Sheet, c Checkbox) string {
	if c.Value == "" {
		return s.id(c.Name)
	}
	return s.id(c.Name + "-" + c.Value)
}
