// Package attack tries to get from one tenant to another through every operation there is.
//
// The attempts are generated from the API's description, whose every identifier says of what kind it is (x-ref), from
// the pages' routes and from the sockets' operations. Each attempt is made twice as the attacker: with identifiers of
// the victim, and with identifiers that do not exist. The two answers must be equal, and none may hold a byte of the
// victim's. Nothing here knows what an operation means; a new one is attacked by being declared.
//
// It is for the two canary tenants and for tests. Never point it at tenants of customers: it calls everything.
package attack

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aver/trust/canary/inside"
)

// Slot is a place in a request where an identifier goes.
type Slot struct {
	In   string // path, query, header, or body
	Name string // of the parameter, or the way to it in the body: message.attachments.0
	Kind string // of what: contact
}

func (s Slot) String() string { return s.In + " " + s.Name + " (" + s.Kind + ")" }

// Operation is one thing that can be asked of the API.
type Operation struct {
	Method, Path string
	Slots        []Slot

	params []*huma.Param
	body   *huma.Schema
	answer *huma.Schema
	spec   *huma.OpenAPI
}

func (o *Operation) String() string { return o.Method + " " + o.Path }

// reads tells whether the operation changes nothing.
func (o *Operation) reads() bool { return o.Method == http.MethodGet }

// searches tells whether the operation looks for words that the caller chooses, and changes nothing.
func (o *Operation) searches() bool { return o.reads() || strings.HasSuffix(o.Path, "/search") }

// Operations lists what the API's description describes, in a fixed order.
func Operations(spec *huma.OpenAPI) []*Operation {
	var out []*Operation
	for path, item := range spec.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "PUT": item.Put, "POST": item.Post, "DELETE": item.Delete, "PATCH": item.Patch} {
			if op != nil {
				out = append(out, operation(spec, method, path, op))
			}
		}
	}
	slices.SortFunc(out, func(a, b *Operation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	return out
}

func operation(spec *huma.OpenAPI, method, path string, op *huma.Operation) *Operation {
	o := &Operation{Method: method, Path: path, params: op.Parameters, spec: spec}
	for _, p := range op.Parameters {
		if kind := kindOf(p.Schema); kind != "" {
			o.Slots = append(o.Slots, Slot{p.In, p.Name, kind})
		} else if p.Schema.Items != nil && kindOf(p.Schema.Items) != "" {
			o.Slots = append(o.Slots, Slot{p.In, p.Name, kindOf(p.Schema.Items)})
		}
	}
	if op.RequestBody != nil {
		if media := op.RequestBody.Content["application/json"]; media != nil {
			o.body = media.Schema
			o.bodySlots(o.body, nil, 0)
		}
	}
	for status, response := range op.Responses {
		if media := response.Content["application/json"]; media != nil && strings.HasPrefix(status, "2") {
			o.answer = media.Schema
		}
	}
	return o
}

func kindOf(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	kind, _ := s.Extensions["x-ref"].(string)
	return kind
}

func (o *Operation) resolve(s *huma.Schema) *huma.Schema {
	for s != nil && s.Ref != "" {
		s = o.spec.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

const deepest = 8 // levels of a body that are looked into; a type may contain itself

func (o *Operation) bodySlots(s *huma.Schema, way []string, depth int) {
	s = o.resolve(s)
	if s == nil || depth > deepest {
		return
	}
	if kind := kindOf(s); kind != "" {
		o.Slots = append(o.Slots, Slot{"body", strings.Join(way, "."), kind})
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !s.Properties[name].ReadOnly {
			o.bodySlots(s.Properties[name], append(slices.Clone(way), name), depth+1)
		}
	}
	if s.Items != nil {
		o.bodySlots(s.Items, append(slices.Clone(way), "0"), depth+1)
	}
}

// turn is how many slots of the same kind come before this one: two slots of one kind are given two things.
func (o *Operation) turn(s Slot) int {
	n := 0
	for _, other := range o.Slots {
		if other == s {
			break
		}
		if other.Kind == s.Kind {
			n++
		}
	}
	return n
}

// Undescribed lists parts of paths, {like} this, that the description does not describe: they would go unattacked.
func Undescribed(spec *huma.OpenAPI) []string {
	var out []string
	for _, o := range Operations(spec) {
		for _, part := range strings.Split(o.Path, "/") {
			name, isParam := strings.CutPrefix(strings.TrimSuffix(part, "}"), "{")
			if isParam && !slices.ContainsFunc(o.params, func(p *huma.Param) bool { return p.In == "path" && p.Name == name }) {
				out = append(out, o.String()+" "+name)
			}
		}
	}
	return out
}

// filling says what goes into a request: the value of a slot (and whether it is given at all), and a word for text.
type filling struct {
	slot func(Slot) (string, bool)
	word func() string
	full bool // give optional text too
	few  bool // ask for the shortest page of a list, so that there is a next one
}

// request builds a request of the operation.
func (o *Operation) request(f filling) (inside.Request, error) {
	q := inside.Request{Method: o.Method, Header: http.Header{}}
	path, query := o.Path, url.Values{}
	for _, p := range o.params {
		value, given := o.param(p, f)
		if !given {
			continue
		}
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(value))
		case "query":
			query.Set(p.Name, value)
		case "header":
			q.Header.Set(p.Name, value)
		}
	}
	q.Path = path
	if len(query) > 0 {
		q.Path += "?" + query.Encode()
	}
	if o.body == nil {
		return q, nil
	}
	q.Header.Set("Content-Type", "application/json")
	body, err := json.Marshal(o.value(o.body, nil, f, true))
	q.Body = body
	if err != nil {
		return q, fmt.Errorf("build a request of %s: %w", o, err)
	}
	return q, nil
}

func (o *Operation) param(p *huma.Param, f filling) (string, bool) {
	for _, s := range o.Slots {
		if s.In == p.In && s.Name == p.Name {
			return f.slot(s)
		}
	}
	if f.few && p.Schema.Type == huma.TypeInteger && (p.Name == "per_page" || p.Name == "limit") {
		return "1", true
	}
	isText := p.Schema.Type == huma.TypeString && len(p.Schema.Enum) == 0
	if !p.Required && p.In != "path" && !(f.full && isText) {
		return "", false
	}
	return fmt.Sprint(o.value(p.Schema, []string{p.Name}, f, true)), true
}

// value builds a value of a schema: what is required, and what leads to a slot that is filled.
func (o *Operation) value(s *huma.Schema, way []string, f filling, required bool) any {
	s = o.resolve(s)
	if s == nil || len(way) > deepest {
		return nil
	}
	if kind := kindOf(s); kind != "" {
		if text, given := f.slot(Slot{"body", strings.Join(way, "."), kind}); given {
			return text
		}
		return nil
	}
	switch s.Type {
	case huma.TypeObject:
		return o.object(s, way, f)
	case huma.TypeArray:
		item := o.value(s.Items, append(slices.Clone(way), "0"), f, false)
		if item == nil || item == "" {
			return []any{}
		}
		return []any{item}
	case huma.TypeInteger, huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case huma.TypeBoolean:
		return false
	case huma.TypeString:
		return text(s, way, f, required)
	}
	return map[string]any{}
}

func (o *Operation) object(s *huma.Schema, way []string, f filling) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		required := slices.Contains(s.Required, name)
		if property.ReadOnly {
			continue
		}
		value := o.value(property, append(slices.Clone(way), name), f, required)
		if required || meant(value, f.full) {
			out[name] = value
		}
	}
	return out
}

