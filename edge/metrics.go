package edge

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
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
	mux.HandleFunc("GET /debug/pprof/", listSamples)
	mux.HandleFunc("GET /debug/pprof/{name}", sample)
	return mux
}

// listSamples lists what sample knows.
func listSamples(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "profile  (seconds=30)")
	for _, p := range pprof.Profiles() {
		fmt.Fprintf(w, "%s  %d\n", p.Name(), p.Count())
	}
}

// sample writes a profile of this process for go tool pprof: of the processor for some seconds, or what there is now.
// net/http/pprof does more and weighs ten times as much.
func sample(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	w.Header().Set("Content-Type", "application/octet-stream")
	if name != "profile" {
		p := pprof.Lookup(name)
		if p == nil {
			http.NotFound(w, r)
			return
		}
		_ = p.WriteTo(w, 0)
		return
	}
	seconds, err := strconv.Atoi(cmp.Or(r.FormValue("seconds"), "30"))
	if err == nil {
		err = pprof.StartCPUProfile(w)
	}
	if err != nil {
		http.Error(w, "The processor is being profiled already, or the seconds are no number.", http.StatusConflict)
		return
	}
	defer pprof.StopCPUProfile()
	select {
	case <-r.Context().Done():
	case <-time.After(time.Duration(min(max(seconds, 1), 300)) * time.Second):
	}
}
