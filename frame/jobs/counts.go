package jobs

import (
	"io"

	"aver/frame/tally"
)

// How a run of a job ended.
const (
	done     = "done"
	failed   = "failed"   // and will be tried again, by its schedule or the clock
	dead     = "dead"     // given up
	returned = "returned" // cut off by a shutdown, back in the queue
)

type counts struct{ *tally.Set }

func newCounts() counts { return counts{new(tally.Set)} }

func (c counts) add(kind, outcome string) {
	c.Count(tally.Series("aver_jobs_runs_total", "kind", kind, "outcome", outcome))
}

// WriteMetrics writes how often each kind of work ran, and how that ended, in Prometheus's text format.
func (j *Jobs) WriteMetrics(w io.Writer) { j.counts.Write(w) }
