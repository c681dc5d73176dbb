package vault_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/vaulttest"
)

// change reads a note, lets edit change it, and stores what differs.
func change(t *testing.T, k *vaulttest.Kit, actor vault.Actor, thread ids.Object, edit func(*note)) error {
	t.Helper()
	return k.Vault.Do(t.Context(), actor, write, func(tx *vault.Tx) error {
		was, err := notes.Get(tx, thread, int64(1))
		if err != nil {
			return err
		}
		now := was
		edit(&now)
		return notes.Change(tx, was, now)
	})
}

func TestAChangeStoresWhatDiffers(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		n := note{Person: newPerson(t, k, k.Tenant, "a@example.com"), Thread: ids.NewObject(vaulttest.Start), Seq: 1, Text: personal.Of("a lamp"), Labels: []string{"vip"}, Open: true}
		addNote(t, k, op, n)
		must(t, change(t, k, op, n.Thread, func(n *note) { n.Open = false }))
		must(t, change(t, k, op, n.Thread, func(n *note) { n.Text, n.Labels = personal.Of("a chair"), []string{"x", "y"} }))
		must(t, change(t, k, op, n.Thread, func(n *note) { n.At = n.At.Add(time.Hour) }))
		must(t, change(t, k, op, n.Thread, func(*note) {}))
		got := find(t, k, op, "thread = ?", n.Thread)[0]
		if got.Text.Reveal() != "a chair" || strings.Join(got.Labels, " ") != "x y" || got.Open || !got.At.Equal(vaulttest.Start.Add(time.Hour)) || got.Person != n.Person {
			t.Errorf("stored %+v, %q", got, got.Text.Reveal())
		}
		entries, err := k.Vault.Entries(t.Context(), k.Tenant, 0, 100)
		must(t, err)
		last := entries[len(entries)-4:]
		for i, e := range last[:3] {
			if e.Subject != n.Person || len(e.Touched) != 1 || e.Commit == last[3].Commit || e.Commit == last[(i+1)%3].Commit {
				t.Errorf("entry %d is %+v", i, e)
			}
		}
		if len(last[3].Touched) != 0 {
			t.Errorf("changing nothing touched %v", last[3].Touched)
		}
	})
}

func TestAChangeKeepsTheKeyAndWhoItIsAbout(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		n := note{Person: newPerson(t, k, k.Tenant, "a@example.com"), Thread: ids.NewObject(vaulttest.Start), Seq: 1, Text: personal.Of("a lamp")}
		addNote(t, k, op, n)
		if err := change(t, k, op, n.Thread, func(n *note) { n.Seq = 2 }); err == nil {
			t.Error("a row was moved")
		}
		other := newPerson(t, k, k.Tenant, "b@example.com")
		must(t, change(t, k, op, n.Thread, func(n *note) { n.Person = other }))
		if got := find(t, k, op, "thread = ?", n.Thread)[0]; got.Text.Reveal() != "a lamp" || got.Person != other {
			t.Errorf("read %q about %v", got.Text.Reveal(), got.Person)
		}
		must(t, k.Vault.EraseSubject(t.Context(), vaulttest.System(k.Tenant), forget, other, "asked"))
		if err := change(t, k, op, n.Thread, func(n *note) { n.Text = personal.Of("more") }); !errs.Is(err, errs.Gone) {
			t.Errorf("about somebody erased: %v", err)
		}
		must(t, change(t, k, op, n.Thread, func(n *note) { n.Open = true })) // which says nothing about anybody
		err := k.Vault.View(t.Context(), op, read, func(tx *vault.Tx) error { return notes.Change(tx, note{}, note{}) })
		if err == nil {
			t.Error("a read changed something")
		}
	})
}

func TestAChangedAddressIsFoundByItsNewSpelling(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		actor := vaulttest.System(k.Tenant)
		who, other := newPerson(t, k, k.Tenant, "a@example.com"), newPerson(t, k, k.Tenant, "b@example.com")
		move := func(to string) error {
			return k.Vault.Do(t.Context(), actor, write, func(tx *vault.Tx) error {
				was, err := people.Get(tx, who)
				if err != nil {
					return err
				}
				now := was
				now.Email = personal.Of(to)
				return people.Change(tx, was, now)
			})
		}
		must(t, move("c@example.com"))
		must(t, k.Vault.View(t.Context(), actor, read, func(tx *vault.Tx) error {
			old, err := people.Lookup(tx, "email", "a@example.com")
			must(t, err)
			found, err := people.Lookup(tx, "email", "C@example.com")
			if len(old) != 0 || len(found) != 1 || found[0].ID != who {
				t.Errorf("found %v by the new, %v by the old", found, old)
			}
			return err
		}))
		if err := move("b@example.com"); !errs.Is(err, errs.Conflict) {
			t.Errorf("taking %v's address: %v", other, err)
		}
	})
}

func TestAnAppendedRowThatExistsFailsTheChangeAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, k *vaulttest.Kit) {
		op := vaulttest.User(k.Tenant, vault.Operator)
		n := note{Person: newPerson(t, k, k.Tenant, "a@example.com"), Thread: ids.NewObject(vaulttest.Start), Seq: 1, Text: personal.Of("first")}
		add := func(n note) error {
			return k.Vault.Do(t.Context(), op, write, func(tx *vault.Tx) error {
				n.At = tx.Now()
				return notes.Append(tx, n)
			})
		}
		must(t, add(n))
		again := n
		again.Text = personal.Of("second")
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				fresh := n
				fresh.Seq = int64(i + 2)
				if err := add(fresh); err != nil {
					t.Error(err)
				}
				if err := add(again); !errs.Is(err, errs.Conflict) {
					t.Errorf("a second row with the key: %v", err)
				}
			})
		}
		all.Wait()
		got := find(t, k, op, "thread = ? ORDER BY seq LIMIT 50", n.Thread)
		if len(got) != 21 || got[0].Text.Reveal() != "first" {
			t.Errorf("%d rows, the first says %q", len(got), got[0].Text.Reveal())
		}
	})
}
