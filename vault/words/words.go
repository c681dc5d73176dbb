// Package words takes text apart into the words by which it is found.
//
// It knows nothing of keys and stores: the vault turns what it gives into tokens.
package words

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Most is how many different words of one text count; the rest of a very long text is not found.
const Most = 400

// prefixSizes are the lengths, in letters, of the beginnings by which a word is found.
var prefixSizes = []int{2, 3, 5}

// Of splits text into its different words, folded and sorted: lower case, without accents.
func Of(text string) []string {
	fold := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
	all := strings.FieldsFunc(fold, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), Most)]
}

// Asked splits a query into its words as they were typed: the last may be a beginning.
func Asked(query string) []string {
	return strings.FieldsFunc(query, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) })
}

// Beginnings are the beginnings under which a folded word is filed.
func Beginnings(word string) []string {
	var out []string
	for _, n := range prefixSizes {
		if p, ok := first(word, n); ok {
			out = append(out, p)
		}
	}
	return out
}

// Longest is the longest beginning under which words that start so are filed, and false if the word is too short to be
// looked up by its beginning.
func Longest(word string) (string, bool) {
	all := Beginnings(word)
	if len(all) == 0 {
		return "", false
	}
	return all[len(all)-1], true
}

// first gives the first n letters, and whether there are that many.
func first(word string, n int) (string, bool) {
	i := 0
	for at := range word {
		if i == n {
			return word[:at], true
		}
		i++
	}
	return word, i == n
}

// Contain tells whether all words asked for are among those of a text, the last perhaps as a beginning.
func Contain(have, asked []string) bool {
	for i, raw := range asked {
		for _, w := range Of(raw) {
			last := i == len(asked)-1
			if !slices.ContainsFunc(have, func(h string) bool { return h == w || last && strings.HasPrefix(h, w) }) {
				return false
			}
		}
	}
	return true
}
