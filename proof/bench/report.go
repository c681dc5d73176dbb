package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// serverProcessors is what the figures are promised on.
const serverProcessors = 2

// scale is how much is measured, and where.
type scale struct {
	Quick    bool
	Folder   string
	Profiles string // folder; none if empty
}

// of picks the full size of something, or the quick one.
func (s scale) of(full, quick int) int {
	if s.Quick {
		return quick
	}
	return full
}

// lasting picks how long something goes on.
func (s scale) lasting(full time.Duration) time.Duration {
	if s.Quick {
		return full / 20
	}
	return full
}

// rounds is how often ours and raw take turns.
func (s scale) rounds() int { return s.of(3, 1) }

// row is one row of the table, or several that are measured together.
type row struct {
	name      string
	generates bool // it starts the server as a process of its own and only asks
	run       func(ctx context.Context, s scale) ([]line, error)
}

// line is one line of the table. Ours, Raw and Ratio are words with units.
type line struct {
	What, Must, Aim, Ours, Raw, Ratio string
	Verdict                           string
}

const header = "| what | must | aim | Aver | raw, same run | ratio | |\n|---|---|---|---|---|---|---|\n"

func (l line) markdown() string {
	cells := []string{l.What, l.Must, l.Aim, l.Ours, l.Raw, l.Ratio, l.Verdict}
	for i, c := range cells {
		cells[i] = cmp.Or(c, "–")
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// report is everything.
type report struct {
	Machine string
	Lines   []line
}

const (
	aimed  = "aim"
	held   = "must"
	missed = "**missed**"
	noGoal = ""
)

// least judges a figure that should be large, most one that should be small.
func least(got, must, aim float64) string {
	switch {
	case got >= aim:
		return aimed
	case got >= must:
		return held
	}
	return missed
}

func atMost(got, must, aim float64) string { return least(-got, -must, -aim) }

func median[T cmp.Ordered](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func perSecond(n float64) string {
	if n >= 10_000 {
		return fmt.Sprintf("%.1fk/s", n/1000)
	}
	return fmt.Sprintf("%.0f/s", n)
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

func megabytes(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/1e6) }

// raiseFiles allows this process and its children as many files as the system does.
func raiseFiles() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return
	}
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // rows that need more say so themselves
}

// processors is how many the machine has, whatever this process may use.
func processors() int {
	found, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*")
	return max(len(found), runtime.NumCPU())
}

// describe says what machine this is.
func describe(s scale) string {
	name := "processor unknown"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for l := range strings.Lines(string(text)) {
		if before, after, found := strings.Cut(l, ":"); found && strings.TrimSpace(before) == "model name" {
			name = strings.TrimSpace(after)
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	busy, _, _ := strings.Cut(string(load), " ")
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d × %s, the server on %d of them (GOMAXPROCS=%d); Linux %s, %s; append of 4 KiB with fdatasync: p50 %s; load when it began: %s.",
		processors(), name, serverProcessors, serverProcessors, strings.TrimSpace(string(kernel)), runtime.Version(), fsync(s.Folder), cmp.Or(busy, "unknown"))
}

// fsync measures what a durable write costs on the disk.
func fsync(folder string) string {
	f, err := os.CreateTemp(folder, "aver-bench-fsync-*")
	if err != nil {
		return "unknown"
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var times []time.Duration
	block := make([]byte, 4096)
	for range 200 {
		begun := time.Now()
		if _, err := f.Write(block); err != nil || syscall.Fdatasync(int(f.Fd())) != nil {
			return "unknown"
		}
		times = append(times, time.Since(begun))
	}
	return fmt.Sprintf("%.2f ms", float64(median(times).Microseconds())/1000)
}
