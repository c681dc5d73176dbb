package live

import (
	"testing"
	"time"
)

func TestABucketRefusesThenCutsThenForgives(t *testing.T) {
	t.Parallel()
	rate := Rate{Burst: 2, PerMinute: 60}
	second := int64(time.Second)
	var b bucket
	at := second
	for i, want := range []verdict{fine, fine, tooFast, tooFast, tooMuch} {
		if got := b.take(at, rate); got != want {
			t.Errorf("message %d: got %d, want %d", i, got, want)
		}
	}
	if got := b.take(at+10*second, rate); got != fine {
		t.Errorf("after a rest: got %d", got)
	}
	var patient bucket
	for i := range int64(100) {
		if got := patient.take(at+i*second, rate); got != fine {
			t.Fatalf("message %d at the permitted rate: got %d", i, got)
		}
	}
}
