package cards

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Signs that set the numbers of a list, the parts of a date or of an address apart set a card's groups apart too, now and
// then: 4111/1111/1111/1111. Of numbers written so only those are taken for a card's whose groups are as on a card, with
// the same sign between all of them, and that are not four numbers out of a longer list.

// listing are those signs.
const listing = `/\,;:|` + "／＼，；：｜،؛⁄∕"

// shapes are the groups of digits on cards: of most, the long ones, American Express, Diners Club.
var shapes = [][]int{{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}}

// edges tell whether a text goes on before its beginning and behind its end, unseen.
type edges struct{ before, behind bool }

// group is digits of a row that stand together.
type group struct {
	from, to int
	spoilt   bool // some of them were taken out before
}

func (g group) len() int { return g.to - g.from }

// row is groups with the same sign between them.
type row struct {
	digits []digit
	groups []group
	sign   rune
}

// begin empties a row but for the last so many groups, one or none.
func (r *row) begin(kept int) {
	from := len(r.digits)
	for _, g := range r.groups[len(r.groups)-kept:] {
		from = g.from
		r.groups[0] = group{0, g.len(), g.spoilt}
	}
	r.digits, r.groups = append(r.digits[:0], r.digits[from:]...), r.groups[:kept]
}

// rows calls each with every row of three groups and more.
func rows(signs []rune, each func(row)) {
	var r row
	over, between, touching := rune(0), 0, false // since the last digit: the sign, how many signs, none
	end := func(kept int) {
		if len(r.groups) >= 3 {
			each(r)
		}
		r.begin(min(kept, len(r.groups)))
	}
	for at, c := range signs {
		value, ok := digitOf(c)
		switch {
		case ok || c == sign:
			switch n := len(r.groups); {
			case touching:
			case over == 0:
				end(0)
			case n > 1 && over != r.sign:
				end(1) // the last group may begin another row
			}
			if !touching {
				r.groups, r.sign = append(r.groups, group{from: len(r.digits)}), over
			}
			r.digits = append(r.digits, digit{at: at, value: value})
			g := &r.groups[len(r.groups)-1]
			g.to, g.spoilt = len(r.digits), g.spoilt || c == sign
			over, between, touching = 0, 0, true
		case invisible(c):
		case between < mostBetween && over == 0 && strings.ContainsRune(listing, c):
			over, between, touching = c, between+1, false
		case between < mostBetween && (c == ' ' || c == '\t' || c >= utf8.RuneSelf && unicode.Is(unicode.Zs, c)):
			between, touching = between+1, false
		default:
			end(0)
			over, between, touching = 0, 0, false
		}
	}
	end(0)
}

// maskGroups masks the numbers whose groups a listing sign sets apart, and tells how many.
func maskGroups(signs []rune, e edges) (found int) {
	rows(signs, func(r row) {
		for from := 0; from+3 <= len(r.groups); from++ {
			n := r.match(from, signs, e)
			if n == 0 {
				continue
			}
			for _, d := range r.digits[r.groups[from].from : r.groups[from+n-1].to-shown] {
				signs[d.at] = sign
			}
			found++
			from += n - 1
		}
	})
	return found
}

// match tells how many groups from one on are a card's number, or 0.
func (r row) match(from int, signs []rune, e edges) int {
	for _, shape := range shapes {
		to := from + len(shape)
		if to > len(r.groups) || !slices.EqualFunc(r.groups[from:to], shape, func(g group, n int) bool { return g.len() == n && !g.spoilt }) {
			continue
		}
		whole := r.digits[r.groups[from].from:r.groups[to-1].to]
		if issued(whole, len(whole)) && luhn(whole) && !r.listed(from, to, signs, e) && !r.network(whole, signs) {
			return len(shape)
		}
	}
	return 0
}

// listed tells whether four groups are in the middle of more that look like them, or any groups may go on unseen.
func (r row) listed(from, to int, signs []rune, e edges) bool {
	if e.before && from <= 1 && r.digits[0].at <= mostBetween || e.behind && to >= len(r.groups)-1 && r.digits[len(r.digits)-1].at >= len(signs)-1-mostBetween {
		return true
	}
	if r.groups[from+1].len() != 4 {
		return false
	}
	return from > 0 && r.groups[from-1].len() == 4 || to < len(r.groups) && r.groups[to].len() == 4
}

// network tells whether digits belong to an address of the Internet protocol, version 6 (RFC 4291, 2.2): what touches them
// on a side has two colons or more.
func (r row) network(whole []digit, signs []rune) bool {
	const longest = 39 // signs of an address
	first, last := whole[0].at, whole[len(whole)-1].at
	before, behind := slices.Clone(signs[max(0, first-longest):first]), signs[last+1:min(len(signs), last+longest)]
	slices.Reverse(before)
	return r.sign == ':' && (colons(before) >= 2 || colons(behind) >= 2)
}

// colons counts them up to the first sign that is in no address.
func colons(signs []rune) (n int) {
	for _, c := range signs {
		if c == ':' {
			n++
		} else if !unicode.Is(unicode.ASCII_Hex_Digit, c) {
			break
		}
	}
	return n
}
