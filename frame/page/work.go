package page

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// Progress is long work: what, how far, how long still, a way to stop it, and what came of it.
type Progress struct {
	ID      string // of the element, so that it can be fetched anew by itself
	Label   string
	Done    int64
	Total   int64         // 0 while it is not known
	Unit    string        // people, messages
	Left    time.Duration // how long still; 0 while it is not known
	Cancel  string        // where a POST stops it; "" when it cannot be stopped or has ended
	Ended   bool
	Fault   string // why it stopped early
	Result  Link   // what can be downloaded, again and again
	Refresh string // address of this part; fetched every second until it has ended
}

// Render draws the part.
func (p Progress) Render(ctx context.Context, w io.Writer) error { return progress(p).Render(ctx, w) }

// Render draws the part.
func (r Row) Render(ctx context.Context, w io.Writer) error { return row(r).Render(ctx, w) }

// share is how much is done, in per cent.
func (p Progress) share() string {
	if p.Total <= 0 {
		return ""
	}
	return fmt.Sprintf("%d %%", min(100, 100*p.Done/p.Total))
}

func (p Progress) far() string {
	if p.Total <= 0 {
		return Number(int(p.Done)) + " " + p.Unit
	}
	return text.T("progress.of", Number(int(p.Done)), Number(int(p.Total))) + " " + p.Unit
}

func (p Progress) max() string   { return strconv.FormatInt(max(p.Total, 1), 10) }
func (p Progress) value() string { return strconv.FormatInt(p.Done, 10) }

// refresh are the attributes that fetch the part anew while the work goes on.
func (p Progress) refresh(ctx context.Context) templ.Attributes {
	if p.Refresh == "" || p.Ended {
		return nil
	}
	return templ.Attributes{
		"hx-get": p.Refresh, "hx-trigger": "every 1s", "hx-swap": "outerHTML", "hx-nonce": Nonce(ctx),
	}
}

// Age is a length of time in one unit: 3 min, 2 days. It rounds down.
func Age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return text.T("age.seconds", int(d/time.Second))
	case d < time.Hour:
		return text.T("age.minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return text.T("age.hours", int(d/time.Hour))
	case d < 60*24*time.Hour:
		return text.T("age.days", int(d/(24*time.Hour)))
	case d < 730*24*time.Hour:
		return text.T("age.months", int(d/(30*24*time.Hour)))
	default:
		return text.T("age.years", int(d/(365*24*time.Hour)))
	}
}
