package jobs

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync/atomic"

	"aver/base/errs"
)

// What looks like an address or a telephone number in an error of a library we call. Our own errors carry none.
var personal = regexp.MustCompile(`[^\s<>"'(),;:]+@[^\s<>"'(),;:]+|\+?\b\d[\d ()./-]{6,}\d\b`)

func scrub(text string) string { return personal.ReplaceAllString(text, "[personal]") }

// report writes the one line that a failed attempt gets.
func (j *Jobs) report(ctx context.Context, level slog.Level, message, kind string, job Job, err error) {
	attrs := []any{"kind", kind, "tenant", job.Tenant.String(), "id", job.ID, "attempt", job.Attempt,
		"meaning", string(errs.Of(err)), "error", scrub(err.Error())}
	var p *panicked
	if errors.As(err, &p) {
		attrs = append(attrs, "stack", string(p.stack))
	}
	j.log.Log(ctx, level, message, attrs...)
}

func (j *Jobs) riverLog() *slog.Logger { return slog.New(riverHandler{j.log.Handler(), &j.ending}) }

// riverHandler passes River's warnings and errors on, except the news of failed attempts, which report tells better, and
// the complaints of housekeeping that Stop interrupts.
type riverHandler struct {
	slog.Handler
	ending *atomic.Bool
}

func (h riverHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h riverHandler) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, ": Job errored") || h.ending.Load() && strings.HasPrefix(r.Message, "maintenance.") {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h riverHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return riverHandler{h.Handler.WithAttrs(attrs), h.ending}
}

func (h riverHandler) WithGroup(name string) slog.Handler {
	return riverHandler{h.Handler.WithGroup(name), h.ending}
}
