package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/base/tlog"
	"aver/frame/module/moduletest"
	"aver/trust/audit"
	"aver/trust/audit/verdict"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/journal"
	"aver/vault/purpose"
	"aver/vault/vaulttest"
)

// note is a row of this test's own: what is written about somebody.
type note struct {
	ID   ids.Object    `vault:"id,key"`
	Who  ids.Subject   `vault:"who,subject"`
	Body personal.Text `vault:"body,personal:user.content"`
}

var (
	notes    = vault.Define[note]("notes", vault.Purpose("testing"), vault.KeepWhile("the test"))
	actNote  = vault.Act("note.write", purpose.Storage, vault.Roles(vault.Owner, vault.Operator), vault.Visitors())
	actLook  = vault.Act("note.look", purpose.Storage, vault.System())
	actOther = vault.Act("note.other", purpose.Storage, vault.Roles(vault.Owner))
)

func each(t *testing.T, test func(*testing.T, *vaulttest.Kit, *audit.Service)) {
	t.Parallel()
	c := moduletest.Config(t, audit.New(nil).Module())
	c.Tables, c.Migrations = append(c.Tables, notes), append(c.Migrations, noteSchema)
	vaulttest.Each(t, c, func(t *testing.T, k *vaulttest.Kit) {
		test(t, k, audit.New(k.Vault))
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, k *vaulttest.Kit, actor vault.Actor, about ids.Subject, action *vault.Action) ids.Object {
	t.Helper()
	n := note{ID: ids.NewObject(k.Clock.Now()), Who: about, Body: personal.Of("words")}
	must(t, k.Vault.Do(t.Context(), actor, action, func(tx *vault.Tx) error { return notes.Add(tx, n) }))
	return n.ID
}

func person(t testing.TB, k *vaulttest.Kit, actor vault.Actor) ids.Subject {
	t.Helper()
	p, err := k.Vault.NewSubject(t.Context(), actor)
	must(t, err)
	return p
}

func TestAnExportedLogIsVerifiedOfflineAndOneFlippedByteIsNamed(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		who := person(t, k, owner)
		for range 20 {
			write(t, k, owner, who, actNote)
		}
		var first bytes.Buffer
		must(t, s.Export(t.Context(), owner, &first, 0))
		key, err := s.VerifierKey(t.Context())
		must(t, err)
		v, err := verdict.Verify(bytes.NewReader(first.Bytes()), tlog.Options{Key: key})
		must(t, err)
		if !v.Holds || v.Report.Head.Size < 21 || !v.Report.KeyTrusted {
			t.Fatalf("got %+v", v)
		}
		if strings.Contains(first.String(), "acme") {
			t.Error("the bundle tells the tenant's name")
		}

		broken := bytes.Clone(first.Bytes())
		broken[bytes.Index(broken, []byte("note.write"))+3] ^= 1
		v, err = verdict.Verify(bytes.NewReader(broken), tlog.Options{Key: key})
		must(t, err)
		if v.Holds || !strings.Contains(strings.Join(v.Findings, "\n"), "was altered") {
			t.Errorf("a flipped byte was not named: %v", v.Findings)
		}
	})
}

func TestALaterExportProvesThatItContinuesAnOlderCheckpoint(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		who := person(t, k, owner)
		write(t, k, owner, who, actNote)
		key, err := s.VerifierKey(t.Context())
		must(t, err)
		signed, err := s.Checkpoint(t.Context())
		must(t, err)
		older, err := tlog.Open([]byte(signed.Note), key)
		must(t, err)
		write(t, k, owner, who, actNote)
		var out bytes.Buffer
		must(t, s.Export(t.Context(), owner, &out, older.Size))
		v, err := verdict.Verify(&out, tlog.Options{Key: key, OlderInstallation: &older})
		must(t, err)
		if !v.Holds {
			t.Errorf("it does not hold: %v", v.Findings)
		}

		out.Reset()
		must(t, s.Export(t.Context(), owner, &out, 0))
		v, err = verdict.Verify(&out, tlog.Options{Key: key, OlderInstallation: &older})
		must(t, err)
		if v.Holds || v.Unshown != older.Size {
			t.Errorf("an export without a proof since then: %+v", v)
		}
		if err := s.Export(t.Context(), owner, &out, 1_000_000); !errs.Is(err, errs.Invalid) {
			t.Errorf("a proof since a size that the log never had: %v", err)
		}
	})
}

