// Package names finds names of people, addresses of houses and names of companies, as far as lists and the words around them go.
//
// A name is believed when it is on a list and no word besides, when it stands beside such a one, or when the text says
// that a name comes: "my name is", "Herr", "Regards,". It is told from other words by its capital letter, so names in
// scripts without capital letters are found only where they are known from elsewhere (package known).
package names

import (
	"aver/base/redact/scan"
)

// Finder finds names. It can be used for one text after another.
type Finder struct{ f finder }

// Find appends what it finds in a text. Spans may overlap.
func (n *Finder) Find(t *scan.Text, found []scan.Span) []scan.Span {
	f := &n.f
	f.t, f.found = t, found
	f.classify()
	for i := 0; f.places && i < len(t.Tokens); {
		i = max(i+1, f.place(i))
	}
	for i := 0; i < len(t.Tokens); {
		i = max(i+1, f.person(i))
	}
	return f.found
}

type finder struct {
	t       *scan.Text
	words   *scan.Table[class]
	found   []scan.Span
	classes []class
	fold    [48]byte
	seq     []int // tokens of the name that is looked at
	small   bool  // the text has no capital letter
	places  bool  // the text may hold an address or a company
	nouns   bool  // and is in German, where every noun has a capital letter
}

// class of the token at a place.
func (f *finder) class(i int) class {
	if i < 0 || i >= len(f.classes) {
		return 0
	}
	return f.classes[i]
}

func (f *finder) add(from, to int, kind scan.Type) {
	f.found = append(f.found, scan.Span{From: from, To: to, Type: kind})
}

// big tells whether a word begins with a capital letter, or could if the text had any.
func (f *finder) big(i int) bool {
	k := f.t.At(i)
	return k.Kind == scan.Word && (k.Is(scan.Capital) || f.small && f.classes[i]&(common|near|particle) == 0 && k.Len() > 1)
}

// place looks for an address or a company at a token and returns the next one to look at, or 0.
func (f *finder) place(i int) int {
	k := &f.t.Tokens[i]
	c := f.classes[i]
	switch {
	case k.Kind == scan.Number || k.Kind == scan.Mixed:
		return f.house(i)
	case k.Kind != scan.Word:
	case c&streetBegin != 0, k.Len() == 1 && k.From+1 < len(f.t.S) && f.t.S[k.From:k.From+2] == "C/":
		if next := f.streetFrom(i); next > 0 || c&streetEnd == 0 {
			return next
		}
		return f.streetTo(i)
	case c&streetEnd != 0:
		return f.streetTo(i)
	case c&company != 0, k.Len() == 1 && f.big(i), k.Len() == 1 && f.small:
		return f.company(i)
	}
	return 0
}

// person looks for a name at a token and returns the next one to look at, or 0.
func (f *finder) person(i int) int {
	k, c := f.t.Tokens[i], f.classes[i]
	switch {
	case k.Kind != scan.Word:
		return 0
	case k.Is(scan.Capital):
		return f.name(i)
	}
	if f.class(i-1)&(strong|linking|naming|greeting) != 0 {
		if next := f.introduced(i); next > 0 {
			return next
		}
	}
	if f.small && c.named() {
		return f.lower(i)
	}
	return 0
}

// lower takes names of a text without capital letters: only those that are on the lists.
func (f *finder) lower(i int) int {
	last := i
	for j := i + 1; j < i+4; j++ {
		if f.t.IsSign(j, '-') {
			continue
		}
		if f.class(j)&(given|surname) == 0 || f.t.At(j).Is(scan.Opens) || f.t.At(j).Kind != scan.Word {
			break
		}
		last = j
	}
	if last == i && f.classes[i]&given == 0 {
		return 0
	}
	f.add(f.t.Tokens[i].From, f.t.Tokens[last].To, scan.Name)
	return last + 1
}

// name looks at what begins with a capital letter and returns the token behind it if it is a name.
func (f *finder) name(i int) int {
	if c := f.classes[i]; c&common != 0 && c&ambiguous == 0 || c&title != 0 && c&(given|surname) == 0 {
		return 0
	}
	end := f.collect(i)
	if f.employs(i) {
		last := f.seq[len(f.seq)-1]
		if f.t.IsSign(last+1, '&') && f.big(last+2) {
			last += 2
		}
		f.add(f.t.Tokens[i].From, f.t.Tokens[last].To, scan.Company)
		return last + 1
	}
	first, last := f.believe(i)
	if first < 0 {
		return 0
	}
	from, to := &f.t.Tokens[f.seq[first]], &f.t.Tokens[f.seq[last]]
	f.add(from.From, f.t.Whose(to), scan.Name)
	if last == len(f.seq)-1 {
		return end
	}
	return f.seq[last] + 1
}

const mostWords = 5 // of a name

// collect gathers the words that could be one name, and returns the token behind the last.
func (f *finder) collect(i int) int {
	f.seq = append(f.seq[:0], i)
	at := i
	for len(f.seq) < mostWords {
		next := f.joined(at)
		if next < 0 {
			break
		}
		at = next
		f.seq = append(f.seq, at)
	}
	if f.initial(at) {
		return at + 2
	}
	return at + 1
}

