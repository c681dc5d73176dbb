// Package strictjson reads JSON from strangers and refuses what encoding/json would quietly put up with: a name that
// occurs twice, a name in the wrong case, a name nobody asked for, nesting without end, text that is not UTF-8, and
// anything after the value.
//
// Each of those lets two readers of one document see two different documents: {"role":"user","ROLE":"admin"} is an
// administrator to encoding/json and a user to the proxy in front of it (OWASP ASVS 5.0.0, 1.5.3). JSON written by
// this program for itself needs no such care; use encoding/json for that.
package strictjson

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"aver/base/errs"
)

// MaxDepth is the nesting that suits every body and frame of Aver: a document may have this many arrays and objects
// inside each other.
const MaxDepth = 32

// Decode reads exactly one JSON value into v, a pointer. Values of types that read themselves (json.RawMessage,
// json.Unmarshaler) and of interfaces and maps may have any names, each once.
//
// Every error has the meaning errs.Invalid and names the refused part in Fields, never its value. When the document
// itself is refused v is untouched; when a value does not fit its field v may be partly filled and must not be used.
func Decode(data []byte, v any, maxDepth int) error {
	if !utf8.Valid(data) {
		return errs.New(errs.Invalid, "The JSON text is not valid UTF-8.")
	}
	s := scanner{data: data, maxDepth: maxDepth}
	if err := s.document(planFor(v)); err != nil {
		return err.report()
	}
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		field := errs.Field{Field: mismatch.Field, Code: "type", Message: "This has the wrong type."}
		return errs.New(errs.Invalid, "A value in the JSON has the wrong type.", field)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return malformed(int(syntax.Offset)).report()
	}
	// A type that reads itself refused its value. Its words may repeat the value, so they are for nobody.
	return errs.New(errs.Invalid, "A value in the JSON is malformed.")
}

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value json.RawMessage // as it was written; shares the document's memory
}

// Object reads one JSON object without knowing its fields and returns its members in order. It refuses what Decode
// refuses, but for unknown names. It is for envelopes: messages whose name decides what else may be in them.
func Object(data []byte, maxDepth int) ([]Member, error) {
	if !utf8.Valid(data) {
		return nil, errs.New(errs.Invalid, "The JSON text is not valid UTF-8.")
	}
	members := make([]Member, 0, 6)
	s := scanner{data: data, maxDepth: maxDepth, outer: &members}
	if s.peek() != '{' {
		return nil, errs.New(errs.Invalid, "The JSON text is not an object.")
	}
	if err := s.document(nil); err != nil {
		return nil, err.report()
	}
	if !json.Valid(data) {
		return nil, malformed(0).report()
	}
	return members, nil
}

// refusal is a reason to refuse the document, with the path to the part gathered from the inside out.
type refusal struct {
	code    string
	message string
	path    []string // innermost first
	offset  int      // of malformed text, -1 elsewhere
}

func malformed(offset int) *refusal {
	return &refusal{code: "syntax", message: "The text is not valid JSON", offset: offset}
}

func refused(code, message, name string) *refusal {
	const longest = 64 // a name can be as long as the document
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "…"
	}
	return &refusal{code: code, message: message, path: []string{name}, offset: -1}
}

// inside says in which member or element the refused part lies.
func (r *refusal) inside(segment string) *refusal {
	if r != nil {
		r.path = append(r.path, segment)
	}
	return r
}

func (r *refusal) report() error {
	if r.offset >= 0 {
		return errs.New(errs.Invalid, r.message+" (near byte "+strconv.Itoa(r.offset)+").")
	}
	var path strings.Builder
	for i := len(r.path) - 1; i >= 0; i-- {
		if path.Len() > 0 && !strings.HasPrefix(r.path[i], "[") {
			path.WriteByte('.')
		}
		path.WriteString(r.path[i])
	}
	field := errs.Field{Field: path.String(), Code: r.code, Message: r.message + "."}
	return errs.New(errs.Invalid, "The JSON has a part that is refused.", field)
}
