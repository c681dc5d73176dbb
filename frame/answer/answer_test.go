package answer_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strconv"
	"testing"

	"aver/frame/answer"
)

func TestRowsAreTurnedUnlessReadingFailed(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for want, rows := range map[string][]int{`{"data":[]}`: nil, `{"data":["1","2"]}`: {1, 2}} {
		out, err := answer.All(rows, nil, strconv.Itoa)
		if got, _ := json.Marshal(out.Body); err != nil || string(got) != want {
			t.Errorf("%v: %s, %v", rows, got, err)
		}
	}
	if out, err := answer.One(7, nil, strconv.Itoa); err != nil || out.Body != "7" {
		t.Errorf("one: %v, %v", out, err)
	}
	if out, err := answer.All([]int{1}, broken, strconv.Itoa); out != nil || err != broken {
		t.Errorf("all: %v, %v", out, err)
	}
	if out, err := answer.One(1, broken, strconv.Itoa); out != nil || err != broken {
		t.Errorf("one: %v, %v", out, err)
	}
}

func TestAFileIsSavedAndNotKeptOnTheWay(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	if err := answer.File(rec, "text/csv", "rows.csv", []byte("a;b")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Content-Type": "text/csv", "Content-Disposition": `attachment; filename="rows.csv"`, "Cache-Control": "no-store"} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if rec.Body.String() != "a;b" {
		t.Errorf("the file holds %q", rec.Body)
	}
}
