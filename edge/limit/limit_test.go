package limit_test

import (
	"net/http"
	"testing"
	"time"

	"aver/base/clock"
	"aver/edge/limit"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func TestAQuotaIsThereAtOnceAndComesBackEvenly(t *testing.T) {
	t.Parallel()
	now := clock.At(start)
	table := limit.New[string]("api", limit.Rate{Quota: 60, Window: time.Minute}, 10, false, now)
	for i := range 60 {
		if d := table.Take("a"); !d.OK || d.Remaining != 59-i {
			t.Fatalf("request %d: %+v", i, d)
		}
	}
	d := table.Take("a")
	if d.OK || d.RetryAfter != time.Second || d.Reset != time.Minute {
		t.Fatalf("request 61: %+v", d)
	}
	if !table.Take("b").OK {
		t.Error("another key is refused")
	}
	now.Advance(time.Second)
	if !table.Take("a").OK || table.Take("a").OK {
		t.Error("one second does not bring exactly one request back")
	}
}

func TestTheHeadersTellTheQuota(t *testing.T) {
	t.Parallel()
	now := clock.At(start)
	table := limit.New[string]("signin", limit.Rate{Quota: 2, Window: 10 * time.Second}, 10, true, now)
	h := http.Header{}
	table.Take("a").Write(h)
	if h.Get("RateLimit-Policy") != `"signin";q=2;w=10` || h.Get("RateLimit") != `"signin";r=1;t=5` || h.Get("Retry-After") != "" {
		t.Errorf("first: %v", h)
	}
	table.Take("a")
	table.Take("a").Write(h)
	if h.Get("RateLimit") != `"signin";r=0;t=10` || h.Get("Retry-After") != "5" {
		t.Errorf("third: %v", h)
	}
}

func TestAClosedTableForgivesNobodyToMakeRoom(t *testing.T) {
	t.Parallel()
	now := clock.At(start)
	quota := limit.Rate{Quota: 5, Window: time.Minute}
	closed, open := limit.New[int]("signin", quota, 2, true, now), limit.New[int]("page", quota, 2, false, now)
	for key := range 2 {
		closed.Take(key)
		open.Take(key)
	}
	if d := closed.Take(2); d.OK || d.RetryAfter != 12*time.Second {
		t.Errorf("closed: %+v", d)
	}
	if !open.Take(2).OK {
		t.Error("open: the newcomer is refused")
	}
	now.Advance(12 * time.Second) // the oldest has its quota back, so nothing is forgiven
	if !closed.Take(2).OK {
		t.Error("closed: the newcomer is refused although the oldest owes nothing")
	}
}

func TestPeekTakesNothing(t *testing.T) {
	t.Parallel()
	table := limit.New[string]("failures", limit.Rate{Quota: 1, Window: time.Minute}, 10, false, clock.At(start))
	for range 3 {
		if !table.Peek("a").OK {
			t.Fatal("peeking took the only request")
		}
	}
	if !table.Take("a").OK || table.Peek("a").OK {
		t.Error("peeking does not see what was taken")
	}
}
