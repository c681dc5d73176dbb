package retention_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/frame/module/moduletest"
	"aver/trust/retention"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

type note struct {
	ID   ids.Object    `vault:"id,key"`
	Who  ids.Subject   `vault:"who,subject"`
	Body personal.Text `vault:"body,personal:user.content"`
	At   time.Time     `vault:"written_at,state,keep"`
}

const day = 24 * time.Hour

var (
	notes = vault.Define[note]("notes", vault.Purpose("testing"), vault.KeepFor(30*day))
	act   = vault.Act("test.write", purpose.Storage, vault.System())
)

var schema = engine.Migration{Version: 900001, Name: "notes/0001.sql", SQL: `CREATE TABLE notes (
    id ID NOT NULL,
    who ID,
    body SEALED,
    written_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX notes_by_who ON notes (who);
CREATE INDEX notes_by_time ON notes (written_at);
`}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, test func(*testing.T, *vaulttest.Kit, *retention.Service)) {
	t.Parallel()
	c := moduletest.Config(t, retention.New(nil, retention.Config{}).Module())
	c.Tables, c.Migrations = append(c.Tables, notes), append(c.Migrations, schema)
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) {
		test(t, k, retention.New(k.Vault, retention.Config{Files: "notes"}))
	})
}

func add(t *testing.T, k *vaulttest.Kit, n int) {
	t.Helper()
	sys := vaulttest.System(k.Tenant)
	who, err := k.Vault.NewSubject(t.Context(), sys)
	must(t, err)
	for left := n; left > 0; left -= 400 {
		must(t, k.Vault.Do(t.Context(), sys, act, func(tx *vault.Tx) error {
			for range min(left, 400) {
				if err := notes.Add(tx, note{ID: ids.NewObject(tx.Now()), Who: who, Body: personal.Of("x"), At: tx.Now()}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func count(t *testing.T, k *vaulttest.Kit) (n int) {
	t.Helper()
	must(t, k.Vault.View(t.Context(), vaulttest.System(k.Tenant), act, func(tx *vault.Tx) (err error) {
		n, err = notes.Count(tx, "")
		return err
	}))
	return n
}

// live lets days pass with a sweep every twelve hours, as they do.
func live(t *testing.T, k *vaulttest.Kit, s *retention.Service, d time.Duration) {
	t.Helper()
	for ; d > 0; d -= 12 * time.Hour {
		k.Clock.Advance(min(d, 12*time.Hour))
		must(t, s.Sweep(t.Context(), k.Tenant))
	}
}

func TestRowsGoWhenTheyAreOldEnoughAndNotBefore(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		must(t, s.Sweep(t.Context(), k.Tenant))
		add(t, k, 1100)
		live(t, k, s, 30*day)
		if n := count(t, k); n != 1100 {
			t.Fatalf("%d of 1100 are left on the last day", n)
		}
		add(t, k, 1)
		live(t, k, s, 12*time.Hour)
		if n := count(t, k); n != 1 {
			t.Fatalf("%d are left, want the new one", n)
		}
		entries, err := k.Vault.Entries(t.Context(), k.Tenant, 0, 10000)
		must(t, err)
		swept := int64(0)
		for _, e := range entries {
			if e.Action == "retention.sweep" && e.ActorName == "retention" {
				swept += e.Events[0].N
			}
		}
		if swept != 1100 {
			t.Errorf("the journal tells of %d deleted rows, want 1100", swept)
		}
	})
}

func TestATenantSetsItsOwnLimits(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		must(t, s.SetLimit(t.Context(), owner, "notes", 2))
		must(t, s.Sweep(t.Context(), k.Tenant))
		add(t, k, 3)
		live(t, k, s, 3*day)
		if n := count(t, k); n != 0 {
			t.Errorf("%d are left after three days with a limit of two", n)
		}
		for class, days := range map[string]int{"connections": 366, "notes": 4000} {
			if err := s.SetLimit(t.Context(), owner, class, days); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s for %d days: %v", class, days, err)
			}
		}
		if err := s.SetLimit(t.Context(), owner, "tenants", 5); !errs.Is(err, errs.NotFound) {
			t.Errorf("a class without an age: %v", err)
		}
		if err := s.SetLimit(t.Context(), vaulttest.User(k.Tenant, vault.Operator), "notes", 5); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
		must(t, s.SetLimit(t.Context(), owner, "notes", 0))
		classes, err := s.Oldest(t.Context(), k.Tenant)
		must(t, err)
		for _, c := range classes {
			if c.Name == "notes" && c.Limit != 30*day {
				t.Errorf("the limit is %s after going back to the default", c.Limit)
			}
		}
	})
}

func TestASweepThatIsStoppedInTheMiddleIsEndedByTheNext(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, _ *retention.Service) {
		ctx, stop := context.WithCancel(t.Context())
		parts := 0
		s := retention.New(k.Vault, retention.Config{Held: func(*vault.Tx) ([]ids.Subject, error) { // asked once by the schedule, then with each part
			if parts++; parts == 4 {
				stop()
			}
			return nil, nil
		}})
		must(t, s.SetLimit(t.Context(), vaulttest.User(k.Tenant, vault.Owner), "notes", 2))
		must(t, s.Sweep(t.Context(), k.Tenant))
		add(t, k, 3000)
		k.Clock.Advance(20 * time.Hour)
		must(t, s.Sweep(t.Context(), k.Tenant))
		add(t, k, 10)
		k.Clock.Advance(20 * time.Hour)
		must(t, s.Sweep(t.Context(), k.Tenant))
		k.Clock.Advance(20 * time.Hour)
		parts = 0
		if err := s.Sweep(ctx, k.Tenant); err == nil {
			t.Fatal("the sweep was not stopped")
		}
		left := count(t, k)
		if left <= 10 || left >= 3010 {
			t.Fatalf("%d are left: the sweep was not stopped in the middle", left)
		}
		must(t, s.Sweep(t.Context(), k.Tenant))
		if n := count(t, k); n != 10 {
			t.Errorf("%d are left, want the ten that are young enough", n)
		}
		entries, err := k.Vault.Entries(t.Context(), k.Tenant, 0, 10000)
		must(t, err)
		swept := int64(0)
		for _, e := range entries {
			if e.Action == "retention.sweep" {
				swept += e.Events[0].N
			}
		}
		if swept != 3000 {
			t.Errorf("the journal tells of %d deleted rows, want 3000", swept)
		}
	})
}

