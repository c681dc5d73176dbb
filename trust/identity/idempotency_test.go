package identity_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"aver/base/ids"
	"aver/vault"
	"aver/vault/engine"
	"aver/vault/vaulttest"
)

func TestOfManyClaimsOfAKeyExactlyOneIsFresh(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		store, actor := h.identity.Idempotency(), vaulttest.User(h.Tenant, vault.Operator)
		key, request := [32]byte{1}, [32]byte{2}
		var all sync.WaitGroup
		claims := make(chan bool, 64)
		for range 64 {
			all.Go(func() {
				fresh, first, answer, err := store.Claim(t.Context(), actor, key, request)
				if err != nil || first != request || answer != nil {
					t.Errorf("a claim: %x, answer %q, %v", first[:2], answer, err)
				}
				claims <- fresh
			})
		}
		all.Wait()
		close(claims)
		n := 0
		for fresh := range claims {
			if fresh {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of 64 claims were fresh", n)
		}
	})
}

func TestAnAnswerIsRepeatedForADay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		store, actor := h.identity.Idempotency(), vaulttest.User(h.Tenant, vault.Operator)
		key, request := [32]byte{1}, [32]byte{2}
		claim := func(actor vault.Actor, request [32]byte) (bool, [32]byte, []byte) {
			t.Helper()
			fresh, first, answer, err := store.Claim(t.Context(), actor, key, request)
			must(t, err)
			return fresh, first, answer
		}
		claim(actor, request)
		must(t, store.Settle(t.Context(), actor, key, []byte("done")))
		h.Clock.Advance(24*time.Hour - time.Second)
		if fresh, first, answer := claim(actor, [32]byte{3}); fresh || first != request || !bytes.Equal(answer, []byte("done")) {
			t.Errorf("within a day: fresh %v, answer %q", fresh, answer)
		}
		if fresh, _, _ := claim(vaulttest.User(h.Other, vault.Operator), request); !fresh {
			t.Error("another workspace's equal key is the same key")
		}
		h.Clock.Advance(time.Second)
		if fresh, _, answer := claim(actor, request); !fresh || answer != nil {
			t.Errorf("after a day: fresh %v, answer %q", fresh, answer)
		}
	})
}

func TestAReleasedKeyMayBeClaimedAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		store, actor := h.identity.Idempotency(), vaulttest.User(h.Tenant, vault.Operator)
		for range 2 {
			fresh, _, _, err := store.Claim(t.Context(), actor, [32]byte{1}, [32]byte{2})
			must(t, err)
			if !fresh {
				t.Fatal("it is taken")
			}
			must(t, store.Release(t.Context(), actor, [32]byte{1}))
		}
		must(t, store.Release(t.Context(), actor, [32]byte{9})) // twice does no harm
		if err := store.Settle(t.Context(), actor, [32]byte{1}, []byte("late")); err == nil {
			t.Error("an answer is kept for a key that nobody holds")
		}
	})
}

func TestAnErasureEmptiesKeptAnswersAndNothingIsDoneTwice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		store, actor := h.identity.Idempotency(), vaulttest.User(h.Tenant, vault.Operator)
		key, asked := [32]byte{1}, [32]byte{2}
		if fresh, _, _, err := store.Claim(t.Context(), actor, key, asked); !fresh || err != nil {
			t.Fatalf("claimed: %v, %v", fresh, err)
		}
		if err := store.Settle(t.Context(), actor, key, []byte("words of somebody")); err != nil {
			t.Fatal(err)
		}
		if err := h.identity.RevokeSubject(t.Context(), h.Tenant, ids.NewSubject(h.Clock.Now())); err != nil {
			t.Fatal(err)
		}
		fresh, _, answer, err := store.Claim(t.Context(), actor, key, asked)
		if fresh || answer != nil || err != nil {
			t.Errorf("after the erasure: fresh %v, answer %q, %v", fresh, answer, err)
		}
	})
}

func TestAnErasureOfSeveralEmptiesAllAnswersOnceWithoutOpeningThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		store, actor := h.identity.Idempotency(), vaulttest.User(h.Tenant, vault.Operator)
		for i := range byte(3) {
			if _, _, _, err := store.Claim(t.Context(), actor, [32]byte{i}, [32]byte{9}); err != nil {
				t.Fatal(err)
			}
			if err := store.Settle(t.Context(), actor, [32]byte{i}, []byte("words of somebody")); err != nil {
				t.Fatal(err)
			}
		}
		garbled := func(c engine.Conn) error {
			_, err := c.Exec("UPDATE idempotency_keys SET answer = ?", []byte("opens with no key"))
			return err
		}
		if err := h.Engine.Write(t.Context(), h.Tenant, garbled); err != nil {
			t.Fatal(err)
		}
		from, _, _, err := h.Vault.Head(t.Context(), h.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.identity.RevokeSubject(t.Context(), h.Tenant, ids.NewSubject(h.Clock.Now()), ids.NewSubject(h.Clock.Now())); err != nil {
			t.Fatal(err)
		}
		for i := range byte(3) {
			fresh, _, answer, err := store.Claim(t.Context(), actor, [32]byte{i}, [32]byte{9})
			if fresh || answer != nil || err != nil {
				t.Errorf("after the erasure: fresh %v, answer %q, %v", fresh, answer, err)
			}
		}
		entries, err := h.Vault.Entries(t.Context(), h.Tenant, from, 100)
		if err != nil || len(entries) != 3 {
			t.Errorf("%d entries, want two people's and one for the answers: %v", len(entries), err)
		}
	})
}
