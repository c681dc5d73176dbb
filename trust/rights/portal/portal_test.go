package portal_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"aver/trust/rights/letters"
)

var places = regexp.MustCompile(`\{[0-9]\}`)

// TestEveryLanguageHasEveryText compares with English, of which the letters to colleagues have no other.
func TestEveryLanguageHasEveryText(t *testing.T) {
	t.Parallel()
	for folder, colleagues := range map[string]*regexp.Regexp{".": nil, "../letters": regexp.MustCompile(`^(waiting|alarm|returned|asked)\.`)} {
		english := read(t, folder, "en")
		maps.DeleteFunc(english, func(key, _ string) bool { return colleagues != nil && colleagues.MatchString(key) })
		for _, lang := range letters.Languages {
			texts := read(t, folder, lang)
			for key, want := range english {
				got := texts[key]
				if a, b := places.FindAllString(got, -1), places.FindAllString(want, -1); got == "" || !slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b)))) {
					t.Errorf("%s in %s: %s is %q, in English %q", folder, lang, key, got, want)
				}
				if lang != "en" && len(want) > 20 && got == want {
					t.Errorf("%s in %s: %s is English", folder, lang, key)
				}
			}
			if lang != "en" && len(texts) != len(english) {
				t.Errorf("%s in %s has %d texts, English %d", folder, lang, len(texts), len(english))
			}
		}
	}
}

func read(t *testing.T, folder, lang string) (texts map[string]string) {
	t.Helper()
	file, err := os.ReadFile(folder + "/strings." + lang + ".json")
	if err == nil {
		err = json.Unmarshal(file, &texts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
