// Package age reads from a message that its writer is a child, when the writer says so.
//
// It knows what people say of themselves: "I am 11", "ich werde morgen 12", "nací en 2016", in the ten languages of the
// widget. What they say of others ("my son is 11"), of other things ("11 km", "11 years of experience") or under a
// condition ("when I was 11") is left alone: an age is found only in a sentence that can hardly mean anything else. It
// reads each word a bounded number of times, so a long text takes no longer than many short ones.
package age

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Adult is the age from which somebody is no child here: COPPA speaks of children under 13 (16 CFR 312.2).
const Adult = 13

// youngest is the age from which somebody is believed to write.
const youngest = 4

// Said tells the age that the writer of a text claims, if it is a child's.
func Said(text string, now time.Time) (years int, child bool) {
	all := read(text)
	for i := range all {
		for _, s := range sentences[all[i].word] {
			if n, matches := s.match(all, i, now); matches && n >= youngest && n < Adult {
				return n, true
			}
		}
	}
	return 0, false
}

// Of tells the age at a time of somebody born on a day.
func Of(born, now time.Time) int {
	years := now.Year() - born.Year()
	if now.Month() < born.Month() || now.Month() == born.Month() && now.Day() < born.Day() {
		years--
	}
	return years
}

// Held tells the age that the value of a field gives, where the field's name says that it holds an age or a day of birth.
func Held(field string, value any, now time.Time) (years int, child bool) {
	switch kind := fields[field]; kind {
	case aBirth:
		text, isText := value.(string)
		if year, is := value.(float64); is && !isText {
			text = strconv.Itoa(int(year))
		}
		born, exact := date(text)
		if born.IsZero() || born.After(now) {
			return 0, false
		}
		if years = Of(born, now); !exact {
			years = now.Year() - born.Year()
		}
	case anAge:
		switch v := value.(type) {
		case float64:
			years = int(v)
		case string:
			years, _ = strconv.Atoi(strings.TrimSpace(v))
		}
	}
	return years, years > 0 && years < Adult
}

// token is a word, a number or a sign that belongs to a number.
type token struct {
	raw    string // in small letters, without accents and apostrophes
	word   string // the same, or what stands for a number of years or a day
	years  int
	born   time.Time // of a date or year in which somebody may be born
	exact  bool      // the date has a day
	closes bool      // the sentence or its part ends here
}

// number is the word of a token that may be an age.
const number = "\x00N"

// read takes a text apart.
func read(text string) []token {
	var out []token
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			out = append(out, understand(word.String()))
			word.Reset()
		}
	}
	signs := []rune(norm.NFKC.String(text))
	for i, r := range signs {
		inside := i > 0 && i+1 < len(signs) && digit(signs[i-1]) && digit(signs[i+1]) && strings.ContainsRune("./-:,", r)
		switch {
		case unicode.IsLetter(r) || unicode.Is(unicode.M, r) || digit(r) || inside:
			if word.Len() < longestWord {
				word.WriteRune(r)
			}
		case strings.ContainsRune("'’‘`´", r) || unicode.Is(unicode.Cf, r): // I'm, j’ai
		case unicode.IsSpace(r) && r != '\n':
			end()
		case strings.ContainsRune("%€$£°#+/", r): // a unit, a rank, a fraction
			end()
			out = append(out, token{raw: string(r), word: string(r)})
		default:
			end()
			if len(out) > 0 {
				out[len(out)-1].closes = true
			}
		}
	}
	end()
	if len(out) > 0 {
		out[len(out)-1].closes = true
	}
	return out
}

const longestWord = 100 // bytes

func digit(r rune) bool { return unicode.IsDigit(r) }

// understand tells what a word is.
func understand(word string) token {
	word = fold(word)
	plain := strings.Map(western, word)
	if n, err := strconv.Atoi(plain); err == nil {
		t := token{raw: word, word: number, years: n}
		t.born, t.exact = date(plain)
		return t
	}
	if born, exact := date(plain); !born.IsZero() {
		return token{raw: word, word: day, born: born, exact: exact}
	}
	if n := numbers[word]; n > 0 {
		return token{raw: word, word: number, years: n}
	}
	return token{raw: word, word: word}
}

// western turns a digit of another script into ours.
func western(r rune) rune {
	for _, zero := range []rune{'٠', '۰', '०', '০', '๐'} {
		if r >= zero && r <= zero+9 {
			return '0' + r - zero
		}
	}
	return r
}

// fold makes small letters of a word and takes Latin accents off.
func fold(word string) string {
	word = strings.ToLower(word)
	if !strings.ContainsFunc(word, func(r rune) bool { return r >= 0x80 && r < 0x250 }) {
		return word
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x300 && r < 0x370:
			return -1
		case r == 'ł':
			return 'l'
		case r == 'ß':
			return 's'
		}
		return r
	}, norm.NFD.String(word))
}

var forms = []string{"2006-1-2", "2.1.2006", "2/1/2006", "2-1-2006", "2006/1/2", "1/2/2006"}

// date reads a day, or a year alone, in which somebody may be born who lives.
func date(text string) (born time.Time, exact bool) {
	text = strings.TrimSpace(text)
	if year, err := strconv.Atoi(text); err == nil {
		if len(text) == 4 && year > 1900 && year < 2200 {
			return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), false
		}
		return time.Time{}, false
	}
	for _, form := range forms {
		if t, err := time.Parse(form, text); err == nil && t.Year() > 1900 {
			return t, true
		}
	}
	return time.Time{}, false
}
