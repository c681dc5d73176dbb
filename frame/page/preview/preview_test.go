package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aver/frame/page/pagetest"
)

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestEveryPageKeepsTheRules(t *testing.T) {
	t.Parallel()
	for _, path := range paths() {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := get(t, path)
			if w.Code != http.StatusOK {
				t.Fatalf("status %d", w.Code)
			}
			pagetest.Check(t, w.Body.String())
		})
	}
}

func TestARefusedFormKeepsWhatWasEnteredAndSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	sent := url.Values{"name": {`Ann "Q" <b>`}, "email": {"nowhere"}, "note": {"</textarea><script>"}, "tell": {"expired"}}
	r := httptest.NewRequest(http.MethodPost, "/forms", strings.NewReader(sent.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, r)
	body := w.Body.String()
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("status %d", w.Code)
	}
	pagetest.Check(t, body)
	for _, want := range []string{
		`2 things need another look`, `<a href="#email">Enter an address like name@example.org</a>`,
		`value="Ann &#34;Q&#34; &lt;b&gt;"`, `value="nowhere"`, `&lt;/textarea&gt;&lt;script&gt;`,
		`aria-describedby="email-help email-error"`, `id="tell-expired" name="tell" value="expired" checked`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(body, `value="accepted" checked`) {
		t.Error("a box that was cleared is ticked again")
	}
}
