package vault_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/vaulttest"
)

// open is how many people's erasures the ledger holds as not finished.
func open(t *testing.T, k *vaulttest.Kit) (n int) {
	t.Helper()
	lines, err := k.Vault.Keys().Erasures(t.Context(), k.Tenant, time.Time{})
	must(t, err)
	for _, e := range lines {
		if e.Done.IsZero() {
			n++
		}
	}
	return n
}

func erase(t *testing.T, k *vaulttest.Kit, who ids.Contact) {
	t.Helper()
	must(t, k.Vault.EraseSubject(t.Context(), vaulttest.System(k.Tenant), forget, who, "asked"))
}

func TestAnErasureIsDoneOnlyWhenTheLiveFilesAreScrubbed(t *testing.T) {
	t.Parallel()
	k := vaulttest.Embedded(t, config)
	erase(t, k, newPerson(t, k, k.Tenant, "gone@example.com"))

	reading, release, read := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		read <- k.Engine.Read(context.Background(), k.Tenant, func(c engine.Conn) error {
			err := c.Query("SELECT id FROM people", nil, func([]any) error { return nil })
			close(reading)
			<-release
			return err
		})
	}()
	<-reading
	n, err := k.Vault.FinishErasures(t.Context(), k.Tenant) // the reader keeps the old pages in the log
	if n != 0 || err == nil || open(t, k) != 1 {
		t.Errorf("with a reader in the way: finished %d, %v; %d are open", n, err, open(t, k))
	}
	close(release)
	must(t, <-read)
	if n, err := k.Vault.FinishErasures(t.Context(), k.Tenant); n != 1 || err != nil || open(t, k) != 0 {
		t.Errorf("once it is gone: finished %d, %v; %d are open", n, err, open(t, k))
	}
}

func TestAReplayTakesTheLateErasuresAndLeavesTheLedgerAsItIs(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		erase(t, k, newPerson(t, k, k.Tenant, "long.ago@example.com"))
		_, err := k.Vault.FinishErasures(t.Context(), k.Tenant)
		must(t, err)
		k.Clock.Advance(48 * time.Hour)
		erase(t, k, newPerson(t, k, k.Tenant, "lately@example.com"))

		since := k.Clock.Now().Add(-24 * time.Hour)
		for range 2 {
			if n, err := k.Vault.ReplayErasures(t.Context(), k.Tenant, since); n != 1 || err != nil {
				t.Errorf("replayed %d: %v", n, err)
			}
		}
		if got := open(t, k); got != 1 {
			t.Errorf("%d erasures are open, want the one that nobody finished", got)
		}
	})
}

func TestAFileThatCannotBeRemovedHoldsUpItselfAlone(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op, thread := vaulttest.System(k.Tenant), ids.NewObject(vaulttest.Start)
		files := map[ids.Contact]string{}
		var bad ids.Contact
		for i := range 4 {
			who := newPerson(t, k, k.Tenant, string(rune('a'+i))+"@example.com")
			addNote(t, k, op, note{Person: who, Thread: thread, Seq: int64(i + 1), Text: personal.Of("erase me")})
			blob, err := k.Vault.PutBlob(t.Context(), op, who, "text/plain", strings.NewReader("a file"), 100)
			must(t, err)
			must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))
			files[who] = filepath.Join(k.Folder, "blobs", k.Tenant.String(), blob.ID.String())
			if i == 1 {
				bad = who
			}
			erase(t, k, who)
		}
		must(t, os.Remove(files[bad]))
		must(t, os.MkdirAll(filepath.Join(files[bad], "in the way"), 0o700))
		lines := func() (all []vault.Blob) {
			must(t, k.Vault.View(t.Context(), op, write, func(tx *vault.Tx) (err error) {
				all, err = vault.Blobs.Find(tx, "ORDER BY id")
				return err
			}))
			return all
		}
		for range 2 { // it is tried again
			if _, err := k.Vault.FinishErasures(t.Context(), k.Tenant); err == nil || open(t, k) != 1 {
				t.Errorf("%d erasures are open, %v", open(t, k), err)
			}
			if left := find(t, k, op, "ORDER BY seq"); len(left) != 0 {
				t.Errorf("rows that are left: %+v", left)
			}
			if left := lines(); len(left) != 1 || left[0].Subject != bad {
				t.Errorf("lines of files that are left: %+v", left)
			}
			for who, file := range files {
				if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) != (who != bad) {
					t.Errorf("the file of %s: %v", who, err)
				}
			}
		}
		must(t, os.Remove(filepath.Join(files[bad], "in the way")))
		if n, err := k.Vault.FinishErasures(t.Context(), k.Tenant); n != 1 || err != nil || len(lines()) != 0 || open(t, k) != 0 {
			t.Errorf("once it can be: finished %d, %v; %+v", n, err, lines())
		}
	})
}

