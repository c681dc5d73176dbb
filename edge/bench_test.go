package edge_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"aver/edge"
	"aver/edge/limit"
	"aver/frame/module"
)

// BenchmarkGuard is what the edge costs a request besides TLS and its handler.
func BenchmarkGuard(b *testing.B) {
	plenty := limit.Rate{Quota: 1 << 40, Window: time.Second}
	quotas := map[module.Class]edge.Quota{module.Asset: {Actor: plenty, Address: plenty}}
	server := edge.New(edge.Config{Log: slog.New(slog.DiscardHandler), Quotas: quotas})
	server.Add(sampler())
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/style.css", nil)
		server.ServeHTTP(httptest.NewRecorder(), r)
	}
}
