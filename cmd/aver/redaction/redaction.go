// Package redaction measures how much of what identifies people is taken out of text, for the command that prints it.
package redaction

import (
	"fmt"
	"io"

	"aver/base/redact/corpus"
	"aver/base/redact/scan"
)

// Summary and Usage are the command's help.
const (
	Summary = "measure how much of what identifies people is taken out of text"
	Usage   = `
aver redact bench     precision, recall and F2 of each sort, on sentences whose names and numbers are known

The sentences are made by the program from a seed; a third of the names in them stand on no list that the recognisers
know. "known" is with what an installation knows of those who take part, as for an improvement set; "blind" is without.
Published figures of others are on another corpus and printed for orientation only. Exit status 1 if what can be told by
its form is found less than was promised: recall 0.99, precision 0.90.

Examples:
  aver redact bench
  aver redact bench --seed 7 --sentences 10000 --json`
)

// Of Presidio on its own test data, as its authors publish them; F2 is 5PR/(4P+R).
const (
	publishedDefault = 0.618
	publishedBest    = 0.845
)

// What is promised of what can be told by its form.
const (
	recallGoal    = 0.99
	precisionGoal = 0.90
)

// figures are one line of the table.
type figures struct {
	Type      string  `json:"type"`
	Spans     int     `json:"spans"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F2        float64 `json:"f2"`
	Shown     int     `json:"still_readable"`
}

func figuresOf(name string, s corpus.Score) figures {
	return figures{name, s.All(), s.Precision(), s.Recall(), s.F2(), s.Shown}
}

func lines(m corpus.Measure) (out []figures) {
	for _, t := range scan.Types {
		if s, measured := m.Types[t]; measured {
			out = append(out, figuresOf(string(t), s))
		}
	}
	return append(out, figuresOf("names on no list", m.Unlisted), figuresOf("by form", m.Structured), figuresOf("overall", m.Overall))
}

// Result is a measurement: with what is known of those who take part, and without.
type Result struct{ known, blind corpus.Measure }

// Bench measures over a corpus of so many sentences, which the seed decides.
func Bench(seed uint64, sentences int) Result {
	all := corpus.Make(seed, sentences)
	return Result{corpus.Run(all, corpus.Knowing), corpus.Run(all, corpus.Blind)}
}

// Holds tells whether what can be told by its form is found as was promised.
func (r Result) Holds() bool {
	return r.blind.Structured.Recall() >= recallGoal && r.blind.Structured.Precision() >= precisionGoal
}

// JSON is the result for programs.
func (r Result) JSON() map[string]any {
	return map[string]any{"sentences": r.known.Sentences, "bytes": r.known.Bytes, "known": lines(r.known), "blind": lines(r.blind), "holds": r.Holds(),
		"published_on_another_corpus": map[string]float64{"presidio_default_f2": publishedDefault, "presidio_best_f2": publishedBest}}
}

// Say prints the result.
func (r Result) Say(out io.Writer) {
	known, blind := r.known, r.blind
	fmt.Fprintf(out, "%d sentences, %d bytes, eight languages\n\n%-18s %6s   %-26s   %s\n%-18s %6s   %8s %8s %8s   %8s %8s %8s\n", known.Sentences, known.Bytes,
		"", "", "known", "blind", "", "spans", "prec.", "recall", "F2", "prec.", "recall", "F2")
	without := lines(blind)
	for i, f := range lines(known) {
		b := without[i]
		fmt.Fprintf(out, "%-18s %6d   %8.3f %8.3f %8.3f   %8.3f %8.3f %8.3f\n", f.Type, f.Spans, f.Precision, f.Recall, f.F2, b.Precision, b.Recall, b.F2)
	}
	fmt.Fprintf(out, "\nPublished on another corpus, not comparable: F2 %.3f (Presidio, default), %.3f (with a language model).\n", publishedDefault, publishedBest)
}
