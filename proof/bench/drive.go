package main

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aver/proof/sockets"
)

// load is what callers did who call as fast as they are answered.
type load struct {
	calls int64
	took  time.Duration
	work  time.Duration // of this process's processors
	times *sockets.Latencies
	err   error // the first
}

// each is how long the processors worked for one call.
func (l load) each() time.Duration { return l.work / time.Duration(max(l.calls, 1)) }

// worked is how long this process's processors have worked, for whatever.
func worked() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func (l load) perSecond() float64 { return float64(l.calls) / l.took.Seconds() }

// drive lets callers call for a while, each one call at a time. n counts a caller's calls from 1.
func drive(callers int, lasting time.Duration, call func(caller int, n int64) error) load {
	var all sync.WaitGroup
	var calls atomic.Int64
	times := &sockets.Latencies{}
	problems := make(chan error, callers)
	begun, before := time.Now(), worked()
	for c := range callers {
		all.Go(func() {
			for n := int64(1); time.Since(begun) < lasting; n++ {
				asked := time.Now()
				if err := call(c, n); err != nil {
					problems <- err
					return
				}
				times.Add(time.Since(asked))
				calls.Add(1)
			}
		})
	}
	all.Wait()
	took := time.Since(begun)
	close(problems)
	return load{calls.Load(), took, worked() - before, times, <-problems}
}
