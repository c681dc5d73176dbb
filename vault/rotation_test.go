package vault_test

import (
	"testing"

	"aver/base/ids"
	"aver/base/personal"
	"aver/vault"
	"aver/vault/vaulttest"
)

// What one process seals under keys that it has just rotated, another opens at once, although it trusts the keys in its
// memory for a minute; and the other way round.
func TestProcessesReadEachOthersRowsThroughARotation(t *testing.T) {
	t.Parallel()
	k, _, another := onDisk(t)
	one, other := k, *k
	other.Vault = another()
	op := vaulttest.User(k.Tenant, vault.Operator)
	who, thread := newPerson(t, k, k.Tenant, "a@b.example"), ids.NewObject(vaulttest.Start)
	add := func(k *vaulttest.Kit, seq int64) {
		addNote(t, k, op, note{Person: who, Thread: thread, Seq: seq, Text: personal.Of("words"), Labels: []string{"vip"}})
	}
	add(one, 1)
	add(&other, 2)
	for range 2 {
		must(t, one.Vault.Keys().Rotate(t.Context(), k.Tenant))
	}
	add(one, 3)
	for name, k := range map[string]*vaulttest.Kit{"the one that rotated": one, "the other": &other} {
		got := find(t, k, op, "ORDER BY seq")
		if len(got) != 3 {
			t.Fatalf("%s: %d notes", name, len(got))
		}
		for _, n := range got {
			if n.Text.Reveal() != "words" || len(n.Labels) != 1 || n.Labels[0] != "vip" {
				t.Errorf("%s: note %d reads %v", name, n.Seq, n.Labels)
			}
		}
	}
	add(&other, 4)
	newPerson(t, &other, k.Tenant, "c@d.example")
	if got := find(t, one, op, "ORDER BY seq"); len(got) != 4 || got[3].Text.Reveal() != "words" {
		t.Errorf("%d notes", len(got))
	}
}
