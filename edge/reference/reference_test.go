package reference_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aver/base/errs"
	"aver/base/ids"
	"aver/edge/reference"
	"aver/frame/request"
)

type note struct {
	ID      ids.Contact `json:"id" readOnly:"true" required:"false"`
	Body    string      `json:"body" minLength:"1" maxLength:"2000" doc:"What was written."`
	Colour  string      `json:"colour,omitempty" enum:"red,blue"`
	Replies []note      `json:"replies,omitempty"`
}

func pages() http.Handler {
	mux := http.NewServeMux()
	api := humago.New(http.NewServeMux(), huma.DefaultConfig("Aver", "1.0.0"))
	huma.Register(api, huma.Operation{OperationID: "add-note", Method: http.MethodPost, Path: "/v1/contacts/{id}/notes", Summary: "Write a note", Description: "It is for colleagues only.", Tags: []string{"Private notes"}},
		func(context.Context, *struct {
			ID   string `path:"id" doc:"About whom."`
			Body note
		}) (*struct{ Body note }, error) {
			return nil, nil
		})
	huma.Register(api, huma.Operation{OperationID: "ping", Method: http.MethodGet, Path: "/v1/ping", Security: []map[string][]string{{}}}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	reference.New(api.OpenAPI, "chat.example", []reference.Meaning{{Code: errs.Conflict, Status: 409, Title: "It has changed meanwhile"}}).Routes(mux)
	return mux
}

func look(t *testing.T, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	failing := &request.Info{Fail: func(w http.ResponseWriter, _ *http.Request, err error) { w.WriteHeader(errs.Status(errs.Of(err))) }}
	pages().ServeHTTP(w, r.WithContext(request.With(r.Context(), failing)))
	return w.Code, w.Body.String()
}

func TestTheIndexLeadsToEveryOperation(t *testing.T) {
	t.Parallel()
	_, body := look(t, "/docs")
	for _, want := range []string{`href="/docs/private-notes#add-note"`, `href="/docs/other#ping"`, "Write a note", "/openapi.json", "/problems"} {
		if !strings.Contains(body, want) {
			t.Errorf("the index lacks %s", want)
		}
	}
}

func TestAnOperationIsShownWithItsPartsAndACommand(t *testing.T) {
	t.Parallel()
	_, body := look(t, "/docs/private-notes")
	for _, want := range []string{
		`id="add-note"`, "It is for colleagues only.", "About whom.", "<code>body</code>", "text, 1 to 2000 characters", "one of red, blue", "<code>replies</code>", "required", "Answer 200",
		"curl -X POST &#34;https://chat.example/v1/contacts/$ID/notes&#34;", "Authorization: Bearer $AVER_KEY", "Idempotency-Key: $(uuidgen)", "{&#34;body&#34;:&#34;…&#34;}",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(body, "replies[].") {
		t.Error("a type inside itself is repeated")
	}
	_, body = look(t, "/docs/other")
	if strings.Contains(body, "Bearer") || !strings.Contains(body, "for everybody") {
		t.Error("an operation for everybody asks for a key")
	}
}

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/docs", "/docs/private-notes", "/problems", "/problems/conflict"} {
		_, body := look(t, path)
		for _, source := range []string{`src="http`, `src="//`, `rel="stylesheet" href="http`, "@import"} {
			if strings.Contains(body, source) {
				t.Errorf("%s holds %s", path, source)
			}
		}
	}
}

func TestEveryErrorIsExplained(t *testing.T) {
	t.Parallel()
	if code, body := look(t, "/problems/conflict"); code != 200 || !strings.Contains(body, "somebody changed it meanwhile") {
		t.Errorf("%d %s", code, body)
	}
	for _, path := range []string{"/problems/unknown", "/docs/unknown"} {
		if code, _ := look(t, path); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
}