// initial tells whether the token is one letter with a point.
func (f *finder) initial(i int) bool {
	k := f.t.At(i)
	n := f.t.At(i + 1)
	return k.Is(scan.Capital) && k.Kind == scan.Word && (k.Len() == 1 || k.Len() == 2 && k.Is(scan.Foreign)) && f.t.IsSign(i+1, '.') && !n.Is(scan.Spaced)
}

// joined is the next word of the same name, over a hyphen, the point of an initial or a particle; -1 if there is none.
func (f *finder) joined(i int) int {
	j := i + 1
	if f.t.IsSign(j, '-') && !f.t.Tokens[j].Is(scan.Spaced) && !f.t.At(j+1).Is(scan.Spaced) || f.initial(i) {
		j++
	}
	for particles := 0; particles < 3; particles++ {
		k := f.t.At(j)
		if k.Kind != scan.Word || k.Is(scan.Opens) {
			return -1
		}
		if c := f.classes[j]; k.Is(scan.Capital) {
			if c&common != 0 && c&(ambiguous|particle) == 0 || c&(company|title) != 0 && c&(given|surname|particle) == 0 {
				return -1
			}
			return j
		} else if c&particle == 0 {
			return -1
		}
		j++
	}
	return -1
}

// believe decides which of the words gathered are a name; first is -1 if none.
func (f *finder) believe(i int) (first, last int) {
	last = f.plain()
	if last < 0 {
		return -1, 0
	}
	said := f.said(i)
	if said < certain && f.speaks() {
		said = likely
	}
	if said == likely && !f.likely(last) {
		said = nothing
	}
	if said == certain || said == likely {
		return 0, min(last, 3)
	}
	for at := 0; at <= last; at++ {
		if c := f.classes[f.seq[at]]; c.named() && c&given != 0 {
			if at > 0 && f.t.Begins(f.seq[0]) && f.classes[f.seq[0]] == 0 {
				return at, min(last, at+3)
			}
			return 0, min(last, at+3)
		}
	}
	return f.pair(i, last)
}

// likely tells whether what is only likely is believed: two words, or one that is on a list or goes on with "of", none an everyday one.
func (f *finder) likely(last int) bool {
	for _, at := range f.seq[:last+1] {
		if c := f.classes[at]; c&(ambiguous|common) != 0 && c&given == 0 && !(c&surname != 0 && at != f.seq[0]) {
			return false
		}
	}
	next := f.t.At(f.seq[last] + 1)
	return last > 0 || f.classes[f.seq[0]]&(given|surname) != 0 || next.Kind == scan.Word && f.class(f.seq[last]+1)&(near|particle) != 0
}

// pair looks at words none of which is a given name and nothing else.
func (f *finder) pair(i, last int) (int, int) {
	c, begins := f.classes[i], f.t.Begins(i)
	if f.initial(i) && last > 0 {
		return 0, last
	}
	if last == 0 {
		if c&given != 0 && c&common == 0 && begins && f.t.IsSign(f.seq[0]+1, ',') { // Jack, can you
			return 0, 0
		}
		if c.named() && !begins && f.t.Tokens[i].Len() > 3 {
			return 0, 0
		}
		return -1, 0
	}
	for at := 1; at <= last; at++ {
		next := f.classes[f.seq[at]]
		switch {
		case next.named(), c&given != 0 && next&surname != 0, c.named(), c&given != 0 && !begins && next == 0:
			return 0, last
		}
	}
	if !begins && !f.nouns && f.strange(last) {
		return 0, last
	}
	return -1, 0
}

// strange tells whether the gathered words stand in the middle of a sentence, each with a capital letter, and are on no list
// or on that of surnames: a name that nobody wrote down. Behind an article, or before a number, it is rather a product's.
func (f *finder) strange(last int) bool {
	if f.t.At(f.seq[0]-1).Kind != scan.Word || f.class(f.seq[0]-1)&article != 0 || f.t.At(f.seq[last]+1).Kind == scan.Number {
		return false
	}
	for _, at := range f.seq[:last+1] {
		k, c := &f.t.Tokens[at], f.classes[at]
		if c&^(given|surname|ambiguous|common) != 0 || c&common != 0 && c&surname == 0 || k.Is(scan.Capitals) || k.Len() < 3 {
			return false
		}
	}
	return f.classes[f.seq[0]]&(ambiguous|common) == 0
}

// plain is the last of the gathered words that may be one of a name: abbreviations end it.
func (f *finder) plain() int {
	shout := true
	for _, at := range f.seq {
		shout = shout && f.t.Tokens[at].Is(scan.Capitals)
	}
	last := len(f.seq) - 1
	for at, token := range f.seq {
		k := &f.t.Tokens[token]
		if k.Is(scan.Capitals) && k.Len() > 1 && !f.classes[token].named() && !(shout && (at > 0 || f.classes[token]&(given|surname) != 0)) {
			last = at - 1
			break
		}
	}
	if last == 0 && f.t.Tokens[f.seq[0]].Len() < 2 {
		return -1
	}
	return last
}
