package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"aver/base/redact"
	"aver/base/redact/corpus"
)

// perTranscript is how many messages a conversation has here: enough that what is known of its people is set up as seldom
// as in an inbox.
const perTranscript = 40

// redaction: whole transcripts, in which every sentence holds something to take out or to leave, beside one pass over the same bytes that
// decodes and copies them.
func redaction(_ context.Context, s scale) ([]line, error) {
	all := corpus.Make(1, s.of(corpus.Size, 200))
	var texts []string
	size := 0
	for _, sentence := range all {
		texts, size = append(texts, sentence.Text), size+len(sentence.Text)
	}
	rounds := s.of(40, 1)
	var ours, raw []float64
	for range 3 * s.rounds() {
		begun := worked()
		r := redact.New()
		for range rounds {
			for part := range slices.Chunk(texts, perTranscript) {
				r.Next(all[0].People...)
				r.Transcript(part)
			}
		}
		ours = append(ours, float64(rounds*size)/1e6/(worked()-begun).Seconds())
		begun = worked()
		for range rounds {
			for _, text := range texts {
				copied(text)
			}
		}
		raw = append(raw, float64(rounds*size)/1e6/(worked()-begun).Seconds())
	}
	m := corpus.Run(all, corpus.Knowing)
	blind := corpus.Run(all, corpus.Blind)
	return []line{
		{What: fmt.Sprintf("redaction of transcripts, per core (%d sentences, %d bytes)", len(all), size), Must: "≥ 20 MB/s", Aim: "≥ 40 MB/s",
			Ours: rate(median(ours)), Raw: rate(median(raw)) + " decoding and copying", Ratio: fmt.Sprintf("%.2f", median(ours)/median(raw)), Verdict: least(median(ours), 20, 40)},
		{What: "redaction of what can be told by its form, without knowing who takes part: recall, precision", Must: "≥ 0.990, ≥ 0.900", Aim: "≥ 0.995, ≥ 0.980",
			Ours:    fmt.Sprintf("%.3f, %.3f", blind.Structured.Recall(), blind.Structured.Precision()),
			Verdict: worse(least(blind.Structured.Recall(), 0.99, 0.995), least(blind.Structured.Precision(), 0.90, 0.98))},
		{What: "redaction of everything, names and addresses too: F2 knowing who takes part, and without", Ours: fmt.Sprintf("%.3f, %.3f", m.Overall.F2(), blind.Overall.F2()),
			Raw: "0.618, 0.845 published of Presidio, on another corpus"},
	}, nil
}

func rate(megabytes float64) string { return fmt.Sprintf("%.1f MB/s", megabytes) }

// copied is one pass over a text: the least that looks at every character and makes a new text.
func copied(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for _, r := range text {
		if r != utf8.RuneError {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// worse is the worse of two verdicts.
func worse(a, b string) string {
	for _, v := range []string{missed, held} {
		if a == v || b == v {
			return v
		}
	}
	return a
}
