package numbers

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"aver/base/redact/scan"
)

// longest is how far an address reaches to each side: RFC 5321 allows 64 before and 255 behind the @, and no text is
// looked at twice for longer.
const longest = 255

// email takes the address around an @, whose bytes are from to to.
func (f *finder) email(from, to int) {
	start, end := f.leftOf(from), f.domainEnd(to)
	if start == from || end <= to {
		return
	}
	f.add(start, end, scan.Email)
	f.until = end
}

// leftOf is where the part of an address before the @ begins.
func (f *finder) leftOf(at int) int {
	s, i := f.t.S, at
	for i > 0 && at-i < longest {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		if !unicode.IsLetter(r) && !unicode.Is(unicode.Nd, r) && !(r < utf8.RuneSelf && strings.IndexByte("!#$%&'*+/=?^_`{|}~.-", byte(r)) >= 0) {
			break
		}
		i -= n
	}
	for i < at && strings.IndexByte(".'/=?!*", s[i]) >= 0 {
		i++
	}
	return i
}

// domainEnd is where a name of a host with at least one dot ends that begins at a place, or that place.
func (f *finder) domainEnd(from int) int {
	s, i := f.t.S, from
	for i < len(s) && i-from < longest {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) && !unicode.Is(unicode.Nd, r) && r != '-' && r != '.' {
			break
		}
		i += n
	}
	name := strings.TrimRight(s[from:i], ".-")
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || len(name)-dot < 3 {
		return from
	}
	if last, _ := utf8.DecodeRuneInString(name[dot+1:]); !unicode.IsLetter(last) {
		return from
	}
	return from + len(name)
}

// schemes of addresses that lead somewhere.
func (f *finder) scheme(i int) bool {
	k := f.t.At(i - 1)
	s, at := f.t.S, f.t.Tokens[i].From
	if k.Kind != scan.Word || k.To != at || !strings.HasPrefix(s[at:], "://") {
		return false
	}
	f.link(k.From, at+3)
	return true
}

// link takes an address of the web whose beginning ends at to.
func (f *finder) link(from, to int) {
	s, end := f.t.S, to
	for end < len(s) {
		r, n := utf8.DecodeRuneInString(s[end:])
		if unicode.IsSpace(r) || r < utf8.RuneSelf && strings.IndexByte("<>\"|\\^`{}", byte(r)) >= 0 {
			break
		}
		end += n
	}
	end = to + len(strings.TrimRight(s[to:end], ".,;:!?)]'"))
	if end > to {
		f.add(from, end, scan.Link)
		f.until = end
	}
}

// endings are those of hosts that people write without a scheme.
var endings = set("com org net io de uk fr es it pt nl pl eu ch at se be info biz app dev shop online cz dk fi ie in example test")

// domain takes a bare name of a host, with the path behind it, around a dot.
func (f *finder) domain(i int) {
	last, s := f.t.At(i+1), f.t.S
	at := f.t.Tokens[i].From
	if last.Kind != scan.Word || last.Is(scan.Spaced) || last.From != at+1 || !endings[s[last.From:last.To]] {
		return
	}
	if last.To+1 < len(s) && (s[last.To] == '.' || s[last.To] == '-') && isLetter(s[last.To+1]) || last.To < len(s) && s[last.To] == '@' {
		return
	}
	start := at
	for start > 0 && at-start < longest && (isLetter(s[start-1]) || s[start-1] >= '0' && s[start-1] <= '9' || s[start-1] == '-' || s[start-1] == '.') {
		start--
	}
	if start == at || start > 0 && s[start-1] == '@' || strings.Trim(s[start:at], "0123456789.-") == "" {
		return
	}
	if last.To < len(s) && s[last.To] == '/' {
		f.link(start, last.To)
		return
	}
	f.add(start, last.To, scan.Link)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

// hardware takes six pairs of hexadecimal digits around the first sign between two of them.
func (f *finder) hardware(at int) bool {
	s, from, to := f.t.S, at-2, at+15
	if from < 0 || to > len(s) || from > 0 && (isHex(s[from-1]) || s[from-1] == s[at]) || to < len(s) && (isHex(s[to]) || s[to] == s[at]) {
		return false
	}
	for i := from; i < to; i++ {
		if (i-from)%3 == 2 {
			if s[i] != s[at] {
				return false
			}
		} else if !isHex(s[i]) {
			return false
		}
	}
	f.add(from, to, scan.Hardware)
	f.until = to
	return true
}

// internet6 takes an address of the Internet protocol, version 6, around a colon.
func (f *finder) internet6(at int) {
	const most = 45 // with an address of version 4 at its end
	s, from, to := f.t.S, at, at
	for from > 0 && at-from < most && (isHex(s[from-1]) || s[from-1] == ':') {
		from--
	}
	for to < len(s) && to-at < most && (isHex(s[to]) || s[to] == ':' || s[to] == '.') {
		to++
	}
	text := strings.TrimRight(s[from:to], ".")
	if len(text) < 3 || strings.Count(text, ":") < 2 || from > 0 && isLetter(s[from-1]) || to < len(s) && isLetter(s[to]) {
		return
	}
	if text[len(text)-1] == ':' && !strings.HasSuffix(text, "::") {
		text = text[:len(text)-1]
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Is6() {
		f.add(from, from+len(text), scan.Internet)
		f.until = from + len(text)
	}
}
