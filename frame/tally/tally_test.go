package tally_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"aver/frame/tally"
)

func written(s *tally.Set) string {
	var out strings.Builder
	s.Write(&out)
	return out.String()
}

func TestWhatIsCountedIsWrittenByFamilyAndLabel(t *testing.T) {
	t.Parallel()
	var s tally.Set
	s.Count(tally.Series("runs_total", "kind", "b", "end", "done"))
	s.Count(tally.Series("runs_total", "kind", "a\"\\\n", "end", "done"))
	s.Count(tally.Series("runs_total", "kind", "b", "end", "done"))
	s.Count("starts_total")
	s.Gauge("waiting").Add(3)
	want := "# TYPE runs_total counter\n" + `runs_total{kind="a\"\\\n",end="done"} 1` + "\n" + `runs_total{kind="b",end="done"} 2` +
		"\n# TYPE starts_total counter\nstarts_total 1\n# TYPE waiting gauge\nwaiting 3\n"
	if got := written(&s); got != want {
		t.Errorf("written:\n%s\nwant:\n%s", got, want)
	}
}

func TestATimeIsInItsBucketAndInAllAboveIt(t *testing.T) {
	t.Parallel()
	var s tally.Set
	for _, took := range []time.Duration{0, time.Millisecond, 3 * time.Millisecond, time.Minute} {
		s.Took(tally.Series("seconds", "route", "GET /"), took)
	}
	s.Took("bare", time.Second)
	got := written(&s)
	for _, line := range []string{`seconds_bucket{route="GET /",le="0.001"} 2`, `seconds_bucket{route="GET /",le="0.0025"} 2`, `seconds_bucket{route="GET /",le="0.005"} 3`,
		`seconds_bucket{route="GET /",le="10"} 3`, `seconds_bucket{route="GET /",le="+Inf"} 4`, `seconds_count{route="GET /"} 4`, `seconds_sum{route="GET /"} 60.004`,
		`bare_bucket{le="1"} 1`, "bare_sum 1", "bare_count 1", "# TYPE seconds histogram"} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %s in:\n%s", line, got)
		}
	}
}

func TestNothingIsLostWhenManyCount(t *testing.T) {
	t.Parallel()
	var s tally.Set
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				s.Count(tally.Series("n", "k", "v"))
				s.Took("t", time.Millisecond)
			}
		})
	}
	all.Wait()
	if got := written(&s); !strings.Contains(got, `n{k="v"} 8000`) || !strings.Contains(got, "t_count 8000") {
		t.Error(got)
	}
}
