// Package eventually waits for what nobody announces: another process, or a goroutine that has no one to tell. What can be
// waited for by a channel is; this is for the rest: rigs, probes, rehearsals and tests.
package eventually

import (
	"context"
	"fmt"
	"time"
)

const (
	// Patience is long, because the machine may be busy with other work; a condition that holds ends the wait at once.
	Patience = 20 * time.Second
	// patient are tests: several of them at a time on few processors, with the race detector.
	patient = time.Minute
	pause   = 2 * time.Millisecond
)

// Holds asks until the answer is yes, or gives the error of asking, of the context, or of a patience that ended.
func Holds(ctx context.Context, patience time.Duration, what string, ask func() (bool, error)) error {
	ctx, stop := context.WithTimeoutCause(ctx, patience, fmt.Errorf("after %v still not: %s", patience, what))
	defer stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// Test is what a *testing.T, B or F is to this package.
type Test interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
}

// Must ends the test when the condition does not come true within a minute.
func Must(t Test, what string, holds func() bool) {
	t.Helper()
	if err := Holds(t.Context(), patient, what, func() (bool, error) { return holds(), nil }); err != nil {
		t.Fatal(err)
	}
}
