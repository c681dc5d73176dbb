package attack

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Pool is a tenant's identifiers by kind, as its own answers showed them.
type Pool map[string][]string

const mostPerKind = 4

// Add takes an identifier in.
func (p Pool) Add(kind, id string) {
	if id != "" && !constant(id) && !slices.Contains(p[kind], id) && len(p[kind]) < mostPerKind {
		p[kind] = append(p[kind], id)
	}
}

// constant tells whether an identifier was made at no time: it is written into the program, and the same for everybody.
func constant(id string) bool {
	_, body, _ := strings.Cut(id, "_")
	raw, err := letters.DecodeString(body)
	return err == nil && len(raw) == 16 && [6]byte(raw) == [6]byte{}
}

// All lists every identifier.
func (p Pool) All() []string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(p)) {
		out = append(out, p[kind]...)
	}
	return out
}

// nth is the nth identifier of the kind, or the last, if there is one.
func (p Pool) nth(kind string, n int) (string, bool) {
	list := p[kind]
	if len(list) == 0 {
		return "", false
	}
	return list[min(n, len(list)-1)], true
}

// first is an identifier of the kind, if there is one.
func (p Pool) first(kind string) (string, bool) {
	if list := p[kind]; len(list) > 0 {
		return list[0], true
	}
	return "", false
}

// harvest takes the identifiers out of an answer, by its description.
func (o *Operation) harvest(body []byte, into Pool) {
	var value any
	if json.Unmarshal(body, &value) == nil {
		o.collect(o.answer, value, into, 0)
	}
}

// general is the kind of identifiers without a kind of their own. Where an answer names things of any sort, as the log
// does, that is no identifier to put in elsewhere, unless it has the general form.
const general = "object"

func (o *Operation) collect(s *huma.Schema, value any, into Pool, depth int) {
	s = o.resolve(s)
	if s == nil || depth > deepest {
		return
	}
	switch v := value.(type) {
	case string:
		prefix, _, _ := strings.Cut(v, "_")
		if kind := kindOf(s); kind != "" && (s.Format == "" || s.Format == prefix) && (kind != general || prefix == "obj") {
			into.Add(kind, v)
		}
	case []any:
		for _, item := range v {
			o.collect(s.Items, item, into, depth+1)
		}
	case map[string]any:
		for name, item := range v {
			o.collect(s.Properties[name], item, into, depth+1)
		}
	}
}

var (
	idForm  = regexp.MustCompile(`\b([a-z]{2,5})_[0-9a-hjkmnp-tv-z]{26}\b`)
	letters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
)

// Ghost is an identifier of the same form that names nothing: the time of the original, other random bits.
func Ghost(text string) string {
	if idForm.FindString(text) == text && text != "" {
		prefix, body, _ := strings.Cut(text, "_")
		if raw, err := letters.DecodeString(body); err == nil && len(raw) == 16 {
			return prefix + "_" + letters.EncodeToString(ghostly(raw))
		}
	}
	if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(raw) == 24 { // a cursor: a time and an identifier
		return base64.RawURLEncoding.EncodeToString(append(raw[:8:8], ghostly(raw[8:])...))
	}
	return strings.ToLower(rand.Text())[:max(1, min(len(text), 20))]
}

// ghostly keeps the time, the version and the variant of an identifier (RFC 9562), and replaces the rest.
func ghostly(raw []byte) []byte {
	out := slices.Clone(raw)
	_, _ = rand.Read(out[6:]) // never fails
	out[6] = out[6]&0x0f | raw[6]&0xf0
	out[8] = out[8]&0x3f | raw[8]&0xc0
	return out
}

func randomText() string { return rand.Text() }

// NewClientID is a random identifier as clients make them for messages (RFC 9562, version 4).
func NewClientID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
