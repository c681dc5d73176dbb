package crowd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aver/trust/improvement/crowd"
)

var monday = time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)

// some are conversations of so many people, a day apart each.
func some(people int, language, company, text string, apart time.Duration) (out []crowd.Transcript) {
	for i := range people {
		out = append(out, crowd.Transcript{Person: fmt.Sprint(language, company, i), At: monday.Add(time.Duration(i) * apart), Language: language, Channel: "webchat", Company: company,
			Lines: []crowd.Line{{From: "visitor", Text: text}}})
	}
	return out
}

func TestWhoLooksLikeFewIsLeftOutOrSaidLessOf(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		all                               []crowd.Transcript
		kept                              int
		language, period, company, leaves string
	}{
		"five on one day":                  {some(5, "en", "Bees", "hello", time.Hour), 5, "en", "2026-11-16", "company 1", "hello"},
		"five in one week":                 {some(5, "en", "Bees", "hello", day), 5, "en", "2026-W47", "company 1", "hello"},
		"five of three companies":          {append(some(2, "en", "Bees", "hello", 0), some(3, "en", "Wasps", "hello", 0)...), 5, "en", "2026-W47", "*", "hello"},
		"five in three languages":          {append(some(2, "en", "", "hello", 0), some(3, "de", "", "hello", 0)...), 5, "*", "2026-11", "*", "hello"},
		"four":                             {some(4, "en", "", "hello", 0), 0, "", "", "", ""},
		"five, one of whom wrote as often": {append(some(4, "en", "", "hello", 0), some(1, "en", "", "hello", 0)...), 0, "", "", "", ""},
	} {
		kept, _ := crowd.Hide(c.all, crowd.K)
		if len(kept) != c.kept {
			t.Errorf("%s: %d kept", name, len(kept))
			continue
		}
		if c.kept == 0 {
			continue
		}
		if got := kept[0]; got.Language != c.language || got.Period != c.period || got.Company != c.company || got.Lines[0].Text != c.leaves {
			t.Errorf("%s: %+v", name, got)
		}
		if k := crowd.Smallest(kept); k < crowd.K {
			t.Errorf("%s: only %d look alike", name, k)
		}
	}
}

func TestWordsThatFewUseAreTakenOut(t *testing.T) {
	t.Parallel()
	all := some(5, "en", "", "hello there", 0)
	all[0].Lines[0].Text = "hello xylophone-repairman 4711, there [NAME_1] Hello"
	kept, n := crowd.Hide(all, crowd.K)
	var texts []string
	for _, k := range kept {
		texts = append(texts, k.Lines[0].Text)
	}
	got := strings.Join(texts, "\n")
	if n != 3 || !strings.Contains(got, "hello [RARE], there [NAME_1] Hello") || strings.Contains(got, "xylo") {
		t.Errorf("%d words taken out of %q", n, got)
	}
}

func TestACrowdOfTwoIsSeen(t *testing.T) {
	t.Parallel()
	kept, _ := crowd.Hide(some(2, "en", "", "hello", 0), 2)
	if k, words := crowd.Smallest(kept), crowd.Fewest(kept); k != 2 || words != 2 {
		t.Errorf("%d look alike, %d share a word", k, words)
	}
}
