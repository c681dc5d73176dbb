package page

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed strings/en.json
var english []byte

// text holds the words of the shared parts.
var text = MustStrings(language.English, english)

// Strings are the texts of one part of the product in one language, by key.
type Strings struct {
	lang  language.Tag
	texts map[string]forms
}

// forms are the plural forms of one text, by CLDR category; a text without a number has only "other".
type forms map[string]string

// UnmarshalJSON takes either a plain text or an object of plural forms: {"one": "…", "other": "…"}.
func (f *forms) UnmarshalJSON(data []byte) error {
	var plain string
	if json.Unmarshal(data, &plain) == nil {
		*f = forms{"other": plain}
		return nil
	}
	var plurals map[string]string
	if err := json.Unmarshal(data, &plurals); err != nil {
		return err
	}
	*f = plurals
	return nil
}

// MustStrings reads a string file, which is a JSON object from key to text. It panics on a file that is not one: the
// file is part of the program.
func MustStrings(lang language.Tag, file []byte) Strings {
	s := Strings{lang: lang}
	if err := json.Unmarshal(file, &s.texts); err != nil {
		panic(fmt.Sprintf("page: a string file cannot be read: %v", err))
	}
	return s
}

// T returns the text for a key. {0}, {1}, … are replaced by the arguments; the plural form follows the first
// argument when that is an int. A key that does not exist comes back in brackets, so that it is seen on the page.
func (s Strings) T(key string, args ...any) string {
	forms, ok := s.texts[key]
	if !ok {
		return "[" + key + "]"
	}
	out := forms["other"]
	if n, ok := first(args); ok {
		if form, ok := forms[category(s.lang, n)]; ok {
			out = form
		}
	}
	for i, arg := range args {
		if n, ok := arg.(int); ok {
			arg = Number(n)
		}
		out = strings.ReplaceAll(out, fmt.Sprintf("{%d}", i), fmt.Sprint(arg))
	}
	return out
}

// Keys lists the keys there are.
func (s Strings) Keys() []string {
	return slices.Sorted(maps.Keys(s.texts))
}

func first(args []any) (int, bool) {
	if len(args) == 0 {
		return 0, false
	}
	n, ok := args[0].(int)
	return n, ok
}

func category(lang language.Tag, n int) string {
	switch plural.Cardinal.MatchPlural(lang, max(n, -n), 0, 0, 0, 0) {
	case plural.Zero:
		return "zero"
	case plural.One:
		return "one"
	case plural.Two:
		return "two"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	default:
		return "other"
	}
}

// Number writes a whole number with its thousands apart: 12,345.
func Number(n int) string {
	digits := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
