package retention_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/frame/module/moduletest"
	"aver/frame/page"
	"aver/trust/retention"
	"aver/vault"
	"aver/vault/vaulttest"
)

// recorded stores a file for somebody.
func recorded(t *testing.T, k *vaulttest.Kit, who ids.Subject, kind string) vault.Blob {
	t.Helper()
	sys := vaulttest.System(k.Tenant)
	b, err := k.Vault.PutBlob(t.Context(), sys, who, kind, strings.NewReader("a voice"), 10)
	must(t, err)
	must(t, k.Vault.Do(t.Context(), sys, act, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, b) }))
	return b
}

func person(t *testing.T, k *vaulttest.Kit) ids.Subject {
	t.Helper()
	who, err := k.Vault.NewSubject(t.Context(), vaulttest.System(k.Tenant))
	must(t, err)
	return who
}

// there tells whether a file's line and its bytes are there.
func there(t *testing.T, k *vaulttest.Kit, b vault.Blob) (line, bytes bool) {
	t.Helper()
	must(t, k.Vault.View(t.Context(), vaulttest.System(k.Tenant), act, func(tx *vault.Tx) error {
		n, err := vault.Blobs.Count(tx, "id = ?", b.ID)
		line = n == 1
		return err
	}))
	found, err := filepath.Glob(filepath.Join(k.Folder, "*", k.Tenant.String(), b.ID.String()))
	must(t, err)
	for _, path := range found {
		_, err := os.Stat(path)
		bytes = bytes || err == nil
	}
	return line, bytes
}

func TestRecordingsGoAfterNinetyDaysWithTheirBytes(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		must(t, s.Sweep(t.Context(), k.Tenant))
		must(t, s.SetLimit(t.Context(), vaulttest.User(k.Tenant, vault.Owner), "notes", 200))
		who := person(t, k)
		voice, film, letter := recorded(t, k, who, "audio/webm"), recorded(t, k, who, "video/mp4"), recorded(t, k, who, "application/pdf")
		live(t, k, s, 90*day)
		for _, b := range []vault.Blob{voice, film, letter} {
			if line, bytes := there(t, k, b); !line || !bytes {
				t.Fatalf("a file of kind %s is gone on its last day: line %v, bytes %v", b.Kind, line, bytes)
			}
		}
		live(t, k, s, day)
		for _, b := range []vault.Blob{voice, film} {
			if line, bytes := there(t, k, b); line || bytes {
				t.Errorf("a recording of kind %s is left after 91 days: line %v, bytes %v", b.Kind, line, bytes)
			}
		}
		if line, bytes := there(t, k, letter); !line || !bytes {
			t.Error("a file that is no recording went with the recordings")
		}
	})
}

// exception asks for recordings to be kept for half a year, until a hundred days from now.
func exception(t *testing.T, k *vaulttest.Kit, s *retention.Service, actor vault.Actor) retention.Exception {
	t.Helper()
	e, err := s.AskException(t.Context(), actor, retention.Exception{Class: retention.Recordings, Days: 180, Until: k.Clock.Now().Add(100 * day), Reason: "a dispute about what was said"})
	must(t, err)
	return e
}

func limitOf(t *testing.T, k *vaulttest.Kit, s *retention.Service, class string) time.Duration {
	t.Helper()
	for _, c := range schedule(t, k, s) {
		if c.Name == class {
			return c.Limit
		}
	}
	return 0
}

func TestMoreThanThePromiseTakesTwoPeopleAndEndsByItself(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		must(t, s.Sweep(t.Context(), k.Tenant))
		asker, second := vaulttest.User(k.Tenant, vault.Owner), vaulttest.User(k.Tenant, vault.DPO)
		voice := recorded(t, k, person(t, k), "audio/webm")
		e := exception(t, k, s, asker)
		if err := s.Decide(t.Context(), asker, e.ID, true); !errs.Is(err, errs.Forbidden) {
			t.Errorf("the asker approves: %v", err)
		}
		if err := s.Decide(t.Context(), vaulttest.User(k.Tenant, vault.Administrator), e.ID, true); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an administrator approves: %v", err)
		}
		if limit := limitOf(t, k, s, retention.Recordings); limit != 90*day {
			t.Fatalf("kept for %s before anybody approved", limit)
		}
		must(t, s.Decide(t.Context(), second, e.ID, true))
		if limit := limitOf(t, k, s, retention.Recordings); limit != 180*day {
			t.Fatalf("kept for %s after the approval", limit)
		}
		live(t, k, s, 99*day)
		if line, _ := there(t, k, voice); !line {
			t.Error("the recording went although an exception keeps it")
		}
		live(t, k, s, 2*day)
		if line, bytes := there(t, k, voice); line || bytes {
			t.Error("the recording is left after the exception's end")
		}
		log, err := k.Vault.Entries(t.Context(), k.Tenant, 0, 10000)
		must(t, err)
		told := map[string]int{}
		for _, entry := range log {
			for _, event := range entry.Events {
				told[event.Kind]++
			}
		}
		if told["retention.exception_asked"] != 1 || told["retention.exception_denied"] != 1 || told["retention.exception_approved"] != 1 {
			t.Errorf("the log tells %v", told)
		}
	})
}

