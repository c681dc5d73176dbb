package keyring_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"aver/base/clock"
	"aver/base/ids"
	"aver/vault/engine"
	"aver/vault/keyring"
)

func TestWhoeverWasErasedHasNoKeyAndNeverGetsOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		s, _ := w.person(t)
		for range 2 { // twice is no error
			if err := w.Erase(t.Context(), w.tenant, s, "asked for it"); err != nil {
				t.Fatal(err)
			}
		}
		for _, k := range []*keyring.Keyring{w.Keyring, keyring.Open(w.engine, w.root(t), clock.At(start))} {
			if _, err := k.Subject(t.Context(), w.tenant, s); !errors.Is(err, keyring.ErrErased) {
				t.Errorf("read: %v", err)
			}
			if err := k.NewSubject(t.Context(), w.tenant, s); !errors.Is(err, keyring.ErrErased) {
				t.Errorf("make anew: %v", err)
			}
		}
		list, err := w.Erasures(t.Context(), w.tenant, start)
		if err != nil || len(list) != 1 || list[0].Subject != s || !list[0].Done.IsZero() {
			t.Errorf("the ledger: %v, %v", list, err)
		}
	})
}

// Loads, makings and erasures of the same people race, in two processes; on PostgreSQL they run at the same time.
func TestNoRaceBringsAnErasedPersonBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for range 8 {
			s := ids.NewSubject(start)
			begin := make(chan struct{})
			var all sync.WaitGroup
			for i := range 8 {
				k := []*keyring.Keyring{w.Keyring, w.other}[i%2]
				all.Go(func() {
					<-begin
					for range 5 {
						if err := raced(k.NewSubject(t.Context(), w.tenant, s)); err != nil {
							t.Errorf("make: %v", err)
						}
						if _, err := k.Subject(t.Context(), w.tenant, s); raced(err) != nil {
							t.Errorf("load: %v", err)
						}
					}
				})
			}
			all.Go(func() {
				<-begin
				if err := w.Erase(t.Context(), w.tenant, s, "race"); err != nil {
					t.Error(err)
				}
			})
			close(begin)
			all.Wait()
			w.other.ForgetSubject(w.tenant, s) // what the other process is told
			for _, k := range []*keyring.Keyring{w.Keyring, w.other} {
				if _, err := k.Subject(t.Context(), w.tenant, s); !errors.Is(err, keyring.ErrErased) {
					t.Fatalf("after the erasure: %v", err)
				}
			}
		}
	})
}

// raced drops the errors that a loser of the race may see.
func raced(err error) error {
	for _, fine := range []error{keyring.ErrErased, keyring.ErrNoKey, engine.ErrUnique} {
		if errors.Is(err, fine) {
			return nil
		}
	}
	return err
}

// Whatever is done in whatever order, a person is readable exactly from being made to being erased, in every process.
func TestAModelOfPeopleAgreesWithTheKeyring(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine = w.embedded(t)
	w.open(t, w.engine)
	root := w.root(t)
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		people := []ids.Subject{ids.NewSubject(start), ids.NewSubject(start), ids.NewSubject(start)}
		made, erased := map[ids.Subject]bool{}, map[ids.Subject]bool{}
		k := w.Keyring
		steps := map[string]func(ids.Subject){
			"make": func(s ids.Subject) {
				err := k.NewSubject(ctx, w.tenant, s)
				if want := !made[s] && !erased[s]; (err == nil) != want {
					t.Fatalf("made %v, erased %v: %v", made[s], erased[s], err)
				}
				made[s] = made[s] || err == nil
			},
			"erase": func(s ids.Subject) {
				fatal(t, k.Erase(ctx, w.tenant, s, "model"))
				erased[s] = true
				w.other.ForgetSubject(w.tenant, s)
			},
			"rotate":  func(ids.Subject) { fatal(t, k.Rotate(ctx, w.tenant)) },
			"restart": func(ids.Subject) { k = keyring.Open(w.engine, root, clock.At(start)) },
		}
		words := rapid.SampledFrom([]string{"make", "make", "erase", "rotate", "restart"})
		for _, word := range rapid.SliceOfN(words, 1, 8).Draw(t, "steps") {
			steps[word](rapid.SampledFrom(people).Draw(t, "person"))
			for _, s := range people {
				for _, k := range []*keyring.Keyring{k, w.other} {
					_, err := k.Subject(ctx, w.tenant, s)
					if !errors.Is(err, expected(made[s], erased[s])) {
						t.Fatalf("after %s: made %v, erased %v: %v", word, made[s], erased[s], err)
					}
				}
			}
		}
	})
}

func expected(made, erased bool) error {
	switch {
	case erased:
		return keyring.ErrErased
	case !made:
		return keyring.ErrNoKey
	}
	return nil
}

func fatal(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func TestDestroyingATenantMakesEverythingUnreadable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		s, _ := w.person(t)
		bystander := ids.NewTenant(start)
		if err := w.Create(t.Context(), bystander); err != nil {
			t.Fatal(err)
		}
		if err := w.Destroy(t.Context(), w.tenant); err != nil {
			t.Fatal(err)
		}
		for _, k := range []*keyring.Keyring{w.Keyring, keyring.Open(w.engine, w.root(t), clock.At(start))} {
			if _, err := k.Tenant(t.Context(), w.tenant); err == nil {
				t.Error("the tenant's keys are still there")
			}
			if _, err := k.PageKey(t.Context(), w.tenant); err == nil {
				t.Error("the page key is still there")
			}
			if _, err := k.Subject(t.Context(), w.tenant, s); err == nil {
				t.Error("a person's key is still there")
			}
			if _, err := k.Tenant(t.Context(), bystander); err != nil {
				t.Errorf("another tenant's keys: %v", err)
			}
		}
	})
}
