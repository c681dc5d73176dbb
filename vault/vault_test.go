package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/base/tlog"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

type person struct {
	ID    ids.Contact   `vault:"id,key"`
	Email personal.Text `vault:"email,personal:user.contact.email,lookup"`
	Born  time.Time     `vault:"born,state"`
}

type note struct {
	Person ids.Contact   `vault:"person,subject"`
	Thread ids.Object    `vault:"thread,key"`
	Seq    int64         `vault:"seq,key"`
	Text   personal.Text `vault:"text,personal:user.content,search"`
	Labels []string      `vault:"labels,tenant:tenant.content"`
	Open   bool          `vault:"open,state"`
	At     time.Time     `vault:"at,state,keep"`
}

// A plainNote is a note whose words are not searched.
type plainNote struct {
	Person ids.Contact   `vault:"person,subject"`
	Thread ids.Object    `vault:"thread,key"`
	Seq    int64         `vault:"seq,key"`
	Text   personal.Text `vault:"text,personal:user.content"`
	At     time.Time     `vault:"at,state,keep"`
}

var (
	plainNotes = vault.Define[plainNote]("plain_notes", vault.Purpose("testing"), vault.KeepFor(24*time.Hour))
	people     = vault.Define[person]("people", vault.Purpose("testing"), vault.KeepWhile("the test"))
	notes      = vault.Define[note]("notes", vault.Purpose("testing"), vault.KeepFor(24*time.Hour))

	write  = vault.Act("note.write", purpose.Storage, vault.Roles(vault.Operator), vault.Scope("notes:write"), vault.System(), vault.Visitors())
	read   = vault.Act("note.read", purpose.Storage, vault.Roles(vault.Operator, vault.Auditor), vault.System(), vault.Visitors())
	look   = vault.Act("note.look", purpose.Storage, vault.Roles(vault.Operator), vault.Reads())
	forget = vault.Act("person.erase", purpose.Storage, vault.Roles(vault.DPO), vault.System())
)

var config = vaulttest.Config{
	Tables: []vault.AnyTable{people, notes, plainNotes},
	Migrations: []engine.Migration{{Version: 2001, Name: "test/0001_test.sql", SQL: `
CREATE TABLE people (
    id ID NOT NULL,
    email SEALED,
    email_index BLIND,
    born TIME,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX people_by_email ON people (email_index);
CREATE TABLE notes (
    person ID NOT NULL,
    thread ID NOT NULL,
    seq INT NOT NULL,
    text SEALED,
    labels SEALED,
    open BOOL NOT NULL,
    at TIME NOT NULL,
    PRIMARY KEY (thread, seq)
);
CREATE INDEX notes_by_person ON notes (person);
CREATE INDEX notes_by_time ON notes (at);
CREATE TABLE plain_notes (
    person ID NOT NULL,
    thread ID NOT NULL,
    seq INT NOT NULL,
    text SEALED,
    at TIME NOT NULL,
    PRIMARY KEY (thread, seq)
);
CREATE INDEX plain_notes_by_person ON plain_notes (person);
`}},
}

