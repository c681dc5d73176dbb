package scan_test

import (
	"slices"
	"testing"

	"aver/base/redact/corpus"
	"aver/base/redact/scan"
)

func TestATextIsCutIntoWordsNumbersAndSigns(t *testing.T) {
	t.Parallel()
	var text scan.Text
	text.Read("Ł’Ardor d’été 12a ٤٢,[NAME_1] [x]\nZoë's")
	var got []string
	for i := range text.Tokens {
		got = append(got, text.Of(&text.Tokens[i]))
	}
	if want := []string{"Ł’Ardor", "d’été", "12a", "٤٢", ",", "[NAME_1]", "[", "x", "]", "Zoë's"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	last := &text.Tokens[len(text.Tokens)-1]
	if !last.Is(scan.Capital) || !last.Is(scan.Opens) || text.S[last.From:text.Whose(last)] != "Zoë" {
		t.Errorf("%+v", last)
	}
}

// The hash that is made in passing is that of the folded word, and so is that of the word without its last letter.
func TestAWordHasTheHashOfItsFoldedForm(t *testing.T) {
	t.Parallel()
	var text scan.Text
	for _, s := range corpus.Make(5, 600) {
		text.Read(s.Text)
		for i := range text.Tokens {
			k := &text.Tokens[i]
			if k.Kind == scan.Sign || k.Kind == scan.Held {
				continue
			}
			folded := scan.FoldString(text.Of(k))
			if k.Hash != scan.Hash(folded) || k.First != folded[0] || k.Last != folded[len(folded)-1] || scan.Stem(k.Hash, k.Last) != scan.Hash(folded[:len(folded)-1]) {
				t.Fatalf("%q folds to %q with another hash", text.Of(k), folded)
			}
		}
	}
}
