package words_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"aver/vault/words"
)

func TestWordsAreFoldedAndCountedOnce(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"Rücksendung, RUCKSENDUNG!": {"rucksendung"},
		"a.b-c 12":                  {"12", "a", "b", "c"},
		"Łódź é":                    {"e", "łodz"},
		"":                          {},
	} {
		if got := words.Of(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestEveryWordContainsItsOwnBeginnings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		for _, w := range words.Of(text) {
			for _, b := range words.Beginnings(w) {
				if !utf8.ValidString(b) || !words.Contain([]string{w}, []string{b}) {
					t.Fatalf("%q is no beginning of %q", b, w)
				}
			}
		}
	})
}
