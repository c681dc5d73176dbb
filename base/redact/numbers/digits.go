package numbers

import (
	"aver/base/cards"
	"aver/base/redact/scan"
)

// run is a number in groups: 030 123 45-67.
type run struct {
	groups [12]group
	n      int
	digits [48]byte
	count  int
	plus   bool // a + stands before it
	hint   hint // of the nearest word before it
}

// group is one of the groups of a run.
type group struct {
	from, to int  // bytes of the text
	at, n    int  // its digits among the run's
	before   byte // the sign between the one before and this: ' ', '-', '.', '/', ')'
}

// number looks at a run of digits that begins here, and returns the token behind it.
func (f *finder) number(i int) int {
	if k := f.t.At(i + 1); f.t.Tokens[i].Len() == 2 && f.t.IsSign(i+1, '-') {
		f.hardware(k.From)
	}
	next := f.gather(i)
	r := &f.run
	if r.count == 8 && r.n == 1 && f.compact(i, scan.National, 9, dni) || r.count < 5 {
		return next
	}
	r.hint = f.before(i)
	for from := 0; from < r.n; {
		from = max(from+1, f.judge(from))
	}
	return next
}

// gather collects the run that begins at a token and returns the token behind it.
func (f *finder) gather(i int) int {
	r := &f.run
	r.n, r.count = 0, 0
	r.plus = f.t.IsSign(i-1, '+') && !f.t.Tokens[i].Is(scan.Spaced)
	before := byte(0)
	for i < len(f.t.Tokens) && r.n < len(r.groups) {
		k := &f.t.Tokens[i]
		if k.Kind != scan.Number || k.Len() > 20 {
			break
		}
		d := scan.Digits(f.t.Of(k), r.digits[r.count:r.count])
		if r.count+len(d) > len(r.digits) {
			break
		}
		r.groups[r.n] = group{k.From, k.To, r.count, len(d), before}
		r.n, r.count = r.n+1, r.count+len(d)
		i++
		var on int
		if on, before = f.joint(i); on == 0 {
			return i
		}
		i = on
	}
	return i
}

// joint tells which token a number goes on with behind a group, and over what sign.
func (f *finder) joint(i int) (next int, over byte) {
	over = ' '
	for j := i; j < len(f.t.Tokens) && j < i+3; j++ {
		k := &f.t.Tokens[j]
		if k.Is(scan.Opens) {
			return 0, 0
		}
		if k.Kind == scan.Number {
			if k.Is(scan.Spaced) && (over == '.' || over == '/') {
				return 0, 0
			}
			return j, over
		}
		if k.Kind != scan.Sign {
			return 0, 0
		}
		switch c := f.t.S[k.From]; {
		case c == '-' || c == ')' || c == '(':
			over = c
		case (c == '.' || c == '/') && !k.Is(scan.Spaced):
			over = c
		case k.Len() == 3 && (f.t.Of(k) == "–" || f.t.Of(k) == "‑"):
			over = '-'
		default:
			return 0, 0
		}
	}
	return 0, 0
}

// before is what the nearest telling word before a token says.
func (f *finder) before(i int) hint {
	for j := i - 1; j >= 0 && j >= i-8; j-- {
		k := &f.t.Tokens[j]
		if k.Kind == scan.Sign && f.t.S[k.From] == '#' {
			return thing
		}
		if k.Kind != scan.Word {
			continue
		}
		if h := f.hint(k) &^ month; h != 0 {
			return h
		}
	}
	return 0
}

// hint is what a word says, also behind an article as in l'ordine.
func (f *finder) hint(k *scan.Token) hint {
	h, known := hints.Get(k.Hash)
	if !known && k.Is(scan.Joined) {
		h, _ = hints.Get(scan.Hash(scan.FoldString(scan.Tail(f.t.Of(k)))))
	}
	return h
}