func TestAnIdleInstallationSignsNothingNew(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		first, err := s.Checkpoint(t.Context())
		must(t, err)
		again, err := s.Checkpoint(t.Context())
		must(t, err)
		if first.Size != again.Size {
			t.Errorf("an idle log went from %d to %d entries", first.Size, again.Size)
		}
	})
}

func TestAClockThatWasOnceAheadHidesNoNewerCheckpoint(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		k.Clock.Advance(48 * time.Hour)
		_, err := s.Checkpoint(t.Context())
		must(t, err)
		k.Clock.Advance(-48 * time.Hour)
		owner := vaulttest.User(k.Tenant, vault.Owner)
		write(t, k, owner, person(t, k, owner), actNote)
		newer, err := s.Checkpoint(t.Context())
		must(t, err)
		latest, err := s.Latest(t.Context())
		must(t, err)
		if latest.Size != newer.Size {
			t.Errorf("the latest checkpoint is of %d entries, %d were signed", latest.Size, newer.Size)
		}
	})
}

func TestTheLogIsFilteredByActorActionPersonObjectAndTime(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		owner, operator := vaulttest.User(k.Tenant, vault.Owner), vaulttest.User(k.Tenant, vault.Operator)
		ada, bob := person(t, k, owner), person(t, k, owner)
		write(t, k, owner, ada, actNote)
		k.Clock.Advance(time.Hour)
		object := write(t, k, operator, bob, actNote)
		k.Clock.Advance(time.Hour)
		write(t, k, owner, bob, actOther)
		_ = k.Vault.Do(t.Context(), operator, actOther, func(*vault.Tx) error { return nil })
		for name, c := range map[string]struct {
			filter audit.Filter
			want   int
		}{
			"all":         {audit.Filter{}, 4},
			"by actor":    {audit.Filter{Kind: vault.AsUser, Actor: operator.ID()}, 2},
			"by action":   {audit.Filter{Action: "note.other"}, 2},
			"by person":   {audit.Filter{Person: bob}, 2},
			"by table":    {audit.Filter{Table: "notes"}, 3},
			"by object":   {audit.Filter{Object: object}, 1},
			"refusals":    {audit.Filter{Denied: true}, 1},
			"since":       {audit.Filter{From: vaulttest.Start.Add(30 * time.Minute)}, 3},
			"until":       {audit.Filter{To: vaulttest.Start.Add(30 * time.Minute)}, 1},
			"before":      {audit.Filter{Before: 2}, 2},
			"two at once": {audit.Filter{Person: bob, Action: "note.write"}, 1},
		} {
			found, err := s.Search(t.Context(), owner, c.filter, 50)
			must(t, err)
			if len(found.Entries) != c.want {
				t.Errorf("%s: found %d, want %d", name, len(found.Entries), c.want)
			}
		}
		if _, err := s.Search(t.Context(), vault.Actor{}, audit.Filter{}, 50); !errs.Is(err, errs.Unauthenticated) {
			t.Errorf("somebody who has not signed in: %v", err)
		}
		if _, err := s.Search(t.Context(), operator, audit.Filter{}, 50); !errs.Is(err, errs.Forbidden) {
			t.Errorf("an operator may read the log: %v", err)
		}
		found, err := s.Search(t.Context(), vaulttest.User(k.Other, vault.Owner), audit.Filter{Object: object}, 50)
		must(t, err)
		if len(found.Entries) != 0 {
			t.Error("another tenant finds the entry")
		}
	})
}

