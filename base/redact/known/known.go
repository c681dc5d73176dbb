// Package known finds what is known of the people who take part: their names however they are spelt, their addresses and
// numbers, what the tenant calls them.
//
// Whoever keeps the conversation knows who is talking, so this is the recogniser that misses least: no list and no
// context is needed. Words are compared folded; of five letters on, one letter may be wrong, missing or too much, or two
// swapped.
package known

import (
	"slices"
	"strings"
	"unicode/utf8"

	"aver/base/redact/names"
	"aver/base/redact/scan"
)

// Person is what is known of somebody.
type Person struct {
	Names     []string // in any form; each part counts by itself
	Emails    []string
	Phones    []string
	Companies []string
	Addresses []string // of houses
	IDs       []string // what the tenant calls the person
}

// Matcher finds people.
type Matcher struct {
	people int
	words  scan.Table[known] // by the word that stands alone or comes first
	count  int               // of words and phrases
	phones []phone
	digits []byte

	first, last [fuzzyMost + 2]uint32 // for each length, which letters known words begin and end with; at 0 of any length
	fuzzy       []string

	fold [64]byte
	text scan.Text // of what is learned
	list []string
}

// known is what a word is, and what may begin with it.
type known struct {
	entry
	phrases []phrase
}

type entry struct {
	kind   scan.Type
	person int
	plain  bool // an everyday word besides: counts only with a capital letter
}

type phrase struct {
	rest   []uint64 // hashes of the words behind the first
	kind   scan.Type
	person int
}

type phone struct {
	tail   string // its last digits
	person int
}

const (
	fuzzyLeast = 5
	fuzzyMost  = 24
	phoneTail  = 7 // digits by which a number is known, however its beginning is written
	mostDigits = 48
)

// New makes a matcher for some people. Spans name them by their place in the list, from 1 on.
func New(people ...Person) *Matcher {
	m := &Matcher{}
	m.Reset(people...)
	return m
}

// Reset makes it one for other people.
func (m *Matcher) Reset(people ...Person) {
	m.words.Clear()
	m.people, m.count, m.phones, m.fuzzy = 0, 0, m.phones[:0], m.fuzzy[:0]
	clear(m.first[:])
	clear(m.last[:])
	for _, p := range people {
		m.add(p)
	}
}

// Learn adds what a text itself revealed: every part of a name, or a value as it was written. It tells whether that was new.
func (m *Matcher) Learn(kind scan.Type, text string) bool {
	before := m.count
	if kind != scan.Name {
		m.phrase(kind, 0, text)
		return m.count > before
	}
	m.text.Read(text)
	for i := range m.text.Tokens {
		if k := &m.text.Tokens[i]; k.Kind == scan.Word && k.Len() > 2 && !names.Common(k.Hash) {
			m.single(k.Hash, entry{kind: kind})
		}
	}
	return m.count > before
}

func (m *Matcher) add(p Person) {
	m.people++
	for _, name := range p.Names {
		for _, part := range m.parts(name) {
			m.word(scan.Name, part)
		}
	}
	for _, email := range p.Emails {
		local, _, _ := strings.Cut(email, "@")
		m.phrase(scan.Email, m.people, email)
		m.phrase(scan.Name, m.people, local)
	}
	for _, number := range p.Phones {
		if d := scan.Digits(number, nil); len(d) >= phoneTail {
			m.phones = append(m.phones, phone{string(d[len(d)-phoneTail:]), m.people})
		}
	}
	for kind, list := range map[scan.Type][]string{scan.Company: p.Companies, scan.Address: p.Addresses, scan.Reference: p.IDs} {
		for _, text := range list {
			m.phrase(kind, m.people, text)
		}
	}
}

// word adds a part of a name of the person last added.
func (m *Matcher) word(kind scan.Type, w string) {
	n := utf8.RuneCountInString(w)
	hash := scan.Hash(w)
	if n < 2 || names.Particle(hash) {
		return
	}
	m.single(hash, entry{kind, m.people, names.Common(hash)})
	if len(w) < fuzzyLeast || len(w) > fuzzyMost || n != len(w) && n < fuzzyLeast {
		return
	}
	m.fuzzy = append(m.fuzzy, w)
	for _, l := range []int{0, len(w) - 1, len(w), len(w) + 1} {
		m.first[l] |= 1 << (w[0] & 31)
		m.last[l] |= 1 << (w[len(w)-1] & 31)
	}
}

// phrase adds words that count when they stand together.
func (m *Matcher) phrase(kind scan.Type, person int, text string) {
	words := m.parts(text)
	if len(words) == 0 || len(text) < 3 {
		return
	}
	first := scan.Hash(words[0])
	if len(words) == 1 {
		if kind != scan.Name || len(words[0]) > 2 {
			m.single(first, entry{kind, person, names.Common(first)})
		}
		return
	}
	k, _ := m.words.Get(first)
	p := phrase{kind: kind, person: person}
	for _, w := range words[1:] {
		p.rest = append(p.rest, scan.Hash(w))
	}
	if !slices.ContainsFunc(k.phrases, func(o phrase) bool { return slices.Equal(o.rest, p.rest) }) {
		k.phrases = append(k.phrases, p)
		m.words.Put(first, k)
		m.count++
	}
	if kind == scan.Company && len(words[0]) >= fuzzyLeast && !names.Common(first) { // "Muster" of Muster Handel GmbH
		m.single(first, entry{kind: kind, person: person})
	}
}

// single adds a word unless it is there.
func (m *Matcher) single(hash uint64, e entry) {
	if k, _ := m.words.Get(hash); k.kind == "" {
		k.entry = e
		m.words.Put(hash, k)
		m.count++
	}
}

