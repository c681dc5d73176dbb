package isolation

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"aver/cmd/aver/app"
	"aver/edge"
	"aver/trust/canary"
	"aver/vault"
	"aver/vault/purpose"
	"aver/work/contacts"
)

func plain(next http.Handler) http.Handler { return next }

// outOfReach are kinds of which a canary has none: its webhooks are never called.
var outOfReach = []string{"delivery"}

func TestNothingGetsFromOneTenantToAnother(t *testing.T) {
	each(t, nothingGetsAcross)
}

func nothingGetsAcross(t *testing.T, c app.Config) {
	a, s := open(t, c, plain)
	report, err := s.Round(t.Context(), canary.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Holds() {
		t.Errorf("%d findings:\n%s", len(report.Findings), report.Words())
	}
	t.Logf("%d attempts through %d operations in %s", report.Attempts, report.Operations, report.Took)
	for _, slot := range report.Missing {
		if !slices.ContainsFunc(outOfReach, func(kind string) bool { return strings.Contains(slot, "("+kind) }) {
			t.Errorf("the victim has nothing to attack with for %s", slot)
		}
	}
	for _, u := range append(s.Uncovered(), edge.UnreferencedSlots(a.Edge.API().OpenAPI())...) {
		t.Errorf("goes unattacked: %s", u)
	}
}

// What does not work for its owner proves nothing when it does not work for a stranger.
func TestTheVictimCanDoWhatTheAttackerCannot(t *testing.T) {
	each(t, theVictimCan)
}

func theVictimCan(t *testing.T, c app.Config) {
	_, s := open(t, c, plain)
	controls, err := s.Controls(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range controls {
		shared := strings.Contains(c.What, "/v1/subprocessors") || strings.Contains(c.What, "/v1/office_hours_schedules/")
		far := strings.Contains(c.What, "{delivery}")
		closed := strings.HasSuffix(c.What, "/enrichment") && c.Status == http.StatusForbidden // the canary's person is restricted, which is found behind the lookup too
		if c.Status >= 300 && c.Status != http.StatusConflict && !shared && !far && !closed {  // a conflict is found behind the lookup
			t.Errorf("%s: status %d", c.What, c.Status)
		}
	}
}

// Each leak is let in alone. An attacker that misses one proves nothing when it finds none.
func TestTheAttackerNoticesEveryLeak(t *testing.T) {
	t.Parallel()
	l := &leaky{}
	a, s := open(t, app.Config{}, func(next http.Handler) http.Handler {
		l.next = next
		return l
	})
	l.canaries, l.north, l.south = s, s.Side(canary.North), s.Side(canary.South)
	list := leaks()
	if len(list) < 30 {
		t.Fatalf("there are only %d leaks", len(list))
	}
	if report, err := s.Round(t.Context(), canary.Options{Brief: true}); err != nil || !report.Holds() {
		t.Errorf("without a leak: %v\n%s", err, report.Words())
	}
	for _, one := range list {
		l.mu.Lock()
		l.on, l.cache = &one, map[string]*httptest.ResponseRecorder{}
		l.mu.Unlock()
		report, err := s.Round(t.Context(), canary.Options{Only: func(what string) bool { return strings.Contains(what, one.near) }})
		if err != nil {
			t.Errorf("%s: %v", one.name, err)
		}
		if report.Holds() {
			t.Errorf("not noticed: %s", one.name)
		}
		letIn(t, a, l.north)
	}
}

// letIn undoes what an attacker did whom a leak let block the victim: who is blocked cannot be heard.
func letIn(t *testing.T, a *app.App, victim *canary.Side) {
	t.Helper()
	act := vault.Act("test.let_in", purpose.Storage, vault.Roles(vault.Owner))
	err := a.Vault.Do(t.Context(), victim.Owner, act, func(tx *vault.Tx) error {
		blocked, err := contacts.Contacts.Find(tx, "blocked_at IS NOT NULL")
		for _, c := range blocked {
			c.BlockedAt = time.Time{}
			if err := contacts.Contacts.Put(tx, c); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The attacks go on for years, so they must not make the stores grow. Only the log may: what was tried is in it.
func TestRoundsOfAttacksLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	a, s := open(t, app.Config{}, plain)
	rows := func() map[string]int {
		if _, err := s.Round(t.Context(), canary.Options{Pause: time.Nanosecond, Brief: true}); err != nil {
			t.Fatal(err)
		}
		out := map[string]int{}
		for _, side := range []string{canary.North, canary.South} {
			err := a.Vault.Stored(t.Context(), s.Side(side).Tenant, func(table string, _ []any) error {
				out[side+" "+table]++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	rows() // the first one makes what operations make once
	before, after := rows(), rows()
	for table, n := range after {
		if grown := n - before[table]; grown > 0 && !strings.HasSuffix(table, " journal") {
			t.Errorf("%s grew by %d rows", table, grown)
		}
	}
	t.Logf("the logs grew by %d and %d chunks", after["north journal"]-before["north journal"], after["south journal"]-before["south journal"])
}
