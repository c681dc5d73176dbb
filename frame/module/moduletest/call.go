package moduletest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Answer is a response read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do asks a handler for something; kind is the body's media type.
func Do(h http.Handler, method, path, kind, body string) Answer {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return Answer{w.Code, w.Header(), w.Body.String()}
}

// Get asks for a page.
func Get(h http.Handler, path string) Answer { return Do(h, "GET", path, "", "") }

// Post sends a form with these names and values in turn.
func Post(h http.Handler, path string, pairs ...string) Answer {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return Do(h, "POST", path, "application/x-www-form-urlencoded", form.Encode())
}

// Call sends JSON to the API and, if that went well, reads the answer into out unless it is nil.
func Call(t testing.TB, h http.Handler, method, path string, in, out any) Answer {
	t.Helper()
	var body bytes.Buffer
	if in != nil {
		must(t, json.NewEncoder(&body).Encode(in))
	}
	a := Do(h, method, path, "application/json", body.String())
	if out == nil || a.Status >= 300 {
		return a
	}
	if err := json.Unmarshal([]byte(a.Body), out); err != nil && a.Body != "" {
		t.Fatalf("%s %s: %v in %s", method, path, err, a.Body)
	}
	return a
}