// parts are the words and numbers of a text, folded. The list is good until the next call.
func (m *Matcher) parts(s string) []string {
	m.text.Read(s)
	m.list = m.list[:0]
	for i := range m.text.Tokens {
		k := &m.text.Tokens[i]
		if k.Kind != scan.Sign && k.Kind != scan.Held {
			m.list = append(m.list, scan.FoldString(m.text.Of(k)))
		}
	}
	return m.list
}

// Find appends what it finds in a text. Spans may overlap.
func (m *Matcher) Find(t *scan.Text, found []scan.Span) []scan.Span {
	if len(m.phones) > 0 {
		found = m.numbers(t, found)
	}
	if m.count == 0 {
		return found
	}
	for i := range t.Tokens {
		t1 := &t.Tokens[i]
		if t1.Kind == scan.Sign || t1.Kind == scan.Held {
			continue
		}
		k, _ := m.words.Get(t1.Hash)
		if k.kind == "" {
			k.entry = m.resembled(t, t1)
		}
		if k.kind != "" && (!k.plain || t1.Is(scan.Capital)) {
			found = append(found, scan.Span{From: t1.From, To: t.Whose(t1), Type: k.kind, Person: k.person})
		}
		for _, p := range k.phrases {
			if last := m.follows(t, i, p.rest); last > 0 {
				found = append(found, scan.Span{From: t1.From, To: t.Tokens[last].To, Type: p.kind, Person: p.person})
			}
		}
	}
	return found
}

// resembled looks a word up that is not known as it is: as a genitive, then with one letter wrong.
func (m *Matcher) resembled(t *scan.Text, k *scan.Token) entry {
	if k.Last == 's' {
		if e, _ := m.words.Get(scan.Stem(k.Hash, 's')); e.kind == scan.Name && !e.plain {
			return e.entry
		}
	}
	if k.Len() < fuzzyLeast-1 || k.Len() > len(m.fold) || !m.resembles(k) {
		return entry{}
	}
	var w []byte
	for _, word := range m.fuzzy {
		if w == nil && !k.Is(scan.Foreign|scan.Joined) && !near(word, t.Of(k), k) { // most words are told apart without being folded
			continue
		}
		if w == nil {
			w = t.Folded(k, m.fold[:0])
		}
		if len(word) <= len(w)+1 && len(word)+1 >= len(w) && oneEdit(word, w) && !names.Common(k.Hash) {
			e, _ := m.words.Get(scan.Hash(word))
			return e.entry
		}
	}
	return entry{}
}

// near tells by length and ends whether a word of ASCII letters could be a known one with a letter wrong: one letter spoils
// one end, or the letters next to one of the ends, and never both.
func near(known, word string, k *scan.Token) bool {
	n, last := len(word), len(known)-1
	if last > n || last+2 < n {
		return false
	}
	begins, ends := known[0] == k.First, known[last] == k.Last
	second, before := known[1] == word[1]|0x20, known[last-1] == word[n-2]|0x20
	return begins && second || ends && before
}

// resembles tells whether a word begins or ends with a letter that a known word of about its length begins or ends with. Letters
// beyond ASCII make a word longer than it is folded: of those only the letters count.
func (m *Matcher) resembles(k *scan.Token) bool {
	n := k.Len()
	if k.Is(scan.Foreign) {
		n = 0
	} else if n > fuzzyMost+1 {
		return false
	}
	return m.first[n]>>(k.First&31)&1 != 0 || m.last[n]>>(k.Last&31)&1 != 0
}

// oneEdit tells whether one letter exchanged, added or left out, or two neighbours swapped, makes one word of the other.
func oneEdit(a string, b []byte) bool {
	i, short := 0, min(len(a), len(b))
	for i < short && a[i] == b[i] {
		i++
	}
	j := 0
	for j < short-i && a[len(a)-1-j] == b[len(b)-1-j] {
		j++
	}
	left, right := len(a)-i-j, len(b)-i-j
	return left <= 1 && right <= 1 || left == 2 && right == 2 && a[i] == b[i+1] && a[i+1] == b[i]
}

// follows is the token with which the rest of a phrase ends behind a token, over signs, or 0.
func (m *Matcher) follows(t *scan.Text, i int, rest []uint64) int {
	for _, want := range rest {
		i++
		for signs := 0; t.At(i).Kind == scan.Sign && signs < 3; signs++ {
			i++
		}
		if k := t.At(i); k.Kind == 0 || k.Kind == scan.Held || k.Hash != want {
			return 0
		}
	}
	return i
}

// numbers finds known telephone numbers, whatever stands between their digits and however they begin.
func (m *Matcher) numbers(t *scan.Text, found []scan.Span) []scan.Span {
	for i := 0; i < len(t.Tokens); i++ {
		if t.Tokens[i].Kind != scan.Number {
			continue
		}
		digits, last := m.digits[:0], i
		for j := i; j < len(t.Tokens) && j <= last+3; j++ {
			k := &t.Tokens[j]
			if k.Kind == scan.Number && len(digits)+k.Len() <= mostDigits {
				digits, last = scan.Digits(t.Of(k), digits), j
			} else if k.Kind != scan.Sign {
				break
			}
		}
		m.digits = digits
		for _, p := range m.phones {
			if n := len(digits) - len(p.tail); n >= 0 && n <= 18-phoneTail && string(digits[n:]) == p.tail {
				from := t.Tokens[i].From
				if t.IsSign(i-1, '+') || t.IsSign(i-1, '(') {
					from--
				}
				found = append(found, scan.Span{From: from, To: t.Tokens[last].To, Type: scan.Phone, Person: p.person})
				break
			}
		}
		i = last
	}
	return found
}
