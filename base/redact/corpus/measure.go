package corpus

import (
	"aver/base/redact"
	"aver/base/redact/scan"
)

// overlap is the share of what was found and what should have been, together, that both cover: as in the published
// figures this is compared with.
const overlap = 0.7

// Score counts what was found.
type Score struct {
	Right  int `json:"right"`  // found where it is, as what it is
	Missed int `json:"missed"` // not found
	Wrong  int `json:"wrong"`  // found where nothing is, or as something else
	Shown  int `json:"shown"`  // of those there are, how many can still be read in whole or part, whatever they were found as
}

// All is how many there are.
func (s Score) All() int { return s.Right + s.Missed }

func (s Score) plus(o Score) Score {
	return Score{s.Right + o.Right, s.Missed + o.Missed, s.Wrong + o.Wrong, s.Shown + o.Shown}
}

// Recall is the share found of what there is, 1 if there is nothing.
func (s Score) Recall() float64 { return share(s.Right, s.Right+s.Missed) }

// Precision is the share of what was found that is right, 1 if nothing was.
func (s Score) Precision() float64 { return share(s.Right, s.Right+s.Wrong) }

// F2 weighs recall over precision: 5PR/(4P+R).
func (s Score) F2() float64 {
	p, r := s.Precision(), s.Recall()
	if p+r == 0 {
		return 0
	}
	return 5 * p * r / (4*p + r)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// Measure is what was found in some sentences.
type Measure struct {
	Sentences  int
	Bytes      int
	Types      map[scan.Type]Score
	Structured Score // what can be told by its form
	Unlisted   Score // names of which a part is on no list
	Overall    Score
}

// Knowing finds with what is known of those who take part, Blind without.
func Knowing(people []redact.Person, text string) []scan.Span {
	return redact.New(people...).Find(text)
}

// Blind finds without what is known of those who take part.
func Blind(_ []redact.Person, text string) []scan.Span { return redact.New().Find(text) }

// Off finds nothing: a recogniser that is switched off.
func Off([]redact.Person, string) []scan.Span { return nil }

// Run measures one way of finding.
func Run(sentences []Sentence, find func(people []redact.Person, text string) []scan.Span) Measure {
	m := Measure{Sentences: len(sentences), Types: map[scan.Type]Score{}}
	for _, s := range sentences {
		m.Bytes += len(s.Text)
		m.add(s, find(s.People, s.Text))
	}
	for t, score := range m.Types {
		m.Overall = m.Overall.plus(score)
		if t.Structured() {
			m.Structured = m.Structured.plus(score)
		}
	}
	return m
}

func (m *Measure) add(s Sentence, found []scan.Span) {
	taken := make([]bool, len(found))
	for _, want := range s.Spans {
		score := Score{Missed: 1}
		for i, f := range found {
			if !taken[i] && f.Type == want.Type && alike(f, want.Span) {
				taken[i], score = true, Score{Right: 1}
				break
			}
		}
		if !covered(want.Span, found) {
			score.Shown = 1
		}
		m.Types[want.Type] = m.Types[want.Type].plus(score)
		if want.Unlisted {
			m.Unlisted = m.Unlisted.plus(score)
		}
	}
	for i, f := range found {
		if !taken[i] {
			m.Types[f.Type] = m.Types[f.Type].plus(Score{Wrong: 1})
		}
	}
}

func alike(a, b scan.Span) bool {
	both := min(a.To, b.To) - max(a.From, b.From)
	whole := max(a.To, b.To) - min(a.From, b.From)
	return both > 0 && float64(both) >= overlap*float64(whole)
}

// covered tells whether what was found leaves nothing of a span.
func covered(want scan.Span, found []scan.Span) bool {
	at := want.From
	for _, f := range found {
		if f.From <= at && f.To > at {
			at = f.To
		}
	}
	return at >= want.To
}
