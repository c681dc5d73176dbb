package answer_test

import (
	"encoding/json"
	"errors"
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
