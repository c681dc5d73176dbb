package corpus_test

import (
	"slices"
	"strings"
	"testing"

	"aver/base/redact/corpus"
	"aver/base/redact/names"
	"aver/base/redact/scan"
)

func TestWhatCanBeToldByItsFormIsFound(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		m := corpus.Run(corpus.Make(seed, corpus.Size), corpus.Blind)
		if r, p := m.Structured.Recall(), m.Structured.Precision(); r < 0.99 || p < 0.90 {
			t.Errorf("seed %d: recall %.3f, precision %.3f of %d", seed, r, p, m.Structured.All())
		}
	}
}

func TestWhoIsKnownIsMissedLess(t *testing.T) {
	t.Parallel()
	all := corpus.Make(1, corpus.Size)
	knowing, blind := corpus.Run(all, corpus.Knowing), corpus.Run(all, corpus.Blind)
	if knowing.Overall.Recall() <= blind.Overall.Recall() || knowing.Overall.Recall() < 0.95 || blind.Overall.F2() < 0.9 {
		t.Errorf("recall %.3f knowing, %.3f without; F2 without %.3f", knowing.Overall.Recall(), blind.Overall.Recall(), blind.Overall.F2())
	}
}

func TestARecogniserThatIsSwitchedOffIsSeen(t *testing.T) {
	t.Parallel()
	if m := corpus.Run(corpus.Make(1, 400), corpus.Off); m.Overall.Recall() != 0 || m.Overall.Shown != m.Overall.All() || m.Overall.F2() != 0 {
		t.Errorf("recall %.3f, %d shown of %d", m.Overall.Recall(), m.Overall.Shown, m.Overall.All())
	}
}

func TestTheSameSeedMakesTheSame(t *testing.T) {
	t.Parallel()
	a, b, c := corpus.Make(1, 500), corpus.Make(1, 500), corpus.Make(2, 500)
	same := func(x, y corpus.Sentence) bool { return x.Text == y.Text && slices.Equal(x.Spans, y.Spans) }
	if !slices.EqualFunc(a, b, same) || slices.EqualFunc(a, c, same) {
		t.Error("the seed does not decide")
	}
}

func TestHeldNamesStandOnNoList(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, name := range append(names.Given(), names.Surnames()...) {
		listed[name] = true
	}
	for _, name := range corpus.Held() {
		if listed[scan.FoldString(name)] {
			t.Errorf("%s is listed", name)
		}
	}
}

func TestSpansOfTheCorpusAreWhatTheySay(t *testing.T) {
	t.Parallel()
	hard, spans := 0, 0
	for _, s := range corpus.Make(1, corpus.Size) {
		for _, span := range s.Spans {
			value := s.Text[span.From:span.To]
			if strings.TrimSpace(value) != value || value == "" {
				t.Errorf("%q in %q", value, s.Text)
			}
			if spans++; span.Unlisted {
				hard++
			}
		}
	}
	if spans < 1500 || hard < 300 {
		t.Errorf("%d spans, %d unlisted", spans, hard)
	}
}
