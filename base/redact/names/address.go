package names

import (
	"strings"

	"aver/base/redact/scan"
)

// compounds are endings of names of streets that are one word: Hauptstraße, Kerkstraat, Storgatan.
var compounds = []string{"strasse", "str", "weg", "platz", "allee", "gasse", "ring", "damm", "ufer", "steig", "straat", "laan", "plein", "gracht", "kade", "dijk", "singel", "gatan", "vagen", "vej", "gade"}

// house looks at a number: the house's, behind the name of a street that is one word, or a postal code.
func (f *finder) house(i int) int {
	k := &f.t.Tokens[i]
	if next := f.british(i); next > 0 {
		return next
	}
	if k.Len() > 5 || k.Is(scan.Opens) {
		return f.code(i)
	}
	j := i - 1
	if f.t.IsSign(j, '.') || f.t.IsSign(j, ',') {
		j--
	}
	w := f.t.At(j)
	if w.Kind != scan.Word || !f.big(j) || w.Len() > len(f.fold) || !f.compound(w) {
		return f.code(i)
	}
	first := j
	for n := 0; n < 4; n++ { // Karl-Marx-Allee
		if first >= 2 && f.t.IsSign(first-1, '-') && f.t.At(first-2).Kind == scan.Word {
			first -= 2
			continue
		}
		if p := f.t.At(first - 1); p.Kind == scan.Word && p.Is(scan.Capital) && f.classes[first-1]&common == 0 && !f.t.Begins(first-1) && w.Len() < 7 {
			first--
			continue
		}
		break
	}
	return f.rest(f.t.Tokens[first].From, i)
}

func (f *finder) compound(w *scan.Token) bool {
	s := f.t.Folded(w, f.fold[:0])
	for _, end := range compounds {
		if len(s) >= len(end) && string(s[len(s)-len(end):]) == end && (len(s) > len(end)+2 || len(end) > 3) {
			return true
		}
	}
	return false
}

// streetTo takes an address whose street ends with this word: 12 Baker Street.
func (f *finder) streetTo(i int) int {
	if !f.t.Tokens[i].Is(scan.Capital) && f.t.Tokens[i].Len() < 4 {
		return 0 // dr, pl, st
	}
	j := i - 1
	if k := f.t.At(j); k.Kind == scan.Mixed && k.Len() > 2 && strings.Contains("st nd rd th", f.t.S[k.To-2:k.To]) {
		j-- // of 12 42nd Street
	}
	for ; j >= 0 && j >= i-4; j-- {
		if !f.big(j) {
			break
		}
	}
	if j == i-1 || j < 0 {
		return 0
	}
	k := &f.t.Tokens[j]
	if k.Kind != scan.Number && k.Kind != scan.Mixed || k.Len() > 6 || f.t.S[k.From] < '0' || f.t.S[k.From] > '9' {
		return 0
	}
	last := i
	if f.t.IsSign(i+1, '.') && f.t.Tokens[i].Len() < 5 && i+2 < len(f.t.Tokens) {
		last++
	}
	return f.rest(k.From, last)
}

// streetFrom takes an address whose street begins with this word: 12 rue de la Paix, Calle Mayor 5, ul. Długa 7/2.
func (f *finder) streetFrom(i int) int {
	from, numbered := i, false
	if p := f.t.At(i - 1); p.Kind == scan.Sign && f.t.S[p.From] == ',' {
		from--
	}
	if p := f.t.At(from - 1); (p.Kind == scan.Word && (f.t.Of(p) == "bis" || f.t.Of(p) == "ter")) && from == i {
		from--
	}
	if p := f.t.At(from - 1); (p.Kind == scan.Number || p.Kind == scan.Mixed && f.t.S[p.From] <= '9') && p.Len() <= 5 {
		from, numbered = from-1, true
	} else {
		from = i
	}
	j, capital, last := i+1, false, i
	if f.t.IsSign(j, '.') && f.t.Tokens[i].Len() <= 4 || f.t.IsSign(j, '/') {
		j++
	}
	for n := 0; n < 6 && j < len(f.t.Tokens); n, j = n+1, j+1 {
		k := &f.t.Tokens[j]
		joint := k.Kind == scan.Sign && (f.t.S[k.From] == '-' || f.t.S[k.From] == '.') && !k.Is(scan.Spaced)
		if k.Is(scan.Opens) || !joint && (k.Kind != scan.Word || !f.big(j) && f.classes[j]&(particle|common) == 0 || capital && !f.big(j) && f.classes[j]&particle == 0) {
			break
		}
		if f.big(j) {
			capital, last = true, j
		}
	}
	if !capital {
		return 0
	}
	if numbered {
		return f.rest(f.t.Tokens[from].From, last)
	}
	if n := f.houseAfter(last + 1); n > 0 {
		return f.rest(f.t.Tokens[i].From, n)
	}
	return 0
}