func TestAnExceptionIsRefusedUnlessItSaysWhyUntilWhenAndForMore(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		owner, good := vaulttest.User(k.Tenant, vault.Owner), retention.Exception{Class: retention.Recordings, Days: 180, Until: k.Clock.Now().Add(day), Reason: "a dispute"}
		for name, spoil := range map[string]func(*retention.Exception){
			"no reason":                              func(e *retention.Exception) { e.Reason = " " },
			"an end in the past":                     func(e *retention.Exception) { e.Until = k.Clock.Now() },
			"no end in sight":                        func(e *retention.Exception) { e.Until = k.Clock.Now().Add(1000 * day) },
			"no longer time":                         func(e *retention.Exception) { e.Days = 90 },
			"a class with a promise that knows none": func(e *retention.Exception) { e.Class = "connections" },
			"a class that follows another":           func(e *retention.Exception) { e.Class = retention.Files },
		} {
			e := good
			spoil(&e)
			if _, err := s.AskException(t.Context(), owner, e); !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		e := exception(t, k, s, owner)
		if _, err := s.AskException(t.Context(), owner, good); !errs.Is(err, errs.Conflict) {
			t.Errorf("a second one for the same class: %v", err)
		}
		must(t, s.EndException(t.Context(), owner, e.ID))
		if err := s.Decide(t.Context(), vaulttest.User(k.Tenant, vault.DPO), e.ID, true); !errs.Is(err, errs.Conflict) {
			t.Errorf("approving what was taken back: %v", err)
		}
		if _, err := s.AskException(t.Context(), vaulttest.User(k.Tenant, vault.Operator), good); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator asks: %v", err)
		}
	})
}

func TestWhatAHoldKeepsIsNeitherSweptNorCountedAsTooOld(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, _ *retention.Service) {
		var held []ids.Subject
		s := retention.New(k.Vault, retention.Config{Files: "notes", Held: func(*vault.Tx) ([]ids.Subject, error) { return held, nil }})
		must(t, s.Sweep(t.Context(), k.Tenant))
		kept, gone := person(t, k), person(t, k)
		held = append(held, kept)
		for range 700 { // more than one statement names
			held = append(held, ids.NewSubject(k.Clock.Now()))
		}
		for _, who := range []ids.Subject{kept, gone, {}} {
			must(t, k.Vault.Do(t.Context(), vaulttest.System(k.Tenant), act, func(tx *vault.Tx) error {
				return notes.Add(tx, note{ID: ids.NewObject(tx.Now()), Who: who, At: tx.Now()})
			}))
		}
		voice, other := recorded(t, k, kept, "audio/webm"), recorded(t, k, gone, "audio/webm")
		live(t, k, s, 92*day)
		if n := count(t, k); n != 1 {
			t.Errorf("%d notes are left, want the one that a hold keeps", n)
		}
		if line, _ := there(t, k, voice); !line {
			t.Error("a recording that a hold keeps is gone")
		}
		if line, _ := there(t, k, other); line {
			t.Error("a recording that nothing keeps is there")
		}
		for _, c := range schedule(t, k, s) {
			if c.Over(k.Clock.Now()) > 0 {
				t.Errorf("%s count as over their limit", c.Name)
			}
		}
		held = nil
		live(t, k, s, day)
		if n := count(t, k); n != 0 {
			t.Errorf("%d notes are left after the hold ended", n)
		}
	})
}

func TestAClassThatFailsHoldsUpNoOther(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *retention.Service) {
		must(t, s.Sweep(t.Context(), k.Tenant))
		must(t, s.SetLimit(t.Context(), vaulttest.User(k.Tenant, vault.Owner), "notes", 90))
		who := person(t, k)
		voice, letter := recorded(t, k, who, "audio/webm"), recorded(t, k, who, "application/pdf")
		bytes := filepath.Join(k.Folder, "blobs", k.Tenant.String(), voice.ID.String())
		must(t, os.Remove(bytes))
		must(t, os.MkdirAll(filepath.Join(bytes, "in the way"), 0o700)) // nothing removes this folder
		live(t, k, s, 90*day)
		k.Clock.Advance(time.Hour)
		if err := s.Sweep(t.Context(), k.Tenant); err == nil || !strings.Contains(err.Error(), "sweep recordings") {
			t.Errorf("a sweep whose recordings cannot be removed: %v", err)
		}
		if line, bytes := there(t, k, letter); line || bytes { // files come after recordings
			t.Errorf("a file of a class that comes after is left: line %v, bytes %v", line, bytes)
		}
		shows := func(want bool) {
			t.Helper()
			shown := moduletest.Get(moduletest.Edge(moduletest.Mux(s.Module()), vaulttest.User(k.Tenant, vault.Owner), page.View{}), "/settings/retention")
			if shown.Status != http.StatusOK || strings.Contains(shown.Body, "could not end these classes: recordings") != want {
				t.Errorf("the page says that recordings could not be swept: %v (status %d)", !want, shown.Status)
			}
		}
		shows(true)
		must(t, os.RemoveAll(bytes))
		live(t, k, s, 12*time.Hour)
		shows(false)
	})
}
