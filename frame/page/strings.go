package page

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed strings/*.json
var shipped embed.FS

// text holds the words of the shared parts.
var text = mustShipped("en")

// public holds the words of the parts that pages for everybody are made of, in other languages.
var public = shippedIn("de", "fr", "es", "it", "pt", "nl", "pl", "ar", "hi")

func shippedIn(languages ...string) map[string]Strings {
	all := map[string]Strings{}
	for _, l := range languages {
		all[l] = mustShipped(l)
	}
	return all
}

func mustShipped(lang string) Strings {
	file, err := shipped.ReadFile("strings/" + lang + ".json")
	if err != nil {
		panic(fmt.Sprintf("page: a string file cannot be read: %v", err))
	}
	return MustStrings(language.MustParse(lang), file)
}

type languageKey struct{}

// Speak returns a context in which the parts of public pages speak this language, where they can.
func Speak(ctx context.Context, lang string) context.Context {
	return context.WithValue(ctx, languageKey{}, lang)
}

// say gives the words of the shared parts in the language of the page.
func say(ctx context.Context) Strings {
	if s, ok := public[spoken(ctx)]; ok {
		return s
	}
	return text
}

// spoken is the language that Speak set, or empty.
func spoken(ctx context.Context) string {
	lang, _ := ctx.Value(languageKey{}).(string)
	return lang
}

// pageLanguage is what the root element of a public page says: the language that was spoken of, whoever speaks it.
func pageLanguage(ctx context.Context) string {
	if lang := spoken(ctx); lang != "" && lang != "en" {
		return lang
	}
	return "en-GB"
}

// rightToLeft lists the languages that are written so, of those that pages speak.
var rightToLeft = []string{"ar"}

// pageDirection is in which direction the page is written.
func pageDirection(ctx context.Context) string {
	if slices.Contains(rightToLeft, spoken(ctx)) {
		return "rtl"
	}
	return "ltr"
}

// Strings are the texts of one part of the product in one language, by key.
type Strings struct {
	lang  language.Tag
	texts map[string]forms
}

// forms are the plural forms of one text; one without a number has only the first.
type forms struct {
	other string
	more  map[string]string // the other categories of CLDR, such as "one"
}

// UnmarshalJSON takes either a plain text or an object of plural forms: {"one": "…", "other": "…"}.
func (f *forms) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &f.other) == nil {
		return nil
	}
	if err := json.Unmarshal(data, &f.more); err != nil {
		return err
	}
	f.other = f.more["other"]
	delete(f.more, "other")
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

// Translations are the texts of one part in several languages. The first is for people whose language is none of them.
type Translations []Strings

// MustTranslations reads strings.<language>.json of each language; it panics as MustStrings does.
func MustTranslations(files fs.FS, languages ...string) Translations {
	var all Translations
	for _, l := range languages {
		file, err := fs.ReadFile(files, "strings."+l+".json")
		if err != nil {
			panic(fmt.Sprintf("page: a string file cannot be read: %v", err))
		}
		all = append(all, MustStrings(language.MustParse(l), file))
	}
	return all
}

// In returns the texts of a language, or those of the first.
func (t Translations) In(lang string) Strings {
	for _, s := range t {
		if s.lang.String() == lang {
			return s
		}
	}
	return t[0]
}

// Match finds the language that suits a reader best, by what the browser says in Accept-Language.
func (t Translations) Match(accept string) string {
	var tags []language.Tag
	for _, s := range t {
		tags = append(tags, s.lang)
	}
	wanted, _, _ := language.ParseAcceptLanguage(accept) // whoever sends nonsense gets the first
	_, i, _ := language.NewMatcher(tags).Match(wanted...)
	return tags[i].String()
}

// T returns the text for a key. {0}, {1}, … are replaced by the arguments; the plural form follows the first
// argument when that is an int. A key that does not exist comes back in brackets, so that it is seen on the page.
func (s Strings) T(key string, args ...any) string {
	forms, ok := s.texts[key]
	if !ok {
		return "[" + key + "]"
	}
	out := forms.other
	if n, ok := first(args); ok {
		if form, ok := forms.more[category(s.lang, n)]; ok {
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