func each(t *testing.T, test func(*testing.T, *vaulttest.Kit)) {
	t.Parallel()
	vaulttest.Each(t, config, test)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newPerson(t *testing.T, k *vaulttest.Kit, tenant ids.Tenant, email string) ids.Contact {
	t.Helper()
	actor := vaulttest.System(tenant)
	id, err := k.Vault.NewSubject(t.Context(), actor)
	must(t, err)
	must(t, k.Vault.Do(t.Context(), actor, write, func(tx *vault.Tx) error {
		return people.Add(tx, person{ID: id, Email: personal.Of(email), Born: tx.Now()})
	}))
	return id
}

func addNote(t *testing.T, k *vaulttest.Kit, actor vault.Actor, n note) {
	t.Helper()
	must(t, k.Vault.Do(t.Context(), actor, write, func(tx *vault.Tx) error {
		n.At = tx.Now()
		return notes.Add(tx, n)
	}))
}

func find(t *testing.T, k *vaulttest.Kit, actor vault.Actor, tail string, args ...any) []note {
	t.Helper()
	var out []note
	must(t, k.Vault.View(t.Context(), actor, read, func(tx *vault.Tx) (err error) {
		out, err = notes.Find(tx, tail, args...)
		return err
	}))
	return out
}

func TestARowReadsBackAsItWasStored(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		who := newPerson(t, k, k.Tenant, " Ann@Example.com ")
		want := note{Person: who, Thread: ids.NewObject(vaulttest.Start), Seq: 7, Text: personal.Of("a lamp, broken"), Labels: []string{"vip", "returns"}, Open: true}
		addNote(t, k, op, want)
		got := find(t, k, op, "thread = ? AND open = ? ORDER BY seq LIMIT 5", want.Thread, true)
		if len(got) != 1 || got[0].Text.Reveal() != "a lamp, broken" || got[0].Labels[1] != "returns" || got[0].Seq != 7 ||
			!got[0].Open || got[0].Person != who || !got[0].At.Equal(vaulttest.Start) {
			t.Errorf("got %+v", got)
		}
		must(t, k.Vault.View(t.Context(), op, read, func(tx *vault.Tx) error {
			found, err := people.Lookup(tx, "email", "ann@example.COM")
			if len(found) != 1 || found[0].ID != who {
				t.Errorf("looked up %v", found)
			}
			return err
		}))
	})
}

func TestTheSameKeyTwiceIsAConflictAndTheRestOfTheChangeGoesOn(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		n := note{Person: newPerson(t, k, k.Tenant, "a@example.com"), Thread: ids.NewObject(vaulttest.Start), Seq: 1}
		addNote(t, k, op, n)
		must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error {
			n.At = tx.Now()
			if err := notes.Add(tx, n); !errs.Is(err, errs.Conflict) {
				t.Errorf("a second row with the key: %v", err)
			}
			n.Seq = 2
			return notes.Add(tx, n)
		}))
		if got := find(t, k, op, "ORDER BY seq"); len(got) != 2 {
			t.Errorf("%d rows", len(got))
		}
	})
}

func TestNobodySeesAnotherTenantsRows(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		n := note{Person: newPerson(t, k, k.Tenant, "a@example.com"), Thread: ids.NewObject(vaulttest.Start), Seq: 1, Text: personal.Of("secret words")}
		addNote(t, k, vaulttest.User(k.Tenant, vault.Operator), n)
		spy := vaulttest.User(k.Other, vault.Operator)
		if got := find(t, k, spy, "1 = 1 OR 1 = 1"); len(got) != 0 {
			t.Errorf("found %d rows", len(got))
		}
		must(t, k.Vault.View(t.Context(), spy, read, func(tx *vault.Tx) error {
			if _, err := notes.Get(tx, n.Thread, n.Seq); !errs.Is(err, errs.NotFound) {
				t.Errorf("get: %v", err)
			}
			if found, _ := people.Lookup(tx, "email", "a@example.com"); len(found) != 0 {
				t.Error("looked up a foreign person")
			}
			if count, _ := notes.Count(tx, ""); count != 0 {
				t.Errorf("counted %d", count)
			}
			return nil
		}))
		must(t, k.Vault.Do(t.Context(), spy, write, func(tx *vault.Tx) error {
			if err := notes.Delete(tx, n.Thread, n.Seq); !errs.Is(err, errs.NotFound) {
				t.Errorf("delete: %v", err)
			}
			gone, err := notes.DeleteWhere(tx, "seq > ? LIMIT 10", 0)
			if gone != 0 {
				t.Errorf("swept %d", gone)
			}
			return err
		}))
		if got := find(t, k, vaulttest.User(k.Tenant, vault.Operator), ""); len(got) != 1 {
			t.Error("the row is gone")
		}
	})
}

