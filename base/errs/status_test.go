package errs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"aver/base/errs"
)

func TestStatusOfEveryMeaning(t *testing.T) {
	t.Parallel()
	want := map[errs.Kind]int{
		errs.Invalid: 422, errs.Unauthenticated: 401, errs.Forbidden: 403, errs.NotFound: 404, errs.Conflict: 409, errs.TooLarge: 413,
		errs.TooMany: 429, errs.Gone: 410, errs.ConsentRequired: 403, errs.Misdirected: 421, errs.Away: 502, errs.NoSpace: 507, errs.Unavailable: 503, errs.Internal: 500, "": 500,
	}
	for kind, status := range want {
		if got := errs.Status(kind); got != status {
			t.Errorf("%q: got %d, want %d", kind, got, status)
		}
		if errs.Title(kind) == "" {
			t.Errorf("%q has no title", kind)
		}
	}
}

func TestProblemTellsWhatTheCallerMayKnow(t *testing.T) {
	t.Parallel()
	err := errs.New(errs.TooMany, "Slow down.", errs.Field{Field: "body", Code: "rate", Message: "m"}).Because(errors.New("bucket of ada is empty"))
	err.RetryAfter = 3
	got, _ := json.Marshal(errs.AsProblem(fmt.Errorf("sending: %w", err)))
	want := `{"type":"/problems/too-many","title":"Too many requests","status":429,"code":"too-many","detail":"Slow down.",` +
		`"errors":[{"field":"body","code":"rate","message":"m"}],"retry_after":3}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestProblemHidesWhatHasNoMeaning(t *testing.T) {
	t.Parallel()
	got, _ := json.Marshal(errs.AsProblem(errors.New("ada@example.org broke it")))
	if !strings.Contains(string(got), `"status":500`) || strings.Contains(string(got), "ada") {
		t.Errorf("got %s", got)
	}
}
