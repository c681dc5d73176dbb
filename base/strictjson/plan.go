package strictjson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// plan says which names a type allows. The nil plan allows any name once: maps, interfaces, types that read themselves.
type plan struct {
	members map[string]member // of a struct
	element *plan             // of a slice, an array or a map
}

// member is one allowed name of a struct.
type member struct {
	at   int // position, to notice the second occurrence
	plan *plan
}

var plans sync.Map // reflect.Type → *plan

var (
	readsItself = reflect.TypeFor[json.Unmarshaler]()
	readsText   = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func planFor(v any) *plan {
	t := reflect.TypeOf(v)
	if known, ok := plans.Load(t); ok {
		return known.(*plan)
	}
	// Plans of recursive types point at themselves, so they are built aside and shown only when whole.
	built := make(map[reflect.Type]*plan)
	p := build(t, built)
	plans.Store(t, p)
	return p
}

func build(t reflect.Type, built map[reflect.Type]*plan) *plan {
	for t != nil && t.Kind() == reflect.Pointer && !opaque(t) {
		t = t.Elem()
	}
	if t == nil || opaque(t) {
		return nil
	}
	if p, ok := built[t]; ok {
		return p
	}
	switch t.Kind() {
	case reflect.Struct:
		p := &plan{members: make(map[string]member)}
		built[t] = p
		fillMembers(p, t, built)
		return p
	case reflect.Slice, reflect.Array, reflect.Map:
		p := &plan{}
		built[t] = p
		p.element = build(t.Elem(), built)
		return p
	default:
		return nil
	}
}

// opaque tells whether encoding/json leaves reading to the type.
func opaque(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return true
	}
	p := reflect.PointerTo(t)
	return t.Implements(readsItself) || p.Implements(readsItself) || t.Implements(readsText) || p.Implements(readsText)
}

// fillMembers collects the names encoding/json would fill, with its rule for embedded structs: the shallowest wins.
// Two equally shallow fields of one name are ignored by encoding/json and therefore unknown here.
func fillMembers(p *plan, root reflect.Type, built map[reflect.Type]*plan) {
	visited := map[reflect.Type]bool{root: true}
	for level := []reflect.Type{root}; len(level) > 0; {
		found := make(map[string][]reflect.StructField)
		var next []reflect.Type
		for _, t := range level {
			for i := range t.NumField() {
				f := t.Field(i)
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				if f.Tag.Get("json") == "-" {
					continue
				}
				if inner := embedded(f, name); inner != nil {
					if !visited[inner] {
						visited[inner] = true
						next = append(next, inner)
					}
					continue
				}
				if !f.IsExported() {
					continue
				}
				if name == "" {
					name = f.Name
				}
				found[name] = append(found[name], f)
			}
		}
		for name, fields := range found {
			if _, taken := p.members[name]; !taken && len(fields) == 1 {
				p.members[name] = member{at: len(p.members), plan: build(fields[0].Type, built)}
			}
		}
		level = next
	}
}

// embedded returns the struct whose fields are promoted, or nil for an ordinary field.
func embedded(f reflect.StructField, name string) reflect.Type {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !f.Anonymous || name != "" || t.Kind() != reflect.Struct {
		return nil
	}
	return t
}