func TestWhoMayNotIsRefusedAndTheRefusalIsLogged(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		for name, actor := range map[string]vault.Actor{
			"another role":        vaulttest.User(k.Tenant, vault.Auditor),
			"a key without scope": vaulttest.Key(k.Tenant, "notes:read"),
			"no role":             vaulttest.User(k.Tenant),
		} {
			err := k.Vault.Do(t.Context(), actor, write, func(*vault.Tx) error { t.Errorf("%s: ran", name); return nil })
			if !errs.Is(err, errs.Forbidden) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := k.Vault.Do(t.Context(), vault.Actor{}, write, nil); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("nobody: %v", err)
		}
		if err := k.Vault.Permit(t.Context(), vaulttest.User(k.Tenant, vault.Auditor), write); !errs.Is(err, errs.Forbidden) {
			t.Errorf("for work outside a transaction: %v", err)
		}
		must(t, k.Vault.Permit(t.Context(), vaulttest.User(k.Tenant, vault.Operator), write)) // writes nothing
		entries, err := k.Vault.Entries(t.Context(), k.Tenant, 0, 100)
		must(t, err)
		if len(entries) != 4 || entries[0].Outcome != journal.Denied || entries[0].Action != "note.write" {
			t.Errorf("log: %+v", entries)
		}
	})
}

func TestEveryAcknowledgedChangeHasItsEntryAtAnyConcurrency(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		who := newPerson(t, k, k.Tenant, "a@example.com")
		before, _, _, err := k.Vault.Head(t.Context(), k.Tenant)
		must(t, err)
		const callers, changes = 64, 8
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				thread := ids.NewObject(vaulttest.Start)
				for i := range changes {
					err := k.Vault.Do(context.Background(), op, write, func(tx *vault.Tx) error {
						if i == 3 {
							return errors.New("changed my mind")
						}
						return notes.Add(tx, note{Person: who, Thread: thread, Seq: int64(i), At: tx.Now()})
					})
					if (i == 3) != (err != nil) {
						t.Errorf("change %d: %v", i, err)
					}
				}
			})
		}
		all.Wait()
		want := before + callers*(changes-1)
		size, root, _, err := k.Vault.Head(t.Context(), k.Tenant)
		must(t, err)
		var f tlog.Frontier
		_, err = k.Vault.Journal(t.Context(), k.Tenant, 0, size, func(raw []byte) error {
			e, err := journal.Parse(raw)
			if e.Index != f.Size() {
				t.Errorf("entry %d says %d", f.Size(), e.Index)
			}
			f.Append(tlog.LeafHash(raw))
			return err
		})
		must(t, err)
		if size != want || f.Size() != want || f.Root() != root {
			t.Errorf("log of %d entries, recomputed %d, want %d; roots equal: %v", size, f.Size(), want, f.Root() == root)
		}
		if n := len(find(t, k, op, "")); n != callers*(changes-1) {
			t.Errorf("%d rows", n)
		}
	})
}

func TestTheJournalHoldsNoPersonalDataAndNamesWhatWasTouched(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		who := newPerson(t, k, k.Tenant, "zanzibar@example.com")
		addNote(t, k, op, note{Person: who, Thread: ids.NewObject(vaulttest.Start), Seq: 1, Text: personal.Of("xylophone")})
		var last journal.Entry
		_, err := k.Vault.Journal(t.Context(), k.Tenant, 0, 100, func(raw []byte) error {
			if bytes.Contains(raw, []byte("xylophone")) || bytes.Contains(raw, []byte("zanzibar")) {
				t.Error("personal data in the journal")
			}
			var err error
			last, err = journal.Parse(raw)
			return err
		})
		must(t, err)
		if last.Subject != who || len(last.Touched) != 1 || last.Touched[0].Table != "notes" || last.Actor != op.ID() || last.Commit == [32]byte{} {
			t.Errorf("entry %+v", last)
		}
	})
}

func TestAReadThatMustBeLoggedIs(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		who := newPerson(t, k, k.Tenant, "a@example.com")
		op := vaulttest.User(k.Tenant, vault.Operator)
		must(t, k.Vault.View(t.Context(), op, look, func(tx *vault.Tx) error {
			tx.About(who)
			if err := people.Put(tx, person{ID: who}); err == nil {
				t.Error("a read wrote")
			}
			_, err := people.Get(tx, who)
			return err
		}))
		size, _, _, err := k.Vault.Head(t.Context(), k.Tenant)
		must(t, err)
		entries, err := k.Vault.Entries(t.Context(), k.Tenant, size-1, 1)
		must(t, err)
		if entries[0].Action != "note.look" || entries[0].Subject != who {
			t.Errorf("entry %+v", entries[0])
		}
	})
}

