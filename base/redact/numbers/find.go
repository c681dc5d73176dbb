// Package numbers finds what can be told by its form: addresses of e-mail and networks, telephone numbers, card and account
// numbers, the numbers that states give to people.
//
// A number with a check digit is believed when the check fits. One without, and one whose check one number in ten passes, needs
// a form or a word before it that says what it is ("phone", "NHS"); a word that says what else it is ("invoice") speaks
// against it. It is no validator: what people mistyped behind such a word is found too.
package numbers

import (
	"aver/base/redact/scan"
)

// Finder finds numbers and addresses. It can be used for one text after another.
type Finder struct{ f finder }

// Find appends what it finds in a text. Spans may overlap.
func (n *Finder) Find(t *scan.Text, found []scan.Span) []scan.Span {
	f := &n.f
	f.t, f.found, f.until = t, found, 0
	for i := 0; i < len(t.Tokens); {
		i = max(i+1, f.at(i))
	}
	return f.found
}

// finder is one pass through a text.
type finder struct {
	t     *scan.Text
	found []scan.Span
	run   run
	all   [34]byte
	until int // bytes before this were looked at as an address already
}

// at looks at a token and returns the next one to look at, or 0.
func (f *finder) at(i int) int {
	k := &f.t.Tokens[i]
	switch k.Kind {
	case scan.Number:
		return f.number(i)
	case scan.Mixed:
		return f.mixed(i)
	case scan.Word:
		return f.word(i)
	case scan.Sign:
		f.sign(i)
	}
	return 0
}

func (f *finder) add(from, to int, kind scan.Type) {
	f.found = append(f.found, scan.Span{From: from, To: to, Type: kind})
}

// sign looks at what stands around a sign.
func (f *finder) sign(i int) {
	k := &f.t.Tokens[i]
	if k.From < f.until {
		return
	}
	switch f.t.S[k.From] {
	case '@':
		f.email(k.From, k.From+1)
	case '.':
		f.domain(i)
	case ':':
		if !f.scheme(i) && !f.hardware(k.From) {
			f.internet6(k.From)
		}
	case '-':
		f.hardware(k.From)
	}
}

// word looks at words that say what comes next.
func (f *finder) word(i int) int {
	k := &f.t.Tokens[i]
	if k.From < f.until {
		return 0
	}
	switch n := k.Len(); {
	case n <= 2 && k.Is(scan.Capitals):
		if n == 1 && f.compact(i, scan.National, 9, dni) || n == 2 && (f.compact(i, scan.National, 9, nino) || f.compact(i, scan.Account, ibanLengths[f.t.Of(k)], iban)) {
			return 0
		}
	case n == 3 && k.First == 'w' && f.t.Of(k) == "www" && f.t.IsSign(i+1, '.'):
		f.link(k.From, k.To+1)
		return 0
	case n > 25 && n < 91 && wallet(f.t.Of(k)):
		f.add(k.From, k.To, scan.Wallet)
		return 0
	}
	if !f.t.Digits {
		return 0
	}
	switch hint := f.hint(k); {
	case hint&birth != 0:
		return f.birth(i + 1)
	case hint&passport != 0:
		return f.after(i+1, scan.Passport, 6, 9)
	case hint&state != 0:
		return f.after(i+1, scan.National, 8, 16)
	}
	return 0
}

// reach is how many tokens behind a word are about what it says.
const reach = 6

// after takes the first number or mixture behind a word that has as many characters; it may be written in groups.
func (f *finder) after(i int, kind scan.Type, least, most int) int {
	for j := i; j < i+reach && j < len(f.t.Tokens); j++ {
		k := &f.t.Tokens[j]
		if k.Kind == scan.Word && k.Len() > 2 && k.Is(scan.Capitals) || k.Kind == scan.Sign && f.t.IsSign(j, '@') {
			continue // such as SVNR, or another word for the same
		}
		if k.Kind != scan.Number && k.Kind != scan.Mixed && !(k.Kind == scan.Word && k.Is(scan.Capitals) && k.Len() <= 2) {
			continue
		}
		to, last, n := f.grouped(j, most)
		if n >= least && n <= most {
			f.add(k.From, to, kind)
			return last + 1
		}
	}
	return 0
}