func TestAScheduleIsReplacedAsAWhole(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		dpo := vaulttest.User(k.Tenant, vault.DPO)
		must(t, s.SetLimit(t.Context(), dpo, "notes", 2))
		must(t, s.SetSchedule(t.Context(), dpo, map[string]int{"connections": 9, retention.Recordings: 30}))
		want := map[string]time.Duration{"notes": 30 * day, "connections": 9 * day, retention.Recordings: 30 * day, retention.Files: 30 * day}
		for _, c := range schedule(t, k, s) {
			if limit, known := want[c.Name]; known && c.Limit != limit {
				t.Errorf("%s are kept for %s, want %s", c.Name, c.Limit, limit)
			}
		}
		for class, days := range map[string]int{retention.Recordings: 91, retention.Files: 3, "nothing": 1} {
			if err := s.SetSchedule(t.Context(), dpo, map[string]int{class: days}); err == nil {
				t.Errorf("%s may be kept for %d days", class, days)
			}
		}
	})
}

func schedule(t *testing.T, k *vaulttest.Kit, s *retention.Service) []retention.Class {
	t.Helper()
	classes, err := s.Oldest(t.Context(), k.Tenant)
	must(t, err)
	return classes
}

func TestTheOldestRowIsKnownAndNotOverItsLimit(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		add(t, k, 1)
		at := k.Clock.Now()
		k.Clock.Advance(31 * day)
		classes, err := s.Oldest(t.Context(), k.Tenant)
		must(t, err)
		for _, c := range classes {
			if c.Name == "notes" && (!c.Oldest.Equal(at) || c.Over(k.Clock.Now()) != day) {
				t.Errorf("oldest %s, over by %s", c.Oldest, c.Over(k.Clock.Now()))
			}
		}
	})
}

func TestAClockThatJumpsDeletesNothingUntilASecondRunAgrees(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		must(t, s.Sweep(t.Context(), k.Tenant))
		add(t, k, 5)
		k.Clock.Advance(400 * day)
		must(t, s.Sweep(t.Context(), k.Tenant))
		must(t, s.Sweep(t.Context(), k.Tenant))
		if n := count(t, k); n != 5 {
			t.Fatalf("%d of 5 are left right after a jump", n)
		}
		k.Clock.Advance(-400 * day)
		must(t, s.Sweep(t.Context(), k.Tenant))
		if n := count(t, k); n != 5 {
			t.Fatalf("%d of 5 are left after the clock was put right", n)
		}
		k.Clock.Advance(40 * day)
		must(t, s.Sweep(t.Context(), k.Tenant))
		k.Clock.Advance(time.Hour)
		must(t, s.Sweep(t.Context(), k.Tenant))
		if n := count(t, k); n != 0 {
			t.Errorf("%d are left after a second run agreed", n)
		}
	})
}

func TestAClockThatIsSetByHoursDeletesNothingUntilASecondRunAgrees(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		must(t, s.Sweep(t.Context(), k.Tenant))
		add(t, k, 5)
		live(t, k, s, 30*day-time.Hour)
		left := func(want int, when string) {
			t.Helper()
			must(t, s.Sweep(t.Context(), k.Tenant))
			if n := count(t, k); n != want {
				t.Fatalf("%d of 5 are left %s", n, when)
			}
		}
		k.Clock.Set(2 * time.Hour)
		left(5, "right after the clock was set ahead")
		k.Clock.Advance(20 * time.Minute)
		left(5, "a little later")
		k.Clock.Set(-2 * time.Hour)
		left(5, "after the clock was put right")
		k.Clock.Set(11 * time.Hour)
		left(5, "after it was set again")
		k.Clock.Advance(time.Hour)
		left(0, "after a second run agreed")
	})
}