func TestWordsAreFoundByTheirBeginningAndGoWithTheRow(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		who := newPerson(t, k, k.Tenant, "a@example.com")
		thread := ids.NewObject(vaulttest.Start)
		for i, text := range []string{"Die Lampe flackert seit Montag", "Rücksendung der Lampe", "Rechnung für Kowalski"} {
			addNote(t, k, op, note{Person: who, Thread: thread, Seq: int64(i), Text: personal.Of(text)})
		}
		k.Filed(t)
		for query, want := range map[string]int{"lampe": 2, "LAM": 2, "rucksend": 1, "lampe mont": 1, "kowalsky": 0, "kowal": 1, "lampe kowalski": 0, "": 0, "z": 0, "k": 0, "ko": 1} {
			must(t, k.Vault.View(t.Context(), op, read, func(tx *vault.Tx) error {
				got, err := notes.Search(tx, query, 10)
				if len(got) != want {
					t.Errorf("%q found %d, want %d", query, len(got), want)
				}
				return err
			}))
		}
		must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error { return notes.Delete(tx, thread, 2) }))
		must(t, k.Vault.View(t.Context(), op, read, func(tx *vault.Tx) error {
			got, err := notes.Search(tx, "kowal", 10)
			if len(got) != 0 {
				t.Error("a deleted row is found")
			}
			return err
		}))
	})
}

func TestAnErasedPersonIsGoneAndNeverComesBack(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		dpo, op := vaulttest.User(k.Tenant, vault.DPO), vaulttest.User(k.Tenant, vault.Operator)
		who, stays := newPerson(t, k, k.Tenant, "gone@example.com"), newPerson(t, k, k.Tenant, "stays@example.com")
		thread := ids.NewObject(vaulttest.Start)
		addNote(t, k, op, note{Person: who, Thread: thread, Seq: 1, Text: personal.Of("erase me")})
		addNote(t, k, op, note{Person: stays, Thread: thread, Seq: 2, Text: personal.Of("keep me")})
		blob, err := k.Vault.PutBlob(t.Context(), op, who, "text/plain", strings.NewReader("a file"), 100)
		must(t, err)
		must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))

		must(t, k.Vault.EraseSubject(t.Context(), dpo, forget, who, "asked"))
		if got := find(t, k, op, "seq = 1"); len(got) == 1 && !got[0].Text.IsZero() {
			t.Error("the words open after the key is destroyed")
		}
		err = k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error {
			return notes.Add(tx, note{Person: who, Thread: thread, Seq: 3, Text: personal.Of("again"), At: tx.Now()})
		})
		if !errs.Is(err, errs.Gone) {
			t.Errorf("writing about an erased person: %v", err)
		}
		n, err := k.Vault.FinishErasures(t.Context(), k.Tenant)
		if n != 1 || err != nil {
			t.Errorf("finished %d: %v", n, err)
		}
		if got := find(t, k, op, ""); len(got) != 1 || got[0].Text.Reveal() != "keep me" {
			t.Errorf("left: %+v", got)
		}
		if files, _ := filepath.Glob(filepath.Join(k.Folder, "blobs", k.Tenant.String(), "*")); len(files) != 0 {
			t.Errorf("files left: %d", len(files))
		}
		ledger, err := k.Vault.Keys().Erasures(t.Context(), k.Tenant, time.Time{})
		must(t, err)
		if len(ledger) != 1 || ledger[0].Subject != who || ledger[0].Done.IsZero() {
			t.Errorf("ledger %+v", ledger)
		}
	})
}

func TestAFileComesBackWholeOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		who := newPerson(t, k, k.Tenant, "a@example.com")
		for _, size := range []int{0, 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 700 << 10} {
			content := bytes.Repeat([]byte("x"), size)
			blob, err := k.Vault.PutBlob(t.Context(), op, who, "text/plain", bytes.NewReader(content), 1<<20)
			must(t, err)
			must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))
			path := filepath.Join(k.Folder, "blobs", k.Tenant.String(), blob.ID.String())
			sealed, err := os.ReadFile(path)
			must(t, err)
			if got, err := readBlob(t, k, op, blob.ID); err != nil || !bytes.Equal(got, content) {
				t.Errorf("size %d: read %d bytes, %v", size, len(got), err)
			}
			must(t, os.WriteFile(path, append(sealed[:len(sealed)-1:len(sealed)-1], sealed[len(sealed)-1]^1), 0o600))
			if _, err := readBlob(t, k, op, blob.ID); err == nil {
				t.Errorf("size %d: an altered file was read", size)
			}
			if size > 256<<10 {
				must(t, os.WriteFile(path, sealed[:256<<10+33], 0o600))
				if _, err := readBlob(t, k, op, blob.ID); err == nil {
					t.Errorf("size %d: a shortened file was read", size)
				}
			}
		}
		if _, err := k.Vault.PutBlob(t.Context(), op, who, "text/plain", strings.NewReader("too long"), 3); !errs.Is(err, errs.TooLarge) {
			t.Errorf("over the limit: %v", err)
		}
	})
}

func TestAFileIsReadPieceByPieceAndNoFurtherOnceItIsAlteredOrGone(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		content := bytes.Repeat([]byte("0123456789abcdef"), 60<<10) // not quite four segments
		for _, about := range []ids.Subject{newPerson(t, k, k.Tenant, "a@example.com"), {}} {
			blob, err := k.Vault.PutBlob(t.Context(), op, about, "text/plain", bytes.NewReader(content), 1<<20)
			must(t, err)
			must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, blob) }))
			path := filepath.Join(k.Folder, "blobs", k.Tenant.String(), blob.ID.String())
			sealed, err := os.ReadFile(path)
			must(t, err)
			for what, change := range map[string]func() error{
				"altered": func() error {
					return os.WriteFile(path, append(bytes.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1), 0o600)
				},
				"shortened": func() error { return os.Truncate(path, 300<<10) },
				"removed":   func() error { return os.Remove(path) },
			} {
				must(t, os.WriteFile(path, sealed, 0o600))
				var from io.Reader
				must(t, k.Vault.View(t.Context(), op, read, func(tx *vault.Tx) (err error) {
					_, from, err = k.Vault.ReadBlob(tx, blob.ID)
					return err
				}))
				begun := make([]byte, 1000)
				_, err := io.ReadFull(from, begun)
				must(t, err)
				must(t, change())
				rest, err := io.ReadAll(from)
				if err == nil || !bytes.Equal(append(begun, rest...), content[:len(begun)+len(rest)]) {
					t.Errorf("%s while it was read: %d bytes came, error %v", what, len(begun)+len(rest), err)
				}
			}
		}
	})
}

func TestAFileThatWasRefusedItsLineTakesNoRoom(t *testing.T) {
	t.Parallel()
	k := vaulttest.Embedded(t, config)
	op := vaulttest.User(k.Tenant, vault.Operator)
	blob, err := k.Vault.PutBlob(t.Context(), op, ids.Subject{}, "text/plain", strings.NewReader("text"), 100)
	must(t, err)
	must(t, k.Vault.DropBlob(op, blob))
	must(t, k.Vault.DropBlob(op, blob))
	if files, _ := filepath.Glob(filepath.Join(k.Folder, "blobs", k.Tenant.String(), "*")); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

func readBlob(t *testing.T, k *vaulttest.Kit, actor vault.Actor, id ids.Object) (out []byte, err error) {
	t.Helper()
	err = k.Vault.View(t.Context(), actor, read, func(tx *vault.Tx) error {
		_, r, err := k.Vault.ReadBlob(tx, id)
		if err != nil {
			return err
		}
		out, err = io.ReadAll(r)
		return err
	})
	return out, err
}

func TestKeysRotateWhileOldDataStaysReadable(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		who := newPerson(t, k, k.Tenant, "a@example.com")
		thread := ids.NewObject(vaulttest.Start)
		addNote(t, k, op, note{Person: who, Thread: thread, Seq: 1, Text: personal.Of("before"), Labels: []string{"old"}})
		must(t, k.Vault.Keys().Rotate(t.Context(), k.Tenant))
		must(t, k.Vault.Keys().RewrapRoot(t.Context(), k.Tenant))
		addNote(t, k, op, note{Person: who, Thread: thread, Seq: 2, Text: personal.Of("after"), Labels: []string{"new"}})
		got := find(t, k, op, "ORDER BY seq")
		if len(got) != 2 || got[0].Labels[0] != "old" || got[1].Labels[0] != "new" || got[0].Text.Reveal() != "before" {
			t.Errorf("got %+v", got)
		}
		keys, err := k.Vault.Keys().Tenant(t.Context(), k.Tenant)
		must(t, err)
		if keys.Seal().Version() != 2 {
			t.Errorf("sealing with version %d", keys.Seal().Version())
		}
	})
}

