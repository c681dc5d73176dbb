package isolation

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"aver/cmd/aver/app"
	"aver/trust/canary"
)

func plain(next http.Handler) http.Handler { return next }

func TestNothingGetsFromOneTenantToAnother(t *testing.T) {
	t.Parallel()
	_, s := open(t, app.Config{}, plain)
	report, err := s.Round(t.Context(), 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Holds() {
		t.Errorf("%d findings:\n%s", len(report.Findings), report.Words())
	}
	t.Logf("%d attempts through %d operations in %s; nothing to attack with for %q", report.Attempts, report.Operations, report.Took, report.Missing)
	for _, u := range s.Uncovered() {
		t.Errorf("goes unattacked: %s", u)
	}
}

// Each leak is let in alone. An attacker that misses one proves nothing when it finds none.
func TestTheAttackerNoticesEveryLeak(t *testing.T) {
	t.Parallel()
	l := &leaky{}
	_, s := open(t, app.Config{}, func(next http.Handler) http.Handler {
		l.next = next
		return l
	})
	l.canaries, l.north, l.south = s, s.Side(canary.North), s.Side(canary.South)
	list := leaks()
	if len(list) < 30 {
		t.Fatalf("there are only %d leaks", len(list))
	}
	for _, one := range list {
		l.mu.Lock()
		l.on, l.cache = &one, map[string]*httptest.ResponseRecorder{}
		l.mu.Unlock()
		report, err := s.Round(t.Context(), 0, false)
		if err != nil {
			t.Errorf("%s: %v", one.name, err)
		}
		if report.Holds() {
			t.Errorf("not noticed: %s", one.name)
		}
	}
	l.mu.Lock()
	l.on = nil
	l.mu.Unlock()
	if report, err := s.Round(t.Context(), 0, false); err != nil || !report.Holds() {
		t.Errorf("without a leak: %v\n%s", err, report.Words())
	}
}