func TestTheIndexFindsWhatScanningFindsAndProofsHold(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		who := person(t, k, owner)
		var one ids.Object
		fill := func(n int) {
			var wait sync.WaitGroup
			for g := range 16 {
				wait.Go(func() {
					for range n / 16 {
						_ = k.Vault.Do(t.Context(), vaulttest.User(k.Tenant, vault.Owner), actOther, func(tx *vault.Tx) error {
							tx.Emit(vault.Event{Kind: fmt.Sprintf("fill.%d", g)}, nil)
							return nil
						})
					}
				})
			}
			wait.Wait()
		}
		fill(2000)
		one = write(t, k, owner, who, actNote)
		fill(3200)
		before, err := s.Search(t.Context(), owner, audit.Filter{Object: one}, 10)
		must(t, err)
		must(t, s.Index(t.Context(), k.Tenant))
		must(t, s.Index(t.Context(), k.Tenant))
		must(t, k.Vault.Do(t.Context(), owner, actOther, func(tx *vault.Tx) error { // no age is a reason to find nothing
			_, err := k.Vault.Sweep(tx, audit.Terms, tx.Now().Add(time.Hour), 100_000)
			return err
		}))
		after, err := s.Search(t.Context(), owner, audit.Filter{Object: one}, 10)
		must(t, err)
		if len(before.Entries) != 1 || len(after.Entries) != 1 || before.Entries[0].Index != after.Entries[0].Index {
			t.Fatalf("found %d before and %d after indexing, want the same one", len(before.Entries), len(after.Entries))
		}
		for _, index := range []int64{0, before.Entries[0].Index, 4095, 4096, 5000} {
			p, err := s.Prove(t.Context(), owner, index)
			must(t, err)
			if err := p.Check(); err != nil || p.Entry.Index != index {
				t.Errorf("entry %d: %v", index, err)
			}
			p.Leaf[0] ^= 1
			if p.Check() == nil {
				t.Errorf("entry %d: the proof holds for another leaf", index)
			}
		}
		if _, err := s.Prove(t.Context(), owner, 1<<40); !errs.Is(err, errs.NotFound) {
			t.Errorf("an entry that does not exist: %v", err)
		}
	})
}

func TestKeysAreRotatedWhileTrafficRuns(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		who := person(t, k, owner)
		old := write(t, k, owner, who, actNote)
		ctx, stop := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		failures := make(chan error, 8)
		for range 4 {
			wait.Go(func() {
				for ctx.Err() == nil {
					n := note{ID: ids.NewObject(k.Clock.Now()), Who: who, Body: personal.Of("during")}
					if err := k.Vault.Do(t.Context(), owner, actNote, func(tx *vault.Tx) error { return notes.Add(tx, n) }); err != nil {
						failures <- err
						return
					}
				}
			})
		}
		for range 3 {
			must(t, k.Vault.Keys().Rotate(t.Context(), k.Tenant))
		}
		stop()
		wait.Wait()
		select {
		case err := <-failures:
			t.Fatal(err)
		default:
		}
		state, err := s.KeyState(t.Context(), owner)
		must(t, err)
		if state.Versions[0].Version < 1 || state.Next.Before(k.Clock.Now()) {
			t.Errorf("got %+v", state)
		}
		must(t, k.Vault.View(t.Context(), owner, readNotes, func(tx *vault.Tx) error {
			n, err := notes.Get(tx, old)
			if n.Body.Reveal() != "words" {
				t.Error("what was sealed before does not open")
			}
			return err
		}))
	})
}

// rewrite changes an entry in the store as somebody could who has the database and not the signing key, and puts every
// hash that is stored beside it right.
func rewrite(t *testing.T, k *vaulttest.Kit, tenant ids.Tenant, index int64) {
	t.Helper()
	must(t, k.Engine.Write(t.Context(), tenant, func(conn engine.Conn) error {
		var edge tlog.Frontier
		bodies := map[int64][]byte{}
		err := conn.Query("SELECT first, body FROM journal ORDER BY first", nil, func(row []any) error {
			at, body := row[0].(int64), bytes.Clone(row[1].([]byte))
			from := 0
			return journal.Chunk(body, func(entry []byte) error {
				from += 2
				if at == index {
					body[from+len(entry)-1] ^= 1
					bodies[row[0].(int64)] = body
				}
				edge.Append(tlog.LeafHash(body[from : from+len(entry)]))
				from += len(entry)
				at++
				return nil
			})
		})
		for first, body := range bodies {
			_, e := conn.Exec("UPDATE journal SET body = ? WHERE first = ?", body, first)
			err = errors.Join(err, e)
		}
		_, e := conn.Exec("UPDATE journal_head SET frontier = ? WHERE id = 1", edge.Bytes())
		return errors.Join(err, e)
	}))
}

func TestALogThatWasRewrittenInTheStoreIsNotRecordedAgain(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		who := person(t, k, owner)
		for range 5 {
			write(t, k, owner, who, actNote)
		}
		_, err := s.Checkpoint(t.Context())
		must(t, err)
		before, _, _, err := k.Vault.Head(t.Context(), ids.Installation)
		must(t, err)
		rewrite(t, k, k.Tenant, 2)
		write(t, k, owner, who, actNote)
		_, err = audit.New(k.Vault).Checkpoint(t.Context())
		must(t, err)
		entries, err := k.Vault.Entries(t.Context(), ids.Installation, before, 100)
		must(t, err)
		for _, e := range entries {
			for _, ev := range e.Events {
				if ev.Kind == "tenant.head" && strings.Contains(ev.Object, k.Tenant.String()) {
					t.Errorf("its head was recorded: %s", ev.Object)
				}
			}
		}
		r, err := audit.New(k.Vault).Recheck(t.Context(), 1000)
		must(t, err)
		if r.Altered != 1 {
			t.Errorf("a recheck says %+v", r)
		}
	})
}

