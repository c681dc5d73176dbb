package reference

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// group is the operations of one tag.
type group struct {
	Name, Slug string
	Operations []operation
}

// operation is one operation as the page shows it.
type operation struct {
	ID, Method, Path       string
	Summary, Description   string
	Open                   bool // for everybody
	Parameters, Body, Back []slot
	Status                 string // of the answer when all goes well
	Curl                   string
}

// slot is one parameter, or one property with its path.
type slot struct {
	Name, Place, Type, About string
	Required                 bool
	readOnly                 bool
}

// Anchor is where the operation is on its page.
func (o operation) Anchor() string { return o.ID }

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func groupsOf(api *huma.OpenAPI, base string) []group {
	byName := map[string]*group{}
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		item := api.Paths[path]
		for i, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil || op.Hidden {
				continue
			}
			name := text.T("other")
			if len(op.Tags) > 0 {
				name = op.Tags[0]
			}
			if byName[name] == nil {
				byName[name] = &group{Name: name, Slug: slug(name)}
			}
			byName[name].Operations = append(byName[name].Operations, reader{api}.operation(methods[i], path, op, base))
		}
	}
	var groups []group
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		groups = append(groups, *byName[name])
	}
	return groups
}

func slug(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
}

// reader resolves references while it reads.
type reader struct{ api *huma.OpenAPI }

func (rd reader) operation(method, path string, op *huma.Operation, base string) operation {
	o := operation{ID: op.OperationID, Method: method, Path: path, Summary: cmp.Or(op.Summary, op.OperationID), Description: op.Description}
	for _, requirement := range op.Security {
		o.Open = o.Open || len(requirement) == 0
	}
	for _, p := range op.Parameters {
		s := rd.resolve(p.Schema)
		o.Parameters = append(o.Parameters, slot{Name: p.Name, Place: p.In, Type: rd.kind(s), About: cmp.Or(p.Description, s.Description), Required: p.Required})
	}
	var body *huma.Schema
	if op.RequestBody != nil {
		body = jsonOf(op.RequestBody.Content)
		o.Body = slices.DeleteFunc(rd.slots(body, "", nil), func(s slot) bool { return s.readOnly })
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if strings.HasPrefix(status, "2") {
			o.Status = status
			o.Back = rd.slots(jsonOf(op.Responses[status].Content), "", nil)
			break
		}
	}
	o.Curl = rd.curl(o, body, base)
	return o
}

func jsonOf(content map[string]*huma.MediaType) *huma.Schema {
	if media := content["application/json"]; media != nil {
		return media.Schema
	}
	return nil
}

func (rd reader) resolve(s *huma.Schema) *huma.Schema {
	for s != nil && s.Ref != "" {
		s = rd.api.Components.Schemas.SchemaFromRef(s.Ref)
	}
	if s == nil {
		return &huma.Schema{}
	}
	return s
}

// slots lists a schema's properties by path; a type inside itself is named and not repeated.
func (rd reader) slots(s *huma.Schema, at string, above []*huma.Schema) []slot {
	if s == nil {
		return nil
	}
	s = rd.resolve(s)
	if slices.Contains(above, s) {
		return nil
	}
	above = append(slices.Clone(above), s)
	if s.Type == huma.TypeArray {
		return rd.slots(s.Items, at+"[]", above)
	}
	var list []slot
	for _, name := range ordered(s) {
		property := rd.resolve(s.Properties[name])
		path := strings.TrimPrefix(at+"."+name, ".")
		list = append(list, slot{Name: path, Type: rd.kind(property), About: cmp.Or(s.Properties[name].Description, property.Description),
			Required: slices.Contains(s.Required, name), readOnly: s.Properties[name].ReadOnly})
		list = append(list, rd.slots(property, path, above)...)
	}
	return list
}

// ordered puts id first, then what is required, then the rest.
func ordered(s *huma.Schema) []string {
	names := slices.Sorted(maps.Keys(s.Properties))
	slices.SortStableFunc(names, func(a, b string) int { return rank(s, a) - rank(s, b) })
	return names
}

