package rights_test

import (
	"testing"

	"aver/base/errs"
	"aver/base/ids"
	"aver/base/personal"
	"aver/trust/rights"
	"aver/trust/rights/state"
	"aver/vault"
	"aver/vault/vaulttest"
)

// eachIdle is each with jobs that wait for start.
func eachIdle(t *testing.T, test func(*testing.T, *world)) {
	t.Parallel()
	vaulttest.Each(t, config(t), func(t *testing.T, k *vaulttest.Kit) { test(t, idle(t, k)) })
}

// moves gives a person another address, as the widget lets anybody do.
func (w *world) moves(t *testing.T, id ids.Contact, email string) {
	t.Helper()
	must(t, w.Vault.Do(t.Context(), vaulttest.System(w.Tenant), act, func(tx *vault.Tx) error {
		p, err := persons.Get(tx, id)
		if err != nil {
			return err
		}
		p.Email = personal.Of(email)
		return persons.Put(tx, p)
	}))
}

// keys checks whose keys are still there.
func (w *world) keys(t *testing.T, want map[string]bool, who map[string]ids.Contact) {
	t.Helper()
	for name, id := range who {
		has, err := w.Vault.HasKey(t.Context(), w.owner, id)
		must(t, err)
		if has != want[name] {
			t.Errorf("the key of %s: %v, want %v", name, has, want[name])
		}
	}
}

func TestACodeGoesToTheTypedAddressAndSpeaksOnlyForThoseWhoStillHaveIt(t *testing.T) {
	eachIdle(t, func(t *testing.T, w *world) {
		who := map[string]ids.Contact{}
		for _, name := range []string{"a claim before", "ada", "a claim after"} {
			who[name] = w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")
		}
		ticket, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Email: "Ada@example.org "})
		must(t, err)
		w.moves(t, who["a claim before"], "mallory@example.net")
		w.moves(t, who["a claim after"], "mallory@example.net")
		w.start()
		letter := <-w.post.sent
		if letter.To.Reveal() != "ada@example.org" {
			t.Fatalf("the code went to %s", letter.To.Reveal())
		}
		_, err = w.rights.Prove(t.Context(), w.Tenant, ticket, digits.FindString(letter.Text))
		must(t, err)
		_, err = w.rights.Confirm(t.Context(), w.Tenant, ticket)
		must(t, err)
		w.keys(t, map[string]bool{"a claim before": true, "a claim after": true}, who)
	})
}

func TestACodeIsWorthNothingOnceNobodyHasTheAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who := map[string]ids.Contact{"ada": w.add(t, w.Tenant, person{Email: personal.Of("ada@example.org")}, "words")}
		ticket, err := w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Email: "ada@example.org"})
		must(t, err)
		code := w.post.code(t)
		w.moves(t, who["ada"], "ada@new.example.org")
		if _, err := w.rights.Prove(t.Context(), w.Tenant, ticket, code); !errs.Is(err, errs.Invalid) {
			t.Errorf("the code counts: %v", err)
		}
		ticket, err = w.rights.Ask(t.Context(), w.Tenant, rights.Wish{Kind: state.Erasure, Email: "ada@new.example.org"})
		must(t, err)
		_, err = w.rights.Prove(t.Context(), w.Tenant, ticket, w.post.code(t))
		must(t, err)
		w.moves(t, who["ada"], "ada@third.example.org")
		if _, err := w.rights.Confirm(t.Context(), w.Tenant, ticket); !errs.Is(err, errs.Conflict) {
			t.Errorf("the erasure is carried out: %v", err)
		}
		w.keys(t, map[string]bool{"ada": true}, who)
	})
}
