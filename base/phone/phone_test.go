package phone_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"aver/base/phone"
)

func TestNumbersAreWrittenTheSameHoweverPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typed, country, want string }{
		{"+49 (0)30 90 18 20", "", "+4930901820"},
		{"+49-30-901820", "US", "+4930901820"},
		{"030 901820", "DE", "+4930901820"},
		{"030 901820", "de", "+4930901820"},
		{"0049 30 901820", "DE", "+4930901820"},
		{"011 49 30 901820", "US", "+4930901820"},
		{"(415) 555-2671", "US", "+14155552671"},
		{"1 415 555 2671", "US", "+14155552671"},
		{"+44 20 7946 0958", "", "+442079460958"},
		{"020 7946 0958", "GB", "+442079460958"},
		{"06 6982", "IT", "+39066982"}, // Italy dials its zero from abroad
		{"06 1 234 5678", "HU", "+3612345678"},
		{"8 (495) 123-45-67", "RU", "+74951234567"},
		{"612 34 56 78", "ES", "+34612345678"},
		{"٠٣٠ ٩٠١٨٢٠", "DE", "+4930901820"},
		{"＋４９ ３０ ９０１８２０", "", "+4930901820"},
		{"tel:+81-3-5550-1200", "", "+81355501200"},
		{"+800 1234 5678", "", "+80012345678"},
	} {
		if got, ok := phone.Parse(c.typed, c.country); !ok || got != c.want {
			t.Errorf("%q in %q: %q, %v, want %q", c.typed, c.country, got, ok, c.want)
		}
	}
}

func TestWhatCannotBeANumberIsRefused(t *testing.T) {
	t.Parallel()
	for typed, country := range map[string]string{
		"":                     "DE",
		"030 901820":           "", // which country's?
		"030 901821":           "ZZ",
		"+49":                  "",
		"+49 12":               "",
		"+999 123456789":       "", // nobody's code
		"+1 015 555 2671":      "", // no area begins with 0
		"+49 1234567890123456": "",
		"call me":              "DE",
		"+49 30 CALLNOW":       "",
		"++49 30 901820":       "",
	} {
		if got, ok := phone.Parse(typed, country); ok {
			t.Errorf("%q in %q is taken for %s", typed, country, got)
		}
	}
}

func TestAWrittenNumberIsReadAsItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`\+?[0-9 ()/-]{5,20}`).Draw(t, "typed")
		country := rapid.SampledFrom([]string{"", "DE", "US", "IT", "HU", "IN"}).Draw(t, "country")
		number, ok := phone.Parse(text, country)
		if !ok {
			return
		}
		if again, ok := phone.Parse(number, ""); !ok || again != number {
			t.Fatalf("%q became %q, which is read as %q (%v)", text, number, again, ok)
		}
		if again, ok := phone.Parse(phone.Shown(number), ""); !ok || again != number {
			t.Fatalf("%q is shown as %q, which is read as %q (%v)", number, phone.Shown(number), again, ok)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("+49 (0)30 901820", "DE")
	f.Fuzz(func(t *testing.T, text, country string) {
		number, ok := phone.Parse(text, country)
		if ok && (number[0] != '+' || len(number) > 16 || strings.Trim(number[1:], "0123456789") != "" || !utf8.ValidString(phone.Shown(number))) {
			t.Errorf("%q became %q", text, number)
		}
	})
}
