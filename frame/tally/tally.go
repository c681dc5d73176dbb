// Package tally counts what happens and writes it in Prometheus's text format (version 0.0.4).
//
// It is counters, one gauge and histograms with fixed bounds, because nothing here needs more. What reads them is
// somebody else's program; no label may hold anything of a person.
package tally

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// bounds are the upper ends of the histograms' buckets, in seconds.
var bounds = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// Set is a group of counters. Its zero value is empty and ready.
type Set struct {
	mu       sync.RWMutex
	counters map[string]*atomic.Int64 // by series
	times    map[string]*times
	now      sync.Map // gauges: name → *atomic.Int64
}

// times is a histogram. The last bucket has no upper end.
type times struct {
	buckets [len(bounds) + 1]atomic.Int64
	micros  atomic.Int64
}

// Series is a name with labels, given as name and value in turn.
func Series(name string, labels ...string) string {
	var out strings.Builder
	out.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		if i == 0 {
			out.WriteByte('{')
		} else {
			out.WriteByte(',')
		}
		out.WriteString(labels[i] + `="` + escape.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 1 {
		out.WriteByte('}')
	}
	return out.String()
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// find gives what a series counts with, which it makes the first time.
func find[T any](s *Set, all *map[string]*T, series string) *T {
	s.mu.RLock()
	one := (*all)[series]
	s.mu.RUnlock()
	if one != nil {
		return one
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if *all == nil {
		*all = map[string]*T{}
	}
	if (*all)[series] == nil {
		(*all)[series] = new(T)
	}
	return (*all)[series]
}

// Count adds one to a counter.
func (s *Set) Count(series string) { find(s, &s.counters, series).Add(1) }

// Took notes how long something took.
func (s *Set) Took(series string, d time.Duration) {
	t := find(s, &s.times, series)
	t.micros.Add(d.Microseconds())
	i, _ := slices.BinarySearch(bounds[:], d.Seconds())
	t.buckets[i].Add(1)
}

// Gauge is a number that goes up and down.
func (s *Set) Gauge(name string) *atomic.Int64 {
	g, _ := s.now.LoadOrStore(name, new(atomic.Int64))
	return g.(*atomic.Int64)
}

// Write writes all of it, series in order of their names.
func (s *Set) Write(w io.Writer) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	family := ""
	for _, series := range slices.Sorted(maps.Keys(s.counters)) {
		family = begin(w, family, series, "counter")
		fmt.Fprintf(w, "%s %d\n", series, s.counters[series].Load())
	}
	for _, series := range slices.Sorted(maps.Keys(s.times)) {
		family = begin(w, family, series, "histogram")
		s.times[series].write(w, series)
	}
	s.now.Range(func(name, value any) bool {
		fmt.Fprintf(w, "# TYPE %s gauge\n%s %d\n", name, name, value.(*atomic.Int64).Load())
		return true
	})
}

// begin writes the line that says of what type a family is, before its first series.
func begin(w io.Writer, before, series, kind string) string {
	family, _, _ := strings.Cut(series, "{")
	if family != before {
		fmt.Fprintf(w, "# TYPE %s %s\n", family, kind)
	}
	return family
}

func (t *times) write(w io.Writer, series string) {
	name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	inner := labels
	if inner != "" {
		inner += ","
		labels = "{" + labels + "}"
	}
	n := int64(0)
	for i := range t.buckets {
		n += t.buckets[i].Load()
		end := "+Inf"
		if i < len(bounds) {
			end = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		fmt.Fprintf(w, "%s_bucket{%sle=%q} %d\n", name, inner, end, n)
	}
	fmt.Fprintf(w, "%s_sum%s %g\n%s_count%s %d\n", name, labels, float64(t.micros.Load())/1e6, name, labels, n)
}

// WriteProcess writes what the runtime knows of this process.
func WriteProcess(w io.Writer) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, g := range []struct {
		name, kind string
		value      uint64
	}{
		{"go_goroutines", "gauge", uint64(runtime.NumGoroutine())}, {"go_memstats_heap_inuse_bytes", "gauge", m.HeapInuse},
		{"go_memstats_heap_objects", "gauge", m.HeapObjects}, {"go_memstats_sys_bytes", "gauge", m.Sys},
		{"go_memstats_alloc_bytes_total", "counter", m.TotalAlloc}, {"go_gc_cycles_total", "counter", uint64(m.NumGC)},
	} {
		fmt.Fprintf(w, "# TYPE %s %s\n%s %d\n", g.name, g.kind, g.name, g.value)
	}
}