// houseAfter is the token of a house's number behind a street's name, or 0: "5", ", 5", "nº 5".
func (f *finder) houseAfter(i int) int {
	for j := i; j < i+4 && j < len(f.t.Tokens); j++ {
		k := &f.t.Tokens[j]
		switch {
		case k.Is(scan.Opens):
			return 0
		case (k.Kind == scan.Number || k.Kind == scan.Mixed) && k.Len() <= 5:
			return j
		case k.Kind == scan.Sign && (f.t.S[k.From] == ',' || f.t.S[k.From] == '.' || k.Is(scan.Foreign)), k.Kind == scan.Word && k.Len() <= 4 && k.Shape&scan.Capital == 0:
		default:
			return 0
		}
	}
	return 0
}

// rest follows an address from the end of its street: flat, postal code, town. It adds the span and returns the token behind.
func (f *finder) rest(from, last int) int {
	for n := 0; n < 4; n++ {
		next := f.part(last + 1)
		if next < 0 {
			break
		}
		last = next
	}
	f.add(f.flatBefore(from, last), f.t.Tokens[last].To, scan.Address)
	return last + 1
}

// flatBefore is where an address begins whose flat is named first: Flat 3, 12 Baker Street.
func (f *finder) flatBefore(from, last int) int {
	i := last
	for i > 0 && f.t.Tokens[i].From > from {
		i--
	}
	if f.t.IsSign(i-1, ',') {
		i--
	}
	if k := f.t.At(i - 1); i >= 2 && (k.Kind == scan.Number || k.Kind == scan.Mixed) && f.class(i-2)&flat != 0 {
		return f.t.Tokens[i-2].From
	}
	return from
}

// part is the last token of the next part of an address, or -1.
func (f *finder) part(i int) int {
	if f.t.IsSign(i, '/') && f.t.At(i+1).Kind == scan.Number && !f.t.At(i+1).Is(scan.Spaced) {
		return i + 1
	}
	comma := f.t.IsSign(i, ',') || f.t.IsSign(i, '-') && f.t.Tokens[i].Is(scan.Spaced)
	if comma {
		i++
	}
	k := f.t.At(i)
	if f.class(i)&flat != 0 {
		n := f.t.At(i + 1)
		if f.t.IsSign(i+1, '.') || f.t.IsSign(i+1, '#') {
			i, n = i+1, f.t.At(i+2)
		}
		if n.Kind == scan.Number || n.Kind == scan.Mixed || n.Kind == scan.Word && n.Len() == 1 {
			return i + 1
		}
		return -1
	}
	if code := f.codeEnd(i); code >= 0 {
		return f.towns(code + 1)
	}
	if f.big(i) && (comma || k.Is(scan.Opens)) && f.classes[i]&common == 0 {
		return f.town(i)
	}
	return -1
}

// town takes up to three words of a town's name and what may stand behind: TX 78701, SW1A 1AA.
func (f *finder) town(i int) int {
	last := f.towns(i)
	j := last + 1
	if f.t.IsSign(j, ',') {
		j++
	}
	if end := f.briton(j); end > 0 {
		return end
	}
	if end := f.codeEnd(j); end >= 0 {
		return end
	}
	if k := f.t.At(j); k.Kind == scan.Word && (k.Is(scan.Capitals) || f.small) && k.Len() == 2 {
		if n := f.t.At(j + 1); n.Kind == scan.Number && n.Len() == 5 {
			return j + 1
		}
	}
	if n := f.t.At(last + 1); last+1 < len(f.t.Tokens) && !n.Is(scan.Opens) && n.Kind != scan.Sign {
		return -1 // a sentence goes on
	}
	return last
}

// towns takes the words of a town's name from i on, and returns the last token, i-1 if there are none.
func (f *finder) towns(i int) int {
	last := i - 1
	for j := i; j < i+7; j++ {
		k := f.t.At(j)
		if k.Kind == scan.Sign && f.t.S[k.From] == '-' && !k.Is(scan.Spaced) && j > i {
			continue
		}
		if k.Kind != scan.Word || j > i && k.Is(scan.Opens) {
			break
		}
		if !f.big(j) && (j == i || f.classes[j]&joint == 0) {
			break
		}
		if f.big(j) {
			if f.classes[j]&common != 0 && f.classes[j]&particle == 0 && j > i {
				break
			}
			last = j
		}
	}
	return last
}

