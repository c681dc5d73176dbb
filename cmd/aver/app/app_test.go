package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"aver/cmd/aver/app"
	"aver/edge"
)

func opened(t *testing.T, change ...func(*app.Config)) *app.App {
	t.Helper()
	config := app.Config{Data: t.TempDir(), Region: "eu", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: io.Discard, Quotas: edge.Unlimited()}
	for _, set := range change {
		set(&config)
	}
	a, err := app.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestTheAPIsDescriptionIsCurrent(t *testing.T) {
	t.Parallel()
	raw, err := opened(t).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile("../../../openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, raw) {
		t.Error("openapi.json is not current: run make generate and commit it")
	}
}

func TestEveryIdentifierOfTheAPISaysWhatItRefersTo(t *testing.T) {
	t.Parallel()
	if slots := edge.UnreferencedSlots(opened(t).Edge.API().OpenAPI()); len(slots) > 0 {
		t.Errorf("these look like identifiers and refer to nothing: %s", strings.Join(slots, "; "))
	}
}

// Whoever is nobody gets nothing: not from one operation of the API and not from one page of the console.
func TestNothingAnswersNobodyButWhatIsPublic(t *testing.T) {
	t.Parallel()
	a := opened(t)
	server := httptest.NewTLSServer(a.Edge)
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, route := range a.Edge.Routes() {
		method, pattern, _ := strings.Cut(route.Pattern, " ")
		if !strings.HasPrefix(pattern, "/v1/") && !strings.HasPrefix(pattern, "/inbox") && !strings.HasPrefix(pattern, "/contacts") && !strings.HasPrefix(pattern, "/settings") {
			continue
		}
		path := strings.NewReplacer("{", "", "}", "", "...", "").Replace(pattern)
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		if w.StatusCode != http.StatusUnauthorized && w.StatusCode != http.StatusSeeOther && w.StatusCode != http.StatusNotFound && w.StatusCode != http.StatusUnprocessableEntity && w.StatusCode != http.StatusForbidden {
			t.Errorf("%s answers nobody with %d", route.Pattern, w.StatusCode)
		}
		if w.StatusCode == http.StatusSeeOther && !strings.HasPrefix(w.Header.Get("Location"), "/login") {
			t.Errorf("%s sends nobody to %s", route.Pattern, w.Header.Get("Location"))
		}
	}
}

func TestAnOpenedInstallationIsSafe(t *testing.T) {
	t.Parallel()
	if unsafe := opened(t).Unsafe(t.Context()); len(unsafe) > 0 {
		t.Errorf("unsafe: %q", unsafe)
	}
}

func TestWithoutANameThePagesNameThePortThatIsListenedOn(t *testing.T) {
	t.Parallel()
	a := opened(t)
	if got := a.Host(); got != "localhost:8443" {
		t.Errorf("before it listens: %s", got)
	}
	stop, err := a.Alive(t.Context())
	must(t, err)
	defer stop()
	https, _, _ := a.Edge.Addresses()
	if _, port, _ := net.SplitHostPort(https.String()); a.Host() != "localhost:"+port {
		t.Errorf("listening on %s: %s", https, a.Host())
	}
}

func TestPersonalValuesCannotBeMarshalledByTheAPI(t *testing.T) {
	t.Parallel()
	raw, err := opened(t).OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for name := range doc.Components.Schemas {
		if name == "Text" || name == "Bytes" {
			t.Errorf("the schema %s is a personal value's own", name)
		}
	}
}
