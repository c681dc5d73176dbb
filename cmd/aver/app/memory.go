package app

import (
	"context"
	"runtime"
	"runtime/debug"
	"time"
)

// Memory that a burst left behind (the start, a backup, a round of attacks) goes back to the machine soon and not over
// many collections. A busy process needs its memory itself.
const (
	firstLook = 12 * time.Second
	lookAgain = time.Minute
	smallHeap = 64 << 20 // bytes in use above which nothing is given back
)

// giveBack returns unused memory to the machine now and then, until the app stops.
func giveBack(ctx context.Context) {
	wait := time.NewTimer(firstLook)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapInuse < smallHeap {
			debug.FreeOSMemory()
		}
		wait.Reset(lookAgain)
	}
}