// codeEnd is the last token of a postal code that begins at a place, or -1.
func (f *finder) codeEnd(i int) int {
	if end := f.briton(i); end > 0 {
		return end
	}
	k, n := f.t.At(i), f.t.At(i+1)
	if k.Kind == scan.Word && k.Is(scan.Capitals) && k.Len() <= 2 && f.t.IsSign(i+1, '-') {
		return f.codeEnd(i + 2) // D-10115
	}
	if k.Kind == scan.Mixed && k.Len() == 6 && strings.Trim(f.t.S[k.From:k.From+4], "0123456789") == "" && (f.small || k.Is(scan.Capitals)) {
		return i // 1234AB
	}
	if k.Kind != scan.Number {
		return -1
	}
	switch {
	case k.Len() == 5:
		return i
	case k.Len() == 4 && n.Kind == scan.Word && n.Len() == 2 && (n.Is(scan.Capitals) || f.small) && !n.Is(scan.Opens):
		return i + 1
	case k.Len() == 2 && f.t.IsSign(i+1, '-') && f.t.At(i+2).Kind == scan.Number && f.t.At(i+2).Len() == 3,
		k.Len() == 4 && f.t.IsSign(i+1, '-') && f.t.At(i+2).Kind == scan.Number && f.t.At(i+2).Len() == 3:
		return i + 2
	case k.Len() == 3 && n.Kind == scan.Number && n.Len() == 2 && !n.Is(scan.Opens):
		return i + 1
	case k.Len() == 4 && f.big(i+1):
		return i // Austria, Belgium, Denmark, Switzerland
	}
	return -1
}

// code takes a postal code and a town that stand by themselves; a number before a capital letter alone is no postal code.
func (f *finder) code(i int) int {
	k := &f.t.Tokens[i]
	end := f.codeEnd(i)
	if p := f.t.At(i - 1); p.Kind == scan.Sign && !k.Is(scan.Spaced) {
		return 0 // the end of a longer number
	}
	if end < 0 || k.Len() == 4 && end == i || f.class(end+1)&(common|counted) != 0 || f.t.At(end+1).Is(scan.Opens) {
		return 0
	}
	last := f.towns(end + 1)
	if last == end || f.t.IsSign(i-1, '#') || f.class(i-1)&common == 0 && !f.t.Begins(i) && !f.t.IsSign(i-1, ',') {
		return 0
	}
	f.add(f.t.Tokens[f.streetBefore(i)].From, f.t.Tokens[last].To, scan.Address)
	return last + 1
}

// streetBefore is the first token of a street and a house's number before a postal code, or that of the code: Am Anger 5, 10115
// Berlin.
func (f *finder) streetBefore(i int) int {
	j := i - 1
	if f.t.IsSign(j, ',') {
		j--
	} else if !f.t.Tokens[i].Is(scan.Opens) {
		return i
	}
	if k := f.t.At(j); (k.Kind != scan.Number && k.Kind != scan.Mixed) || k.Len() > 5 {
		return i
	}
	first := i
	for n := 1; n <= 4 && j-n >= 0; n++ {
		k := f.t.Tokens[j-n]
		if k.Kind != scan.Word || !f.big(j-n) && f.classes[j-n]&(joint|particle) == 0 {
			break
		}
		if f.big(j - n) {
			first = j - n
		}
	}
	return first
}

// british takes a British postal code wherever it stands: its form is its own.
func (f *finder) british(i int) int {
	end := f.briton(i)
	if end > 0 {
		f.add(f.t.Tokens[i].From, f.t.Tokens[end].To, scan.Address)
		return end + 1
	}
	return 0
}

// briton is the last token of a British postal code that begins at a place, or 0: SW1A 1AA.
func (f *finder) briton(i int) int {
	k, n := f.t.At(i), f.t.At(i+1)
	if k.Kind != scan.Mixed || n.Kind != scan.Mixed || !k.Is(scan.Capitals) || !n.Is(scan.Capitals) || n.Len() != 3 || k.Len() < 2 || k.Len() > 4 || n.Is(scan.Opens) {
		return 0
	}
	a, b := f.t.Of(k), f.t.Of(n)
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	if digit(a[0]) || !digit(a[1]) && (len(a) < 3 || !digit(a[2])) || !digit(b[0]) || digit(b[1]) || digit(b[2]) {
		return 0
	}
	return i + 1
}
