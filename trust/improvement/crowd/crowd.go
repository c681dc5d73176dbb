// Package crowd hides transcripts among others: whoever knows of somebody when, in which language, through which channel
// and for which company they wrote finds at least as many people as were asked for, and no word that fewer of them used.
//
// It is arithmetic over what it is given. The words themselves must have been redacted before: see package base/redact.
// What it makes says nothing about whether a reader who has the conversations themselves could find them again: they can.
package crowd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"aver/base/redact/scan"
)

// K is how many people must look alike.
const K = 5

// Rare stands for a word that fewer people used.
const Rare = "[RARE]"

// Line is one message.
type Line struct {
	From string `json:"from"` // visitor, operator, program
	Text string `json:"text"`
}

// Transcript is a conversation. Person and At do not go into what is written.
type Transcript struct {
	Person   any // who it is about; comparable
	At       time.Time
	Language string
	Channel  string
	Company  string
	Period   string // the day, week or month; set by Hide
	Lines    []Line
}

// Any stands where a value was left out.
const Any = "*"

// levels say ever less about a transcript; it gets the first at which enough people look alike.
var levels = []func(*Transcript) key{
	func(t *Transcript) key {
		return key{t.Language, t.At.UTC().Format(time.DateOnly), t.Channel, t.Company}
	},
	func(t *Transcript) key { return key{t.Language, week(t.At), t.Channel, t.Company} },
	func(t *Transcript) key { return key{t.Language, week(t.At), t.Channel, Any} },
	func(t *Transcript) key { return key{t.Language, t.At.UTC().Format("2006-01"), t.Channel, Any} },
	func(t *Transcript) key { return key{Any, t.At.UTC().Format("2006-01"), t.Channel, Any} },
	func(t *Transcript) key { return key{Any, Any, t.Channel, Any} },
}

// key is what somebody might know of a person's conversation.
type key struct{ language, period, channel, company string }

func week(t time.Time) string {
	year, n := t.UTC().ISOWeek()
	return fmt.Sprintf("%d-W%02d", year, n)
}

// Hide returns the transcripts that at least k people look alike in, in an order that says nothing, and how many words it took out of
// them. The transcripts are changed. Companies have numbers that mean nothing outside.
func Hide(all []Transcript, k int) (kept []Transcript, rare int) {
	for _, level := range levels {
		var rest []Transcript
		people := map[key]map[any]bool{}
		for i := range all {
			at := level(&all[i])
			if people[at] == nil {
				people[at] = map[any]bool{}
			}
			people[at][all[i].Person] = true
		}
		for i := range all {
			at := level(&all[i])
			if len(people[at]) < k {
				rest = append(rest, all[i])
				continue
			}
			t := all[i]
			t.Language, t.Period, t.Channel, t.Company = at.language, at.period, at.channel, at.company
			kept = append(kept, t)
		}
		all = rest
	}
	rand.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	number(kept)
	return kept, drop(kept, k)
}

// number replaces the names of companies.
func number(all []Transcript) {
	numbers := map[string]string{Any: Any, "": ""}
	for i := range all {
		n, known := numbers[all[i].Company]
		if !known {
			n = "company " + strconv.Itoa(len(numbers)-1)
			numbers[all[i].Company] = n
		}
		all[i].Company = n
	}
}

// Fewest is the least number of people who share a word, 0 if there are no words.
func Fewest(all []Transcript) int {
	least := 0
	for _, people := range users(all, math.MaxInt) {
		if least == 0 || len(people) < least {
			least = len(people)
		}
	}
	return least
}

// users are the people who use each word, at most so many of them.
func users(all []Transcript, most int) map[uint64]map[any]bool {
	out := map[uint64]map[any]bool{}
	var text scan.Text
	for i := range all {
		for _, l := range all[i].Lines {
			text.Read(l.Text)
			for j := range text.Tokens {
				t := &text.Tokens[j]
				if !word(t) {
					continue
				}
				if out[t.Hash] == nil {
					out[t.Hash] = map[any]bool{}
				}
				if len(out[t.Hash]) < most {
					out[t.Hash][all[i].Person] = true
				}
			}
		}
	}
	return out
}

// drop takes out the words that fewer than k people's transcripts have.
func drop(all []Transcript, k int) (dropped int) {
	used := users(all, k)
	var text scan.Text
	for i := range all {
		for j := range all[i].Lines {
			n := 0
			all[i].Lines[j].Text, n = without(&text, all[i].Lines[j].Text, func(t *scan.Token) bool { return word(t) && len(used[t.Hash]) < k })
			dropped += n
		}
	}
	return dropped
}

func word(t *scan.Token) bool {
	return t.Kind == scan.Word || t.Kind == scan.Number || t.Kind == scan.Mixed
}

// without replaces words; several in a row by one sign.
func without(text *scan.Text, s string, rare func(*scan.Token) bool) (string, int) {
	text.Read(s)
	var out strings.Builder
	at, n, last := 0, 0, false
	for i := range text.Tokens {
		t := &text.Tokens[i]
		if !rare(t) {
			last = last && t.Kind == scan.Sign && t.Shape&scan.Spaced == 0
			continue
		}
		n++
		if !last {
			out.WriteString(s[at:t.From])
			out.WriteString(Rare)
		}
		at, last = t.To, true
	}
	out.WriteString(s[at:])
	return out.String(), n
}

// Smallest is the least number of people whose transcripts look alike, 0 if there are none.
func Smallest(all []Transcript) int {
	people := map[key]map[any]bool{}
	for i := range all {
		at := key{all[i].Language, all[i].Period, all[i].Channel, all[i].Company}
		if people[at] == nil {
			people[at] = map[any]bool{}
		}
		people[at][all[i].Person] = true
	}
	least := 0
	for _, p := range people {
		if least == 0 || len(p) < least {
			least = len(p)
		}
	}
	return least
}
