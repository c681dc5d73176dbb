package world

import (
	"fmt"
	"time"

	"aver/frame/page"
)

// Span is a short length of time with its unit.
func Span(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}

// Bytes is a size in words.
func Bytes(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	default:
		return fmt.Sprintf("%d MB", n/1_000_000)
	}
}

// Ago says how long ago, or that it is dated in the future.
func Ago(d time.Duration) string {
	if d < -time.Minute {
		return "dated in the future: a clock was wrong"
	}
	return page.Age(d) + " ago"
}

// OrError is the error in words, or that all is well.
func OrError(good string, err error) string {
	if err == nil {
		return good
	}
	return err.Error()
}

// OrWord is what was said, or something else when nothing was.
func OrWord(said, otherwise string) string {
	if said == "" {
		return otherwise
	}
	return said
}
