package edge

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// refers is implemented by identifiers (ids.Of), cursors, and by string types that name something of a tenant's, such
// as a customer number of the tenant's own.
type refers interface{ Reference() string }

// prefixed is implemented by identifiers, whose text starts with a prefix.
type prefixed interface{ Prefix() string }

// schemas is huma's registry of schemas, with one addition: a type that refers to something says so in the API's
// description by the extension x-ref, wherever it occurs. huma's own registry cannot be extended, because it passes
// itself on to nested types.
type schemas struct {
	byName map[string]*huma.Schema
	types  map[string]reflect.Type
	alias  map[reflect.Type]reflect.Type
}

const schemaPrefix = "#/components/schemas/"

func newSchemas() *schemas {
	return &schemas{byName: map[string]*huma.Schema{}, types: map[string]reflect.Type{}, alias: map[reflect.Type]reflect.Type{}}
}

// Schema describes a type: structs by reference, everything else in place.
func (g *schemas) Schema(t reflect.Type, allowRef bool, hint string) *huma.Schema {
	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if other, ok := g.alias[base]; ok {
		return g.Schema(other, allowRef, hint)
	}
	if s := referenceSchema(base); s != nil {
		s.Nullable = t.Kind() == reflect.Pointer
		return s
	}
	if base.Kind() != reflect.Struct || describesItself(base) {
		return huma.SchemaFromType(g, t)
	}
	name := huma.DefaultSchemaNamer(base, hint)
	if known, taken := g.types[name]; taken && known != base {
		panic(fmt.Sprintf("the API has two types of the name %s: %s and %s", name, known, base))
	}
	if _, known := g.byName[name]; !known {
		g.types[name], g.byName[name] = base, &huma.Schema{} // first the name, since a type may contain itself
		g.byName[name] = huma.SchemaFromType(g, base)
	}
	if allowRef {
		return &huma.Schema{Ref: schemaPrefix + name}
	}
	return g.byName[name]
}

// describesItself tells whether huma has a schema for the struct other than by its fields.
func describesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) || p.Implements(reflect.TypeFor[huma.SchemaProvider]())
}

func referenceSchema(t reflect.Type) *huma.Schema {
	zero := reflect.Zero(t).Interface()
	r, ok := zero.(refers)
	if !ok {
		return nil
	}
	s := &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{refKey: r.Reference()}}
	if p, ok := zero.(prefixed); ok {
		s.Format = p.Prefix()
		s.Pattern = "^" + p.Prefix() + "_[0-9a-hjkmnp-tv-z]{26}$"
		s.PatternDescription = "an identifier that starts with " + p.Prefix() + "_"
	}
	s.PrecomputeMessages()
	return s
}

// SchemaFromRef finds the schema of a reference.
func (g *schemas) SchemaFromRef(ref string) *huma.Schema {
	return g.byName[strings.TrimPrefix(ref, schemaPrefix)]
}

// TypeFromRef finds the type of a reference.
func (g *schemas) TypeFromRef(ref string) reflect.Type {
	return g.types[strings.TrimPrefix(ref, schemaPrefix)]
}

// Map is all of them by name.
func (g *schemas) Map() map[string]*huma.Schema { return g.byName }

// RegisterTypeAlias describes one type as if it were another.
func (g *schemas) RegisterTypeAlias(t, as reflect.Type) { g.alias[t] = as }

// MarshalJSON writes components/schemas.
func (g *schemas) MarshalJSON() ([]byte, error) { return json.Marshal(g.byName) }

const refKey = "x-ref"

// UnreferencedSlots lists the places in an API where an identifier seems to go in or out but the description does not
// say of what: parameters and properties named id, ids, *_id or *_ids, parameters in a path that are plain text, and
// strings that look like our identifiers. Attacks on the isolation of tenants are generated from x-ref, so a place
// without it would go unattacked.
func UnreferencedSlots(api *huma.OpenAPI) []string {
	s := &slots{api: api, seen: map[string]bool{}}
	for path, item := range api.Paths {
		for method, op := range operations(item) {
			s.operation(method+" "+path, op)
		}
	}
	slices.Sort(s.found)
	return slices.Compact(s.found)
}

func operations(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{"GET": item.Get, "PUT": item.Put, "POST": item.Post, "DELETE": item.Delete, "OPTIONS": item.Options,
		"HEAD": item.Head, "PATCH": item.Patch, "TRACE": item.Trace}
	for method, op := range all {
		if op == nil {
			delete(all, method)
		}
	}
	return all
}

type slots struct {
	api   *huma.OpenAPI
	seen  map[string]bool // references that were walked
	found []string
}

func (s *slots) operation(name string, op *huma.Operation) {
	for _, p := range op.Parameters {
		if p.In == "path" && p.Schema.Type == huma.TypeString && len(p.Schema.Enum) == 0 && p.Schema.Extensions[refKey] == nil {
			s.found = append(s.found, name+" path "+p.Name)
		}
		s.schema(name+" "+p.In+" ", p.Name, p.Schema)
	}
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			s.schema(name+" body", "", media.Schema)
		}
	}
	for status, response := range op.Responses {
		for _, media := range response.Content {
			s.schema(name+" "+status, "", media.Schema)
		}
	}
}

// schema walks a schema; name is what the slot is called, and an array's elements bear the array's name.
func (s *slots) schema(at, name string, schema *huma.Schema) {
	if schema == nil {
		return
	}
	if schema.Ref != "" {
		if !s.seen[schema.Ref] {
			s.seen[schema.Ref] = true
			s.schema(strings.TrimPrefix(schema.Ref, schemaPrefix), "", s.api.Components.Schemas.SchemaFromRef(schema.Ref))
		}
		return
	}
	if schema.Type == huma.TypeString && schema.Extensions[refKey] == nil && looksLikeReference(name, schema) {
		s.found = append(s.found, at+name)
	}
	s.schema(at, name, schema.Items)
	for property, inner := range schema.Properties {
		s.schema(at+name+".", property, inner)
	}
	if inner, ok := schema.AdditionalProperties.(*huma.Schema); ok {
		s.schema(at+name+".*", "", inner)
	}
	for _, list := range [][]*huma.Schema{schema.OneOf, schema.AnyOf, schema.AllOf} {
		for _, inner := range list {
			s.schema(at, name, inner)
		}
	}
}

func looksLikeReference(name string, schema *huma.Schema) bool {
	if name == "request_id" || name == "client_id" { // name the request itself, not a thing of anybody's
		return false
	}
	name = strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	return name == "id" || name == "ids" || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_ids") ||
		strings.Contains(schema.Pattern, "[0-9a-hjkmnp-tv-z]{26}")
}
