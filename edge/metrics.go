package edge

import (
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// buckets are the upper bounds of times to answer, in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// counted counts requests by pattern; no label holds anything of a person.
type counted struct {
	set      *metrics.Set
	inFlight *metrics.Gauge
}

func newCounted() *counted {
	metrics.ExposeMetadata(true)
	set := metrics.NewSet()
	return &counted{set, set.NewGauge("aver_http_requests_in_flight", nil)}
}

func (c *counted) observe(route, method string, status int, took time.Duration) {
	c.set.GetOrCreateCounter(fmt.Sprintf(`aver_http_requests_total{method=%q,route=%q,status="%d"}`, methodName(method), route, status)).Inc()
	if status != http.StatusSwitchingProtocols {
		c.set.GetOrCreatePrometheusHistogramExt(fmt.Sprintf(`aver_http_request_seconds{route=%q}`, route), buckets).Update(took.Seconds())
	}
}

// refused counts requests refused at the door, and panics.
func (c *counted) refused(why string) {
	c.set.GetOrCreateCounter(fmt.Sprintf(`aver_http_refused_total{why=%q}`, why)).Inc()
}

// write writes all counters in Prometheus's text format, with those of the process and of others.
func (c *counted) write(w io.Writer, others []func(io.Writer)) {
	c.set.WritePrometheus(w)
	for _, other := range others {
		other(w)
	}
	metrics.WriteProcessMetrics(w)
}

// admin is what the administration listener serves: metrics, profiles, health. None of it asks who calls.
func (s *Server) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		s.metrics.write(w, s.config.Metrics)
	})
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