func TestAStoreThatCannotBeReadKeepsNobodyElseWaiting(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		must(t, s.Module().Jobs(moduletest.Queue(t)))
		unlucky, owner := vaulttest.User(k.Tenant, vault.Owner), vaulttest.User(k.Other, vault.Owner)
		for _, who := range []vault.Actor{unlucky, owner} {
			write(t, k, who, person(t, k, who), actNote)
		}
		must(t, k.Engine.Write(t.Context(), k.Tenant, func(conn engine.Conn) error {
			_, err := conn.Exec("UPDATE journal_head SET frontier = ? WHERE id = 1", []byte{1})
			return err
		}))
		if _, err := s.Checkpoint(t.Context()); err == nil {
			t.Error("nobody is told that a log cannot be read")
		}
		signed, err := s.Latest(t.Context())
		must(t, err)
		_, err = s.Prove(t.Context(), owner, 0)
		must(t, err)
		if recorded(t, k, k.Other) == 0 || signed.Size == 0 {
			t.Error("the other log's head was not recorded and signed")
		}

		k.Clock.Advance(audit.RotateAfter)
		if err := s.RotateDue(t.Context()); err == nil {
			t.Error("nobody is told that keys were not changed")
		}
		state, err := s.KeyState(t.Context(), owner)
		must(t, err)
		if state.Last == nil {
			t.Error("the other tenant gets no new keys")
		}
	})
}

// recorded is how many of the tenant's entries the installation's log vouches for.
func recorded(t *testing.T, k *vaulttest.Kit, tenant ids.Tenant) (size int64) {
	t.Helper()
	must(t, k.Vault.View(t.Context(), vaulttest.System(ids.Installation), actLook, func(tx *vault.Tx) error {
		m, err := audit.Marks.Get(tx, tenant)
		size = m.Size
		return err
	}))
	return size
}

func TestAnInstallationsLogThatWasRewrittenIsNotSignedAgain(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		who := person(t, k, owner)
		write(t, k, owner, who, actNote)
		_, err := s.Checkpoint(t.Context())
		must(t, err)
		rewrite(t, k, ids.Installation, 1)
		write(t, k, owner, who, actNote)
		if signed, err := audit.New(k.Vault).Checkpoint(t.Context()); !errors.Is(err, tlog.ErrProof) {
			t.Errorf("signed %+v, %v", signed, err)
		}
	})
}

// Here the hashes beside the entries stay as they were, so that only the entries themselves tell.
func TestARecheckReadsEveryEntryALittleAtATime(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit, s *audit.Service) {
		owner := vaulttest.User(k.Tenant, vault.Owner)
		who := person(t, k, owner)
		for range 12 {
			write(t, k, owner, who, actNote)
		}
		_, err := s.Checkpoint(t.Context())
		must(t, err)
		var read int64
		for range 10 {
			r, err := s.Recheck(t.Context(), 3)
			must(t, err)
			if r.Altered != 0 || r.Entries > 3 {
				t.Fatalf("an honest log: %+v", r)
			}
			read += r.Entries
		}
		if read < 13 {
			t.Errorf("%d entries were read", read)
		}
		must(t, k.Engine.Write(t.Context(), k.Tenant, func(conn engine.Conn) error {
			var first int64
			var body []byte
			err := conn.Query("SELECT first, body FROM journal ORDER BY first LIMIT 1 OFFSET 3", nil, func(row []any) error {
				first, body = row[0].(int64), bytes.Clone(row[1].([]byte))
				return nil
			})
			body[len(body)-1] ^= 1
			_, e := conn.Exec("UPDATE journal SET body = ? WHERE first = ?", body, first)
			return errors.Join(err, e)
		}))
		altered := 0
		for range 10 {
			r, err := s.Recheck(t.Context(), 3)
			must(t, err)
			altered = r.Altered
		}
		if altered != 1 {
			t.Error("an altered entry was not noticed")
		}
	})
}
