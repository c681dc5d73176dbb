//go:build otel

package trace_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"aver/frame/trace"
)

func TestASpanArrivesWithItsNameAndStatusAndNothingElse(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- body
	}))
	defer collector.Close()
	start, stop, err := trace.To(t.Context(), collector.URL+"/v1/traces", collector.Client())
	if err != nil {
		t.Fatal(err)
	}
	_, end := start(t.Context(), "GET /contacts/{id}")
	end(http.StatusOK)
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := <-got
	if !bytes.Contains(body, []byte("GET /contacts/{id}")) || !bytes.Contains(body, []byte("http.response.status_code")) || bytes.Contains(body, []byte("url.")) {
		t.Errorf("the collector got %q", body)
	}
}
