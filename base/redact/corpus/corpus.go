// Package corpus makes sentences in which it is known what identifies somebody, and measures what package redact finds.
//
// The sentences are made from templates in eight languages, from a seed, so that everybody who measures measures the same. A third
// of the names are on no list that the recognisers know, some sentences are typed in small letters, some names of people
// who take part are misspelt, and every fifth sentence is full of numbers that identify nobody. Check digits are computed
// here by other means than the recognisers use. The figures say how well these sentences are redacted, which were written by
// the authors of the recognisers: other text may be harder.
package corpus

import (
	"math/rand/v2"
	"strings"

	"aver/base/redact"
	"aver/base/redact/scan"
)

// Sentence is one text and what must be found in it.
type Sentence struct {
	Language string
	Text     string
	Spans    []Span
	People   []redact.Person // who takes part: what whoever keeps the conversation knows
}

// Span is what must be found.
type Span struct {
	scan.Span
	Unlisted bool // a name of which a part is on no list
	Known    bool // of somebody who takes part
}

// Size is how many sentences a measurement has.
const Size = 2400

// Shares of what makes it harder, in a hundred.
const (
	unlisted = 35 // parts of names that are on no list
	lowered  = 6  // sentences typed in small letters
	misspelt = 5  // names of those who take part, with a letter wrong
)

// Make makes so many sentences. The same seed makes the same.
func Make(seed uint64, n int) []Sentence {
	m := maker{Rand: rand.New(rand.NewPCG(seed, 2)), held: held()}
	all := templates()
	out := make([]Sentence, n)
	for i := range out {
		out[i] = m.sentence(all[i%len(all)])
	}
	return out
}

type maker struct {
	*rand.Rand
	held map[string][]string
	lang string

	text   strings.Builder
	spans  []Span
	person redact.Person // the one who writes
	others []redact.Person
	name   name
}

type name struct {
	given, surname string
	unlisted       [2]bool
}

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func pick[T any](m *maker, list []T) T { return list[m.IntN(len(list))] }

func (m *maker) of(list string) string { return pick(m, strings.Split(list, ";")) }

func (m *maker) sentence(t template) Sentence {
	m.lang, m.spans, m.others = t.language, nil, nil
	m.text.Reset()
	m.name = m.newName()
	m.person = redact.Person{Names: []string{m.name.given + " " + m.name.surname}}
	rest := t.text
	for {
		before, after, found := strings.Cut(rest, "{")
		m.text.WriteString(before)
		if !found {
			break
		}
		slot, tail, _ := strings.Cut(after, "}")
		m.fill(slot)
		rest = tail
	}
	s := Sentence{Language: t.language, Text: m.text.String(), Spans: m.spans, People: append([]redact.Person{m.person}, m.others...)}
	if lower := strings.ToLower(s.Text); m.chance(lowered) && len(lower) == len(s.Text) {
		s.Text = lower
	}
	return s
}

// put writes a value that must be found.
func (m *maker) put(kind scan.Type, value string) *Span {
	from := m.text.Len()
	m.text.WriteString(value)
	m.spans = append(m.spans, Span{Span: scan.Span{From: from, To: m.text.Len(), Type: kind}})
	return &m.spans[len(m.spans)-1]
}

func (m *maker) putKnown(kind scan.Type, value string, list *[]string) {
	m.put(kind, value).Known = true
	*list = append(*list, value)
}

// fill writes the value of a place.
func (m *maker) fill(slot string) {
	switch slot {
	case "name", "given", "surname":
		m.putName(slot, m.name, true)
	case "operator":
		n := m.newName()
		m.others = append(m.others, redact.Person{Names: []string{n.given + " " + n.surname}})
		m.putName(pick(m, []string{"given", "name"}), n, true)
	case "other":
		m.putName("name", m.newName(), false)
	case "email":
		m.putKnown(scan.Email, m.email(), &m.person.Emails)
	case "phone":
		m.putKnown(scan.Phone, m.pattern(m.of(phones[m.lang])), &m.person.Phones)
	case "address":
		m.putKnown(scan.Address, m.address(), &m.person.Addresses)
	case "company":
		m.putKnown(scan.Company, m.of(companies[m.lang]), &m.person.Companies)
	default:
		if kind, value := m.structured(slot); kind != "" {
			m.put(kind, value)
		} else {
			m.text.WriteString(m.harmless(slot))
		}
	}
}

func (m *maker) newName() name {
	var n name
	n.given, n.unlisted[0] = m.part("given")
	n.surname, n.unlisted[1] = m.part("surname")
	return n
}

func (m *maker) part(which string) (string, bool) {
	key := m.lang + " " + which
	if m.chance(unlisted) {
		return pick(m, m.held[key]), true
	}
	return pick(m, strings.Fields(strings.ReplaceAll(listed[key], "De Luca", "De\u00a0Luca"))), false
}

func (m *maker) putName(form string, n name, takesPart bool) {
	value, hard := n.given, n.unlisted[0]
	switch form {
	case "surname":
		value, hard = n.surname, n.unlisted[1]
	case "name":
		value, hard = n.given+" "+n.surname, n.unlisted[0] || n.unlisted[1]
	}
	if takesPart && m.chance(misspelt) {
		value = m.misspell(value)
	}
	s := m.put(scan.Name, value)
	s.Known, s.Unlisted = takesPart, hard
}

// misspell leaves out, doubles or swaps a letter in the middle of the longest word.
func (m *maker) misspell(value string) string {
	words := strings.Split(value, " ")
	at := 0
	for i, w := range words {
		if len(w) > len(words[at]) {
			at = i
		}
	}
	letters := []rune(words[at])
	if len(letters) < 6 {
		return value
	}
	i := 2 + m.IntN(len(letters)-4)
	switch m.IntN(3) {
	case 0:
		letters = append(letters[:i:i], letters[i+1:]...)
	case 1:
		letters = append(letters[:i+1:i+1], letters[i:]...)
	default:
		letters[i], letters[i+1] = letters[i+1], letters[i]
	}
	words[at] = string(letters)
	return strings.Join(words, " ")
}
