package eventually_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"aver/base/eventually"
)

func TestItWaitsUntilTheConditionHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		eventually.Must(t, "a second has passed", func() bool { return time.Since(begun) >= time.Second })
		if took := time.Since(begun); took > time.Second+10*time.Millisecond {
			t.Errorf("it noticed after %v", took)
		}
	})
}

func TestItEndsWithWhatWentWrong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := func() (bool, error) { return false, nil }
		err := eventually.Holds(t.Context(), time.Second, "an end", never)
		if err == nil || err.Error() != "after 1s still not: an end" {
			t.Errorf("out of patience: %v", err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if err := eventually.Holds(ended, time.Second, "an end", never); !errors.Is(err, context.Canceled) {
			t.Errorf("the context ended: %v", err)
		}
		asked := 0
		err = eventually.Holds(t.Context(), time.Second, "an end", func() (bool, error) { asked++; return false, io.ErrUnexpectedEOF })
		if !errors.Is(err, io.ErrUnexpectedEOF) || asked != 1 {
			t.Errorf("asking failed: %v, asked %d times", err, asked)
		}
	})
}
