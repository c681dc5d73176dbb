// Package redact takes what identifies people out of text and puts placeholders there: [NAME_1], [EMAIL_2].
//
// What is known of those who take part is looked for first, then what can be told by its form, then names and addresses
// by lists and the words around them. Within one transcript a placeholder always stands for the same, and whatever was
// recognised anywhere in it is taken out everywhere in it. How much is found is measured (package corpus) and never
// complete: text without structure must be treated as if somebody were still in it.
package redact

import (
	"slices"
	"strconv"
	"strings"

	"aver/base/redact/known"
	"aver/base/redact/names"
	"aver/base/redact/numbers"
	"aver/base/redact/scan"
)

// Person is what is known of somebody who takes part.
type Person = known.Person

// Redactor redacts one transcript. It is for one goroutine.
type Redactor struct {
	known   *known.Matcher // who takes part, and what the transcript itself revealed
	text    scan.Text
	names   names.Finder
	numbers numbers.Finder
	found   []scan.Span
	placed  map[place]int
	last    map[scan.Type]int
	texts   []scan.Text // of the transcript's messages
	spans   [][]scan.Span
	fold    [64]byte
	out     []byte // the message that is being written
}

// place is what a placeholder stands for.
type place struct {
	kind   scan.Type
	person int
	value  uint64 // the folded text's hash; 0 of a known person's name
}

// New makes a redactor for a transcript in which these people take part.
func New(people ...Person) *Redactor {
	return &Redactor{known: known.New(people...), placed: map[place]int{}, last: map[scan.Type]int{}}
}

// Next begins another transcript, in which these people take part. Placeholders are counted from 1 again.
func (r *Redactor) Next(people ...Person) {
	r.known.Reset(people...)
	clear(r.placed)
	clear(r.last)
}

// Find returns what identifies somebody, in order and without overlap. The list is good until the next call.
func (r *Redactor) Find(text string) []scan.Span {
	r.text.Read(text)
	r.found = r.find(&r.text, r.found[:0])
	return r.found
}

func (r *Redactor) find(t *scan.Text, to []scan.Span) []scan.Span {
	to = r.known.Find(t, to)
	to = r.numbers.Find(t, to)
	to = r.names.Find(t, to)
	return joined(t.S, to)
}

// joined sorts spans and makes one of those that overlap, of the type of the longest; neighbouring parts of a name are one.
func joined(text string, all []scan.Span) []scan.Span {
	if len(all) < 2 {
		return all
	}
	slices.SortStableFunc(all, func(a, b scan.Span) int { return a.From - b.From })
	out, longest := all[:1], all[0].To-all[0].From
	for _, s := range all[1:] {
		last := &out[len(out)-1]
		named := s.Type == scan.Name && last.Type == scan.Name && s.From >= last.To && strings.Trim(text[last.To:s.From], " \u00a0") == ""
		if s.From >= last.To && !named {
			out, longest = append(out, s), s.To-s.From
			continue
		}
		if n := s.To - s.From; n > longest {
			last.Type, longest = s.Type, n
		}
		if last.Person == 0 {
			last.Person = s.Person
		}
		last.To = max(last.To, s.To)
	}
	return out
}

// mostRounds is how often a message is looked at again after something was taken out of it: what is left may read
// differently.
const mostRounds = 8

// Transcript returns the messages with placeholders.
func (r *Redactor) Transcript(messages []string) []string {
	for len(r.texts) < len(messages) {
		r.texts, r.spans = append(r.texts, scan.Text{}), append(r.spans, nil)
	}
	for i, m := range messages {
		r.texts[i].Read(m)
		r.spans[i] = r.find(&r.texts[i], r.spans[i][:0])
		for _, s := range r.spans[i] {
			if s.Person == 0 && told(s.Type) {
				r.known.Learn(s.Type, m[s.From:s.To])
			}
		}
	}
	out := make([]string, len(messages))
	for i, m := range messages {
		out[i] = r.message(m, joined(m, r.known.Find(&r.texts[i], r.spans[i])))
	}
	return out
}

// told tells whether what is of the type may have been recognised by the words around it, so that it would be missed elsewhere.
func told(t scan.Type) bool {
	switch t {
	case scan.Name, scan.Phone, scan.National, scan.Passport, scan.Birth:
		return true
	}
	return false
}

// message replaces what was found, and what is found in what is left, until there is nothing.
func (r *Redactor) message(m string, found []scan.Span) string {
	for round := 0; len(found) > 0 && round < mostRounds; round++ {
		m = r.replace(m, found)
		found = r.Find(m)
	}
	return m
}

func (r *Redactor) replace(m string, found []scan.Span) string {
	out, at := r.out[:0], 0
	for _, s := range found {
		out = append(out, m[at:s.From]...)
		out = r.placeholder(out, s, m[s.From:s.To])
		at = s.To
	}
	r.out = append(out, m[at:]...)
	return string(r.out)
}

// placeholder appends what stands for a text.
func (r *Redactor) placeholder(out []byte, s scan.Span, text string) []byte {
	key := place{s.Type, s.Person, 0}
	if s.Person == 0 || s.Type != scan.Name {
		key.value = scan.Hash(string(scan.Fold(text, r.fold[:0])))
	}
	n, known := r.placed[key]
	if !known {
		r.last[s.Type]++
		n = r.last[s.Type]
		r.placed[key] = n
	}
	out = append(append(append(out, '['), s.Type...), '_')
	return append(strconv.AppendInt(out, int64(n), 10), ']')
}
