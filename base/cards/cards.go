// Package cards finds payment card numbers in text and masks them, so that none is ever stored (promise rgt-10).
//
// A card number is 13 to 19 digits that begin as some issuer's numbers do and pass the Luhn check (ISO/IEC 7812-1),
// however they are written: in groups, with dashes, over two lines, with digits of another script or with invisible
// signs in between; with a stroke, a bar, a comma, a semicolon or a colon in between if the groups are those on a card.
// Digits that merely look alike are left as they are: this package is no filter for secrets in
// general, and nobody should use it to decide whether a card is valid.
package cards

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	shortest = 13 // digits of a card number, ISO/IEC 7812-1
	longest  = 19
	shown    = 4 // digits at the end that stay: PCI DSS 4.0, 3.4.1 allows them

	// mostBetween is how many visible signs may stand between two digits of one number.
	mostBetween = 3
)

// sign stands for a digit that was taken out.
const sign = '•'

// Mask replaces all but the last four digits of every card number in the text and tells how many numbers it found.
// What it returns holds none.
func Mask(text string) (string, int) { return mask(text, edges{}) }

// mask is Mask for a piece of a text.
func mask(text string, e edges) (string, int) {
	found := 0
	for {
		masked, n := maskOnce(text, e)
		if n == 0 {
			return text, found
		}
		text, found = masked, found+n // what stands before a number ends there now, and may be another one: look again
	}
}

func maskOnce(text string, e edges) (string, int) {
	if !enough(text) {
		return text, 0
	}
	runs, lists := digits(text), strings.ContainsAny(text, listing)
	if len(runs) == 0 && !lists {
		return text, 0
	}
	masked, found := []rune(text), 0 // what stands before a run has letters or a plus sign still: only digits are masked
	for _, run := range runs {
		for from := max(account(masked, run), telephone(masked, run)); from+shortest <= len(run); from++ {
			n := match(run[from:])
			if n == 0 || identifier(masked, run[from].at, run[from+n-1].at) {
				continue
			}
			for _, d := range run[from : from+n-shown] {
				masked[d.at] = sign
			}
			found++
			run[from+n-shown].first = true // what is left over may be the beginning of another number
			from += n - shown - 1
		}
	}
	if lists {
		found += maskGroups(masked, e)
	}
	if found == 0 {
		return text, 0
	}
	return string(masked), found
}

// digit is one digit of a run.
type digit struct {
	at    int // index among the text's runes
	value byte
	first bool // nothing digit-like stands directly before it
	last  bool // nor after it
}

// digits returns the runs of digits that could hold a card number: digits with at most a few separators in between.
func digits(text string) [][]digit {
	var runs [][]digit
	var run []digit
	between, at := 0, 0
	end := func() {
		if len(run) >= shortest {
			runs = append(runs, run)
		}
		run, between = nil, 0
	}
	touching := false
	for _, r := range text {
		value, ok := digitOf(r)
		switch {
		case ok:
			if n := len(run); n > 0 {
				run[n-1].last = !touching
			}
			run = append(run, digit{at: at, value: value, first: !touching, last: true})
			between, touching = 0, true
		case invisible(r):
		case separates(r) && between < mostBetween:
			between++
			touching = false
		default:
			end()
			touching = false
		}
		at++
	}
	end()
	return runs
}

// enough tells, without allocating, whether the text has as many digits as a card number.
func enough(text string) bool {
	n := 0
	for i := 0; i < len(text); i++ {
		if c := text[i]; c >= '0' && c <= '9' || c >= utf8.RuneSelf {
			n++
		}
	}
	return n >= shortest
}

// digitOf is the value of a decimal digit of any script, and of signs that are one digit in another form, such as ④.
func digitOf(r rune) (byte, bool) {
	if r >= '0' && r <= '9' {
		return byte(r - '0'), true
	}
	if r < utf8.RuneSelf {
		return 0, false
	}
	if unicode.Is(unicode.No, r) {
		if plain := norm.NFKC.String(string(r)); len(plain) == 1 {
			return digitOf(rune(plain[0]))
		}
		return 0, false
	}
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10), true // Unicode keeps the ten digits of a script together and in order
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10), true
		}
	}
	return 0, false
}

// invisible signs may stand anywhere in a number: formatting signs, and marks that sit on the digit before them.
func invisible(r rune) bool {
	return r >= 0xad && (unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r))
}

// separates tells whether a sign is used to set a number's groups apart.
func separates(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '-', '.', '_', '·', '‧', '−':
		return true
	}
	return r >= 0x80 && (unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r))
}