// meant tells whether an optional value is worth giving.
func meant(value any, full bool) bool {
	switch v := value.(type) {
	case nil:
		return false
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	case string:
		return v != ""
	}
	return full
}

// tomorrow is when things are put off to.
const tomorrow = 24 * time.Hour

// Addresses that requests are filled with end in .invalid, so that nothing is ever looked up or sent there (RFC 6761).

// text is a text that the schema takes; optional text only when the request is to be full.
func text(s *huma.Schema, way []string, f filling, required bool) string {
	name := ""
	if len(way) > 0 {
		name = strings.ToLower(way[len(way)-1])
	}
	if !required && !f.full && name != "text" { // a message without words is refused before anything is looked up
		return ""
	}
	if len(s.Enum) > 0 {
		return fmt.Sprint(s.Enum[0])
	}
	word := f.word()
	switch {
	case s.Format == "date-time":
		return time.Now().UTC().Add(tomorrow).Format(time.RFC3339)
	case s.Format == "date":
		return time.Now().UTC().Add(tomorrow).Format(time.DateOnly)
	case s.Format == "email", strings.Contains(name, "email"):
		return word + "@canary.invalid"
	case s.Format == "uri", strings.HasSuffix(name, "url"):
		return "https://receiver.invalid/" + word
	case strings.HasSuffix(name, "phone"):
		return "+4930" + digits(word)
	case name == "language", name == "locale":
		return "en"
	case strings.HasSuffix(name, "version"), strings.HasSuffix(name, "offset"):
		return "1"
	}
	if s.MaxLength != nil && len(word) > *s.MaxLength {
		word = word[:*s.MaxLength]
	}
	return word
}

// Letters writes bytes as lower-case letters alone, which any kind of name may consist of.
func Letters(raw []byte) string {
	out := make([]byte, 0, 2*len(raw))
	for _, b := range raw {
		out = append(out, 'a'+b>>4, 'a'+b&15)
	}
	return string(out)
}

// digits makes a telephone number's end out of a word.
func digits(word string) string {
	n := uint32(2166136261)
	for _, b := range []byte(word) {
		n = (n ^ uint32(b)) * 16777619
	}
	return strconv.Itoa(int(1000000 + n%9000000))
}
