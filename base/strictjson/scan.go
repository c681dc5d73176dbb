package strictjson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// scanner walks a document once beside the plan of its type. It is exact about structure and names; the finer
// grammar of numbers, literals and strings is left to encoding/json, which reads the same bytes right after it.
type scanner struct {
	data     []byte
	at       int
	depth    int
	maxDepth int
	outer    *[]Member // where to keep the outermost object's members, if somebody wants them
}

func (s *scanner) document(p *plan) *refusal {
	if r := s.value(p); r != nil {
		return r
	}
	if s.peek() != 0 || s.at != len(s.data) {
		return &refusal{code: "trailing", message: "There is something after the JSON value", offset: s.at}
	}
	return nil
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) value(p *plan) *refusal {
	switch s.peek() {
	case '{':
		return s.nested(p, s.object)
	case '[':
		return s.nested(p, s.array)
	case '"':
		_, _, r := s.str()
		return r
	case 0:
		return malformed(s.at)
	default:
		return s.scalar()
	}
}

func (s *scanner) nested(p *plan, walk func(*plan) *refusal) *refusal {
	if s.depth == s.maxDepth {
		return &refusal{code: "too-deep", message: "The JSON is nested too deeply", offset: s.at}
	}
	s.depth++
	s.at++
	r := walk(p)
	s.depth--
	return r
}

// scalar passes over a number or a literal; what it may look like is encoding/json's business.
func (s *scanner) scalar() *refusal {
	start := s.at
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r', ',', ']', '}', ':', '"', '{', '[':
			if s.at == start {
				return malformed(s.at)
			}
			return nil
		}
		s.at++
	}
	return nil
}

// str passes over a string and returns what is between the quotes, and whether that holds escapes.
func (s *scanner) str() (body []byte, escaped bool, r *refusal) {
	start := s.at + 1
	for i := start; i < len(s.data); i++ {
		switch s.data[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			s.at = i + 1
			return s.data[start:i], escaped, nil
		}
	}
	return nil, false, malformed(start - 1)
}

func (s *scanner) array(p *plan) *refusal {
	var element *plan
	if p != nil {
		element = p.element
	}
	if s.peek() == ']' {
		s.at++
		return nil
	}
	for i := 0; ; i++ {
		if r := s.value(element); r != nil {
			return r.inside("[" + strconv.Itoa(i) + "]")
		}
		switch s.peek() {
		case ',':
			s.at++
		case ']':
			s.at++
			return nil
		default:
			return malformed(s.at)
		}
	}
}

func (s *scanner) object(p *plan) *refusal {
	var seen names
	if s.peek() == '}' {
		s.at++
		return nil
	}
	for {
		name, r := s.name()
		if r != nil {
			return r
		}
		inner, r := seen.admit(p, name)
		if r != nil {
			return r
		}
		s.peek()
		start := s.at
		if r := s.value(inner); r != nil {
			return r.inside(string(name))
		}
		if s.outer != nil && s.depth == 1 {
			*s.outer = append(*s.outer, Member{Name: string(name), Value: s.data[start:s.at]})
		}
		switch s.peek() {
		case ',':
			s.at++
		case '}':
			s.at++
			return nil
		default:
			return malformed(s.at)
		}
	}
}

// name reads a member's name and the colon after it.
func (s *scanner) name() ([]byte, *refusal) {
	if s.peek() != '"' {
		return nil, malformed(s.at)
	}
	start := s.at
	name, escaped, r := s.str()
	if r != nil {
		return nil, r
	}
	if escaped { // "\u0061" is "a": names are compared as they are meant
		var meant string
		if json.Unmarshal(s.data[start:s.at], &meant) != nil {
			return nil, malformed(start)
		}
		name = []byte(meant)
	}
	if s.peek() != ':' {
		return nil, malformed(s.at)
	}
	s.at++
	return name, nil
}

// names notices the second occurrence of a name in one object. Small objects, which nearly all are, allocate nothing.
type names struct {
	positions uint64          // of a struct's first 64 members
	few       [8][]byte       // of an object without a plan
	count     int             // names in few
	many      map[string]bool // the rest: a linear search through thousands of names would be an attack
}

// admit decides whether the object may have this member now, and returns the plan of its value.
func (n *names) admit(p *plan, name []byte) (*plan, *refusal) {
	if p == nil || p.members == nil {
		if n.repeated(name) {
			return nil, refused("duplicate", "This name occurs twice", string(name))
		}
		if p == nil {
			return nil, nil
		}
		return p.element, nil
	}
	m, ok := p.members[string(name)]
	if !ok {
		for known := range p.members {
			if strings.EqualFold(known, string(name)) {
				return nil, refused("wrong-case", "This name is written "+known, string(name))
			}
		}
		return nil, refused("unknown", "There is no such field", string(name))
	}
	if m.at >= 64 {
		if n.repeated(name) {
			return nil, refused("duplicate", "This name occurs twice", string(name))
		}
		return m.plan, nil
	}
	if n.positions&(1<<m.at) != 0 {
		return nil, refused("duplicate", "This name occurs twice", string(name))
	}
	n.positions |= 1 << m.at
	return m.plan, nil
}

func (n *names) repeated(name []byte) bool {
	for i := range n.count {
		if bytes.Equal(n.few[i], name) {
			return true
		}
	}
	if n.count < len(n.few) {
		n.few[n.count] = name
		n.count++
		return false
	}
	if n.many == nil {
		n.many = make(map[string]bool)
	}
	if n.many[string(name)] {
		return true
	}
	n.many[string(name)] = true
	return false
}
