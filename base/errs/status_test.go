package errs_test

import (
	"net/http"
	"testing"

	"aver/base/errs"
)

func TestStatusOfEveryMeaning(t *testing.T) {
	t.Parallel()
	want := map[errs.Kind]int{
		errs.Invalid: 422, errs.Unauthenticated: 401, errs.Forbidden: 403, errs.NotFound: 404, errs.Conflict: 409, errs.TooLarge: 413,
		errs.TooMany: 429, errs.Gone: 410, errs.ConsentRequired: 403, errs.NoSpace: 507, errs.Unavailable: 503, errs.Internal: 500, "": 500,
	}
	for kind, status := range want {
		if got := errs.Status(kind); got != status {
			t.Errorf("%q: got %d %s, want %d", kind, got, http.StatusText(got), status)
		}
	}
}
