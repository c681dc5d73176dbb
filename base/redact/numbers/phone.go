package numbers

import (
	"strings"

	"aver/base/redact/scan"
)

// phone tells whether digits are a telephone number: with a country code; with the 0 that numbers begin with inside most
// countries; in the groups of North America; in groups of three and two as where no 0 is dialled; or, whatever their
// form, behind a word that says so. ITU-T E.164 allows 15 digits.
func (f *finder) phone(from, to int, d []byte, plus bool) bool {
	r := &f.run
	if plus {
		return len(d) >= 7 && len(d) <= 15 && d[0] != '0'
	}
	if len(d) > 15 || f.counted(from, to) {
		return false
	}
	if r.hint&call != 0 {
		return len(d) >= 6 && !f.thousands(from, to)
	}
	if r.hint&(thing|version|state) != 0 {
		return false
	}
	return abroad(d) || f.home(from, to, d) || f.american(from, to, d) || f.grouped3(from, to, d)
}

// abroad: 0049 30 1234567.
func abroad(d []byte) bool {
	return len(d) >= 11 && d[0] == '0' && d[1] == '0' && d[2] != '0'
}

// home: 030 1234567, 06 12 34 56 78, 07700 900123.
func (f *finder) home(from, to int, d []byte) bool {
	first := f.run.groups[from]
	return len(d) >= 9 && len(d) <= 12 && d[0] == '0' && d[1] != '0' && (first.n <= 5 || from == to)
}

// american: (415) 555-0132, 415-555-0132, 1 415 555 0132.
func (f *finder) american(from, to int, d []byte) bool {
	r := &f.run
	if len(d) == 11 && d[0] == '1' && r.groups[from].n == 1 {
		from, d = from+1, d[1:]
	}
	if len(d) != 10 || d[0] < '2' || d[3] < '2' || to-from != 2 {
		return false
	}
	return r.groups[from].n == 3 && r.groups[from+1].n == 3
}

// grouped3: 612 345 678, 612 34 56 78, 501 234 567: nine digits, or ten in Italy (347 123 4567), that begin with 2 to 9.
func (f *finder) grouped3(from, to int, d []byte) bool {
	r := &f.run
	if len(d) != 9 && len(d) != 10 || d[0] < '2' || from == to {
		return false
	}
	sign := r.groups[to].before
	if sign != ' ' && sign != '-' {
		return false
	}
	return r.shaped(from, to, sign, 3, 3, 3) || r.shaped(from, to, sign, 3, 2, 2, 2) || r.shaped(from, to, sign, 2, 3, 2, 2) ||
		r.shaped(from, to, sign, 3, 7) || r.shaped(from, to, sign, 3, 3, 4) || r.shaped(from, to, sign, 3, 6)
}

// counted tells whether the number counts or measures something: 612 345 678 EUR, € 100 000 000, 5000000 %.
func (f *finder) counted(from, to int) bool {
	start, end := f.run.groups[from].from, f.run.groups[to].to
	before := strings.TrimRight(f.t.S[max(0, start-4):start], " ")
	if before != "" && strings.HasSuffix(before, "$") || strings.HasSuffix(before, "€") || strings.HasSuffix(before, "£") || strings.HasSuffix(before, "=") {
		return true
	}
	after := strings.TrimLeft(f.t.S[end:min(len(f.t.S), end+12)], " ")
	if strings.HasPrefix(after, "%") || strings.HasPrefix(after, "€") || strings.HasPrefix(after, "$") {
		return true
	}
	word, _, _ := strings.Cut(after, " ")
	return word != "" && units[strings.ToLower(strings.TrimRight(word, ".,!?"))]
}

// thousands: 1.234.567.
func (f *finder) thousands(from, to int) bool {
	for i := from + 1; i <= to; i++ {
		if g := f.run.groups[i]; g.n != 3 || g.before != '.' {
			return false
		}
	}
	return to > from && f.run.groups[from].n <= 3
}

// birth takes the date behind a word about birth: 31.12.1999, 31 December 1999, December 31st, 1999.
func (f *finder) birth(i int) int {
	for j := i; j < i+reach+2 && j < len(f.t.Tokens); j++ {
		k := &f.t.Tokens[j]
		switch k.Kind {
		case scan.Number, scan.Mixed:
			if to, last := f.dateFrom(j); to > 0 {
				f.add(k.From, to, scan.Birth)
				return last + 1
			}
		case scan.Word:
			if f.hint(k)&month != 0 {
				if to, last := f.yearBy(j + 1); to > 0 {
					f.add(k.From, to, scan.Birth)
					return last + 1
				}
			}
		}
	}
	return 0
}

// dateFrom tells where a date ends that begins with a number.
func (f *finder) dateFrom(i int) (to, last int) {
	next := f.gather(i)
	if f.isDate(0) {
		return f.run.groups[2].to, next - 1
	}
	for j := i + 1; j < i+5 && j < len(f.t.Tokens); j++ {
		k := &f.t.Tokens[j]
		if k.Kind == scan.Word && f.hint(k)&month != 0 {
			return f.yearBy(j + 1)
		}
	}
	return 0, 0
}

// yearBy tells where the year ends that stands near a month: "March 1985", "March 3rd, 1985", "marzo de 1985".
func (f *finder) yearBy(i int) (to, last int) {
	for j := i; j < i+4 && j < len(f.t.Tokens); j++ {
		k := &f.t.Tokens[j]
		if s := f.t.Of(k); k.Kind == scan.Number && len(s) == 4 && (s[:2] == "19" || s[:2] == "20") {
			return k.To, j
		}
	}
	return 0, 0
}