// judge decides what the run is from a group on and returns the group behind, or 0.
func (f *finder) judge(from int) int {
	r := &f.run
	if f.isDate(from) {
		return from + 3
	}
	if f.isInternet(from) {
		f.add(r.groups[from].from, r.groups[from+3].to, scan.Internet)
		return from + 4
	}
	for to := r.n - 1; to >= from; to-- {
		first, last := r.groups[from], r.groups[to]
		d := r.digits[first.at : last.at+last.n]
		if len(d) < 5 {
			return 0
		}
		kind := f.kind(from, to, d)
		if kind == "" {
			continue
		}
		start := first.from
		if r.plus && from == 0 {
			start--
		}
		if start > 0 && f.t.S[start-1] == '(' {
			start--
		}
		f.add(start, last.to, kind)
		return to + 1
	}
	return 0
}

func (f *finder) kind(from, to int, d []byte) scan.Type {
	plus := f.run.plus && from == 0
	switch {
	case len(d) == 15 && nir(d): // its check is the stronger one
		return scan.National
	case !plus && len(d) >= 12 && cards.Valid(d):
		return scan.Card
	case !plus && f.run.hint&(call|thing) == 0 && f.national(from, to, d):
		return scan.National
	case f.phone(from, to, d, plus):
		return scan.Phone
	case !plus && f.run.hint&thing == 0 && f.national(from, to, d):
		return scan.National
	}
	return ""
}

// shaped tells whether the groups from one to another have these lengths and the sign between them.
func (r *run) shaped(from, to int, sign byte, lengths ...int) bool {
	if to-from+1 != len(lengths) {
		return false
	}
	for i, n := range lengths {
		g := r.groups[from+i]
		if g.n != n || i > 0 && g.before != sign {
			return false
		}
	}
	return true
}

// national tells whether digits are a number that a state gave. Checks that one number in ten passes by chance need
// the groups that the number is written in, or a word.
func (f *finder) national(from, to int, d []byte) bool {
	r := &f.run
	said := r.hint&state != 0
	one := from == to
	switch len(d) {
	case 9:
		return r.shaped(from, to, '-', 3, 2, 4) && ssn(d) || said && (ssn(d) || bsn(d) || nifPT(d))
	case 10:
		return (said || r.shaped(from, to, ' ', 3, 3, 4)) && nhs(d) || r.shaped(from, to, '-', 6, 4) && personnummer(d)
	case 11:
		return (one || said) && pesel(d) || (one || said || r.shaped(from, to, ' ', 2, 3, 3, 3)) && steuerID(d)
	case 12:
		return (said || r.shaped(from, to, ' ', 4, 4, 4)) && aadhaar(d) || r.shaped(from, to, '-', 8, 4) && personnummer(d) || said && personnummer(d)
	}
	return false
}

// isDate tells whether three groups are a day: 31.12.1999, 12/31/99, 1999-12-31.
func (f *finder) isDate(from int) bool {
	r := &f.run
	if from+2 >= r.n {
		return false
	}
	a, b, c := r.groups[from], r.groups[from+1], r.groups[from+2]
	if b.before != c.before || b.before == ' ' || b.n > 2 {
		return false
	}
	x, y := number(r.digits[a.at:a.at+a.n]), number(r.digits[b.at:b.at+b.n])
	switch {
	case a.n == 4 && c.n <= 2:
		return x >= 1900 && x < 2100 && y >= 1 && y <= 12
	case a.n <= 2 && (c.n == 4 || c.n == 2):
		return x >= 1 && y >= 1 && min(x, y) <= 12 && max(x, y) <= 31
	}
	return false
}

// isInternet tells whether four groups are an address of the Internet protocol, version 4.
func (f *finder) isInternet(from int) bool {
	r := &f.run
	if from+3 >= r.n || r.hint&version != 0 {
		return false
	}
	if from+4 < r.n && r.groups[from+4].before == '.' || from > 0 && r.groups[from].before == '.' {
		return false
	}
	for i := from; i < from+4; i++ {
		g := r.groups[i]
		if g.n > 3 || number(r.digits[g.at:g.at+g.n]) > 255 || i > from && g.before != '.' {
			return false
		}
	}
	return true
}

func number(d []byte) (n int) {
	for _, c := range d {
		n = n*10 + int(c-'0')
	}
	return n
}