// match returns how many digits from the run's first on are a card number, or 0. The longest wins. A number ends where
// a group of digits ends; only after the two usual lengths may more follow, as when somebody pastes the date behind it.
func match(run []digit) int {
	if !run[0].first {
		return 0
	}
	for n := min(longest, len(run)); n >= shortest; n-- {
		if (run[n-1].last || n == 15 || n == 16) && issued(run, n) && luhn(run[:n]) {
			return n
		}
	}
	return 0
}

// luhn is the check of ISO/IEC 7812-1, annex B.
func luhn(run []digit) bool {
	sum := 0
	for i := range run {
		d := int(run[len(run)-1-i].value)
		if i%2 == 1 {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// account tells how many digits at the run's beginning are a bank account's, two letters and a check digit pair before
// them (IBAN, ISO 13616): people send those to be paid back, and one in ten would pass for a card somewhere in its middle.
func account(signs []rune, run []digit) int {
	at := run[0].at
	if at < 2 || !letter(signs[at-2]) || !letter(signs[at-1]) {
		return 0
	}
	for n := min(len(run), 32); n >= shortest; n-- {
		if !run[n-1].last {
			continue
		}
		rest := 0
		for _, d := range run[2:n] {
			rest = (rest*10 + int(d.value)) % 97
		}
		for _, r := range signs[at-2 : at] {
			rest = (rest*100 + int(r-'A') + 10) % 97
		}
		if (rest*100+int(run[0].value)*10+int(run[1].value))%97 == 1 {
			return n
		}
	}
	return 0
}

// telephone tells how many digits at the run's beginning are a telephone number's: a plus sign directly before them, and
// 13 or 14 of them together (ITU-T E.164). Card numbers of that length that begin with the digit of a country code are
// hardly given out any more, while one in ten of the telephone numbers would pass for one.
func telephone(signs []rune, run []digit) int {
	if run[0].at == 0 || len(run) != 13 && len(run) != 14 || signs[run[0].at-1] != plus {
		return 0
	}
	return len(run)
}

// identifier tells whether signs stand inside a UUID (RFC 9562, 4) or a hash: 32 hexadecimal digits or more, letters among
// them, with at most dashes in between. Of those a program writes, many would pass for a card somewhere, and a changed
// one stands for nothing any more.
func identifier(signs []rune, first, last int) bool {
	size, letters := 0, false
	count := func(r rune) bool {
		hexadecimal := unicode.Is(unicode.ASCII_Hex_Digit, r)
		if hexadecimal {
			size, letters = size+1, letters || r > '9'
		}
		return hexadecimal || r == '-'
	}
	for _, r := range signs[first : last+1] {
		if !count(r) {
			return false
		}
	}
	for at := first - 1; at >= 0 && size < 128 && count(signs[at]); at-- {
	}
	for at := last + 1; at < len(signs) && size < 256 && count(signs[at]); at++ {
	}
	return letters && size >= 32
}

const plus = '+'

func letter(r rune) bool { return r >= 'A' && r <= 'Z' }

// issuer is a range of first six digits whose numbers have certain lengths.
type issuer struct{ from, to, short, long int }

// issuers are the ranges of numbers that are in use, as the card schemes publish them.
var issuers = []issuer{
	{222100, 272099, 16, 16}, // Mastercard
	{510000, 559999, 16, 16}, //
	{400000, 499999, 13, 19}, // Visa, and schemes that live in its range
	{340000, 349999, 15, 15}, // American Express
	{370000, 379999, 15, 15}, //
	{300000, 305999, 14, 19}, // Diners Club
	{309500, 309599, 14, 19}, //
	{360000, 369999, 14, 19}, //
	{380000, 399999, 14, 19}, //
	{352800, 358999, 16, 19}, // JCB
	{600000, 699999, 13, 19}, // Discover, UnionPay, Maestro, RuPay, Elo, Hipercard, InterPayment
	{500000, 509999, 13, 19}, // Maestro, Verve, Elo, RuPay, Dankort
	{560000, 589999, 13, 19}, // Maestro
	{220000, 220499, 16, 19}, // Mir
	{810000, 829999, 16, 19}, // UnionPay, RuPay
	{979200, 979299, 16, 16}, // Troy
	{100000, 199999, 15, 15}, // UATP
}

// issued tells whether numbers of n digits that begin like the run are given out.
func issued(run []digit, n int) bool {
	first := 0
	for _, d := range run[:6] {
		first = first*10 + int(d.value)
	}
	for _, i := range issuers {
		if first >= i.from && first <= i.to && n >= i.short && n <= i.long {
			return true
		}
	}
	return false
}
