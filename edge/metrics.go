package edge

import (
	"io"
	"net/http"
	"net/http/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"aver/frame/tally"
)

// counted counts requests by pattern; no label holds anything of a person.
type counted struct {
	tally.Set
	inFlight *atomic.Int64
}

func newCounted() *counted {
	c := &counted{}
	c.inFlight = c.Gauge("aver_http_requests_in_flight")
	return c
}

func (c *counted) observe(route, method string, status int, took time.Duration) {
	c.Count(tally.Series("aver_http_requests_total", "method", methodName(method), "route", route, "status", strconv.Itoa(status)))
	if status != http.StatusSwitchingProtocols {
		c.Took(tally.Series("aver_http_request_seconds", "route", route), took)
	}
}

// refused counts requests refused at the door, and panics.
func (c *counted) refused(why string) { c.Count(tally.Series("aver_http_refused_total", "why", why)) }

// write writes all counters, with those of others and of the process.
func (c *counted) write(w io.Writer, others []func(io.Writer)) {
	c.Write(w)
	for _, other := range others {
		other(w)
	}
	tally.WriteProcess(w)
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