func rank(s *huma.Schema, name string) int {
	switch {
	case name == "id":
		return 0
	case slices.Contains(s.Required, name):
		return 1
	}
	return 2
}

// kind says in words what fits.
func (rd reader) kind(s *huma.Schema) string {
	s = rd.resolve(s)
	if ref, ok := s.Extensions["x-ref"].(string); ok {
		if s.Pattern != "" {
			return text.T("kind.id", strings.ReplaceAll(ref, "_", " "), s.Format)
		}
		return strings.ReplaceAll(ref, "_", " ")
	}
	if len(s.Enum) > 0 {
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		return text.T("kind.choice", strings.Join(words, ", "))
	}
	switch s.Type {
	case huma.TypeArray:
		return text.T("kind.list", rd.kind(s.Items))
	case huma.TypeString:
		return withRange(stringKind(s), asFloat(s.MinLength), asFloat(s.MaxLength), text.T("kind.letters"))
	case huma.TypeInteger, huma.TypeNumber:
		return withRange(text.T("kind."+s.Type), s.Minimum, s.Maximum, "")
	case huma.TypeObject, huma.TypeBoolean:
		return text.T("kind." + s.Type)
	}
	return text.T("kind.any")
}

func stringKind(s *huma.Schema) string {
	switch {
	case s.Format == "date-time":
		return text.T("kind.time")
	case s.ContentEncoding == "base64":
		return text.T("kind.base64")
	case s.Format != "":
		return s.Format
	}
	return text.T("kind.text")
}

func asFloat(n *int) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

func withRange(kind string, low, high *float64, unit string) string {
	number := func(f *float64) string { return strconv.FormatFloat(*f, 'f', -1, 64) }
	var limits string
	switch {
	case low != nil && high != nil:
		limits = text.T("kind.range", number(low), number(high))
	case low != nil:
		limits = text.T("kind.atleast", number(low))
	case high != nil:
		limits = text.T("kind.atmost", number(high))
	default:
		return kind
	}
	return strings.TrimSpace(kind + ", " + limits + " " + unit)
}

// curl is a command that calls the operation.
func (rd reader) curl(o operation, body *huma.Schema, base string) string {
	path := o.Path
	for _, p := range o.Parameters {
		if p.Place == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", "$"+strings.ToUpper(p.Name))
		}
	}
	lines := []string{"curl " + strconv.Quote(base+path)}
	if o.Method != http.MethodGet {
		lines[0] = "curl -X " + o.Method + " " + strconv.Quote(base+path)
	}
	if !o.Open {
		lines = append(lines, `-H "Authorization: Bearer $AVER_KEY"`)
	}
	if o.Method == http.MethodPost {
		lines = append(lines, `-H "Idempotency-Key: $(uuidgen)"`)
	}
	if body != nil {
		example, err := json.Marshal(rd.example(body, 0))
		if err != nil {
			panic("reference: an example does not marshal: " + err.Error())
		}
		lines = append(lines, `-H "Content-Type: application/json"`, "-d '"+strings.ReplaceAll(string(example), "'", `'\''`)+"'")
	}
	return strings.Join(lines, " \\\n  ")
}

// example is a value with the parts that are required.
func (rd reader) example(s *huma.Schema, depth int) any {
	s = rd.resolve(s)
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Extensions["x-ref"] != nil && s.Format != "":
		return s.Format + "_…"
	}
	switch s.Type {
	case huma.TypeObject:
		object := map[string]any{}
		for _, name := range s.Required {
			if depth < 4 {
				object[name] = rd.example(s.Properties[name], depth+1)
			}
		}
		return object
	case huma.TypeArray:
		return []any{rd.example(s.Items, depth+1)}
	case huma.TypeInteger, huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case huma.TypeBoolean:
		return true
	}
	if s.Format == "date-time" {
		return "2026-11-20T12:00:00Z"
	}
	return "…"
}
