// Package others keeps other people out of the copy that somebody is given of their own data (GDPR Art. 15(4)).
//
// Who works for the tenant and whoever else the tenant knows may be spoken of in a person's conversations: by name, by
// address, by number. A first look at the texts finds the addresses and numbers in them; whose they are is asked by
// blind index; a second look replaces what is somebody else's. What the tenant knows nobody by stays as it was written.
package others

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"aver/base/personal"
)

// Instead is what stands where somebody else was named.
const Instead = "[another person]"

// Someone is what the tenant knows of a person who is not the one asking.
type Someone struct{ Name, Email, Phone, ID personal.Text }

// Lookup finds whoever has an address or number. mine tells that it is the asking person's own, too.
type Lookup func(text string) (found []Someone, mine bool, err error)

var (
	addresses = regexp.MustCompile(`[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+`)
	numbers   = regexp.MustCompile(`\+\(?[0-9][0-9 ()/.–-]{5,24}[0-9]`) // with their country: others are not known by themselves
)

const (
	mostSeen  = 5000 // different addresses and numbers of one copy that are asked for
	shortName = 3    // characters of a name that may stand for itself; shorter ones would hit words
)

// Finder collects what may be somebody's.
type Finder struct{ seen map[string]bool }

// See looks at a text.
func (f *Finder) See(text string) {
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	if len(f.seen) >= mostSeen || !strings.ContainsAny(text, "@+") {
		return
	}
	for _, found := range addresses.FindAllString(text, -1) {
		f.seen[strings.Trim(found, ".'")] = true
	}
	for _, found := range numbers.FindAllString(text, -1) {
		f.seen[found] = true
	}
}

// Redactor replaces others by Instead. The zero one replaces nobody.
type Redactor struct{ words []string }

// Redactor asks whose the collected addresses and numbers are.
func (f *Finder) Redactor(lookup Lookup) (*Redactor, error) {
	r := &Redactor{}
	for text := range f.seen {
		found, mine, err := lookup(text)
		if err != nil {
			return nil, err
		}
		if mine || len(found) == 0 {
			continue
		}
		r.Hide(text)
		for _, who := range found {
			r.Hide(who.Name.Reveal(), who.Email.Reveal(), who.Phone.Reveal(), who.ID.Reveal())
		}
	}
	return r, nil
}

// Hide adds words by which somebody is known.
func (r *Redactor) Hide(words ...string) {
	for _, w := range words {
		if w = strings.TrimSpace(w); utf8.RuneCountInString(w) >= shortName {
			r.words = append(r.words, w)
		}
	}
}

// Spare takes back words that are the asking person's own, such as a name that they share with somebody.
func (r *Redactor) Spare(words ...string) {
	kept := r.words[:0]
	for _, w := range r.words {
		own := false
		for _, mine := range words {
			own = own || strings.EqualFold(w, strings.TrimSpace(mine))
		}
		if !own {
			kept = append(kept, w)
		}
	}
	r.words = kept
}

// Text replaces whoever else is named, where the name stands as words of its own.
func (r *Redactor) Text(text string) string {
	for _, w := range r.words {
		if strings.Contains(text, w) {
			text = replaceWord(text, w)
		}
	}
	return text
}

func replaceWord(text, word string) string {
	var out strings.Builder
	for {
		at := strings.Index(text, word)
		if at < 0 {
			out.WriteString(text)
			return out.String()
		}
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(word):])
		out.WriteString(text[:at])
		if joins(before) || joins(after) {
			out.WriteString(word)
		} else {
			out.WriteString(Instead)
		}
		text = text[at+len(word):]
	}
}

func joins(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
