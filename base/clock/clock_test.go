package clock_test

import (
	"testing"
	"time"

	"aver/base/clock"
	"aver/base/eventually"
)

func TestWhatTimeWentByIsToldWhateverTheClockWasSetTo(t *testing.T) {
	t.Parallel()
	c := clock.At(time.Unix(0, 0))
	c.Advance(time.Hour)
	c.Set(24 * time.Hour)
	c.Advance(-time.Hour)
	if ran := clock.Ran(c); ran != time.Hour {
		t.Errorf("it ran for %s", ran)
	}
	began := clock.Ran(&clock.System{})
	eventually.Must(t, "the machine's time goes by", func() bool { return clock.Ran(&clock.System{}) > began })
}
