package app

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// Memory that a burst left behind (the start, a backup, a round of attacks) goes back to the machine soon and not over
// many collections. A busy process needs its memory itself.
const (
	firstLook = 5 * time.Second
	lookAgain = 15 * time.Second
	smallHeap = 64 << 20 // bytes in use above which nothing is given back
	growth    = 50       // percent the heap grows between collections; twice that took no less processor per message
)

// giveBack returns unused memory to the machine now and then, until the app stops.
func giveBack(ctx context.Context) {
	if _, asked := os.LookupEnv("GOGC"); !asked {
		debug.SetGCPercent(growth)
	}
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
