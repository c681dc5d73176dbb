package jobs

import (
	"fmt"
	"io"

	"github.com/VictoriaMetrics/metrics"
)

// How a run of a job ended.
const (
	done     = "done"
	failed   = "failed"   // and will be tried again, by its schedule or the clock
	dead     = "dead"     // given up
	returned = "returned" // cut off by a shutdown, back in the queue
)

type counts struct{ set *metrics.Set }

func newCounts() counts { return counts{metrics.NewSet()} }

func (c counts) add(kind, outcome string) {
	c.set.GetOrCreateCounter(fmt.Sprintf(`aver_jobs_runs_total{kind=%q,outcome=%q}`, kind, outcome)).Inc()
}

// WriteMetrics writes how often each kind of work ran, and how that ended, in Prometheus's text format.
func (j *Jobs) WriteMetrics(w io.Writer) { j.counts.set.WritePrometheus(w) }