func TestManyErasuresAreFinishedTogether(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op, thread := vaulttest.System(k.Tenant), ids.NewObject(vaulttest.Start)
		stays := newPerson(t, k, k.Tenant, "stays@example.com")
		for i := range 5 {
			who := newPerson(t, k, k.Tenant, string(rune('a'+i))+"@example.com")
			addNote(t, k, op, note{Person: who, Thread: thread, Seq: int64(i + 1), Text: personal.Of("erase me")})
			erase(t, k, who)
		}
		addNote(t, k, op, note{Person: stays, Thread: thread, Seq: 9, Text: personal.Of("keep me")})
		if n, err := k.Vault.FinishErasures(t.Context(), k.Tenant); n != 5 || err != nil {
			t.Errorf("finished %d: %v", n, err)
		}
		if got := find(t, k, op, "ORDER BY seq"); len(got) != 1 || got[0].Person != stays {
			t.Errorf("left: %+v", got)
		}
	})
}

// filed counts what the index of words holds about a person.
func filed(t *testing.T, k *vaulttest.Kit, who ids.Contact) (n int) {
	t.Helper()
	must(t, k.Vault.View(t.Context(), vaulttest.System(k.Tenant), read, func(tx *vault.Tx) (err error) {
		n, err = k.Vault.Filed(tx, who)
		return err
	}))
	return n
}

// The erasures begin while the words of what was written just now are being filed.
func TestNoWordsAreFiledOfPeopleWhoAreErasedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.System(k.Tenant)
		for round := range 20 {
			who, thread := newPerson(t, k, k.Tenant, fmt.Sprint(round, "@example.com")), ids.NewObject(vaulttest.Start)
			must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error {
				for i := range int64(200) {
					err := notes.Add(tx, note{Person: who, Thread: thread, Seq: i + 1, Text: personal.Of("erase me"), At: tx.Now()})
					if err != nil {
						return err
					}
				}
				return nil
			}))
			for range round % 4 { // some rounds give the follower time for a step or two
				filed(t, k, who)
			}
			erase(t, k, who)
			_, err := k.Vault.FinishErasures(t.Context(), k.Tenant)
			must(t, err)
			k.Filed(t)
			if n := filed(t, k, who); n > 0 {
				t.Fatalf("round %d: the words of %d rows are still filed", round, n)
			}
		}
	})
}

func TestARowThatIsCommittedAfterAnErasureWasFinishedIsRemovedToo(t *testing.T) {
	t.Parallel()
	k := vaulttest.Postgres(t, config) // the embedded engine has one writer at a time
	who := newPerson(t, k, k.Tenant, "gone@example.com")
	beside := vault.Mint(vault.Identity{Tenant: k.Tenant, Kind: vault.AsUser, ID: ids.User{15: 1}, Roles: []vault.Role{vault.Operator}}) // not in the lane of the system
	written, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- k.Vault.Do(context.Background(), beside, write, func(tx *vault.Tx) error {
			err := notes.Add(tx, note{Person: who, Thread: ids.NewObject(tx.Now()), Seq: 1, Text: personal.Of("late"), At: tx.Now()})
			close(written)
			<-release
			return err
		})
	}()
	<-written
	erase(t, k, who)
	if n, err := k.Vault.FinishErasures(t.Context(), k.Tenant); n != 1 || err != nil {
		t.Errorf("finished %d: %v", n, err)
	}
	close(release)
	must(t, <-done)
	k.Filed(t)
	if got := find(t, k, beside, ""); len(got) != 1 {
		t.Fatalf("%d rows came late, want one", len(got))
	}
	k.Clock.Advance(10 * time.Minute)
	if n, err := k.Vault.FinishErasures(t.Context(), k.Tenant); n != 0 || err != nil {
		t.Errorf("finished again %d: %v", n, err)
	}
	if got := find(t, k, beside, ""); len(got) != 0 || filed(t, k, who) != 0 {
		t.Errorf("%d rows and the words of %d are left", len(got), filed(t, k, who))
	}
}

func TestNoRowIsAddedAboutSomebodyErasedEvenIfNothingInItIsSealed(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op, thread := vaulttest.System(k.Tenant), ids.NewObject(vaulttest.Start)
		gone, stays := newPerson(t, k, k.Tenant, "gone@example.com"), newPerson(t, k, k.Tenant, "stays@example.com")
		addNote(t, k, op, note{Person: stays, Thread: thread, Seq: 1})
		erase(t, k, gone)
		for name, change := range map[string]func(*vault.Tx) error{
			"add": func(tx *vault.Tx) error {
				return notes.Add(tx, note{Person: gone, Thread: thread, Seq: 2, At: tx.Now()})
			},
			"put": func(tx *vault.Tx) error {
				return notes.Put(tx, note{Person: gone, Thread: thread, Seq: 1, At: tx.Now()})
			},
			"change": func(tx *vault.Tx) error {
				was, err := notes.Get(tx, thread, 1)
				now := was
				now.Person = gone
				return errors.Join(err, notes.Change(tx, was, now))
			},
		} {
			if err := k.Vault.Do(t.Context(), op, write, change); !errs.Is(err, errs.Gone) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestNobodyCannotBeErased(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.System(k.Tenant)
		before, _, _, err := k.Vault.Head(t.Context(), k.Tenant)
		must(t, err)
		if err := k.Vault.EraseSubject(t.Context(), op, write, ids.Subject{}, "asked for"); !errs.Is(err, errs.NotFound) {
			t.Errorf("got %v", err)
		}
		if after, _, _, err := k.Vault.Head(t.Context(), k.Tenant); after != before || err != nil {
			t.Errorf("the log has %d entries, not %d: %v", after, before, err)
		}
	})
}