func TestNewsComesAfterTheCommitAndFollowersReadAllOfIt(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		heard := make(chan any, 10)
		k.Vault.OnCommit(func(c vault.Committed) {
			for i, e := range c.Entries {
				for j, ev := range e.Events {
					if ev.Kind == "note.created" {
						heard <- c.Payloads[i][j]
					}
				}
			}
		})
		followed := make(chan int64, 10)
		k.Vault.Follow(vault.Follower{Name: "test", Each: func(_ context.Context, tenant ids.Tenant, entries []journal.Entry) error {
			for _, e := range entries {
				for _, ev := range e.Events {
					if ev.Kind == "note.created" && tenant == k.Tenant {
						followed <- ev.N
					}
				}
			}
			return nil
		}})
		must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error {
			tx.Emit(vault.Event{Kind: "note.created", N: 5}, "for those who are here")
			return nil
		}))
		if got := <-heard; got != "for those who are here" {
			t.Errorf("heard %v", got)
		}
		if got := <-followed; got != 5 {
			t.Errorf("followed %d", got)
		}
	})
}

func TestAPersonsRowsComeOutOfEveryTableThatIsDeclared(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		who, twin := newPerson(t, k, k.Tenant, "me@example.com"), newPerson(t, k, k.Tenant, "twin@example.com")
		thread := ids.NewObject(vaulttest.Start)
		addNote(t, k, op, note{Person: who, Thread: thread, Seq: 1, Text: personal.Of("mine"), Labels: []string{"vip"}, Open: true})
		addNote(t, k, op, note{Person: twin, Thread: thread, Seq: 2, Text: personal.Of("not mine")})
		got := map[string]string{}
		must(t, k.Vault.View(t.Context(), op, read, func(tx *vault.Tx) error {
			for _, table := range k.Vault.Tables() {
				if err := k.Vault.EachRow(tx, table, who, func(cells []vault.Cell) error {
					for _, c := range cells {
						got[table.Name()+"."+c.Column.Name] += fmt.Sprintf("%v;", c.Value)
					}
					return nil
				}); err != nil {
					return err
				}
			}
			totals, err := k.Vault.Totals(tx, who)
			if totals["notes"] != 1 || totals["people"] != 1 {
				t.Errorf("totals %v", totals)
			}
			return err
		}))
		if got["notes.text"] != "mine;" || got["people.email"] != "me@example.com;" || got["notes.thread"] != thread.String()+";" ||
			got["notes.person"] != who.String()+";" || got["notes.open"] != "true;" || !strings.HasPrefix(got["notes.at"], "2026-11-22") {
			t.Errorf("got %v", got)
		}
	})
}

func TestASweepRemovesWhatIsTooOldAndTellsTheOldestThatIsLeft(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		n := note{Person: newPerson(t, k, k.Tenant, "a@example.com"), Thread: ids.NewObject(vaulttest.Start)}
		for i := range 5 {
			n.Seq = int64(i)
			addNote(t, k, op, n)
			k.Clock.Advance(time.Hour)
		}
		must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error {
			gone, err := k.Vault.Sweep(tx, notes, tx.Now().Add(-150*time.Minute), 2)
			if gone != 2 {
				t.Errorf("swept %d", gone)
			}
			oldest, err2 := k.Vault.Oldest(tx, notes)
			if want := vaulttest.Start.Add(2 * time.Hour); !oldest.Equal(want) {
				t.Errorf("oldest %v, want %v", oldest, want)
			}
			return errors.Join(err, err2)
		}))
	})
}

func TestAFileThatCannotBeRemovedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	k := vaulttest.Embedded(t, config)
	folder := filepath.Join(k.Folder, "blobs", k.Tenant.String())
	must(t, os.MkdirAll(filepath.Join(folder, "a folder", "that is not empty"), 0o700))
	must(t, os.WriteFile(filepath.Join(folder, "b.part"), nil, 0o600))
	for _, name := range []string{"a folder", "b.part"} {
		must(t, os.Chtimes(filepath.Join(folder, name), time.Time{}, vaulttest.Start.Add(-25*time.Hour)))
	}
	if n, err := k.Vault.SweepBlobs(t.Context(), k.Tenant); n != 1 || err == nil {
		t.Errorf("%d files were swept beside one that cannot be: %v", n, err)
	}
}

func TestOldFilesThatNoLineNamesAreSwept(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op, folder := vaulttest.System(k.Tenant), filepath.Join(k.Folder, "blobs", k.Tenant.String())
		named, err := k.Vault.PutBlob(t.Context(), op, newPerson(t, k, k.Tenant, "a@example.com"), "text/plain", strings.NewReader("named"), 100)
		must(t, err)
		must(t, k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error { return vault.Blobs.Add(tx, named) }))
		put := func(name string, age time.Duration) {
			path := filepath.Join(folder, name)
			must(t, os.WriteFile(path, nil, 0o600))
			must(t, os.Chtimes(path, time.Time{}, vaulttest.Start.Add(-age)))
		}
		for range 1100 { // more than one statement asks for
			put(ids.NewObject(vaulttest.Start).String(), 25*time.Hour)
		}
		put("cut-off.part", 25*time.Hour)
		put(ids.NewObject(vaulttest.Start).String(), 23*time.Hour)
		must(t, os.Chtimes(filepath.Join(folder, named.ID.String()), time.Time{}, vaulttest.Start.Add(-25*time.Hour)))

		if n, err := k.Vault.SweepBlobs(t.Context(), k.Tenant); n != 1101 || err != nil {
			t.Errorf("swept %d: %v", n, err)
		}
		left, err := os.ReadDir(folder)
		must(t, err)
		if len(left) != 2 {
			t.Errorf("%d files are left, want the one that is named and the one that is new", len(left))
		}
		if _, err := readBlob(t, k, op, named.ID); err != nil {
			t.Errorf("the file that is named: %v", err)
		}
	})
}

func TestTheNextRequestIsAnsweredAfterConnectionsDied(t *testing.T) {
	t.Parallel()
	k := vaulttest.Postgres(t, config)
	op := vaulttest.User(k.Tenant, vault.Operator)
	who, thread := newPerson(t, k, k.Tenant, "a@example.com"), ids.NewObject(vaulttest.Start)
	n := int64(0)
	for name, request := range map[string]func() error{
		"a read": func() error {
			return k.Vault.View(t.Context(), op, read, func(tx *vault.Tx) error { _, err := people.Get(tx, who); return err })
		},
		"a write": func() error {
			n++
			return k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error {
				return notes.Add(tx, note{Person: who, Thread: thread, Seq: n, At: tx.Now()})
			})
		},
		"an empty write": func() error { return k.Vault.Do(t.Context(), op, write, func(*vault.Tx) error { return nil }) },
		"a new person":   func() error { _, err := k.Vault.NewSubject(t.Context(), op); return err },
	} {
		must(t, request())
		k.Database.Kill(t)
		if err := request(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	stored := 0
	must(t, k.Vault.View(t.Context(), op, read, func(tx *vault.Tx) (err error) {
		stored, err = notes.Count(tx, "")
		return err
	}))
	if int64(stored) != n {
		t.Errorf("%d of %d writes are stored", stored, n)
	}
}