// grouped follows a number that is written in groups and tells where it ends and how many letters and digits it has.
func (f *finder) grouped(i, most int) (to, last, n int) {
	digits := 0
	for j := i; j < len(f.t.Tokens); j++ {
		k := &f.t.Tokens[j]
		switch {
		case j > i && k.Is(scan.Opens):
			return f.digitsEnough(to, last, n, digits)
		case k.Kind == scan.Number || k.Kind == scan.Mixed || k.Kind == scan.Word && k.Is(scan.Capitals) && k.Len() <= 2:
			if n+k.Len() > most {
				return f.digitsEnough(to, last, n, digits)
			}
			if k.Kind != scan.Word {
				digits += k.Len()
			}
			n, to, last = n+k.Len(), k.To, j
		case k.Kind == scan.Sign && !k.Is(scan.Spaced) && (f.t.S[k.From] == '-' || f.t.S[k.From] == '/' || f.t.S[k.From] == '.'):
		default:
			return f.digitsEnough(to, last, n, digits)
		}
	}
	return f.digitsEnough(to, last, n, digits)
}

func (f *finder) digitsEnough(to, last, n, digits int) (int, int, int) {
	if digits < 5 {
		return to, last, 0
	}
	return to, last, n
}

// mixed looks at letters and digits in one word.
func (f *finder) mixed(i int) int {
	k := &f.t.Tokens[i]
	s := f.t.Of(k)
	if len(s) > 90 || k.Is(scan.Foreign) {
		return 0
	}
	if wallet(s) {
		f.add(k.From, k.To, scan.Wallet)
		return 0
	}
	if len(s) > 34 {
		return 0
	}
	var upper [34]byte
	w := capitals(upper[:0], s)
	switch {
	case nino(w), pan(w) && k.Is(scan.Capitals), dni(w), fiscal(w):
		f.add(k.From, k.To, scan.National)
		return 0
	}
	if len(w) >= 4 && allLetters(w[:2]) && allDigits(w[2:4]) {
		if length := ibanLengths[string(w[:2])]; length > 0 && f.compact(i, scan.Account, length, iban) {
			return 0
		}
	}
	if len(w) == 3 && w[0] >= 'A' || len(w) == 8 {
		f.compact(i, scan.National, 9, func(s []byte) bool { return nino(s) || dni(s) })
	}
	if len(w) >= 5 && (w[1] == '2' && (w[2] >= '0') && w[0] >= '1' && w[0] <= '2') { // 1 80 05 2A 001: French, of Corsica
		f.corsican(k, w)
	}
	return 0
}

func (f *finder) corsican(k *scan.Token, w []byte) {
	if len(w) != 15 || w[5] != '2' || w[6] != 'A' && w[6] != 'B' {
		return
	}
	d := append([]byte(nil), w...)
	d[5], d[6] = '1', '9'-(w[6]-'A')
	if allDigits(d) && nir(d) {
		f.add(k.From, k.To, scan.National)
	}
}

// compact joins the words and numbers from i on, over single separators, until they have so many characters, and adds
// them if the check fits.
func (f *finder) compact(i int, kind scan.Type, length int, check func([]byte) bool) bool {
	w := f.all[:0]
	for j := i; j < len(f.t.Tokens) && j < i+24; j++ {
		k := &f.t.Tokens[j]
		if k.Kind == scan.Sign && !k.Is(scan.Spaced) && (f.t.S[k.From] == '-' || f.t.S[k.From] == '.') && j > i {
			continue
		}
		if k.Kind == scan.Sign || k.Kind == scan.Held || len(w)+k.Len() > length || j > i && k.Is(scan.Opens) {
			return false
		}
		if w = capitals(w, f.t.Of(k)); len(w) == length {
			if !check(w) {
				return false
			}
			f.add(f.t.Tokens[i].From, k.To, kind)
			return true
		}
	}
	return false
}

func capitals(to []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}
