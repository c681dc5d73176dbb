package jobs

import "github.com/prometheus/client_golang/prometheus"

// How a run of a job ended.
const (
	done     = "done"
	failed   = "failed"   // and will be tried again, by its schedule or the clock
	dead     = "dead"     // given up
	returned = "returned" // cut off by a shutdown, back in the queue
)

type counts struct{ runs *prometheus.CounterVec }

func newCounts() counts {
	return counts{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "aver_jobs_runs_total",
		Help: "Runs of background jobs by kind and how they ended.",
	}, []string{"kind", "outcome"})}
}

func (c counts) add(kind, outcome string) { c.runs.WithLabelValues(kind, outcome).Inc() }

// Collector gives the counters to whoever serves metrics.
func (j *Jobs) Collector() prometheus.Collector { return j.counts.runs }
