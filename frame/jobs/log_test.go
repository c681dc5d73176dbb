package jobs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"aver/base/ids"
)

func TestTheLogLineOfAFailureHoldsNoAddress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	j := &Jobs{log: slog.New(slog.NewJSONHandler(&out, nil))}
	err := errors.New(`550 no such user <anna.kowalska@example.org>, call +48 601 234 567`)
	j.report(t.Context(), slog.LevelWarn, "job failed", "mail.send", Job{Tenant: ids.Installation, Attempt: 2}, err)
	line := out.String()
	for _, word := range []string{"anna", "kowalska", "601"} {
		if strings.Contains(line, word) {
			t.Errorf("the line holds %q: %s", word, line)
		}
	}
	for _, word := range []string{"mail.send", `"attempt":2`, "550 no such user"} {
		if !strings.Contains(line, word) {
			t.Errorf("the line lacks %q: %s", word, line)
		}
	}
}

func TestAPanicIsLoggedWithItsPlaceAndWithoutItsValue(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	j := &Jobs{log: slog.New(slog.NewJSONHandler(&out, nil))}
	w := &worker{jobs: j}
	for _, work := range []func(context.Context, Job) error{
		func(context.Context, Job) error { panic("anna@example.org") },
		func(context.Context, Job) error { var none []int; _ = none[len(none)]; return nil },
	} {
		j.report(t.Context(), slog.LevelWarn, "job failed", "test.panic", Job{}, w.guarded(t.Context(), Job{}, work))
	}
	for _, word := range []string{"panic with a string", "index out of range", "log_test.go"} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("the lines lack %q: %s", word, out.String())
		}
	}
	if strings.Contains(out.String(), "anna") {
		t.Error("the value of a panic was logged")
	}
}

func TestRiversChatterIsNotPassedOn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	j := &Jobs{log: slog.New(slog.NewJSONHandler(&out, nil))}
	log := j.riverLog().With("a", 1).WithGroup("g")
	log.Info("River client started")
	log.Warn("jobexecutor.JobExecutor: Job errored; retrying")
	if out.Len() != 0 {
		t.Errorf("passed on: %s", out.String())
	}
	j.ending.Store(true)
	log.Error("maintenance.JobCleaner: Error cleaning jobs")
	if out.Len() != 0 {
		t.Errorf("passed on at the end: %s", out.String())
	}
	log.Warn("jobexecutor.JobExecutor: Job appears to be stuck")
	if !strings.Contains(out.String(), "stuck") {
		t.Error("a warning was lost")
	}
}
