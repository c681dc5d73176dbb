package request_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/request"
)

func TestAFormIsWhatWasSent(t *testing.T) {
	t.Parallel()
	post := func(body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/?name=address", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	if form, err := request.Form(post("name=ada")); err != nil || len(form["name"]) != 1 || form.Get("name") != "ada" {
		t.Errorf("got %v, %v", form, err)
	}
	if form, err := request.Form(post("name=%zz")); !errs.Is(err, errs.Invalid) || form != nil {
		t.Errorf("a broken form: %v, %v", form, err)
	}
}

func TestAPathNamesOneThingOrNone(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	want := ids.New[note](time.Now())
	r.SetPathValue("note", want.String())
	r.SetPathValue("contact", ids.NewSubject(time.Now()).String())
	if got, err := request.PathID[ids.Of[note]](r, "note", "note"); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	for _, name := range []string{"contact", "missing"} {
		got, err := request.PathID[ids.Of[note]](r, name, "note")
		if !errs.Is(err, errs.NotFound) || !strings.Contains(err.Error(), "There is no such note.") || !got.IsZero() {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestAListIsCutWhereItsNextPageStarts(t *testing.T) {
	t.Parallel()
	type cursor = request.Cursor[ids.Of[note]]
	place := func(n int) cursor { return cursor{At: time.Unix(int64(n), 0), ID: ids.Of[note]{byte(n)}} }
	for n, want := range map[int]int{0: 0, 2: 2, 3: 3, 4: 3} {
		list, next := request.Cut([]int{1, 2, 3, 4}[:n], 3, place)
		if len(list) != want || next.IsZero() != (n <= 3) || n > 3 && next != place(3) {
			t.Errorf("of %d: %v, then %v", n, list, next)
		}
	}
}