func TestATimeInWhichNothingRanIsNoReasonForDoubt(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		must(t, s.Sweep(t.Context(), k.Tenant))
		add(t, k, 5)
		live(t, k, s, 30*day-time.Hour)
		k.Clock.Set(20 * time.Hour) // of which the new process knows nothing
		must(t, retention.New(k.Vault, retention.Config{}).Sweep(t.Context(), k.Tenant))
		if n := count(t, k); n != 0 {
			t.Errorf("%d of 5 are left", n)
		}
	})
}

func TestAClockThatWasAheadForYearsEndsNoSweeps(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		must(t, s.Sweep(t.Context(), k.Tenant))
		k.Clock.Advance(3650 * day)
		must(t, s.Sweep(t.Context(), k.Tenant))
		k.Clock.Advance(time.Hour)
		must(t, s.Sweep(t.Context(), k.Tenant))
		k.Clock.Advance(-3650 * day)
		add(t, k, 5)
		live(t, k, s, 29*day)
		if n := count(t, k); n != 5 {
			t.Fatalf("%d of 5 are left before their time", n)
		}
		live(t, k, s, 2*day)
		if n := count(t, k); n != 0 {
			t.Errorf("%d are left after the clock was put right", n)
		}
	})
}

func TestARefusedSweepIsInTheAuditLog(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		if err := s.SweepSoon(t.Context(), vaulttest.User(k.Tenant, vault.Operator)); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator: %v", err)
		}
		log, err := k.Vault.Entries(t.Context(), k.Tenant, 0, 10)
		must(t, err)
		if len(log) != 1 || log[0].Outcome != journal.Denied || log[0].Action != "retention.sweep_now" {
			t.Errorf("the log has %+v", log)
		}
	})
}

func TestFilesGoWithWhatTheyWereAttachedTo(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		sys := vaulttest.System(k.Tenant)
		who, err := k.Vault.NewSubject(t.Context(), sys)
		must(t, err)
		b, err := k.Vault.PutBlob(t.Context(), sys, who, "text/plain", strings.NewReader("x"), 10)
		must(t, err)
		must(t, k.Vault.Do(t.Context(), sys, act, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, b) }))
		must(t, s.Sweep(t.Context(), k.Tenant))
		live(t, k, s, 31*day)
		must(t, k.Vault.View(t.Context(), sys, act, func(tx *vault.Tx) error {
			n, err := vault.Blobs.Count(tx, "")
			if n != 0 {
				t.Error("the file's line is still there")
			}
			return err
		}))
	})
}

func TestOnePlaceCannotFillTheConnectionLog(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		for i := range 1000 { // every one with a program of its own, from anywhere in the network of one customer
			from := netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1))
			s.Record(retention.Seen{Tenant: k.Tenant, Client: from, Agent: fmt.Sprint("browser ", i), Class: "page"})
		}
		s.Record(retention.Seen{Tenant: k.Tenant, Client: netip.MustParseAddr("192.0.2.7"), Agent: "browser", Class: "page"})
		stop()
		<-done
		list, err := s.ConnectionList(t.Context(), vaulttest.User(k.Tenant, vault.Owner), time.Time{}, ids.Object{}, 100)
		must(t, err)
		lines := map[string]int{}
		for _, c := range list {
			lines[c.IP+" "+c.Class]++
			if c.Class == "other" && c.Agent != "980 more requests, of further programs" {
				t.Errorf("the rest is %q", c.Agent)
			}
		}
		if len(list) != 22 || lines["192.0.2.7 page"] != 1 || lines["2001:db8:: other"] != 1 {
			t.Errorf("%d lines: %v", len(list), lines)
		}
	})
}

func TestConnectionsAreWrittenDownOnceAnHour(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		seen := retention.Seen{Tenant: k.Tenant, Client: netip.MustParseAddr("192.0.2.7"), Agent: "browser", Class: "page", Who: vault.AsUser}
		for range 100 {
			s.Record(seen)
		}
		k.Clock.Advance(time.Hour)
		s.Record(seen)
		stop()
		<-done
		owner := vaulttest.User(k.Tenant, vault.Owner)
		list, err := s.ConnectionList(t.Context(), owner, time.Time{}, ids.Object{}, 50)
		must(t, err)
		if len(list) != 2 || list[0].IP != "192.0.2.7" || list[0].Who != "user" {
			t.Fatalf("got %d lines", len(list))
		}
		older, err := s.ConnectionList(t.Context(), owner, list[0].At, list[0].ID, 50)
		must(t, err)
		if len(older) != 1 || older[0].ID != list[1].ID {
			t.Errorf("the next page has %d lines", len(older))
		}
		if _, err := s.ConnectionList(t.Context(), vaulttest.User(k.Tenant, vault.Operator), time.Time{}, ids.Object{}, 5); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator reads the connection log: %v", err)
		}
	})
}
