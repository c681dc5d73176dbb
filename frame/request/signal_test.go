package request_test

import (
	"net/http"
	"testing"

	"aver/frame/request"
)

func TestOnlyAOneOptsOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent []string
		want bool
	}{
		{nil, false}, {[]string{"1"}, true}, {[]string{"0"}, false}, {[]string{""}, false}, {[]string{"01"}, false}, {[]string{"1, 1"}, false},
		{[]string{"true"}, false}, {[]string{"1 "}, false}, {[]string{"0", "1"}, true}, {[]string{"1", "0"}, true}, {[]string{"１"}, false},
	} {
		r := &http.Request{Header: http.Header{"Sec-Gpc": c.sent}}
		if got := request.OptsOut(r); got != c.want {
			t.Errorf("%q: %v", c.sent, got)
		}
	}
}
